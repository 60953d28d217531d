// SPDX-License-Identifier: GPL-3.0-or-later
// Which place for which job: one request to the optimizer for all candidates, under the caps, with
// new nodes, idle ones and (where waiting has a price) staying here as alternatives; and what its
// answer leads to.
#ifndef BURST_PLANNER_H
#define BURST_PLANNER_H

#include <stdint.h>

#include "base/burstd.h"

struct planner *planner_create(struct burstd *b);
void planner_destroy(struct planner *p);

// Plans for the candidates that are due, unless a request is under way.
void planner_step(struct burstd *b);

// From the question to its answer's arrival, the optimizer's process and the pipes included.
struct planner_stats {
    uint64_t requests, last_us, worst_us;
    unsigned last_tasks; // of its answer
    unsigned last_asked; // of the request
};
const struct planner_stats *planner_stats(const struct planner *p);

#endif
