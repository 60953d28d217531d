// SPDX-License-Identifier: GPL-3.0-or-later
// See rpc_server.h.
//
// Life of a connection: reading -> (end of input, error, or a bad request) ending: what is queued
// is still written -> closing -> freed in the close callback of its last handle. A request lives
// until it is answered, also when its connection has gone: conn is NULL then.
#include "rpc/rpc_server_inside.h"

#include <sys/resource.h>

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
    c->pipe.data = c->stall.data = c;
    c->handles = 2;
    s->handles++;
    c->next = s->conns;
    s->conns = c;
    s->n_conns++;
    s->in_pool[POOL_NONE]++;
    if (uv_accept(listener, (uv_stream_t *)&c->pipe) < 0 || !rpc_find_peer(c)) {
        rpc_close_conn(c);
        return;
    }
    if (!rpc_admit(c)) {
        c->ending = true;
        rpc_send_answer(c, rpc_failure("busy", "burstd has too many connections; try again later"));
        if (!c->closing)
            rpc_close_if_done(c);
        return;
    }
    if (uv_read_start((uv_stream_t *)&c->pipe, rpc_on_alloc, rpc_on_read) < 0)
        rpc_close_conn(c);
}

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

static void on_own_closed(uv_handle_t *h)
{
    rpc_release_server(h->data);
}

struct rpc_server *rpc_server_create(uv_loop_t *loop, const char *path,
                                     const struct rpc_method *methods,
                                     const struct burst_conf *conf, void *arg, burst_error_t *errp)
{
    int fd = bind_socket(path, errp), rc;
    struct rpc_server *s;
    struct rlimit files;
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
    s->handles = 2;
    s->limits = rpc_limits_for(getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : 1024);
    if (lstat(path, &st) == 0) {
        s->dev = st.st_dev;
        s->ino = st.st_ino;
    }
    uv_pipe_init(loop, &s->listener, 0);
    uv_idle_init(loop, &s->turns);
    s->listener.data = s->turns.data = s;
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

void rpc_server_set_limits(struct rpc_server *s, const struct rpc_limits *limits)
{
    s->limits = *limits;
}

unsigned rpc_server_connections(const struct rpc_server *s)
{
    return s->n_conns;
}

// Best effort: what the socket's buffer takes.
static void say_goodbye(struct rpc_request *req)
{
    char *line = rpc_answer_line(rpc_failure("busy", "burstd is stopping"));
    uv_buf_t buf = uv_buf_init(line, (unsigned)strlen(line));

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
        rpc_close_conn(s->conns);
    while (s->requests)
        rpc_free_request(s->requests);
    rpc_forget_all(s);
    uv_close((uv_handle_t *)&s->turns, on_own_closed);
    uv_close((uv_handle_t *)&s->listener, on_own_closed);
}
