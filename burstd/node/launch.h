// SPDX-License-Identifier: GPL-3.0-or-later
// A launch: all instances of a group or none. The rows are journaled before the cloud is asked, and
// an answer that does not come is asked for again with the same token.
#ifndef BURST_LAUNCH_H
#define BURST_LAUNCH_H

#include "base/burstd.h"
#include "libburst/error.h"
#include "state/model.h"

// Where and what to launch for a job; from the planner.
struct placement {
    char cloud[33], region[64], zone[64], itype[128], shape[33];
    bool spot;
    unsigned nodes;
    money_t price;    // per instance and hour
    money_t transfer; // egress planned for the job
};

// Journals a group of instances for the job and starts its launch. -1: journal failed. 1: the place
// was closed since the plan was made; nothing has changed, the job is to be planned again (it waits
// a second: the plan would be the same). A launch that fails leaves its reason in the group's first
// row (struct failure).
int launch_start(struct burstd *b, struct bjob *j, const struct placement *p, burst_error_t *errp);

// What an instance in state launching needs next: the call, unless it is under way.
void launch_step(struct burstd *b, struct instance *i);

#endif
