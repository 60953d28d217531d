// SPDX-License-Identifier: GPL-3.0-or-later
// One operation on a node over SSH (prepare, join, stage_in, stage_out, run_agent_check, poweroff)
// as a child process, burst-ssh: libssh2 calls can block, and a hostile node may send anything.
// Requests and events: docs/design/internals.md, section 7.
#ifndef BURST_SSH_OP_H
#define BURST_SSH_OP_H

#include <stdbool.h>

#include <cjson/cJSON.h>
#include <uv.h>

#include "libburst/error.h"

struct ssh_op;

// The class of an end that burst-ssh did not speak of (killed, out of memory, a fault of ours):
// says nothing of the node, so the same step may be done again on the same one.
#define SSH_OP_HELPER_DIED "helper"

struct ssh_op_callbacks {
    // {"event":"ssh_up"}, {"event":"host_key",...}, {"event":"progress",...}: not the last one.
    // Borrowed for the call; may be NULL. The operation may be cancelled from inside.
    void (*event)(void *arg, const cJSON *msg);
    // The end, called exactly once, never from inside ssh_op_start(), never after ssh_op_cancel().
    // ok: `last` is the done event ({"event":"done","bytes":...}), class and error are NULL.
    // Not ok: class is one of refused timeout host_key auth command io space limit, `internal`
    // (the request was wrong) or SSH_OP_HELPER_DIED; error is a sentence; `last` may be NULL.
    // All borrowed for the call. The operation is destroyed after the call returns; another may
    // be started inside it. Must not be NULL.
    void (*done)(void *arg, bool ok, const char *errclass, const char *error, const cJSON *last);
};

// Starts burst-ssh and hands it the request (taken: deleted by this function, also on error).
// timeout_s of the request bounds the time until SSH answers; an operation is bounded further by
// `limit_s` of the request (default: timeout_s + 60, for stage_in and stage_out 6 hours), after
// which the helper is killed and done is called with class timeout.
// NULL with a text when the request is no object with a known "op" or the helper cannot be started.
struct ssh_op *ssh_op_start(uv_loop_t *loop, cJSON *request, const struct ssh_op_callbacks *cb,
                            void *arg, burst_error_t *errp);

// Kills the helper; no callback is called any more, op is freed. NULL is allowed. What the node had
// begun may go on there for a moment: all operations are idempotent.
void ssh_op_cancel(struct ssh_op *op);

#endif
