// SPDX-License-Identifier: GPL-3.0-or-later
// See stagerd_client.h.
#include "node/stagerd_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

struct append {
    uv_pipe_t pipe;
    uv_connect_t connect;
    uv_write_t write;
    char *line;
    char reply[1024];
    size_t have;
};

static void closed(uv_handle_t *h)
{
    struct append *a = h->data;

    free(a->line);
    free(a);
}

static void give_buffer(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct append *a = h->data;

    *buf = uv_buf_init(a->reply + a->have, (unsigned)(sizeof(a->reply) - 1 - a->have));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct append *a = s->data;

    if (n > 0) {
        a->have += (size_t)n;
        if (!memchr(a->reply, '\n', a->have) && a->have < sizeof(a->reply) - 1)
            return;
        cJSON *j = json_parse(a->reply, strcspn(a->reply, "\n"), NULL);
        if (!json_bool(j, "ok", false))
            log_warn("burst-stagerd: %s", json_str(j, "error", "unclear answer"));
        cJSON_Delete(j);
    } else if (n < 0 && n != UV_EOF) {
        log_warn("burst-stagerd: %s", uv_strerror((int)n));
    }
    if (n != 0)
        uv_close((uv_handle_t *)s, closed);
}

static void on_written(uv_write_t *w, int status)
{
    if (status < 0)
        log_warn("burst-stagerd: %s", uv_strerror(status));
}

static void on_connect(uv_connect_t *c, int status)
{
    struct append *a = c->data;
    uv_buf_t buf = uv_buf_init(a->line, (unsigned)strlen(a->line));

    if (status < 0) {
        log_warn("burst-stagerd does not answer: %s", uv_strerror(status));
        uv_close((uv_handle_t *)&a->pipe, closed);
        return;
    }
    a->write.data = a;
    uv_write(&a->write, (uv_stream_t *)&a->pipe, &buf, 1, on_written);
    uv_read_start((uv_stream_t *)&a->pipe, give_buffer, on_read);
}

void stagerd_append(struct burstd *b, uint32_t uid, uint32_t gid, const char *user,
                    const char *path, const char *text)
{
    struct append *a = xmalloc(sizeof(*a));
    cJSON *o = cJSON_CreateObject();
    char *with_end = xasprintf("%s\n", text), *line;
    char *socket = xasprintf("%s/stage.sock", b->conf->run_dir);

    json_add_str(o, "op", "append");
    json_add_i64(o, "uid", uid);
    json_add_i64(o, "gid", gid);
    json_add_str(o, "user", user);
    json_add_str(o, "path", path);
    json_add_str(o, "text", with_end);
    line = json_line(o);
    a->line = xasprintf("%s\n", line);
    free(line);
    free(with_end);
    cJSON_Delete(o);
    uv_pipe_init(b->loop, &a->pipe, 0);
    a->pipe.data = a->connect.data = a;
    uv_pipe_connect(&a->connect, &a->pipe, socket, on_connect);
    free(socket);
}
