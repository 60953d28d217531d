// SPDX-License-Identifier: GPL-3.0-or-later
// Tasks of a plan request: what instance would do, where, and which data it needs.
#include "optimizer/request_task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"
#include "optimizer/field.h"
#include "optimizer/request_parts.h"

#define HOURS_MAX 1e6
#define NODES_MAX 1e6

static int get_hours(const cJSON *o, const struct field_path *up, double *out, burst_error_t *errp)
{
    static const char *const keys[] = {"total_tflop", "tflops", NULL};
    struct field_path w = {.up = up, .key = "hours"};
    const cJSON *v = field_item(o, "hours");
    double total, rate;

    if (!cJSON_IsObject(v))
        return field_number(o, up, "hours", 0, HOURS_MAX, 1, out, errp);
    if (field_keys(v, &w, keys, errp) < 0 ||
        field_number(v, &w, "total_tflop", 0, 1e30, -1, &total, errp) < 0 ||
        field_number(v, &w, "tflops", 1e-9, 1e18, -1, &rate, errp) < 0)
        return -1;
    if (total < 0 || rate < 0)
        return field_fail(errp, &w, total < 0 ? "total_tflop" : "tflops", "is missing");
    *out = total / rate / 3600;
    if (!(*out <= HOURS_MAX))
        return field_fail(errp, &w, NULL, "comes to %g hours; at most %g are accepted", *out,
                          HOURS_MAX);
    return 0;
}

static int get_nodes(const cJSON *o, const struct field_path *up, uint32_t dflt, uint32_t *out,
                     burst_error_t *errp)
{
    double nodes;

    if (field_number(o, up, "nodes", 1, NODES_MAX, dflt, &nodes, errp) < 0)
        return -1;
    if (nodes != floor(nodes))
        return field_fail(errp, up, "nodes", "must be a whole number, is %g", nodes);
    *out = (uint32_t)nodes;
    return 0;
}

static int get_need(const cJSON *o, const struct field_path *up, uint32_t nodes,
                    struct rq_need *out, burst_error_t *errp)
{
    static const char *const keys[] = {"accelerator", "count", "vcpus",  "memory_gib",
                                       "hours",       "nodes", "clouds", NULL};

    if (field_keys(o, up, keys, errp) < 0 || field_list(o, up, "clouds", &out->clouds, errp) < 0 ||
        field_text(o, up, "accelerator", &out->accelerator, errp) < 0 ||
        field_number(o, up, "count", 0, 1e6, out->accelerator ? 1 : 0, &out->count, errp) < 0 ||
        field_number(o, up, "vcpus", 0, 1e9, 0, &out->vcpus, errp) < 0 ||
        field_number(o, up, "memory_gib", 0, 1e9, 0, &out->memory_gib, errp) < 0 ||
        get_hours(o, up, &out->hours, errp) < 0 || get_nodes(o, up, nodes, &out->nodes, errp) < 0)
        return -1;
    if (!out->accelerator && out->count > 0)
        return field_fail(errp, up, "count", "counts accelerators, but \"accelerator\" is missing");
    return 0;
}

// Of an alternative: without a location it is nowhere, and no data are moved for it.
static int get_whereabouts(const cJSON *o, const struct field_path *up, struct rq_location *out,
                           burst_error_t *errp)
{
    const cJSON *v = field_item(o, "location");

    if (v)
        return request_location(v, up, "location", out, errp);
    out->cloud = xstrdup("");
    out->region = xstrdup("");
    return 0;
}

static int get_alternative(const cJSON *o, const struct field_path *up, uint32_t nodes,
                           struct rq_alternative *out, burst_error_t *errp)
{
    static const char *const keys[] = {"name",
                                       "location",
                                       "zone",
                                       "instance_type",
                                       "accelerator",
                                       "market",
                                       "price_usd_per_hour",
                                       "fixed_usd",
                                       "wait_hours",
                                       "hours",
                                       "nodes",
                                       NULL};
    enum rq_market market;

    if (field_keys(o, up, keys, errp) < 0 ||
        field_name(cJSON_GetObjectItemCaseSensitive(o, "name"), up, "name", &out->name, errp) < 0 ||
        get_whereabouts(o, up, &out->location, errp) < 0 ||
        field_text(o, up, "zone", &out->zone, errp) < 0 ||
        field_text(o, up, "instance_type", &out->instance_type, errp) < 0 ||
        field_text(o, up, "accelerator", &out->accelerator, errp) < 0 ||
        request_market(o, up, &market, errp) < 0 ||
        field_number(o, up, "price_usd_per_hour", 0, REQUEST_PRICE_MAX, 0, &out->price_usd_per_hour,
                     errp) < 0 ||
        field_number(o, up, "fixed_usd", 0, REQUEST_USD_MAX, 0, &out->fixed_usd, errp) < 0 ||
        field_number(o, up, "wait_hours", 0, HOURS_MAX, 0, &out->wait_hours, errp) < 0)
        return -1;
    out->market = market == RQ_SPOT ? MARKET_SPOT : MARKET_ON_DEMAND;
    if (get_nodes(o, up, nodes, &out->nodes, errp) < 0)
        return -1;
    return get_hours(o, up, &out->hours, errp);
}

static int get_input(const cJSON *o, const struct field_path *up, struct names *datasets,
                     bool output, struct rq_transfer *out, burst_error_t *errp)
{
    static const char *const in_keys[] = {"dataset", "location", "size_gb", NULL};
    static const char *const out_keys[] = {"location", "size_gb", NULL};
    const cJSON *d;

    out->dataset = -1;
    if (field_keys(o, up, output ? out_keys : in_keys, errp) < 0)
        return -1;
    d = field_item(o, "dataset");
    if (d) {
        char buf[64];
        if (field_item(o, "location") || field_item(o, "size_gb"))
            return field_fail(errp, up, "dataset",
                              "says the location and the size already: leave the others out");
        out->dataset = cJSON_IsString(d) ? names_find(datasets, d->valuestring) : -1;
        if (out->dataset < 0)
            return field_fail(errp, up, "dataset", "no dataset is named %s", field_shown(d, buf));
        return 0;
    }
    if (request_location(cJSON_GetObjectItemCaseSensitive(o, "location"), up, "location",
                         &out->location, errp) < 0)
        return -1;
    if (!field_item(o, "size_gb"))
        return field_fail(errp, up, "size_gb", "is missing");
    return field_number(o, up, "size_gb", 0, REQUEST_GB_MAX, 0, &out->size_gb, errp);
}

static int get_transfers(const cJSON *o, const struct field_path *up, const char *key,
                         struct names *datasets, struct rq_transfer **out, size_t *n_out,
                         burst_error_t *errp)
{
    struct field_path w = {.up = up, .key = key}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (field_array(o, up, key, FIELD_LIST_MAX, &a, &n, errp) < 0)
        return -1;
    *out = xcalloc(n + 1, sizeof(**out));
    cJSON_ArrayForEach(v, a)
    {
        at.index = (*n_out)++;
        if (get_input(v, &at, datasets, strcmp(key, "outputs") == 0, &(*out)[at.index], errp) < 0)
            return -1;
    }
    return 0;
}

static int get_needs(const cJSON *o, const struct field_path *up, uint32_t nodes, struct rq_task *t,
                     burst_error_t *errp)
{
    struct field_path w = {.up = up, .key = "any_of"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (field_array(o, up, "any_of", FIELD_LIST_MAX, &a, &n, errp) < 0)
        return -1;
    if (!n && !t->n_alternatives)
        return field_fail(errp, up, "any_of", "must list at least one kind of instance");
    t->needs = xcalloc(n + 1, sizeof(*t->needs));
    cJSON_ArrayForEach(v, a)
    {
        at.index = t->n_needs++;
        if (get_need(v, &at, nodes, &t->needs[at.index], errp) < 0)
            return -1;
    }
    return 0;
}

static int get_alternatives(const cJSON *o, const struct field_path *up, uint32_t nodes,
                            struct rq_task *t, burst_error_t *errp)
{
    struct field_path w = {.up = up, .key = "alternatives"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (field_array(o, up, "alternatives", FIELD_LIST_MAX, &a, &n, errp) < 0)
        return -1;
    t->alternatives = xcalloc(n + 1, sizeof(*t->alternatives));
    cJSON_ArrayForEach(v, a)
    {
        at.index = t->n_alternatives++;
        if (get_alternative(v, &at, nodes, &t->alternatives[at.index], errp) < 0)
            return -1;
    }
    return 0;
}

int request_task(const cJSON *o, const struct field_path *up, struct names *datasets,
                 struct rq_task *t, burst_error_t *errp)
{
    static const char *const keys[] = {
        "name",   "nodes",   "market",       "any_of",      "clouds",  "regions",   "zones",
        "inputs", "outputs", "alternatives", "limit_hours", "max_usd", "no_limits", NULL};
    uint32_t nodes;
    double usd;

    if (field_keys(o, up, keys, errp) < 0 ||
        field_name(cJSON_GetObjectItemCaseSensitive(o, "name"), up, "name", &t->name, errp) < 0 ||
        get_nodes(o, up, 1, &nodes, errp) < 0 ||
        field_number(o, up, "limit_hours", 0, HOURS_MAX, -1, &t->limit_hours, errp) < 0 ||
        field_number(o, up, "max_usd", 0, REQUEST_USD_MAX, -1, &usd, errp) < 0 ||
        field_bool(o, up, "no_limits", &t->no_limits, errp) < 0)
        return -1;
    t->max_nano = usd < 0 ? INT64_MAX : llround(usd * 1e9);
    if (request_market(o, up, &t->market, errp) < 0 ||
        get_alternatives(o, up, nodes, t, errp) < 0 || get_needs(o, up, nodes, t, errp) < 0 ||
        field_list(o, up, "clouds", &t->clouds, errp) < 0 ||
        field_list(o, up, "regions", &t->regions, errp) < 0 ||
        field_list(o, up, "zones", &t->zones, errp) < 0 ||
        get_transfers(o, up, "inputs", datasets, &t->inputs, &t->n_inputs, errp) < 0 ||
        get_transfers(o, up, "outputs", datasets, &t->outputs, &t->n_outputs, errp) < 0)
        return -1;
    return 0;
}

static void free_list(struct rq_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->item[i]);
    free(l->item);
}

void request_free_task(struct rq_task *t)
{
    free(t->name);
    for (size_t i = 0; i < t->n_needs; i++) {
        free(t->needs[i].accelerator);
        free_list(&t->needs[i].clouds);
    }
    free(t->needs);
    for (size_t i = 0; i < t->n_alternatives; i++) {
        struct rq_alternative *a = &t->alternatives[i];
        free(a->name);
        request_free_location(&a->location);
        free(a->zone);
        free(a->instance_type);
        free(a->accelerator);
    }
    free(t->alternatives);
    free_list(&t->clouds);
    free_list(&t->regions);
    free_list(&t->zones);
    for (size_t i = 0; i < t->n_inputs; i++)
        request_free_location(&t->inputs[i].location);
    free(t->inputs);
    for (size_t i = 0; i < t->n_outputs; i++)
        request_free_location(&t->outputs[i].location);
    free(t->outputs);
}
