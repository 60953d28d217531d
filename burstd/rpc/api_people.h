// SPDX-License-Identifier: GPL-3.0-or-later
// What everybody may ask; of others' jobs only operators hear.
#ifndef BURST_API_PEOPLE_H
#define BURST_API_PEOPLE_H

#include "rpc/rpc_server.h"

// Handlers; arg is struct burstd.
void people_ping(void *arg, struct rpc_request *req);
void people_status(void *arg, struct rpc_request *req);
void people_jobs(void *arg, struct rpc_request *req);
void people_nodes(void *arg, struct rpc_request *req);
void people_cost(void *arg, struct rpc_request *req);

#endif
