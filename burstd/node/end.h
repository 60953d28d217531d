// SPDX-License-Identifier: GPL-3.0-or-later
// The end of an instance: asked for until the cloud confirms it.
#ifndef BURST_END_H
#define BURST_END_H

#include "base/burstd.h"
#include "state/model.h"

// Ends it, unless it holds results that are not home or its launch is not answered yet: then
// nothing happens, and it is asked again.
void instance_end(struct burstd *b, struct instance *i, const char *reason);
// Its end is confirmed; ended is the cloud's time, epoch seconds.
void instance_gone(struct burstd *b, struct instance *i, int64_t ended);
// The job's instances that are not yet behind a node name, or idle there, serve it no more: failed
// ones end, the others may serve another candidate.
void gang_release(struct burstd *b, const struct bjob *j, const char *reason);
// What an instance in state terminating needs next: the call, until its end is confirmed.
void end_step(struct burstd *b, struct instance *i);

#endif
