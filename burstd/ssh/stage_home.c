// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_home.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libburst/xalloc.h"

#define LEVELS_MAX 4096

void stage_home_find(struct stage_home *h, const char *home)
{
    char *keys = xasprintf("%s/.ssh", home);
    struct stat st;

    memset(h, 0, sizeof(*h));
    if (stat(home, &st) == 0 && S_ISDIR(st.st_mode)) {
        h->home.known = true;
        h->home.dev = st.st_dev;
        h->home.ino = st.st_ino;
    }
    if (stat(keys, &st) == 0 && S_ISDIR(st.st_mode)) {
        h->keys.known = true;
        h->keys.dev = st.st_dev;
        h->keys.ino = st.st_ino;
    }
    free(keys);
}

enum stage_home_place stage_home_place(const struct stage_home *h, const struct stat *st)
{
    if (h->keys.known && st->st_dev == h->keys.dev && st->st_ino == h->keys.ino)
        return STAGE_IN_KEYS;
    if (h->home.known && st->st_dev == h->home.dev && st->st_ino == h->home.ino)
        return STAGE_IN_HOME;
    return STAGE_ELSEWHERE;
}

enum stage_home_place stage_home_place_fd(const struct stage_home *h, int dir)
{
    struct stat st;

    return fstat(dir, &st) < 0 ? STAGE_ELSEWHERE : stage_home_place(h, &st);
}

bool stage_home_below_keys(const struct stage_home *h, int dir)
{
    struct stat st, last = {0};
    bool below = true;

    if (!h->keys.known)
        return false;
    int fd = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    for (unsigned k = 0; fd >= 0 && k < LEVELS_MAX; k++) {
        if (fstat(fd, &st) < 0 || stage_home_place(h, &st) == STAGE_IN_KEYS)
            break;
        if (k > 0 && st.st_dev == last.st_dev && st.st_ino == last.st_ino) {
            below = false; // the root directory is its own parent
            break;
        }
        last = st;
        int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = up;
    }
    if (fd >= 0)
        close(fd);
    return below;
}
