// SPDX-License-Identifier: GPL-3.0-or-later
// See api_people.h.
#include "config.h"

#include "rpc/api_people.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/burstd.h"
#include "base/conf.h"
#include "cloud/clouds.h"
#include "cloud/observed.h"
#include "libburst/json.h"
#include "money/ledger.h"
#include "node/orphan.h"
#include "plan/planner.h"
#include "rpc/api_bounds.h"
#include "rpc/api_rows.h"
#include "rpc/api_trouble.h"
#include "slurm/publish.h"
#include "slurm/slurm_link.h"
#include "slurm/spool.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

#define RECENT 200 // ended jobs and instances shown with --all

void people_ping(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "version", PACKAGE_VERSION);
    json_add_i64(o, "pid", getpid());
    json_add_i64(o, "started", b->started);
    json_add_str(o, "cluster", b->conf->cluster);
    rpc_reply(req, o);
}

static void count(cJSON *o, const char *key)
{
    cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    if (v)
        cJSON_SetNumberValue(v, v->valuedouble + 1);
    else
        json_add_i64(o, key, 1);
}

static money_t rate(struct burstd *b, const char *cloud, unsigned *nodes)
{
    money_t sum = 0;

    *nodes = 0;
    INSTANCES_EACH(b->instances, i)
    {
        if ((cloud && strcmp(i->cloud, cloud) != 0) || i->state == INST_GONE)
            continue;
        (*nodes)++;
        if (i->price != MONEY_UNKNOWN)
            sum += i->price;
    }
    return sum;
}

static void cloud_rows(struct burstd *b, cJSON *list)
{
    struct cloud *c;

    for (unsigned k = 0; (c = clouds_at(b->clouds, k)); k++) {
        cJSON *o = cJSON_CreateObject();
        unsigned nodes;
        money_t per_hour = rate(b, c->conf->name, &nodes);
        json_add_str(o, "cloud", c->conf->name);
        json_add_str(o, "provider", c->conf->provider);
        cJSON_AddBoolToObject(o, "ok", cloud_usable(c) && c->listed_once);
        json_add_str(o, "message",
                     c->message[0]    ? c->message
                     : c->listed_once ? ""
                                      : "not reached yet");
        json_add_i64(o, "nodes", nodes);
        json_add_money(o, "spend_today_uusd", ledger_today(b, c->conf->name));
        json_add_money(o, "cap_day_uusd",
                       c->conf->max_per_day == CONF_NO_CAP ? MONEY_UNKNOWN : c->conf->max_per_day);
        json_add_money(o, "rate_uusd_per_hour", per_hour);
        cJSON_AddItemToArray(list, o);
    }
}

static void add_observed(struct burstd *b, cJSON *status)
{
    cJSON *o = observed_json(b->observed);

    while (o->child) {
        cJSON *part = cJSON_DetachItemViaPointer(o, o->child);
        cJSON_AddItemToObject(status, part->string, part);
    }
    cJSON_Delete(o);
}

static void add_planner(struct burstd *b, cJSON *o)
{
    const struct planner_stats *p = planner_stats(b->planner);

    json_add_i64(o, "requests", (int64_t)p->requests);
    json_add_i64(o, "last_us", (int64_t)p->last_us);
    json_add_i64(o, "worst_us", (int64_t)p->worst_us);
    json_add_i64(o, "last_tasks", p->last_tasks);
}

void people_status(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    cJSON *o = cJSON_CreateObject(), *s, *jobs, *insts;
    unsigned nodes;

    json_add_str(o, "cluster", b->conf->cluster);
    json_add_str(o, "version", PACKAGE_VERSION);
    json_add_i64(o, "started", b->started);
    s = cJSON_AddObjectToObject(o, "slurm");
    cJSON_AddBoolToObject(s, "connected", slurm_link_ready(b->slurm));
    cJSON_AddBoolToObject(s, "published", published(b->publisher));
    json_add_i64(s, "last_update", slurm_link_last_update(b->slurm));
    jobs = cJSON_AddObjectToObject(o, "jobs");
    JOBS_EACH(b->jobs, j)
    count(jobs, row_job_word(j));
    insts = cJSON_AddObjectToObject(o, "instances");
    INSTANCES_EACH(b->instances, i)
    count(insts, inst_state_name(i->state));
    cloud_rows(b, cJSON_AddArrayToObject(o, "clouds"));
    json_add_i64(o, "spool", spool_waiting(b->spool));
    add_observed(b, o);
    cJSON_AddItemToObject(o, "bounds", bounds_seen(b, req));
    cJSON_AddItemToObject(o, "strangers", strangers_json());
    cJSON_AddItemToObject(o, "trouble", trouble_rows(b));
    add_planner(b, cJSON_AddObjectToObject(o, "planner"));
    json_add_money(o, "spend_today_uusd", ledger_today(b, NULL));
    json_add_money(o, "cap_day_uusd",
                   b->conf->max_per_day == CONF_NO_CAP ? MONEY_UNKNOWN : b->conf->max_per_day);
    json_add_money(o, "rate_uusd_per_hour", rate(b, NULL, &nodes));
    rpc_reply(req, o);
}

struct collect {
    struct burstd *b;
    struct rpc_request *req;
    cJSON *list;
    bool failed; // only instances that did
};

static void add_old_job(void *arg, struct bjob *j)
{
    struct collect *c = arg;

    if (rpc_may_see(c->req, j->uid) && !jobs_find(c->b->jobs, j->key))
        cJSON_AddItemToArray(c->list, row_of_job(c->b, j));
    bjob_destroy(j);
}

static void add_instance(struct collect *c, const struct instance *i)
{
    if (!c->failed || i->failure.cls)
        cJSON_AddItemToArray(c->list, row_of_instance(c->b, c->req, i));
}

static void add_old_instance(void *arg, struct instance *i)
{
    struct collect *c = arg;

    if (!instances_find(c->b->instances, i->id))
        add_instance(c, i);
    free(i);
}

void people_jobs(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const char *only = json_str(rpc_params(req), "job", NULL);
    struct collect c = {b, req, cJSON_CreateArray(), false};

    JOBS_EACH(b->jobs, j)
    if (rpc_may_see(req, j->uid) && (!only || strcmp(only, j->key) == 0))
        cJSON_AddItemToArray(c.list, row_of_job(b, j));
    if (only && cJSON_GetArraySize(c.list) == 0) {
        struct bjob *old = store_find_job(b->store, only);
        if (old)
            add_old_job(&c, old);
    } else if (!only && json_bool(rpc_params(req), "all", false)) {
        store_recent(b->store, RECENT, NULL, add_old_job, &c);
    }
    rpc_reply(req, c.list);
}

void people_nodes(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    struct collect c = {b, req, cJSON_CreateArray(), json_bool(rpc_params(req), "failed", false)};

    INSTANCES_EACH(b->instances, i)
    add_instance(&c, i);
    if (c.failed || json_bool(rpc_params(req), "all", false))
        store_recent(b->store, RECENT, add_old_instance, NULL, &c);
    rpc_reply(req, c.list);
}

void people_cost(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const cJSON *p = rpc_params(req);
    const char *by = json_str(p, "by", "cloud");
    const char *user = rpc_is_operator(req) ? NULL : rpc_user(req);

    if (user && !*user)
        user = "\x01"; // an account without a name owns no charge
    ledger_settle(b);  // so that the rows include what runs now, but for the last seconds
    cJSON *rows = store_cost(b->store, by, json_i64(p, "start", 0),
                             json_i64(p, "end", INT64_C(1) << 40), user);
    if (!rows) {
        rpc_fail(req, "invalid",
                 "cannot sum by \"%s\": cloud, partition, user, account, job or market", by);
        return;
    }
    cJSON *o = cJSON_CreateObject(), *row;
    money_t total = 0;
    cJSON_ArrayForEach(row, rows) total += json_i64(row, "total_uusd", 0);
    cJSON_AddItemToObject(o, "rows", rows);
    json_add_money(o, "total_uusd", total);
    rpc_reply(req, o);
}
