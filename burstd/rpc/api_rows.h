// SPDX-License-Identifier: GPL-3.0-or-later
// Jobs and instances as people see them (internals.md section 5).
#ifndef BURST_API_ROWS_H
#define BURST_API_ROWS_H

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "rpc/rpc_server.h"
#include "state/model.h"

// Both are the caller's; cost is what it has cost so far.
cJSON *row_of_job(const struct bjob *j, money_t cost);
// Jobs of others are not named to req's peer.
cJSON *row_of_instance(struct burstd *b, struct rpc_request *req, const struct instance *i,
                       money_t cost);

#endif
