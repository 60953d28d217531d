// SPDX-License-Identifier: GPL-3.0-or-later
// See spill.h. Slurm says best why a job waits: only Resources and Priority mean that capacity is
// what is missing; limits, dependencies and holds would keep a rented node idle.
#include "job/spill.h"

#include <stdio.h>
#include <string.h>

#include "job/reasons.h"
#include "libburst/clock.h"

static bool nodes_missing(const char *reason)
{
    return strncmp(reason, "ReqNodeNotAvail", 15) == 0 || strncmp(reason, "NodeDown", 8) == 0 ||
           strncmp(reason, "Nodes", 5) == 0;
}

enum spill_verdict spill_decide(const struct spill_facts *f, char *why, size_t size)
{
    char x[CLOCK_TEXT_MAX], y[CLOCK_TEXT_MAX];

    if (!f->pending) {
        snprintf(why, size, "it is not waiting");
        return SPILL_STAY;
    }
    if (f->held_for_burst) {
        snprintf(why, size, "no local node may run it");
        return SPILL_LEAVE;
    }
    if (reason_kind(f->reason) == REASON_PASSING) {
        snprintf(why, size, "Slurm has not looked at it yet%s%s", *f->reason ? ": " : "",
                 f->reason);
        return SPILL_LATER;
    }
    // All nodes that could run it are down, drained or reserved: the very moment to leave.
    if (reason_kind(f->reason) != REASON_CAPACITY && !(f->nodes_down && nodes_missing(f->reason))) {
        snprintf(why, size,
                 "Slurm keeps it waiting for another reason (%s) that no rented node cures",
                 f->reason);
        return SPILL_STAY;
    }
    int64_t waited = f->now - f->eligible;
    if (f->deadline && f->expected_start && f->expected_start + f->runtime_s > f->deadline) {
        snprintf(why, size, "its expected local start is too late for its deadline");
        return SPILL_LEAVE;
    }
    if (waited < f->min_pending_s) {
        snprintf(why, size, "it has waited for %s, the site lets jobs wait for at least %s",
                 clock_duration(waited, x), clock_duration(f->min_pending_s, y));
        return SPILL_LATER;
    }
    if (f->expected_start > f->now && f->expected_start - f->now <= f->wait_threshold_s) {
        snprintf(why, size,
                 "Slurm expects to start it here in %s; jobs leave when that is longer than %s",
                 clock_duration(f->expected_start - f->now, x),
                 clock_duration(f->wait_threshold_s, y));
        return SPILL_LATER;
    }
    // Without an estimate the wait so far is the best guess of the wait to come.
    if (!f->expected_start && waited < f->wait_threshold_s) {
        snprintf(why, size, "it has waited for %s, Slurm gives no start time; jobs leave after %s",
                 clock_duration(waited, x), clock_duration(f->wait_threshold_s, y));
        return SPILL_LATER;
    }
    if (f->expected_start > f->now)
        snprintf(why, size, "Slurm expects to start it here only in %s",
                 clock_duration(f->expected_start - f->now, x));
    else
        snprintf(why, size, "the local nodes are full");
    return SPILL_LEAVE;
}
