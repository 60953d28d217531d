// SPDX-License-Identifier: GPL-3.0-or-later
// Which place for which job: one request to the optimizer for all candidates, under the caps, and
// what its answer leads to. Idle rented nodes come first: they cost nothing more.
#ifndef BURST_PLANNER_H
#define BURST_PLANNER_H

#include "burstd.h"

struct planner *planner_create(struct burstd *b);
void planner_destroy(struct planner *p);

// Plans for the candidates that are due, unless a request is under way.
void planner_step(struct burstd *b);

#endif
