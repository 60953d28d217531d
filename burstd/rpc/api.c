// SPDX-License-Identifier: GPL-3.0-or-later
// See api.h. Everybody may ask; others' jobs, and what changes things, are for operators.
#include "config.h"

#include "rpc/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/clouds.h"
#include "cloud/observed.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/ledger.h"
#include "node/end.h"
#include "node/stage.h"
#include "plan/planner.h"
#include "rpc/ready.h"
#include "rpc/rpc_server.h"
#include "slurm/publish.h"
#include "slurm/slurm_link.h"
#include "slurm/spool.h"
#include "slurm_plugin/directive.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

#define RECENT 200 // ended jobs and instances shown with --all

// ---- rows

static void names_array(cJSON *o, const char *key, const char *commas)
{
    cJSON *a = cJSON_AddArrayToObject(o, key);

    for (const char *p = commas; *p;) {
        size_t len = strcspn(p, ",");
        char *name = xasprintf("%.*s", (int)len, p);
        cJSON_AddItemToArray(a, cJSON_CreateString(name));
        free(name);
        p += len + (p[len] == ',');
    }
}

static void add_unless_empty(cJSON *o, const char *key, const char *value)
{
    json_add_str(o, key, *value ? value : NULL);
}

// People want to know whether a candidate is to go or may stay.
static const char *job_word(const struct bjob *j)
{
    return j->state == JOB_CANDIDATE && j->stays ? "staying" : job_state_name(j->state);
}

static cJSON *job_json(struct burstd *b, const struct bjob *j)
{
    cJSON *o = cJSON_CreateObject();
    struct directive d;
    bool parsed = directive_from_mark(j->mark, &d) == 0;

    json_add_str(o, "job", j->key);
    json_add_i64(o, "job_id", j->job_id);
    json_add_str(o, "name", j->name);
    json_add_str(o, "user", j->user);
    json_add_i64(o, "uid", j->uid);
    json_add_str(o, "account", j->account);
    add_unless_empty(o, "partition", j->partition);
    json_add_str(o, "origin", j->origin);
    json_add_str(o, "state", job_word(j));
    json_add_str(o, "reason", j->reason);
    json_add_i64(o, "submit", j->submit);
    json_add_i64(o, "since", j->since);
    json_add_i64(o, "started", j->started);
    json_add_i64(o, "ended", j->ended);
    add_unless_empty(o, "cloud", j->cloud);
    add_unless_empty(o, "region", j->region);
    add_unless_empty(o, "zone", j->zone);
    add_unless_empty(o, "instance_type", j->itype);
    json_add_str(o, "market", j->cloud[0] ? (j->spot ? "spot" : "on-demand") : NULL);
    names_array(o, "nodes", j->node_names);
    json_add_money(o, "price_uusd_per_hour", j->price);
    json_add_money(o, "cost_uusd", ledger_job_cost(b, j));
    json_add_money(o, "max_cost_uusd", parsed && d.max_cost > 0 ? d.max_cost : MONEY_UNKNOWN);
    json_add_i64(o, "deadline", j->deadline);
    json_add_i64(o, "restarts", j->restarts);
    json_add_str(o, "mode", parsed && d.mode == DIRECTIVE_ONLY ? "only" : "auto");
    add_unless_empty(o, "shape", j->shape);
    add_unless_empty(o, "history", j->history);
    return o;
}

static cJSON *instance_json(struct burstd *b, struct rpc_request *req, const struct instance *i)
{
    cJSON *o = cJSON_CreateObject();
    struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;
    bool name_job = i->job[0] && (rpc_is_operator(req) || (j && rpc_uid(req) == j->uid));

    add_unless_empty(o, "node", i->node);
    json_add_str(o, "instance", i->id);
    add_unless_empty(o, "cloud_id", i->cloud_id);
    json_add_str(o, "cloud", i->cloud);
    json_add_str(o, "region", i->region);
    add_unless_empty(o, "zone", i->zone);
    json_add_str(o, "instance_type", i->itype);
    json_add_str(o, "market", i->spot ? "spot" : "on-demand");
    json_add_str(o, "state", inst_state_name(i->state));
    json_add_str(o, "job", name_job ? i->job : NULL);
    json_add_str(o, "shape", i->shape);
    add_unless_empty(o, "address", i->address);
    json_add_money(o, "price_uusd_per_hour", i->price);
    json_add_money(o, "cost_uusd", ledger_instance_cost(b, i));
    json_add_i64(o, "launched", i->launched);
    json_add_i64(o, "ended", i->ended);
    json_add_i64(o, "idle_since", i->idle_since);
    json_add_i64(o, "notice_at", i->notice_at);
    json_add_str(o, "reason", i->reason);
    return o;
}

// ---- methods for everybody

static void m_ping(void *arg, struct rpc_request *req)
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

static void m_status(void *arg, struct rpc_request *req)
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
    count(jobs, job_word(j));
    insts = cJSON_AddObjectToObject(o, "instances");
    INSTANCES_EACH(b->instances, i)
    count(insts, inst_state_name(i->state));
    cloud_rows(b, cJSON_AddArrayToObject(o, "clouds"));
    json_add_i64(o, "spool", spool_waiting(b->spool));
    add_observed(b, o);
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
};

static void add_old_job(void *arg, struct bjob *j)
{
    struct collect *c = arg;

    if (rpc_may_see(c->req, j->uid) && !jobs_find(c->b->jobs, j->key))
        cJSON_AddItemToArray(c->list, job_json(c->b, j));
    bjob_destroy(j);
}

static void add_old_instance(void *arg, struct instance *i)
{
    struct collect *c = arg;

    if (!instances_find(c->b->instances, i->id))
        cJSON_AddItemToArray(c->list, instance_json(c->b, c->req, i));
    free(i);
}

static void m_jobs(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const char *only = json_str(rpc_params(req), "job", NULL);
    struct collect c = {b, req, cJSON_CreateArray()};

    JOBS_EACH(b->jobs, j)
    if (rpc_may_see(req, j->uid) && (!only || strcmp(only, j->key) == 0))
        cJSON_AddItemToArray(c.list, job_json(b, j));
    if (only && cJSON_GetArraySize(c.list) == 0) {
        struct bjob *old = store_find_job(b->store, only);
        if (old)
            add_old_job(&c, old);
    } else if (!only && json_bool(rpc_params(req), "all", false)) {
        store_recent(b->store, RECENT, NULL, add_old_job, &c);
    }
    rpc_reply(req, c.list);
}

static void m_nodes(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    struct collect c = {b, req, cJSON_CreateArray()};

    INSTANCES_EACH(b->instances, i)
    cJSON_AddItemToArray(c.list, instance_json(b, req, i));
    if (json_bool(rpc_params(req), "all", false))
        store_recent(b->store, RECENT, add_old_instance, NULL, &c);
    rpc_reply(req, c.list);
}

static void m_why(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const char *key = json_str(rpc_params(req), "job", "");
    struct bjob *live = jobs_find(b->jobs, key), *old = NULL, *j = live;

    if (!j && strspn(key, "0123456789") == strlen(key) && *key)
        j = jobs_by_id(b->jobs, (uint32_t)strtoul(key, NULL, 10));
    if (!j)
        j = old = store_find_job(b->store, key);
    if (!j || !rpc_may_see(req, j->uid)) {
        rpc_fail(req, j ? "denied" : "not_found",
                 j ? "job %s belongs to somebody else"
                   : "burstd knows no job %s: it bears no mark of "
                     "the submit plugin (not eligible, --burst=never, or submitted before burstd "
                     "was installed)",
                 key);
        bjob_destroy(old);
        return;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddItemToObject(o, "job", job_json(b, j));
    cJSON_AddItemToObject(o, "decisions", store_story(b->store, j->key, "decision", 50));
    cJSON_AddItemToObject(o, "attempts", store_story(b->store, j->key, "attempt", 100));
    cJSON_AddItemToObject(o, "events", store_story(b->store, j->key, "event", 200));
    rpc_reply(req, o);
    bjob_destroy(old);
}

static void m_cost(void *arg, struct rpc_request *req)
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

// ---- methods for operators

static void drain_one(struct burstd *b, struct instance *i, bool undo, cJSON *names)
{
    cJSON *cmd = cJSON_CreateObject();

    if (undo)
        i->flags &= ~(unsigned)INST_F_OPDRAIN;
    else
        i->flags |= INST_F_OPDRAIN;
    instance_save(b, i);
    cJSON_AddItemToArray(names, cJSON_CreateString(i->node[0] ? i->node : i->id));
    if (!i->node[0]) {
        cJSON_Delete(cmd);
        return;
    }
    json_add_str(cmd, "op", "update_node");
    json_add_str(cmd, "nodes", i->node);
    json_add_str(cmd, "state", undo ? "resume" : "drain");
    json_add_str(cmd, "reason", "burst: drained by an operator");
    slurm_link_command(b->slurm, cmd, NULL, NULL);
}

static void m_drain(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const char *node = json_str(rpc_params(req), "node", NULL);
    const char *cloud = json_str(rpc_params(req), "cloud", NULL);
    bool undo = json_bool(rpc_params(req), "undo", false);
    cJSON *o = cJSON_CreateObject(), *names = cJSON_AddArrayToObject(o, "drained");

    INSTANCES_EACH(b->instances, i)
    if (i->state < INST_TERMINATING &&
        ((node && (strcmp(i->node, node) == 0 || strcmp(i->id, node) == 0)) ||
         (cloud && strcmp(i->cloud, cloud) == 0)))
        drain_one(b, i, undo, names);
    if (cJSON_GetArraySize(names) == 0 && !(cloud && conf_find_cloud(b->conf, cloud))) {
        rpc_fail(req, "not_found", "no rented node of that name (see burst nodes)");
        cJSON_Delete(o);
        return;
    }
    rpc_reply(req, o);
    b->poke(b);
}

static void m_terminate(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const char *node = json_str(rpc_params(req), "node", NULL);
    const char *id = json_str(rpc_params(req), "instance", NULL);
    bool force = json_bool(rpc_params(req), "force", false);
    cJSON *o, *ids;
    struct instance *i = NULL;

    INSTANCES_EACH(b->instances, k)
    if ((node && k->node[0] && strcmp(k->node, node) == 0) || (id && strcmp(k->id, id) == 0))
        i = k;
    if (i && i->state == INST_LAUNCHING) {
        rpc_fail(req, "busy", "%s is being launched; ask again when the cloud has answered", i->id);
        return;
    }
    if (!i || i->state >= INST_TERMINATING) {
        rpc_fail(req, "not_found", "no rented node or instance of that name (see burst nodes)");
        return;
    }
    if (!force && (i->job[0] || (i->flags & INST_F_STAGE_OUT))) {
        rpc_fail(req, "busy",
                 "%s serves job %s; say --force to end it all the same (results that "
                 "are not home are lost then)",
                 i->node[0] ? i->node : i->id, i->job);
        return;
    }
    struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;
    if (j && (i->flags & INST_F_STAGE_OUT)) {
        job_event(b, j, "an operator ended node %s with what was written there", i->node);
        stage_missed(b, j);
    }
    i->flags &= ~(unsigned)INST_F_STAGE_OUT;
    instance_end(b, i, "ended by an operator");
    o = cJSON_CreateObject();
    ids = cJSON_AddArrayToObject(o, "terminating");
    cJSON_AddItemToArray(ids, cJSON_CreateString(i->id));
    rpc_reply(req, o);
}

static void m_giveup(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    struct bjob *j = jobs_find(b->jobs, json_str(rpc_params(req), "job", ""));

    if (!j || j->state != JOB_STAGEOUT) {
        rpc_fail(req, "not_found", "no job of that number waits for its results");
        return;
    }
    stage_giveup(b, j, "an operator");
    rpc_reply(req, cJSON_CreateObject());
}

static void m_reload(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    char *errors = NULL;

    if (b->reload(b, &errors) < 0) {
        rpc_fail(req, "invalid", "%s", errors);
        free(errors);
        return;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddBoolToObject(o, "reloaded", true);
    rpc_reply(req, o);
}

static void m_job_ready(void *arg, struct rpc_request *req)
{
    ready_job_ready(arg, req);
}

static void m_job_done(void *arg, struct rpc_request *req)
{
    ready_job_done(arg, req);
}

static const struct rpc_method methods[] = {
    {"ping", m_ping, false},
    {"status", m_status, false},
    {"jobs", m_jobs, false},
    {"nodes", m_nodes, false},
    {"why", m_why, false},
    {"cost", m_cost, false},
    {"drain", m_drain, true},
    {"terminate", m_terminate, true},
    {"giveup", m_giveup, true},
    {"reload", m_reload, true},
    {"job_ready", m_job_ready, true},
    {"job_done", m_job_done, true},
    {NULL, NULL, false},
};

int api_start(struct burstd *b, burst_error_t *errp)
{
    char *path = xasprintf("%s/burstd.sock", b->conf->run_dir);

    b->rpc = rpc_server_create(b->loop, path, methods, b->conf, b, errp);
    free(path);
    return b->rpc ? 0 : -1;
}
