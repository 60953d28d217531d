// SPDX-License-Identifier: GPL-3.0-or-later
// The asking side of burstd's RPC (docs/design/internals.md, section 5): one JSON request a line,
// one JSON answer a line, over RUNDIR/burstd.sock. Blocking with a bound on every call. Used by the
// `burst` command and by the hooks; one client belongs to one thread.
#ifndef BURST_RPC_CLIENT_H
#define BURST_RPC_CLIENT_H

#include <cjson/cJSON.h>

#include "libburst/error.h"

struct rpc_client;

// Connects within timeout_ms. NULL with errno kept (ENOENT and ECONNREFUSED: burstd does not run,
// EACCES: not allowed to speak to it, ETIMEDOUT) and a sentence that says what to do.
struct rpc_client *rpc_connect(const char *path, int timeout_ms, burst_error_t *errp);
void rpc_close(struct rpc_client *c); // NULL is allowed; keeps errno

// Sends one request and waits for its answer, timeout_ms for both together (-1: without limit).
// params is taken over in every case; NULL = none. Returns the `result` (owned by the caller,
// cJSON_Delete; a JSON null when the answer has none) or NULL with the server's sentence in errp.
// After `timeout` and `lost` the connection is of no use: rpc_close() and connect again.
cJSON *rpc_call(struct rpc_client *c, const char *method, cJSON *params, int timeout_ms,
                burst_error_t *errp);

// Why the last call failed: the server's `denied`, `not_found`, `invalid`, `busy`, `internal`, or
// our own `timeout` (no answer in time) and `lost` (connection ended, or no sensible answer).
// "" after a success. Borrowed, valid until the next call.
const char *rpc_code(const struct rpc_client *c);

#endif
