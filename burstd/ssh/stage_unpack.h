// SPDX-License-Identifier: GPL-3.0-or-later
// Unpacks a tar stream that a node sent into the job's paths. The node may be hostile: the process
// has the rights of the job's user and nothing else, and within those only what the request's paths
// name can be touched.
//
// - A name outside the paths, or one with "..", ends it (class denied).
// - Directories are entered one by one and never through a symbolic link.
// - Files are written beside their place and renamed: a cut stream leaves whole files, and a
//   link that stood there is replaced, not followed.
// - Set-id bits and the sticky bit are dropped; devices, fifos, links that lead out of the paths
//   and the home directory's dot entries are skipped and counted.
#ifndef BURST_STAGE_UNPACK_H
#define BURST_STAGE_UNPACK_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "ssh/stage_pack.h"
#include "ssh/stage_paths.h"

// Reads the stream from fd until its end-of-archive mark. 0: all of it is on disk (synced).
// -1: *errclass is denied, limit, space or io. A file that could not be written (a directory is in
// its place, no permission) does not stop the others, but the result is -1 class io.
int stage_unpack(const struct stage_paths *paths, const cJSON *exclude, int64_t max_bytes, int fd,
                 struct stage_totals *totals, const char **errclass, burst_error_t *errp);

// The same from an archive that stage_keep() made of such a stream.
int stage_unpack_kept(const struct stage_paths *paths, const cJSON *exclude, int fd,
                      struct stage_totals *totals, burst_error_t *errp);

#endif
