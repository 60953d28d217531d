// SPDX-License-Identifier: GPL-3.0-or-later
// See solver.h. Answers carry the request's id; a child that does not answer within LIMIT_MS is
// killed: it holds no state.
#include "plan/solver.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/child.h"
#include "base/conf.h"
#include "base/log.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

#define LIMIT_MS 20000
#define RESTART_MIN_MS 200
#define RESTART_MAX_MS 10000

struct question {
    int64_t id;
    cJSON *request; // until it is sent
    solver_cb cb;
    void *arg;
    UT_hash_handle hh;
};

struct solver {
    struct burstd *b;
    struct child *child;
    struct question *open;
    int64_t next_id;
    uv_timer_t restart, limit;
    unsigned restart_ms;
    int closing;
};

static void restart_due(uv_timer_t *t);

static void answer(struct solver *s, struct question *q, const cJSON *msg, const char *error)
{
    HASH_DEL(s->open, q);
    q->cb(q->arg, msg, error);
    cJSON_Delete(q->request);
    free(q);
    if (!s->open)
        uv_timer_stop(&s->limit);
}

static void on_line(void *arg, const cJSON *msg)
{
    struct solver *s = arg;
    int64_t id = json_i64(msg, "id", -1);
    struct question *q;

    if (json_bool(msg, "reloaded", false)) {
        log_info("catalog: %d offers", (int)json_i64(msg, "offers", 0));
        return;
    }
    s->restart_ms = RESTART_MIN_MS;
    HASH_FIND(hh, s->open, &id, sizeof(id), q);
    if (!q) {
        log_warn("burst-solve answered a question that nobody asked");
        return;
    }
    const char *error = json_str(msg, "error", NULL);
    answer(s, q, msg, error);
}

static void on_exited(void *arg, int status, int signal)
{
    struct solver *s = arg;
    struct question *q, *next;

    log_warn("burst-solve ended (status %d, signal %d); starting it again in %u ms", status, signal,
             s->restart_ms);
    s->child = NULL;
    uv_timer_start(&s->restart, restart_due, s->restart_ms, 0);
    s->restart_ms = s->restart_ms * 2 > RESTART_MAX_MS ? RESTART_MAX_MS : s->restart_ms * 2;
    HASH_ITER(hh, s->open, q, next)
    answer(s, q, NULL, "the optimizer stopped unexpectedly");
}

static const struct child_ops ops = {.line = on_line, .exited = on_exited};

static void start_now(struct solver *s)
{
    burst_error_t err;
    char *path = child_path("burst-solve");
    char *argv[] = {path, (char *)"--catalog", s->b->conf->catalog_dir, (char *)"--serve", NULL};

    s->child = child_create(s->b->loop, "burst-solve", argv, &ops, s, &err);
    free(path);
    if (!s->child) {
        log_error("%s", err.text);
        uv_timer_start(&s->restart, restart_due, RESTART_MAX_MS, 0);
    }
}

static void restart_due(uv_timer_t *t)
{
    start_now(t->data);
}

static void too_long(uv_timer_t *t)
{
    struct solver *s = t->data;

    log_error("burst-solve did not answer within %d s; killing it", LIMIT_MS / 1000);
    if (s->child)
        child_kill(s->child, 9);
}

struct solver *solver_create(struct burstd *b, burst_error_t *errp)
{
    struct solver *s = xmalloc(sizeof(*s));

    s->b = b;
    s->restart_ms = RESTART_MIN_MS;
    uv_timer_init(b->loop, &s->restart);
    uv_timer_init(b->loop, &s->limit);
    s->restart.data = s->limit.data = s;
    start_now(s);
    return s;
}

static void closed(uv_handle_t *h)
{
    struct solver *s = h->data;

    if (++s->closing == 2)
        free(s);
}

void solver_destroy(struct solver *s)
{
    struct question *q, *next;

    if (!s)
        return;
    child_destroy(s->child);
    HASH_ITER(hh, s->open, q, next)
    {
        HASH_DEL(s->open, q);
        cJSON_Delete(q->request);
        free(q);
    }
    uv_close((uv_handle_t *)&s->restart, closed);
    uv_close((uv_handle_t *)&s->limit, closed);
}

void solver_ask(struct solver *s, cJSON *request, solver_cb cb, void *arg)
{
    struct question *q = xmalloc(sizeof(*q));
    burst_error_t err = {"the optimizer is being started"};

    q->id = ++s->next_id;
    q->cb = cb;
    q->arg = arg;
    q->request = request;
    json_add_i64(request, "id", q->id);
    HASH_ADD(hh, s->open, id, sizeof(q->id), q);
    if (!s->child || child_send(s->child, request, &err) < 0) {
        // The caller is level-triggered and asks again at its next look.
        answer(s, q, NULL, err.text);
        return;
    }
    uv_timer_start(&s->limit, too_long, LIMIT_MS, 0);
}

void solver_reload(struct solver *s)
{
    cJSON *msg = cJSON_CreateObject();

    json_add_str(msg, "cmd", "reload");
    if (s->child)
        child_send(s->child, msg, NULL);
    cJSON_Delete(msg);
}
