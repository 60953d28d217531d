// SPDX-License-Identifier: GPL-3.0-or-later
// Idle nodes that Slurm does not give back (SuspendExc*, power saving switched off by a wrong
// configuration, slurmctld away): burstd has a clock of its own.
#ifndef BURST_OVERDUE_H
#define BURST_OVERDUE_H

#include "base/burstd.h"
#include "state/model.h"

// What an idle instance needs next: nothing, until it is overdue.
void overdue_step(struct burstd *b, struct instance *i);

#endif
