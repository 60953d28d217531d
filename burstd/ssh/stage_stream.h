// SPDX-License-Identifier: GPL-3.0-or-later
// The archive that a node sends, or that was kept of what it sent (stage_keep.h): read entry by
// entry, and told apart from one that was cut.
#ifndef BURST_SSH_STAGE_STREAM_H
#define BURST_SSH_STAGE_STREAM_H

#include <stdbool.h>

#include "libburst/error.h"

struct archive;
struct archive_entry;
struct stage_stream;

// kept: a gzip file of ours, else a bare tar stream. fd stays the caller's. NULL: no archive.
struct stage_stream *stage_stream_open(int fd, bool kept, burst_error_t *errp);
void stage_stream_close(struct stage_stream *s);

struct archive *stage_stream_archive(struct stage_stream *s); // borrowed

// 1: *entry (borrowed until the next call), 0: the archive's end, whole, -1: it broke off.
int stage_stream_next(struct stage_stream *s, struct archive_entry **entry, burst_error_t *errp);

#endif
