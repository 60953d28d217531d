// SPDX-License-Identifier: GPL-3.0-or-later
// Solves an assignment problem: the cheapest assignment that finishes in time, or the fastest one
// within the money. Pure: same problem, same answer, except for what the time limit cuts off.
#ifndef BURST_SOLVE_H
#define BURST_SOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "optimizer/problem.h"
#include "optimizer/solve_options.h"

enum solve_end {
    SOLVE_OPTIMAL,    // choice is a best one, proven
    SOLVE_FEASIBLE,   // choice is a plan; bound says how much better one could be
    SOLVE_INFEASIBLE, // proven: there is none
    SOLVE_UNKNOWN,    // time ran out before a plan was found
};

struct solution {
    enum solve_end end;
    uint32_t *choice; // option index per task; owned; only with OPTIMAL and FEASIBLE
    int64_t cost, span;
    int64_t bound; // of the objective (cost or span): no plan is below
    // with INFEASIBLE: what made it so
    bool late;      // no assignment finishes in time
    bool dear;      // no assignment within the money
    int64_t needed; // then the least span or cost that is possible, when known (else -1)
    int limit;      // a limit that cannot be kept, or -1
};

void solve(const struct problem *p, const struct solve_options *opt, struct solution *s);
void solution_free(struct solution *s);

#endif
