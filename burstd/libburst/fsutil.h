// SPDX-License-Identifier: GPL-3.0-or-later
// Files: whole reads with a ceiling, atomic and durable writes, and distrust of secrets.
#ifndef BURST_FSUTIL_H
#define BURST_FSUTIL_H

#include <stddef.h>
#include <sys/types.h>

#include "libburst/error.h"

// Reads a whole regular file of at most max bytes. *out is owned by the caller and terminated.
int fs_read(const char *path, size_t max, char **out, size_t *len, burst_error_t *errp);

// Writes path by temporary file, fsync, rename and fsync of the directory: after a crash the
// file is the old one or the new one.
int fs_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
                    burst_error_t *errp);

// Makes a directory and its missing parents.
int fs_mkdirs(const char *path, mode_t mode, burst_error_t *errp);

// Reads a secret: a regular file, owned by root or by us, no access for others (and none for the
// group), in directories that only root or we can write to. The caller wipes it with fs_wipe().
int fs_read_secret(const char *path, size_t max, char **out, size_t *len, burst_error_t *errp);

// Overwrites and frees; NULL is allowed.
void fs_wipe(char *secret, size_t len);

#endif
