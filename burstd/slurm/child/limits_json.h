// SPDX-License-Identifier: GPL-3.0-or-later
// Limits of associations and QOS as JSON (docs/design/internals.md, section 6). Calls nothing of
// libslurm.
#ifndef BURST_LIMITS_JSON_H
#define BURST_LIMITS_JSON_H

#include <cjson/cJSON.h>

#include "slurm/child/compat_slurm.h"

// Names of slurmctld's TRES, in the order of the limits' numbers.
struct tres_names {
    char **names;
    uint32_t n;
};

// What has no limit of its own is told all the same: it leads to its parent.
cJSON *assoc_json(const slurmdb_assoc_rec_t *a, const struct tres_names *t);
// NULL: nothing in it limits what may run.
cJSON *qos_json(const slurmdb_qos_rec_t *q, const struct tres_names *t);

#endif
