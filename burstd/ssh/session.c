// SPDX-License-Identifier: GPL-3.0-or-later
// See session.h. What libssh2 frees is wiped first: the munge key and the private key pass through
// its buffers.
#include "ssh/session.h"

#include <errno.h>
#include <fcntl.h>
#include <libssh2.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/xalloc.h"

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 2000
#define ATTEMPT_MS 10000 // one connection until its handshake is done
#define CHUNK 32000      // libssh2 sends at most 32700 bytes a packet
#define ERRORS_MAX 4096
#define ANSWER_MAX 8192
#define KEY_MAX 16384
#define HOST_KEY_MAX 16384

struct ssh_session {
    int fd;
    LIBSSH2_SESSION *ssh;
};

int ssh_fail(struct ssh_error *err, const char *errclass, const char *fmt, ...)
{
    va_list ap;

    err->errclass = errclass;
    va_start(ap, fmt);
    vsnprintf(err->e.text, sizeof(err->e.text), fmt, ap);
    va_end(ap);
    return -1;
}

// ---- host keys

static char *base64(const void *data, size_t len)
{
    char *out = xmalloc(4 * ((len + 2) / 3) + 1);

    EVP_EncodeBlock((unsigned char *)out, data, (int)len);
    return out;
}

char *ssh_host_key_text(const void *blob, size_t len)
{
    const unsigned char *b = blob;

    if (!blob || len < 5 || len > HOST_KEY_MAX)
        return NULL;
    size_t n = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    if (n < 1 || n > 64 || n > len - 4)
        return NULL;
    char *data = base64(blob, len), *text = xasprintf("%.*s %s", (int)n, (const char *)b + 4, data);
    free(data);
    return text;
}

bool ssh_host_key_equal(const char *pinned, const void *blob, size_t len)
{
    char *text = ssh_host_key_text(blob, len);
    size_t n = text ? strlen(text) : 0;
    // A comment behind the key, or a line end, does not matter.
    bool equal = text && pinned && strncmp(pinned, text, n) == 0 &&
                 (pinned[n] == '\0' || strchr(" \t\r\n", pinned[n]));

    free(text);
    return equal;
}

// ---- waiting

static void *alloc_cb(size_t n, void **abstract)
{
    (void)abstract;
    return malloc(n);
}

static void free_cb(void *p, void **abstract)
{
    (void)abstract;
    if (p)
        explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

static void *realloc_cb(void *p, size_t n, void **abstract)
{
    size_t have = p ? malloc_usable_size(p) : 0;
    void *q = malloc(n);

    if (!q)
        return NULL;
    if (p)
        memcpy(q, p, have < n ? have : n);
    free_cb(p, abstract);
    return q;
}

static int64_t left_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_mono_ms();

    return left > 0 ? left : 0;
}

// Waits until the connection can go on. -1 when the deadline has passed.
static int wait_ssh(struct ssh_session *s, int64_t deadline_ms)
{
    int dir = libssh2_session_block_directions(s->ssh);
    struct pollfd p = {.fd = s->fd, .events = POLLIN};

    if (dir & LIBSSH2_SESSION_BLOCK_OUTBOUND)
        p.events = (short)(p.events | POLLOUT);
    int n = poll(&p, 1, (int)left_ms(deadline_ms));
    return n > 0 || (n < 0 && errno == EINTR) ? 0 : -1;
}

// The last error of libssh2 as text; borrowed until the next call.
static const char *why(struct ssh_session *s)
{
    char *text = NULL;

    libssh2_session_last_error(s->ssh, &text, NULL, 0);
    return text && *text ? text : "the connection was lost";
}

// ---- connecting

enum attempt { OPEN, AGAIN, NEVER };

// A link that is cut is noticed after half a minute, however long a script may be silent.
static void dead_link(int fd)
{
    int one = 1, idle = 10, interval = 5, count = 4, user_ms = 30000;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms, sizeof(user_ms));
}

static int tcp_connect(const struct ssh_request *req, int64_t deadline_ms, struct ssh_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    char port[8];
    int fd, one = 1, error = 0;
    socklen_t size = sizeof(error);

    snprintf(port, sizeof(port), "%d", req->port);
    int rc = getaddrinfo(req->address, port, &hints, &list);
    if (rc != 0)
        return ssh_fail(err, "timeout", "%s: %s", req->address, gai_strerror(rc));
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        freeaddrinfo(list);
        return ssh_fail(err, "internal", "socket: %s", strerror(errno));
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    dead_link(fd);
    rc = connect(fd, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    if (rc < 0 && errno == EINPROGRESS) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        rc = poll(&p, 1, (int)left_ms(deadline_ms));
        if (rc == 0)
            errno = ETIMEDOUT;
        if (rc > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error)
            errno = error;
        rc = rc > 0 && !error ? 0 : -1;
    }
    if (rc == 0)
        return fd;
    error = errno;
    close(fd);
    return ssh_fail(err, error == ECONNREFUSED ? "refused" : "timeout",
                    "no SSH connection to %s port %d: %s", req->address, req->port,
                    strerror(error));
}

// Appends what this libssh2 knows of the methods to list. (What it does not know it would have to
// cut out itself, which libssh2 1.10 does with an overlapping memcpy.)
static void add_known(struct ssh_session *s, const char *method, char *list, size_t size)
{
    const char **known = NULL;
    int n = libssh2_session_supported_algs(s->ssh, LIBSSH2_METHOD_HOSTKEY, &known);
    size_t len = strlen(list);

    for (int i = 0; i < n; i++)
        if (strcmp(known[i], method) == 0)
            snprintf(list + len, size - len, "%s%s", len ? "," : "", method);
    if (n > 0)
        libssh2_free(s->ssh, known);
}

// ed25519 first, or only the kind of the pinned key.
static void prefer(struct ssh_session *s, const char *pinned)
{
    static const char *const methods[] = {"ssh-ed25519",
                                          "ecdsa-sha2-nistp256",
                                          "ecdsa-sha2-nistp384",
                                          "ecdsa-sha2-nistp521",
                                          "rsa-sha2-512",
                                          "rsa-sha2-256",
                                          "ssh-rsa"};
    char list[256] = "", type[64] = "";

    if (pinned && sscanf(pinned, "%63s", type) != 1)
        type[0] = '\0';
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        bool rsa = strcmp(type, "ssh-rsa") == 0 && strncmp(methods[i], "rsa-", 4) == 0;
        if (!type[0] || rsa || strcmp(type, methods[i]) == 0)
            add_known(s, methods[i], list, sizeof(list));
    }
    // Of a kind that it does not know the default stays, and the comparison decides.
    if (list[0])
        libssh2_session_method_pref(s->ssh, LIBSSH2_METHOD_HOSTKEY, list);
}

static enum attempt check_host_key(struct ssh_session *s, const struct ssh_request *req,
                                   char **host_key, struct ssh_error *err)
{
    size_t len = 0;
    int type = 0;
    const char *blob = libssh2_session_hostkey(s->ssh, &len, &type);

    free(*host_key);
    *host_key = ssh_host_key_text(blob, len);
    if (!*host_key) {
        ssh_fail(err, "host_key", "%s: the host key cannot be read", req->address);
        return NEVER;
    }
    if (!req->host_key || ssh_host_key_equal(req->host_key, blob, len))
        return OPEN;
    ssh_fail(err, "host_key",
             "%s presents another host key than the cloud reported for this instance (%.60s... "
             "instead of %.60s...): somebody else may be answering there",
             req->address, *host_key, req->host_key);
    return NEVER;
}

static enum attempt handshake(struct ssh_session *s, const struct ssh_request *req,
                              int64_t deadline_ms, struct ssh_error *err)
{
    int rc;

    while ((rc = libssh2_session_handshake(s->ssh, s->fd)) == LIBSSH2_ERROR_EAGAIN) {
        if (wait_ssh(s, deadline_ms) < 0) {
            ssh_fail(err, "timeout", "%s port %d: connected, but SSH does not answer", req->address,
                     req->port);
            return AGAIN;
        }
    }
    if (rc == 0)
        return OPEN;
    // sshd may be starting or ending just now: a reset is no answer yet.
    ssh_fail(err, "timeout", "%s port %d: no SSH handshake: %s%s", req->address, req->port, why(s),
             rc == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE || rc == LIBSSH2_ERROR_KEX_FAILURE
                 ? " (the node needs an ed25519 or ECDSA host key)"
                 : "");
    return AGAIN;
}

static enum attempt log_in(struct ssh_session *s, const struct ssh_request *req, const char *key,
                           size_t key_len, int64_t deadline_ms, struct ssh_error *err)
{
    int rc;

    while ((rc = libssh2_userauth_publickey_frommemory(s->ssh, req->user, strlen(req->user), NULL,
                                                       0, key, key_len, NULL)) ==
           LIBSSH2_ERROR_EAGAIN) {
        if (wait_ssh(s, deadline_ms) < 0) {
            ssh_fail(err, "timeout", "%s: no answer to the login", req->address);
            return AGAIN;
        }
    }
    if (rc == 0)
        return OPEN;
    if (rc == LIBSSH2_ERROR_FILE) {
        ssh_fail(err, "internal",
                 "%s is not a private key that can be used (an ed25519 key "
                 "without passphrase, made by ssh-keygen -t ed25519, can)",
                 req->key_file);
        return NEVER;
    }
    ssh_fail(err,
             rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED || rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED
                 ? "auth"
                 : "timeout",
             "%s does not let %s in with the key %s: %s", req->address, req->user, req->key_file,
             why(s));
    return AGAIN;
}

static enum attempt attempt(struct ssh_session *s, const struct ssh_request *req, const char *key,
                            size_t key_len, int64_t deadline_ms, char **host_key,
                            struct ssh_error *err)
{
    int64_t until = clock_mono_ms() + ATTEMPT_MS;

    if (until > deadline_ms)
        until = deadline_ms;
    s->fd = tcp_connect(req, until, err);
    if (s->fd < 0)
        return AGAIN;
    s->ssh = libssh2_session_init_ex(alloc_cb, free_cb, realloc_cb, NULL);
    if (!s->ssh) {
        ssh_fail(err, "internal", "libssh2: no session");
        return NEVER;
    }
    libssh2_session_set_blocking(s->ssh, 0);
    prefer(s, req->host_key);
    enum attempt a = handshake(s, req, until, err);
    if (a == OPEN)
        a = check_host_key(s, req, host_key, err);
    if (a == OPEN)
        a = log_in(s, req, key, key_len, until, err);
    return a;
}

static void drop(struct ssh_session *s)
{
    if (s->ssh)
        libssh2_session_free(s->ssh);
    if (s->fd >= 0)
        close(s->fd);
    s->ssh = NULL;
    s->fd = -1;
}

struct ssh_session *ssh_session_open(const struct ssh_request *req, char **host_key,
                                     struct ssh_error *err)
{
    struct ssh_session *s = xmalloc(sizeof(*s));
    int64_t deadline = clock_mono_ms() + req->timeout_s * 1000, auth_until = 0;
    int64_t pause = RETRY_MIN_MS;
    enum attempt a = NEVER;
    char *key = NULL;
    size_t key_len = 0;

    s->fd = -1;
    *host_key = NULL;
    if (fs_read_secret(req->key_file, KEY_MAX, &key, &key_len, &err->e) < 0)
        err->errclass = "internal";
    else if (libssh2_init(0) != 0)
        ssh_fail(err, "internal", "libssh2 does not start");
    else
        while ((a = attempt(s, req, key, key_len, deadline, host_key, err)) == AGAIN) {
            drop(s);
            if (strcmp(err->errclass, "auth") == 0) {
                if (!auth_until)
                    auth_until = clock_mono_ms() + req->auth_timeout_s * 1000;
                if (clock_mono_ms() + pause >= auth_until)
                    break;
            }
            if (clock_mono_ms() + pause >= deadline) {
                errprefix(&err->e, "gave up after %lld s", (long long)req->timeout_s);
                break;
            }
            poll(NULL, 0, (int)pause);
            pause = pause * 3 / 2 < RETRY_MAX_MS ? pause * 3 / 2 : RETRY_MAX_MS;
        }
    fs_wipe(key, key_len);
    if (a == OPEN)
        return s;
    drop(s);
    free(s);
    return NULL;
}

void ssh_session_close(struct ssh_session *s)
{
    if (!s)
        return;
    // One packet, without waiting for it to be sent: the process ends next.
    libssh2_session_disconnect(s->ssh, "done");
    drop(s);
    libssh2_exit();
    free(s);
}

// ---- a command and its data

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
    return libssh2_session_block_directions(r->s->ssh) & LIBSSH2_SESSION_BLOCK_OUTBOUND;
}

static int lost(struct run *r, const char *what, struct ssh_error *err)
{
    return ssh_fail(err, "timeout", "the connection to the node broke while %s: %s", what,
                    why(r->s));
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
    struct pollfd p[3] = {{.fd = r->s->fd, .events = POLLIN}, {.fd = -1}, {.fd = -1}};
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
    int64_t until = clock_mono_ms() + ATTEMPT_MS;

    while (!(r->ch = libssh2_channel_open_session(s->ssh))) {
        if (libssh2_session_last_errno(s->ssh) != LIBSSH2_ERROR_EAGAIN)
            return lost(r, "a channel was opened", err);
        if (wait_ssh(s, until) < 0)
            return ssh_fail(err, "timeout", "the node does not open a channel");
    }
    while ((rc = libssh2_channel_exec(r->ch, command)) == LIBSSH2_ERROR_EAGAIN)
        if (wait_ssh(s, until) < 0)
            return ssh_fail(err, "timeout", "the node does not start a command");
    return rc == 0 ? 0 : ssh_fail(err, "command", "the node starts no command: %s", why(s));
}

static int close_channel(struct ssh_session *s, struct run *r, struct ssh_error *err)
{
    int rc;
    int64_t until = clock_mono_ms() + ATTEMPT_MS;

    while ((rc = libssh2_channel_close(r->ch)) == LIBSSH2_ERROR_EAGAIN)
        if (wait_ssh(s, until) < 0)
            break;
    while (rc == 0 && (rc = libssh2_channel_wait_closed(r->ch)) == LIBSSH2_ERROR_EAGAIN)
        if (wait_ssh(s, until) < 0)
            break;
    if (rc != 0)
        return lost(r, "the command ended", err);
    char *signal = NULL;
    libssh2_channel_get_exit_signal(r->ch, &signal, NULL, NULL, NULL, NULL, NULL);
    r->t->status = signal ? -1 : libssh2_channel_get_exit_status(r->ch);
    if (signal)
        libssh2_free(s->ssh, signal);
    return 0;
}

int ssh_session_run(struct ssh_session *s, const char *command, struct ssh_transfer *t,
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
