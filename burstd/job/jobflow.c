// SPDX-License-Identifier: GPL-3.0-or-later
// See jobflow.h. Here is the walk over the states; a state with a body has a file of its own.
//
// Slurm is the truth about a job's state, the journal about what was bought for it. Every step is
// written so that it may run again: after a restart of burstd, of slurmctld, or a lost answer.
#include "job/jobflow.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "job/attempt.h"
#include "job/hold.h"
#include "job/leave.h"
#include "job/move.h"
#include "job/place.h"
#include "job/placed.h"
#include "job/rules.h"
#include "job/running.h"
#include "job/securing.h"
#include "job/spill.h"
#include "job/stageout.h"
#include "libburst/clock.h"
#include "node/end.h"
#include "node/gang.h"
#include "node/stage.h"
#include "slurm/slurm_link.h"
#include "slurm_plugin/directive.h"
#include "state/instances.h"
#include "state/jobs.h"

#define HOME_AGAIN_MS 5000
#define REFUSED_MS 3600000 // what it asks for, or the configuration, may have changed by then

// ---- one job

// A requeue is counted while the job is still completing; its time of submission changes only when
// it has left its nodes. So a time belongs to the count that it was first seen with, and while a
// counted requeue is completing the time is still the one of before.
static void refresh(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    bool requeuing = s->state == SJOB_PENDING && (s->flags & SJOB_COMPLETING) && s->restarts > 0;

    if (s->submit != j->submit) {
        j->submit = s->submit;
        j->submit_restarts = requeuing ? s->restarts - 1 : s->restarts;
    }
    jobs_set_id(b->jobs, j, s->job_id);
    j->restarts = s->restarts;
    j->limit_s = s->time_limit_s;
}

// A job that waits in an elastic partition without nodes of its own there (requeued after its end,
// or its update was lost) would make Slurm start nodes that nobody has rented.
static void bring_home(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    // Nearly all are where they were submitted; whoever reads a mark takes microseconds.
    if (strcmp(s->partition, j->origin) == 0 || !conf_find_partition(b->conf, s->partition) ||
        j->cmd || clock_mono_ms() < j->home_ms || move_class_held(j))
        return;
    j->home_ms = clock_mono_ms() + HOME_AGAIN_MS;
    move_home(b, j);
}

// What the site forbids stays, however long it waits here.
static enum spill_verdict verdict(struct burstd *b, struct bjob *j, const struct sjob *s, char *why,
                                  size_t size)
{
    char rule[256];
    enum spill_verdict v = leave_verdict(b, j, s, why, size);

    if (rules_admit_job(b, j, s, rule, sizeof(rule)))
        return v;
    snprintf(why, size, "%s", rule);
    return SPILL_STAY;
}

static void pending(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    char why[256] = "";
    enum spill_verdict v;

    if (j->state <= JOB_CANDIDATE || j->state >= JOB_DONE)
        bring_home(b, j, s);
    if (j->state == JOB_REFUSED && clock_mono_ms() - j->since_ms >= REFUSED_MS)
        job_state(b, j, JOB_WATCHING, "looked at again");
    switch (j->state) {
    case JOB_DONE: // requeued after its end
        if (j->cmd)
            break;
        // fall through
    case JOB_LOCAL:
    case JOB_WATCHING:
        v = verdict(b, j, s, why, sizeof(why));
        if (v == SPILL_LEAVE) {
            stage_describe(j, s);
            job_state(b, j, JOB_CANDIDATE, "%s", why);
        } else {
            job_state(b, j, JOB_WATCHING, "%s", why);
        }
        break;
    case JOB_CANDIDATE:
        if (verdict(b, j, s, why, sizeof(why)) == SPILL_STAY)
            job_state(b, j, JOB_WATCHING, "%s", why);
        else if (j->hopeless)
            securing_hopeless(b, j);
        break;
    case JOB_SECURING:
        if (verdict(b, j, s, why, sizeof(why)) == SPILL_STAY) {
            gang_release(b, j, "its job cannot start now");
            place_clear(j);
            job_state(b, j, JOB_WATCHING, "%s", why);
        } else {
            securing_step(b, j, s);
        }
        break;
    case JOB_PLACED:
        if (!j->cmd)
            placed_step(b, j, s);
        break;
    case JOB_RUNNING: // requeued
        j->requeue_wanted = true;
        stageout_start(b, j, "requeued by Slurm");
        break;
    default:
        break;
    }
}

static void over(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    const char *word = s ? s->state_name : "gone from Slurm's table";

    switch (j->state) {
    case JOB_PLACED:
        if (attempt_may_have_run(b, j, s)) {
            // So short that its running was not seen. Cancelled before it began (start and end are
            // one then), nothing was read over there.
            if (s && strcmp(word, "CANCELLED") == 0 && s->end == s->start)
                j->transfer = 0;
            attempt_ran_unseen(b, j, s, "ended", false);
            break;
        }
        // fall through
    case JOB_WATCHING:
    case JOB_CANDIDATE:
    case JOB_SECURING:
        gang_release(b, j, "its job is over");
        gang_free(b, j);
        place_clear(j);
        j->tries = 0;
        j->comment_at_ms = 0;
        job_state(b, j, JOB_DONE, "over before it used a%s rented node (%s)",
                  j->history[0] ? "nother" : "", word);
        break;
    case JOB_RUNNING:
        j->requeue_wanted = false;
        stageout_start(b, j, word);
        break;
    case JOB_STAGEOUT:
        j->requeue_wanted = false;
        break;
    default:
        break;
    }
}

void jobflow_ended(struct burstd *b, struct bjob *j)
{
    if (j->state == JOB_RUNNING)
        stageout_start(b, j, "it has left its nodes");
}

// Slurm gives numbers again (its state was lost or restored, -c, a wrap): another job of this
// number never gets this one's nodes, data, mark or bill. A new time of submission with a restart
// that was not counted with the time before is a requeue; an older one with fewer restarts is this
// job as slurmctld had saved it.
static bool same_job(const struct bjob *j, const struct sjob *s)
{
    if (s->uid != j->uid)
        return false;
    return !j->submit || s->submit == j->submit || s->restarts > j->submit_restarts ||
           (s->flags & SJOB_COMPLETING) || (s->submit < j->submit && s->restarts < j->restarts);
}

// As Slurm sees it; NULL: it is gone.
static const struct sjob *seen(struct burstd *b, const struct bjob *j)
{
    const struct sjob *s = slurm_link_job(b->slurm, j->key);

    return s && same_job(j, s) ? s : NULL;
}

static void step(struct burstd *b, struct bjob *j)
{
    const struct sjob *s = seen(b, j);

    if (j->answer.due)
        placed_answered(b, j);
    if (s)
        refresh(b, j, s);
    if (!s || s->state == SJOB_ENDED)
        over(b, j, s);
    else if (s->state == SJOB_PENDING && !(s->flags & SJOB_COMPLETING))
        pending(b, j, s);
    else if (s->state == SJOB_PENDING &&
             (j->state == JOB_RUNNING || attempt_requeued_unseen(b, j, s)))
        pending(b, j, s);
    else
        running_step(b, j, s);
    if (j->state == JOB_STAGEOUT)
        stageout_step(b, j, s);
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
    j->since = j->met = clock_now_s();
    refresh(b, j, s);
    jobs_add(b->jobs, j);
}

static bool forgettable(struct burstd *b, const struct bjob *j)
{
    if (j->comment_due ||
        (j->state != JOB_DONE && j->state != JOB_LOCAL && j->state != JOB_REFUSED))
        return false;
    const struct sjob *s = seen(b, j);
    return !s || s->state == SJOB_ENDED;
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
    securing_failures(b);
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
