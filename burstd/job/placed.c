// SPDX-License-Identifier: GPL-3.0-or-later
// See placed.h.
#include "job/placed.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "job/attempt.h"
#include "job/move.h"
#include "job/place.h"
#include "job/securing.h"
#include "libburst/clock.h"
#include "node/end.h"
#include "node/gang.h"
#include "slurm/slurm_link.h"
#include "state/jobs.h"

#define PLACE_TIMEOUT_S 60   // a placed job that Slurm does not start is pulled back
#define PULLED_BACK_MS 60000 // and left alone for so long
#define PLACE_TRIES 3        // refused updates before the job is left to Slurm
#define NOT_PENDING 2073     // ESLURM_JOB_NOT_PENDING

// Slurm decides: it may start the job on its nodes in this very moment. They are released when it
// has taken the job back (pulled_back()); else the job runs on them.
static void pull_back(struct burstd *b, struct bjob *j, int64_t pause_ms, const char *why)
{
    bjob_set(&j->pull_why, why);
    j->next_ms = clock_mono_ms() + pause_ms;
    move_home(b, j);
}

static void pulled_back(struct burstd *b, struct bjob *j)
{
    gang_release(b, j, "its job did not start");
    gang_free(b, j);
    place_clear(j);
    job_state(b, j, JOB_WATCHING, "%s", j->pull_why);
}

static void refused(struct burstd *b, struct bjob *j, const char *error)
{
    log_warn("job %s: Slurm refused to move it: %s", j->key, error);
    j->state = JOB_SECURING; // for securing_failed(); its instances are still good
    if (++j->refusals >= PLACE_TRIES) {
        gang_release(b, j, "its job cannot use it");
        place_clear(j);
        job_state(b, j, JOB_REFUSED, "Slurm does not let it run in partition %s: %s", j->partition,
                  error);
    } else {
        securing_failed(b, j, error);
        j->next_ms = clock_mono_ms() + 5000;
    }
}

void placed_answered(struct burstd *b, struct bjob *j)
{
    int rc = j->answer.rc;

    j->answer.due = j->cmd = false;
    if (j->state != JOB_PLACED)
        return;
    if (!j->answer.placing) {
        if (rc == 0)
            pulled_back(b, j);
        return;
    }
    if (rc == 0)
        return;
    // -1: burst-slurm died and the outcome is unknown; the tables will tell. So they do when it
    // has started somewhere else in this moment.
    if (rc == -1 || rc == NOT_PENDING) {
        j->placed_at = 0;
        return;
    }
    refused(b, j, j->answer.error);
}

void placed_step(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    char why[256];

    if (attempt_requeued_unseen(b, j, s)) {
        attempt_ran_unseen(b, j, NULL, "requeued by Slurm", true);
    } else if (gang_size(b, j) < j->nodes) {
        pull_back(b, j, 0, "an instance was lost before the job started");
    } else if (j->placed_at == 0) {
        move_to_nodes(b, j, s);
    } else if (strcmp(s->partition, j->partition) != 0 && clock_now_s() - j->placed_at > 5) {
        move_to_nodes(b, j, s); // the update was lost
    } else if (gang_given_back(b, j)) {
        pull_back(b, j, 0, "Slurm had just given an idle node of it back");
    } else if (clock_now_s() - j->placed_at > PLACE_TIMEOUT_S) {
        snprintf(why, sizeof(why), "Slurm did not start it on its nodes within %d s (%.63s)",
                 PLACE_TIMEOUT_S, s->reason);
        pull_back(b, j, PULLED_BACK_MS, why);
    }
}
