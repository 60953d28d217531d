// SPDX-License-Identifier: GPL-3.0-or-later
// See asked.h.
#include "rpc/asked.h"

#include <stdlib.h>

#include "libburst/xalloc.h"

static void timer_closed(uv_handle_t *h)
{
    free(h);
}

static void timer_end(struct asked *a)
{
    if (a->timer)
        uv_close((uv_handle_t *)a->timer, timer_closed);
    a->timer = NULL;
}

static void on_gone(void *arg)
{
    struct asked *a = arg;

    timer_end(a);
    if (a->question)
        reader_cancel(a->question); // drops it now or when it was read
    else
        asked_drop(a);
}

void asked_begin(struct asked *a, struct burstd *b, struct rpc_request *req,
                 void (*forget)(struct asked *a))
{
    a->b = b;
    a->req = req;
    a->question = NULL;
    a->timer = NULL;
    a->forget = forget;
    rpc_on_gone(req, on_gone, a);
}

void asked_read(struct asked *a, const struct reader_ops *ops)
{
    a->question = reader_ask(a->b->reader, (uint32_t)rpc_uid(a->req), ops, a);
}

static void on_timer(uv_timer_t *t)
{
    struct asked *a = t->data;

    timer_end(a);
    a->go_on(a);
}

void asked_wait(struct asked *a, int ms, void (*go_on)(struct asked *a))
{
    a->go_on = go_on;
    a->timer = xmalloc(sizeof(*a->timer));
    uv_timer_init(a->b->loop, a->timer);
    a->timer->data = a;
    uv_timer_start(a->timer, on_timer, (uint64_t)ms, 0);
}

void asked_drop(void *arg)
{
    struct asked *a = arg;

    if (a->b->rpc) // without the server there is no request any more
        rpc_fail(a->req, "busy", "burstd does not answer this any more");
    a->forget(a);
}

bool asked_failed(struct asked *a, const char *error)
{
    a->question = NULL;
    if (!error)
        return false;
    rpc_fail(a->req, "busy", "%s; ask for less of it (burst cost --start)", error);
    a->forget(a);
    return true;
}
