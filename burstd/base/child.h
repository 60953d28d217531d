// SPDX-License-Identifier: GPL-3.0-or-later
// A helper process that speaks JSON lines on stdin and stdout, on burstd's loop. What can block or
// abort (libslurm, GLPK, SSH) runs in one of these. Its stderr goes to the log, line by line.
#ifndef BURST_CHILD_H
#define BURST_CHILD_H

#include <stdbool.h>

#include <cjson/cJSON.h>
#include <uv.h>

#include "libburst/error.h"

struct child;

struct child_ops {
    // One object from the child; borrowed for the call.
    void (*line)(void *arg, const cJSON *msg);
    // The child is gone and its output has been read: exit status (or -1) and signal (or 0).
    // The child is destroyed after this call returns; it may be created anew inside it.
    void (*exited)(void *arg, int status, int signal);
};

// Starts argv[0] (an absolute path) with argv; name is for the log. A line over 4 MiB or one that
// is not a JSON object ends the child (SIGKILL). NULL on error.
struct child *child_create(uv_loop_t *loop, const char *name, char *const argv[],
                           const struct child_ops *ops, void *arg, burst_error_t *errp);

// Queues one line. The message is borrowed. -1 when the child has gone or 16 MiB are waiting.
int child_send(struct child *c, const cJSON *msg, burst_error_t *errp);

// Closes its stdin: the child finishes what it has and exits.
void child_close_stdin(struct child *c);

// Sends a signal; harmless when it has gone.
void child_kill(struct child *c, int signum);

// Kills it at once; no callback is called any more. NULL is allowed.
void child_destroy(struct child *c);

int child_pid(const struct child *c);

// Path of a helper: $BURST_LIBEXECDIR or the installed directory, plus name. Caller frees.
char *child_path(const char *name);

#endif
