// SPDX-License-Identifier: GPL-3.0-or-later
// See rpc_server.h.
//
// Life of a connection: reading -> (end of input, error, or a bad request) ending: what is queued
// is still written -> closing -> freed in the close callback of its last handle. A request lives
// until it is answered, also when its connection has gone: conn is NULL then.
#include "rpc/rpc_server.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define CONNECTIONS_MAX 256
#define CONNECTIONS_OTHERS 192 // of all who are no operators, together
#define CONNECTIONS_USER 64    // of one of them
#define REQUEST_MAX (1u << 20)
#define UNREAD_MAX (8u << 20)
#define STALL_MS 30000
#define BACKLOG 128
#define BATCH 32 // requests of one connection in a row: others get their turn in between
#define GROUPS_MAX 1024
#define ERROR_MAX 16384

struct conn {
    struct rpc_server *s;
    uv_pipe_t pipe;
    uv_timer_t stall, again;
    int handles; // not yet closed
    struct ucred peer;
    char user[64];
    int operator_known; // generation of the configuration that `is_operator` is of, 0 = none
    bool is_operator;
    struct rpc_request *pending;
    struct strbuf in;
    size_t scanned; // bytes of `in` known to have no line end
    size_t queued;  // write queue at the last look of the stall timer
    bool processing, ending, eof, closing;
    struct conn *next;
};

struct rpc_request {
    struct rpc_server *s;
    struct conn *conn; // NULL: the client has gone
    cJSON *msg;
    cJSON *params; // inside msg, or `none`
    cJSON *none;
    const char *method;
    struct ucred peer;
    char user[64];
    void (*gone)(void *arg);
    void *gone_arg;
    struct rpc_request *prev, *next; // all that are not answered
};

struct rpc_server {
    uv_loop_t *loop;
    uv_pipe_t listener;
    char *path;
    dev_t dev;
    ino_t ino;
    const struct rpc_method *methods;
    const struct burst_conf *conf;
    int generation; // of conf
    void *arg;
    struct conn *conns;
    unsigned n_conns;
    struct rpc_request *requests;
    unsigned stall_ms;
    bool stopping;
    int handles; // listener and connections, not yet freed
    char buf[65536];
};

struct send {
    uv_write_t req;
    struct conn *c;
    char *data;
};

static void process(struct conn *c);

// --- who asks

static void find_user(uid_t uid, char *user, size_t size)
{
    char buf[16384];
    struct passwd pw, *found = NULL;

    user[0] = '\0';
    if (getpwuid_r(uid, &pw, buf, sizeof(buf), &found) == 0 && found)
        snprintf(user, size, "%s", found->pw_name);
}

// Names of the user's groups; the caller frees each and the array.
static unsigned group_names(const char *user, gid_t gid, char ***names)
{
    gid_t *gids = xcalloc(GROUPS_MAX, sizeof(*gids));
    int n = GROUPS_MAX;
    unsigned count = 0;

    *names = NULL;
    if (!*user || getgrouplist(user, gid, gids, &n) < 0)
        n = 0;
    if (n > 0)
        *names = xcalloc((size_t)n, sizeof(char *));
    for (int i = 0; i < n; i++) {
        char buf[65536];
        struct group gr, *found = NULL;
        if (getgrgid_r(gids[i], &gr, buf, sizeof(buf), &found) == 0 && found)
            (*names)[count++] = xstrdup(found->gr_name);
    }
    free(gids);
    return count;
}

static bool look_up_operator(const struct burst_conf *conf, const struct ucred *peer,
                             const char *user)
{
    char **groups = NULL;
    unsigned n = 0;

    if (conf_is_operator(conf, peer->uid, user, NULL, 0))
        return true;
    if (conf->n_operator_groups > 0)
        n = group_names(user, peer->gid, &groups);
    bool yes = conf_is_operator(conf, peer->uid, user, groups, n);
    for (unsigned i = 0; i < n; i++)
        free(groups[i]);
    free(groups);
    return yes;
}

static bool conn_is_operator(struct conn *c)
{
    if (c->operator_known != c->s->generation) {
        c->is_operator = look_up_operator(c->s->conf, &c->peer, c->user);
        c->operator_known = c->s->generation;
    }
    return c->is_operator;
}

// --- the end of things

static void release_server(struct rpc_server *s)
{
    if (--s->handles > 0 || !s->stopping)
        return;
    free(s->path);
    free(s);
}

static void on_conn_closed(uv_handle_t *h)
{
    struct conn *c = h->data;

    if (--c->handles > 0)
        return;
    struct rpc_server *s = c->s;
    strbuf_free(&c->in);
    free(c);
    release_server(s);
}

static void close_conn(struct conn *c)
{
    struct conn **at = &c->s->conns;

    if (c->closing)
        return;
    c->closing = true;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->s->n_conns--;
    uv_close((uv_handle_t *)&c->stall, on_conn_closed);
    uv_close((uv_handle_t *)&c->again, on_conn_closed);
    uv_close((uv_handle_t *)&c->pipe, on_conn_closed);
    struct rpc_request *req = c->pending;
    c->pending = NULL;
    if (!req)
        return;
    req->conn = NULL;
    if (req->gone && !c->s->stopping)
        req->gone(req->gone_arg);
}

static void free_request(struct rpc_request *req)
{
    if (req->prev)
        req->prev->next = req->next;
    else
        req->s->requests = req->next;
    if (req->next)
        req->next->prev = req->prev;
    cJSON_Delete(req->msg);
    cJSON_Delete(req->none);
    free(req);
}

// --- writing

static void close_if_done(struct conn *c)
{
    if (!c->closing && c->ending && !c->pending &&
        uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) == 0)
        close_conn(c);
}

static void on_written(uv_write_t *w, int status)
{
    struct send *send = (struct send *)w;
    struct conn *c = send->c;

    free(send->data);
    free(send);
    if (c->closing)
        return;
    if (status < 0)
        close_conn(c);
    else if (uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) == 0)
        uv_timer_stop(&c->stall);
    close_if_done(c);
}

static void on_stall(uv_timer_t *t)
{
    struct conn *c = t->data;
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe);

    if (queued < c->queued) {
        c->queued = queued;
        return;
    }
    log_warn("rpc: uid %u does not read its answer; dropped", (unsigned)c->peer.uid);
    close_conn(c);
}

// Takes line (a whole answer with its line end).
static void send_line(struct conn *c, char *line, size_t len)
{
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe);
    struct send *send;
    uv_buf_t buf = uv_buf_init(line, (unsigned)len);

    if (queued > UNREAD_MAX) {
        log_warn("rpc: uid %u asks without reading the answers; dropped", (unsigned)c->peer.uid);
        free(line);
        close_conn(c);
        return;
    }
    send = xmalloc(sizeof(*send));
    send->c = c;
    send->data = line;
    if (uv_write(&send->req, (uv_stream_t *)&c->pipe, &buf, 1, on_written) < 0) {
        free(line);
        free(send);
        close_conn(c);
        return;
    }
    c->queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe);
    if (c->queued > 0 && queued == 0)
        uv_timer_start(&c->stall, on_stall, c->s->stall_ms, c->s->stall_ms);
}

static char *answer_line(cJSON *answer, size_t *len)
{
    char *text = json_line(answer);

    cJSON_Delete(answer);
    *len = strlen(text);
    text = xrealloc(text, *len + 2);
    memcpy(text + *len, "\n", 2);
    *len += 1;
    return text;
}

static cJSON *failure(const char *code, const char *error)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddBoolToObject(answer, "ok", false);
    json_add_str(answer, "code", code);
    json_add_str(answer, "error", error);
    return answer;
}

static void send_answer(struct conn *c, cJSON *answer)
{
    size_t len;
    char *line = answer_line(answer, &len);

    send_line(c, line, len);
}

static void answer_request(struct rpc_request *req, cJSON *answer)
{
    struct conn *c = req->conn;

    free_request(req);
    if (!c) {
        cJSON_Delete(answer);
        return;
    }
    c->pending = NULL;
    send_answer(c, answer);
    // Inside process() its loop goes on by itself.
    if (!c->closing && !c->processing)
        process(c);
}

void rpc_reply(struct rpc_request *req, cJSON *result)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddBoolToObject(answer, "ok", true);
    cJSON_AddItemToObject(answer, "result", result ? result : cJSON_CreateNull());
    answer_request(req, answer);
}

void rpc_fail(struct rpc_request *req, const char *code, const char *fmt, ...)
{
    char *text = xmalloc(ERROR_MAX);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, ERROR_MAX, fmt, ap);
    va_end(ap);
    cJSON *answer = failure(code, text);
    free(text);
    answer_request(req, answer);
}

// --- reading

static const struct rpc_method *find_method(const struct rpc_server *s, const char *name)
{
    for (const struct rpc_method *m = s->methods; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

static struct rpc_request *create_request(struct conn *c, cJSON *msg)
{
    struct rpc_request *req = xmalloc(sizeof(*req));

    req->s = c->s;
    req->conn = c;
    req->msg = msg;
    req->method = json_str(msg, "method", NULL);
    req->params = cJSON_GetObjectItemCaseSensitive(msg, "params");
    if (!req->params || cJSON_IsNull(req->params))
        req->params = req->none = cJSON_CreateObject();
    req->peer = c->peer;
    memcpy(req->user, c->user, sizeof(req->user));
    req->next = c->s->requests;
    if (req->next)
        req->next->prev = req;
    c->s->requests = req;
    c->pending = req;
    return req;
}

// What does not even look like a request says that the peer speaks something else.
static void refuse_line(struct conn *c, const char *why)
{
    c->ending = true;
    send_answer(c, failure("invalid", why));
    if (!c->closing)
        close_if_done(c);
}

static void take_line(struct conn *c, const char *text, size_t len)
{
    burst_error_t err = {""};
    char why[600];
    cJSON *msg = json_parse(text, len, &err);

    if (!cJSON_IsObject(msg) || !json_str(msg, "method", NULL)) {
        snprintf(why, sizeof(why), "not a request: %s",
                 msg ? "an object with the key \"method\" is expected" : err.text);
        cJSON_Delete(msg);
        refuse_line(c, why);
        return;
    }
    struct rpc_request *req = create_request(c, msg);
    const struct rpc_method *m = find_method(c->s, req->method);
    if (!cJSON_IsObject(req->params))
        rpc_fail(req, "invalid", "%.60s: \"params\" must be an object", req->method);
    else if (!m)
        rpc_fail(req, "invalid", "there is no method \"%.60s\"", req->method);
    else if (m->needs_operator && !conn_is_operator(c))
        rpc_fail(req, "denied",
                 "%s is for operators: root, %s, and who is listed under "
                 "\"operators\" in burst.yaml",
                 m->name, c->s->conf->slurm_user);
    else
        m->handler(c->s->arg, req);
}

static void on_again(uv_timer_t *t)
{
    process(t->data);
}

// Handles whole lines until one waits for its answer or others should have their turn.
static void process(struct conn *c)
{
    size_t taken = 0;
    int n = 0;

    c->processing = true;
    while (!c->pending && !c->ending && !c->closing) {
        size_t from = c->scanned > taken ? c->scanned : taken;
        char *nl = c->in.len > from ? memchr(c->in.data + from, '\n', c->in.len - from) : NULL;
        if (!nl) {
            c->scanned = c->in.len;
            break;
        }
        if (n++ == BATCH) {
            uv_timer_start(&c->again, on_again, 0, 0);
            break;
        }
        size_t start = taken;
        taken = (size_t)(nl - c->in.data) + 1;
        take_line(c, c->in.data + start, taken - 1 - start);
    }
    c->processing = false;
    if (taken > 0) {
        strbuf_consume(&c->in, taken);
        c->scanned = c->scanned > taken ? c->scanned - taken : 0;
    }
    if (c->closing)
        return;
    if (c->eof && !c->pending && !uv_is_active((uv_handle_t *)&c->again))
        c->ending = true;
    close_if_done(c);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct conn *c = h->data;

    // Used before control returns to the loop, so one buffer serves all.
    *buf = uv_buf_init(c->s->buf, sizeof(c->s->buf));
}

// The peer has closed both directions. With only its writing side closed (as `nc -N` does) it still
// wants the answer.
static bool hung_up(struct conn *c)
{
    uv_os_fd_t fd;
    struct pollfd p = {.events = 0};

    if (uv_fileno((uv_handle_t *)&c->pipe, &fd) < 0)
        return true;
    p.fd = fd;
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = stream->data;

    if (n == 0)
        return;
    if (n < 0) {
        uv_read_stop(stream);
        c->eof = true;
        if (n != UV_EOF || hung_up(c))
            close_conn(c);
        else
            process(c);
        return;
    }
    if (c->ending)
        return;
    if (strbuf_add(&c->in, buf->base, (size_t)n) < 0) {
        if (c->pending)
            close_conn(c);
        else
            refuse_line(c, "a request may have at most 1 MiB");
        return;
    }
    if (!c->pending && !uv_is_active((uv_handle_t *)&c->again))
        process(c);
}

// --- connections

static bool find_peer(struct conn *c)
{
    uv_os_fd_t fd;
    socklen_t len = sizeof(c->peer);

    if (uv_fileno((uv_handle_t *)&c->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->peer, &len) < 0)
        return false;
    find_user(c->peer.uid, c->user, sizeof(c->user));
    return true;
}

static bool too_many(struct conn *c)
{
    unsigned same = 0;

    if (c->s->n_conns > CONNECTIONS_MAX)
        return true;
    for (const struct conn *o = c->s->conns; o; o = o->next)
        same += o->peer.uid == c->peer.uid;
    if (same <= CONNECTIONS_USER && c->s->n_conns <= CONNECTIONS_OTHERS)
        return false;
    return !conn_is_operator(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct rpc_server *s = listener->data;
    struct conn *c;

    if (status < 0) {
        log_warn("rpc: %s: %s", s->path, uv_strerror(status));
        return;
    }
    c = xmalloc(sizeof(*c));
    c->s = s;
    strbuf_init(&c->in, REQUEST_MAX);
    uv_pipe_init(s->loop, &c->pipe, 0);
    uv_timer_init(s->loop, &c->stall);
    uv_timer_init(s->loop, &c->again);
    c->pipe.data = c->stall.data = c->again.data = c;
    c->handles = 3;
    s->handles++;
    c->next = s->conns;
    s->conns = c;
    s->n_conns++;
    if (uv_accept(listener, (uv_stream_t *)&c->pipe) < 0 || !find_peer(c)) {
        close_conn(c);
        return;
    }
    if (too_many(c)) {
        c->ending = true;
        send_answer(c, failure("busy", "burstd has too many connections; try again later"));
        if (!c->closing)
            close_if_done(c);
        return;
    }
    if (uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) < 0)
        close_conn(c);
}

// --- the socket

// Nobody listens at a socket file that refuses connections: its daemon has died.
static int remove_stale(const char *path, const struct sockaddr_un *a, burst_error_t *errp)
{
    struct stat st;
    int fd, err = 0;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : errprintf(errp, "%s: %s", path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return errprintf(errp, "%s: is no socket; remove it", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errprintf(errp, "socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0)
        err = errno;
    close(fd);
    if (err != ECONNREFUSED)
        return errprintf(errp, "%s: another burstd answers there", path);
    if (unlink(path) < 0)
        return errprintf(errp, "%s: cannot remove the socket of a dead burstd: %s", path,
                         strerror(errno));
    return 0;
}

static int bind_socket(const char *path, burst_error_t *errp)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(a.sun_path))
        return errprintf(errp, "%s: a socket's path has at most %zu characters", path,
                         sizeof(a.sun_path) - 1);
    memcpy(a.sun_path, path, strlen(path) + 1);
    if (remove_stale(path, &a, errp) < 0)
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errprintf(errp, "socket: %s", strerror(errno));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || chmod(path, 0666) < 0 ||
        listen(fd, BACKLOG) < 0) {
        errprintf(errp, "%s: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static void on_listener_closed(uv_handle_t *h)
{
    release_server(h->data);
}

struct rpc_server *rpc_server_create(uv_loop_t *loop, const char *path,
                                     const struct rpc_method *methods,
                                     const struct burst_conf *conf, void *arg, burst_error_t *errp)
{
    int fd = bind_socket(path, errp), rc;
    struct rpc_server *s;
    struct stat st;

    if (fd < 0)
        return NULL;
    s = xmalloc(sizeof(*s));
    s->loop = loop;
    s->path = xstrdup(path);
    s->methods = methods;
    s->conf = conf;
    s->generation = 1;
    s->arg = arg;
    s->stall_ms = STALL_MS;
    s->handles = 1;
    if (lstat(path, &st) == 0) {
        s->dev = st.st_dev;
        s->ino = st.st_ino;
    }
    uv_pipe_init(loop, &s->listener, 0);
    s->listener.data = s;
    rc = uv_pipe_open(&s->listener, fd);
    if (rc < 0)
        close(fd);
    else
        rc = uv_listen((uv_stream_t *)&s->listener, BACKLOG, on_connection);
    if (rc < 0) {
        errprintf(errp, "%s: %s", path, uv_strerror(rc));
        rpc_server_destroy(s);
        return NULL;
    }
    return s;
}

void rpc_server_set_conf(struct rpc_server *s, const struct burst_conf *conf)
{
    s->conf = conf;
    s->generation++;
}

void rpc_server_set_stall_ms(struct rpc_server *s, unsigned ms)
{
    s->stall_ms = ms;
}

unsigned rpc_server_connections(const struct rpc_server *s)
{
    return s->n_conns;
}

// Best effort: what the socket's buffer takes.
static void say_goodbye(struct rpc_request *req)
{
    size_t len;
    char *line = answer_line(failure("busy", "burstd is stopping"), &len);
    uv_buf_t buf = uv_buf_init(line, (unsigned)len);

    if (req->conn)
        uv_try_write((uv_stream_t *)&req->conn->pipe, &buf, 1);
    free(line);
}

void rpc_server_destroy(struct rpc_server *s)
{
    struct stat st;

    if (!s || s->stopping)
        return;
    s->stopping = true;
    if (lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
        unlink(s->path);
    for (struct rpc_request *r = s->requests; r; r = r->next)
        say_goodbye(r);
    while (s->conns)
        close_conn(s->conns);
    while (s->requests)
        free_request(s->requests);
    uv_close((uv_handle_t *)&s->listener, on_listener_closed);
}

// --- a request

const char *rpc_method_name(const struct rpc_request *req)
{
    return req->method;
}

const cJSON *rpc_params(const struct rpc_request *req)
{
    return req->params;
}

uid_t rpc_uid(const struct rpc_request *req)
{
    return req->peer.uid;
}

gid_t rpc_gid(const struct rpc_request *req)
{
    return req->peer.gid;
}

pid_t rpc_pid(const struct rpc_request *req)
{
    return req->peer.pid;
}

const char *rpc_user(const struct rpc_request *req)
{
    return req->user;
}

bool rpc_is_operator(const struct rpc_request *req)
{
    if (req->conn)
        return conn_is_operator(req->conn);
    return look_up_operator(req->s->conf, &req->peer, req->user);
}

bool rpc_may_see(const struct rpc_request *req, uid_t owner)
{
    return req->peer.uid == owner || rpc_is_operator(req);
}

bool rpc_client_gone(const struct rpc_request *req)
{
    return req->conn == NULL;
}

void rpc_on_gone(struct rpc_request *req, void (*gone)(void *gone_arg), void *gone_arg)
{
    req->gone = gone;
    req->gone_arg = gone_arg;
}
