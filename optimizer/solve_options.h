// SPDX-License-Identifier: GPL-3.0-or-later
// What is asked of a solution, and the steps that it may take.
#ifndef BURST_SOLVE_OPTIONS_H
#define BURST_SOLVE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct solve_options {
    bool fastest;        // objective time
    int64_t time_budget; // microseconds, TIME_INF = none
    int64_t cost_budget; // nano-dollars, COST_INF = none
    int64_t deadline_ms; // on clock_mono_ms(); INT64_MAX = none
    unsigned skip;       // steps to leave out (tests show that each of them is exact)
};

enum solve_step {
    STEP_QUICK = 1,     // search with few nodes, before the bounds
    STEP_ELIMINATE = 2, // dynamic programming
    STEP_DUAL = 4,      // Lagrangian bounds
    STEP_DROP = 8,      // options that a bound rules out
    STEP_SEARCH = 16,   // branch and bound
    STEP_ILP = 32,      // GLPK
    STEP_IMPROVE = 64,  // plans by local search, rounding and repair: bounds alone must be right
    STEP_BOUND = 128,   // soft arc consistency
    STEPS = 255
};

#endif
