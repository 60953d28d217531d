// SPDX-License-Identifier: GPL-3.0-or-later
// See api_rows.h.
#include "rpc/api_rows.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "slurm_plugin/directive.h"
#include "state/jobs.h"

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
const char *row_job_word(const struct bjob *j)
{
    return j->state == JOB_CANDIDATE && j->stays ? "staying" : job_state_name(j->state);
}

cJSON *row_of_job(const struct bjob *j, money_t cost)
{
    cJSON *o = cJSON_CreateObject();
    struct directive d;
    bool parsed = directive_from_mark(j->mark, &d) == 0;
    // Of a job that waits the fields still have the place that did not work out.
    bool placed = j->state >= JOB_SECURING;

    json_add_str(o, "job", j->key);
    json_add_i64(o, "job_id", j->job_id);
    json_add_str(o, "name", j->name);
    json_add_str(o, "user", j->user);
    json_add_i64(o, "uid", j->uid);
    json_add_str(o, "account", j->account);
    add_unless_empty(o, "partition", j->partition);
    json_add_str(o, "origin", j->origin);
    json_add_str(o, "state", row_job_word(j));
    json_add_str(o, "reason", j->reason);
    json_add_i64(o, "submit", j->submit);
    json_add_i64(o, "since", j->since);
    json_add_i64(o, "started", j->started);
    json_add_i64(o, "ended", j->ended);
    add_unless_empty(o, "cloud", placed ? j->cloud : "");
    add_unless_empty(o, "region", placed ? j->region : "");
    add_unless_empty(o, "zone", placed ? j->zone : "");
    add_unless_empty(o, "instance_type", placed ? j->itype : "");
    json_add_str(o, "market", placed && j->cloud[0] ? (j->spot ? "spot" : "on-demand") : NULL);
    names_array(o, "nodes", j->node_names);
    json_add_money(o, "price_uusd_per_hour", placed ? j->price : 0);
    json_add_money(o, "cost_uusd", cost);
    json_add_money(o, "max_cost_uusd", parsed && d.max_cost > 0 ? d.max_cost : MONEY_UNKNOWN);
    json_add_i64(o, "deadline", j->deadline);
    json_add_i64(o, "restarts", j->restarts);
    json_add_str(o, "mode", parsed && d.mode == DIRECTIVE_ONLY ? "only" : "auto");
    add_unless_empty(o, "shape", j->shape);
    add_unless_empty(o, "history", j->history);
    return o;
}

cJSON *row_of_slurm_job(const struct sjob *s, const char *reason)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "job", s->job);
    json_add_i64(o, "job_id", s->job_id);
    json_add_str(o, "name", s->name);
    json_add_str(o, "user", s->user);
    json_add_i64(o, "uid", s->uid);
    json_add_str(o, "account", s->account);
    json_add_str(o, "partition", s->partition);
    json_add_str(o, "origin", s->partition);
    json_add_str(o, "state", "unmarked");
    json_add_str(o, "slurm_state", s->state_name);
    json_add_str(o, "slurm_reason", s->reason);
    json_add_str(o, "reason", reason);
    json_add_i64(o, "submit", s->submit);
    json_add_i64(o, "started", s->state == SJOB_PENDING ? 0 : s->start);
    json_add_i64(o, "ended", s->state == SJOB_ENDED ? s->end : 0);
    json_add_str(o, "node_list", s->nodes);
    names_array(o, "nodes", "");
    json_add_money(o, "cost_uusd", 0);
    json_add_i64(o, "restarts", s->restarts);
    return o;
}

cJSON *row_of_instance(struct burstd *b, struct rpc_request *req, const struct instance *i,
                       money_t cost)
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
    json_add_money(o, "cost_uusd", cost);
    json_add_i64(o, "launched", i->launched);
    json_add_i64(o, "ended", i->ended);
    json_add_i64(o, "idle_since", i->idle_since);
    json_add_i64(o, "notice_at", i->notice_at);
    json_add_str(o, "reason", i->reason);
    json_add_str(o, "failure", i->failure.cls ? failure_class_name(i->failure.cls) : NULL);
    return o;
}
