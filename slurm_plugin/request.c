// SPDX-License-Identifier: GPL-3.0-or-later
// See request.h.
#include "slurm_plugin/request.h"

#include <string.h>

static bool given(const char *s)
{
    return s && s[0];
}

static uint32_t number32(uint32_t n)
{
    return n == NO_VAL ? 0 : n;
}

static uint32_t number16(uint16_t n)
{
    return n == NO_VAL16 || n == INFINITE16 ? 0 : n;
}

// First thing that the job asks for and that no rented node is known to have.
static const char *special(const job_desc_msg_t *d)
{
    if (given(d->cluster_features) || given(d->batch_features))
        return "a feature of the cluster or of the batch host";
    if (given(d->req_nodes))
        return "certain nodes (--nodelist)";
    if (given(d->reservation))
        return "a reservation";
    if (given(d->burst_buffer))
        return "a burst buffer";
    if (given(d->network))
        return "a network (--network)";
    if (given(d->mcs_label))
        return "an MCS label";
    if (number16(d->core_spec))
        return "specialized cores";
    if (number16(d->sockets_per_node) > 1 || number16(d->cores_per_socket) ||
        number16(d->sockets_per_board) > 1 || number16(d->boards_per_node) > 1 ||
        number16(d->threads_per_core) > 1)
        return "a certain make of processors (sockets, cores, threads)";
    return NULL;
}

void request_of(const job_desc_msg_t *d, uint32_t submit_uid, bool privileged,
                struct job_request *r)
{
    uint64_t mem = d->pn_min_memory == NO_VAL64 ? 0 : d->pn_min_memory;

    memset(r, 0, sizeof(*r));
    r->uid = d->user_id == NO_VAL ? submit_uid : d->user_id;
    r->privileged = privileged;
    r->batch = d->script || d->script_buf;
    r->immediate = d->immediate == 1;
    r->het = d->het_job_offset != NO_VAL;
    r->held = d->priority == 0;
    r->partition = d->partition;
    r->account = d->account;
    r->special = special(d);
    r->minutes = d->time_limit == INFINITE ? UINT32_MAX : number32(d->time_limit);
    r->min_nodes = number32(d->min_nodes);
    r->max_nodes = number32(d->max_nodes);
    r->tasks = number32(d->num_tasks);
    r->tasks_per_node = number16(d->ntasks_per_node);
    r->cpus_per_task = number16(d->cpus_per_task);
    r->min_cpus = number32(d->min_cpus);
    r->cpus_per_node = number16(d->pn_min_cpus);
    r->sockets_per_node = number16(d->sockets_per_node);
    r->tasks_per_gpu = number16(d->ntasks_per_tres);
    r->overcommit = d->overcommit == 1;
    r->exclusive = d->shared == 0;
    r->mem_given = d->pn_min_memory != NO_VAL64;
    r->cpus_given = d->cpus_per_task != NO_VAL16;
    if (mem & MEM_PER_CPU)
        r->mem_per_cpu_mib = mem & ~MEM_PER_CPU;
    else
        r->mem_per_node_mib = mem;
    r->tres_per_job = d->tres_per_job;
    r->tres_per_node = d->tres_per_node;
    r->tres_per_socket = d->tres_per_socket;
    r->tres_per_task = d->tres_per_task;
    r->cpus_per_tres = d->cpus_per_tres;
    r->mem_per_tres = d->mem_per_tres;
    r->constraint = d->features;
    r->licenses = d->licenses;
    r->tmp_disk_mib = number32(d->pn_min_tmp_disk);
}
