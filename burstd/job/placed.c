// SPDX-License-Identifier: GPL-3.0-or-later
// See placed.h.
#include "job/placed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "job/attempt.h"
#include "job/bounds_of.h"
#include "job/job_need.h"
#include "job/move.h"
#include "job/place.h"
#include "job/reasons.h"
#include "job/securing.h"
#include "job/rules.h"
#include "libburst/clock.h"
#include "node/end.h"
#include "node/gang.h"
#include "slurm/slurm_link.h"
#include "state/jobs.h"

#define PLACE_TIMEOUT_S 60   // a placed job that Slurm does not start is pulled back
#define PULLED_BACK_MS 60000 // and left alone for so long
#define SETTLE_S 5           // a reason that waiting does not cure may be one of the moment
#define SHOWS_S 2            // Slurm's table may be older than the move
#define NOT_PENDING 2073     // ESLURM_JOB_NOT_PENDING
// What slurmctld itself says lies here (slurm_errno.h); below and above are words of the way there:
// time-outs, no connection, a controller that is not the primary one.
#define ESLURM_FIRST 2000
#define ESLURM_LAST 2999

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
    char why[320];

    log_warn("job %s: Slurm refused to move it: %s", j->key, error);
    snprintf(why, sizeof(why), "Slurm does not let it run in partition %s: %.160s", j->partition,
             error);
    bounds_refused(b, j, why);
    j->state = JOB_SECURING; // for securing_failed(); its instances are still good
    securing_failed(b, j, why);
    j->next_ms = clock_mono_ms() + 5000;
}

void placed_answered(struct burstd *b, struct bjob *j)
{
    int rc = j->answer.rc;

    j->answer.due = j->cmd = false;
    if (j->answer.home && rc == 0) {
        j->release = false;
        move_forget(j);
        if (j->state != JOB_PLACED) // else it is written with its new state
            job_save(b, j);
    }
    if (j->state != JOB_PLACED)
        return;
    if (!j->answer.placing) {
        if (rc == 0)
            pulled_back(b, j);
        return;
    }
    if (rc == 0)
        return;
    // -1: burst-slurm died and the outcome is unknown, and so it is when slurmctld did not answer;
    // the tables will tell. So they do when it has started somewhere else in this moment.
    if (rc < ESLURM_FIRST || rc > ESLURM_LAST || rc == NOT_PENDING) {
        j->placed_at = 0;
        return;
    }
    refused(b, j, j->answer.error);
}

// Slurm says why it does not start it. What waiting cannot cure is not waited for.
static bool in_vain(const struct sjob *s, int64_t waited)
{
    enum reason_kind kind = reason_kind(s->reason);

    return waited > PLACE_TIMEOUT_S ||
           (waited > SETTLE_S && (kind == REASON_JOB || kind == REASON_LIMIT ||
                                  kind == REASON_PARTITION || kind == REASON_HELD));
}

static void not_started(struct burstd *b, struct bjob *j, const struct sjob *s, int64_t waited)
{
    char why[256];

    snprintf(why, sizeof(why), "Slurm did not start it on its nodes within %" PRId64 " s (%.100s)",
             waited, s->reason);
    bounds_not_started(b, j, s->reason, why);
    pull_back(b, j, PULLED_BACK_MS, why);
}

// What its user changed when it had been moved: Slurm would give it nodes that nobody has rented,
// or never start it. Counts as a failure of the job's, so that no circle costs money.
static bool changed(struct burstd *b, const struct bjob *j, const struct sjob *s, int64_t waited,
                    char *why, size_t size)
{
    if (!rules_admit_job(b, j, s, why, size))
        return true; // not its need: nothing is rented for it until they admit it again
    if (waited < SHOWS_S || strcmp(s->partition, j->partition) != 0)
        return false;
    if (job_other_nodes(j, s))
        snprintf(why, size, "other nodes were asked for than those that are rented");
    else if (job_outgrown(b, j, s))
        snprintf(why, size, "it asks for something else now than when this was rented");
    else
        return false;
    bounds_job_changed(b, j, why);
    return true;
}

void placed_step(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    int64_t waited = (clock_mono_ms() - j->placed_ms) / 1000;
    char why[256];

    if (attempt_requeued_unseen(b, j, s)) {
        attempt_ran_unseen(b, j, NULL, "requeued by Slurm", true);
    } else if (gang_size(b, j) < j->nodes) {
        pull_back(b, j, 0, "an instance was lost before the job started");
    } else if (changed(b, j, s, waited, why, sizeof(why))) {
        pull_back(b, j, 0, why); // Slurm has not started it yet
    } else if (j->placed_at == 0) {
        move_to_nodes(b, j, s);
    } else if (strcmp(s->partition, j->partition) != 0 && waited > 5) {
        move_to_nodes(b, j, s); // the update was lost
    } else if (gang_given_back(b, j)) {
        pull_back(b, j, 0, "Slurm had just given an idle node of it back");
    } else if (in_vain(s, waited)) {
        not_started(b, j, s, waited);
    }
}
