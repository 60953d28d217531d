// SPDX-License-Identifier: GPL-3.0-or-later
// A connection: lines in, answers out, its end (rpc_server.h).
#include "rpc/rpc_server_inside.h"

struct send {
    uv_write_t req;
    struct conn *c;
    char *data;
};

void rpc_release_server(struct rpc_server *s)
{
    if (--s->handles > 0 || !s->stopping)
        return;
    free(s->path);
    free(s);
}

static void on_conn_closed(uv_handle_t *h)
{
    struct conn *c = h->data;

    if (--c->handles > 0)
        return;
    struct rpc_server *s = c->s;
    strbuf_free(&c->in);
    free(c);
    rpc_release_server(s);
}

void rpc_close_conn(struct conn *c)
{
    struct conn **at = &c->s->conns;

    if (c->closing)
        return;
    c->closing = true;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->s->n_conns--;
    uv_close((uv_handle_t *)&c->stall, on_conn_closed);
    uv_close((uv_handle_t *)&c->again, on_conn_closed);
    uv_close((uv_handle_t *)&c->pipe, on_conn_closed);
    struct rpc_request *req = c->pending;
    c->pending = NULL;
    if (!req)
        return;
    req->conn = NULL;
    if (req->gone && !c->s->stopping)
        req->gone(req->gone_arg);
}

void rpc_close_if_done(struct conn *c)
{
    if (!c->closing && c->ending && !c->pending &&
        uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) == 0)
        rpc_close_conn(c);
}

static void on_written(uv_write_t *w, int status)
{
    struct send *send = (struct send *)w;
    struct conn *c = send->c;

    free(send->data);
    free(send);
    if (c->closing)
        return;
    if (status < 0)
        rpc_close_conn(c);
    else if (uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) == 0)
        uv_timer_stop(&c->stall);
    rpc_close_if_done(c);
}

static void on_stall(uv_timer_t *t)
{
    struct conn *c = t->data;
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe);

    if (queued < c->queued) {
        c->queued = queued;
        return;
    }
    log_warn("rpc: uid %u does not read its answer; dropped", (unsigned)c->peer.uid);
    rpc_close_conn(c);
}

void rpc_send_line(struct conn *c, char *line, size_t len)
{
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe);
    struct send *send;
    uv_buf_t buf = uv_buf_init(line, (unsigned)len);

    if (queued > UNREAD_MAX) {
        log_warn("rpc: uid %u asks without reading the answers; dropped", (unsigned)c->peer.uid);
        free(line);
        rpc_close_conn(c);
        return;
    }
    send = xmalloc(sizeof(*send));
    send->c = c;
    send->data = line;
    if (uv_write(&send->req, (uv_stream_t *)&c->pipe, &buf, 1, on_written) < 0) {
        free(line);
        free(send);
        rpc_close_conn(c);
        return;
    }
    c->queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe);
    if (c->queued > 0 && queued == 0)
        uv_timer_start(&c->stall, on_stall, c->s->stall_ms, c->s->stall_ms);
}

// What does not even look like a request says that the peer speaks something else.
static void refuse_line(struct conn *c, const char *why)
{
    c->ending = true;
    rpc_send_answer(c, rpc_failure("invalid", why));
    if (!c->closing)
        rpc_close_if_done(c);
}

static void take_line(struct conn *c, const char *text, size_t len)
{
    burst_error_t err = {""};
    char why[600];
    cJSON *msg = json_parse(text, len, &err);

    if (!cJSON_IsObject(msg) || !json_str(msg, "method", NULL)) {
        snprintf(why, sizeof(why), "not a request: %s",
                 msg ? "an object with the key \"method\" is expected" : err.text);
        cJSON_Delete(msg);
        refuse_line(c, why);
        return;
    }
    struct rpc_request *req = rpc_create_request(c, msg);
    const struct rpc_method *m = rpc_find_method(c->s, req->method);
    if (!cJSON_IsObject(req->params))
        rpc_fail(req, "invalid", "%.60s: \"params\" must be an object", req->method);
    else if (!m)
        rpc_fail(req, "invalid", "there is no method \"%.60s\"", req->method);
    else if (m->needs_operator && !rpc_conn_is_operator(c))
        rpc_fail(req, "denied",
                 "%s is for operators: root, %s, and who is listed under "
                 "\"operators\" in burst.yaml",
                 m->name, c->s->conf->slurm_user);
    else
        m->handler(c->s->arg, req);
}

static void on_again(uv_timer_t *t)
{
    rpc_process(t->data);
}

void rpc_process(struct conn *c)
{
    size_t taken = 0;
    int n = 0;

    c->processing = true;
    while (!c->pending && !c->ending && !c->closing) {
        size_t from = c->scanned > taken ? c->scanned : taken;
        char *nl = c->in.len > from ? memchr(c->in.data + from, '\n', c->in.len - from) : NULL;
        if (!nl) {
            c->scanned = c->in.len;
            break;
        }
        if (n++ == BATCH) {
            uv_timer_start(&c->again, on_again, 0, 0);
            break;
        }
        size_t start = taken;
        taken = (size_t)(nl - c->in.data) + 1;
        take_line(c, c->in.data + start, taken - 1 - start);
    }
    c->processing = false;
    if (taken > 0) {
        strbuf_consume(&c->in, taken);
        c->scanned = c->scanned > taken ? c->scanned - taken : 0;
    }
    if (c->closing)
        return;
    if (c->eof && !c->pending && !uv_is_active((uv_handle_t *)&c->again))
        c->ending = true;
    rpc_close_if_done(c);
}

void rpc_on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct conn *c = h->data;

    // Used before control returns to the loop, so one buffer serves all.
    *buf = uv_buf_init(c->s->buf, sizeof(c->s->buf));
}

// The peer has closed both directions. With only its writing side closed (as `nc -N` does) it still
// wants the answer.
static bool hung_up(struct conn *c)
{
    uv_os_fd_t fd;
    struct pollfd p = {.events = 0};

    if (uv_fileno((uv_handle_t *)&c->pipe, &fd) < 0)
        return true;
    p.fd = fd;
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

void rpc_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = stream->data;

    if (n == 0)
        return;
    if (n < 0) {
        uv_read_stop(stream);
        c->eof = true;
        if (n != UV_EOF || hung_up(c))
            rpc_close_conn(c);
        else
            rpc_process(c);
        return;
    }
    if (c->ending)
        return;
    if (strbuf_add(&c->in, buf->base, (size_t)n) < 0) {
        if (c->pending)
            rpc_close_conn(c);
        else
            refuse_line(c, "a request may have at most 1 MiB");
        return;
    }
    if (!c->pending && !uv_is_active((uv_handle_t *)&c->again))
        rpc_process(c);
}
