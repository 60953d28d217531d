// SPDX-License-Identifier: GPL-3.0-or-later
// A simulated optimizer behind solver.h: three clouds with one type of node each, cheapest first.
#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "solver.h"
#include "world.h"

static const struct {
    const char *cloud;
    money_t spot, on_demand;
} prices[] = {{"c1", 100003, 300007}, {"c2", 150001, 400009}, {"c3", 200017, 500021}};

money_t sim_price(const char *cloud, bool spot);

money_t sim_price(const char *cloud, bool spot)
{
    for (size_t k = 0; k < 3; k++)
        if (strcmp(prices[k].cloud, cloud) == 0)
            return spot ? prices[k].spot : prices[k].on_demand;
    return MONEY_UNKNOWN;
}

struct question {
    cJSON *request;
    solver_cb cb;
    void *arg;
};

static bool has(const cJSON *list, const char *name)
{
    const cJSON *e;

    cJSON_ArrayForEach(e, list) if (strcmp(e->valuestring, name) == 0) return true;
    return false;
}

static bool is_blocked(const cJSON *request, const char *cloud, bool spot)
{
    const cJSON *e;

    cJSON_ArrayForEach(e, cJSON_GetObjectItem(request, "blocked"))
    {
        const char *market = json_str(e, "market", NULL);
        if (strcmp(json_str(e, "cloud", ""), cloud) == 0 &&
            (!market || strcmp(market, spot ? "spot" : "on-demand") == 0))
            return true;
    }
    return false;
}

static bool plan(const cJSON *request, const cJSON *task, cJSON *tasks)
{
    int best = -1;
    bool best_spot = false;
    money_t least = 0;

    for (int k = 0; k < 3; k++)
        for (int spot = 0; spot < 2; spot++) {
            money_t p = spot ? prices[k].spot : prices[k].on_demand;
            if (has(cJSON_GetObjectItem(task, "clouds"), prices[k].cloud) &&
                !is_blocked(request, prices[k].cloud, spot) && (best < 0 || p < least)) {
                best = k;
                best_spot = spot;
                least = p;
            }
        }
    if (best < 0)
        return false;
    cJSON *t = cJSON_CreateObject();
    json_add_str(t, "name", json_str(task, "name", ""));
    json_add_str(t, "cloud", prices[best].cloud);
    json_add_str(t, "region", "r1");
    json_add_str(t, "zone", "r1-a");
    json_add_str(t, "instance_type", "m1");
    json_add_str(t, "market", best_spot ? "spot" : "on-demand");
    json_add_i64(t, "nodes", json_i64(task, "nodes", 1));
    json_add_money(t, "price_uusd_per_hour", least);
    cJSON_AddNumberToObject(t, "compute_usd", 0.1);
    cJSON_AddNumberToObject(t, "transfer_in_usd", (double)EGRESS / 1e6);
    cJSON_AddItemToArray(tasks, t);
    return true;
}

static void free_question(void *arg)
{
    cJSON_Delete(((struct question *)arg)->request);
    free(arg);
}

static void reply(void *arg)
{
    struct question *q = arg;
    cJSON *a = cJSON_CreateObject(), *tasks = cJSON_AddArrayToObject(a, "tasks");
    const cJSON *t;
    bool all = true;

    cJSON_ArrayForEach(t, cJSON_GetObjectItem(q->request, "tasks")) all =
        plan(q->request, t, tasks) && all;
    json_add_str(a, "status", all ? "optimal" : "infeasible");
    q->cb(q->arg, a, NULL);
    cJSON_Delete(a);
    free_question(q);
}

void solver_ask(struct solver *s, cJSON *request, solver_cb cb, void *arg)
{
    struct question *q = xmalloc(sizeof(*q));

    q->request = request;
    q->cb = cb;
    q->arg = arg;
    after(2, reply, free_question, q, true);
}
