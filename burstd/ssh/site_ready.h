// SPDX-License-Identifier: GPL-3.0-or-later
// What the site itself must have in order, so that a rented node can be prepared: looked at before
// anything is rented, because each failure after that costs a boot.
#ifndef BURST_SITE_READY_H
#define BURST_SITE_READY_H

#include "libburst/error.h"

struct site_needs {
    const char *munge_key, *ssh_key; // files that we must be able to read
    const char *slurm_conf;
};

// 0, or -1 with a sentence that names the file and what to do. Does not block; a few system calls.
int site_ready(const struct site_needs *needs, burst_error_t *errp);

#endif
