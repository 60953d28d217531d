// SPDX-License-Identifier: GPL-3.0-or-later
// State SECURING: the job's instances are launched and prepared, and get its data.
#ifndef BURST_SECURING_H
#define BURST_SECURING_H

#include "base/burstd.h"
#include "state/model.h"

struct sjob;

// All nodes ready and with their data: gives them names and points the job at them.
void securing_step(struct burstd *b, struct bjob *j, const struct sjob *s);
// The place did not work out: its capacity goes, the job is planned again at once.
void securing_failed(struct burstd *b, struct bjob *j, const char *message);
// Reads what failed since the last look (struct failure of the instances).
void securing_failures(struct burstd *b);

// Its data cannot be staged, as a look at them has shown before anything was rented: a job that
// wants rented nodes and nothing else is ended, any other one stays.
void securing_hopeless(struct burstd *b, struct bjob *j);

#endif
