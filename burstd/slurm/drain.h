// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm takes a node out of service by itself: slurmd could not launch a job there, or registered
// with less than slurm.conf says. Of a rented node that says something of the instance of that
// time, and nothing of the next one under its name.
#ifndef BURST_DRAIN_H
#define BURST_DRAIN_H

#include <stdbool.h>

#include "slurm/records.h"

// Was this reason of a drained node given by Slurm itself (22.05 to 26.05), not by a person?
bool drain_reason_is_slurms(const char *reason);
// Is the node drained so, or its registration not valid?
bool drained_by_slurm(const struct snode *n);

#endif
