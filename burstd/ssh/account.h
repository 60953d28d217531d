// SPDX-License-Identifier: GPL-3.0-or-later
// What a request lacks of the job's user, from the accounts of this host.
#ifndef BURST_SSH_ACCOUNT_H
#define BURST_SSH_ACCOUNT_H

#include <cjson/cJSON.h>

#include "libburst/error.h"

// Adds home (text) and groups (array of {gid, name}) to a request that names a user and lacks them.
// -1 when this host does not know the user.
int account_complete(cJSON *json, burst_error_t *errp);

#endif
