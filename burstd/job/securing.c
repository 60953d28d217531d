// SPDX-License-Identifier: GPL-3.0-or-later
// See securing.h.
#include "job/securing.h"

#include <string.h>

#include "base/conf.h"
#include "job/bounds_of.h"
#include "job/cancel.h"
#include "job/job_need.h"
#include "job/move.h"
#include "job/place.h"
#include "libburst/clock.h"
#include "node/bind.h"
#include "node/data_check.h"
#include "node/end.h"
#include "node/gang.h"
#include "slurm/slurm_link.h"
#include "slurm_plugin/directive.h"
#include "state/instances.h"
#include "state/jobs.h"

#define CAPACITY_TRIES 20 // failed places in a row before a pause
#define CAPACITY_PAUSE_MS 30000
#define NO_NAME_MS 60000 // all node names are taken: so long until the place counts as failed
#define STUCK_MS 1800000 // nothing happens on its nodes, beyond the time-outs of their boots

void securing_failed(struct burstd *b, struct bjob *j, const char *message)
{
    if (j->state != JOB_SECURING)
        return;
    gang_release(b, j, message);
    place_clear(j);
    j->tries++;
    j->next_ms = j->tries % CAPACITY_TRIES == 0 ? clock_mono_ms() + CAPACITY_PAUSE_MS : 0;
    job_state(b, j, JOB_CANDIDATE, "%s %s did not work out: %s", j->cloud,
              j->zone[0] ? j->zone : j->region, message);
    b->poke(b);
}

// Of an earlier place of the job the failure says nothing any more.
static bool concerns(const struct bjob *j, const struct instance *i)
{
    return j->state == JOB_SECURING && (!j->group[0] || strcmp(j->group, i->group) == 0);
}

// A job that the site's own nodes may run is never ended because of what happened to it here, and
// one that waits for rented nodes waits on. Only who wants rented nodes and nothing else is told in
// his output file that they cannot serve him.
static bool rented_only(const struct bjob *j)
{
    struct directive d;

    return directive_from_mark(j->mark, &d) == 0 && d.mode == DIRECTIVE_ONLY;
}

static void failed(struct burstd *b, struct bjob *j, const struct failure *f)
{
    if (f->scope == FAILURE_OF_JOB && rented_only(j))
        cancel(b, j, f->why);
    else
        securing_failed(b, j, f->why);
}

void securing_hopeless(struct burstd *b, struct bjob *j)
{
    const char *why = data_fault(b, j);

    if (rented_only(j) && why[0])
        cancel(b, j, why);
}

void securing_failures(struct burstd *b)
{
    INSTANCES_EACH(b->instances, i)
    {
        struct bjob *j;

        if (!i->failure.cls || i->failure.read)
            continue;
        j = jobs_find(b->jobs, i->failure.job);
        bounds_instance_failed(b, j, i);
        if (j && concerns(j, i))
            failed(b, j, &i->failure);
        i->failure.read = true;
        if (i->state < INST_TERMINATING) // it may serve another job
            i->failure = (struct failure){FAILURE_NONE};
    }
}

// A backstop: each step has a time-out of its own, and a long copy is under way as long as its
// burst-ssh lives.
static bool stuck(struct burstd *b, const struct bjob *j, struct instance **g, unsigned n)
{
    int64_t boot_ms = 1000 * (b->conf->launch_timeout_s + b->conf->ssh_timeout_s);

    if (clock_mono_ms() - j->since_ms < boot_ms + STUCK_MS)
        return false;
    for (unsigned k = 0; k < n; k++)
        if (g[k]->ssh || clock_mono_ms() - g[k]->since_ms < STUCK_MS)
            return false;
    return true;
}

// All nodes ready and with their data: give them names, journal the names, then tell Slurm.
void securing_step(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    struct instance *g[GANG_MAX];
    unsigned n = gang_collect(b, j, g, GANG_MAX);
    burst_error_t err;

    if (n < j->nodes) {
        securing_failed(b, j, "an instance was lost before the job could use it");
        return;
    }
    if (n > j->nodes) {
        gang_drop_others(b, j, g, n);
        return;
    }
    for (unsigned k = 0; k < n; k++)
        if (g[k]->flags & INST_F_OPDRAIN) {
            securing_failed(b, j, "an operator drains its node");
            return;
        }
    if (stuck(b, j, g, n)) {
        securing_failed(b, j, "its nodes did not become usable");
        return;
    }
    for (unsigned k = 0; k < n; k++)
        if (!gang_fresh(g[k]))
            return;
    if (s->flags & SJOB_COMPLETING) // moving it now would rewrite the record of its last attempt
        return;
    if (j->cmd)
        return;
    if (!job_still_fits(b, j, s)) {
        securing_failed(b, j, "it asks for something else now than when this was rented");
        return;
    }
    if (bind_names(b, j, g, n, &err) < 0) {
        if (clock_mono_ms() - j->since_ms > NO_NAME_MS)
            securing_failed(b, j, err.text);
        return;
    }
    j->placed_restarts = s->restarts;
    move_remember(j, s);
    if (job_state(b, j, JOB_PLACED, "its %u node%s ready: %s", n, n == 1 ? " is" : "s are",
                  j->node_names) < 0)
        return;
    move_to_nodes(b, j, s);
}
