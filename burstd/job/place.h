// SPDX-License-Identifier: GPL-3.0-or-later
// Where a job is, or was: the place in its row.
#ifndef BURST_PLACE_H
#define BURST_PLACE_H

#include "base/burstd.h"
#include "state/model.h"

// It has the n instances of g (n > 0), which were rented already.
void place_on(struct bjob *j, struct instance **g, unsigned n);
// It has no instances.
void place_clear(struct bjob *j);
// Its attempt there is over: the place goes into its history, with what it has cost so far.
void place_remember(struct burstd *b, struct bjob *j);

#endif
