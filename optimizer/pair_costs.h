// SPDX-License-Identifier: GPL-3.0-or-later
// A problem as a graph of costs.
#ifndef BURST_PAIR_COSTS_H
#define BURST_PAIR_COSTS_H

#include <stdbool.h>

#include "optimizer/mrf.h"
#include "optimizer/problem.h"

// Pair and unary costs of a problem. False when the tables would take more than max_cells.
bool problem_mrf(const struct problem *p, double max_cells, struct mrf *m);

#endif
