// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm's node and partition records as JSON (docs/design/internals.md, section 6). Calls nothing
// of libslurm.
#ifndef BURST_NODE_JSON_H
#define BURST_NODE_JSON_H

#include <cjson/cJSON.h>

#include "slurm/child/compat_slurm.h"

// NULL for an empty slot of the table (name NULL: slurmctld sends MaxNodeCount records).
cJSON *node_json(const node_info_t *n);

// What a job gets in a partition that does not ask for it itself, in Slurm's coding (memory with
// MEM_PER_CPU or of a node); 0 = none.
struct partition_defaults {
    uint64_t memory, cpus_per_gpu, mem_per_gpu;
    uint64_t max_memory; // MaxMemPerNode, or MaxMemPerCPU with Slurm's flag; 0 = none
};
cJSON *partition_json(const partition_info_t *p, const struct partition_defaults *d);

#endif
