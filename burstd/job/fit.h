// SPDX-License-Identifier: GPL-3.0-or-later
// What a pending job demands, read from Slurm's record of it, and how many nodes of a shape that
// takes. The counting is need.h's, the same as the plugin's. Pure.
#ifndef BURST_FIT_H
#define BURST_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slurm_plugin/need.h"

struct sjob;
struct spart;

struct demand {
    struct need need;
};

struct shape_size {
    const char *gpu_type; // Slurm's name, "" = no GPU
    unsigned gpus, cpus;
    uint64_t memory_mib; // what Slurm will count on (RealMemory)
    uint64_t tmp_disk_mib;
    const char *features; // comma list; NULL = whatever is asked for
};

// Reads the demand of a pending job; d borrows texts of s. home: the partition that it is in now,
// whose defaults may stand in its record; NULL = not known. -1 with a sentence when the job asks
// for what no rented node is known to have (reservations, other GRES, het jobs).
int demand_of(const struct sjob *s, const struct spart *home, struct demand *d, char *why,
              size_t size);

// Number of nodes of this shape that the job takes in this partition (NULL = one without defaults),
// 0 = it does not fit.
unsigned demand_nodes(const struct demand *d, const struct spart *part, const struct shape_size *s);

#endif
