// SPDX-License-Identifier: GPL-3.0-or-later
// See leave.h.
#include "job/leave.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "job/hold.h"
#include "job/job_need.h"
#include "job/move.h"
#include "libburst/clock.h"
#include "slurm/slurm_link.h"
#include "slurm_plugin/directive.h"
#include "state/jobs.h"

#define CHANGEOVER_S 120 // until a rented node runs a job, for deadlines

enum spill_verdict leave_verdict(struct burstd *b, struct bjob *j, const struct sjob *s, char *why,
                                 size_t size)
{
    struct directive d;
    struct spill_facts f = {
        .pending = s->state == SJOB_PENDING,
        .reason = s->reason,
        .nodes_down = !s->req_nodes[0] && !s->reservation[0],
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
    if (job_wants_nodes(b, j, s)) {
        snprintf(why, size, "it asks for certain nodes (--nodelist)");
        return SPILL_STAY;
    }
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
            move_hold(b, j);
            j->our_hold = true;
            job_save(b, j);
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
