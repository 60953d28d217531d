// SPDX-License-Identifier: GPL-3.0-or-later
// See tick.h. The order makes one look enough in the usual case: a job met now is planned now, a
// node that is ready now is given to its job now.
#include "tick.h"

#include "cloud/clouds.h"
#include "job/held_note.h"
#include "job/jobflow.h"
#include "money/comment.h"
#include "node/join.h"
#include "node/preempt.h"
#include "node/provision.h"
#include "node/stage.h"
#include "node/stray.h"
#include "node/sweep.h"
#include "plan/planner.h"
#include "rpc/ready.h"
#include "slurm/slurm_link.h"
#include "slurm/spool.h"
#include "state/instances.h"
#include "state/jobs.h"

// Slurm is asked each 100 ms only while somebody waits for a node.
static void adapt_polling(struct burstd *b)
{
    bool want = ready_waiting(b->ready);

    INSTANCES_EACH(b->instances, i)
    want = want || (i->state == INST_BOUND);
    if (want == b->polling_fast)
        return;
    b->polling_fast = want;
    slurm_link_fast(b->slurm, want);
}

void tick(struct burstd *b)
{
    sweep_step(b);
    // Not before Slurm's tables are there: what a job wants decides what an instance is for.
    if (slurm_link_ready(b->slurm)) {
        spool_scan(b->spool);
        jobflow_step(b);
        planner_step(b);
        held_note_step(b);
        stage_step(b);
        preempt_step(b);
        join_step(b);
        stray_step(b);
        comment_step(b);
        ready_step(b);
    }
    provision_step(b); // what is booting goes on while slurmctld restarts
    clouds_step(b->clouds);
    jobs_flush(b);
    adapt_polling(b);
    instances_sweep(b->instances);
}
