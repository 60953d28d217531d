// SPDX-License-Identifier: GPL-3.0-or-later
// See stageout.h.
#include "job/stageout.h"

#include <stdio.h>
#include <string.h>

#include "job/bounds_of.h"
#include "job/move.h"
#include "job/place.h"
#include "job/reasons.h"
#include "libburst/clock.h"
#include "libburst/money.h"
#include "money/ledger.h"
#include "node/gang.h"
#include "node/keep.h"
#include "node/stage.h"
#include "slurm/slurm_link.h"
#include "state/jobs.h"

#define REQUEUE_STAGEOUT_S 120 // an unreachable node holds a requeued job's restart back so long

void stageout_start(struct burstd *b, struct bjob *j, const char *why)
{
    j->ended = clock_now_s();
    j->comment_due = true; // also of a job that ran before this was remembered
    job_state(b, j, JOB_STAGEOUT, "%s", why);
    b->poke(b);
}

// What its end says of what was tried for it, before its place is forgotten.
static void judge_launch(struct burstd *b, struct bjob *j, const struct sjob *s, bool ended)
{
    static const char *const ran[] = {"COMPLETED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY"};
    char why[256];

    if (s && reason_launch_failed(s->reason)) {
        snprintf(why, sizeof(why),
                 "Slurm could not launch it on %.120s (Prolog, user or directory there? see "
                 "slurmd's log)",
                 j->node_names);
        job_event(b, j, "%s", why);
        bounds_launch_failed(b, j, why);
        j->release = !ended && !move_class_held(j);
        return;
    }
    for (size_t k = 0; s && ended && !j->proven && k < sizeof(ran) / sizeof(ran[0]); k++)
        if (strcmp(s->state_name, ran[k]) == 0)
            bounds_started(b, j);
}

static void finish_stageout(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    char cost[MONEY_TEXT_MAX], home[120] = "results are home";
    bool ended = !s || s->state == SJOB_ENDED;

    if (!ended && (s->state != SJOB_PENDING || (s->flags & SJOB_COMPLETING)))
        return; // Slurm has not said yet which of the two it is
    judge_launch(b, j, s, ended);
    gang_free(b, j);
    if (ended) {
        j->settled = ledger_job_cost(b, j);
        if (j->kept)
            snprintf(home, sizeof(home), "results of %u node%s are kept: burst results %s", j->kept,
                     j->kept == 1 ? "" : "s", j->key);
        else if (j->missing)
            snprintf(home, sizeof(home), "what it wrote on %u of %u nodes did not all come home",
                     j->missing, j->nodes);
        job_state(b, j, JOB_DONE, "%s; %s, cost %s", s ? s->state_name : "ended", home,
                  money_human(j->settled, cost));
        j->tries = 0;
        j->comment_at_ms = 0;
        return;
    }
    place_remember(b, j);
    place_clear(j);
    j->tries = 0;
    j->next_ms = 0;
    j->started = 0;
    job_state(b, j, JOB_CANDIDATE, "requeued; looking for another place");
    move_home(b, j);
}

void stageout_step(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    bool waiting = s && s->state == SJOB_PENDING;

    // A node that brings a large checkpoint home is not cut short.
    if (!stage_home(b, j) && waiting && !stage_under_way(b, j) && !keep_waits(b, j) &&
        clock_mono_ms() - j->since_ms > 1000 * REQUEUE_STAGEOUT_S) {
        job_event(b, j, "its old node does not answer for %d s; the job goes on from what is home",
                  REQUEUE_STAGEOUT_S);
        stage_giveup(b, j, "burstd");
    }
    if (stage_home(b, j))
        finish_stageout(b, j, s);
}
