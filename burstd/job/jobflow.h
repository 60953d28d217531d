// SPDX-License-Identifier: GPL-3.0-or-later
// The life of a marked job, from "may burst" to "results are home and paid". Level-triggered:
// jobflow_step() compares what Slurm says with what the journal says and does the next thing.
#ifndef BURST_JOBFLOW_H
#define BURST_JOBFLOW_H

#include "base/burstd.h"
#include "state/model.h"

void jobflow_step(struct burstd *b);

// EpilogSlurmctld says that it has left its nodes: stage-out begins before the tables show it.
void jobflow_ended(struct burstd *b, struct bjob *j);
// Every node of the job is registered and has its data: may it start? (burst-prolog)
bool jobflow_ready(struct burstd *b, const struct bjob *j);

#endif
