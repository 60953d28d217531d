// SPDX-License-Identifier: GPL-3.0-or-later
// See launch.h.
//
// Crash safety: rows of a group are written in one transaction, in state launching, with the token
// that the launch carries. Whatever happens then (reply lost, burstd killed), the next step repeats
// the launch with the same token, which the cloud answers with the same instances.
#include "node/launch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/clouds.h"
#include "cloud/observed.h"
#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "node/instance_state.h"
#include "node/purchase.h"
#include "node/sighting.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

#define THROTTLE_TRIES 6
#define RETRY_MAX_MS 10000
#define GROUP_MAX 1024
#define CLOSED_MS 1000 // a job whose place was closed after the plan was made is planned again

// ---- the rows

static void fill_row(struct burstd *b, struct instance *i, const struct bjob *j,
                     const struct placement *p, const char *group, unsigned k)
{
    const struct cloud_conf *c = conf_find_cloud(b->conf, p->cloud);

    snprintf(i->group, sizeof(i->group), "%s", group);
    snprintf(i->id, sizeof(i->id), "%.42s-%u", group, k % GROUP_MAX);
    snprintf(i->job, sizeof(i->job), "%s", j->key);
    snprintf(i->cloud, sizeof(i->cloud), "%s", p->cloud);
    snprintf(i->region, sizeof(i->region), "%s", p->region);
    snprintf(i->zone, sizeof(i->zone), "%s", p->zone);
    snprintf(i->itype, sizeof(i->itype), "%s", p->itype);
    snprintf(i->shape, sizeof(i->shape), "%s", p->shape);
    snprintf(i->partition, sizeof(i->partition), "%s", c->partition);
    i->spot = p->spot;
    i->price = p->price;
    i->state = INST_LAUNCHING;
    i->created = i->since = clock_now_s();
}

static void point_job(struct bjob *j, const struct placement *p, const char *group,
                      const char *partition)
{
    snprintf(j->group, sizeof(j->group), "%s", group);
    snprintf(j->cloud, sizeof(j->cloud), "%s", p->cloud);
    snprintf(j->region, sizeof(j->region), "%s", p->region);
    snprintf(j->zone, sizeof(j->zone), "%s", p->zone);
    snprintf(j->itype, sizeof(j->itype), "%s", p->itype);
    snprintf(j->shape, sizeof(j->shape), "%s", p->shape);
    snprintf(j->partition, sizeof(j->partition), "%s", partition);
    j->spot = p->spot;
    j->nodes = p->nodes;
    j->price = p->price * p->nodes;
    j->transfer = p->transfer;
    j->node_names = ""; // the caller keeps what was there until this is journaled
    j->placed_at = j->started = j->ended = 0;
}

// ---- the call

struct launch_call {
    struct burstd *b;
    char group[48];
};

static unsigned members(struct burstd *b, const char *group, struct instance **out)
{
    unsigned n = 0;

    INSTANCES_OF(b->instances, BY_NODE, "", i)
    if (i->state == INST_LAUNCHING && strcmp(i->group, group) == 0 && n < GROUP_MAX)
        out[n++] = i;
    return n;
}

static const struct provider_instance *answer_for(const struct instance *i, unsigned k,
                                                  const struct provider_result *r)
{
    for (size_t m = 0; m < r->n; m++)
        if (strcmp(r->instances[m].tag_instance, i->id) == 0)
            return &r->instances[m];
    return &r->instances[k]; // a cloud that does not echo tags in its reply
}

static void named(struct burstd *b, struct instance *i, const struct provider_instance *p)
{
    instance_set_cloud_id(b->instances, i, p->id);
    if (p->zone[0])
        snprintf(i->zone, sizeof(i->zone), "%s", p->zone);
    i->launched = i->charged_to = p->launched_at ? p->launched_at : clock_now_s();
    purchase_price(b, i, p);
    sighting_facts(i, p);
}

// One transaction for all of them: a gang of many nodes is not many waits for the disk.
static void launched(struct burstd *b, struct instance **g, unsigned n,
                     const struct provider_result *r)
{
    struct state_change list[2 * GROUP_MAX];
    unsigned changes = 0;

    for (unsigned k = 0; k < n; k++) {
        const struct provider_instance *p = answer_for(g[k], k, r);
        named(b, g[k], p);
        list[changes++] = (struct state_change){g[k], INST_LAUNCHED, NULL};
        if (sighting_is_up(g[k], p))
            list[changes++] = (struct state_change){g[k], INST_UP, NULL};
    }
    if (instances_state(b, list, changes) < 0)
        return; // asked again with the same token
    for (unsigned k = 0; k < n; k++)
        sighting(b, g[k], answer_for(g[k], k, r));
    struct bjob *j = jobs_find(b->jobs, g[0]->job);
    if (j)
        job_attempt(b, j, g[0], "ok", "");
    purchase_told(b, g[0]);
    observed_granted(b->observed, g[0]->cloud, g[0]->region, g[0]->zone, g[0]->itype, g[0]->spot);
    cloud_works(clouds_find(b->clouds, g[0]->cloud));
    cloud_list_soon(clouds_find(b->clouds, g[0]->cloud));
}

static void launch_refused(struct burstd *b, const struct instance *i, enum provider_class error,
                           const char *message)
{
    const struct burst_conf *c = b->conf;

    // A repeated launch whose job has gone bears another tag; that the cloud refuses it says
    // nothing of the place. What it may have started is found by its tag.
    if (error == PROVIDER_INVALID && !i->job[0]) {
        observed_undecided(b->observed, i->cloud, i->region, i->zone, i->itype, i->spot);
        return;
    }
    switch (error) {
    case PROVIDER_CAPACITY:
        observed_refused(b->observed, i->cloud, i->region, i->zone, i->itype, market_text(i->spot),
                         c->block_s, c->block_max_s, message);
        break;
    case PROVIDER_QUOTA: // counts per region and market at all clouds
        observed_refused(b->observed, i->cloud, i->region, "", i->itype, market_text(i->spot),
                         c->block_s, c->block_max_s, message);
        break;
    case PROVIDER_INVALID: // our request or the catalog is wrong: repeating it helps nobody
        observed_refused(b->observed, i->cloud, "", "", i->itype, "", c->block_max_s,
                         c->block_max_s, message);
        break;
    default:
        observed_undecided(b->observed, i->cloud, i->region, i->zone, i->itype, i->spot);
        cloud_trouble(clouds_find(b->clouds, i->cloud), error, message);
        break;
    }
}

// What the journal remembers of it, for the job's room.
static enum failure_class failure_of(enum provider_class error)
{
    switch (error) {
    case PROVIDER_CAPACITY:
        return FAILURE_CAPACITY;
    case PROVIDER_QUOTA:
        return FAILURE_QUOTA;
    case PROVIDER_THROTTLE:
        return FAILURE_THROTTLE;
    case PROVIDER_AUTH:
        return FAILURE_AUTH;
    case PROVIDER_INVALID:
        return FAILURE_INVALID;
    default:
        return FAILURE_TRANSIENT;
    }
}

static enum failure_scope scope_of(enum provider_class error)
{
    return error == PROVIDER_CAPACITY || error == PROVIDER_QUOTA || error == PROVIDER_INVALID
               ? FAILURE_OF_PLACE
               : FAILURE_OF_CLOUD;
}

static void give_up_launch(struct burstd *b, struct instance **g, unsigned n,
                           enum provider_class error, const char *message)
{
    struct bjob *j = jobs_find(b->jobs, g[0]->job);
    struct instance first = *g[0];

    launch_refused(b, g[0], error, message);
    // One that an earlier reply named exists, though it could not be journaled then. Without a
    // clear answer it may: the listing tells.
    bool unclear = error == PROVIDER_TRANSIENT;
    if (j && strcmp(j->group, first.group) == 0) {
        job_attempt(b, j, &first, provider_class_name(error), message);
        instance_failed(b, g[0], failure_of(error), scope_of(error), message);
    }
    struct state_change list[GROUP_MAX];
    char reason[sizeof(first.reason)];
    snprintf(reason, sizeof(reason), "%s: %s", provider_class_name(error), message);
    for (unsigned k = 0; k < n; k++)
        list[k] = (struct state_change){
            g[k], g[k]->cloud_id[0] || unclear ? INST_TERMINATING : INST_GONE, reason};
    instances_state(b, list, n);
}

static void launch_again(struct burstd *b, struct instance **g, unsigned n,
                         const struct provider_result *r)
{
    int64_t wait = 500;

    for (unsigned k = 0; k < g[0]->tries && wait < RETRY_MAX_MS; k++)
        wait *= 2;
    if (wait > RETRY_MAX_MS)
        wait = RETRY_MAX_MS;
    if (r->retry_after_ms > wait)
        wait = r->retry_after_ms;
    log_warn("launch %s at %s: %s (%s); again in %" PRId64 " ms", g[0]->group, g[0]->cloud,
             provider_class_name(r->error), r->message, wait);
    for (unsigned k = 0; k < n; k++) {
        g[k]->tries++;
        g[k]->next_ms = clock_mono_ms() + wait;
    }
}

static void on_launch(void *arg, const struct provider_result *r)
{
    struct launch_call *call = arg;
    struct burstd *b = call->b;
    struct instance *g[GROUP_MAX];
    unsigned n = members(b, call->group, g);

    free(call);
    for (unsigned k = 0; k < n; k++)
        g[k]->calling = false;
    b->poke(b);
    if (n == 0)
        return;
    bool late = clock_mono_ms() - g[0]->since_ms > 1000 * b->conf->launch_timeout_s;
    if (r->error == PROVIDER_OK && r->n == n)
        launched(b, g, n, r);
    else if (r->error == PROVIDER_OK)
        give_up_launch(b, g, n, PROVIDER_TRANSIENT,
                       "the cloud answered with another number of instances");
    else if (r->error == PROVIDER_TRANSIENT && !late)
        launch_again(b, g, n, r);
    else if (r->error == PROVIDER_THROTTLE && g[0]->tries < THROTTLE_TRIES && !late)
        launch_again(b, g, n, r);
    else
        give_up_launch(b, g, n, r->error, r->message);
}

static void launch(struct burstd *b, struct instance *leader)
{
    struct instance *g[GROUP_MAX];
    const char *tags[GROUP_MAX];
    unsigned n = members(b, leader->group, g);
    struct cloud *c = clouds_find(b->clouds, leader->cloud);
    struct bjob *j = jobs_find(b->jobs, leader->job);

    if (!c) {
        give_up_launch(b, g, n, PROVIDER_INVALID, "this cloud is no longer configured");
        return;
    }
    for (unsigned k = 0; k < n; k++) {
        tags[k] = g[k]->id;
        g[k]->calling = true;
    }
    struct provider_launch req = {
        .token = leader->group,
        .count = n,
        .instance_type = leader->itype,
        .region = leader->region,
        .zone = leader->zone,
        .spot = leader->spot,
        .image = c->conf->image,
        .ssh_public_key = b->ssh_public_key,
        .tag_cluster = b->conf->cluster,
        .tag_job = j ? j->key : "",
        .tag_instance = tags,
    };
    struct launch_call *call = xmalloc(sizeof(*call));
    call->b = b;
    snprintf(call->group, sizeof(call->group), "%s", leader->group);
    c->ops->launch(c->provider, &req, on_launch, call);
}

// A launch whose job is gone: if it was never sent in this life of burstd it may still have been in
// an earlier one, so it is sent (same token) to learn what exists, then ended.
void launch_step(struct burstd *b, struct instance *i)
{
    if (!i->calling)
        launch(b, i);
}

// ---- a launch for a job

int launch_start(struct burstd *b, struct bjob *j, const struct placement *p, burst_error_t *errp)
{
    struct bjob old = *j;
    char group[48];
    uint64_t r;
    const struct cloud_conf *c = conf_find_cloud(b->conf, p->cloud);

    if (p->nodes < 1 || p->nodes > GROUP_MAX)
        return errprintf(errp, "a launch of %u nodes is not sensible", p->nodes);
    if (!observed_launching(b->observed, p->cloud, p->region, p->zone, p->itype, p->spot,
                            p->nodes)) {
        log_info("job %s: %s %s %s was closed after its plan was made", j->key, p->cloud,
                 p->zone[0] ? p->zone : p->region, p->itype);
        j->next_ms = clock_mono_ms() + CLOSED_MS;
        return 1;
    }
    if (getrandom(&r, sizeof(r), 0) != sizeof(r))
        return errprintf(errp, "no random number for a token");
    snprintf(group, sizeof(group), "%.24s-%016" PRIx64, b->conf->cluster, r);
    struct instance **rows = xcalloc(p->nodes, sizeof(*rows));
    if (store_begin(b->store, errp) < 0)
        goto error;
    for (unsigned k = 0; k < p->nodes; k++) {
        rows[k] = xmalloc(sizeof(*rows[k]));
        fill_row(b, rows[k], j, p, group, k);
        if (store_put_instance(b->store, rows[k], errp) < 0)
            goto rollback;
    }
    point_job(j, p, group, c->partition);
    j->state = JOB_SECURING;
    j->since = clock_now_s();
    j->since_ms = clock_mono_ms();
    snprintf(j->reason, sizeof(j->reason), "renting %u x %s %s at %s %s", p->nodes, p->itype,
             market_text(p->spot), p->cloud, p->zone[0] ? p->zone : p->region);
    if (store_put_job(b->store, j, errp) < 0)
        goto rollback;
    if (store_commit(b->store, errp) < 0)
        goto error;
    bjob_set(&old.node_names, "");
    for (unsigned k = 0; k < p->nodes; k++)
        instances_add(b->instances, rows[k]);
    job_event(b, j, "%s", j->reason);
    launch(b, rows[0]); // leaves now, not at the next tick
    free(rows);
    return 0;
rollback:
    store_rollback(b->store);
error:
    for (unsigned k = 0; k < p->nodes; k++)
        free(rows[k]);
    free(rows);
    old.hh = j->hh;
    *j = old;
    return -1;
}
