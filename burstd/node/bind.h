// SPDX-License-Identifier: GPL-3.0-or-later
// Instances behind node names: gives ready instances free names, and takes down what Slurm wants of
// its nodes (ResumeProgram, SuspendProgram, PrologSlurmctld). join.h does what follows.
#ifndef BURST_BIND_H
#define BURST_BIND_H

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "libburst/error.h"
#include "state/model.h"

// Finds free node names for the job's ready instances (idle ones keep theirs) and journals them;
// j->node_names is set, in Slurm's order. -1: no free name, or the journal failed; nothing changed.
int bind_names(struct burstd *b, struct bjob *j, struct instance **g, unsigned n,
               burst_error_t *errp);

// Slurm wants this node up. -1: that could not be journaled.
int bind_resumed(struct burstd *b, const char *node);

// A file of the hooks' spool. -1: its consequences are not in the journal, the file has to stay.
int bind_spooled(struct burstd *b, const cJSON *msg);

#endif
