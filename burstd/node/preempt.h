// SPDX-License-Identifier: GPL-3.0-or-later
// An instance is about to be taken back, or is lost: tell the job, bring its checkpoint home, let
// Slurm requeue it, return the node.
#ifndef BURST_PREEMPT_H
#define BURST_PREEMPT_H

#include "base/burstd.h"
#include "state/model.h"

// The cloud (by listing or by the node's agent) announced the end at `deadline` (epoch seconds).
void preempt_notice(struct burstd *b, struct instance *i, int64_t deadline);
// It is gone or unreachable for good.
void preempt_lost(struct burstd *b, struct instance *i, enum failure_class cls, const char *why);
// The next action for every instance under notice.
void preempt_step(struct burstd *b);

#endif
