// SPDX-License-Identifier: GPL-3.0-or-later
// See preempt.h. Order matters (tried on Slurm 22.05): drain first (no new work), tell the job,
// bring its checkpoint home, then set the node DOWN, which requeues the job at once and with one
// clean record, then power it down. Requeue before DOWN would overwrite the job's record.
#include "node/preempt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/observed.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/comment.h"
#include "node/end.h"
#include "node/instance_call.h"
#include "node/instance_state.h"
#include "node/stage.h"
#include "slurm/slurm_link.h"
#include "ssh/ssh_op.h"
#include "state/instances.h"
#include "state/jobs.h"

#define MARGIN_S 3       // before the announced end everything is over
#define LAST_CHANCE_S 11 // and so long before it the results are fetched at the latest

static void node_command(struct burstd *b, const char *node, const char *state, const char *reason)
{
    cJSON *cmd = cJSON_CreateObject();

    json_add_str(cmd, "op", "update_node");
    json_add_str(cmd, "nodes", node);
    json_add_str(cmd, "state", state);
    json_add_str(cmd, "reason", reason);
    slurm_link_command(b->slurm, cmd, NULL, NULL);
}

static void told(void *arg, bool ok, const char *errclass, const char *error, const cJSON *last)
{
    struct instance_call *call = arg;
    struct burstd *b = call->b;
    struct instance *i = instance_ssh_done(call);
    struct bjob *j = i ? jobs_find(b->jobs, i->job) : NULL;

    free(call);
    if (!i)
        return;
    if (!ok) { // told again until it is heard
        log_warn("job on %s could not be told of the notice (%s): %s", i->node, errclass, error);
        i->untold = true;
        return;
    }
    int64_t n = json_i64(last, "told", 0);
    if (n == 0 && j && j->nodes == 1) // no checkpoint to wait for: it may as well work to the end
        i->grace_ms = INT64_MAX;
    if (j)
        job_event(b, j, "the cloud takes node %s back; %s", i->node,
                  n ? "its processes were told to write their checkpoint"
                    : "no process of it catches the site's signal, so none was told");
}

static const struct ssh_op_callbacks tell_callbacks = {.done = told};

// Through the node, not through Slurm: Slurm's signal would end a job that has no handler for it. A
// copy that is under way (its checkpoint of before) gives way.
static void tell_node(struct burstd *b, struct instance *i, const struct bjob *j)
{
    if (!i->address[0] || (i->flags & INST_F_LOST))
        return;
    instance_ssh_cancel(b, i);
    i->untold = false;
    cJSON *r = ssh_request(b, i, "signal_job");
    json_add_i64(r, "job_id", j->job_id);
    json_add_i64(r, "signal", b->conf->spot_signal);
    i->untold =
        instance_ssh_start(b, i, SSH_NOTICE, 0, r, &tell_callbacks, instance_call_create(b, i)) < 0;
}

static void tell_job(struct burstd *b, const struct bjob *j)
{
    INSTANCES_OF(b->instances, BY_JOB, j->key, i)
    if (i->state >= INST_BOUND && i->state < INST_TERMINATING)
        tell_node(b, i, j);
}

// Those that did not hear it.
static void tell_again(struct burstd *b, const struct bjob *j)
{
    INSTANCES_OF(b->instances, BY_JOB, j->key, i)
    if (i->untold && !i->ssh && i->state < INST_TERMINATING)
        tell_node(b, i, j);
}

static void leave_place(struct burstd *b, const struct instance *i)
{
    observed_refused(b->observed, i->cloud, i->region, i->zone, i->itype, market_text(i->spot),
                     b->conf->block_s, b->conf->block_max_s, "a spot instance was taken back here");
}

void preempt_notice(struct burstd *b, struct instance *i, int64_t deadline)
{
    if (i->notice_at || i->state >= INST_TERMINATING)
        return;
    i->notice_at = deadline;
    if (!(i->flags & INST_F_LOST))
        observed_preempted(b->observed, i);
    log_info("instance %s (%s): the cloud takes it back in %" PRId64 " s", i->id, i->node,
             deadline - clock_now_s());
    instance_state(b, i, i->state >= INST_BOUND ? INST_DRAINING : i->state,
                   "the cloud takes it back");
    leave_place(b, i);
    b->poke(b);
}

void preempt_lost(struct burstd *b, struct instance *i, enum failure_class cls, const char *why)
{
    struct bjob *j = jobs_find(b->jobs, i->job);

    if (i->flags & INST_F_LOST) {
        instance_end(b, i, why); // the journal could not be written the first time
        return;
    }
    i->flags |= INST_F_LOST;
    if (j && (i->flags & INST_F_STAGE_OUT) && !(i->flags & INST_F_CHECKPOINTED) &&
        !b->conf->shared_filesystem) {
        job_event(b, j,
                  "node %s is lost (%s): what was written there since the last stage-out is "
                  "lost with it",
                  i->node, why);
        stage_missed(b, j);
    }
    if ((i->flags & INST_F_PREEMPTED) && !i->notice_at) { // with a notice it is known already
        observed_preempted(b->observed, i);
        leave_place(b, i);
    }
    if (j && j->state == JOB_SECURING)
        job_attempt(b, j, i, "boot", why);
    instance_failed(b, i, cls, FAILURE_OF_INSTANCE, why);
    // Slurm's side of the node is put right by stray_step(), which sees a node without an instance.
    instance_end(b, i, why);
}

// The node of a lost or finished instance: DOWN requeues what still runs there.
static void give_back(struct burstd *b, struct instance *i)
{
    if (i->node[0] && !(i->flags & INST_F_NODE_DOWN)) {
        struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;
        i->flags |= INST_F_NODE_DOWN;
        instance_save(b, i);
        if (j && j->state == JOB_RUNNING)
            comment_now(b, j); // the record of this attempt keeps it
        node_command(b, i->node, "down", "burst: the cloud takes the node back");
        // At once: with ReturnToService=2 its slurmd would register and be idle again.
        node_command(b, i->node, "power_down", "burst: the cloud takes the node back");
        return;
    }
    const struct sjob *s = i->job[0] ? slurm_link_job(b->slurm, i->job) : NULL;
    const struct snode *n = i->node[0] ? slurm_link_node(b->slurm, i->node) : NULL;
    bool busy =
        n && (n->flags & (SNODE_ALLOCATED | SNODE_COMPLETING)) && s && s->state == SJOB_RUNNING;
    if (busy && clock_now_s() < i->notice_at + 10)
        return; // Slurm has not requeued it yet
    struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;
    if (j && j->state == JOB_STAGEOUT && (i->flags & INST_F_STAGE_OUT) &&
        !b->conf->shared_filesystem) {
        job_event(b, j, "the cloud took node %s before all that was written there was home",
                  i->node);
        stage_missed(b, j);
    }
    i->flags &= ~(unsigned)INST_F_STAGE_OUT; // brought home under notice, or tried until the end
    instance_end(b, i, "taken back by the cloud");
}

static void step(struct burstd *b, struct instance *i)
{
    struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;
    int64_t now = clock_now_s();
    bool last_moment = now >= i->notice_at - MARGIN_S;

    if (i->state < INST_BOUND || !j || j->state != JOB_RUNNING) {
        if (j && j->state == JOB_STAGEOUT && !last_moment)
            return; // its results are on their way
        if (j && j->state == JOB_SECURING && !i->failure.cls)
            job_attempt(b, j, i, "boot", "taken back before the job started");
        instance_failed(b, i, FAILURE_RECLAIMED, FAILURE_OF_PLACE,
                        "taken back before the job started");
        give_back(b, i);
        return;
    }
    if (!(i->flags & INST_F_SIGNALLED)) {
        i->flags |= INST_F_SIGNALLED;
        if (instance_save(b, i) < 0)
            return;
        node_command(b, i->node, "drain", "burst: the cloud takes the node back");
        i->grace_ms = clock_mono_ms() + b->conf->spot_grace_s * 1000;
        tell_job(b, j);
        return;
    }
    if (!last_moment)
        tell_again(b, j);
    if (!(i->flags & INST_F_CHECKPOINTED) && !last_moment) {
        if (!i->ssh && (clock_mono_ms() >= i->grace_ms || now >= i->notice_at - LAST_CHANCE_S))
            stage_out_now(b, i, j);
        return;
    }
    give_back(b, i);
}

void preempt_step(struct burstd *b)
{
    INSTANCES_EACH(b->instances, i)
    if (i->notice_at && i->state < INST_TERMINATING)
        step(b, i);
}
