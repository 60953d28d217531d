// SPDX-License-Identifier: GPL-3.0-or-later
// What operators may do.
#ifndef BURST_API_OPERATORS_H
#define BURST_API_OPERATORS_H

#include "rpc/rpc_server.h"

// Handlers; arg is struct burstd.
void operators_drain(void *arg, struct rpc_request *req);
void operators_terminate(void *arg, struct rpc_request *req);
void operators_giveup(void *arg, struct rpc_request *req);
void operators_reload(void *arg, struct rpc_request *req);

#endif
