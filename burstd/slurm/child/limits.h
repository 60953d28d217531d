// SPDX-License-Identifier: GPL-3.0-or-later
// What may run at a time: slurmctld's limits of associations and QOS.
#ifndef BURST_CHILD_LIMITS_H
#define BURST_CHILD_LIMITS_H

#include <cjson/cJSON.h>

#include "slurm/child/compat_slurm.h"

// The message (owned by the caller): limits of all accounts and QOS, and of these users (borrowed,
// an array of names). With "error" when they cannot be read.
cJSON *limits_load(const cJSON *users, const partition_info_msg_t *partitions);

#endif
