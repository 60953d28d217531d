// SPDX-License-Identifier: GPL-3.0-or-later
// Lists of jobs and nodes: of what lives a part at a time, of what ended from the journal, read off
// the loop.
#ifndef BURST_API_LISTING_H
#define BURST_API_LISTING_H

#include "rpc/rpc_server.h"

// Handlers; arg is struct burstd.
void listing_jobs(void *arg, struct rpc_request *req);
void listing_nodes(void *arg, struct rpc_request *req);

#endif
