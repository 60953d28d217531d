// SPDX-License-Identifier: GPL-3.0-or-later
// See session.h. What libssh2 frees is wiped first: the munge key and the private key pass through
// its buffers.
#include "ssh/session.h"

#include <errno.h>
#include <libssh2.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/xalloc.h"
#include "ssh/host_key.h"
#include "ssh/tcp.h"

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 2000
#define ATTEMPT_MS 10000 // one connection until its handshake is done
#define KEY_MAX 16384

struct ssh_session {
    int fd;
    LIBSSH2_SESSION *ssh;
};

// ---- memory that is wiped

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

// ---- for those who use the connection

int ssh_session_fd(const struct ssh_session *s)
{
    return s->fd;
}

LIBSSH2_SESSION *ssh_session_libssh2(const struct ssh_session *s)
{
    return s->ssh;
}

int ssh_session_wait(struct ssh_session *s, int64_t deadline_ms)
{
    int dir = libssh2_session_block_directions(s->ssh);
    struct pollfd p = {.fd = s->fd, .events = POLLIN};

    if (dir & LIBSSH2_SESSION_BLOCK_OUTBOUND)
        p.events = (short)(p.events | POLLOUT);
    int n = poll(&p, 1, (int)tcp_left_ms(deadline_ms));
    return n > 0 || (n < 0 && errno == EINTR) ? 0 : -1;
}

const char *ssh_session_why(struct ssh_session *s)
{
    char *text = NULL;

    libssh2_session_last_error(s->ssh, &text, NULL, 0);
    return text && *text ? text : "the connection was lost";
}

// ---- connecting

enum attempt { OPEN, AGAIN, NEVER };

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
        if (ssh_session_wait(s, deadline_ms) < 0) {
            ssh_fail(err, "timeout", "%s port %d: connected, but SSH does not answer", req->address,
                     req->port);
            return AGAIN;
        }
    }
    if (rc == 0)
        return OPEN;
    // sshd may be starting or ending just now: a reset is no answer yet.
    ssh_fail(err, "timeout", "%s port %d: no SSH handshake: %s%s", req->address, req->port,
             ssh_session_why(s),
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
        if (ssh_session_wait(s, deadline_ms) < 0) {
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
             ssh_session_why(s));
    return AGAIN;
}

static enum attempt attempt(struct ssh_session *s, const struct ssh_request *req, const char *key,
                            size_t key_len, int64_t deadline_ms, char **host_key,
                            struct ssh_error *err)
{
    int64_t until = clock_mono_ms() + ATTEMPT_MS;

    if (until > deadline_ms)
        until = deadline_ms;
    s->fd = tcp_connect(req->address, req->port, until, err);
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
    // A transfer that was given up has left a channel with a packet under way: libssh2 would want
    // to send the rest of it first, and come back with EAGAIN and all of its memory.
    if (s->ssh && s->fd >= 0)
        shutdown(s->fd, SHUT_RDWR);
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
