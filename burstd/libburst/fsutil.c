// SPDX-License-Identifier: GPL-3.0-or-later
#include "libburst/fsutil.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libburst/xalloc.h"

static int read_fd(int fd, const char *path, size_t max, char **out, size_t *len,
                   burst_error_t *errp)
{
    struct stat st;
    char *data;
    size_t have = 0;

    if (fstat(fd, &st) < 0)
        return errprintf(errp, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return errprintf(errp, "%s: not a regular file", path);
    if ((size_t)st.st_size > max)
        return errprintf(errp, "%s: larger than the %zu bytes that are allowed here", path, max);
    data = xmalloc((size_t)st.st_size + 1);
    while (have < (size_t)st.st_size) {
        ssize_t n = read(fd, data + have, (size_t)st.st_size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(data);
            return errprintf(errp, "%s: %s", path, strerror(errno));
        }
        if (n == 0)
            break;
        have += (size_t)n;
    }
    data[have] = '\0';
    *out = data;
    if (len)
        *len = have;
    return 0;
}

int fs_read(const char *path, size_t max, char **out, size_t *len, burst_error_t *errp)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errprintf(errp, "%s: %s", path, strerror(errno));
    int rc = read_fd(fd, path, max, out, len, errp);
    close(fd);
    return rc;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static void sync_dir_of(const char *path)
{
    char *copy = xstrdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(copy);
}

int fs_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
                    burst_error_t *errp)
{
    char *tmp = xasprintf("%s.XXXXXX", path);
    int fd = mkostemp(tmp, O_CLOEXEC);
    int rc = -1;

    if (fd < 0) {
        errprintf(errp, "%s: cannot create a temporary file beside it: %s", path, strerror(errno));
        goto out;
    }
    if (fchmod(fd, mode) < 0 || write_all(fd, data, len) < 0 || fsync(fd) < 0 ||
        rename(tmp, path) < 0) {
        errprintf(errp, "%s: %s", path, strerror(errno));
        unlink(tmp);
        goto out;
    }
    sync_dir_of(path);
    rc = 0;
out:
    if (fd >= 0)
        close(fd);
    free(tmp);
    return rc;
}

int fs_mkdirs(const char *path, mode_t mode, burst_error_t *errp)
{
    char *copy = xstrdup(path);
    int rc = 0;

    for (char *p = copy + 1; rc == 0; p++) {
        if (*p && *p != '/')
            continue;
        char c = *p;
        *p = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            rc = errprintf(errp, "%s: cannot make the directory: %s", copy, strerror(errno));
        *p = c;
        if (!c)
            break;
    }
    free(copy);
    return rc;
}

// Every directory above may be written by its owner only, and that is root or us; a sticky
// directory (such as /tmp) does not let others replace what is ours.
static int parents_secure(const char *path, burst_error_t *errp)
{
    char *copy = realpath(path, NULL);
    struct stat st;
    int rc = 0;

    if (!copy)
        return errprintf(errp, "%s: %s", path, strerror(errno));
    while (rc == 0 && strcmp(copy, "/") != 0) {
        char *slash = strrchr(copy, '/');
        slash[slash == copy ? 1 : 0] = '\0';
        if (stat(copy, &st) < 0)
            rc = errprintf(errp, "%s: %s", copy, strerror(errno));
        else if (st.st_uid != 0 && st.st_uid != geteuid())
            rc =
                errprintf(errp, "%s: its directory %s belongs to uid %u; it must be root's or ours",
                          path, copy, (unsigned)st.st_uid);
        else if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX))
            rc = errprintf(errp, "%s: others may write to its directory %s (chmod go-w %s)", path,
                           copy, copy);
    }
    free(copy);
    return rc;
}

int fs_read_secret(const char *path, size_t max, char **out, size_t *len, burst_error_t *errp)
{
    struct stat st;
    int rc = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return errprintf(errp, "%s: %s", path,
                         errno == ELOOP ? "a secret must not be a symbolic link" : strerror(errno));
    if (fstat(fd, &st) < 0)
        errprintf(errp, "%s: %s", path, strerror(errno));
    else if (st.st_uid != 0 && st.st_uid != geteuid())
        errprintf(errp, "%s: belongs to uid %u; it must be root's or ours (uid %u)", path,
                  (unsigned)st.st_uid, (unsigned)geteuid());
    else if (st.st_mode & (S_IRWXG | S_IRWXO))
        errprintf(errp, "%s: others may read it (mode %04o); chmod 600 %s", path,
                  (unsigned)st.st_mode & 07777, path);
    else if (parents_secure(path, errp) == 0)
        rc = read_fd(fd, path, max, out, len, errp);
    close(fd);
    return rc;
}

void fs_wipe(char *secret, size_t len)
{
    if (secret)
        explicit_bzero(secret, len);
    free(secret);
}
