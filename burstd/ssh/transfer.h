// SPDX-License-Identifier: GPL-3.0-or-later
// One command on a node, with the data that goes to it and comes from it. Commands are constant
// strings; every wait is bounded.
#ifndef BURST_SSH_TRANSFER_H
#define BURST_SSH_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

#include "libburst/strbuf.h"
#include "ssh/session.h"
#include "ssh/ssh_error.h"

// Bytes go to the command's standard input from `head`, then from in_fd until its end, then (with
// `answer`) the line "ok" once the peer of out_fd has answered; then the input is closed. Its
// output goes to out_fd, or to `out` when out_fd is -1.
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
    int64_t limit_s; // of the command as a whole; 0: only idle_s bounds it
    int64_t idle_s;  // so long may nothing move
    // results
    struct strbuf out;    // ceiling set by the caller
    struct strbuf errors; // standard error, the first 4 KiB
    int64_t bytes;        // streamed from in_fd or to out_fd
    int status;           // exit status; -1: ended by a signal
};

void ssh_transfer_init(struct ssh_transfer *t); // no data, idle_s 60
void ssh_transfer_free(struct ssh_transfer *t);

// Runs it to its end. 0: the command ended (see status). -1: class timeout (a bound was reached,
// the connection broke), command (it was not started, its output is too long), io, internal, or
// what the callback said.
int ssh_transfer_run(struct ssh_session *s, const char *command, struct ssh_transfer *t,
                     struct ssh_error *err);

#endif
