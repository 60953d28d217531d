// SPDX-License-Identifier: GPL-3.0-or-later
// The output of another program, started without a shell.
#ifndef BURST_CMD_CAPTURE_H
#define BURST_CMD_CAPTURE_H

#include <stddef.h>

#include "libburst/error.h"

struct passwd;

// Runs argv[0] (found on PATH) with stdin from /dev/null and reads its stdout, at most max bytes,
// for at most timeout_ms. *out is owned by the caller and terminated. -1 when it cannot be started,
// is too slow or too talkative (it is killed then) or exits with another status than 0 (errp has
// the last line that it wrote on stderr).
int capture(char *const argv[], int timeout_ms, size_t max, char **out, burst_error_t *errp);

// The same as another user (only root can; NULL = as we are). *len: bytes in *out.
int capture_as(const struct passwd *as, char *const argv[], int timeout_ms, size_t max, char **out,
               size_t *len, burst_error_t *errp);

#endif
