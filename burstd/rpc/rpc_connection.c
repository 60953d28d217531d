// SPDX-License-Identifier: GPL-3.0-or-later
// A connection: lines in, answers out, its end (rpc_server.h).
#include "rpc/rpc_server_inside.h"

struct send {
    uv_write_t req;
    struct conn *c;
    struct rpc_part *part;
    size_t n;
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

// ---- turns

static void leave_turns(struct conn *c)
{
    struct rpc_server *s = c->s;

    if (!c->waiting)
        return;
    c->waiting = false;
    if (s->cursor == c)
        s->cursor = c->turn_next;
    DL_DELETE2(s->waiting, c, turn_prev, turn_next);
    if (!s->waiting)
        uv_idle_stop(&s->turns);
}

static bool has_line(struct conn *c)
{
    size_t from = c->scanned > c->start ? c->scanned : c->start;

    if (c->in.len > from && memchr(c->in.data + from, '\n', c->in.len - from))
        return true;
    c->scanned = c->in.len;
    return false;
}

static void join_turns(struct conn *c)
{
    struct rpc_server *s = c->s;

    if (c->waiting)
        return;
    c->waiting = true;
    DL_APPEND2(s->waiting, c, turn_prev, turn_next);
    uv_idle_start(&s->turns, rpc_on_turn);
}

void rpc_go_on(struct conn *c)
{
    if (c->closing)
        return;
    if (c->pending) {
        if (c->pending->later)
            join_turns(c);
    } else if (!c->ending) {
        if (has_line(c))
            join_turns(c);
        else if (c->eof)
            c->ending = true;
    }
    rpc_close_if_done(c);
}

static void drop_taken(struct conn *c)
{
    strbuf_consume(&c->in, c->start);
    c->scanned = c->scanned > c->start ? c->scanned - c->start : 0;
    c->start = 0;
}

static void take_line(struct conn *c, const char *text, size_t len);

static void take_next_line(struct conn *c)
{
    char *line = c->in.data + c->start;
    size_t len = (size_t)((char *)memchr(line, '\n', c->in.len - c->start) - line);

    c->start += len + 1;
    take_line(c, line, len);
    if (c->closing)
        return;
    if (c->start >= CONSUME_MIN)
        drop_taken(c);
    rpc_go_on(c);
}

static void go_on_with(struct rpc_request *req)
{
    void (*later)(void *arg, struct rpc_request *req) = req->later;

    req->later = NULL;
    later(req->later_arg, req);
}

static void take_turn(struct conn *c)
{
    if (c->pending)
        go_on_with(c->pending);
    else
        take_next_line(c);
}

// Who has a request looked at goes to the end, so that his connections have their turns one after
// the other, too.
void rpc_on_turn(uv_idle_t *turns)
{
    struct rpc_server *s = turns->data;

    s->turn++;
    for (struct conn *c = s->waiting; c; c = s->cursor) {
        s->cursor = c->turn_next;
        if (c->user->turn == s->turn)
            continue;
        c->user->turn = s->turn;
        leave_turns(c);
        take_turn(c);
    }
}

// ---- the end

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
    leave_turns(c);
    rpc_forget_peer(c);
    uv_close((uv_handle_t *)&c->stall, on_conn_closed);
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

    rpc_free_parts(send->part, send->n);
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

// The parts are not copied together: an answer may have megabytes.
static int write_parts(struct send *send)
{
    uv_buf_t *buf = xcalloc(send->n, sizeof(*buf));

    for (size_t k = 0; k < send->n; k++)
        buf[k] = uv_buf_init(send->part[k].text, (unsigned)send->part[k].len);
    int rc =
        uv_write(&send->req, (uv_stream_t *)&send->c->pipe, buf, (unsigned)send->n, on_written);
    free(buf);
    return rc;
}

void rpc_send(struct conn *c, struct rpc_part *part, size_t n)
{
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe);
    struct send *send;

    if (queued > UNREAD_MAX) {
        log_warn("rpc: uid %u asks without reading the answers; dropped", (unsigned)c->peer.uid);
        rpc_free_parts(part, n);
        rpc_close_conn(c);
        return;
    }
    send = xmalloc(sizeof(*send));
    send->c = c;
    send->part = part;
    send->n = n;
    if (write_parts(send) < 0) {
        rpc_free_parts(part, n);
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

// Who waits for a free connection comes again: the hooks each half second.
static void send_away(struct conn *c, struct rpc_request *req)
{
    c->ending = true;
    rpc_fail(req, "busy", "burstd has too many connections; try again later");
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
    else if (!rpc_admit_method(c, m))
        send_away(c, req);
    else
        m->handler(c->s->arg, req);
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
            rpc_go_on(c);
        return;
    }
    if (c->ending)
        return;
    drop_taken(c);
    if (strbuf_add(&c->in, buf->base, (size_t)n) < 0) {
        if (c->pending)
            rpc_close_conn(c);
        else
            refuse_line(c, "a request may have at most 1 MiB");
        return;
    }
    rpc_go_on(c);
}
