// SPDX-License-Identifier: GPL-3.0-or-later
// The instances that serve one job: all of them or none.
#ifndef BURST_GANG_H
#define BURST_GANG_H

#include <stdbool.h>

#include "base/burstd.h"
#include "state/model.h"

// Those that serve it and are not being ended, at most max. Returns their number.
unsigned gang_collect(struct burstd *b, const struct bjob *j, struct instance **out, unsigned max);
unsigned gang_size(struct burstd *b, const struct bjob *j);

// Ready for its job: prepared, with its data, and neither lost nor wanted back.
bool gang_fresh(const struct instance *i);
// Slurm suspended an idle node in the moment in which we pointed the job at it.
bool gang_given_back(struct burstd *b, const struct bjob *j);

// Writes their node names into the job, in their order.
void gang_names(struct bjob *j, struct instance **g, unsigned n);
// Sets flags on all, and the state of those in `from`; journals both.
void gang_state(struct burstd *b, const struct bjob *j, enum inst_state from, enum inst_state to,
                unsigned set);
// Left over from a place that did not work out, when its release could not be journaled.
void gang_drop_others(struct burstd *b, const struct bjob *j, struct instance **g, unsigned n);
// The job has left its nodes and its results are home.
void gang_free(struct burstd *b, const struct bjob *j);

#endif
