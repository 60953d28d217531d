// SPDX-License-Identifier: GPL-3.0-or-later
// `burst why`: any job of which burstd or Slurm knows, of its owner's or for operators.
#ifndef BURST_API_WHY_H
#define BURST_API_WHY_H

#include "rpc/rpc_server.h"

// Handler; arg is struct burstd.
void why_answer(void *arg, struct rpc_request *req);

#endif
