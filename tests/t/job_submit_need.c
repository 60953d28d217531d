// SPDX-License-Identifier: GPL-3.0-or-later
// A job_submit plugin for tests/t/26-need.t alone: writes down what need.c makes of each
// submission, as the plugin of slurm-burst would count it, and changes nothing.
//
// /run/need/shapes (written by need_table) has a line for each partition: its name, the size of its
// nodes and what it adds to jobs. A job is counted for the partition behind the @ in its name, or
// the one that it is submitted to. /run/need/plugin gets "NAME NODES".
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "slurm_plugin/compat.h"
#include "slurm_plugin/need.h"
#include "slurm_plugin/request.h"

const char plugin_name[] = "Counts needs, for a test";
const char plugin_type[] = "job_submit/need";
const uint32_t plugin_version = SLURM_VERSION_NUMBER;

int job_submit(job_desc_msg_t *desc, uint32_t submit_uid, char **err_msg);
#if COMPAT_JOB_MODIFY_MESSAGE
int job_modify(job_desc_msg_t *desc, struct job_record *job, uint32_t submit_uid, char **err_msg);
#else
int job_modify(job_desc_msg_t *desc, struct job_record *job, uint32_t submit_uid);
#endif

struct part {
    struct node_size size;
    struct need_defaults d;
    char gpu[32], features[128];
};

static bool find(const char *name, struct part *p)
{
    FILE *f = fopen("/run/need/shapes", "re");
    char line[384], at[64];
    int exclusive;
    bool found = false;

    while (f && !found && fgets(line, sizeof(line), f))
        found = sscanf(line,
                       "%63s %" SCNu64 " %" SCNu64 " %" SCNu64 " %31s %" SCNu64 " %" SCNu64
                       " %" SCNu64 " %" SCNu64 " %d %127s",
                       at, &p->size.cpus, &p->size.memory_mib, &p->size.gpus, p->gpu,
                       &p->d.mem_per_node, &p->d.mem_per_cpu, &p->d.mem_per_gpu, &p->d.cpus_per_gpu,
                       &exclusive, p->features) == 11 &&
                strcmp(at, name) == 0;
    if (f)
        fclose(f);
    p->d.exclusive = found && exclusive;
    p->size.features = p->features;
    return found;
}

int job_submit(job_desc_msg_t *desc, uint32_t submit_uid, char **err_msg)
{
    struct job_request r;
    struct part from = {0}, to = {0};
    struct need n;
    char why[64];
    uint64_t nodes = 0;
    const char *target = desc->name ? strchr(desc->name, '@') : NULL;

    if (!desc->name || !desc->partition || COMPAT_DESC_JOB_ID(desc) != NO_VAL)
        return SLURM_SUCCESS;
    request_of(desc, submit_uid, false, &r);
    if (!find(desc->partition, &from) || !find(target ? target + 1 : desc->partition, &to))
        return EINVAL;
    if (!r.special && need_of(&r, &n, why, sizeof(why)) == 0) {
        need_settle(&n, &from.d, &to.d);
        if (n.gpu_type[0] && strcmp(n.gpu_type, to.gpu) != 0)
            to.size.gpus = 0;
        nodes = need_count(&n, &to.size);
    }
    FILE *f = fopen("/run/need/plugin", "ae");
    if (!f)
        return errno;
    fprintf(f, "%s %" PRIu64 "\n", desc->name, nodes);
    return fclose(f) == 0 ? SLURM_SUCCESS : errno;
}

#if COMPAT_JOB_MODIFY_MESSAGE
int job_modify(job_desc_msg_t *desc, struct job_record *job, uint32_t submit_uid, char **err_msg)
#else
int job_modify(job_desc_msg_t *desc, struct job_record *job, uint32_t submit_uid)
#endif
{
    return SLURM_SUCCESS;
}
