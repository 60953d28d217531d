// SPDX-License-Identifier: GPL-3.0-or-later
// See ssh_op.h. One timer bounds the helper as a whole; inside it bounds each wait itself, so the
// timer only matters when the helper hangs.
#include "ssh/ssh_op.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "ssh/request.h"

#define LIMIT_STAGE_S (6 * 3600)
#define LIMIT_MORE_S 60

struct ssh_op {
    struct child *child;
    uv_timer_t limit;
    int64_t limit_s;
    struct ssh_op_callbacks cb;
    void *arg;
    cJSON *last; // the done or error event
    bool timed_out;
    bool ending; // done() is being called: the operation goes by itself
};

static void on_timer_closed(uv_handle_t *h)
{
    free(h->data);
}

static void dispose(struct ssh_op *op)
{
    cJSON_Delete(op->last);
    op->last = NULL;
    uv_close((uv_handle_t *)&op->limit, on_timer_closed);
}

static void on_line(void *arg, const cJSON *msg)
{
    struct ssh_op *op = arg;
    const char *name = json_str(msg, "event", "");

    if (strcmp(name, "done") == 0 || strcmp(name, "error") == 0) {
        cJSON_Delete(op->last);
        op->last = cJSON_Duplicate(msg, 1);
    } else if (op->cb.event) {
        op->cb.event(op->arg, msg);
    }
}

static void on_exited(void *arg, int status, int sig)
{
    struct ssh_op *op = arg;
    bool said_done = strcmp(json_str(op->last, "event", ""), "done") == 0;

    op->child = NULL; // it goes after this call
    op->ending = true;
    if (said_done && status == 0) {
        op->cb.done(op->arg, true, NULL, NULL, op->last);
    } else if (op->timed_out) {
        char *text =
            xasprintf("the SSH operation was not finished after %" PRId64 " s", op->limit_s);
        op->cb.done(op->arg, false, "timeout", text, op->last);
        free(text);
    } else if (op->last && !said_done) {
        op->cb.done(op->arg, false, json_str(op->last, "class", "internal"),
                    json_str(op->last, "error", "burst-ssh gave no reason"), op->last);
    } else {
        char *text = sig ? xasprintf("burst-ssh was ended by signal %d", sig)
                         : xasprintf("burst-ssh ended with status %d and no word", status);
        op->cb.done(op->arg, false, SSH_OP_HELPER_DIED, text, NULL);
        free(text);
    }
    dispose(op);
}

static void on_limit(uv_timer_t *t)
{
    struct ssh_op *op = t->data;

    op->timed_out = true;
    child_kill(op->child, SIGKILL);
}

static int64_t limit_of(const cJSON *request, int kind)
{
    int64_t dflt = json_i64(request, "timeout_s", 120) + LIMIT_MORE_S;

    if (kind == SSH_OP_STAGE_IN || kind == SSH_OP_STAGE_OUT)
        dflt = LIMIT_STAGE_S;
    int64_t s = json_i64(request, "limit_s", dflt);
    return s < 1 ? 1 : s;
}

struct ssh_op *ssh_op_start(uv_loop_t *loop, cJSON *request, const struct ssh_op_callbacks *cb,
                            void *arg, burst_error_t *errp)
{
    static const struct child_ops ops = {.line = on_line, .exited = on_exited};
    const char *name = json_str(request, "op", NULL);
    int kind = ssh_op_kind(name);
    struct ssh_op *op = NULL;
    char *path = child_path("burst-ssh");
    char *argv[] = {path, NULL};

    if (kind < 0) {
        errprintf(errp, "ssh: \"%.32s\" is no operation", name ? name : "");
        goto out;
    }
    op = xmalloc(sizeof(*op));
    op->cb = *cb;
    op->arg = arg;
    op->child = child_create(loop, "burst-ssh", argv, &ops, op, errp);
    if (!op->child) {
        free(op);
        op = NULL;
        goto out;
    }
    uv_timer_init(loop, &op->limit);
    op->limit.data = op;
    op->limit_s = limit_of(request, kind);
    uv_timer_start(&op->limit, on_limit, (uint64_t)op->limit_s * 1000, 0);
    if (child_send(op->child, request, errp) < 0) {
        ssh_op_cancel(op);
        op = NULL;
        goto out;
    }
    child_close_stdin(op->child);
out:
    free(path);
    cJSON_Delete(request);
    return op;
}

void ssh_op_cancel(struct ssh_op *op)
{
    if (!op || op->ending)
        return;
    child_destroy(op->child);
    op->child = NULL;
    dispose(op);
}
