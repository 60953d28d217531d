// SPDX-License-Identifier: GPL-3.0-or-later
// The jobs that want capacity now, in the order in which they get it when there is not enough.
#ifndef BURST_WAITING_H
#define BURST_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/burstd.h"
#include "state/model.h"

struct sjob;

struct waiting {
    struct bjob *j;
    const struct sjob *s;
    double place; // in its line: 0 first, 1 last
};

// Is the job one of them, at this moment (monotonic)? *out: as Slurm sees it.
bool waiting_due(const struct burstd *b, const struct bjob *j, int64_t now,
                 const struct sjob **out);

// All of them; the caller frees the list, NULL when there are none.
struct waiting *waiting_list(struct burstd *b, size_t *n);

#endif
