// SPDX-License-Identifier: GPL-3.0-or-later
// One connected part of a problem: the cheapest assignment that finishes by a time. Used by
// solve.c, which splits, and asks again for other times.
#ifndef BURST_PART_H
#define BURST_PART_H

#include "optimizer/mrf.h"
#include "optimizer/problem.h"
#include "optimizer/solve.h"

struct clockwork {
    int64_t deadline_ms;
    bool over; // once it is over it stays so
};

bool time_is_over(struct clockwork *c);
bool time_is_over_fn(void *c); // the same for callbacks

// The best of what was seen so far.
struct best {
    uint32_t *choice; // option per task, owned; valid when found
    bool found;
    int64_t cost, span;
    int64_t bound;  // no assignment is cheaper
    bool proven;    // cost == bound, or !found and there is none
    int64_t enough; // an assignment of at most this cost will do; -1 = only a cheapest one
};

static inline bool best_will_do(const struct best *b)
{
    return b->found && b->cost <= b->enough;
}

void best_init(struct best *b, uint32_t n);
void best_free(struct best *b);
// Takes the assignment when it keeps time and limits and is cheaper, or as cheap and faster.
bool best_offer(struct best *b, const struct problem *p, const uint32_t *choice, int64_t time);

// Cheapest assignment of p with finish <= time. With b->found on entry its assignment is a start.
// *late: no option combination is in time at all (only with !found and proven).
void part_min_cost(const struct problem *p, int64_t time, const struct solve_options *opt,
                   struct clockwork *clock, struct best *b, bool *late);

// b is a cheapest assignment of p, proven: leaves the options that may be in another as cheap
// (opt[].self of out points into p). False when nothing was left out; then out is nothing.
bool part_narrow(const struct problem *p, const struct solve_options *opt, struct clockwork *clock,
                 struct best *b, struct problem *out);

// --- the steps, each in its own file ---

// Removes options that cannot be in a best plan. out is a fresh problem whose opt[].self points
// into p; *time becomes TIME_INF when no assignment that is left can be late. False when a task
// has lost its last option (*late says whether time did it).
bool reduce(const struct problem *p, int64_t *time, struct problem *out, bool *late);

// Pair and unary costs of a problem. False when the tables would take more than max_cells.
bool problem_mrf(const struct problem *p, double max_cells, struct mrf *m);

// Depth-first search with the bounds of m (reparametrised by mrf_bound or not; NULL = costs of p).
// constant + unary + pairs must be a lower bound of the cost of every assignment that keeps time
// and limits. Proven when it returns true.
bool search(const struct problem *p, int64_t time, const struct mrf *m, double constant,
            uint64_t max_nodes, struct clockwork *clock, struct best *b);

// Bounds by Lagrangian multipliers on limits, shared data and paths, with plans repaired from its
// solutions on the way. m gets costs that carry the multipliers; *constant as for search().
// opt->skip may say: not by elimination, as if the graph were too wide for it; no plans.
void dual_ascent(const struct problem *p, int64_t time, int rounds, const struct solve_options *opt,
                 struct clockwork *clock, struct best *b, struct mrf *m, double *constant);

// GLPK on the linear formulation. Safe against its aborts. Proven when it returns true.
bool ilp(const struct problem *p, int64_t time, struct clockwork *clock, struct best *b);

// Single moves and moves of whole places as long as they help.
void improve(const struct problem *p, int64_t time, struct clockwork *clock, struct best *b);
// Moves some tasks that belong together to a place by chance, improves, and keeps what is better;
// so many rounds since the last success. The same chances each time.
void shake(const struct problem *p, int64_t time, struct clockwork *clock, struct best *b,
           int rounds);

#endif
