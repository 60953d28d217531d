// SPDX-License-Identifier: GPL-3.0-or-later
// burst-prolog: PrologSlurmctld. A job in an elastic partition starts when burstd says that its
// nodes are there and have its data; Slurm alone would find out up to 30 s later. Slurm kills it
// when the job is cancelled. Exit status 1 makes Slurm requeue a batch job.
#include <stdlib.h>

#include "slurm_plugin/hooks/hook.h"

int main(void)
{
    const char *partition = getenv("SLURM_JOB_PARTITION"), *nodes = getenv("SLURM_JOB_NODELIST");
    struct hook h;

    hook_start(&h, "burst-prolog");
    uint32_t job_id = hook_job_id();
    if (!hook_elastic(&h, partition))
        return 0;
    if (!job_id || !nodes) {
        hook_log("SLURM_JOB_ID or SLURM_JOB_NODELIST is missing (called by slurmctld)");
        return 1;
    }
    return hook_ask(&h, "job_ready", job_id, nodes, "ready", h.conf.prolog_timeout_s) == 1 ? 0 : 1;
}
