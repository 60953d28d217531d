// SPDX-License-Identifier: GPL-3.0-or-later
// A request to burst-stagerd, and which user it may act as.
#ifndef BURST_STAGE_REQUEST_H
#define BURST_STAGE_REQUEST_H

#include <stdint.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "ssh/stage_paths.h"

enum stage_op { STAGE_PACK, STAGE_UNPACK, STAGE_APPEND, STAGE_SURVEY, STAGE_KEEP };

struct stage_request {
    const cJSON *json; // borrowed
    enum stage_op op;
    const char *user;
    uid_t uid;
    gid_t gid;
    int64_t max_bytes; // 0: no limit
    const cJSON *exclude;
    const cJSON *named;          // of a survey: paths that must be there, NULL = none
    int64_t max_entries, max_ms; // of a survey, 1 to its bounds
    const char *append_path, *append_text;
    const char *keep_dir, *keep_name; // see stage_keep.h
};

// Form only; no account is looked up.
int stage_request_parse(const cJSON *json, struct stage_request *out, burst_error_t *errp);

// What an account database says of a user.
struct stage_account {
    uid_t uid;
    gid_t gid;           // primary group
    const gid_t *groups; // all of them
    int n_groups;
};

// May the request act as this account? Its uid must be the account's and a person's (people.h), its
// gid one of the account's groups and not 0.
int stage_request_allowed(const struct stage_request *r, const struct stage_account *account,
                          uid_t uid_min, burst_error_t *errp);

#endif
