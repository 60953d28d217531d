// SPDX-License-Identifier: GPL-3.0-or-later
// burst-epilog: EpilogSlurmctld. While it runs, jobs that depend on this one wait: it ends when the
// results of a job on rented nodes are home. Always exits 0; burstd brings results home without it
// too, only later than dependent jobs may expect.
#include <stdlib.h>

#include "slurm_plugin/hooks/hook.h"

int main(void)
{
    struct hook h;

    hook_start(&h, "burst-epilog");
    uint32_t job_id = hook_job_id();
    if (job_id && hook_elastic(&h, getenv("SLURM_JOB_PARTITION")))
        hook_ask(&h, "job_done", job_id, getenv("SLURM_JOB_NODELIST"), "done",
                 h.conf.epilog_timeout_s);
    return 0;
}
