// SPDX-License-Identifier: GPL-3.0-or-later
// Packs a job's paths as a POSIX pax tar stream. Runs with the rights of the job's user and nothing
// else; links are packed as links and never followed, below the paths.
#ifndef BURST_STAGE_PACK_H
#define BURST_STAGE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "ssh/stage_paths.h"

struct stage_totals {
    int64_t files;           // entries of all kinds
    int64_t bytes;           // of contents, without holes
    int64_t skipped;         // devices, sockets, unreadable files, links that leave the paths ...
    char first_skipped[256]; // one name, for a message
    bool cut;                // there is more, at which a bounded survey did not look
    size_t at;               // index of the path at which it ended
};

// How far a survey goes, 0: any number.
struct stage_reach {
    int64_t entries;
    int64_t ms;
};

// Looks through all paths without reading contents. types gets one string per path: "dir", "file",
// "none". -1 with *errclass "limit" when there is more than max_bytes (0: no limit).
int stage_survey(const struct stage_paths *paths, const cJSON *exclude, int64_t max_bytes,
                 cJSON *types, struct stage_totals *totals, const char **errclass,
                 burst_error_t *errp);

// The same, but when it has looked so far it ends well, with totals->cut.
int stage_survey_bounded(const struct stage_paths *paths, const cJSON *exclude, int64_t max_bytes,
                         const struct stage_reach *reach, cJSON *types, struct stage_totals *totals,
                         const char **errclass, burst_error_t *errp);

// Writes the archive to fd. What changes meanwhile is packed with the size that it had.
int stage_pack(const struct stage_paths *paths, const cJSON *exclude, int fd, burst_error_t *errp);

#endif
