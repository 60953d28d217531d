// SPDX-License-Identifier: GPL-3.0-or-later
#include "localcloud/httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define CONNECTION_TIMEOUT_S 30
#define CONNECTION_LIMIT 256

struct httpd {
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
    int open_handles;
    httpd_handler handler;
    void *arg;
};

struct httpd_request {
    struct MHD_Connection *connection;
    const char *method;
    const char *path;
    struct strbuf body;
};

const char *httpd_method(const struct httpd_request *r)
{
    return r->method;
}

const char *httpd_path(const struct httpd_request *r)
{
    return r->path;
}

const char *httpd_body(const struct httpd_request *r, size_t *len)
{
    *len = r->body.len;
    return r->body.data;
}

const char *httpd_header(const struct httpd_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *httpd_query(const struct httpd_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result answer(struct MHD_Connection *connection, struct httpd_reply *reply)
{
    struct MHD_Response *response;
    char number[16];

    if (reply->drop) {
        free(reply->body);
        return MHD_NO;
    }
    response = MHD_create_response_from_buffer(reply->body ? strlen(reply->body) : 0, reply->body,
                                               MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(reply->body);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type",
                            reply->type ? reply->type : "application/json");
    if (reply->retry_after_s > 0) {
        snprintf(number, sizeof(number), "%d", reply->retry_after_s);
        MHD_add_response_header(response, "Retry-After", number);
    }
    enum MHD_Result rc = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return rc;
}

// libmicrohttpd calls this once for the head, for each piece of the body, and once at the end.
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **state)
{
    struct httpd *h = cls;
    struct httpd_request *r = *state;
    struct httpd_reply reply = {.status = 500};

    if (!r) {
        r = xmalloc(sizeof(*r));
        strbuf_init(&r->body, HTTPD_BODY_MAX);
        *state = r;
        return MHD_YES;
    }
    if (*data_len) {
        strbuf_add(&r->body, data, *data_len); // too much: remembered in overflow
        *data_len = 0;
        return MHD_YES;
    }
    r->connection = connection;
    r->method = method;
    r->path = url;
    if (r->body.overflow) {
        reply.status = 413;
        reply.body = xstrdup("{\"error\":{\"code\":\"InvalidParameter\",\"message\":\"the body is "
                             "larger than 1 MiB\"}}");
    } else {
        h->handler(h->arg, r, &reply);
    }
    return answer(connection, &reply);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct httpd_request *r = *state;

    if (!r)
        return;
    strbuf_free(&r->body);
    free(r);
    *state = NULL;
}

static void on_timer(uv_timer_t *timer);

static void run(struct httpd *h)
{
    MHD_UNSIGNED_LONG_LONG ms;

    MHD_run(h->daemon);
    if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
        uv_timer_start(&h->timer, on_timer, ms, 0);
    else
        uv_timer_stop(&h->timer);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    run(poll->data);
}

int httpd_listen(const char *host, uint16_t *port, bool freebind, burst_error_t *errp)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

    if (inet_pton(AF_INET, host, &sa.sin_addr) != 1) {
        errprintf(errp, "\"%s\" is not an IPv4 address", host);
    } else if (fd < 0) {
        errprintf(errp, "socket: %s", strerror(errno));
    } else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
               (freebind && setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)) < 0) ||
               bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 128) < 0 ||
               getsockname(fd, (struct sockaddr *)&sa, &len) < 0) {
        errprintf(errp, "cannot listen on %s:%u: %s", host, *port, strerror(errno));
    } else {
        *port = ntohs(sa.sin_port);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

struct httpd *httpd_create(uv_loop_t *loop, int listen_fd, httpd_handler handler, void *arg,
                           burst_error_t *errp)
{
    struct httpd *h = xmalloc(sizeof(*h));

    h->handler = handler;
    h->arg = arg;
    h->daemon =
        MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET,
                         listen_fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTION_LIMIT, MHD_OPTION_END);
    if (!h->daemon) {
        close(listen_fd);
        free(h);
        errprintf(errp, "cannot start the HTTP server");
        return NULL;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    uv_timer_init(loop, &h->timer);
    h->timer.data = h;
    h->open_handles = 1;
    int rc = uv_poll_init(loop, &h->poll, info->epoll_fd);
    if (rc < 0) {
        errprintf(errp, "cannot watch the HTTP server: %s", uv_strerror(rc));
        httpd_destroy(h);
        return NULL;
    }
    h->poll.data = h;
    h->open_handles = 2;
    uv_poll_start(&h->poll, UV_READABLE, on_poll);
    return h;
}

static void handle_closed(uv_handle_t *handle)
{
    struct httpd *h = handle->data;

    if (--h->open_handles == 0)
        free(h);
}

void httpd_destroy(struct httpd *h)
{
    if (!h)
        return;
    bool polled = h->open_handles == 2;
    // The descriptor must leave the loop before libmicrohttpd closes it.
    if (polled)
        uv_close((uv_handle_t *)&h->poll, handle_closed);
    uv_close((uv_handle_t *)&h->timer, handle_closed);
    MHD_stop_daemon(h->daemon);
}
