// SPDX-License-Identifier: GPL-3.0-or-later
// See asked.h.
#include "rpc/asked.h"

static void on_gone(void *arg)
{
    struct asked *a = arg;

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
    a->forget = forget;
    rpc_on_gone(req, on_gone, a);
}

void asked_read(struct asked *a, const struct reader_ops *ops)
{
    a->question = reader_ask(a->b->reader, (uint32_t)rpc_uid(a->req), ops, a);
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
