// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "ssh/stage_content.h"
#include "ssh/stage_home.h"

#define MAX_DEPTH 256
#define MAX_ENTRIES 2000000
#define CHUNK 65536

// A file with several names: the later ones are packed as hard links to the first.
struct inode {
    struct {
        dev_t dev;
        ino_t ino;
    } key;
    char *name;
    UT_hash_handle hh;
};

struct walk {
    const struct stage_paths *paths;
    struct stage_home home;
    const cJSON *exclude;
    int64_t max_bytes;
    struct archive *a; // NULL: survey only
    struct stage_totals totals;
    struct inode *inodes;
    uid_t uid;
    struct stage_reach reach;
    int64_t looked, until_ms; // entries; monotonic, 0: no bound
    const char *errclass;
    burst_error_t *errp;
};

static void skip(struct walk *w, const char *name)
{
    if (w->totals.skipped++ == 0)
        snprintf(w->totals.first_skipped, sizeof(w->totals.first_skipped), "%.200s", name);
}

static int too_much(struct walk *w)
{
    w->errclass = "limit";
    return errprintf(w->errp,
                     "the job's files are more than the %" PRId64 " MiB that may be staged "
                     "(max_stage): submit from a smaller directory, or name what the job needs "
                     "with --burst-stage-in",
                     w->max_bytes >> 20);
}

static int archive_failed(struct walk *w, const char *name)
{
    w->errclass = "io";
    return errprintf(w->errp, "packing %.200s: %s", name, archive_error_string(w->a));
}

// 1: the name was packed before (*first is borrowed); 0: it is the first one.
static int seen(struct walk *w, const struct stat *st, const char *name, const char **first)
{
    struct inode *i, key;

    if (st->st_nlink < 2)
        return 0;
    memset(&key, 0, sizeof(key));
    key.key.dev = st->st_dev;
    key.key.ino = st->st_ino;
    HASH_FIND(hh, w->inodes, &key.key, sizeof(key.key), i);
    if (i) {
        *first = i->name;
        return 1;
    }
    i = xmalloc(sizeof(*i));
    i->key.dev = st->st_dev;
    i->key.ino = st->st_ino;
    i->name = xstrdup(name);
    HASH_ADD(hh, w->inodes, key, sizeof(i->key), i);
    return 0;
}

static struct archive_entry *entry_of(const char *name, const struct stat *st)
{
    struct archive_entry *e = archive_entry_new();

    archive_entry_copy_pathname(e, name + 1); // without the leading slash
    archive_entry_set_filetype(e, st->st_mode & S_IFMT);
    archive_entry_set_perm(e, st->st_mode & 0777); // no setuid, setgid, sticky
    archive_entry_set_uid(e, st->st_uid);
    archive_entry_set_gid(e, st->st_gid);
    archive_entry_set_mtime(e, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    archive_entry_set_size(e, S_ISREG(st->st_mode) ? st->st_size : 0);
    return e;
}

static int put_header(struct walk *w, struct archive_entry *e, const char *name)
{
    int rc = archive_write_header(w->a, e);

    archive_entry_free(e);
    return rc < ARCHIVE_WARN ? archive_failed(w, name) : 0;
}

static int put_file(struct walk *w, int dir, const char *leaf, const char *name)
{
    struct stat st;
    // A path of the request may be a link, what lies below one is not followed.
    int no_link = dir == AT_FDCWD ? 0 : O_NOFOLLOW;
    int fd = openat(dir, leaf, O_RDONLY | no_link | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        skip(w, name);
        if (fd >= 0)
            close(fd);
        return 0;
    }
    w->errclass = "io";
    int rc = stage_content_put(w->a, entry_of(name, &st), fd, &st, name, w->errp);
    close(fd);
    return rc;
}

static int file(struct walk *w, int dir, const char *leaf, const char *name, const struct stat *st)
{
    const char *first = NULL;

    if (faccessat(dir, leaf, R_OK, AT_EACCESS) < 0) {
        skip(w, name);
        return 0;
    }
    if (seen(w, st, name, &first)) {
        w->totals.files++;
        if (!w->a)
            return 0;
        struct archive_entry *e = entry_of(name, st);
        archive_entry_copy_hardlink(e, first + 1);
        archive_entry_set_size(e, 0);
        return put_header(w, e, name);
    }
    w->totals.files++;
    if (__builtin_add_overflow(w->totals.bytes, stage_content_bytes(dir, leaf, st),
                               &w->totals.bytes))
        w->totals.bytes = INT64_MAX;
    if (w->max_bytes && w->totals.bytes > w->max_bytes && !w->a)
        return too_much(w);
    return w->a ? put_file(w, dir, leaf, name) : 0;
}

static int put_link(struct walk *w, int dir, const char *leaf, const char *name,
                    const struct stat *st)
{
    char target[STAGE_MAX_NAME + 1];
    ssize_t n = readlinkat(dir, leaf, target, sizeof(target));

    if (n < 0 || (size_t)n >= sizeof(target)) {
        skip(w, name);
        return 0;
    }
    target[n] = '\0';
    w->totals.files++;
    if (!w->a)
        return 0;
    struct archive_entry *e = entry_of(name, st);
    archive_entry_copy_symlink(e, target);
    return put_header(w, e, name);
}

static int directory(struct walk *w, int fd, const char *name, int depth);

// Is the name one of the paths itself?
static bool asked_for(const struct walk *w, const char *name)
{
    const char *rest = NULL;

    return stage_paths_find(w->paths, name, &rest) >= 0 && !*rest;
}

// The user's start-up files and keys stay at home under whatever name the directory was reached,
// unless a path asks for them.
static bool kept_at_home(const struct walk *w, const struct stat *parent, const struct stat *st,
                         const char *leaf, const char *name)
{
    bool in_home = stage_home_place(&w->home, parent) == STAGE_IN_HOME && leaf[0] == '.';
    bool keys = S_ISDIR(st->st_mode) && stage_home_place(&w->home, st) == STAGE_IN_KEYS;

    return (in_home || keys) && !asked_for(w, name);
}

// The clock is looked at now and then only: it may cost more than an entry.
static bool far_enough(struct walk *w)
{
    w->looked++;
    if ((w->reach.entries && w->looked > w->reach.entries) ||
        (w->until_ms && w->looked % 64 == 0 && clock_mono_ms() >= w->until_ms))
        w->totals.cut = true;
    return w->totals.cut;
}

static int entry(struct walk *w, int dir, const struct stat *parent, const char *leaf,
                 const char *name, int depth)
{
    struct stat st;

    if (far_enough(w))
        return -1;
    if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0; // gone meanwhile
    if (kept_at_home(w, parent, &st, leaf, name))
        return 0;
    if (w->totals.files >= MAX_ENTRIES) {
        w->errclass = "limit";
        return errprintf(w->errp, "the job has more than %d files: pack them into an archive",
                         MAX_ENTRIES);
    }
    // In /tmp and the like, the others' files are none of the job's.
    if ((parent->st_mode & S_ISVTX) && parent->st_uid != w->uid && st.st_uid != w->uid)
        return 0;
    if (S_ISREG(st.st_mode))
        return file(w, dir, leaf, name, &st);
    if (S_ISLNK(st.st_mode))
        return put_link(w, dir, leaf, name, &st);
    if (!S_ISDIR(st.st_mode)) {
        skip(w, name);
        return 0;
    }
    int fd = openat(dir, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        skip(w, name);
        return 0;
    }
    if (depth >= MAX_DEPTH) {
        close(fd);
        w->errclass = "limit";
        return errprintf(w->errp, "%.200s...: directories are nested more than %d deep", name,
                         MAX_DEPTH);
    }
    w->totals.files++;
    if (w->a && put_header(w, entry_of(name, &st), name) < 0) {
        close(fd);
        return -1;
    }
    return directory(w, fd, name, depth + 1);
}

static bool wanted(struct walk *w, const char *name)
{
    const char *rest = "";

    stage_paths_find(w->paths, name, &rest);
    return !stage_paths_hidden(w->paths, name) && !stage_excluded(w->exclude, name, rest);
}

// The content of a directory; closes fd.
static int directory(struct walk *w, int fd, const char *name, int depth)
{
    DIR *d = fdopendir(fd);
    struct dirent *e;
    struct stat self;
    int rc = 0;

    if (!d) {
        close(fd);
        skip(w, name);
        return 0;
    }
    if (fstat(dirfd(d), &self) < 0)
        memset(&self, 0, sizeof(self));
    while (rc == 0 && (e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char *child = xasprintf("%s/%s", strcmp(name, "/") == 0 ? "" : name, e->d_name);
        if (strlen(child) > STAGE_MAX_NAME)
            skip(w, child);
        else if (wanted(w, child))
            rc = entry(w, dirfd(d), &self, e->d_name, child, depth);
        free(child);
    }
    closedir(d);
    return rc;
}

// A path inside another directory of the request came with that one, unless it is hidden there.
static bool covered(const struct stage_paths *p, size_t i, const cJSON *types)
{
    const char *mine = stage_paths_get(p, i);

    for (size_t k = 0; k < stage_paths_count(p); k++) {
        const char *other = stage_paths_get(p, k);
        size_t len = strlen(other);
        const cJSON *t = cJSON_GetArrayItem(types, (int)k);
        if (k == i || strncmp(mine, other, len) != 0 || !cJSON_IsString(t) ||
            strcmp(t->valuestring, "dir") != 0)
            continue;
        if (mine[len] == '/' || (mine[len] == '\0' && k < i)) {
            // Hidden as seen from the other path alone?
            const char *dot = strstr(mine + len, "/.");
            if (!dot)
                return true;
        }
    }
    return false;
}

static const char *type_of(const char *path, struct stat *st)
{
    if (stat(path, st) < 0)
        return "none";
    if (S_ISDIR(st->st_mode))
        return "dir";
    return S_ISREG(st->st_mode) ? "file" : "none";
}

// The path itself may be reached over links: the user named it, on this side.
static int top(struct walk *w, const char *path, const char *type, const struct stat *st)
{
    if (strcmp(type, "file") == 0)
        return file(w, AT_FDCWD, path, path, st);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        w->errclass = "denied";
        return errprintf(w->errp, "%.300s: the user cannot read it: %s", path, strerror(errno));
    }
    // A directory of another owner (a group's, /tmp) keeps the mode that the node gives it.
    if (st->st_uid == w->uid) {
        w->totals.files++;
        if (w->a && put_header(w, entry_of(path, st), path) < 0) {
            close(fd);
            return -1;
        }
    }
    return directory(w, fd, path, 1);
}

static int walk_all(struct walk *w, cJSON *types)
{
    for (size_t i = 0; i < stage_paths_count(w->paths); i++) {
        struct stat st;
        const char *type =
            stage_paths_system(w->paths, i) ? "none" : type_of(stage_paths_get(w->paths, i), &st);
        cJSON_AddItemToArray(types, cJSON_CreateString(type));
    }
    for (size_t i = 0; i < stage_paths_count(w->paths); i++) {
        struct stat st;
        const char *path = stage_paths_get(w->paths, i);
        const char *type = cJSON_GetArrayItem(types, (int)i)->valuestring;
        if (strcmp(type, "none") == 0 || covered(w->paths, i, types) ||
            strcmp(type_of(path, &st), type) != 0)
            continue;
        w->totals.at = i;
        if (top(w, path, type, &st) < 0)
            return -1;
    }
    return 0;
}

static struct walk *walk_create(const struct stage_paths *paths, const cJSON *exclude,
                                burst_error_t *errp)
{
    struct walk *w = xmalloc(sizeof(*w));

    w->paths = paths;
    stage_home_find(&w->home, stage_paths_home(paths));
    w->exclude = exclude;
    w->uid = geteuid();
    w->errp = errp;
    w->errclass = "io";
    return w;
}

static void walk_destroy(struct walk *w)
{
    struct inode *i, *next;

    HASH_ITER(hh, w->inodes, i, next)
    {
        HASH_DEL(w->inodes, i);
        free(i->name);
        free(i);
    }
    free(w);
}

int stage_survey(const struct stage_paths *paths, const cJSON *exclude, int64_t max_bytes,
                 cJSON *types, struct stage_totals *totals, const char **errclass,
                 burst_error_t *errp)
{
    static const struct stage_reach any = {0, 0};

    return stage_survey_bounded(paths, exclude, max_bytes, &any, types, totals, errclass, errp);
}

int stage_survey_bounded(const struct stage_paths *paths, const cJSON *exclude, int64_t max_bytes,
                         const struct stage_reach *reach, cJSON *types, struct stage_totals *totals,
                         const char **errclass, burst_error_t *errp)
{
    struct walk *w = walk_create(paths, exclude, errp);

    w->max_bytes = max_bytes;
    w->reach = *reach;
    w->until_ms = reach->ms ? clock_mono_ms() + reach->ms : 0;
    int rc = walk_all(w, types);
    if (w->totals.cut)
        rc = 0;
    *totals = w->totals;
    *errclass = w->errclass;
    walk_destroy(w);
    return rc;
}

int stage_pack(const struct stage_paths *paths, const cJSON *exclude, int fd, burst_error_t *errp)
{
    struct walk *w = walk_create(paths, exclude, errp);
    cJSON *types = cJSON_CreateArray();
    int rc = -1;

    w->a = archive_write_new();
    archive_write_set_format_pax(w->a);
    archive_write_set_bytes_per_block(w->a, CHUNK);
    archive_write_set_bytes_in_last_block(w->a, 1);
    if (archive_write_open_fd(w->a, fd) != ARCHIVE_OK)
        archive_failed(w, "the job's files");
    else
        rc = walk_all(w, types);
    // After an error the end of the archive is missing, and so the node sees that it failed.
    if (rc == 0 && archive_write_close(w->a) != ARCHIVE_OK)
        rc = archive_failed(w, "the job's files");
    else if (rc < 0)
        archive_write_fail(w->a);
    archive_write_free(w->a);
    cJSON_Delete(types);
    walk_destroy(w);
    return rc;
}
