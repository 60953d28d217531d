// SPDX-License-Identifier: GPL-3.0-or-later
// See jobflow.h.
//
// Slurm is the truth about a job's state, the journal about what was bought for it. Every step is
// written so that it may run again: after a restart of burstd, of slurmctld, or a lost answer.
#include "job/jobflow.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "job/fit.h"
#include "job/hold.h"
#include "job/spill.h"
#include "libburst/clock.h"
#include "libburst/hostlist.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/comment.h"
#include "money/ledger.h"
#include "node/bind.h"
#include "node/gang.h"
#include "node/provision.h"
#include "node/stage.h"
#include "node/stagerd_client.h"
#include "slurm/slurm_link.h"
#include "slurm_plugin/directive.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/journal.h"
#include "state/store.h"

#define PLACE_TIMEOUT_S 60   // a placed job that Slurm does not start is pulled back
#define PULLED_BACK_MS 60000 // and left alone for so long
#define PLACE_TRIES 3        // refused updates before the job is left to Slurm
#define NOT_PENDING 2073     // ESLURM_JOB_NOT_PENDING
#define CAPACITY_TRIES 20    // failed places in a row before a pause
#define CAPACITY_PAUSE_MS 30000
#define HOME_AGAIN_MS 5000
#define REQUEUE_STAGEOUT_S 120 // an unreachable node holds a requeued job's restart back so long
#define CHANGEOVER_S 120       // until a rented node runs a job, for deadlines

// ---- story

void jobflow_attempt(struct burstd *b, const struct bjob *j, const struct instance *i,
                     const char *result, const char *message)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "cloud", i->cloud);
    json_add_str(o, "region", i->region);
    json_add_str(o, "zone", i->zone[0] ? i->zone : NULL);
    json_add_str(o, "instance_type", i->itype);
    json_add_str(o, "market", i->spot ? "spot" : "on-demand");
    json_add_str(o, "result", result);
    json_add_str(o, "message", message);
    store_add_attempt(b->store, j->key, o);
    cJSON_Delete(o);
}

static void no_instances(struct bjob *j)
{
    j->group[0] = '\0';
    bjob_set(&j->node_names, "");
    j->reserved = 0;
}

void jobflow_capacity_failed(struct burstd *b, struct bjob *j, const char *result,
                             const char *message)
{
    if (j->state != JOB_SECURING)
        return;
    provision_release(b, j, message);
    no_instances(j);
    j->tries++;
    j->next_ms = j->tries % CAPACITY_TRIES == 0 ? clock_mono_ms() + CAPACITY_PAUSE_MS : 0;
    job_state(b, j, JOB_CANDIDATE, "%s %s did not work out: %s", j->cloud,
              j->zone[0] ? j->zone : j->region, message);
    b->poke(b);
}

void jobflow_fail(struct burstd *b, struct bjob *j, const char *why)
{
    cJSON *spec = cJSON_Parse(j->stage);
    const char *log = json_str(spec, "log", NULL);
    char *text = xasprintf("burst: job %s was cancelled: %s", j->key, why);

    if (log)
        stagerd_append(b, j->uid, j->gid, j->user, log, text);
    cJSON *cmd = cJSON_CreateObject();
    json_add_str(cmd, "op", "kill_job");
    json_add_str(cmd, "job", j->key);
    json_add_i64(cmd, "signal", 9);
    slurm_link_command(b->slurm, cmd, NULL, NULL);
    provision_release(b, j, why);
    no_instances(j);
    job_state(b, j, JOB_REFUSED, "cancelled: %s", why);
    free(text);
    cJSON_Delete(spec);
}

// ---- Slurm commands that move the job

struct move_call {
    struct burstd *b;
    char job[40];
    bool placing;
};

static void pulled_back(struct burstd *b, struct bjob *j);

static void moved(void *arg, int rc, const char *error)
{
    struct move_call *call = arg;
    struct burstd *b = call->b;
    struct bjob *j = jobs_find(b->jobs, call->job);
    bool placing = call->placing;

    free(call);
    b->poke(b);
    if (!j)
        return;
    j->cmd = false;
    if (!placing && j->state == JOB_PLACED && rc == 0)
        pulled_back(b, j);
    if (!placing || j->state != JOB_PLACED || rc == 0)
        return;
    // -1: burst-slurm died and the outcome is unknown; the tables will tell. So they do when it
    // has started somewhere else in this moment.
    if (rc == -1 || rc == NOT_PENDING) {
        j->placed_at = 0;
        return;
    }
    log_warn("job %s: Slurm refused to move it: %s", j->key, error);
    j->state = JOB_SECURING; // for jobflow_capacity_failed(); its instances are still good
    if (++j->refusals >= PLACE_TRIES) {
        provision_release(b, j, "its job cannot use it");
        no_instances(j);
        job_state(b, j, JOB_REFUSED, "Slurm does not let it run in partition %s: %s", j->partition,
                  error);
    } else {
        jobflow_capacity_failed(b, j, NULL, error);
        j->next_ms = clock_mono_ms() + 5000;
    }
}

static cJSON *move_command(struct burstd *b, struct bjob *j, bool placing, struct move_call **call)
{
    cJSON *cmd = cJSON_CreateObject();

    json_add_str(cmd, "op", "update_job");
    json_add_str(cmd, "job", j->key);
    *call = xmalloc(sizeof(**call));
    (*call)->b = b;
    (*call)->placing = placing;
    snprintf((*call)->job, sizeof((*call)->job), "%s", j->key);
    j->cmd = true;
    return cmd;
}

static void send_place(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    struct move_call *call;
    char comment[4096];
    cJSON *cmd = move_command(b, j, true, &call);

    comment_format(b, j, comment, sizeof(comment));
    json_add_str(cmd, "partition", j->partition);
    json_add_str(cmd, "req_nodes", j->node_names);
    json_add_str(cmd, "admin_comment", comment);
    if (j->nodes > s->num_nodes_min)
        json_add_i64(cmd, "min_nodes", j->nodes);
    if (s->priority == 0)
        json_add_i64(cmd, "priority", -1);
    // A requeued job would wait for cred_expire; its new nodes never saw it.
    if (s->restarts > 0 || s->eligible == HOLD_DEFERRED)
        json_add_i64(cmd, "begin", clock_now_s());
    j->placed_at = clock_now_s();
    slurm_link_command(b->slurm, cmd, moved, call);
}

// The place of a job that got nodes which were rented already.
static void point_at(struct bjob *j, struct instance **g, unsigned n)
{
    const struct instance *f = g[0];

    snprintf(j->cloud, sizeof(j->cloud), "%s", f->cloud);
    snprintf(j->region, sizeof(j->region), "%s", f->region);
    snprintf(j->zone, sizeof(j->zone), "%s", f->zone);
    snprintf(j->itype, sizeof(j->itype), "%s", f->itype);
    snprintf(j->shape, sizeof(j->shape), "%s", f->shape);
    snprintf(j->partition, sizeof(j->partition), "%s", f->partition);
    j->spot = f->spot;
    j->nodes = n;
    j->group[0] = '\0';
    j->price = 0;
    for (unsigned k = 0; k < n; k++)
        j->price += g[k]->price == MONEY_UNKNOWN ? 0 : g[k]->price;
}

static bool class_held(const struct bjob *j)
{
    struct directive d;

    return directive_from_mark(j->mark, &d) == 0 && d.cls == DIRECTIVE_HELD;
}

// Back where it came from: it may start locally, or be bought for again.
static void send_home(struct burstd *b, struct bjob *j)
{
    struct move_call *call;
    cJSON *cmd = move_command(b, j, false, &call);

    json_add_str(cmd, "req_nodes", "");
    hold_sent(j);
    if (class_held(j))
        json_add_i64(cmd, "priority", 0);
    else
        json_add_str(cmd, "partition", j->origin);
    slurm_link_command(b->slurm, cmd, moved, call);
}

// ---- the job's instances

// All nodes ready and with their data: give them names, journal the names, then tell Slurm.
static void step_securing(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    struct instance *g[GANG_MAX];
    unsigned n = gang_collect(b, j, g, GANG_MAX);
    burst_error_t err;

    if (n < j->nodes) {
        jobflow_capacity_failed(b, j, NULL, "an instance was lost before the job could use it");
        return;
    }
    if (n > j->nodes) {
        gang_drop_others(b, j, g, n);
        return;
    }
    for (unsigned k = 0; k < n; k++)
        if (!gang_fresh(g[k]))
            return;
    if (s->flags & SJOB_COMPLETING) // moving it now would rewrite the record of its last attempt
        return;
    if (j->cmd)
        return;
    if (bind_names(b, j, g, n, &err) < 0) {
        if (clock_now_s() - j->since > PLACE_TIMEOUT_S)
            jobflow_capacity_failed(b, j, NULL, err.text);
        return;
    }
    j->placed_restarts = s->restarts;
    if (job_state(b, j, JOB_PLACED, "its %u node%s ready: %s", n, n == 1 ? " is" : "s are",
                  j->node_names) < 0)
        return;
    send_place(b, j, s);
}

// ---- one job

static void remember_place(struct burstd *b, struct bjob *j)
{
    char cost[MONEY_TEXT_MAX], places[512];

    if (!j->cloud[0] || !j->started)
        return;
    snprintf(places, sizeof(places), "%.380s%s%.32s %.64s", j->history, j->history[0] ? "; " : "",
             j->cloud, j->zone[0] ? j->zone : j->region);
    bjob_set(&j->history, places);
    job_event(b, j, "this attempt at %s %s ended; the job has cost %s so far", j->cloud,
              j->zone[0] ? j->zone : j->region, money_human(ledger_job_cost(b, j), cost));
}

static void start_stageout(struct burstd *b, struct bjob *j, const char *why)
{
    j->ended = clock_now_s();
    j->comment_due = true; // also of a job that ran before this was remembered
    job_state(b, j, JOB_STAGEOUT, "%s", why);
    b->poke(b);
}

void jobflow_ended(struct burstd *b, struct bjob *j)
{
    if (j->state == JOB_RUNNING)
        start_stageout(b, j, "it has left its nodes");
}

static void refresh(struct bjob *j, const struct sjob *s)
{
    j->job_id = s->job_id;
    j->restarts = s->restarts;
    j->submit = s->submit;
    j->limit_s = s->time_limit_s;
}

static enum spill_verdict spill(struct burstd *b, struct bjob *j, const struct sjob *s, char *why,
                                size_t size)
{
    struct directive d;
    struct spill_facts f = {
        .pending = s->state == SJOB_PENDING,
        .reason = s->reason,
        .now = clock_now_s(),
        .eligible = s->eligible ? s->eligible : s->submit,
        .expected_start = s->start,
        .deadline = j->deadline,
        .wait_threshold_s = b->conf->wait_threshold_s,
        .min_pending_s = b->conf->min_pending_s,
        .changeover_s = CHANGEOVER_S,
    };

    if (directive_from_mark(j->mark, &d) < 0)
        return SPILL_STAY;
    f.runtime_s = d.runtime_s ? d.runtime_s : s->time_limit_s;
    bool begins_later = s->eligible > f.now && s->eligible != HOLD_DEFERRED;
    bool waits_for_jobs = s->dependency[0];
    f.held_for_burst =
        d.cls == DIRECTIVE_HELD && j->our_hold && (s->priority == 0 || hold_deferred(s));
    if (f.held_for_burst && s->priority == 0 && waits_for_jobs && !begins_later)
        hold_by_slurm_user(b, j, true);
    else if (f.held_for_burst && strcmp(s->reason, "JobHeldUser") == 0)
        hold_by_slurm_user(b, j, false);
    if (d.cls == DIRECTIVE_HELD && s->priority != 0 && !hold_deferred(s)) {
        // Released by hand: no local node can run it, and an elastic one only when it is rented.
        if (!j->cmd && clock_mono_ms() >= j->hold_ms) {
            struct move_call *call;
            cJSON *cmd = move_command(b, j, false, &call);
            json_add_i64(cmd, "priority", 0);
            hold_sent(j);
            j->our_hold = true;
            job_save(b, j);
            slurm_link_command(b->slurm, cmd, moved, call);
            job_event(b, j, "released by hand; held again until a node is rented for it");
        }
        snprintf(why, size, "being held again");
        return SPILL_LATER;
    }
    bool requeued = s->restarts > 0 && j->history[0];
    // Of a held job Slurm's reason says no more than that.
    if (d.cls == DIRECTIVE_HELD && (waits_for_jobs || (!requeued && begins_later))) {
        snprintf(why, size, "it waits for %s, then for a rented node",
                 waits_for_jobs ? "other jobs" : "its begin time");
        return SPILL_STAY;
    }
    if (requeued && s->state == SJOB_PENDING && strcmp(s->reason, "BeginTime") == 0) {
        snprintf(why, size, "it was running on a rented node that is gone");
        return SPILL_LEAVE;
    }
    return spill_decide(&f, why, size);
}

// Slurm decides: it may start the job on its nodes in this very moment. They are released when it
// has taken the job back (pulled_back()); else the job runs on them.
static void pull_back(struct burstd *b, struct bjob *j, int64_t pause_ms, const char *why)
{
    bjob_set(&j->pull_why, why);
    j->next_ms = clock_mono_ms() + pause_ms;
    send_home(b, j);
}

static void pulled_back(struct burstd *b, struct bjob *j)
{
    provision_release(b, j, "its job did not start");
    gang_free(b, j);
    no_instances(j);
    job_state(b, j, JOB_WATCHING, "%s", j->pull_why);
}

// A job that waits in an elastic partition without nodes of its own there (requeued after its end,
// or its update was lost) would make Slurm start nodes that nobody has rented.
static void bring_home(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    if (j->cmd || clock_mono_ms() < j->home_ms || class_held(j) ||
        !conf_find_partition(b->conf, s->partition) || strcmp(s->partition, j->origin) == 0)
        return;
    j->home_ms = clock_mono_ms() + HOME_AGAIN_MS;
    send_home(b, j);
}

// From now on an attempt uses the place: the state and what the way of its data costs are one
// write, so that a crash neither loses nor doubles it.
static int begin_attempt(struct burstd *b, struct bjob *j, const struct sjob *s, const char *fmt,
                         ...) __attribute__((format(printf, 4, 5)));

static int begin_attempt(struct burstd *b, struct bjob *j, const struct sjob *s, const char *fmt,
                         ...)
{
    struct bjob old = *j;
    burst_error_t err;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(j->reason, sizeof(j->reason), fmt, ap);
    va_end(ap);
    j->state = JOB_RUNNING;
    j->since = clock_now_s();
    j->started = s && s->start ? s->start : clock_now_s();
    j->requeue_wanted = false;
    j->comment_due = true;
    j->missing = 0;
    j->refusals = 0;
    j->stored = true;
    if (store_begin(b->store, &err) < 0)
        goto error;
    if (ledger_transfer(b, j, &err) < 0 || store_put_job(b->store, j, &err) < 0) {
        store_rollback(b->store);
        goto error;
    }
    if (store_commit(b->store, &err) < 0)
        goto error;
    job_event(b, j, "%s", j->reason);
    return 0;
error:
    journal_failed(b, "%s", err.text);
    old.hh = j->hh;
    *j = old;
    return -1;
}

// Of a placed job that has ended. Slurm's list of its nodes does not tell: of a job that is
// completing it names the nodes that are still busy, and these are none while EpilogSlurmctld runs.
static bool may_have_run(struct burstd *b, const struct bjob *j, const struct sjob *s)
{
    struct instance *g[GANG_MAX];
    unsigned n = gang_collect(b, j, g, GANG_MAX);

    if (!s) { // Slurm has forgotten how it ended
        for (unsigned k = 0; k < n; k++)
            if (g[k]->state >= INST_JOINED || (g[k]->flags & INST_F_RESUMED))
                return true;
        return false;
    }
    if (!conf_find_partition(b->conf, s->partition))
        return false;
    if (strcmp(s->state_name, "CANCELLED") != 0)
        return true;
    for (unsigned k = 0; k < n; k++)
        if (g[k]->state < INST_JOINED)
            return false;
    return n > 0;
}

// What it wrote, its checkpoint, is on its nodes.
static void ran_unseen(struct burstd *b, struct bjob *j, const struct sjob *s, const char *how,
                       bool requeued)
{
    gang_state(b, j, INST_JOINED, INST_BUSY, INST_F_STAGE_OUT);
    if (begin_attempt(b, j, s, "was on %s", j->node_names) < 0)
        return;
    j->requeue_wanted = requeued;
    start_stageout(b, j, how);
}

// It was started and requeued while burstd was down. While it is completing Slurm has not counted
// the restart yet.
static bool requeued_unseen(struct burstd *b, const struct bjob *j, const struct sjob *s)
{
    return j->state == JOB_PLACED && s->state == SJOB_PENDING &&
           ((s->flags & SJOB_COMPLETING) || s->restarts > j->placed_restarts) &&
           may_have_run(b, j, NULL);
}

static void pending(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    char why[256] = "";
    enum spill_verdict v;

    if (j->state <= JOB_CANDIDATE || j->state == JOB_DONE || j->state == JOB_LOCAL)
        bring_home(b, j, s);
    switch (j->state) {
    case JOB_DONE: // requeued after its end
        if (j->cmd)
            break;
        // fall through
    case JOB_LOCAL:
    case JOB_WATCHING:
        v = spill(b, j, s, why, sizeof(why));
        if (v == SPILL_LEAVE) {
            stage_describe(b, j, s);
            job_state(b, j, JOB_CANDIDATE, "%s", why);
        } else {
            job_state(b, j, JOB_WATCHING, "%s", why);
        }
        break;
    case JOB_CANDIDATE:
        if (spill(b, j, s, why, sizeof(why)) == SPILL_STAY)
            job_state(b, j, JOB_WATCHING, "%s", why);
        break;
    case JOB_SECURING:
        if (spill(b, j, s, why, sizeof(why)) == SPILL_STAY) {
            provision_release(b, j, "its job cannot start now");
            no_instances(j);
            job_state(b, j, JOB_WATCHING, "%s", why);
        } else {
            step_securing(b, j, s);
        }
        break;
    case JOB_PLACED:
        if (j->cmd)
            break;
        if (requeued_unseen(b, j, s)) {
            ran_unseen(b, j, NULL, "requeued by Slurm", true);
        } else if (gang_size(b, j) < j->nodes) {
            pull_back(b, j, 0, "an instance was lost before the job started");
        } else if (j->placed_at == 0) {
            send_place(b, j, s);
        } else if (strcmp(s->partition, j->partition) != 0 && clock_now_s() - j->placed_at > 5) {
            send_place(b, j, s); // the update was lost
        } else if (gang_given_back(b, j)) {
            pull_back(b, j, 0, "Slurm had just given an idle node of it back");
        } else if (clock_now_s() - j->placed_at > PLACE_TIMEOUT_S) {
            snprintf(why, sizeof(why), "Slurm did not start it on its nodes within %d s (%.63s)",
                     PLACE_TIMEOUT_S, s->reason);
            pull_back(b, j, PULLED_BACK_MS, why);
        }
        break;
    case JOB_RUNNING: // requeued
        j->requeue_wanted = true;
        start_stageout(b, j, "requeued by Slurm");
        break;
    default:
        break;
    }
}

static bool again(const struct bjob *j)
{
    return j->state == JOB_STAGEOUT || j->state == JOB_DONE;
}

// Nobody has asked what the data's way to this place costs, unless the plan was for the same region
// or the attempt before ran here.
static void adopt_transfer(struct bjob *j, const struct instance *i)
{
    if (strcmp(j->cloud, i->cloud) != 0 || strcmp(j->region, i->region) != 0)
        j->transfer = 0;
    else if (again(j))
        j->transfer = j->egress;
}

// Slurm started it on rented nodes although it was not (any more) placed there: its update was
// carried out and the answer lost, or it was requeued while burstd was down. Its results count.
static void adopt(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    struct instance *g[GANG_MAX];
    unsigned n = 0;
    char **names;
    size_t count;

    if (hostlist_expand(s->nodes, &names, &count, NULL) < 0)
        return;
    for (size_t k = 0; k < count && n < GANG_MAX; k++) {
        struct instance *i = instances_by_node(b->instances, names[k]);
        if (i && !(i->flags & INST_F_LOST))
            g[n++] = i;
    }
    hostlist_free(names);
    if (n == 0 || n < count)
        return; // bind_step() sees the nodes without instances, and Slurm requeues it
    provision_release(b, j, "its job runs on other nodes");
    for (unsigned k = 0; k < n; k++) {
        struct bjob *other = jobs_find(b->jobs, g[k]->job);
        if (other && other != j)
            jobflow_capacity_failed(b, other, NULL, "Slurm gave the idle node to another job");
        snprintf(g[k]->job, sizeof(g[k]->job), "%s", j->key);
        g[k]->flags |= INST_F_STAGE_OUT;
        if (g[k]->state == INST_IDLE || g[k]->state == INST_JOINED)
            instance_state(b, g[k], INST_BUSY, NULL);
        else
            instance_save(b, g[k]);
    }
    adopt_transfer(j, g[0]);
    point_at(j, g, n);
    gang_names(j, g, n);
    begin_attempt(b, j, s, "Slurm started it on %s", s->nodes);
}

// Somebody requeued it and moved it here, and it runs: its nodes are free. What they hold would
// replace, or come between, files that the attempt works with that runs now.
static void leave_to_local(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    if (!b->conf->shared_filesystem && !stage_home(b, j))
        job_event(
            b, j,
            "Slurm runs it on %s now: what its attempt on %s has written since its files came "
            "home last is left there, because this attempt has its files here",
            s->nodes, j->node_names);
    stage_drop(b, j);
    remember_place(b, j);
    gang_free(b, j);
    no_instances(j);
    j->started = 0;
    job_state(b, j, JOB_LOCAL, "Slurm started it here, on %s", s->nodes);
}

static void running(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    const struct cloud_conf *c = conf_find_partition(b->conf, s->partition);

    // Not when only its cloud was taken out of the configuration.
    if (!c && (j->state == JOB_RUNNING || j->state == JOB_STAGEOUT)) {
        if (s->state == SJOB_RUNNING && !(s->flags & SJOB_COMPLETING) &&
            strcmp(s->partition, j->partition) != 0)
            leave_to_local(b, j, s);
        return;
    }
    if (!c) {
        if (j->state < JOB_PLACED ||
            (j->state == JOB_PLACED && s->state == SJOB_RUNNING && !j->cmd)) {
            provision_release(b, j, "its job started locally");
            gang_free(b, j);
            no_instances(j);
            job_state(b, j, JOB_LOCAL, "Slurm started it here, on %s", s->nodes);
        }
        return;
    }
    if (s->flags & SJOB_CONFIGURING)
        return;
    if (j->state == JOB_PLACED && !(s->flags & SJOB_COMPLETING)) {
        gang_state(b, j, INST_JOINED, INST_BUSY, INST_F_STAGE_OUT);
        begin_attempt(b, j, s, "started on %s (%s, %s %s)", j->node_names, j->cloud, j->itype,
                      j->spot ? "spot" : "on-demand");
    } else if (!(s->flags & SJOB_COMPLETING) && s->state == SJOB_RUNNING &&
               (j->state < JOB_PLACED || (again(j) && s->start > j->ended))) {
        adopt(b, j, s);
    }
}

static void over(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    const char *word = s ? s->state_name : "gone from Slurm's table";

    switch (j->state) {
    case JOB_PLACED:
        if (may_have_run(b, j, s)) {
            // So short that its running was not seen. Cancelled before it began (start and end are
            // one then), nothing was read over there.
            if (s && strcmp(word, "CANCELLED") == 0 && s->end == s->start)
                j->transfer = 0;
            ran_unseen(b, j, s, "ended", false);
            break;
        }
        // fall through
    case JOB_WATCHING:
    case JOB_CANDIDATE:
    case JOB_SECURING:
        provision_release(b, j, "its job is over");
        gang_free(b, j);
        no_instances(j);
        j->tries = 0;
        j->comment_at_ms = 0;
        job_state(b, j, JOB_DONE, "over before it used a%s rented node (%s)",
                  j->history[0] ? "nother" : "", word);
        break;
    case JOB_RUNNING:
        j->requeue_wanted = false;
        start_stageout(b, j, word);
        break;
    case JOB_STAGEOUT:
        j->requeue_wanted = false;
        break;
    default:
        break;
    }
}

static void finish_stageout(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    char cost[MONEY_TEXT_MAX], home[80] = "results are home";
    bool ended = !s || s->state == SJOB_ENDED;

    if (!ended && (s->state != SJOB_PENDING || (s->flags & SJOB_COMPLETING)))
        return; // Slurm has not said yet which of the two it is
    gang_free(b, j);
    if (ended) {
        j->settled = ledger_job_cost(b, j);
        if (j->missing)
            snprintf(home, sizeof(home), "what it wrote on %u of %u nodes did not all come home",
                     j->missing, j->nodes);
        job_state(b, j, JOB_DONE, "%s; %s, cost %s", s ? s->state_name : "ended", home,
                  money_human(j->settled, cost));
        j->tries = 0;
        j->comment_at_ms = 0;
        return;
    }
    remember_place(b, j);
    no_instances(j);
    j->tries = 0;
    j->next_ms = 0;
    j->started = 0;
    job_state(b, j, JOB_CANDIDATE, "requeued; looking for another place");
    send_home(b, j);
}

static void stageout(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    bool waiting = s && s->state == SJOB_PENDING;

    // A node that brings a large checkpoint home is not cut short.
    if (!stage_home(b, j) && waiting && !stage_under_way(b, j) &&
        clock_now_s() - j->ended > REQUEUE_STAGEOUT_S) {
        job_event(b, j, "its old node does not answer for %d s; the job goes on from what is home",
                  REQUEUE_STAGEOUT_S);
        stage_giveup(b, j, "burstd");
    }
    if (stage_home(b, j))
        finish_stageout(b, j, s);
}

static void step(struct burstd *b, struct bjob *j)
{
    const struct sjob *s = slurm_link_job(b->slurm, j->key);

    if (s)
        refresh(j, s);
    if (!s || s->state == SJOB_ENDED)
        over(b, j, s);
    else if (s->state == SJOB_PENDING && !(s->flags & SJOB_COMPLETING))
        pending(b, j, s);
    else if (s->state == SJOB_PENDING && (j->state == JOB_RUNNING || requeued_unseen(b, j, s)))
        pending(b, j, s);
    else
        running(b, j, s);
    if (j->state == JOB_STAGEOUT)
        stageout(b, j, s);
}

// ---- all jobs

static void meet(struct burstd *b, const struct sjob *s)
{
    const char *mark = directive_find_mark(s->admin_comment);
    struct directive d;

    if (!mark || s->state != SJOB_PENDING || directive_from_mark(mark, &d) < 0)
        return;
    struct bjob *j = bjob_create();
    snprintf(j->key, sizeof(j->key), "%s", s->job);
    snprintf(j->name, sizeof(j->name), "%s", s->name);
    snprintf(j->user, sizeof(j->user), "%s", s->user);
    snprintf(j->account, sizeof(j->account), "%s", s->account);
    snprintf(j->origin, sizeof(j->origin), "%s", d.part[0] ? d.part : s->partition);
    bjob_set(&j->mark, mark);
    j->uid = s->uid;
    j->gid = s->gid;
    j->deadline = d.deadline;
    j->our_hold = d.cls == DIRECTIVE_HELD && !d.user_hold;
    j->since = clock_now_s();
    refresh(j, s);
    jobs_add(b->jobs, j);
}

static bool forgettable(struct burstd *b, const struct bjob *j)
{
    const struct sjob *s = slurm_link_job(b->slurm, j->key);

    if (s && s->state != SJOB_ENDED)
        return false;
    return !j->comment_due &&
           (j->state == JOB_DONE || j->state == JOB_LOCAL || j->state == JOB_REFUSED);
}

bool jobflow_ready(struct burstd *b, const struct bjob *j)
{
    struct instance *g[GANG_MAX];
    unsigned n = gang_collect(b, j, g, GANG_MAX);

    for (unsigned k = 0; k < n; k++)
        if (g[k]->state < INST_JOINED)
            return false;
    return n >= j->nodes;
}

void jobflow_step(struct burstd *b)
{
    const struct sjob *const *all;

    if (!slurm_link_ready(b->slurm))
        return;
    hold_begin_look();
    size_t n = slurm_link_jobs(b->slurm, &all);
    for (size_t k = 0; k < n; k++)
        if (all[k]->admin_comment[0] && !jobs_find(b->jobs, all[k]->job))
            meet(b, all[k]);
    JOBS_EACH(b->jobs, j)
    {
        step(b, j);
        if (forgettable(b, j))
            jobs_remove(b->jobs, j);
    }
}
