// SPDX-License-Identifier: GPL-3.0-or-later
// An error with the class that burstd acts on.
#ifndef BURST_SSH_ERROR_H
#define BURST_SSH_ERROR_H

#include "libburst/error.h"

// The class is a constant string: refused timeout host_key auth command io space limit internal.
struct ssh_error {
    const char *errclass;
    burst_error_t e;
};

// Fills err and returns -1.
int ssh_fail(struct ssh_error *err, const char *errclass, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
