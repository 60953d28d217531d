// SPDX-License-Identifier: GPL-3.0-or-later
// See stage.h. A failed stage-in is tried again, then written down in the instance's row: whose
// fault it is decides what becomes of the job (job/securing.c). A failed stage-out is tried until
// it works or an operator gives up.
#include "node/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "node/instance_call.h"
#include "node/keep.h"
#include "node/stage_spec.h"
#include "ssh/ssh_op.h"
#include "state/instances.h"
#include "state/jobs.h"

#define RETRY_MIN_MS 2000
#define RETRY_MAX_MS 60000
#define WORKER_WAIT_S 60 // a worker that does not answer holds the batch host back so long
#define KILL_WAIT_S 40   // Slurm's KillWait (30 s) and some: until the last process has ended

void stage_describe(struct bjob *j, const struct sjob *s)
{
    char *text = stage_spec_describe(s, j->mark);

    bjob_set(&j->stage, text);
    free(text);
}

struct stage_call {
    struct instance_call about; // first
    char job[40];
    enum { STAGE_IN, STAGE_OUT, STAGE_NOTICE, STAGE_SYNC } kind; // the last two: the job still runs
};

static cJSON *stage_request(struct burstd *b, const struct instance *i, const struct bjob *j,
                            bool in)
{
    cJSON *r = ssh_request(b, i, in ? "stage_in" : "stage_out");
    char *work_dir = stage_spec_work_dir(j), *socket = xasprintf("%s/stage.sock", b->conf->run_dir);

    json_add_i64(r, "job_id", j->job_id);
    json_add_str(r, "mark", j->key); // an array's task gets its own job_id only when it starts
    json_add_i64(r, "uid", j->uid);
    json_add_i64(r, "gid", j->gid);
    json_add_str(r, "user", j->user);
    json_add_str(r, "work_dir", work_dir);
    cJSON_AddItemToObject(r, "paths", stage_spec_paths(j, in));
    json_add_str(r, "stage_socket", socket);
    free(socket);
    free(work_dir);
    // The limit is for what a user asks to be copied there; what was computed comes home whole.
    json_add_i64(r, "max_bytes", in ? b->conf->max_stage_bytes : 0);
    cJSON *exclude = cJSON_AddArrayToObject(r, "exclude");
    for (unsigned k = 0; k < b->conf->n_exclude; k++)
        cJSON_AddItemToArray(exclude, cJSON_CreateString(b->conf->exclude[k]));
    return r;
}

static void retry_later(struct instance *i)
{
    int64_t wait = RETRY_MIN_MS;

    for (unsigned k = 0; k < i->tries && wait < RETRY_MAX_MS; k++)
        wait *= 2;
    i->tries++;
    i->next_ms = clock_mono_ms() + (wait > RETRY_MAX_MS ? RETRY_MAX_MS : wait);
}

// Of a failed stage-in, by burst-ssh's class: how often it is tried on this node, and whose fault
// it is then. A file server may have its bad moment, and so may burst-stagerd (`internal`); what is
// too large stays too large. A failure of `io` is never the site's: one user's directory must not
// keep the others from their nodes.
static const struct {
    const char *cls;
    unsigned tries;
    enum failure_scope scope;
} stage_in_rules[] = {
    {"limit", 1, FAILURE_OF_JOB},
    {"space", 1, FAILURE_OF_PLACE},
    {"io", 5, FAILURE_OF_INSTANCE},
    {"internal", 5, FAILURE_OF_SITE},
    {SSH_OP_HELPER_DIED, 5, FAILURE_OF_SITE},
    {"", 3, FAILURE_OF_INSTANCE}, // any other
};

static void stage_in_failed(struct burstd *b, struct instance *i, struct bjob *j,
                            const char *errclass, const char *error)
{
    size_t k = 0;

    while (stage_in_rules[k].cls[0] && strcmp(stage_in_rules[k].cls, errclass) != 0)
        k++;
    if (i->tries + 1 < stage_in_rules[k].tries) {
        log_warn("job %s: stage-in to %s failed (%s), again soon: %s", j->key, i->id, errclass,
                 error);
        retry_later(i);
        return;
    }
    job_attempt(b, j, i, "stage-in", error);
    instance_failed(b, i, FAILURE_STAGE_IN, stage_in_rules[k].scope, error);
    instance_save(b, i);
}

static void staged(void *arg, bool ok, const char *errclass, const char *error, const cJSON *last)
{
    struct stage_call *call = arg;
    struct burstd *b = call->about.b;
    struct instance *i = instance_ssh_done(&call->about);
    struct bjob *j = jobs_find(b->jobs, call->job);
    bool in = call->kind == STAGE_IN, notice = call->kind == STAGE_NOTICE;
    bool sync = call->kind == STAGE_SYNC, out = call->kind == STAGE_OUT;

    free(call);
    if (!i || !j)
        return;
    if (ok) {
        i->tries = 0;
        if (in)
            i->flags |= INST_F_STAGED_IN;
        else if (notice)
            i->flags |= INST_F_CHECKPOINTED;
        else if (out)
            i->flags &= ~(unsigned)INST_F_STAGE_OUT;
        instance_save(b, i);
        if (out && i->keeping) {
            keep_done(b, i, j, last);
            return;
        }
        if (sync && json_i64(last, "files", 0) == 0)
            return;
        job_event(b, j, "%s %s: %" PRId64 " files, %" PRId64 " bytes",
                  in ? "data brought to" : "results brought home from",
                  i->node[0] ? i->node : i->id, json_i64(last, "files", 0),
                  json_i64(last, "bytes", 0));
    } else if (in) {
        stage_in_failed(b, i, j, errclass, error);
    } else {
        job_event(b, j, "results on %s could not be brought home yet (%s): %s",
                  i->node[0] ? i->node : i->id, errclass, error);
        if (out)
            keep_failed(i, errclass, error);
        if (notice)
            i->flags |= INST_F_CHECKPOINTED; // tried; the notice does not wait
        if (!sync)                           // the next sync comes anyway
            retry_later(i);
    }
}

static const struct ssh_op_callbacks callbacks = {.done = staged};

static void start(struct burstd *b, struct instance *i, struct bjob *j, int kind)
{
    struct stage_call *call = xmalloc(sizeof(*call));
    cJSON *r = stage_request(b, i, j, kind == STAGE_IN);

    instance_call_init(&call->about, b, i);
    snprintf(call->job, sizeof(call->job), "%s", j->key);
    call->kind = kind;
    if (kind == STAGE_OUT)
        json_add_i64(r, "wait_job_s", KILL_WAIT_S);
    if (kind == STAGE_OUT)
        i->keeping = keep_due(b, i, j);
    if (i->keeping && kind == STAGE_OUT)
        keep_request(b, i, j, r);
    enum ssh_use use = kind == STAGE_IN       ? SSH_STAGE_IN
                       : kind == STAGE_NOTICE ? SSH_NOTICE
                                              : SSH_STAGE_OUT;
    if (instance_ssh_start(b, i, use, j->uid, r, &callbacks, &call->about) < 0)
        retry_later(i);
}

static bool free_for_ssh(struct burstd *b, const struct instance *i, const struct bjob *j,
                         enum ssh_use use)
{
    return !i->ssh && clock_mono_ms() >= i->next_ms && i->address[0] && ssh_slot(b, use, j->uid);
}

// From here on the node is this user's alone (idle.h): in the journal before anything of his is
// there. False: not now, or not at all.
static bool make_his(struct burstd *b, struct instance *i, const struct bjob *j)
{
    uint32_t before = i->served;

    if (before && before != j->uid) {
        instance_failed(b, i, FAILURE_STAGE_IN, FAILURE_OF_INSTANCE,
                        "the node has served another user");
        instance_save(b, i);
        return false;
    }
    i->served = j->uid;
    if (before == j->uid || instance_save(b, i) == 0)
        return true;
    i->served = before;
    return false;
}

static void step_in(struct burstd *b, struct instance *i)
{
    struct bjob *j = jobs_find(b->jobs, i->job);

    if (!j || j->state != JOB_SECURING || (i->flags & INST_F_STAGED_IN) || i->failure.cls ||
        (i->state != INST_READY && i->state != INST_IDLE))
        return;
    if (b->conf->shared_filesystem) {
        if (!make_his(b, i, j))
            return;
        i->flags |= INST_F_STAGED_IN;
        instance_save(b, i);
    } else if (free_for_ssh(b, i, j, SSH_STAGE_IN) && make_his(b, i, j)) {
        start(b, i, j, STAGE_IN);
    }
}

// One node after the other, the batch host (first name) last: its files win. One that does not
// answer keeps the others' results from coming home for a while only; its own come when it does.
static bool my_turn(struct burstd *b, const struct instance *i, const struct bjob *j)
{
    const char *mine = strstr(j->node_names, i->node);

    INSTANCES_OF(b->instances, BY_JOB, j->key, other)
    {
        if (other == i || !(other->flags & INST_F_STAGE_OUT) || (other->flags & INST_F_LOST))
            continue;
        const char *its = strstr(j->node_names, other->node);
        bool silent = other->tries > 0 && clock_now_s() - j->ended >= WORKER_WAIT_S;
        if (other->ssh || (its && mine && its > mine && !silent))
            return false;
    }
    return true;
}

static void step_out(struct burstd *b, struct instance *i)
{
    struct bjob *j = jobs_find(b->jobs, i->job);

    if (!j || j->state != JOB_STAGEOUT || !(i->flags & INST_F_STAGE_OUT))
        return;
    if (b->conf->shared_filesystem) {
        i->flags &= ~(unsigned)INST_F_STAGE_OUT;
        instance_save(b, i);
        b->poke(b);
    } else if (free_for_ssh(b, i, j, SSH_STAGE_OUT) && my_turn(b, i, j)) {
        start(b, i, j, STAGE_OUT);
    }
}

// What a spot job has written comes home now and then: its node may vanish without notice.
static void step_sync(struct burstd *b, struct instance *i)
{
    struct bjob *j = jobs_find(b->jobs, i->job);
    int64_t now = clock_mono_ms(), every = b->conf->sync_interval_s * 1000;

    if (!every || !i->spot || b->conf->shared_filesystem || i->notice_at || !j ||
        j->state != JOB_RUNNING || i->state != INST_BUSY)
        return;
    if (!i->sync_ms) {
        i->sync_ms = now + every;
    } else if (now >= i->sync_ms && free_for_ssh(b, i, j, SSH_STAGE_OUT)) {
        i->sync_ms = now + every;
        start(b, i, j, STAGE_SYNC);
    }
}

void stage_step(struct burstd *b)
{
    INSTANCES_EACH(b->instances, i)
    {
        if (!i->job[0] || !instance_live(i) || (i->flags & INST_F_LOST))
            continue;
        step_in(b, i);
        step_out(b, i);
        step_sync(b, i);
    }
}

bool stage_home(struct burstd *b, const struct bjob *j)
{
    INSTANCES_OF(b->instances, BY_JOB, j->key, i)
    if (instance_live(i) && (i->flags & INST_F_STAGE_OUT) && !(i->flags & INST_F_LOST))
        return false;
    return true;
}

bool stage_under_way(struct burstd *b, const struct bjob *j)
{
    INSTANCES_OF(b->instances, BY_JOB, j->key, i)
    if (instance_live(i) && (i->flags & INST_F_STAGE_OUT) && i->ssh)
        return true;
    return false;
}

void stage_out_now(struct burstd *b, struct instance *i, struct bjob *j)
{
    if (b->conf->shared_filesystem)
        i->flags |= INST_F_CHECKPOINTED;
    else if (!i->ssh && i->address[0]) // a notice does not wait for a free slot
        start(b, i, j, STAGE_NOTICE);
}

void stage_drop(struct burstd *b, const struct bjob *j)
{
    INSTANCES_OF(b->instances, BY_JOB, j->key, i)
    {
        if (!(i->flags & INST_F_STAGE_OUT))
            continue;
        instance_ssh_cancel(b, i);
        i->flags &= ~(unsigned)INST_F_STAGE_OUT;
        instance_save(b, i);
    }
}

void stage_missed(struct burstd *b, struct bjob *j)
{
    j->missing++;
    job_save(b, j);
}

void stage_giveup(struct burstd *b, struct bjob *j, const char *who)
{
    INSTANCES_OF(b->instances, BY_JOB, j->key, i)
    {
        if (!(i->flags & INST_F_STAGE_OUT) || (i->flags & INST_F_LOST))
            continue;
        job_event(b, j, "%s gave up the results on %s", who, i->node);
        stage_missed(b, j);
    }
    stage_drop(b, j);
    b->poke(b);
}
