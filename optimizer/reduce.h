// SPDX-License-Identifier: GPL-3.0-or-later
// Leaves out what cannot be in a best plan.
#ifndef BURST_REDUCE_H
#define BURST_REDUCE_H

#include <stdbool.h>
#include <stdint.h>

#include "optimizer/problem.h"

// Removes options that cannot be in a best plan. out is a fresh problem whose opt[].self points
// into p; *time becomes TIME_INF when no assignment that is left can be late. False when a task
// has lost its last option (*late says whether time did it).
bool reduce(const struct problem *p, int64_t *time, struct problem *out, bool *late);

#endif
