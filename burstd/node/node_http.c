// SPDX-License-Identifier: GPL-3.0-or-later
// See node_http.h. libmicrohttpd runs inside burstd's loop through its epoll descriptor. Decoding a
// credential asks the local munged: about 0.1 ms, and a time-out of munged bounds it; at most one
// post per node and second is decoded.
#include "node/node_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>
#include <munge.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "node/preempt.h"
#include "state/instances.h"

#define BODY_MAX 8192
#define NOTICE_MAX_S 3600 // a notice further away than this is not believed

struct node_http {
    struct burstd *b;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;
    uv_timer_t timer; // libmicrohttpd's own time-outs
};

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *text)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
                                                             MHD_RESPMEM_MUST_COPY);
    enum MHD_Result rc = MHD_queue_response(c, status, r);

    MHD_destroy_response(r);
    return rc;
}

static void peer_address(struct MHD_Connection *c, char *out, size_t size)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *sa = info ? info->client_addr : NULL;

    out[0] = '\0';
    if (sa && sa->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, out,
                  (socklen_t)size);
    else if (sa && sa->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, out,
                  (socklen_t)size);
}

static cJSON *decode(const char *cred, const char **why)
{
    void *payload = NULL;
    int len = 0;
    uid_t uid;
    gid_t gid;
    cJSON *j = NULL;
    munge_err_t e = munge_decode(cred, NULL, &payload, &len, &uid, &gid);

    if (e != EMUNGE_SUCCESS)
        *why = munge_strerror(e);
    else if (uid != 0)
        *why = "the credential was not made by root";
    else if (len <= 0 || !(j = json_parse(payload, (size_t)len, NULL)))
        *why = "the payload is not JSON";
    free(payload);
    return j;
}

static enum MHD_Result handle(struct node_http *h, struct MHD_Connection *c, const char *cred)
{
    const char *why = "unknown instance";
    char from[INET6_ADDRSTRLEN];
    cJSON *j = decode(cred, &why);
    struct instance *i = j ? instances_find(h->b->instances, json_str(j, "instance", "")) : NULL;

    peer_address(c, from, sizeof(from));
    if (i && strcmp(i->address, from) != 0) {
        why = "another node's instance";
        i = NULL;
    }
    if (!i) {
        log_warn("node report from %s refused: %s", from, why);
        cJSON_Delete(j);
        return answer(c, MHD_HTTP_FORBIDDEN, "refused\n");
    }
    if (strcmp(json_str(j, "event", ""), "notice") == 0) {
        int64_t now = clock_now_s(), deadline = json_i64(j, "deadline", now);
        if (deadline < now)
            deadline = now;
        preempt_notice(h->b, i, deadline > now + NOTICE_MAX_S ? now + NOTICE_MAX_S : deadline);
    }
    cJSON_Delete(j);
    return answer(c, MHD_HTTP_OK, "ok\n");
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct strbuf *body = *state;

    if (!body) {
        body = xmalloc(sizeof(*body));
        strbuf_init(body, BODY_MAX);
        *state = body;
        return MHD_YES;
    }
    if (*size) {
        strbuf_add(body, data, *size); // what passes the ceiling is refused below
        *size = 0;
        return MHD_YES;
    }
    if (strcmp(url, "/v1/node") != 0)
        return answer(c, MHD_HTTP_NOT_FOUND, "nothing here\n");
    if (strcmp(method, "POST") != 0)
        return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, "POST a munge credential\n");
    if (body->overflow || body->len == 0)
        return answer(c, MHD_HTTP_CONTENT_TOO_LARGE, "too large or empty\n");
    body->data[strcspn(body->data, "\r\n")] = '\0';
    return handle(arg, c, body->data);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct strbuf *body = *state;

    if (body)
        strbuf_free(body);
    free(body);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    struct node_http *h = p->data;

    MHD_run(h->mhd);
}

static void on_timer(uv_timer_t *t)
{
    struct node_http *h = t->data;

    MHD_run(h->mhd);
}

static void log_mhd(void *arg, const char *fmt, va_list ap)
{
    char text[512];

    vsnprintf(text, sizeof(text), fmt, ap);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http: %s", text);
}

struct node_http *node_http_create(struct burstd *b, burst_error_t *errp)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)b->conf->listen_port)};

    if (!b->conf->listen_port) {
        errprintf(errp, "%s", "");
        return NULL;
    }
    if (inet_pton(AF_INET, b->conf->listen_host, &sa.sin_addr) != 1) {
        errprintf(errp, "listen: %s is not an IPv4 address", b->conf->listen_host);
        return NULL;
    }
    struct node_http *h = xmalloc(sizeof(*h));
    h->b = b;
    h->mhd = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, h, MHD_OPTION_SOCK_ADDR,
                              &sa, MHD_OPTION_CONNECTION_LIMIT, 512u, MHD_OPTION_CONNECTION_TIMEOUT,
                              10u, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768,
                              MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                              MHD_OPTION_EXTERNAL_LOGGER, log_mhd, NULL, MHD_OPTION_END);
    if (!h->mhd) {
        errprintf(errp, "listen: cannot listen on %s (is the port taken?)", b->conf->listen);
        free(h);
        return NULL;
    }
    uv_poll_init(b->loop, &h->poll,
                 MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
    h->poll.data = h;
    uv_poll_start(&h->poll, UV_READABLE, on_poll);
    uv_timer_init(b->loop, &h->timer);
    h->timer.data = h;
    uv_timer_start(&h->timer, on_timer, 2000, 2000);
    return h;
}

static void timer_closed(uv_handle_t *t)
{
    struct node_http *h = t->data;

    MHD_stop_daemon(h->mhd);
    free(h);
}

void node_http_destroy(struct node_http *h)
{
    if (!h)
        return;
    uv_close((uv_handle_t *)&h->poll, NULL);
    uv_close((uv_handle_t *)&h->timer, timer_closed);
}
