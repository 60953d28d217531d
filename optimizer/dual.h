// SPDX-License-Identifier: GPL-3.0-or-later
// Lagrangian bounds.
#ifndef BURST_DUAL_H
#define BURST_DUAL_H

#include <stdbool.h>
#include <stdint.h>

#include "optimizer/best.h"
#include "optimizer/mrf.h"
#include "optimizer/problem.h"
#include "optimizer/solve_options.h"

// Bounds by Lagrangian multipliers on limits, shared data and paths, with plans repaired from its
// solutions on the way. m gets costs that carry the multipliers; *constant as for search().
// opt->skip may say: not by elimination, as if the graph were too wide for it; no plans.
void dual_ascent(const struct problem *p, int64_t time, int rounds, const struct solve_options *opt,
                 struct clockwork *clock, struct best *b, struct mrf *m, double *constant);

#endif
