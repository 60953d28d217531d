// SPDX-License-Identifier: GPL-3.0-or-later
// See fit.h.
#include "job/fit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "slurm/slurm_link.h"

static unsigned ceil_div(uint64_t a, uint64_t b)
{
    return b ? (unsigned)((a + b - 1) / b) : 0;
}

static const char *unsupported(const struct sjob *s)
{
    if (s->het)
        return "it is a component of a heterogeneous job";
    if (s->features[0])
        return "it asks for node features (--constraint)";
    if (s->licenses[0])
        return "it asks for licences";
    if (s->reservation[0])
        return "it belongs to a reservation";
    if (s->other_gres)
        return "it asks for a generic resource other than GPUs";
    return NULL;
}

int demand_of(const struct sjob *s, struct demand *d, char *why, size_t size)
{
    const char *no = unsupported(s);

    memset(d, 0, sizeof(*d));
    if (no) {
        snprintf(why, size, "%s", no);
        return -1;
    }
    d->nodes = s->num_nodes_min ? s->num_nodes_min : 1;
    snprintf(d->gpu_type, sizeof(d->gpu_type), "%s", s->gpu_type);
    d->gpus_total = s->gpus_per_job;
    d->gpus_per_node = s->gpus_per_node;
    if (s->gpus_per_task) {
        unsigned tasks = s->num_tasks ? s->num_tasks : d->nodes;
        unsigned per_node = s->ntasks_per_node ? s->ntasks_per_node : ceil_div(tasks, d->nodes);
        d->gpus_per_node = s->gpus_per_task * per_node;
    }
    d->cpus_total = s->num_cpus ? s->num_cpus : 1;
    d->cpus_per_node = s->cpus_per_task ? s->cpus_per_task : 1;
    if (s->ntasks_per_node)
        d->cpus_per_node *= s->ntasks_per_node;
    d->memory_mib = s->mem_per_node_mib;
    d->memory_per_cpu_mib = s->mem_per_cpu_mib;
    return 0;
}

unsigned demand_nodes(const struct demand *d, const struct shape_size *s)
{
    unsigned n = d->nodes;
    bool wants_gpu = d->gpus_per_node || d->gpus_total;

    if (wants_gpu != (s->gpus > 0))
        return 0; // a GPU instance for a job without GPUs is never the cheapest place
    if (wants_gpu && d->gpu_type[0] && strcasecmp(d->gpu_type, s->gpu_type) != 0)
        return 0;
    if (d->gpus_per_node > s->gpus)
        return 0;
    if (d->gpus_total && ceil_div(d->gpus_total, s->gpus) > n)
        n = ceil_div(d->gpus_total, s->gpus);
    if (d->cpus_per_node > s->cpus)
        return 0;
    if (ceil_div(d->cpus_total, s->cpus) > n)
        n = ceil_div(d->cpus_total, s->cpus);
    unsigned cpus = ceil_div(d->cpus_total, n);
    if (cpus < d->cpus_per_node)
        cpus = d->cpus_per_node;
    if (d->memory_mib > s->memory_mib)
        return 0;
    if (d->memory_per_cpu_mib * cpus > s->memory_mib)
        return 0;
    // Slurm spreads a job over more nodes than it named only when it named no number.
    if (n > d->nodes && d->nodes > 1)
        return 0;
    return n;
}
