// SPDX-License-Identifier: GPL-3.0-or-later
// A job that can never run.
#ifndef BURST_CANCEL_H
#define BURST_CANCEL_H

#include "base/burstd.h"
#include "state/model.h"

// The reason goes into its output file and it is cancelled in Slurm.
void cancel(struct burstd *b, struct bjob *j, const char *why);

#endif
