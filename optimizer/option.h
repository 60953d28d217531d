// SPDX-License-Identifier: GPL-3.0-or-later
// From a candidate of a task to an option of the problem: what it costs, takes and counts for the
// limits, with the data that concern this task alone.
#ifndef BURST_OPTION_H
#define BURST_OPTION_H

#include "optimizer/problem.h"
#include "optimizer/scan.h"

// What a task pays and waits in a place for the data that concern it alone.
struct haul {
    int64_t cost, release;
    int64_t own; // of the cost: what has a location, which counts for the task's cap
};

// For one task. Places of its data and its hauls are kept between calls.
struct maker {
    struct supply *s;
    const struct rq_task *task;
    uint32_t *in, *out; // places of inputs and outputs
    struct haul *haul;  // per place; release -1 = not known yet; NULL = the task has no data
    uint32_t n_haul;
};

void maker_init(struct maker *m, struct supply *s, const struct rq_task *t);
void maker_free(struct maker *m); // what it owns, not itself

enum made {
    MADE,
    MADE_NO_ROUTE, // its data cannot be moved there
    MADE_TOO_DEAR, // more than is counted
    MADE_OVER_CAP, // more than the task may cost
};

// *counted: what counts for the task's cap (with MADE and MADE_OVER_CAP), in nano-dollars.
enum made maker_offer(struct maker *m, size_t need, const struct cand *x, struct opt *o,
                      int64_t *counted);
enum made maker_alternative(struct maker *m, size_t i, struct opt *o, int64_t *counted);

// Whether an input names the data set of an input before it.
bool option_names_again(const struct rq_task *t, size_t input);

// What an option of a task comes to, in nano-dollars; without what moving its data costs.
struct bill {
    double hours;
    int64_t price;   // of one node and hour
    int64_t compute; // price * hours * nodes
    int64_t restart; // what the expected restarts of spot nodes add
    int64_t fixed;   // of an alternative
};
void option_bill(const struct supply *s, uint32_t task, const struct opt *o, struct bill *b);

#endif
