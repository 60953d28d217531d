// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libburst/fsutil.h"
#include "libburst/xalloc.h"
#include "ssh/stage_home.h"

// A path of the request
struct root {
    int dir;    // the path itself, when it is a directory; -1
    int parent; // the directory that it is in; -1 when that cannot be had
    const char *leaf;
    bool keys; // it is .ssh of the user's, or below it
};

struct stage_dirs {
    const struct stage_paths *paths;
    struct stage_home home;
    struct root *roots;
    // The last directory that something was put into, entered safely
    char *dir_name;
    int dir;
};

// Opens directory `leaf` of dir (made when missing); never through a link. Closes dir.
static int enter(int dir, const char *leaf)
{
    int fd = openat(dir, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && (mkdirat(dir, leaf, 0700) == 0 || errno == EEXIST))
        fd = openat(dir, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int saved = errno;
    close(dir);
    errno = saved;
    return fd;
}

struct stage_dirs *stage_dirs_open(const struct stage_paths *paths)
{
    struct stage_dirs *d = xmalloc(sizeof(*d));

    d->paths = paths;
    d->dir = -1;
    stage_home_find(&d->home, stage_paths_home(paths));
    d->roots = xcalloc(stage_paths_count(d->paths) + 1, sizeof(*d->roots));
    for (size_t i = 0; i < stage_paths_count(d->paths); i++) {
        const char *path = stage_paths_get(d->paths, i), *slash = strrchr(path, '/');
        struct root *r = &d->roots[i];
        *r = (struct root){-1, -1, slash + 1, false};
        if (stage_paths_system(d->paths, i))
            continue;
        char *up = xasprintf("%.*s", slash == path ? 1 : (int)(slash - path), path);
        r->parent = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (r->parent < 0 && errno == ENOENT && fs_mkdirs(up, 0700, NULL) == 0)
            r->parent = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        free(up);
        int at = r->dir >= 0 ? r->dir : r->parent;
        r->keys = at >= 0 && stage_home_below_keys(&d->home, at);
    }
    return d;
}

void stage_dirs_close(struct stage_dirs *d)
{
    for (size_t i = 0; i < stage_paths_count(d->paths); i++) {
        if (d->roots[i].dir >= 0)
            close(d->roots[i].dir);
        if (d->roots[i].parent >= 0)
            close(d->roots[i].parent);
    }
    if (d->dir >= 0)
        close(d->dir);
    free(d->dir_name);
    free(d->roots);
    free(d);
}

bool stage_dirs_has(const struct stage_dirs *d, int root)
{
    return d->roots[root].dir >= 0;
}

static int duplicate(int fd)
{
    return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

// May what comes from a node have the name `leaf` in this directory? asked: the name is a path of
// the request itself.
static bool kept(const struct stage_dirs *d, int dir, const char *leaf, size_t len, bool asked)
{
    switch (stage_home_place_fd(&d->home, dir)) {
    case STAGE_IN_KEYS:
        return true;
    case STAGE_IN_HOME:
        return leaf[0] == '.' && (!asked || (len == 4 && memcmp(leaf, ".ssh", 4) == 0));
    default:
        return false;
    }
}

// The directory below which `rest` of the path counts: a new descriptor, -1 with errno.
static int root_base(struct stage_dirs *d, struct root *r, const char *rest)
{
    if (r->keys)
        return STAGE_DIRS_KEPT;
    if (r->parent < 0 && (r->dir < 0 || !*rest)) {
        errno = EACCES;
        return -1;
    }
    if (!*rest)
        return duplicate(r->parent);
    if (r->dir < 0 && kept(d, r->parent, r->leaf, strlen(r->leaf), true))
        return STAGE_DIRS_KEPT;
    if (r->dir < 0)
        r->dir = enter(duplicate(r->parent), r->leaf);
    return duplicate(r->dir);
}

int stage_dirs_parent(struct stage_dirs *d, const char *name, const char **leaf)
{
    const char *rest = NULL, *slash = strrchr(name, '/');
    int root = stage_paths_find(d->paths, name, &rest);
    size_t len = (size_t)(slash - name);
    bool asked = !*rest;

    *leaf = slash + 1;
    // Two paths of a request may meet in a directory: one as its parent, one as itself.
    if (d->dir >= 0 && !d->roots[root].keys && strlen(d->dir_name) == len &&
        memcmp(d->dir_name, name, len) == 0)
        return kept(d, d->dir, *leaf, strlen(*leaf), asked) ? STAGE_DIRS_KEPT : d->dir;
    int fd = root_base(d, &d->roots[root], rest);
    for (const char *c = rest; fd >= 0 && (slash = strchr(c, '/')); c = slash + 1) {
        if (kept(d, fd, c, (size_t)(slash - c), false)) {
            close(fd);
            return STAGE_DIRS_KEPT;
        }
        char *part = xasprintf("%.*s", (int)(slash - c), c);
        fd = enter(fd, part);
        free(part);
    }
    if (fd >= 0 && kept(d, fd, *leaf, strlen(*leaf), asked)) {
        close(fd);
        return STAGE_DIRS_KEPT;
    }
    if (fd < 0)
        return fd;
    if (d->dir >= 0)
        close(d->dir);
    free(d->dir_name);
    d->dir_name = xasprintf("%.*s", (int)len, name);
    d->dir = fd;
    return fd;
}
