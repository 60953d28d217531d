// SPDX-License-Identifier: GPL-3.0-or-later
// Expected start times of pending jobs. Slurm's backfill scheduler sets them all to 0 at the start
// of each cycle and fills them in as it gets to them, so a 0 may mean only "being computed".
#ifndef BURST_ESTIMATE_H
#define BURST_ESTIMATE_H

#include <stdint.h>

struct estimates;

struct estimates *estimates_create(void);
void estimates_destroy(struct estimates *e);

// The estimate to believe for a pending job: start if Slurm says one, else the last one it said,
// until two backfill cycles later it still says none or the time has passed. 0 = none.
int64_t estimates_of(struct estimates *e, const char *key, int64_t start, int64_t last_backfill,
                     int64_t now);

// Forgets jobs that were not asked for since the last call.
void estimates_sweep(struct estimates *e);

#endif
