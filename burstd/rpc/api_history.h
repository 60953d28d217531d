// SPDX-License-Identifier: GPL-3.0-or-later
// What is told of the journal: sums of charges, the story of a job. Read off the loop.
#ifndef BURST_API_HISTORY_H
#define BURST_API_HISTORY_H

#include "rpc/rpc_server.h"

// Handlers; arg is struct burstd.
void history_cost(void *arg, struct rpc_request *req);

#endif
