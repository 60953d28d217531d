// SPDX-License-Identifier: GPL-3.0-or-later
// See child.h. We fork ourselves instead of uv_spawn() because the child must set PR_SET_PDEATHSIG
// and drop every descriptor but 0-2 between fork and exec (libraries of ours may leak some); there
// is no hook for that in libuv. Only async-signal-safe calls are made there, burstd has threads.
//
// Life: running -> (reaped and both outputs at their end) -> exited() -> handles closed -> freed.
// A grandchild that holds the outputs open delays exited() by DRAIN_MS at most. What lies in the
// pipes then is read before exited(), however late the loop comes to it.
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define LINE_MAX_BYTES (4u << 20)
#define SEND_MAX_BYTES (16u << 20)
#define STDERR_LINE_MAX 1500
#define DRAIN_MS 500
#define DRAIN_ROUNDS 64 // of a grandchild that never stops to write

struct child {
    char *name;
    struct child_ops ops;
    void *arg;
    pid_t pid; // 0 once reaped
    int status, signal;
    uv_signal_t sigchld;
    uv_timer_t drain;
    uv_pipe_t in, out, err; // stdin, stdout and stderr of the child
    bool in_open, out_open, err_open, in_closing;
    bool muted;     // child_destroy() or a protocol error: no callback but exited() any more
    bool destroyed; // child_destroy(): no callback at all
    bool finished;  // exited() was called, handles are being closed
    bool heard;     // something was read since the last round of draining
    unsigned rounds;
    int handles; // not yet closed
    struct strbuf line;
    size_t scanned; // bytes of `line` known to have no line end
    char err_line[STDERR_LINE_MAX + 1];
    size_t err_len;
    size_t unsent;
    char buf[65536];
};

struct send_req {
    uv_write_t req;
    struct child *c;
    size_t len;
    char *data;
};

static void on_closed(uv_handle_t *h)
{
    struct child *c = h->data;

    if (--c->handles > 0)
        return;
    strbuf_free(&c->line);
    free(c->name);
    free(c);
}

static void close_handle(void *h)
{
    if (!uv_is_closing(h))
        uv_close(h, on_closed);
}

static void close_in(struct child *c)
{
    c->in_open = false;
    close_handle(&c->in);
}

static void finish(struct child *c)
{
    if (c->finished)
        return;
    c->finished = true;
    c->out_open = c->err_open = false;
    close_handle(&c->out);
    close_handle(&c->err);
    close_handle(&c->sigchld);
    close_handle(&c->drain);
    close_in(c);
    // Closing ends in the loop, so c lives until after this call.
    if (!c->destroyed && c->ops.exited)
        c->ops.exited(c->arg, c->status, c->signal);
}

static void finish_if_done(struct child *c)
{
    if (c->pid == 0 && (c->destroyed || (!c->out_open && !c->err_open)))
        finish(c);
}

static void protocol_error(struct child *c, const char *why)
{
    log_warn("%s: %s; ending it", c->name, why);
    c->muted = true;
    child_kill(c, SIGKILL);
}

static void take_line(struct child *c, const char *text, size_t len)
{
    burst_error_t err = {""};
    cJSON *msg = json_parse(text, len, &err);

    if (cJSON_IsObject(msg)) {
        if (c->ops.line)
            c->ops.line(c->arg, msg);
    } else {
        char why[600];
        snprintf(why, sizeof(why), "it wrote a line that is not a JSON object (%s)",
                 msg ? "another JSON value" : err.text);
        protocol_error(c, why);
    }
    cJSON_Delete(msg);
}

static void take_lines(struct child *c)
{
    size_t start = 0;
    char *nl;

    while (!c->muted && (nl = memchr(c->line.data + c->scanned, '\n', c->line.len - c->scanned))) {
        size_t end = (size_t)(nl - c->line.data);
        if (end - start > LINE_MAX_BYTES)
            break;
        take_line(c, c->line.data + start, end - start);
        start = c->scanned = end + 1;
    }
    if (c->muted) {
        strbuf_reset(&c->line);
        c->scanned = 0;
        return;
    }
    strbuf_consume(&c->line, start);
    c->scanned = c->line.len;
    if (c->line.len > LINE_MAX_BYTES)
        protocol_error(c, "it wrote a line of more than 4 MiB");
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct child *c = h->data;

    *buf = uv_buf_init(c->buf, sizeof(c->buf));
}

static void on_out(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct child *c = s->data;

    c->heard = c->heard || n > 0;
    if (n > 0 && !c->muted) {
        if (strbuf_add(&c->line, buf->base, (size_t)n) < 0)
            protocol_error(c, "it wrote a line of more than 4 MiB");
        else
            take_lines(c);
    }
    if (n >= 0)
        return;
    if (c->line.len > 0 && !c->muted)
        log_warn("%s: its last line was cut off", c->name);
    c->out_open = false;
    uv_read_stop(s);
    finish_if_done(c);
}

static void log_stderr(struct child *c)
{
    static const char *const bad[] = {"error", "warn", "fatal"};

    c->err_line[c->err_len] = '\0';
    c->err_len = 0;
    if (!c->err_line[0])
        return;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (strcasestr(c->err_line, bad[i])) {
            log_warn("%s: %s", c->name, c->err_line);
            return;
        }
    }
    log_info("%s: %s", c->name, c->err_line);
}

static void on_err(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct child *c = s->data;

    c->heard = c->heard || n > 0;
    for (ssize_t i = 0; i < n; i++) {
        if (buf->base[i] == '\n')
            log_stderr(c);
        else if (c->err_len < STDERR_LINE_MAX) // the rest of a longer line is dropped
            c->err_line[c->err_len++] = buf->base[i];
    }
    if (n >= 0)
        return;
    if (c->err_len)
        log_stderr(c);
    c->err_open = false;
    uv_read_stop(s);
    finish_if_done(c);
}

// A loop that was held up runs its timers before it reads: each round lets it read once more.
static void on_drained(uv_timer_t *t)
{
    struct child *c = t->data;

    if (c->rounds == 0 || (c->heard && c->rounds < DRAIN_ROUNDS)) {
        c->rounds++;
        c->heard = false;
        uv_timer_start(t, on_drained, 0, 0);
        return;
    }
    finish(c);
}

static void on_sigchld(uv_signal_t *h, int signum)
{
    struct child *c = h->data;
    int st;
    pid_t r;

    if (c->pid == 0)
        return;
    do
        r = waitpid(c->pid, &st, WNOHANG);
    while (r < 0 && errno == EINTR);
    if (r == 0)
        return;
    c->pid = 0;
    c->status = r > 0 && WIFEXITED(st) ? WEXITSTATUS(st) : -1;
    c->signal = r > 0 && WIFSIGNALED(st) ? WTERMSIG(st) : 0;
    uv_signal_stop(h);
    uv_update_time(h->loop); // a timer counts from the loop's cached time
    uv_timer_start(&c->drain, on_drained, DRAIN_MS, 0);
    finish_if_done(c);
}

// Between fork and exec: async-signal-safe calls only. Never returns.
static void child_side(pid_t parent, const int fds[3], int report, char *const argv[])
{
    sigset_t none;
    int e;

    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(127);
    // fds are all above 3 (see pipe_high), so no dup2 tramples another.
    for (int i = 0; i < 3; i++)
        if (dup2(fds[i], i) < 0)
            goto fail;
    if (dup2(report, 3) < 0)
        goto fail;
    fcntl(3, F_SETFD, FD_CLOEXEC);
    report = 3;
    if (syscall(SYS_close_range, 4u, ~0u, 0u) < 0)
        for (int fd = 4; fd < 65536; fd++)
            close(fd);
    execv(argv[0], argv);
fail:
    e = errno;
    if (write(report, &e, sizeof(e)) < 0)
        _exit(126);
    _exit(127);
}

// A pipe whose ends are above 3 and close on exec.
static int pipe_high(int fds[2])
{
    int low[2];

    if (pipe2(low, O_CLOEXEC) < 0)
        return -1;
    fds[0] = fcntl(low[0], F_DUPFD_CLOEXEC, 4);
    fds[1] = fds[0] < 0 ? -1 : fcntl(low[1], F_DUPFD_CLOEXEC, 4);
    int saved = errno;
    close(low[0]);
    close(low[1]);
    if (fds[1] < 0 && fds[0] >= 0)
        close(fds[0]);
    errno = saved;
    return fds[1] < 0 ? -1 : 0;
}

// Starts the process; ends[] receives our ends of its stdin, stdout and stderr.
static pid_t start(char *const argv[], int ends[3], burst_error_t *errp)
{
    int p[4][2], n, e = 0;
    pid_t pid = -1, self = getpid();

    for (n = 0; n < 4; n++)
        if (pipe_high(p[n]) < 0)
            break;
    if (n == 4) {
        const int theirs[3] = {p[0][0], p[1][1], p[2][1]};
        pid = fork();
        if (pid == 0)
            child_side(self, theirs, p[3][1], argv);
    }
    if (pid < 0) {
        errprintf(errp, "cannot start %s: %s", argv[0], strerror(errno));
        while (n-- > 0) {
            close(p[n][0]);
            close(p[n][1]);
        }
        return -1;
    }
    close(p[0][0]);
    close(p[1][1]);
    close(p[2][1]);
    close(p[3][1]);
    // Blocks until exec has closed the other end, well under a millisecond.
    ssize_t got;
    do
        got = read(p[3][0], &e, sizeof(e));
    while (got < 0 && errno == EINTR);
    close(p[3][0]);
    ends[0] = p[0][1];
    ends[1] = p[1][0];
    ends[2] = p[2][0];
    if (got != (ssize_t)sizeof(e))
        return pid;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    for (int i = 0; i < 3; i++)
        close(ends[i]);
    errprintf(errp, "cannot start %s: %s", argv[0], strerror(e));
    return -1;
}

struct child *child_create(uv_loop_t *loop, const char *name, char *const argv[],
                           const struct child_ops *ops, void *arg, burst_error_t *errp)
{
    struct child *c = xmalloc(sizeof(*c));
    int ends[3];

    signal(SIGPIPE, SIG_IGN); // a child that has gone shows as EPIPE
    c->name = xstrdup(name);
    c->ops = *ops;
    c->arg = arg;
    strbuf_init(&c->line, LINE_MAX_BYTES + sizeof(c->buf));
    // Watch before the fork: a child that dies at once must not be missed.
    uv_signal_init(loop, &c->sigchld);
    uv_timer_init(loop, &c->drain);
    uv_pipe_init(loop, &c->in, 0);
    uv_pipe_init(loop, &c->out, 0);
    uv_pipe_init(loop, &c->err, 0);
    c->handles = 5;
    c->sigchld.data = c->drain.data = c->in.data = c->out.data = c->err.data = c;
    int rc = uv_signal_start(&c->sigchld, on_sigchld, SIGCHLD);
    if (rc < 0)
        errprintf(errp, "cannot start %s: %s", argv[0], uv_strerror(rc));
    else
        c->pid = start(argv, ends, errp);
    if (rc < 0 || c->pid < 0) {
        c->pid = 0;
        c->destroyed = true;
        finish(c);
        return NULL;
    }
    uv_pipe_open(&c->in, ends[0]);
    uv_pipe_open(&c->out, ends[1]);
    uv_pipe_open(&c->err, ends[2]);
    c->in_open = c->out_open = c->err_open = true;
    uv_read_start((uv_stream_t *)&c->out, on_alloc, on_out);
    uv_read_start((uv_stream_t *)&c->err, on_alloc, on_err);
    return c;
}

static void on_sent(uv_write_t *req, int status)
{
    struct send_req *r = (struct send_req *)req;
    struct child *c = r->c;

    c->unsent -= r->len;
    free(r->data);
    free(r);
    if (c->in_closing && c->unsent == 0)
        close_in(c);
}

int child_send(struct child *c, const cJSON *msg, burst_error_t *errp)
{
    if (!c->in_open || c->in_closing || c->muted || c->pid == 0)
        return errprintf(errp, "%s has gone", c->name);
    char *text = json_line(msg);
    size_t len = strlen(text);
    if (c->unsent + len + 1 > SEND_MAX_BYTES) {
        cJSON_free(text);
        return errprintf(errp, "%s does not read what it is sent (%zu bytes wait)", c->name,
                         c->unsent);
    }
    struct send_req *r = xmalloc(sizeof(*r));
    r->c = c;
    r->len = len + 1;
    r->data = xmalloc(len + 1);
    memcpy(r->data, text, len);
    r->data[len] = '\n';
    cJSON_free(text);
    uv_buf_t b = uv_buf_init(r->data, (unsigned)r->len);
    int rc = uv_write(&r->req, (uv_stream_t *)&c->in, &b, 1, on_sent);
    if (rc < 0) {
        free(r->data);
        free(r);
        return errprintf(errp, "%s: %s", c->name, uv_strerror(rc));
    }
    c->unsent += r->len;
    return 0;
}

void child_close_stdin(struct child *c)
{
    if (!c->in_open || c->in_closing)
        return;
    c->in_closing = true;
    if (c->unsent == 0)
        close_in(c);
}

void child_kill(struct child *c, int signum)
{
    if (c->pid > 0)
        kill(c->pid, signum);
}

void child_destroy(struct child *c)
{
    if (!c || c->finished)
        return;
    c->muted = c->destroyed = true;
    child_kill(c, SIGKILL);
    uv_read_stop((uv_stream_t *)&c->out);
    uv_read_stop((uv_stream_t *)&c->err);
    // Reaped by on_sigchld; when that has been, the rest of its output is not waited for.
    finish_if_done(c);
}

int child_pid(const struct child *c)
{
    return (int)c->pid;
}

char *child_path(const char *name)
{
    const char *dir = getenv("BURST_LIBEXECDIR");

    return xasprintf("%s/%s", dir && dir[0] ? dir : BURST_LIBEXECDIR, name);
}
