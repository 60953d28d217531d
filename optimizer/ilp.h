// SPDX-License-Identifier: GPL-3.0-or-later
// The linear formulation.
#ifndef BURST_ILP_H
#define BURST_ILP_H

#include <stdbool.h>
#include <stdint.h>

#include "optimizer/best.h"
#include "optimizer/problem.h"

// GLPK on the linear formulation. Safe against its aborts. Proven when it returns true.
bool ilp(const struct problem *p, int64_t time, struct clockwork *clock, struct best *b);

#endif
