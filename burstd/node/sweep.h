// SPDX-License-Identifier: GPL-3.0-or-later
// The sweeper: holds what a cloud lists against the journal. It finds addresses, ends, notices,
// losses and orphans, and depends on no hook.
#ifndef BURST_SWEEP_H
#define BURST_SWEEP_H

#include "base/burstd.h"

// Reads the listings that came since the last look.
void sweep_step(struct burstd *b);

#endif
