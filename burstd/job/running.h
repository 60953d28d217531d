// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm runs the job, on rented nodes or on the site's own.
#ifndef BURST_RUNNING_H
#define BURST_RUNNING_H

#include "base/burstd.h"
#include "state/model.h"

struct sjob;

// What that means in the state that it has here: it begins, is adopted, or its nodes are free.
void running_step(struct burstd *b, struct bjob *j, const struct sjob *s);

#endif
