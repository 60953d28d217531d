// SPDX-License-Identifier: GPL-3.0-or-later
// Results that cannot be written to their places (a quota, a directory that is gone) are kept for
// their owner, so that a rented node need not wait: below a directory that the site names, in one
// of the user's own, as NAME.tar.gz and NAME.json. `burst results` brings them to their places.
//
//   DIR            root:SlurmUser's group, writable by root only; made by the administrator
//   DIR/USER       the user's, mode 0700; made here
#ifndef BURST_SSH_STAGE_KEEP_H
#define BURST_SSH_STAGE_KEEP_H

#include <stdbool.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "ssh/stage_pack.h"
#include "ssh/stage_paths.h"

#define STAGE_KEEP_ARCHIVE ".tar.gz"
#define STAGE_KEEP_ABOUT ".json"
#define STAGE_KEEP_NAME_MAX 200
// Of the file system so much stays free: it may be the one that slurmctld writes to.
#define STAGE_KEEP_FREE_PERCENT 10

// As root: opens the user's directory below dir, and makes it when it is not there. site_gid: the
// group that dir must have, so that no other directory of root's can be meant. The caller closes
// it.
int stage_keep_dir(const char *dir, gid_t site_gid, const char *user, uid_t uid, gid_t gid,
                   burst_error_t *errp);

struct stage_keep_request {
    const char *dir;  // of the user, for messages and *kept
    const char *name; // see stage_keep_name_ok(); a number is added when it is taken
    // For NAME.json: what the job was, and why its results are here.
    const char *job, *node, *why;
    const cJSON *paths, *exclude; // as the request has them; borrowed
};

// A-Z a-z 0-9 _ - and ., not at the beginning.
bool stage_keep_name_ok(const char *name);

// As the user: writes the stream that comes from fd into at_dir. What is not below the paths is
// left out and counted: nothing that a node sends can keep the rest from being kept.
// *kept: path of the archive, owned. -1: nothing is left of it; *errclass is space or io.
int stage_keep(int at_dir, const struct stage_keep_request *r, const struct stage_paths *paths,
               int fd, struct stage_totals *totals, char **kept, const char **errclass,
               burst_error_t *errp);

#endif
