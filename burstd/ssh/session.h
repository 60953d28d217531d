// SPDX-License-Identifier: GPL-3.0-or-later
// An SSH connection to a node over libssh2: non-blocking underneath, every wait bounded. The host
// key is compared with the pinned one before anything is sent; commands are constant strings.
#ifndef BURST_SSH_SESSION_H
#define BURST_SSH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "libburst/error.h"
#include "libburst/strbuf.h"
#include "ssh/request.h"

// An error with the class that burstd acts on: refused timeout host_key auth command io space limit
// internal. The class is a constant string.
struct ssh_error {
    const char *errclass;
    burst_error_t e;
};

// Fills err and returns -1.
int ssh_fail(struct ssh_error *err, const char *errclass, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

struct ssh_session;

// "ssh-ed25519 AAAA..." (a comment may follow) against the key that a server presented, as the wire
// encoding. False also when the text is no key.
bool ssh_host_key_equal(const char *pinned, const void *blob, size_t len);

// "TYPE BASE64" of a wire encoding; NULL when it is none. Caller frees.
char *ssh_host_key_text(const void *blob, size_t len);

// Connects and logs in, tries again until req->timeout_s. *host_key is the server's key (caller
// frees), also when the pinned one did not fit. NULL on error.
struct ssh_session *ssh_session_open(const struct ssh_request *req, char **host_key,
                                     struct ssh_error *err);
void ssh_session_close(struct ssh_session *s);

// One command with its data. Bytes go to its standard input from `head`, then from in_fd until its
// end, then (reply true) the line "ok" once the peer of out_fd has answered; then the input is
// closed. Its output goes to out_fd, or to `out` when out_fd is -1.
struct ssh_transfer {
    const char *head;
    size_t head_len;
    int in_fd;  // -1: none; non-blocking
    int out_fd; // -1: none; a non-blocking socket
    // Called with what the peer of out_fd sent (one line); NULL when nothing is expected. Returns
    // 0: confirm to the command, -1: give up (err is set by the callback).
    int (*answer)(void *arg, const char *line, struct ssh_error *err);
    void (*progress)(void *arg, int64_t bytes); // each second while streaming; may be NULL
    void *arg;
    int64_t limit_s; // 0: only idle_s bounds it
    int64_t idle_s;
    // results
    struct strbuf out;    // ceiling set by the caller
    struct strbuf errors; // standard error, the first 4 KiB
    int64_t bytes;        // streamed from in_fd or to out_fd
    int status;           // exit status; -1: ended by a signal
};

void ssh_transfer_init(struct ssh_transfer *t);
void ssh_transfer_free(struct ssh_transfer *t);

// Runs it to its end. 0: the command ended (see status).
int ssh_session_run(struct ssh_session *s, const char *command, struct ssh_transfer *t,
                    struct ssh_error *err);

#endif
