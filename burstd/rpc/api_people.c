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

// How many there are in each state, under the state's word; what is in none is not named.
static void add_job_counts(struct burstd *b, cJSON *o)
{
    unsigned n[JOB_REFUSED + 1] = {0}, staying = 0;

    JOBS_EACH(b->jobs, j)
    if (j->state == JOB_CANDIDATE && j->stays)
        staying++;
    else
        n[j->state]++;
    for (int k = 0; k <= JOB_REFUSED; k++) {
        if (n[k])
            json_add_i64(o, job_state_name((enum job_state)k), n[k]);
        if (k == JOB_CANDIDATE && staying)
            json_add_i64(o, "staying", staying);
    }
}

static void add_instance_counts(struct burstd *b, cJSON *o)
{
    unsigned n[INST_GONE + 1] = {0};

    INSTANCES_EACH(b->instances, i)
    n[i->state]++;
    for (int k = 0; k <= INST_GONE; k++)
        if (n[k])
            json_add_i64(o, inst_state_name((enum inst_state)k), n[k]);
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
    cJSON *o = cJSON_CreateObject(), *s;
    unsigned nodes;

    json_add_str(o, "cluster", b->conf->cluster);
    json_add_str(o, "version", PACKAGE_VERSION);
    json_add_i64(o, "started", b->started);
    s = cJSON_AddObjectToObject(o, "slurm");
    cJSON_AddBoolToObject(s, "connected", slurm_link_ready(b->slurm));
    cJSON_AddBoolToObject(s, "published", published(b->publisher));
    json_add_i64(s, "last_update", slurm_link_last_update(b->slurm));
    add_job_counts(b, cJSON_AddObjectToObject(o, "jobs"));
    add_instance_counts(b, cJSON_AddObjectToObject(o, "instances"));
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

void people_results(void *arg, struct rpc_request *req)
{
    const struct burstd *b = arg;
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "dir", b->conf->results_dir);
    rpc_reply(req, o);
}
