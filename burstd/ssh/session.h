// SPDX-License-Identifier: GPL-3.0-or-later
// An SSH connection to a node over libssh2: non-blocking underneath, every wait bounded. The host
// key is compared with the pinned one before anything is sent.
#ifndef BURST_SSH_SESSION_H
#define BURST_SSH_SESSION_H

#include <stdint.h>

#include "ssh/request.h"
#include "ssh/ssh_error.h"

struct ssh_session;
struct _LIBSSH2_SESSION; // of libssh2.h

// Connects and logs in, tries again until req->timeout_s. *host_key is the server's key (caller
// frees), also when the pinned one did not fit. NULL on error.
struct ssh_session *ssh_session_open(const struct ssh_request *req, char **host_key,
                                     struct ssh_error *err);
void ssh_session_close(struct ssh_session *s); // NULL is allowed

// For transfer.c, which runs commands over it. What is beneath stays the session's.
int ssh_session_fd(const struct ssh_session *s);
struct _LIBSSH2_SESSION *ssh_session_libssh2(const struct ssh_session *s);

// Waits until the connection can go on; the deadline is a time of clock_mono_ms(). -1 when it has
// passed.
int ssh_session_wait(struct ssh_session *s, int64_t deadline_ms);

// The last error of libssh2 as text; borrowed until the next call.
const char *ssh_session_why(struct ssh_session *s);

#endif
