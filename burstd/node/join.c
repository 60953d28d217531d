// SPDX-License-Identifier: GPL-3.0-or-later
// See join.h.
#include "node/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "node/bind.h"
#include "node/end.h"
#include "node/instance_call.h"
#include "node/instance_state.h"
#include "node/preempt.h"
#include "slurm/drain.h"
#include "slurm/slurm_link.h"
#include "ssh/ssh_op.h"
#include "state/instances.h"
#include "state/jobs.h"

#define JOIN_TRIES 3
#define REJOINS 2 // within the time that it has to register

static void address_known(void *arg, int rc, const char *error)
{
    struct instance_call *call = arg;
    struct instance *i = instance_called(call);

    if (i) {
        i->node_cmd = false;
        if (rc == 0)
            i->addr_set = true;
        else
            i->next_ms = clock_mono_ms() + 1000;
        if (rc > 0)
            log_warn("node %s: Slurm did not take its address: %s", i->node, error);
    }
    call->b->poke(call->b);
    free(call);
}

static void tell_address(struct burstd *b, struct instance *i)
{
    cJSON *cmd = cJSON_CreateObject();

    json_add_str(cmd, "op", "update_node");
    json_add_str(cmd, "nodes", i->node);
    json_add_str(cmd, "addr", i->address);
    json_add_str(cmd, "hostname", i->node);
    i->node_cmd = true;
    slurm_link_command(b->slurm, cmd, address_known, instance_call_create(b, i));
}

static void joined(void *arg, bool ok, const char *errclass, const char *error, const cJSON *last)
{
    struct instance_call *call = arg;
    struct burstd *b = call->b;
    struct instance *i = instance_ssh_done(call);

    free(call);
    if (!i)
        return;
    if (ok) {
        const char *said = json_str(last, "slurmd_said", NULL);
        if (said)
            log_warn("node %s: its slurmd had not registered and was started anew; its log says: "
                     "%.240s",
                     i->node, *said ? said : "no error");
        i->join_done = true;
        i->join_ms = clock_mono_ms();
        slurm_link_poke(b->slurm);
    } else if (instance_ssh_again(i, errclass, error)) {
        return;
    } else if (++i->tries < JOIN_TRIES) {
        log_warn("node %s: slurmd could not be started (%s: %s); trying again", i->node, errclass,
                 error);
        i->next_ms = clock_mono_ms() + 1000;
    } else {
        preempt_lost(b, i, FAILURE_JOIN, error);
    }
}

static const struct ssh_op_callbacks join_callbacks = {.done = joined};

// Every node of the job knows every other by name: a new srun after a restart of slurmctld needs
// it.
static void add_host(cJSON *hosts, const struct instance *i)
{
    cJSON *h = cJSON_CreateObject();

    json_add_str(h, "address", i->address);
    json_add_str(h, "names", i->node);
    cJSON_AddItemToArray(hosts, h);
}

static void add_hosts(struct burstd *b, cJSON *request, const struct instance *me)
{
    cJSON *hosts = cJSON_AddArrayToObject(request, "hosts");

    if (!me->job[0]) {
        add_host(hosts, me);
        return;
    }
    INSTANCES_OF(b->instances, BY_JOB, me->job, i)
    if (i->node[0] && i->address[0] && i->state < INST_TERMINATING)
        add_host(hosts, i);
}

static void join(struct burstd *b, struct instance *i)
{
    cJSON *r = ssh_request(b, i, "join");

    json_add_str(r, "node_name", i->node);
    if (i->rejoins)
        cJSON_AddBoolToObject(r, "again", true);
    add_hosts(b, r, i);
    if (instance_ssh_start(b, i, SSH_JOIN, 0, r, &join_callbacks, instance_call_create(b, i)) < 0)
        i->next_ms = clock_mono_ms() + 1000;
}

static bool registered(const struct snode *n)
{
    return n && !(n->flags & (SNODE_POWERED_DOWN | SNODE_POWERING_UP | SNODE_POWERING_DOWN |
                              SNODE_NOT_RESPONDING | SNODE_DOWN | SNODE_FUTURE));
}

// A registration gets lost (slurmctld restarts, a name is not resolved yet), and slurmd does not
// repeat it for long: what an operator would do is to start slurmd anew.
static void join_anew(struct burstd *b, struct instance *i)
{
    int64_t patience_ms = 1000 * b->conf->join_timeout_s / (REJOINS + 1);

    if (i->rejoins == REJOINS || clock_mono_ms() - i->join_ms < patience_ms)
        return;
    i->rejoins++;
    i->join_done = false;
}

static bool placed(struct burstd *b, const struct instance *i)
{
    const struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;

    return j && j->state >= JOB_PLACED && j->state <= JOB_STAGEOUT;
}

static void step_bound(struct burstd *b, struct instance *i, const struct snode *n)
{
    if (!(i->flags & INST_F_RESUMED)) {
        // It got a name, but that its job was placed there did not get into the journal (killed in
        // between, disk full): Slurm was not told, the name goes back.
        if (!i->node[0] || !placed(b, i)) {
            instance_set_node(b->instances, i, "");
            instance_state(b, i, INST_READY, "its job was not placed");
            return;
        }
        // The hook may be late or lost; Slurm's own table says it too.
        if (n && ((n->flags & SNODE_POWERING_UP) || registered(n)))
            bind_resumed(b, i->node);
        return;
    }
    if (drained_by_slurm(n)) {
        char why[256];
        snprintf(why, sizeof(why), "Slurm does not take it as node %s: %.120s", i->node,
                 n->reason && n->reason[0] ? n->reason : "its registration is not valid");
        preempt_lost(b, i, FAILURE_JOIN, why);
        return;
    }
    if (i->join_done && registered(n)) {
        instance_state(b, i, INST_JOINED, NULL);
        b->poke(b);
    } else if (!i->addr_set) {
        if (!i->node_cmd)
            tell_address(b, i);
    } else if (!i->join_done) {
        if (!i->ssh && ssh_slot(b, SSH_JOIN, 0))
            join(b, i);
    } else if (clock_mono_ms() - i->since_ms <= 1000 * b->conf->join_timeout_s) {
        join_anew(b, i);
    } else {
        preempt_lost(b, i, FAILURE_JOIN, "its slurmd did not register in time");
    }
}

static void step_joined(struct burstd *b, struct instance *i, const struct snode *n)
{
    struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;

    // It was idle, given to a job, and Slurm suspended it in the same moment. The job is pulled
    // back while it waits (jobflow); here Slurm was quicker and boots the node anew for it.
    if ((i->flags & INST_F_SUSPENDED) && n && (n->flags & SNODE_POWERING_UP)) {
        preempt_lost(b, i, FAILURE_SUSPENDED, "Slurm had given the node back");
        return;
    }
    // Its job was seen to run before it was seen to be registered (burstd was down then).
    if (j && j->state == JOB_RUNNING) {
        instance_state(b, i, INST_BUSY, NULL);
        return;
    }
    // Booted for a job that was cancelled meanwhile: Slurm has an idle node, and suspends it.
    if (!j || (j->state != JOB_PLACED && j->state != JOB_RUNNING && j->state != JOB_STAGEOUT)) {
        instance_set_job(b->instances, i, "");
        i->flags &= ~(unsigned)INST_F_STAGED_IN;
        instance_state(b, i, INST_IDLE, NULL);
    }
}

// Its job has left it, but that could not be journaled then.
static void step_busy(struct burstd *b, struct instance *i)
{
    if (placed(b, i))
        return;
    instance_set_job(b->instances, i, "");
    i->flags &= ~(unsigned)(INST_F_STAGED_IN | INST_F_STAGE_OUT | INST_F_SIGNALLED);
    instance_state(b, i, INST_IDLE, NULL);
}

static void step_idle(struct burstd *b, struct instance *i, const struct snode *n)
{
    bool given_back = n && (n->flags & (SNODE_POWERED_DOWN | SNODE_POWERING_DOWN)) &&
                      clock_now_s() - i->since >= 3;
    struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;

    if (!i->job[0] && drained_by_slurm(n)) {
        instance_end(b, i, "Slurm has drained its node");
        return;
    }
    if (!(i->flags & INST_F_SUSPENDED) && !given_back)
        return;
    if (j && j->state == JOB_SECURING)
        instance_failed(b, i, FAILURE_SUSPENDED, FAILURE_OF_INSTANCE,
                        "Slurm had just given the idle node back");
    instance_end(b, i, "idle");
}

static void step_node(struct burstd *b, struct instance *i)
{
    const struct snode *n = slurm_link_node(b->slurm, i->node);

    if (clock_mono_ms() < i->next_ms)
        return;
    switch (i->state) {
    case INST_BOUND:
        step_bound(b, i, n);
        break;
    case INST_JOINED:
        step_joined(b, i, n);
        break;
    case INST_BUSY:
        step_busy(b, i);
        break;
    case INST_IDLE:
        step_idle(b, i, n);
        break;
    default:
        break;
    }
}

void join_step(struct burstd *b)
{
    if (!slurm_link_ready(b->slurm))
        return;
    INSTANCES_EACH(b->instances, i)
    if (i->state == INST_BOUND ||
        (i->node[0] && i->state > INST_BOUND && i->state < INST_TERMINATING))
        step_node(b, i);
}
