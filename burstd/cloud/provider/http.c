// SPDX-License-Identifier: GPL-3.0-or-later
#include "cloud/provider/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define HEADERS_MAX (64u << 10)
#define CONNECT_TIMEOUT_MS 10000

struct http {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;      // libcurl's
    uv_timer_t fail_timer; // for answers that are known at once
    int open_handles;
    struct http_request *first;
};

struct http_request {
    struct http *h;
    struct http_request *prev, *next;
    CURL *easy; // NULL: an answer that is known
    struct curl_slist *headers;
    struct strbuf body, reply_headers;
    char *failure; // known answer
    char curl_error[CURL_ERROR_SIZE];
    http_cb cb;
    void *arg;
};

// One socket of libcurl's on the loop.
struct watched {
    uv_poll_t poll;
    struct http *h;
    curl_socket_t fd;
};

// ---- requests ---------------------------------------------------------------------------------

static void wipe_list(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l; l = l->next)
        explicit_bzero(l->data, strlen(l->data));
    curl_slist_free_all(list);
}

static void request_unlink(struct http_request *r)
{
    if (r->prev)
        r->prev->next = r->next;
    else
        r->h->first = r->next;
    if (r->next)
        r->next->prev = r->prev;
}

static void request_free(struct http_request *r)
{
    if (r->easy) {
        curl_multi_remove_handle(r->h->multi, r->easy);
        curl_easy_cleanup(r->easy);
    }
    wipe_list(r->headers);
    strbuf_free(&r->body);
    strbuf_free(&r->reply_headers);
    free(r->failure);
    free(r);
}

static struct http_request *request_create(struct http *h, http_cb cb, void *arg)
{
    struct http_request *r = xmalloc(sizeof(*r));

    r->h = h;
    r->cb = cb;
    r->arg = arg;
    r->next = h->first;
    if (r->next)
        r->next->prev = r;
    h->first = r;
    strbuf_init(&r->reply_headers, HEADERS_MAX);
    strbuf_init(&r->body, HTTP_REPLY_MAX);
    return r;
}

void http_cancel(struct http_request *r)
{
    if (!r)
        return;
    request_unlink(r);
    request_free(r);
}

static void finish(struct http_request *r, const struct http_reply *reply)
{
    request_unlink(r);
    r->cb(r->arg, reply);
    request_free(r);
}

static const char *no_reply_text(struct http_request *r, CURLcode code, char *buf, size_t size)
{
    if (r->body.overflow)
        snprintf(buf, size, "the reply is larger than the %zu bytes that are accepted",
                 r->body.ceiling);
    else if (r->reply_headers.overflow)
        snprintf(buf, size, "the headers of the reply are larger than %u bytes", HEADERS_MAX);
    else
        snprintf(buf, size, "%s", r->curl_error[0] ? r->curl_error : curl_easy_strerror(code));
    return buf;
}

static void finish_curl(struct http_request *r, CURLcode code)
{
    char text[CURL_ERROR_SIZE + 64];
    struct http_reply reply = {
        .error = "", .body = r->body.data, .len = r->body.len, .headers = r->reply_headers.data};
    curl_off_t retry_after = 0;
    long status = 0;

    if (code == CURLE_OK) {
        curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &retry_after);
        reply.status = (int)status;
        reply.retry_after_ms = (int64_t)retry_after * 1000;
    }
    if (reply.status == 0) {
        reply.error = no_reply_text(r, code, text, sizeof(text));
        reply.body = "";
        reply.len = 0;
    }
    finish(r, &reply);
}

static void finish_done(struct http *h)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(h->multi, &left))) {
        struct http_request *r = NULL;
        if (msg->msg != CURLMSG_DONE)
            continue;
        CURLcode code = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&r);
        finish_curl(r, code);
    }
}

static void on_fail_timer(uv_timer_t *t)
{
    struct http *h = t->data;
    size_t n = 0;

    // Those that are there now; what a callback adds has its turn with the next timer.
    for (struct http_request *r = h->first; r; r = r->next)
        n += r->failure != NULL;
    while (n-- > 0) { // a callback may cancel others: look from the start each time
        struct http_request *r = h->first;
        while (r && !r->failure)
            r = r->next;
        if (!r)
            return;
        struct http_reply reply = {.error = r->failure, .body = "", .headers = ""};
        finish(r, &reply);
    }
}

// ---- libcurl on the loop ----------------------------------------------------------------------

static void on_timer(uv_timer_t *t)
{
    struct http *h = t->data;
    int running;

    curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_done(h);
}

// libcurl's time is in milliseconds and may be 0 (= soon, but not from inside this call).
static int want_timer(CURLM *multi, long ms, void *arg)
{
    struct http *h = arg;

    if (ms < 0) {
        uv_timer_stop(&h->timer);
        return 0;
    }
    uv_update_time(h->loop); // the loop's clock may be older than libcurl's
    uv_timer_start(&h->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct watched *w = poll->data;
    struct http *h = w->h;
    int flags = 0, running;

    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(h->multi, w->fd, flags, &running); // w may be gone now
    finish_done(h);
}

static void watched_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct http *h = arg;
    struct watched *w = socket_arg;
    int events = 0;

    if (what == CURL_POLL_REMOVE) {
        if (w)
            uv_close((uv_handle_t *)&w->poll, watched_closed);
        curl_multi_assign(h->multi, fd, NULL);
        return 0;
    }
    if (!w) {
        w = xmalloc(sizeof(*w));
        w->h = h;
        w->fd = fd;
        w->poll.data = w;
        if (uv_poll_init_socket(h->loop, &w->poll, fd) < 0) {
            free(w);
            return -1;
        }
        curl_multi_assign(h->multi, fd, w);
    }
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    uv_poll_start(&w->poll, events, on_socket);
    return 0;
}

// ---- life -------------------------------------------------------------------------------------

struct http *http_create(uv_loop_t *loop, burst_error_t *errp)
{
    static bool initialised;

    if (!initialised && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        errprintf(errp, "libcurl cannot be initialised");
        return NULL;
    }
    initialised = true;
    struct http *h = xmalloc(sizeof(*h));
    h->loop = loop;
    h->multi = curl_multi_init();
    if (!h->multi) {
        free(h);
        errprintf(errp, "libcurl cannot be initialised");
        return NULL;
    }
    uv_timer_init(loop, &h->timer);
    uv_timer_init(loop, &h->fail_timer);
    h->timer.data = h->fail_timer.data = h;
    h->open_handles = 2;
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    return h;
}

static void timer_closed(uv_handle_t *handle)
{
    struct http *h = handle->data;

    if (--h->open_handles == 0)
        free(h);
}

void http_destroy(struct http *h)
{
    if (!h)
        return;
    while (h->first)
        http_cancel(h->first);
    curl_multi_cleanup(h->multi); // closes its idle connections through want_socket()
    uv_close((uv_handle_t *)&h->timer, timer_closed);
    uv_close((uv_handle_t *)&h->fail_timer, timer_closed);
}

// ---- sending ----------------------------------------------------------------------------------

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct http_request *r = arg;

    return strbuf_add(&r->body, data, size * n) < 0 ? 0 : size * n; // 0 ends the transfer
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
    struct http_request *r = arg;

    // A new status line: what came before belongs to an interim reply (100, or a proxy's).
    if (size * n > 5 && strncmp(data, "HTTP/", 5) == 0)
        strbuf_reset(&r->reply_headers);
    return strbuf_add(&r->reply_headers, data, size * n) < 0 ? 0 : size * n;
}

static bool set_protocols(CURL *e)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
    return curl_easy_setopt(e, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS) == CURLE_OK;
#endif
}

static void set_body(CURL *e, const struct http_spec *spec)
{
    bool get = strcmp(spec->method, "GET") == 0;

    if (spec->body || strcmp(spec->method, "POST") == 0) {
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)spec->body_len);
        curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, spec->body ? spec->body : "");
    }
    if (!get || spec->body)
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, spec->method);
    if (!get)
        curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L); // see the head of http.h
}

static void set_headers(struct http_request *r, const struct http_spec *spec)
{
    for (const char *const *p = spec->headers; p && *p; p++)
        r->headers = curl_slist_append(r->headers, *p);
    // Without this, larger bodies wait for an interim reply that many servers never send.
    r->headers = curl_slist_append(r->headers, "Expect:");
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
}

struct http_request *http_send(struct http *h, const struct http_spec *spec, http_cb cb, void *arg)
{
    CURL *e = curl_easy_init();
    int timeout = spec->timeout_ms > 0 ? spec->timeout_ms : HTTP_TIMEOUT_MS;

    if (!e)
        return http_fail(h, "libcurl cannot make a request", cb, arg);
    struct http_request *r = request_create(h, cb, arg);
    r->easy = e;
    if (spec->max_reply)
        r->body.ceiling = spec->max_reply;
    if (!set_protocols(e) || curl_easy_setopt(e, CURLOPT_URL, spec->url) != CURLE_OK) {
        http_cancel(r);
        return http_fail(h, "libcurl does not take the request", cb, arg);
    }
    curl_easy_setopt(e, CURLOPT_PRIVATE, r);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->curl_error);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)timeout);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(timeout < CONNECT_TIMEOUT_MS ? timeout : CONNECT_TIMEOUT_MS));
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
    if (spec->direct)
        curl_easy_setopt(e, CURLOPT_PROXY, "");
    set_body(e, spec);
    set_headers(r, spec);
    if (curl_multi_add_handle(h->multi, e) != CURLM_OK) {
        http_cancel(r);
        return http_fail(h, "libcurl does not take the request", cb, arg);
    }
    return r;
}

struct http_request *http_fail(struct http *h, const char *text, http_cb cb, void *arg)
{
    struct http_request *r = request_create(h, cb, arg);

    r->failure = xstrdup(text);
    uv_timer_start(&h->fail_timer, on_fail_timer, 0, 0);
    return r;
}

// ---- small helpers ----------------------------------------------------------------------------

const char *http_reply_header(const struct http_reply *reply, const char *name, char *buf,
                              size_t size)
{
    size_t len = strlen(name);
    const char *found = NULL;

    for (const char *p = reply->headers; p && *p;) {
        const char *end = strstr(p, "\r\n");
        if (strncasecmp(p, name, len) == 0 && p[len] == ':')
            found = p + len + 1;
        p = end ? end + 2 : NULL;
    }
    if (!found)
        return NULL;
    found += strspn(found, " \t");
    size_t n = strcspn(found, "\r\n");
    if (n >= size)
        return NULL;
    memcpy(buf, found, n);
    buf[n] = '\0';
    return buf;
}

char *http_escape(const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static const char hex[] = "0123456789ABCDEF";
    char *out = xmalloc(3 * strlen(text) + 1), *p = out;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (strchr(plain, c)) {
            *p++ = (char)c;
        } else {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 15];
        }
    }
    *p = '\0';
    return out;
}
