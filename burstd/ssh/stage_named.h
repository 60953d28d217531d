// SPDX-License-Identifier: GPL-3.0-or-later
// Paths that a user has named himself (--burst-stage-in) must be there and be such as can be
// staged; of others it is no news when they are not (an output file that is still to be written).
#ifndef BURST_SSH_STAGE_NAMED_H
#define BURST_SSH_STAGE_NAMED_H

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "ssh/stage_paths.h"

// named: array of those among the paths, as the request wrote them (NULL: none). The index of the
// first one that cannot be staged, with a sentence in errp; -1: all can. Runs with the user's
// rights.
int stage_named_fault(const struct stage_paths *paths, const cJSON *named, burst_error_t *errp);

#endif
