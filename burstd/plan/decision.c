// SPDX-License-Identifier: GPL-3.0-or-later
// See decision.h.
#include "plan/decision.h"

#include <string.h>

#include "libburst/json.h"
#include "plan/plan_request.h"
#include "state/store.h"

static money_t dollars(const cJSON *t, const char *key)
{
    money_t m;

    return money_from_double(json_dbl(t, key, 0), &m, NULL) == 0 ? m : 0;
}

static bool is_local(const cJSON *t)
{
    return strcmp(json_str(t, "alternative", ""), PLAN_LOCAL) == 0;
}

static money_t transfer(const cJSON *t)
{
    return dollars(t, "transfer_in_usd") + dollars(t, "transfer_out_usd");
}

money_t decision_total(const cJSON *t)
{
    return dollars(t, "compute_usd") + dollars(t, "fixed_usd") + dollars(t, "restart_usd") +
           transfer(t);
}

static cJSON *place_json(const cJSON *t)
{
    static const char *const names[] = {"cloud", "region", "zone", "instance_type", "market"};
    const char *alternative = json_str(t, "alternative", NULL);
    bool local = is_local(t);
    cJSON *o = cJSON_CreateObject();

    if (alternative)
        json_add_str(o, "alternative", local ? PLAN_LOCAL : "idle");
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]) && !local; k++)
        json_add_str(o, names[k], json_str(t, names[k], NULL));
    json_add_i64(o, "nodes", json_i64(t, "nodes", 1));
    cJSON_AddNumberToObject(o, "hours", json_dbl(t, "hours", 0));
    json_add_money(o, "compute_uusd", dollars(t, "compute_usd"));
    json_add_money(o, "restart_uusd", dollars(t, "restart_usd"));
    json_add_money(o, "transfer_uusd", transfer(t));
    if (local)
        json_add_money(o, "waiting_uusd", dollars(t, "fixed_usd"));
    json_add_money(o, "total_uusd", decision_total(t));
    return o;
}

static cJSON *runner_up_json(const cJSON *r, money_t best)
{
    cJSON *p = place_json(r);
    const char *why = json_str(r, "why", "");

    json_add_money(p, "more_uusd", decision_total(r) - best);
    // "$0.07 more" only repeats more_uusd.
    json_add_str(p, "why", *why && *why != '$' ? why : NULL);
    return p;
}

static cJSON *waiting_json(money_t waiting, money_t best)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "alternative", PLAN_LOCAL);
    json_add_money(o, "waiting_uusd", waiting);
    json_add_money(o, "total_uusd", waiting);
    json_add_money(o, "more_uusd", waiting - best);
    return o;
}

void decision_record(struct burstd *b, const struct bjob *j, const cJSON *t, money_t waiting,
                     const char *reason)
{
    cJSON *o = cJSON_CreateObject(), *list;
    bool told = waiting == MONEY_UNKNOWN || is_local(t);
    const cJSON *r;

    json_add_str(o, "objective", "cost");
    cJSON_AddItemToObject(o, "chosen", place_json(t));
    list = cJSON_AddArrayToObject(o, "runners_up");
    cJSON_ArrayForEach(r, cJSON_GetObjectItemCaseSensitive(t, "runners_up"))
    {
        told = told || is_local(r);
        if (strcmp(json_str(r, "alternative", ""), PLAN_LATER) != 0)
            cJSON_AddItemToArray(list, runner_up_json(r, decision_total(t)));
    }
    if (!told)
        cJSON_AddItemToArray(list, waiting_json(waiting, decision_total(t)));
    json_add_str(o, "reason", reason);
    store_add_decision(b->store, j->key, o);
    cJSON_Delete(o);
}
