// SPDX-License-Identifier: GPL-3.0-or-later
// What everybody may ask of burstd as a whole.
#ifndef BURST_API_PEOPLE_H
#define BURST_API_PEOPLE_H

#include "rpc/rpc_server.h"

// Handlers; arg is struct burstd.
void people_ping(void *arg, struct rpc_request *req);
void people_status(void *arg, struct rpc_request *req);
// {"dir"}: below it results are kept that could not come home.
void people_results(void *arg, struct rpc_request *req);

#endif
