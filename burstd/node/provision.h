// SPDX-License-Identifier: GPL-3.0-or-later
// The life of an instance until it is ready, and its end: launch (all of a group or none), prepare
// over SSH, terminate until the cloud confirms. Level-triggered: provision_step() looks at what the
// journal says and does the next thing, so a restart needs no recovery code of its own.
#ifndef BURST_PROVISION_H
#define BURST_PROVISION_H

#include "base/burstd.h"
#include "cloud/provider/provider.h"
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
// a second: the plan would be the same).
int provision_launch(struct burstd *b, struct bjob *j, const struct placement *p,
                     burst_error_t *errp);

// The next action of every instance that has one due.
void provision_step(struct burstd *b);

// The cloud lists it: take over address, times and notice.
void provision_seen(struct burstd *b, struct instance *i, const struct provider_instance *p);
// Its end is confirmed; ended is the cloud's time.
void provision_gone(struct burstd *b, struct instance *i, int64_t ended);
// Ends it, unless it holds results that are not home.
void provision_terminate(struct burstd *b, struct instance *i, const char *reason);
// Ends all instances that serve the job and are not yet behind a node name.
void provision_release(struct burstd *b, const struct bjob *j, const char *reason);
#endif
