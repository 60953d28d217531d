// SPDX-License-Identifier: GPL-3.0-or-later
// State PLACED: the job is pointed at its nodes, Slurm has not started it yet.
#ifndef BURST_PLACED_H
#define BURST_PLACED_H

#include "base/burstd.h"
#include "state/model.h"

struct sjob;

// It still waits: its update was lost, its nodes are gone, or Slurm takes too long.
void placed_step(struct burstd *b, struct bjob *j, const struct sjob *s);
// Slurm's answer to a command of move.h, in whatever state the job is now.
void placed_answered(struct burstd *b, struct bjob *j);

#endif
