// SPDX-License-Identifier: GPL-3.0-or-later
// A user's directory of results that could not come home (ssh/stage_keep.h).
#ifndef BURST_CMD_KEPT_H
#define BURST_CMD_KEPT_H

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "ssh/stage_pack.h"

// Rows of what is there, the oldest first: what NAME.json says of it, "archive" and "about": paths
// of the files, and "size": bytes of the archive. Owned by the caller; empty when there is no such
// directory. NULL when it cannot be read.
cJSON *kept_rows(const char *dir, burst_error_t *errp);

// Brings one of them to its places, with the rights of the caller, who is not root. Whole, or -1;
// files that are written stay then, and so does the archive.
int kept_bring_home(const cJSON *row, const char *home, struct stage_totals *totals,
                    burst_error_t *errp);

// Removes both of its files.
int kept_remove(const cJSON *row, burst_error_t *errp);

#endif
