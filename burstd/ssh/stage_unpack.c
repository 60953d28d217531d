// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libburst/xalloc.h"
#include "ssh/stage_dirs.h"
#include "ssh/stage_stream.h"
#include "ssh/stage_sync.h"

#define MAX_ENTRIES 2000000
#define MAX_FILE (INT64_C(1) << 44) // one file, holes included, when there is no other limit

// Mode and time of a directory are set at the end: entries made in it change its time, and a mode
// without w would keep them out.
struct late_dir {
    char *name;
    mode_t mode;
    struct timespec mtime;
};

struct unpack {
    const struct stage_paths *paths;
    const cJSON *exclude;
    int64_t max_bytes;
    struct archive *a; // the stream's
    struct stage_totals totals;
    uid_t uid;
    struct stage_dirs *dirs;
    struct stage_sync *sync;
    struct late_dir *late;
    size_t n_late, cap_late;
    unsigned temp_serial;
    int64_t failed; // entries that could not be written
    burst_error_t first_failure;
    const char *errclass;
    burst_error_t *errp;
};

static int stop(struct unpack *u, const char *errclass, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int stop(struct unpack *u, const char *errclass, const char *fmt, ...)
{
    va_list ap;

    u->errclass = errclass;
    if (u->errp) {
        va_start(ap, fmt);
        vsnprintf(u->errp->text, sizeof(u->errp->text), fmt, ap);
        va_end(ap);
    }
    return -1;
}

static void skip(struct unpack *u, const char *name)
{
    if (u->totals.skipped++ == 0)
        snprintf(u->totals.first_skipped, sizeof(u->totals.first_skipped), "%.200s", name);
}

// An entry could not be written: counted, and the rest goes on, unless there is no space.
static int failed(struct unpack *u, const char *name, const char *why)
{
    if (errno == ENOSPC || errno == EDQUOT)
        return stop(u, "space", "%.200s: %s", name,
                    errno == ENOSPC ? "no space left on the file system"
                                    : "the user's disk quota is used up");
    if (u->failed++ == 0)
        errprintf(&u->first_failure, "%.200s: %s", name, why ? why : strerror(errno));
    return 0;
}

// ---- entries

static void set_late(struct unpack *u, const char *name, size_t len, mode_t mode,
                     struct timespec mtime)
{
    if (u->n_late == u->cap_late) {
        u->cap_late = u->cap_late ? u->cap_late * 2 : 64;
        u->late = xrealloc(u->late, u->cap_late * sizeof(*u->late));
    }
    u->late[u->n_late++] = (struct late_dir){xasprintf("%.*s", (int)len, name), mode, mtime};
}

// A directory of the user's without his own w, in which something has changed on the node: made
// writable until the end. True when it is worth trying again. name: the entry in it.
static bool unlock_dir(struct unpack *u, int dir, const char *name)
{
    struct timespec keep = {.tv_nsec = UTIME_OMIT};
    struct stat st;
    int saved = errno;

    errno = saved;
    if (saved != EACCES || fstat(dir, &st) < 0 || st.st_uid != u->uid ||
        (st.st_mode & 0300) == 0300 || fchmod(dir, (st.st_mode & 07777) | 0300) < 0) {
        errno = saved;
        return false;
    }
    set_late(u, name, (size_t)(strrchr(name, '/') - name), st.st_mode & 07777, keep);
    return true;
}

static void temp_name(struct unpack *u, char *buf, size_t size)
{
    snprintf(buf, size, ".burst-%ld-%u.tmp", (long)getpid(), u->temp_serial++);
}

// *whole: all of it was written. -1 ends the unpacking; an entry that failed alone is counted.
static int read_content(struct unpack *u, int fd, int64_t size, const char *name, bool *whole)
{
    const void *block;
    size_t len;
    la_int64_t off;
    int rc;

    while ((rc = archive_read_data_block(u->a, &block, &len, &off)) == ARCHIVE_OK) {
        const char *p = block;
        if (off < 0 || off > size || (int64_t)len > size - off)
            return stop(u, "denied", "%.200s: more data than the archive announced", name);
        while (len > 0) {
            ssize_t n = pwrite(fd, p, len, off);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                return failed(u, name, NULL);
            p += n;
            off += n;
            len -= (size_t)n;
        }
    }
    if (rc != ARCHIVE_EOF)
        return stop(u, "io", "the stream from the node broke off in %.200s: %s", name,
                    archive_error_string(u->a));
    // A hole at the end, or a file of holes only
    if (ftruncate(fd, size) < 0)
        return failed(u, name, NULL);
    *whole = true;
    return 0;
}

// Puts the whole temporary file in the place of `leaf`. Of a file that was there, the group is
// kept.
static int finish_file(struct unpack *u, int dir, int fd, const char *temp, const char *leaf,
                       struct archive_entry *e, const char *name)
{
    struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = archive_entry_mtime(e), .tv_nsec = archive_entry_mtime_nsec(e)}};
    struct stat old;

    if (fstatat(dir, leaf, &old, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISDIR(old.st_mode)) {
            errno = EISDIR;
            return failed(u, name, "a directory stands in its place here");
        }
        // Best effort: only a group that the user belongs to can be given.
        if (S_ISREG(old.st_mode) && fchown(fd, (uid_t)-1, old.st_gid) < 0)
            errno = 0;
    }
    if (fchmod(fd, archive_entry_perm(e) & 0777) < 0 || futimens(fd, times) < 0 ||
        stage_sync_file(u->sync, fd, u->totals.files) < 0 || renameat(dir, temp, dir, leaf) < 0)
        return failed(u, name, NULL);
    return 0;
}

static int put_file(struct unpack *u, int dir, const char *leaf, struct archive_entry *e,
                    const char *name)
{
    int64_t size = archive_entry_size(e);
    char temp[64];
    bool whole = false;

    if (!archive_entry_size_is_set(e) || size < 0)
        return stop(u, "denied", "%.200s: a file without a size", name);
    if ((u->max_bytes && size > u->max_bytes - u->totals.bytes) || size > MAX_FILE)
        return stop(u, "limit",
                    "the job's results are more than the %" PRId64 " MiB that may be staged "
                    "(max_stage), with %.200s",
                    (u->max_bytes ? u->max_bytes : MAX_FILE) >> 20, name);
    if (__builtin_add_overflow(u->totals.bytes, size, &u->totals.bytes))
        u->totals.bytes = INT64_MAX; // holes without end
    temp_name(u, temp, sizeof(temp));
    int fd;
    do
        fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    while (fd < 0 && unlock_dir(u, dir, name));
    if (fd < 0)
        return failed(u, name, NULL);
    int rc = read_content(u, fd, size, name, &whole);
    if (whole)
        rc = finish_file(u, dir, fd, temp, leaf, e, name);
    close(fd);
    unlinkat(dir, temp, 0); // gone already when it was renamed
    return rc;
}

static int put_symlink(struct unpack *u, int dir, const char *leaf, const char *target,
                       const char *name)
{
    char temp[64], have[STAGE_MAX_NAME + 1];
    ssize_t n = readlinkat(dir, leaf, have, sizeof(have));

    if (!target || !*target) {
        skip(u, name);
        return 0;
    }
    if (n >= 0 && (size_t)n == strlen(target) && memcmp(have, target, (size_t)n) == 0)
        return 0; // it went out with the job and comes back unchanged
    if (!stage_paths_link_inside(u->paths, name, target)) {
        skip(u, name);
        return 0;
    }
    temp_name(u, temp, sizeof(temp));
    int made;
    do
        made = symlinkat(target, dir, temp);
    while (made < 0 && unlock_dir(u, dir, name));
    if (made < 0)
        return failed(u, name, NULL);
    if (renameat(dir, temp, dir, leaf) < 0) {
        int rc = failed(u, name, NULL);
        unlinkat(dir, temp, 0);
        return rc;
    }
    return 0;
}

// A second name of a file that came before (or that is here already).
static int put_hardlink(struct unpack *u, const char *name, const char *target_name)
{
    char *target = stage_name_normalise(target_name);
    const char *leaf, *target_leaf;
    char temp[64];
    struct stat st;
    int rc = 0, from = -1, to;

    if (!target || stage_paths_find(u->paths, target, NULL) < 0) {
        free(target);
        return stop(u, "denied", "%.200s: a hard link to something outside of the job's paths",
                    name);
    }
    // Named twice to tar, which calls the second one a link to the first.
    if (strcmp(target, name) == 0)
        goto out;
    if (stage_paths_hidden(u->paths, target) || stage_paths_keys(u->paths, target)) {
        skip(u, name);
        goto out;
    }
    to = stage_dirs_parent(u->dirs, target, &target_leaf);
    from = to < 0 ? -1 : fcntl(to, F_DUPFD_CLOEXEC, 0);
    if (from >= 0)
        to = stage_dirs_parent(u->dirs, name, &leaf);
    if (to == STAGE_DIRS_KEPT) {
        skip(u, name);
        goto out;
    }
    if (from < 0 || to < 0 || fstatat(from, target_leaf, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        rc = failed(u, name, NULL);
        goto out;
    }
    if (S_ISLNK(st.st_mode)) { // one of the user's may lead out
        skip(u, name);
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        rc = failed(u, name, "a hard link to something that is no file");
        goto out;
    }
    temp_name(u, temp, sizeof(temp));
    int made;
    do
        made = linkat(from, target_leaf, to, temp, 0);
    while (made < 0 && unlock_dir(u, to, name));
    if (made < 0 || renameat(to, temp, to, leaf) < 0)
        rc = failed(u, name, NULL);
    unlinkat(to, temp, 0); // stays when both names were the same file already
out:
    if (from >= 0)
        close(from);
    free(target);
    return rc;
}

static int put_dir(struct unpack *u, int dir, const char *leaf, struct archive_entry *e,
                   const char *name)
{
    struct stat st;
    int made;

    do
        made = mkdirat(dir, leaf, 0700);
    while (made < 0 && unlock_dir(u, dir, name));
    if (made < 0 && errno != EEXIST)
        return failed(u, name, NULL);
    if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return failed(u, name, "a file or link stands in the directory's place here");
    }
    // A group's directory keeps what it has; set-id bits and the sticky bit stay as they are.
    if (st.st_uid == u->uid)
        set_late(u, name, strlen(name), (archive_entry_perm(e) & 0777) | (st.st_mode & 07000),
                 (struct timespec){archive_entry_mtime(e), archive_entry_mtime_nsec(e)});
    return 0;
}

static void finish_dirs(struct unpack *u)
{
    while (u->n_late > 0) {
        struct late_dir *d = &u->late[--u->n_late];
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, d->mtime};
        const char *leaf;
        int dir = stage_dirs_parent(u->dirs, d->name, &leaf);
        int fd = dir < 0 ? -1 : openat(dir, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) {
            // Best effort: the contents are what counts.
            if (fchmod(fd, d->mode) < 0 || futimens(fd, times) < 0)
                errno = 0;
            close(fd);
        }
        free(d->name);
    }
}

static int put(struct unpack *u, struct archive_entry *e, const char *name)
{
    const char *leaf, *rest, *hard = archive_entry_hardlink(e);
    mode_t type = archive_entry_filetype(e);
    int dir, root;

    if (hard)
        return put_hardlink(u, name, hard);
    root = stage_paths_find(u->paths, name, &rest);
    // The top of a path that is here already keeps its mode, and may be a link of the user's.
    if (!*rest && type == AE_IFDIR && stage_dirs_has(u->dirs, root))
        return 0;
    if (type != AE_IFREG && type != AE_IFLNK && type != AE_IFDIR) {
        skip(u, name);
        return 0;
    }
    dir = stage_dirs_parent(u->dirs, name, &leaf);
    if (dir == STAGE_DIRS_KEPT) {
        skip(u, name);
        return 0;
    }
    if (dir < 0)
        return failed(u, name,
                      errno == ELOOP || errno == ENOTDIR
                          ? "its directory is a link or a file here, and is not entered"
                          : NULL);
    if (type == AE_IFDIR)
        return put_dir(u, dir, leaf, e, name);
    if (type == AE_IFLNK)
        return put_symlink(u, dir, leaf, archive_entry_symlink(e), name);
    return put_file(u, dir, leaf, e, name);
}

static int entry(struct unpack *u, struct archive_entry *e)
{
    const char *raw = archive_entry_pathname(e);
    const char *rest;
    char *name = stage_name_normalise(raw);
    int rc = 0;

    if (!name || stage_paths_find(u->paths, name, &rest) < 0) {
        rc = stop(u, "denied", "the node sent \"%.200s\", which is outside of the job's paths",
                  raw ? raw : "(no name)");
    } else if (++u->totals.files > MAX_ENTRIES) {
        rc = stop(u, "limit", "the job's results are more than %d files", MAX_ENTRIES);
    } else if (stage_excluded(u->exclude, name, rest) || stage_paths_hidden(u->paths, name) ||
               stage_paths_keys(u->paths, name)) {
        u->totals.files--;
        skip(u, name);
    } else {
        rc = put(u, e, name);
    }
    free(name);
    return rc;
}

static int read_all(struct unpack *u, int fd, bool kept)
{
    struct stage_stream *stream = stage_stream_open(fd, kept, u->errp);
    struct archive_entry *e;
    int rc = -1;

    if (!stream)
        return -1;
    u->a = stage_stream_archive(stream);
    while ((rc = stage_stream_next(stream, &e, u->errp)) > 0)
        if ((rc = entry(u, e)) < 0)
            break;
    stage_stream_close(stream);
    return rc;
}

static int unpack(const struct stage_paths *paths, const cJSON *exclude, int64_t max_bytes, int fd,
                  bool kept, struct stage_totals *totals, const char **errclass,
                  burst_error_t *errp)
{
    struct unpack *u = xmalloc(sizeof(*u));

    u->paths = paths;
    u->exclude = exclude;
    u->max_bytes = max_bytes;
    u->uid = geteuid();
    u->errclass = "io";
    u->errp = errp;
    u->dirs = stage_dirs_open(paths);
    u->sync = stage_sync_create();
    int rc = read_all(u, fd, kept);
    finish_dirs(u);
    if (rc == 0 && stage_sync_all(u->sync) < 0)
        rc = stop(u, "io", "writing the results to disk: %s", strerror(errno));
    if (rc == 0 && u->failed > 0)
        rc = stop(u, "io", "%" PRId64 " files could not be written: %s", u->failed,
                  u->first_failure.text);
    *totals = u->totals;
    *errclass = u->errclass;
    stage_dirs_close(u->dirs);
    stage_sync_free(u->sync);
    free(u->late);
    free(u);
    return rc;
}

int stage_unpack(const struct stage_paths *paths, const cJSON *exclude, int64_t max_bytes, int fd,
                 struct stage_totals *totals, const char **errclass, burst_error_t *errp)
{
    return unpack(paths, exclude, max_bytes, fd, false, totals, errclass, errp);
}

int stage_unpack_kept(const struct stage_paths *paths, const cJSON *exclude, int fd,
                      struct stage_totals *totals, burst_error_t *errp)
{
    const char *errclass;

    return unpack(paths, exclude, 0, fd, true, totals, &errclass, errp);
}
