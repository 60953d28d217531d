// SPDX-License-Identifier: GPL-3.0-or-later
// See running.h.
#include "job/running.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "job/attempt.h"
#include "job/bounds_of.h"
#include "job/place.h"
#include "job/securing.h"
#include "libburst/clock.h"
#include "libburst/hostlist.h"
#include "node/end.h"
#include "node/gang.h"
#include "node/instance_state.h"
#include "node/stage.h"
#include "slurm/slurm_link.h"
#include "state/instances.h"
#include "state/jobs.h"

#define PROVEN_S 10 // a launch that fails does so at once

// Its start alone proves nothing: slurmd may not be able to launch it.
static void prove(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    if (j->proven || clock_now_s() - s->start < PROVEN_S)
        return;
    j->proven = true;
    bounds_started(b, j);
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
        return; // stray_step() sees the nodes without instances, and Slurm requeues it
    gang_release(b, j, "its job runs on other nodes");
    for (unsigned k = 0; k < n; k++) {
        struct bjob *other = jobs_find(b->jobs, g[k]->job);
        if (other && other != j)
            securing_failed(b, other, "Slurm gave the idle node to another job");
        instance_set_job(b->instances, g[k], j->key);
        g[k]->flags |= INST_F_STAGE_OUT;
        if (g[k]->state == INST_IDLE || g[k]->state == INST_JOINED)
            instance_state(b, g[k], INST_BUSY, NULL);
        else
            instance_save(b, g[k]);
    }
    adopt_transfer(j, g[0]);
    place_on(j, g, n);
    gang_names(j, g, n);
    attempt_begin(b, j, s, "Slurm started it on %s", s->nodes);
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
    place_remember(b, j);
    gang_free(b, j);
    place_clear(j);
    j->started = 0;
    job_state(b, j, JOB_LOCAL, "Slurm started it here, on %s", s->nodes);
}

// With the sentence that kept it from leaving: what people ask for later.
static void stayed(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    char until[sizeof(j->reason)];

    memcpy(until, j->reason, sizeof(until));
    if (j->state == JOB_WATCHING && until[0])
        job_state(b, j, JOB_LOCAL, "Slurm started it here, on %s; until then: %s", s->nodes, until);
    else
        job_state(b, j, JOB_LOCAL, "Slurm started it here, on %s", s->nodes);
}

void running_step(struct burstd *b, struct bjob *j, const struct sjob *s)
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
            gang_release(b, j, "its job started locally");
            gang_free(b, j);
            place_clear(j);
            stayed(b, j, s);
        }
        return;
    }
    if (s->flags & SJOB_CONFIGURING)
        return;
    if (j->state == JOB_PLACED && !(s->flags & SJOB_COMPLETING)) {
        gang_state(b, j, INST_JOINED, INST_BUSY, INST_F_STAGE_OUT);
        attempt_begin(b, j, s, "started on %s (%s, %s %s)", j->node_names, j->cloud, j->itype,
                      market_text(j->spot));
    } else if (!(s->flags & SJOB_COMPLETING) && s->state == SJOB_RUNNING &&
               (j->state < JOB_PLACED || (again(j) && s->start > j->ended))) {
        adopt(b, j, s);
    } else if (j->state == JOB_RUNNING && s->state == SJOB_RUNNING &&
               !(s->flags & SJOB_COMPLETING)) {
        prove(b, j, s);
    }
}
