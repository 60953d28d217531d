// SPDX-License-Identifier: GPL-3.0-or-later
// See fit.h.
#include "job/fit.h"

#include <stdio.h>
#include <string.h>

#include "slurm/records.h"

static const char *unsupported(const struct sjob *s)
{
    if (s->het)
        return "it is a component of a heterogeneous job";
    if (s->reservation[0])
        return "it belongs to a reservation";
    return NULL;
}

static struct need_defaults defaults_of(const struct spart *p)
{
    struct need_defaults d = {0};

    if (p)
        d = (struct need_defaults){p->def_mem_per_node_mib, p->def_mem_per_cpu_mib,
                                   p->def_mem_per_gpu_mib, p->def_cpus_per_gpu, p->exclusive};
    return d;
}

static struct job_request request_of(const struct sjob *s)
{
    struct job_request r = {
        .min_nodes = s->num_nodes_min,
        .max_nodes = s->num_nodes_max,
        .tasks = s->tasks_given || s->num_tasks > s->num_nodes_min ? s->num_tasks : 0,
        .tasks_per_node = s->ntasks_per_node,
        .cpus_per_task = s->cpus_per_task,
        .min_cpus = s->num_cpus,
        .cpus_per_node = s->cpus_per_node,
        .sockets_per_node = s->sockets_per_node,
        .tasks_per_gpu = s->ntasks_per_gpu,
        .exclusive = s->exclusive,
        .mem_given = s->mem_given,
        .cpus_given = s->cpus_given,
        .mem_per_node_mib = s->mem_per_node_mib,
        .mem_per_cpu_mib = s->mem_per_cpu_mib,
        .tres_per_job = s->tres_per_job,
        .tres_per_node = s->tres_per_node,
        .tres_per_socket = s->tres_per_socket,
        .tres_per_task = s->tres_per_task,
        .cpus_per_tres = s->cpus_per_tres,
        .mem_per_tres = s->mem_per_tres,
        .constraint = s->features,
        .tmp_disk_mib = s->tmp_disk_mib,
    };

    // Slurm's record has no flag for --overcommit: such a job has more tasks than CPUs.
    r.overcommit = s->num_cpus && s->num_cpus < r.tasks * need_cpus_of_task(&r);
    return r;
}

// Slurm writes defaults into the record where the user's own would stand, and they are those of
// another partition once the job is there. Up to 23.02 they look different ("gpu:4", the user's
// "gres:gpu:4"); later what is equal to them is taken for them.
static bool is_default(const char *text, uint64_t value, uint64_t dflt)
{
    return value == dflt && strncmp(text, "gres:", 5) != 0;
}

static void forget_defaults(struct need *n, const struct sjob *s, const struct need_defaults *home)
{
    if (is_default(s->cpus_per_tres, n->cpus_per_gpu, home->cpus_per_gpu))
        n->cpus_per_gpu = 0;
    if (is_default(s->mem_per_tres, n->mem_per_gpu, home->mem_per_gpu))
        n->mem_per_gpu = 0;
}

int demand_of(const struct sjob *s, const struct spart *home, struct demand *d, char *why,
              size_t size)
{
    const char *no = unsupported(s);
    struct job_request r = request_of(s);
    struct need_defaults defaults = defaults_of(home);
    char what[64];

    memset(d, 0, sizeof(*d));
    if (no) {
        snprintf(why, size, "%s", no);
        return -1;
    }
    if (s->special[0]) {
        snprintf(why, size, "it asks for %s", s->special);
        return -1;
    }
    if (need_of(&r, &d->need, what, sizeof(what)) < 0) {
        snprintf(why, size, "it asks for %s", what);
        return -1;
    }
    forget_defaults(&d->need, s, &defaults);
    return 0;
}

unsigned demand_nodes(const struct demand *d, const struct spart *part, const struct shape_size *s)
{
    struct need_defaults runs = defaults_of(part);
    struct need n = d->need;
    struct node_size size = {.cpus = s->cpus,
                             .memory_mib = s->memory_mib,
                             .tmp_disk_mib = s->tmp_disk_mib,
                             .features = s->features};

    if (need_wants_gpu(&n) != (s->gpus > 0))
        return 0; // a GPU instance for a job without GPUs is never the cheapest place
    if (!n.gpu_type[0] || strcmp(n.gpu_type, s->gpu_type) == 0)
        size.gpus = s->gpus;
    need_settle(&n, NULL, &runs);
    // Memory per CPU is left to Slurm, which may add CPUs for it.
    if (part && part->max_mem_per_node_mib && n.mem_per_node > part->max_mem_per_node_mib)
        return 0;
    uint64_t count = need_count(&n, &size);
    return count <= UINT32_MAX ? (unsigned)count : 0;
}
