// SPDX-License-Identifier: GPL-3.0-or-later
// What is closed because it failed (state/bounds.h): who may see which, and how operators open it.
#ifndef BURST_API_BOUNDS_H
#define BURST_API_BOUNDS_H

#include "base/burstd.h"
#include "rpc/rpc_server.h"

// bounds_json(), less what others' jobs and limits would tell req's peer. Owned by the caller.
cJSON *bounds_seen(struct burstd *b, struct rpc_request *req);

// Handlers; arg is struct burstd.
void bounds_list(void *arg, struct rpc_request *req);
// {"bound": pattern} or {"all": true}; answers {"opened":[name, ...]}.
void bounds_open(void *arg, struct rpc_request *req);

#endif
