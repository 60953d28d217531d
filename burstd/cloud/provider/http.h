// SPDX-License-Identifier: GPL-3.0-or-later
// HTTP requests on the loop (libcurl multi), for all providers. TLS certificates are verified,
// redirects are never followed (a reply from elsewhere is no answer, and credentials stay with the
// host they were meant for), replies have a ceiling. Headers may carry secrets: nothing of a
// request is ever logged here, and header copies are wiped.
//
// A request that is not a GET always gets a connection of its own: on a reused one libcurl repeats
// a request by itself when the connection turns out to be dead, and a repeated launch without an
// idempotency token would be a second launch.
#ifndef BURST_HTTP_H
#define BURST_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "libburst/error.h"

#define HTTP_REPLY_MAX (8u << 20) // default ceiling of a reply's body
#define HTTP_TIMEOUT_MS 30000     // default time for a whole request

struct http;
struct http_request; // on its way

// All pointers are borrowed for the call.
struct http_spec {
    const char *method;         // "GET", "POST" ...
    const char *url;            // http:// or https://
    const char *const *headers; // "Name: value", NULL at the end; NULL = none
    const char *body;           // NULL = none
    size_t body_len;
    size_t max_reply; // bytes, 0 = HTTP_REPLY_MAX
    int timeout_ms;   // 0 = HTTP_TIMEOUT_MS
    bool direct;      // no proxy, whatever the environment says
};

// Borrowed for the callback.
struct http_reply {
    int status;        // 0 = there was no complete reply: nobody knows what the server did
    const char *error; // why, when status is 0; else ""
    const char *body;  // terminated
    size_t len;
    int64_t retry_after_ms; // from the header Retry-After, 0 = none
    const char *headers;    // raw, for http_reply_header()
};

typedef void (*http_cb)(void *arg, const struct http_reply *reply);

// NULL on error. One is enough for all drivers.
struct http *http_create(uv_loop_t *loop, burst_error_t *errp);
// Cancels what is on its way. Not from inside a callback of http_send(). The loop must run once
// more afterwards for the handles to close.
void http_destroy(struct http *h);

// Never calls back before it has returned, also for errors that are known at once.
struct http_request *http_send(struct http *h, const struct http_spec *spec, http_cb cb, void *arg);
// Answers without asking anybody: status 0 and this text; later, on the loop.
struct http_request *http_fail(struct http *h, const char *text, http_cb cb, void *arg);
// Its callback will not be called. Not from inside its own callback.
void http_cancel(struct http_request *r);

// Copies a header's value (the last one of that name) into buf; NULL when there is none.
const char *http_reply_header(const struct http_reply *reply, const char *name, char *buf,
                              size_t size);

// Percent-encodes everything but unreserved characters (RFC 3986). Owned by the caller.
char *http_escape(const char *text);

#endif
