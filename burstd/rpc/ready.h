// SPDX-License-Identifier: GPL-3.0-or-later
// Those who wait: burst-prolog until a job's nodes are registered and have its data, burst-epilog
// until its results are home. The hooks bound their patience themselves.
#ifndef BURST_READY_H
#define BURST_READY_H

#include "base/burstd.h"
#include "rpc/rpc_server.h"

struct ready *ready_create(struct burstd *b);
void ready_destroy(struct ready *r);

void ready_job_ready(struct burstd *b, struct rpc_request *req);
void ready_job_done(struct burstd *b, struct rpc_request *req);
// Answers those whose wait is over.
void ready_step(struct burstd *b);
bool ready_waiting(const struct ready *r);

#endif
