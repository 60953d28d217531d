// SPDX-License-Identifier: GPL-3.0-or-later
// The small site of the plugin's tests: partition main (default: 2 nodes with 2 CPUs, 4000 MB and 2
// a100 each); aws rents a100x2, h100x1 and cpu4 nodes. Prices are per node and hour.
#ifndef BURST_TEST_SITE_H
#define BURST_TEST_SITE_H

#include "slurm_plugin/snapshot.h"

static inline void site_shape(struct snapshot_body *b, const char *gpu, uint32_t gpus, money_t spot,
                              money_t on_demand)
{
    struct snapshot_shape *s = &b->shape[b->n_shapes++];

    s->partition = 1;
    s->nodes = 4;
    s->cpus = 2;
    s->memory_mib = 1000;
    s->gpus = gpus;
    s->price_spot = spot;
    s->price_on_demand = on_demand;
    snapshot_set(s->gpu_type, SNAPSHOT_GPU, gpu);
    snapshot_set(s->cloud, SNAPSHOT_CLOUD, "aws");
}

static inline void site_fill(struct snapshot *s)
{
    struct snapshot_body *b = &s->body;

    snapshot_init(s);
    b->default_auto = 1;
    b->max_nodes = 8;
    b->max_minutes = 10080;
    b->default_runtime_s = 3600;
    b->unlisted_user = SNAPSHOT_USER_ALLOWED;
    b->partitions.n = b->accounts.n = 1;
    snapshot_set(b->partitions.text[0], SNAPSHOT_NAME, "main");
    snapshot_set(b->accounts.text[0], SNAPSHOT_NAME, "*");
    b->n_partitions = 2;
    snapshot_set(b->partition[0].name, SNAPSHOT_NAME, "main");
    snapshot_set(b->partition[1].name, SNAPSHOT_NAME, "aws");
    b->partition[0].is_default = 1;
    b->partition[1].elastic = 1;
    for (int i = 0; i < 2; i++)
        b->partition[i].max_nodes = b->partition[i].max_minutes = UINT32_MAX;
    b->n_kinds = 1;
    b->kind[0] = (struct snapshot_kind){.nodes = 2, .cpus = 2, .memory_mib = 4000, .n_gpus = 1};
    snapshot_set(b->kind[0].gpu[0].type, SNAPSHOT_GPU, "a100");
    b->kind[0].gpu[0].count = 2;
    site_shape(b, "a100", 2, 2000000, 5000000);
    site_shape(b, "h100", 1, 3000000, 8000000);
    site_shape(b, "", 0, 100000, 250000);
}

#endif
