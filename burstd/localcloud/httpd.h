// SPDX-License-Identifier: GPL-3.0-or-later
// A small HTTP server on the loop: libmicrohttpd without threads, whole requests in, whole
// replies out. Bodies have a ceiling.
#ifndef LOCALCLOUD_HTTPD_H
#define LOCALCLOUD_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "libburst/error.h"

#define HTTPD_BODY_MAX (1u << 20)

struct httpd;
struct httpd_request; // borrowed for the handler

const char *httpd_method(const struct httpd_request *r);
const char *httpd_path(const struct httpd_request *r); // decoded, without the query
const char *httpd_body(const struct httpd_request *r, size_t *len);
// NULL when there is none.
const char *httpd_header(const struct httpd_request *r, const char *name);
const char *httpd_query(const struct httpd_request *r, const char *name);

struct httpd_reply {
    int status;
    const char *type;  // content type, static; NULL = application/json
    char *body;        // owned by the reply, NULL = empty
    int retry_after_s; // > 0: header Retry-After
    bool drop;         // close the connection without an answer
};

typedef void (*httpd_handler)(void *arg, const struct httpd_request *r, struct httpd_reply *reply);

// A listening TCP socket on a numeric IPv4 address; -1 on error. *port is set to what was bound.
int httpd_listen(const char *host, uint16_t *port, bool freebind, burst_error_t *errp);

// Takes the listening socket. NULL on error (the socket is closed then).
struct httpd *httpd_create(uv_loop_t *loop, int listen_fd, httpd_handler handler, void *arg,
                           burst_error_t *errp);
// Not from inside a handler. NULL is allowed.
void httpd_destroy(struct httpd *h);

#endif
