// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_stream.h"

#include <archive.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libburst/xalloc.h"

#define BLOCK 65536

struct stage_stream {
    struct archive *a;
    int fd;
    bool kept;
    bool ended; // nothing comes any more
    char block[BLOCK];
};

static la_ssize_t read_block(struct archive *a, void *arg, const void **block)
{
    struct stage_stream *s = arg;
    ssize_t n;

    do
        n = read(s->fd, s->block, sizeof(s->block));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        archive_set_error(a, errno, "%s",
                          errno == EAGAIN ? "nothing came for too long" : strerror(errno));
    s->ended = n <= 0;
    *block = s->block;
    return n;
}

struct stage_stream *stage_stream_open(int fd, bool kept, burst_error_t *errp)
{
    struct stage_stream *s = xmalloc(sizeof(*s));

    s->fd = fd;
    s->kept = kept;
    s->a = archive_read_new();
    archive_read_support_format_tar(s->a);
    if (kept)
        archive_read_support_filter_gzip(s->a);
    // Names are bytes: whatever the locale, they come back as they were.
    archive_read_set_format_option(s->a, "tar", "hdrcharset", "BINARY");
    if (archive_read_open(s->a, s, NULL, read_block, NULL) == ARCHIVE_OK)
        return s;
    errprintf(errp, "%s no archive: %s", kept ? "it is" : "the node sent",
              archive_error_string(s->a));
    stage_stream_close(s);
    return NULL;
}

void stage_stream_close(struct stage_stream *s)
{
    if (!s)
        return;
    archive_read_free(s->a);
    free(s);
}

struct archive *stage_stream_archive(struct stage_stream *s)
{
    return s->a;
}

int stage_stream_next(struct stage_stream *s, struct archive_entry **entry, burst_error_t *errp)
{
    int rc = archive_read_next_header(s->a, entry);

    if (rc == ARCHIVE_OK || rc == ARCHIVE_WARN)
        return 1;
    if (rc != ARCHIVE_EOF)
        return errprintf(errp, "%s is no whole archive: %s",
                         s->kept ? "it" : "the stream from the node", archive_error_string(s->a));
    // libarchive takes a stream that ends between two entries for an archive. Ours end with tar's
    // mark, after which it does not read on; gzip has an end of its own.
    if (s->ended && !s->kept)
        return errprintf(errp, "the stream from the node ended early");
    return 0;
}
