// SPDX-License-Identifier: GPL-3.0-or-later
// Which directories a node must have before a job's files can be put there, and whose they are:
// said by who sees the originals. What the user could not make at home is made on no node for him,
// and he owns nothing there that is not his at home.
#ifndef BURST_SSH_STAGE_PLACES_H
#define BURST_SSH_STAGE_PLACES_H

#include <sys/types.h>

#include <cjson/cJSON.h>

#include "ssh/stage_paths.h"

// An array of texts "KIND DIRECTORY", in the order in which they are to be made:
//   own     exists here and is the user's
//   shared  exists here, is somebody else's, and the user may write to it or reads from it
//   new     is to be made by the user himself, below a directory that is his or that he may write
//   to
// types: as stage_survey() gave them. work_dir: the job's, NULL = none. Runs with the user's
// rights.
cJSON *stage_places(const struct stage_paths *paths, const cJSON *types, const char *work_dir,
                    uid_t uid);

#endif
