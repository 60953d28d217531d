// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_content.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "libburst/xalloc.h"
#include "ssh/stage_holes.h"

#define CHUNK 65536

int64_t stage_content_bytes(int dir, const char *leaf, const struct stat *st)
{
    struct stage_parts parts;
    int no_link = dir == AT_FDCWD ? 0 : O_NOFOLLOW;

    if (!stage_holes_likely(st))
        return st->st_size;
    int fd = openat(dir, leaf, O_RDONLY | no_link | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return st->st_size;
    stage_parts_find(fd, st->st_size, &parts);
    int64_t bytes = parts.bytes;
    stage_parts_free(&parts);
    close(fd);
    return bytes;
}

static int failed(struct archive *a, const char *name, burst_error_t *errp)
{
    return errprintf(errp, "packing %.200s: %s", name, archive_error_string(a));
}

// A hole of the entry: libarchive wants its bytes as well, and sends none of them.
static int put_hole(struct archive *a, int64_t size, const char *name, burst_error_t *errp)
{
    static const char zero[CHUNK];

    while (size > 0) {
        la_ssize_t n = archive_write_data(a, zero, size < CHUNK ? (size_t)size : CHUNK);
        if (n <= 0)
            return failed(a, name, errp);
        size -= n;
    }
    return 0;
}

// *whole false: it became shorter, and libarchive fills up with zeros.
static int put_part(struct archive *a, int fd, const struct stage_part *p, const char *name,
                    bool *whole, burst_error_t *errp)
{
    char buf[CHUNK];

    for (int64_t done = 0; done < p->length;) {
        int64_t left = p->length - done;
        ssize_t n = pread(fd, buf, left < CHUNK ? (size_t)left : CHUNK, p->offset + done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errprintf(errp, "reading %.200s: %s", name, strerror(errno));
        *whole = n > 0;
        if (n == 0)
            break;
        if (archive_write_data(a, buf, (size_t)n) < 0)
            return failed(a, name, errp);
        done += n;
    }
    return 0;
}

static int put_parts(struct archive *a, int fd, int64_t size, const struct stage_parts *parts,
                     const char *name, burst_error_t *errp)
{
    int64_t at = 0;
    bool whole = true;

    for (size_t k = 0; k < parts->n && whole; k++) {
        const struct stage_part *p = &parts->part[k];
        if (put_hole(a, p->offset - at, name, errp) < 0 ||
            put_part(a, fd, p, name, &whole, errp) < 0)
            return -1;
        at = p->offset + p->length;
    }
    return whole ? put_hole(a, size - at, name, errp) : 0;
}

// The entry says where the holes are, if there are any.
static void describe_holes(struct archive_entry *e, int64_t size, const struct stage_parts *parts)
{
    if (parts->bytes == size)
        return;
    if (parts->n == 0)
        archive_entry_sparse_add_entry(e, 0, 0);
    for (size_t k = 0; k < parts->n; k++)
        archive_entry_sparse_add_entry(e, parts->part[k].offset, parts->part[k].length);
}

int stage_content_put(struct archive *a, struct archive_entry *e, int fd, const struct stat *st,
                      const char *name, burst_error_t *errp)
{
    struct stage_part all = {0, st->st_size};
    struct stage_parts parts = {&all, 1, st->st_size};
    bool holes = stage_holes_likely(st);

    if (holes)
        stage_parts_find(fd, st->st_size, &parts);
    describe_holes(e, st->st_size, &parts);
    int rc = archive_write_header(a, e);
    archive_entry_free(e);
    rc = rc < ARCHIVE_WARN ? failed(a, name, errp)
                           : put_parts(a, fd, st->st_size, &parts, name, errp);
    if (holes)
        stage_parts_free(&parts);
    return rc;
}
