// SPDX-License-Identifier: GPL-3.0-or-later
// How much of Slurm's limits (slurm/limits.h) is used: by what runs anywhere, and by what has or
// gets rented nodes and will run in a moment. Made anew for each look; counts when it is first
// asked.
#ifndef BURST_LIMIT_USE_H
#define BURST_LIMIT_USE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/burstd.h"

struct limit_use;
struct sjob;

struct limit_use *limit_use_create(struct burstd *b);
void limit_use_destroy(struct limit_use *u);

// May one more job run, in this partition? false with a sentence.
bool limit_use_room(struct limit_use *u, const struct sjob *s, const char *partition, char *why,
                    size_t size);
// It will.
void limit_use_add(struct limit_use *u, const struct sjob *s, const char *partition);

#endif
