// SPDX-License-Identifier: GPL-3.0-or-later
// Nodes that Slurm believes to be up, or brings up, without an instance behind them: they are set
// down (when a job is on them) and powered down.
#ifndef BURST_STRAY_H
#define BURST_STRAY_H

#include "base/burstd.h"

void stray_step(struct burstd *b);

#endif
