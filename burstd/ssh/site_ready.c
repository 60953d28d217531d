// SPDX-License-Identifier: GPL-3.0-or-later
// See site_ready.h.
#include "ssh/site_ready.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int readable(const char *path, const char *what, burst_error_t *errp)
{
    if (eaccess(path, R_OK) == 0)
        return 0;
    return errprintf(errp, "%s %s: %s (burstd, which runs as uid %u, must be able to read it)",
                     what, path, strerror(errno), (unsigned)geteuid());
}

int site_ready(const struct site_needs *needs, burst_error_t *errp)
{
    if (readable(needs->munge_key, "munge's key", errp) < 0 ||
        readable(needs->ssh_key, "the SSH key", errp) < 0)
        return -1;
    return readable(needs->slurm_conf, "slurm.conf", errp);
}
