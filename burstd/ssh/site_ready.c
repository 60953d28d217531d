// SPDX-License-Identifier: GPL-3.0-or-later
// See site_ready.h.
#include "ssh/site_ready.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int readable(const char *path, const char *what, burst_error_t *errp)
{
    if (eaccess(path, R_OK) == 0)
        return 0;
    return errprintf(errp, "%s %s: %s (burstd, which runs as uid %u, must be able to read it)",
                     what, path, strerror(errno), (unsigned)geteuid());
}

static int listens(const char *path, burst_error_t *errp)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd, rc, e;

    if (strlen(path) >= sizeof(a.sun_path))
        return errprintf(errp, "%s: too long for the name of a socket", path);
    memcpy(a.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return 0; // of our own trouble nothing follows for the site
    rc = connect(fd, (struct sockaddr *)&a, sizeof(a));
    e = errno;
    close(fd);
    if (rc == 0 || e == EAGAIN) // it has much to do
        return 0;
    return errprintf(errp, "burst-stagerd does not answer at %s: %s (is it running?)", path,
                     strerror(e));
}

int site_ready(const struct site_needs *needs, burst_error_t *errp)
{
    if (readable(needs->munge_key, "munge's key", errp) < 0 ||
        readable(needs->ssh_key, "the SSH key", errp) < 0 ||
        readable(needs->slurm_conf, "slurm.conf", errp) < 0)
        return -1;
    return needs->stage_socket ? listens(needs->stage_socket, errp) : 0;
}
