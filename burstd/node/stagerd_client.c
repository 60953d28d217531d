// SPDX-License-Identifier: GPL-3.0-or-later
// See stagerd_client.h.
#include "node/stagerd_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define ANSWER_MAX 65536
#define ANSWER_MS 90000 // it looks through files for a minute at most

struct ask {
    uv_pipe_t pipe;
    uv_timer_t timer;
    uv_connect_t connect;
    uv_write_t write;
    unsigned open; // handles that are not closed yet
    char *line;
    char block[4096];
    struct strbuf reply;
    stagerd_answer *cb; // NULL: it was called
    void *arg;
};

static void closed(uv_handle_t *h)
{
    struct ask *a = h->data;

    if (--a->open > 0)
        return;
    strbuf_free(&a->reply);
    free(a->line);
    free(a);
}

static void finish(struct ask *a, const cJSON *answer, bool down, const char *error)
{
    stagerd_answer *cb = a->cb;

    if (!cb)
        return;
    a->cb = NULL;
    uv_close((uv_handle_t *)&a->pipe, closed);
    uv_close((uv_handle_t *)&a->timer, closed);
    cb(a->arg, answer, down, error);
}

static void give_buffer(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct ask *a = h->data;

    *buf = uv_buf_init(a->block, sizeof(a->block));
}

static void read_answer(struct ask *a)
{
    burst_error_t err;
    cJSON *j = json_parse(a->reply.data, strcspn(a->reply.data, "\n"), &err);

    finish(a, j, false, j ? NULL : "burst-stagerd gave an answer that is none");
    cJSON_Delete(j);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct ask *a = s->data;

    if (n > 0 && strbuf_add(&a->reply, buf->base, (size_t)n) < 0)
        finish(a, NULL, false, "burst-stagerd gave an answer without end");
    else if (n > 0 && memchr(a->reply.data, '\n', a->reply.len))
        read_answer(a);
    else if (n < 0)
        finish(a, NULL, false,
               n == UV_EOF ? "burst-stagerd ended without an answer" : uv_strerror((int)n));
}

static void on_written(uv_write_t *w, int status)
{
    if (status < 0 && status != UV_ECANCELED)
        finish(w->data, NULL, false, uv_strerror(status));
}

static void on_connect(uv_connect_t *c, int status)
{
    struct ask *a = c->data;
    uv_buf_t buf = uv_buf_init(a->line, (unsigned)strlen(a->line));

    if (status == UV_ECANCELED)
        return;
    if (status < 0) {
        finish(a, NULL, true, uv_strerror(status));
        return;
    }
    a->write.data = a;
    uv_write(&a->write, (uv_stream_t *)&a->pipe, &buf, 1, on_written);
    uv_read_start((uv_stream_t *)&a->pipe, give_buffer, on_read);
}

static void on_late(uv_timer_t *t)
{
    finish(t->data, NULL, false,
           "burst-stagerd has not answered for 90 s (does a file server hang?)");
}

void stagerd_ask(struct burstd *b, cJSON *request, stagerd_answer *cb, void *arg)
{
    struct ask *a = xmalloc(sizeof(*a));
    char *line = json_line(request), *socket = xasprintf("%s/stage.sock", b->conf->run_dir);

    a->line = xasprintf("%s\n", line);
    free(line);
    cJSON_Delete(request);
    strbuf_init(&a->reply, ANSWER_MAX);
    a->cb = cb;
    a->arg = arg;
    a->open = 2;
    uv_pipe_init(b->loop, &a->pipe, 0);
    uv_timer_init(b->loop, &a->timer);
    a->pipe.data = a->timer.data = a->connect.data = a;
    uv_timer_start(&a->timer, on_late, ANSWER_MS, 0);
    uv_pipe_connect(&a->connect, &a->pipe, socket, on_connect);
    free(socket);
}

static void appended(void *arg, const cJSON *answer, bool down, const char *error)
{
    if (down)
        log_warn("burst-stagerd does not answer: %s", error);
    else if (!answer)
        log_warn("%s", error);
    else if (!json_bool(answer, "ok", false))
        log_warn("burst-stagerd: %s", json_str(answer, "error", "unclear answer"));
}

void stagerd_append(struct burstd *b, uint32_t uid, uint32_t gid, const char *user,
                    const char *path, const char *text)
{
    cJSON *o = cJSON_CreateObject();
    char *with_end = xasprintf("%s\n", text);

    json_add_str(o, "op", "append");
    json_add_i64(o, "uid", uid);
    json_add_i64(o, "gid", gid);
    json_add_str(o, "user", user);
    json_add_str(o, "path", path);
    json_add_str(o, "text", with_end);
    free(with_end);
    stagerd_ask(b, o, appended, NULL);
}
