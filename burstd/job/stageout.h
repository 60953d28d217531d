// SPDX-License-Identifier: GPL-3.0-or-later
// State STAGEOUT: the job has left its nodes, its results are on their way home.
#ifndef BURST_STAGEOUT_H
#define BURST_STAGEOUT_H

#include "base/burstd.h"
#include "state/model.h"

struct sjob;

// It enters the state; why: a sentence.
void stageout_start(struct burstd *b, struct bjob *j, const char *why);
// Is everything home? Then it is over, or (requeued) wants capacity again. s may be NULL.
void stageout_step(struct burstd *b, struct bjob *j, const struct sjob *s);

#endif
