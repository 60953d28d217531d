// SPDX-License-Identifier: GPL-3.0-or-later
// See provision.h.
//
// Crash safety: rows of a group are written in one transaction, in state launching, with the token
// that the launch carries. Whatever happens then (reply lost, burstd killed), the next step repeats
// the launch with the same token, which the cloud answers with the same instances.
#include "node/provision.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/clouds.h"
#include "cloud/observed.h"
#include "job/jobflow.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "node/instance_call.h"
#include "node/preempt.h"
#include "node/purchase.h"
#include "node/stage.h"
#include "ssh/ssh_op.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

#define THROTTLE_TRIES 6
#define RETRY_MAX_MS 10000
#define TERMINATE_AGAIN_MS 10000
#define SURPLUS_S 30 // a ready instance without a job waits so long for another candidate
// A node that hears nothing of burstd and runs no job powers itself off after this. Long, because
// results that are not home go with it.
#define DEADMAN_S (6 * 3600)
#define GROUP_MAX 1024
#define CLOSED_MS 1000 // a job whose place was closed after the plan was made is planned again

static const char *market_name(bool spot)
{
    return spot ? "spot" : "on-demand";
}

// ---- launch

static void fill_row(struct burstd *b, struct instance *i, const struct bjob *j,
                     const struct placement *p, const char *group, unsigned k)
{
    const struct cloud_conf *c = conf_find_cloud(b->conf, p->cloud);

    snprintf(i->group, sizeof(i->group), "%s", group);
    snprintf(i->id, sizeof(i->id), "%.34s-%u", group, k % GROUP_MAX);
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

int provision_launch(struct burstd *b, struct bjob *j, const struct placement *p,
                     burst_error_t *errp)
{
    struct bjob old = *j;
    char group[48];
    uint32_t r;
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
    snprintf(group, sizeof(group), "%.24s-%08x", b->conf->cluster, r);
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
    snprintf(j->reason, sizeof(j->reason), "renting %u x %s %s at %s %s", p->nodes, p->itype,
             market_name(p->spot), p->cloud, p->zone[0] ? p->zone : p->region);
    if (store_put_job(b->store, j, errp) < 0)
        goto rollback;
    if (store_commit(b->store, errp) < 0)
        goto error;
    bjob_set(&old.node_names, "");
    for (unsigned k = 0; k < p->nodes; k++)
        instances_add(b->instances, rows[k]);
    free(rows);
    job_event(b, j, "%s", j->reason);
    provision_step(b); // the launch call leaves now, not at the next tick
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

struct launch_call {
    struct burstd *b;
    char group[48];
};

static unsigned members(struct burstd *b, const char *group, struct instance **out)
{
    unsigned n = 0;

    INSTANCES_EACH(b->instances, i)
    if (i->state == INST_LAUNCHING && strcmp(i->group, group) == 0 && n < GROUP_MAX)
        out[n++] = i;
    return n;
}

static void launched(struct burstd *b, struct instance **g, unsigned n,
                     const struct provider_result *r)
{
    for (unsigned k = 0; k < n; k++) {
        const struct provider_instance *p = NULL;
        for (size_t m = 0; m < r->n && !p; m++)
            if (strcmp(r->instances[m].tag_instance, g[k]->id) == 0)
                p = &r->instances[m];
        if (!p)
            p = &r->instances[k]; // a cloud that does not echo tags in its reply
        snprintf(g[k]->cloud_id, sizeof(g[k]->cloud_id), "%s", p->id);
        if (p->zone[0])
            snprintf(g[k]->zone, sizeof(g[k]->zone), "%s", p->zone);
        g[k]->launched = g[k]->charged_to = p->launched_at ? p->launched_at : clock_now_s();
        purchase_price(b, g[k], p);
        instance_state(b, g[k], INST_LAUNCHED, NULL);
        provision_seen(b, g[k], p);
    }
    struct bjob *j = jobs_find(b->jobs, g[0]->job);
    if (j)
        jobflow_attempt(b, j, g[0], "ok", "");
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
        observed_refused(b->observed, i->cloud, i->region, i->zone, i->itype, market_name(i->spot),
                         c->block_s, c->block_max_s, message);
        break;
    case PROVIDER_QUOTA: // counts per region and market at all clouds
        observed_refused(b->observed, i->cloud, i->region, "", i->itype, market_name(i->spot),
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

static void give_up_launch(struct burstd *b, struct instance **g, unsigned n,
                           enum provider_class error, const char *message)
{
    struct bjob *j = jobs_find(b->jobs, g[0]->job);
    struct instance first = *g[0];

    launch_refused(b, g[0], error, message);
    // One that an earlier reply named exists, though it could not be journaled then. Without a
    // clear answer it may: the listing tells.
    bool unclear = error == PROVIDER_TRANSIENT;
    for (unsigned k = 0; k < n; k++)
        instance_state(b, g[k], g[k]->cloud_id[0] || unclear ? INST_TERMINATING : INST_GONE,
                       "%s: %s", provider_class_name(error), message);
    if (j && strcmp(j->group, first.group) == 0) {
        jobflow_attempt(b, j, &first, provider_class_name(error), message);
        jobflow_capacity_failed(b, j, NULL, message);
    }
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
    bool late = clock_now_s() - g[0]->created > b->conf->launch_timeout_s;
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
static void step_launching(struct burstd *b, struct instance *i)
{
    if (!i->calling)
        launch(b, i);
}

// ---- from launched to ready

static void exists(struct burstd *b, struct instance *i, const struct provider_instance *p)
{
    snprintf(i->cloud_id, sizeof(i->cloud_id), "%s", p->id);
    i->launched = i->charged_to = p->launched_at ? p->launched_at : clock_now_s();
    purchase_price(b, i, p);
}

void provision_seen(struct burstd *b, struct instance *i, const struct provider_instance *p)
{
    bool changed = false;

    if (i->state == INST_TERMINATING && !i->cloud_id[0]) { // given up, and came true all the same
        exists(b, i, p);
        changed = true;
    }
    if (i->state == INST_LAUNCHING) { // the reply was lost, the listing tells
        exists(b, i, p);
        if (instance_state(b, i, INST_LAUNCHED, NULL) < 0)
            return;
        purchase_told(b, i);
        observed_granted(b->observed, i->cloud, i->region, i->zone, i->itype, i->spot);
    }
    if (p->address[0] && strcmp(i->address, p->address) != 0) {
        snprintf(i->address, sizeof(i->address), "%s", p->address);
        changed = true;
    }
    if (p->host_key[0] && !i->host_key[0]) {
        snprintf(i->host_key, sizeof(i->host_key), "%s", p->host_key);
        changed = true;
    }
    if (p->preempted && !(i->flags & INST_F_PREEMPTED)) {
        i->flags |= INST_F_PREEMPTED;
        changed = true;
    }
    if (changed)
        instance_save(b, i);
    // An address is enough: burst-ssh waits for the rest of the boot, and sees its end first.
    if (i->state == INST_LAUNCHED && p->state <= PROVIDER_RUNNING && i->address[0])
        instance_state(b, i, INST_UP, NULL);
    if (p->notice_at && i->state < INST_TERMINATING)
        preempt_notice(b, i, p->notice_at);
}

static void boot_failed(struct burstd *b, struct instance *i, const char *why)
{
    struct bjob *j = jobs_find(b->jobs, i->job);

    i->flags |= INST_F_BOOT_FAILED;
    observed_refused(b->observed, i->cloud, i->region, i->zone, i->itype, market_name(i->spot),
                     b->conf->block_s, b->conf->block_max_s, why);
    if (j && j->state == JOB_SECURING) {
        jobflow_attempt(b, j, i, "boot", why);
        jobflow_capacity_failed(b, j, NULL, why);
    }
    provision_terminate(b, i, why);
}

static void on_prepare_event(void *arg, const cJSON *msg)
{
    struct instance_call *call = arg;
    struct instance *i = instance_called(call);
    const char *key = json_str(msg, "host_key", NULL);

    if (!i || !key || strcmp(json_str(msg, "event", ""), "host_key") != 0)
        return;
    snprintf(i->host_key, sizeof(i->host_key), "%s", key);
    instance_save(call->b, i);
}

static void on_prepared(void *arg, bool ok, const char *errclass, const char *error,
                        const cJSON *last)
{
    struct instance_call *call = arg;
    struct burstd *b = call->b;
    struct instance *i = instance_ssh_done(call);

    free(call);
    if (!i)
        return;
    if (ok)
        instance_state(b, i, INST_READY, NULL);
    else
        boot_failed(b, i, error);
}

static cJSON *prepare_request(struct burstd *b, const struct instance *i)
{
    const struct cloud_conf *c = conf_find_cloud(b->conf, i->cloud);
    cJSON *r = ssh_request(b, i, "prepare");
    char host[256] = "controller";

    gethostname(host, sizeof(host) - 1);
    cJSON_DeleteItemFromObject(r, "timeout_s");
    json_add_i64(r, "timeout_s", b->conf->ssh_timeout_s);
    json_add_str(r, "munge_key_file", b->conf->munge_key);
    char *dir = xstrdup(b->conf->slurm_conf), *slash = strrchr(dir, '/');
    if (slash)
        *slash = '\0';
    json_add_str(r, "slurm_conf_dir", dir);
    json_add_str(r, "slurm_conf_on_node", dir);
    free(dir);
    cJSON *hosts = cJSON_AddArrayToObject(r, "hosts"), *h = cJSON_CreateObject();
    json_add_str(h, "address", b->conf->controller_address);
    json_add_str(h, "names", host);
    cJSON_AddItemToArray(hosts, h);
    cJSON *agent = cJSON_AddObjectToObject(r, "agent");
    json_add_str(agent, "controller", b->conf->listen);
    json_add_str(agent, "instance", i->id);
    json_add_str(agent, "metadata", c ? c->metadata : "none");
    json_add_i64(agent, "deadman_s", DEADMAN_S);
    return r;
}

static const struct ssh_op_callbacks prepare_callbacks = {.event = on_prepare_event,
                                                          .done = on_prepared};

static void step_up(struct burstd *b, struct instance *i)
{
    if (i->ssh || !ssh_slot(b))
        return;
    if (instance_ssh_start(b, i, prepare_request(b, i), &prepare_callbacks,
                           instance_call_create(b, i)) < 0)
        i->next_ms = clock_mono_ms() + 5000;
}

static void step_launched(struct burstd *b, struct instance *i)
{
    // Running without an address, or pending for ever: the same time-out as for SSH.
    if (clock_now_s() - i->launched > b->conf->ssh_timeout_s)
        boot_failed(b, i, "the cloud did not bring it up in time");
}

static bool has_job(struct burstd *b, const struct instance *i)
{
    const struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;

    return j && j->state >= JOB_SECURING && j->state <= JOB_STAGEOUT;
}

static void step_ready(struct burstd *b, struct instance *i)
{
    if (has_job(b, i))
        return; // jobflow places it
    if (i->job[0]) {
        i->job[0] = '\0';
        i->flags &= ~(unsigned)INST_F_STAGED_IN;
        i->idle_since = clock_now_s();
        instance_save(b, i);
    }
    if (clock_now_s() - (i->idle_since ? i->idle_since : i->since) >= SURPLUS_S)
        provision_terminate(b, i, "nobody needs it");
}

// ---- the end

void provision_terminate(struct burstd *b, struct instance *i, const char *reason)
{
    if (i->state >= INST_TERMINATING)
        return;
    if ((i->flags & INST_F_STAGE_OUT) && !(i->flags & INST_F_LOST))
        return; // results first; asked again when they are home
    if (i->state == INST_LAUNCHING)
        return; // its launch tells first what exists
    instance_ssh_cancel(b, i);
    instance_state(b, i, INST_TERMINATING, "%s", reason);
    b->poke(b);
}

void provision_release(struct burstd *b, const struct bjob *j, const char *reason)
{
    INSTANCES_EACH(b->instances, i)
    {
        if (strcmp(i->job, j->key) != 0 || (i->state > INST_BOUND && i->state != INST_IDLE))
            continue;
        if (i->state == INST_BOUND && (i->flags & INST_F_RESUMED))
            continue; // Slurm boots its node: it becomes idle there and goes with it
        if (i->state == INST_BOUND) {
            i->node[0] = '\0'; // if it cannot be journaled, bind_step() tries again
            instance_state(b, i, INST_READY, "%s", reason);
        }
        instance_ssh_cancel(b, i);
        if (i->flags & INST_F_BOOT_FAILED)
            provision_terminate(b, i, reason);
        if (i->state < INST_TERMINATING) {
            i->job[0] = '\0';
            i->flags &= ~(unsigned)INST_F_STAGED_IN;
            i->idle_since = clock_now_s();
            instance_save(b, i);
        }
    }
}

void provision_gone(struct burstd *b, struct instance *i, int64_t ended)
{
    i->ended = ended;
    observed_until(b->observed, i, ended);
    if (instance_state(b, i, INST_GONE, NULL) < 0)
        return;
    b->poke(b);
}

static void on_terminate(void *arg, const struct provider_result *r)
{
    struct instance_call *call = arg;
    struct burstd *b = call->b;
    struct instance *i = instance_called(call);
    struct cloud *c;

    free(call);
    if (!i)
        return;
    i->calling = false;
    c = clouds_find(b->clouds, i->cloud);
    i->next_ms = clock_mono_ms() + TERMINATE_AGAIN_MS;
    if (r->error == PROVIDER_OK || r->error == PROVIDER_NOT_FOUND) {
        if (r->n == 1 && r->instances[0].state == PROVIDER_TERMINATED && r->instances[0].ended_at) {
            provision_gone(b, i, r->instances[0].ended_at);
            return;
        }
        cloud_list_soon(c);
    } else {
        log_warn("instance %s: the end was not accepted (%s: %s); asking again", i->id,
                 provider_class_name(r->error), r->message);
    }
    b->poke(b);
}

static void step_terminating(struct burstd *b, struct instance *i)
{
    struct cloud *c = clouds_find(b->clouds, i->cloud);

    if (i->calling)
        return;
    if (!i->cloud_id[0]) { // its launch was given up without a clear answer
        if (!c)
            provision_gone(b, i, 0);
        return;
    }
    if (!c) {
        if (i->tries++ == 0)
            log_error("instance %s belongs to cloud %s, which is not configured any more: end it "
                      "there by hand (id %s) or put the cloud back into the configuration",
                      i->id, i->cloud, i->cloud_id);
        i->next_ms = clock_mono_ms() + 60000;
        return;
    }
    i->calling = true;
    c->ops->terminate(c->provider, i->cloud_id, i->region, on_terminate,
                      instance_call_create(b, i));
}

// ---- the table

static const struct {
    enum inst_state state;
    void (*action)(struct burstd *b, struct instance *i);
} actions[] = {
    {INST_LAUNCHING, step_launching}, {INST_LAUNCHED, step_launched},       {INST_UP, step_up},
    {INST_READY, step_ready},         {INST_TERMINATING, step_terminating},
};

void provision_step(struct burstd *b)
{
    int64_t now = clock_mono_ms();

    INSTANCES_EACH(b->instances, i)
    {
        if (now < i->next_ms)
            continue;
        for (size_t k = 0; k < sizeof(actions) / sizeof(actions[0]); k++)
            if (actions[k].state == i->state) {
                actions[k].action(b, i);
                break;
            }
    }
}
