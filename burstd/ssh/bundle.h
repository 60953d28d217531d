// SPDX-License-Identifier: GPL-3.0-or-later
// A small tar archive (POSIX ustar) in memory: what prepare sends to a node in one stream. Written
// here and not by libarchive because it holds the munge key: the buffer has one owner, who wipes
// it.
#ifndef BURST_SSH_BUNDLE_H
#define BURST_SSH_BUNDLE_H

#include <stddef.h>

#include "libburst/error.h"
#include "libburst/strbuf.h"

// Appends a regular file of root's. name: relative, at most 99 bytes.
int bundle_file(struct strbuf *b, const char *name, unsigned mode, const void *data, size_t len,
                burst_error_t *errp);
// Appends a directory (mode 700).
int bundle_dir(struct strbuf *b, const char *name, burst_error_t *errp);
// The end of the archive.
int bundle_end(struct strbuf *b, burst_error_t *errp);

// Appends all regular files of dir whose name ends in suffix, as prefix/NAME.
int bundle_tree(struct strbuf *b, const char *dir, const char *suffix, const char *prefix,
                unsigned mode, burst_error_t *errp);

#endif
