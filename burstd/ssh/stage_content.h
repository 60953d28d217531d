// SPDX-License-Identifier: GPL-3.0-or-later
// A file's content in an archive that is written: what is not a hole (stage_holes.h).
#ifndef BURST_SSH_STAGE_CONTENT_H
#define BURST_SSH_STAGE_CONTENT_H

#include <stdint.h>
#include <sys/stat.h>

#include "libburst/error.h"

struct archive;
struct archive_entry;

// Bytes that would be sent of the file `leaf` in the directory dir (AT_FDCWD: leaf is the whole
// name, and may be a link). Its size when that cannot be looked at.
int64_t stage_content_bytes(int dir, const char *leaf, const struct stat *st);

// Writes entry (taken: freed here) and content of an open regular file. What changes meanwhile
// comes with the size that st has. -1: reading or writing failed; name is for the message.
int stage_content_put(struct archive *a, struct archive_entry *e, int fd, const struct stat *st,
                      const char *name, burst_error_t *errp);

#endif
