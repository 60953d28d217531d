// SPDX-License-Identifier: GPL-3.0-or-later
// See attempt.h.
#include "job/attempt.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "job/stageout.h"
#include "libburst/clock.h"
#include "money/ledger.h"
#include "node/gang.h"
#include "slurm/slurm_link.h"
#include "state/jobs.h"
#include "state/journal.h"
#include "state/store.h"

// From now on an attempt uses the place: the state and what the way of its data costs are one
// write, so that a crash neither loses nor doubles it.
int attempt_begin(struct burstd *b, struct bjob *j, const struct sjob *s, const char *fmt, ...)
{
    struct bjob old = *j;
    burst_error_t err;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(j->reason, sizeof(j->reason), fmt, ap);
    va_end(ap);
    j->state = JOB_RUNNING;
    j->since = clock_now_s();
    j->since_ms = clock_mono_ms();
    j->started = s && s->start ? s->start : clock_now_s();
    j->requeue_wanted = false;
    j->comment_due = true;
    j->missing = 0;
    j->proven = false;
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
bool attempt_may_have_run(struct burstd *b, const struct bjob *j, const struct sjob *s)
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
void attempt_ran_unseen(struct burstd *b, struct bjob *j, const struct sjob *s, const char *how,
                        bool requeued)
{
    gang_state(b, j, INST_JOINED, INST_BUSY, INST_F_STAGE_OUT);
    if (attempt_begin(b, j, s, "was on %s", j->node_names) < 0)
        return;
    j->requeue_wanted = requeued;
    stageout_start(b, j, how);
}

// It was started and requeued while burstd was down. While it is completing Slurm has not counted
// the restart yet.
bool attempt_requeued_unseen(struct burstd *b, const struct bjob *j, const struct sjob *s)
{
    return j->state == JOB_PLACED && s->state == SJOB_PENDING &&
           ((s->flags & SJOB_COMPLETING) || s->restarts > j->placed_restarts) &&
           attempt_may_have_run(b, j, NULL);
}
