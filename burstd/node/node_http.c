// SPDX-License-Identifier: GPL-3.0-or-later
// See node_http.h. libmicrohttpd runs inside burstd's loop through its epoll descriptor. Whoever is
// no live instance, or says too much, is answered before his post is read. Decoding a credential
// asks the local munged, which may hang: that happens in threads, for a bounded number at a time,
// while the connection is suspended.
#include "node/node_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>
#include <munge.h>
#include <uthash.h>

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
#define PEER_CONNECTIONS 4
#define PEER_POSTS 10 // at once; the agent posts each second at most
#define PEER_REFILL_MS 500
#define PEERS_MAX 1024 // addresses that are remembered
#define DECODES 2      // at a time: the threads of libuv are four, and others need them
#define DECODES_WAIT 64

// What an address may still say.
struct peer {
    char address[INET6_ADDRSTRLEN];
    unsigned posts;
    int64_t since_ms; // the last one that was given back
    UT_hash_handle hh;
};

struct node_http {
    struct burstd *b;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;
    uv_timer_t timer; // libmicrohttpd's own time-outs
    struct peer *peers;
    unsigned decoding; // in threads now
    struct post *first, **last;
    unsigned waiting;
    bool closing, closed;
};

// One request, from its head to its answer.
struct post {
    struct node_http *h;
    struct MHD_Connection *c;
    struct strbuf body;
    uv_work_t work;
    cJSON *said; // decoded, NULL: why not
    const char *why;
    bool answered, decoded;
    struct post *next; // that waits for a thread
};

// What an answer or a resumed connection needs is not said by the descriptor alone.
#define RUNS_MAX 16
static void run(struct node_http *h)
{
    MHD_UNSIGNED_LONG_LONG wait;
    int n = 0;

    do
        MHD_run(h->mhd);
    while (++n < RUNS_MAX && MHD_get_timeout(h->mhd, &wait) == MHD_YES && wait == 0);
}

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

// Blocks while munged does.
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

static enum MHD_Result handle(struct node_http *h, struct MHD_Connection *c, const struct post *p)
{
    const char *why = p->said ? "unknown instance" : p->why;
    char from[INET6_ADDRSTRLEN];
    const cJSON *j = p->said;
    struct instance *i = j ? instances_find(h->b->instances, json_str(j, "instance", "")) : NULL;

    peer_address(c, from, sizeof(from));
    if (i && strcmp(i->address, from) != 0) {
        why = "another node's instance";
        i = NULL;
    }
    if (!i) {
        log_warn("node report from %s refused: %s", from, why);
        return answer(c, MHD_HTTP_FORBIDDEN, "refused\n");
    }
    if (strcmp(json_str(j, "event", ""), "notice") == 0) {
        int64_t now = clock_now_s(), deadline = json_i64(j, "deadline", now);
        if (deadline < now)
            deadline = now;
        preempt_notice(h->b, i, deadline > now + NOTICE_MAX_S ? now + NOTICE_MAX_S : deadline);
    }
    return answer(c, MHD_HTTP_OK, "ok\n");
}

// ---- who may speak, and how often

static bool known(struct burstd *b, const char *address)
{
    INSTANCES_EACH(b->instances, i)
    if (instance_live(i) && strcmp(i->address, address) == 0)
        return true;
    return false;
}

static void forget_peers(struct node_http *h)
{
    struct peer *p, *next;

    HASH_ITER(hh, h->peers, p, next)
    {
        HASH_DEL(h->peers, p);
        free(p);
    }
}

static bool may_post(struct node_http *h, const char *address)
{
    int64_t now = clock_mono_ms();
    struct peer *p;

    HASH_FIND_STR(h->peers, address, p);
    if (!p) {
        if (HASH_COUNT(h->peers) >= PEERS_MAX)
            forget_peers(h);
        p = xmalloc(sizeof(*p));
        snprintf(p->address, sizeof(p->address), "%s", address);
        p->posts = PEER_POSTS;
        p->since_ms = now;
        HASH_ADD_STR(h->peers, address, p);
    }
    int64_t more = (now - p->since_ms) / PEER_REFILL_MS;
    if (more > 0) {
        p->posts = more + p->posts > PEER_POSTS ? PEER_POSTS : p->posts + (unsigned)more;
        p->since_ms += more * PEER_REFILL_MS;
    }
    if (p->posts == 0)
        return false;
    p->posts--;
    return true;
}

// ---- decoding

static void start_decodes(struct node_http *h);

static void decode_in_thread(uv_work_t *w)
{
    struct post *p = w->data;

    p->said = decode(p->body.data, &p->why);
}

static void finish(struct node_http *h)
{
    if (!h->closed || h->decoding || h->first)
        return;
    MHD_stop_daemon(h->mhd);
    forget_peers(h);
    free(h);
}

static void resume(struct node_http *h, struct post *p)
{
    p->decoded = true;
    MHD_resume_connection(p->c);
}

static void on_decoded(uv_work_t *w, int status)
{
    struct post *p = w->data;
    struct node_http *h = p->h;

    h->decoding--;
    if (status < 0)
        p->why = "burstd stops";
    resume(h, p);
    start_decodes(h);
    if (!h->closing)
        run(h); // calls on_request() again
    finish(h);
}

static void start_decodes(struct node_http *h)
{
    while (h->first && (h->decoding < DECODES || h->closing)) {
        struct post *p = h->first;
        h->first = p->next;
        if (!h->first)
            h->last = &h->first;
        h->waiting--;
        p->work.data = p;
        if (!h->closing && uv_queue_work(h->b->loop, &p->work, decode_in_thread, on_decoded) == 0) {
            h->decoding++;
            continue;
        }
        p->why = "burstd stops";
        resume(h, p);
    }
}

// ---- requests

static enum MHD_Result on_head(struct node_http *h, struct MHD_Connection *c, struct post *p,
                               const char *url, const char *method)
{
    char from[INET6_ADDRSTRLEN];

    peer_address(c, from, sizeof(from));
    p->answered = true; // its body is not read
    if (!known(h->b, from)) {
        log_debug("http: %s is no instance's address", from);
        return answer(c, MHD_HTTP_FORBIDDEN, "refused\n");
    }
    if (!may_post(h, from))
        return answer(c, MHD_HTTP_TOO_MANY_REQUESTS, "later\n");
    if (strcmp(url, "/v1/node") != 0)
        return answer(c, MHD_HTTP_NOT_FOUND, "nothing here\n");
    if (strcmp(method, "POST") != 0)
        return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, "POST a munge credential\n");
    p->answered = false;
    return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct node_http *h = arg;
    struct post *p = *state;

    if (!p) {
        p = xmalloc(sizeof(*p));
        p->h = h;
        p->c = c;
        strbuf_init(&p->body, BODY_MAX);
        *state = p;
        return on_head(h, c, p, url, method);
    }
    if (p->answered || *size) {
        if (!p->answered)
            strbuf_add(&p->body, data, *size); // what passes the ceiling is refused below
        *size = 0;
        return MHD_YES;
    }
    if (p->decoded)
        return handle(h, c, p);
    if (p->body.overflow || p->body.len == 0)
        return answer(c, MHD_HTTP_CONTENT_TOO_LARGE, "too large or empty\n");
    if (h->waiting >= DECODES_WAIT || h->closing)
        return answer(c, MHD_HTTP_SERVICE_UNAVAILABLE, "later\n");
    p->body.data[strcspn(p->body.data, "\r\n")] = '\0';
    MHD_suspend_connection(c);
    *h->last = p;
    h->last = &p->next;
    h->waiting++;
    start_decodes(h);
    return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct post *p = *state;

    if (!p)
        return;
    strbuf_free(&p->body);
    cJSON_Delete(p->said);
    free(p);
    *state = NULL;
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    struct node_http *h = p->data;

    run(h);
}

static void on_timer(uv_timer_t *t)
{
    struct node_http *h = t->data;

    run(h);
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
    h->last = &h->first;
    h->mhd =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
                         MHD_OPTION_SOCK_ADDR, &sa, MHD_OPTION_CONNECTION_LIMIT, 512u,
                         MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)PEER_CONNECTIONS,
                         MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         (size_t)32768, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
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

    h->closed = true;
    finish(h);
}

void node_http_destroy(struct node_http *h)
{
    if (!h)
        return;
    h->closing = true;
    start_decodes(h); // those that wait are let go
    uv_close((uv_handle_t *)&h->poll, NULL);
    uv_close((uv_handle_t *)&h->timer, timer_closed);
}
