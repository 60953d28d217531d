// SPDX-License-Identifier: GPL-3.0-or-later
// See rpc_client.h. Any answer that is not one JSON object a line ends the use of the connection:
// request and answer could no longer be matched.
#include "libburst/rpc_client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define ANSWER_MAX (64u << 20) // `jobs` of a site with many thousand jobs fits
#define RETRY_MS 20            // connect() to a full backlog has no event to wait for

struct rpc_client {
    int fd;
    bool broken;
    char code[24];
    struct strbuf in; // bytes received beyond the last answer
};

static int64_t deadline_of(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;
}

// Milliseconds left as poll() wants them: -1 without limit, 0 when the time is over.
static int left_ms(int64_t deadline)
{
    if (deadline == INT64_MAX)
        return -1;
    int64_t left = deadline - clock_mono_ms();
    return left <= 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

static int connect_error(const char *path, int err, burst_error_t *errp)
{
    errno = err;
    if (err == ENOENT || err == ECONNREFUSED)
        return errprintf(errp, "burstd does not run here: nobody listens at %s (%s)", path,
                         strerror(err));
    if (err == EACCES)
        return errprintf(errp, "%s: no permission to speak to burstd", path);
    if (err == ETIMEDOUT)
        return errprintf(errp, "burstd does not accept connections at %s: it may be overloaded",
                         path);
    return errprintf(errp, "%s: %s", path, strerror(err));
}

static int connect_until(const char *path, int64_t deadline)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    // On a Unix socket EAGAIN means a full backlog; unlike EINPROGRESS it cannot be polled for.
    while (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        int err = errno;
        if ((err == EAGAIN || err == EINTR) && left_ms(deadline) != 0) {
            poll(NULL, 0, RETRY_MS);
            continue;
        }
        close(fd);
        errno = err == EAGAIN ? ETIMEDOUT : err;
        return -1;
    }
    return fd;
}

struct rpc_client *rpc_connect(const char *path, int timeout_ms, burst_error_t *errp)
{
    struct sockaddr_un a;
    struct rpc_client *c;

    if (strlen(path) >= sizeof(a.sun_path)) {
        errno = ENAMETOOLONG;
        errprintf(errp, "%s: a socket's path has at most %zu characters", path,
                  sizeof(a.sun_path) - 1);
        return NULL;
    }
    int fd = connect_until(path, deadline_of(timeout_ms));
    if (fd < 0) {
        connect_error(path, errno, errp);
        return NULL;
    }
    c = xmalloc(sizeof(*c));
    c->fd = fd;
    strbuf_init(&c->in, ANSWER_MAX);
    return c;
}

void rpc_close(struct rpc_client *c)
{
    int saved = errno;

    if (c) {
        close(c->fd);
        strbuf_free(&c->in);
        free(c);
    }
    errno = saved;
}

const char *rpc_code(const struct rpc_client *c)
{
    return c->code;
}

static int fail(struct rpc_client *c, const char *code, burst_error_t *errp, const char *text)
{
    c->broken = true;
    snprintf(c->code, sizeof(c->code), "%s", code);
    return errprintf(errp, "%s", text);
}

// Waits for the event; 0 ready, -1 time over or error.
static int wait_for(struct rpc_client *c, short events, int64_t deadline, burst_error_t *errp)
{
    struct pollfd p = {.fd = c->fd, .events = events};

    for (;;) {
        int left = left_ms(deadline);
        int n = poll(&p, 1, left);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return fail(c, "lost", errp, strerror(errno));
        if (n == 0 && left_ms(deadline) == 0) {
            errno = ETIMEDOUT;
            return fail(c, "timeout", errp, "burstd has not answered in time");
        }
    }
}

static int send_all(struct rpc_client *c, const char *p, size_t n, int64_t deadline,
                    burst_error_t *errp)
{
    while (n > 0) {
        ssize_t w = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (w >= 0) {
            p += w;
            n -= (size_t)w;
        } else if (errno == EAGAIN) {
            if (wait_for(c, POLLOUT, deadline, errp) < 0)
                return -1;
        } else if (errno != EINTR) {
            return fail(c, "lost", errp, "burstd has closed the connection");
        }
    }
    return 0;
}

// Makes sure that a whole line is in c->in; *len is its length without the line end.
static int receive_line(struct rpc_client *c, size_t *len, int64_t deadline, burst_error_t *errp)
{
    char chunk[65536];
    size_t seen = 0;

    for (;;) {
        const char *nl =
            c->in.len > seen ? memchr(c->in.data + seen, '\n', c->in.len - seen) : NULL;
        if (nl) {
            *len = (size_t)(nl - c->in.data);
            return 0;
        }
        seen = c->in.len;
        if (wait_for(c, POLLIN, deadline, errp) < 0)
            return -1;
        ssize_t n = recv(c->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
            return fail(c, "lost", errp, "burstd has closed the connection before it answered");
        if (n > 0 && strbuf_add(&c->in, chunk, (size_t)n) < 0)
            return fail(c, "lost", errp, "burstd's answer is larger than 64 MiB");
    }
}

static cJSON *open_answer(struct rpc_client *c, cJSON *answer, burst_error_t *errp)
{
    if (!cJSON_IsObject(answer) || !cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(answer, "ok"))) {
        fail(c, "lost", errp, "burstd has sent an answer that this program does not understand");
        return NULL;
    }
    if (!json_bool(answer, "ok", false)) {
        snprintf(c->code, sizeof(c->code), "%s", json_str(answer, "code", "internal"));
        errprintf(errp, "%s", json_str(answer, "error", "burstd has refused without a reason"));
        return NULL;
    }
    cJSON *result = cJSON_DetachItemFromObjectCaseSensitive(answer, "result");
    return result ? result : cJSON_CreateNull();
}

cJSON *rpc_call(struct rpc_client *c, const char *method, cJSON *params, int timeout_ms,
                burst_error_t *errp)
{
    int64_t deadline = deadline_of(timeout_ms);
    cJSON *request = cJSON_CreateObject(), *answer, *result = NULL;
    struct strbuf line;
    size_t len;

    json_add_str(request, "method", method);
    if (params)
        cJSON_AddItemToObject(request, "params", params);
    char *text = json_line(request);
    cJSON_Delete(request);
    strbuf_init(&line, ANSWER_MAX);
    c->code[0] = '\0';
    if (c->broken)
        fail(c, "lost", errp, "the connection to burstd was lost");
    else if (strbuf_adds(&line, text) < 0 || strbuf_adds(&line, "\n") < 0)
        errprintf(errp, "the request is larger than 64 MiB");
    else if (send_all(c, line.data, line.len, deadline, errp) == 0 &&
             receive_line(c, &len, deadline, errp) == 0) {
        burst_error_t bad;
        answer = json_parse(c->in.data, len, &bad);
        strbuf_consume(&c->in, len + 1);
        result = open_answer(c, answer, errp);
        cJSON_Delete(answer);
    }
    strbuf_free(&line);
    free(text);
    return result;
}
