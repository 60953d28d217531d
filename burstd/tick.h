// SPDX-License-Identifier: GPL-3.0-or-later
// One look at everything: each part compares what it sees with the journal and does the next thing.
#ifndef BURST_TICK_H
#define BURST_TICK_H

#include "base/burstd.h"

// Called each second and, through burstd's poke, soon after whatever happens. Starts no wait.
void tick(struct burstd *b);

#endif
