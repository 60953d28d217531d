// SPDX-License-Identifier: GPL-3.0-or-later
// What a job demands of each node, and whether a shape gives it. Pure.
#ifndef BURST_FIT_H
#define BURST_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sjob;

struct demand {
    unsigned nodes;         // at least 1
    unsigned gpus_per_node; // 0 = none
    unsigned gpus_total;    // 0 = gpus_per_node decides (--gpus counts over all nodes)
    char gpu_type[32];      // "" = any
    unsigned cpus_per_node;
    unsigned cpus_total;
    uint64_t memory_mib; // per node, 0 = not given
    uint64_t memory_per_cpu_mib;
};

struct shape_size {
    const char *gpu_type; // Slurm's name, "" = no GPU
    unsigned gpus, cpus;
    uint64_t memory_mib; // what Slurm will count on (RealMemory)
};

// Reads the demand of a pending job. -1 with a sentence when the job asks for what no rented node
// is known to have (features, licences, reservations, node lists, other GRES, het jobs).
int demand_of(const struct sjob *s, struct demand *d, char *why, size_t size);

// Number of nodes of this shape that the job needs, 0 = it does not fit.
unsigned demand_nodes(const struct demand *d, const struct shape_size *s);

#endif
