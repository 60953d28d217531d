// SPDX-License-Identifier: GPL-3.0-or-later
// One connected part of a problem: the cheapest assignment that finishes by a time. Used by
// solve.c, which splits, and asks again for other times.
#ifndef BURST_PART_H
#define BURST_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "optimizer/best.h"
#include "optimizer/problem.h"
#include "optimizer/solve_options.h"

// Cheapest assignment of p with finish <= time. With b->found on entry its assignment is a start.
// *late: no option combination is in time at all (only with !found and proven).
void part_min_cost(const struct problem *p, int64_t time, const struct solve_options *opt,
                   struct clockwork *clock, struct best *b, bool *late);

// b is a cheapest assignment of p, proven: leaves the options that may be in another as cheap
// (opt[].self of out points into p). False when nothing was left out; then out is nothing.
bool part_narrow(const struct problem *p, const struct solve_options *opt, struct clockwork *clock,
                 struct best *b, struct problem *out);

#endif
