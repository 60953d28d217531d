// SPDX-License-Identifier: GPL-3.0-or-later
// See transfer.h. The bytes may be a munge key: their copies here are wiped.
#include "ssh/transfer.h"

#include <errno.h>
#include <libssh2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/xalloc.h"

#define CHANNEL_MS 10000 // to open a channel, to close it
#define CHUNK 32000      // libssh2 sends at most 32700 bytes a packet
#define ERRORS_MAX 4096
#define ANSWER_MAX 8192

void ssh_transfer_init(struct ssh_transfer *t)
{
    memset(t, 0, sizeof(*t));
    t->in_fd = t->out_fd = -1;
    t->idle_s = 60;
    strbuf_init(&t->out, 65536);
    strbuf_init(&t->errors, ERRORS_MAX);
}

void ssh_transfer_free(struct ssh_transfer *t)
{
    strbuf_free(&t->out);
    strbuf_free(&t->errors);
}

struct run {
    struct ssh_session *s;
    struct ssh_transfer *t;
    LIBSSH2_CHANNEL *ch;
    char in[CHUNK];
    size_t in_off, in_len; // waiting to be sent to the command
    bool in_end;           // no more from head and in_fd
    bool eof_sent;
    char out[CHUNK];
    size_t out_off, out_len; // waiting to be written to out_fd
    bool out_end;            // the command's output has ended and is written
    char answer[ANSWER_MAX];
    size_t answer_len;
    bool answered, refused;
    // libssh2 has part of a packet in hand: the same call must be repeated before any other.
    enum { FREE, WRITING, READING } busy;
    int64_t deadline, last_move, last_report;
};

static bool blocked_outbound(struct run *r)
{
    return libssh2_session_block_directions(ssh_session_libssh2(r->s)) &
           LIBSSH2_SESSION_BLOCK_OUTBOUND;
}

static int lost(struct run *r, const char *what, struct ssh_error *err)
{
    return ssh_fail(err, "timeout", "the connection to the node broke while %s: %s", what,
                    ssh_session_why(r->s));
}

// Each step returns 1: something moved, 0: nothing to do now, -1: error.

static int fill(struct run *r, struct ssh_error *err)
{
    struct ssh_transfer *t = r->t;

    if (r->in_len > 0 || r->in_end)
        return 0;
    r->in_off = 0;
    if (t->head_len > 0) {
        r->in_len = t->head_len < CHUNK ? t->head_len : CHUNK;
        memcpy(r->in, t->head, r->in_len);
        t->head += r->in_len;
        t->head_len -= r->in_len;
        return 1;
    }
    if (t->in_fd < 0) {
        r->in_end = true;
        return 1;
    }
    ssize_t n = read(t->in_fd, r->in, CHUNK);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        return ssh_fail(err, "io", "reading from burst-stagerd: %s", strerror(errno));
    if (n == 0)
        r->in_end = true;
    r->in_len = (size_t)n;
    t->bytes += n;
    return 1;
}

static int send_some(struct run *r, struct ssh_error *err)
{
    if (r->in_len == 0 || r->eof_sent || r->busy == READING)
        return 0;
    ssize_t n = libssh2_channel_write(r->ch, r->in + r->in_off, r->in_len);
    r->busy = n == LIBSSH2_ERROR_EAGAIN && blocked_outbound(r) ? WRITING : FREE;
    if (n == LIBSSH2_ERROR_EAGAIN || n == 0)
        return 0;
    if (n < 0) {
        // The command ended without reading all: its own message says why.
        if (libssh2_channel_eof(r->ch)) {
            r->in_len = 0;
            r->in_end = true;
            return 1;
        }
        return lost(r, "data was sent", err);
    }
    r->in_off += (size_t)n;
    r->in_len -= (size_t)n;
    return 1;
}

static int send_end(struct run *r, struct ssh_error *err)
{
    bool wait = r->t->answer && !r->answered;

    if (!r->in_end || r->in_len > 0 || r->eof_sent || wait || r->busy == READING)
        return 0;
    int rc = libssh2_channel_send_eof(r->ch);
    r->busy = rc == LIBSSH2_ERROR_EAGAIN ? WRITING : FREE;
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (rc < 0 && !libssh2_channel_eof(r->ch))
        return lost(r, "data was sent", err);
    r->eof_sent = true;
    return 1;
}

static int receive(struct run *r, struct ssh_error *err)
{
    struct ssh_transfer *t = r->t;
    char buf[1024];

    if (r->busy == WRITING)
        return 0;
    if (r->out_len == 0 && !r->out_end) {
        ssize_t n = libssh2_channel_read(r->ch, r->out, CHUNK);
        r->busy = n == LIBSSH2_ERROR_EAGAIN && blocked_outbound(r) ? READING : FREE;
        if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
            return lost(r, "data was received", err);
        if (n > 0) {
            r->out_off = 0;
            r->out_len = (size_t)n;
            return 1;
        }
        if (r->busy == READING)
            return 0;
    }
    ssize_t n = libssh2_channel_read_stderr(r->ch, buf, sizeof(buf));
    r->busy = n == LIBSSH2_ERROR_EAGAIN && blocked_outbound(r) ? READING : FREE;
    if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
        return lost(r, "messages were received", err);
    if (n > 0) {
        size_t room = ERRORS_MAX - t->errors.len;
        strbuf_add(&t->errors, buf, (size_t)n < room ? (size_t)n : room);
        return 1;
    }
    return 0;
}

static int deliver(struct run *r, struct ssh_error *err)
{
    struct ssh_transfer *t = r->t;

    if (r->out_len > 0 && (t->out_fd < 0 || r->answered)) {
        // After the answer (the archive's end was seen) only padding can follow.
        if (t->out_fd < 0 && strbuf_add(&t->out, r->out + r->out_off, r->out_len) < 0)
            return ssh_fail(err, "command", "the node's answer is too long");
        r->out_len = 0;
        return 1;
    }
    if (r->out_len > 0) {
        ssize_t n = send(t->out_fd, r->out + r->out_off, r->out_len, MSG_NOSIGNAL);
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET) && t->answer) {
            r->out_len = 0; // it stopped reading: the answer says why
            return 1;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return ssh_fail(err, "internal", "writing to burst-stagerd: %s", strerror(errno));
        if (n <= 0)
            return 0;
        r->out_off += (size_t)n;
        r->out_len -= (size_t)n;
        t->bytes += n;
        return 1;
    }
    if (!r->out_end && libssh2_channel_eof(r->ch)) {
        r->out_end = true;
        if (t->out_fd >= 0)
            shutdown(t->out_fd, SHUT_WR);
        return 1;
    }
    return 0;
}

static int listen_answer(struct run *r, struct ssh_error *err)
{
    struct ssh_transfer *t = r->t;

    if (!t->answer || r->answered)
        return 0;
    ssize_t n = recv(t->out_fd, r->answer + r->answer_len, ANSWER_MAX - 1 - r->answer_len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n > 0)
        r->answer_len += (size_t)n;
    r->answer[r->answer_len] = '\0';
    char *end = strchr(r->answer, '\n');
    if (!end && n > 0 && r->answer_len < ANSWER_MAX - 1)
        return 1;
    if (!end)
        return ssh_fail(err, "internal", "burst-stagerd ended without an answer");
    *end = '\0';
    r->answered = true;
    if (t->answer(t->arg, r->answer, err) < 0) {
        // When the command had ended before, its own message is the better one.
        r->refused = true;
        return r->out_end ? 1 : -1;
    }
    memcpy(r->in, "ok\n", 3);
    r->in_off = 0;
    r->in_len = 3;
    return 1;
}

static int wait_run(struct run *r, struct ssh_error *err)
{
    struct ssh_transfer *t = r->t;
    struct pollfd p[3] = {{.fd = ssh_session_fd(r->s), .events = POLLIN}, {.fd = -1}, {.fd = -1}};
    int64_t now = clock_mono_ms(), until = r->last_move + t->idle_s * 1000;

    if (r->deadline && r->deadline < until)
        until = r->deadline;
    if (now >= until && r->deadline == until)
        return ssh_fail(err, "timeout", "the node's script did not end within %lld s",
                        (long long)t->limit_s);
    if (now >= until)
        return ssh_fail(err, "timeout", "no byte came or went for %lld s", (long long)t->idle_s);
    if (blocked_outbound(r))
        p[0].events = POLLIN | POLLOUT;
    if (t->in_fd >= 0 && r->in_len == 0 && !r->in_end)
        p[1] = (struct pollfd){.fd = t->in_fd, .events = POLLIN};
    if (t->out_fd >= 0 && ((t->answer && !r->answered) || r->out_len > 0))
        p[2] = (struct pollfd){.fd = t->out_fd,
                               .events = (short)((t->answer && !r->answered ? POLLIN : 0) |
                                                 (r->out_len > 0 ? POLLOUT : 0))};
    int64_t ms = until - now;
    if (t->progress && ms > 1000)
        ms = 1000;
    poll(p, 3, (int)ms);
    return 0;
}

static void report(struct run *r)
{
    int64_t now = clock_mono_ms();

    if (r->t->progress && now - r->last_report >= 1000) {
        r->last_report = now;
        r->t->progress(r->t->arg, r->t->bytes);
    }
}

static int pump(struct run *r, struct ssh_error *err)
{
    int (*const steps[])(struct run *, struct ssh_error *) = {fill,    send_some, send_end,
                                                              receive, deliver,   listen_answer};

    r->last_move = r->last_report = clock_mono_ms();
    // The command has ended when its output has, and nothing is owed to it any more.
    while (!r->out_end || (r->t->answer && !r->answered) || (r->in_len > 0 && r->answered)) {
        bool moved = false;
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            int rc = steps[i](r, err);
            if (rc < 0)
                return -1;
            moved = moved || rc > 0;
        }
        report(r);
        if (moved)
            r->last_move = clock_mono_ms();
        else if (wait_run(r, err) < 0)
            return -1;
    }
    return 0;
}

static int open_channel(struct ssh_session *s, const char *command, struct run *r,
                        struct ssh_error *err)
{
    int rc;
    int64_t until = clock_mono_ms() + CHANNEL_MS;

    while (!(r->ch = libssh2_channel_open_session(ssh_session_libssh2(s)))) {
        if (libssh2_session_last_errno(ssh_session_libssh2(s)) != LIBSSH2_ERROR_EAGAIN)
            return lost(r, "a channel was opened", err);
        if (ssh_session_wait(s, until) < 0)
            return ssh_fail(err, "timeout", "the node does not open a channel");
    }
    while ((rc = libssh2_channel_exec(r->ch, command)) == LIBSSH2_ERROR_EAGAIN)
        if (ssh_session_wait(s, until) < 0)
            return ssh_fail(err, "timeout", "the node does not start a command");
    return rc == 0 ? 0
                   : ssh_fail(err, "command", "the node starts no command: %s", ssh_session_why(s));
}

static int close_channel(struct ssh_session *s, struct run *r, struct ssh_error *err)
{
    int rc;
    int64_t until = clock_mono_ms() + CHANNEL_MS;

    while ((rc = libssh2_channel_close(r->ch)) == LIBSSH2_ERROR_EAGAIN)
        if (ssh_session_wait(s, until) < 0)
            break;
    while (rc == 0 && (rc = libssh2_channel_wait_closed(r->ch)) == LIBSSH2_ERROR_EAGAIN)
        if (ssh_session_wait(s, until) < 0)
            break;
    if (rc != 0)
        return lost(r, "the command ended", err);
    char *signal = NULL;
    libssh2_channel_get_exit_signal(r->ch, &signal, NULL, NULL, NULL, NULL, NULL);
    r->t->status = signal ? -1 : libssh2_channel_get_exit_status(r->ch);
    if (signal)
        libssh2_free(ssh_session_libssh2(s), signal);
    return 0;
}

int ssh_transfer_run(struct ssh_session *s, const char *command, struct ssh_transfer *t,
                     struct ssh_error *err)
{
    struct run *r = xmalloc(sizeof(*r));
    int rc;

    r->s = s;
    r->t = t;
    r->deadline = t->limit_s ? clock_mono_ms() + t->limit_s * 1000 : 0;
    rc = open_channel(s, command, r, err);
    if (rc == 0)
        rc = pump(r, err);
    if (rc == 0)
        rc = close_channel(s, r, err);
    if (rc == 0 && r->refused && t->status == 0)
        rc = -1;                   // err is what the answer said
    explicit_bzero(r, sizeof(*r)); // libssh2 frees the channel with the session
    free(r);
    return rc;
}
