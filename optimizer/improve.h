// SPDX-License-Identifier: GPL-3.0-or-later
// Local search.
#ifndef BURST_IMPROVE_H
#define BURST_IMPROVE_H

#include <stdbool.h>
#include <stdint.h>

#include "optimizer/best.h"
#include "optimizer/problem.h"

// Single moves and moves of whole places as long as they help.
void improve(const struct problem *p, int64_t time, struct clockwork *clock, struct best *b);
// Moves some tasks that belong together to a place by chance, improves, and keeps what is better;
// so many rounds since the last success. The same chances each time.
void shake(const struct problem *p, int64_t time, struct clockwork *clock, struct best *b,
           int rounds);

#endif
