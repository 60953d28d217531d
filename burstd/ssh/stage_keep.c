// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_keep.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "ssh/stage_stream.h"

#define CHUNK 65536
#define LOOK_BYTES (INT64_C(64) << 20) // the free space is looked at so often
#define MAX_NAMES 1000
#define PART ".part"

bool stage_keep_name_ok(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= STAGE_KEEP_NAME_MAX && name[0] != '.' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.") == len;
}

// ---- as root

static int open_site_dir(const char *dir, gid_t site_gid, burst_error_t *errp)
{
    struct stat st;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 0 && st.st_gid == site_gid &&
        !(st.st_mode & 022))
        return fd;
    errprintf(
        errp,
        "results cannot be kept in %.200s: %s (root must own it, with the group of SlurmUser, "
        "and nobody else may write to it: install -d -o root -g slurm -m 0711 %.200s)",
        dir, fd < 0 ? strerror(errno) : "it is not as it must be", dir);
    if (fd >= 0)
        close(fd);
    return -1;
}

int stage_keep_dir(const char *dir, gid_t site_gid, const char *user, uid_t uid, gid_t gid,
                   burst_error_t *errp)
{
    struct stat st;
    int site, fd;

    if (!*user || user[0] == '.' || strchr(user, '/'))
        return errprintf(errp, "no directory can be called as user %.64s", user);
    if ((site = open_site_dir(dir, site_gid, errp)) < 0)
        return -1;
    const char *why = NULL;
    if (mkdirat(site, user, 0700) < 0 && errno != EEXIST)
        why = strerror(errno);
    fd = openat(site, user, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        why = why ? why : strerror(errno);
    // One of root's is ours: it was made, and what comes next was cut off.
    else if (st.st_uid == 0 && (fchown(fd, uid, gid) < 0 || fstat(fd, &st) < 0))
        why = strerror(errno);
    else if (st.st_uid != uid)
        why = "it is somebody else's";
    close(site);
    if (!why)
        return fd;
    errprintf(errp, "%.200s/%.64s cannot be the user's directory: %s", dir, user, why);
    if (fd >= 0)
        close(fd);
    return -1;
}

// ---- as the user

struct keep {
    const struct stage_keep_request *r;
    const struct stage_paths *paths;
    int dir;
    char name[STAGE_KEEP_NAME_MAX + 16];
    char part[STAGE_KEEP_NAME_MAX + 48];
    int out;
    struct archive *in, *a;
    struct stage_totals *totals;
    int64_t look_at; // totals->bytes at which the free space is looked at
    const char *errclass;
    burst_error_t *errp;
};

static int no_space(struct keep *k, const char *why)
{
    k->errclass = "space";
    return errprintf(k->errp, "%.200s has no room for the results: %s", k->r->dir, why);
}

static int written(struct keep *k)
{
    int err = archive_errno(k->a);

    if (err == ENOSPC || err == EDQUOT)
        return no_space(k, strerror(err));
    return errprintf(k->errp, "writing %.200s/%.200s: %s", k->r->dir, k->part,
                     archive_error_string(k->a));
}

static int look_at_space(struct keep *k)
{
    struct statvfs fs;
    char why[80];

    if (k->totals->bytes < k->look_at)
        return 0;
    k->look_at = k->totals->bytes + LOOK_BYTES;
    if (fstatvfs(k->out, &fs) < 0 || fs.f_bavail >= fs.f_blocks / 100 * STAGE_KEEP_FREE_PERCENT)
        return 0;
    snprintf(why, sizeof(why), "less than %d %% of its file system are free",
             STAGE_KEEP_FREE_PERCENT);
    return no_space(k, why);
}

// Holes are written as zeros; gzip makes little of them.
static int put_zeros(struct keep *k, int64_t n)
{
    static const char zero[CHUNK];

    while (n > 0) {
        la_ssize_t did = archive_write_data(k->a, zero, n < CHUNK ? (size_t)n : CHUNK);
        if (did <= 0)
            return written(k);
        n -= did;
    }
    return 0;
}

static int put_content(struct keep *k, const char *name, int64_t size)
{
    const void *block;
    size_t len;
    la_int64_t off;
    int64_t at = 0;
    int rc;

    while ((rc = archive_read_data_block(k->in, &block, &len, &off)) == ARCHIVE_OK) {
        if (off < at || off > size || (int64_t)len > size - off)
            return errprintf(k->errp, "%.200s: more data than the archive announced", name);
        if (put_zeros(k, off - at) < 0)
            return -1;
        if (len > 0 && archive_write_data(k->a, block, len) != (la_ssize_t)len)
            return written(k);
        k->totals->bytes += (int64_t)len;
        at = off + (int64_t)len;
        if (look_at_space(k) < 0)
            return -1;
    }
    if (rc != ARCHIVE_EOF)
        return errprintf(k->errp, "the stream from the node broke off in %.200s: %s", name,
                         archive_error_string(k->in));
    return put_zeros(k, size - at);
}

static int put(struct keep *k, struct archive_entry *e)
{
    const char *raw = archive_entry_pathname(e);
    char *name = stage_name_normalise(raw);
    int64_t size = archive_entry_size_is_set(e) ? archive_entry_size(e) : 0;
    int rc = 0;

    if (!name || stage_paths_find(k->paths, name, NULL) < 0 || size < 0) {
        if (k->totals->skipped++ == 0)
            snprintf(k->totals->first_skipped, sizeof(k->totals->first_skipped), "%.200s",
                     raw ? raw : "(no name)");
        goto out;
    }
    k->totals->files++;
    // Whole: holes would need their places again, and gzip does as well.
    archive_entry_sparse_clear(e);
    if (archive_write_header(k->a, e) < ARCHIVE_WARN)
        rc = written(k);
    else if (size > 0 && archive_entry_filetype(e) == AE_IFREG && !archive_entry_hardlink(e))
        rc = put_content(k, name, size);
out:
    free(name);
    return rc;
}

static int copy(struct keep *k, int fd)
{
    struct stage_stream *in = stage_stream_open(fd, false, k->errp);
    struct archive_entry *e;
    int rc = -1;

    if (!in)
        return -1;
    k->in = stage_stream_archive(in);
    while ((rc = stage_stream_next(in, &e, k->errp)) > 0)
        if ((rc = put(k, e)) < 0)
            break;
    stage_stream_close(in);
    return rc;
}

// A free name, and its archive's file under a name of before its end.
static int begin(struct keep *k)
{
    for (int n = 1; n <= MAX_NAMES; n++) {
        char whole[sizeof(k->name) + 16];
        struct stat st;

        if (n == 1)
            snprintf(k->name, sizeof(k->name), "%s", k->r->name);
        else
            snprintf(k->name, sizeof(k->name), "%s.%d", k->r->name, n);
        snprintf(whole, sizeof(whole), "%s%s", k->name, STAGE_KEEP_ARCHIVE);
        if (fstatat(k->dir, whole, &st, AT_SYMLINK_NOFOLLOW) == 0)
            continue;
        snprintf(k->part, sizeof(k->part), "%s%s", whole, PART);
        unlinkat(k->dir, k->part, 0); // of one that was cut off
        k->out =
            openat(k->dir, k->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (k->out >= 0)
            return 0;
        break;
    }
    if (errno == ENOSPC || errno == EDQUOT)
        return no_space(k, strerror(errno));
    return errprintf(k->errp, "%.200s/%.200s cannot be made: %s", k->r->dir, k->part,
                     strerror(errno));
}

static int write_archive(struct keep *k, int fd)
{
    int rc = -1;

    k->a = archive_write_new();
    archive_write_set_format_pax(k->a);
    archive_write_set_options(k->a, "hdrcharset=BINARY");
    archive_write_add_filter_gzip(k->a);
    archive_write_set_filter_option(k->a, "gzip", "compression-level", "1");
    if (archive_write_open_fd(k->a, k->out) != ARCHIVE_OK)
        written(k);
    else
        rc = copy(k, fd);
    if (rc == 0 && archive_write_close(k->a) != ARCHIVE_OK)
        rc = written(k);
    else if (rc < 0)
        archive_write_fail(k->a);
    archive_write_free(k->a);
    if (rc == 0 && fsync(k->out) < 0)
        rc = errprintf(k->errp, "writing %.200s/%.200s: %s", k->r->dir, k->part, strerror(errno));
    return rc;
}

static cJSON *about(const struct keep *k)
{
    cJSON *o = cJSON_CreateObject();

    json_add_i64(o, "version", 1);
    json_add_str(o, "job", k->r->job);
    json_add_str(o, "node", k->r->node);
    json_add_str(o, "why", k->r->why);
    json_add_i64(o, "time", clock_now_s());
    json_add_i64(o, "files", k->totals->files);
    json_add_i64(o, "bytes", k->totals->bytes);
    cJSON_AddItemToObject(o, "paths", cJSON_Duplicate(k->r->paths, 1));
    if (k->r->exclude)
        cJSON_AddItemToObject(o, "exclude", cJSON_Duplicate(k->r->exclude, 1));
    return o;
}

static int write_about(struct keep *k, const char *file)
{
    cJSON *o = about(k);
    char *text = cJSON_Print(o);
    size_t len = strlen(text);
    int rc = -1;
    int fd = openat(k->dir, file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    errno = 0;
    if (fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0)
        rc = 0;
    else
        errprintf(k->errp, "writing %.200s/%.200s: %s", k->r->dir, file,
                  errno ? strerror(errno) : "no space left");
    if (fd >= 0)
        close(fd);
    cJSON_free(text);
    cJSON_Delete(o);
    return rc;
}

// The archive gets its name last: who sees it finds all of it.
static int finish(struct keep *k)
{
    char file[sizeof(k->part)], whole[sizeof(k->name) + 16];

    snprintf(file, sizeof(file), "%s%s", k->name, STAGE_KEEP_ABOUT);
    snprintf(whole, sizeof(whole), "%s%s", k->name, STAGE_KEEP_ARCHIVE);
    if (write_about(k, file) < 0)
        return -1;
    if (renameat(k->dir, k->part, k->dir, whole) < 0 || fsync(k->dir) < 0)
        return errprintf(k->errp, "%.200s/%.200s cannot be made: %s", k->r->dir, whole,
                         strerror(errno));
    return 0;
}

int stage_keep(int at_dir, const struct stage_keep_request *r, const struct stage_paths *paths,
               int fd, struct stage_totals *totals, char **kept, const char **errclass,
               burst_error_t *errp)
{
    struct keep k = {.r = r,
                     .paths = paths,
                     .dir = at_dir,
                     .out = -1,
                     .totals = totals,
                     .errclass = "io",
                     .errp = errp};

    memset(totals, 0, sizeof(*totals));
    int rc = begin(&k);
    if (rc == 0)
        rc = look_at_space(&k);
    if (rc == 0)
        rc = write_archive(&k, fd);
    if (rc == 0)
        rc = finish(&k);
    if (rc < 0 && k.out >= 0)
        unlinkat(at_dir, k.part, 0);
    if (k.out >= 0)
        close(k.out);
    *errclass = k.errclass;
    if (rc == 0)
        *kept = xasprintf("%s/%s%s", r->dir, k.name, STAGE_KEEP_ARCHIVE);
    return rc;
}
