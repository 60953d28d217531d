// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_sync.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libburst/xalloc.h"

#define SYNC_EACH 64 // so many files are synced one by one; beyond, the file systems as a whole
#define MAX_SYNC_DIRS 16

struct stage_sync {
    int fd[MAX_SYNC_DIRS]; // one of each file system
    dev_t dev[MAX_SYNC_DIRS];
    size_t n;
};

struct stage_sync *stage_sync_create(void)
{
    return xmalloc(sizeof(struct stage_sync));
}

void stage_sync_free(struct stage_sync *s)
{
    for (size_t i = 0; i < s->n; i++)
        close(s->fd[i]);
    free(s);
}

static void remember(struct stage_sync *s, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return;
    for (size_t i = 0; i < s->n; i++)
        if (s->dev[i] == st.st_dev)
            return;
    if (s->n == MAX_SYNC_DIRS)
        return;
    s->fd[s->n] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    s->dev[s->n] = st.st_dev;
    if (s->fd[s->n] >= 0)
        s->n++;
}

int stage_sync_file(struct stage_sync *s, int fd, int64_t n_files)
{
    if (n_files <= SYNC_EACH)
        return fsync(fd);
    remember(s, fd);
    return 0;
}

int stage_sync_all(const struct stage_sync *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (syncfs(s->fd[i]) < 0)
            return -1;
    return 0;
}
