// SPDX-License-Identifier: GPL-3.0-or-later
// An instance behind a node name: starts slurmd when Slurm wants the node (ResumeProgram or
// PrologSlurmctld) and follows what Slurm says of it, until it is idle and given back.
#ifndef BURST_JOIN_H
#define BURST_JOIN_H

#include "base/burstd.h"

void join_step(struct burstd *b);

#endif
