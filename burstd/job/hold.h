// SPDX-License-Identifier: GPL-3.0-or-later
// How a job that no local node can run is kept from starting until nodes are rented for it.
//
// The plugin's hold is one that the job's user may release (JobHeldUser): the job would start in
// the elastic partition without capacity. SlurmUser's he may not. But of a held job Slurm does not
// look at the dependencies any more: one that waits for other jobs is deferred instead. It may
// begin in 2100 only, so it does not start either, and its dependencies are looked at.
#ifndef BURST_HOLD_H
#define BURST_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/burstd.h"
#include "state/model.h"

struct sjob;

#define HOLD_DEFERRED INT64_C(4102444800) // 2100-01-01T00:00:00Z, a time that no user writes

bool hold_deferred(const struct sjob *s);

// Holds (or defers) it as SlurmUser, an array that waits as one record. Does nothing while the
// last such command may not show in Slurm's tables yet, or when this look has sent many.
void hold_by_slurm_user(struct burstd *b, struct bjob *j, bool defer);
// A hold of it was sent in another way: Slurm's tables show it a second later.
void hold_sent(struct bjob *j);
// What Slurm's commands call the record of a job that waits: its key, or the array's number while
// all tasks of the array share one record. False: its record is that of some tasks of the array,
// and a command that names the job would split it off.
bool hold_record(struct burstd *b, const struct bjob *j, char name[40]);
// Once before all jobs are looked at.
void hold_begin_look(void);

#endif
