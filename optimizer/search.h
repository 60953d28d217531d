// SPDX-License-Identifier: GPL-3.0-or-later
// Branch and bound.
#ifndef BURST_SEARCH_H
#define BURST_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "optimizer/best.h"
#include "optimizer/mrf.h"
#include "optimizer/problem.h"

// Depth-first search with the bounds of m (reparametrised by mrf_bound or not; NULL = costs of p).
// constant + unary + pairs must be a lower bound of the cost of every assignment that keeps time
// and limits. Proven when it returns true.
bool search(const struct problem *p, int64_t time, const struct mrf *m, double constant,
            uint64_t max_nodes, struct clockwork *clock, struct best *b);

#endif
