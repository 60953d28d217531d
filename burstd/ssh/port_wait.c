// SPDX-License-Identifier: GPL-3.0-or-later
// See port_wait.h.
#include "ssh/port_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

#define AGAIN_MS 200 // after a refusal
#define TRY_MS 3000  // for an answer: a packet may be lost, or dropped by a firewall

struct
try {
    uv_tcp_t tcp; // first
    uv_connect_t connect;
    struct port_wait *w; // NULL: its answer is of no interest any more
};

struct port_wait {
    uv_loop_t *loop;
    uv_timer_t timer;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to;
    bool numeric;
    struct try *now;
    uint64_t until_ms; // of the loop's clock
    port_wait_cb done;
    void *arg;
    char why[128];
};

static void on_try_closed(uv_handle_t *h)
{
    free(h);
}

static void end_try(struct port_wait *w)
{
    if (!w->now)
        return;
    w->now->w = NULL;
    uv_close((uv_handle_t *)&w->now->tcp, on_try_closed);
    w->now = NULL;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void port_wait_cancel(struct port_wait *w)
{
    if (!w)
        return;
    end_try(w);
    uv_close((uv_handle_t *)&w->timer, on_closed);
}

static void finish(struct port_wait *w, bool open)
{
    port_wait_cb done = w->done;

    port_wait_cancel(w); // freed with the loop's next turn
    done(w->arg, open, open ? "" : w->why);
}

static void on_timer(uv_timer_t *t);

static void failed(struct port_wait *w, int error)
{
    snprintf(w->why, sizeof(w->why), "%s", uv_strerror(error));
    if (uv_now(w->loop) >= w->until_ms)
        finish(w, false);
    else
        uv_timer_start(&w->timer, on_timer, AGAIN_MS, 0);
}

static void on_connect(uv_connect_t *req, int status)
{
    struct port_wait *w = ((struct try *)req->data)->w;

    if (!w)
        return; // given up: its close callback comes next
    end_try(w);
    if (status == 0)
        finish(w, true);
    else
        failed(w, status);
}

static void begin_try(struct port_wait *w)
{
    struct try *t = xmalloc(sizeof(*t));
    int rc;

    t->w = w;
    t->connect.data = t;
    uv_tcp_init(w->loop, &t->tcp);
    w->now = t;
    rc = uv_tcp_connect(&t->connect, &t->tcp, &w->to.any, on_connect);
    if (rc == 0) {
        uv_timer_start(&w->timer, on_timer, TRY_MS, 0);
        return;
    }
    end_try(w);
    failed(w, rc);
}

static void on_timer(uv_timer_t *timer)
{
    struct port_wait *w = timer->data;

    if (!w->numeric) {
        finish(w, true);
    } else if (w->now) {
        end_try(w);
        failed(w, UV_ETIMEDOUT);
    } else {
        begin_try(w);
    }
}

struct port_wait *port_wait_start(uv_loop_t *loop, const char *address, int port, int64_t limit_ms,
                                  port_wait_cb done, void *arg)
{
    struct port_wait *w = xmalloc(sizeof(*w));

    w->loop = loop;
    w->done = done;
    w->arg = arg;
    w->until_ms = uv_now(loop) + (uint64_t)(limit_ms > 0 ? limit_ms : 0);
    w->numeric =
        uv_ip4_addr(address, port, &w->to.v4) == 0 || uv_ip6_addr(address, port, &w->to.v6) == 0;
    uv_timer_init(loop, &w->timer);
    w->timer.data = w;
    uv_timer_start(&w->timer, on_timer, 0, 0);
    return w;
}
