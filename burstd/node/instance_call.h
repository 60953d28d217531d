// SPDX-License-Identifier: GPL-3.0-or-later
// An answer about an instance that is under way: when it comes the instance may be gone, so it is
// named, not pointed at. A caller that needs more puts struct instance_call first into its own.
#ifndef BURST_INSTANCE_CALL_H
#define BURST_INSTANCE_CALL_H

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "ssh/ssh_op.h"
#include "state/model.h"

struct instance_call {
    struct burstd *b;
    char instance[48];
};

// The argument of a callback; the callback frees it.
struct instance_call *instance_call_create(struct burstd *b, const struct instance *i);
// For a larger struct that begins with it.
void instance_call_init(struct instance_call *call, struct burstd *b, const struct instance *i);
// NULL when the instance is gone.
struct instance *instance_called(const struct instance_call *call);

// A request to burst-ssh for this instance: address, key, pinned host key. The caller owns it.
cJSON *ssh_request(struct burstd *b, const struct instance *i, const char *op);
// True when another burst-ssh may be started now for this use (they are processes: bounded,
// state/ssh_slots.h). uid: whose data are copied, 0 where none are.
bool ssh_slot(const struct burstd *b, enum ssh_use use, uint32_t uid);
// Starts burst-ssh for the instance (request is taken). -1 when it cannot be started: logged, call
// is freed.
int instance_ssh_start(struct burstd *b, struct instance *i, enum ssh_use use, uint32_t uid,
                       cJSON *request, const struct ssh_op_callbacks *callbacks,
                       struct instance_call *call);
// An operation that failed by a fault of ours (burst-ssh died, or could not read what it needs
// here) says nothing of the instance: true when the same step is to be tried again on it, after a
// growing pause (next_ms is set, tries counted). False: it is the instance's fault, or has been
// tried too often (instance_call_ours() tells).
bool instance_ssh_again(struct instance *i, const char *errclass, const char *error);
// Is that class of error a fault of ours?
bool instance_call_ours(const char *errclass);
// First thing in its `done` callback: the instance is free for the next, or NULL when it is gone.
// Does not free the call.
struct instance *instance_ssh_done(const struct instance_call *call);

#endif
