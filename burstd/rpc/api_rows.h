// SPDX-License-Identifier: GPL-3.0-or-later
// Jobs and instances as people see them (internals.md section 5).
#ifndef BURST_API_ROWS_H
#define BURST_API_ROWS_H

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "rpc/rpc_server.h"
#include "slurm/records.h"
#include "state/model.h"

// The word for its state.
const char *row_job_word(const struct bjob *j);
// Both are the caller's; cost is what it has cost so far.
cJSON *row_of_job(const struct bjob *j, money_t cost);
// A job of which burstd knows only what Slurm says; the keys are the same, the state is "unmarked",
// "slurm_state" and "node_list" are Slurm's. Owned by the caller.
cJSON *row_of_slurm_job(const struct sjob *s, const char *reason);
// Jobs of others are not named to req's peer.
cJSON *row_of_instance(struct burstd *b, struct rpc_request *req, const struct instance *i,
                       money_t cost);

#endif
