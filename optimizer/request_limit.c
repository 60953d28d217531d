// SPDX-License-Identifier: GPL-3.0-or-later
// What a plan request says of places: limits, blocked ones, what was observed.
#include "optimizer/request_limit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"
#include "optimizer/field.h"
#include "optimizer/request_parts.h"

#define PRICE_MIN 1e-6 // of what was observed: 0 is what clouds say when they do not know

// offers: of a limit, which may be for what the catalog offers only.
static int get_match(const cJSON *o, const struct field_path *up, bool offers, struct rq_match *m,
                     burst_error_t *errp)
{
    static const char *const keys[] = {"cloud",         "region",      "zone",
                                       "instance_type", "accelerator", "alternative",
                                       "market",        "offers",      NULL};
    static const char *const blocked_keys[] = {
        "cloud", "region", "zone", "instance_type", "accelerator", "alternative", "market", NULL};
    const cJSON *v;
    char buf[64];

    m->market = -1;
    if (field_keys(o, up, offers ? keys : blocked_keys, errp) < 0 ||
        field_text(o, up, "cloud", &m->cloud, errp) < 0 ||
        field_text(o, up, "region", &m->region, errp) < 0 ||
        field_text(o, up, "zone", &m->zone, errp) < 0 ||
        field_text(o, up, "instance_type", &m->instance_type, errp) < 0 ||
        field_text(o, up, "accelerator", &m->accelerator, errp) < 0 ||
        field_text(o, up, "alternative", &m->alternative, errp) < 0)
        return -1;
    if (field_bool(o, up, "offers", &m->offers, errp) < 0)
        return -1;
    if (m->offers && m->alternative)
        return field_fail(errp, up, "offers",
                          "leaves alternatives out, but \"alternative\" names some: leave one out");
    v = field_item(o, "market");
    if (!v || (cJSON_IsString(v) && strcmp(v->valuestring, "any") == 0))
        return 0;
    if (cJSON_IsString(v) && strcmp(v->valuestring, "spot") == 0)
        m->market = MARKET_SPOT;
    else if (cJSON_IsString(v) && strcmp(v->valuestring, "on-demand") == 0)
        m->market = MARKET_ON_DEMAND;
    else
        return field_fail(errp, up, "market", "must be \"spot\", \"on-demand\" or null, is %s",
                          field_shown(v, buf));
    return 0;
}

static int get_limit(const cJSON *o, const struct field_path *up, struct rq_limit *l,
                     burst_error_t *errp)
{
    static const char *const keys[] = {"match", "max_nodes", "max_usd", NULL};
    struct field_path w = {.up = up, .key = "match"};
    double nodes, usd;

    l->match.market = -1;
    if (field_keys(o, up, keys, errp) < 0 ||
        (field_item(o, "match") &&
         get_match(field_item(o, "match"), &w, true, &l->match, errp) < 0) ||
        field_number(o, up, "max_nodes", 0, 1e15, -1, &nodes, errp) < 0 ||
        field_number(o, up, "max_usd", 0, REQUEST_USD_MAX, -1, &usd, errp) < 0)
        return -1;
    if (nodes < 0 && usd < 0)
        return field_fail(errp, up, NULL, "must have \"max_nodes\" or \"max_usd\"");
    l->max_nodes = nodes < 0 ? -1 : (int64_t)floor(nodes);
    l->max_nano = usd < 0 ? -1 : llround(usd * 1e9);
    return 0;
}

int request_limits(const cJSON *j, struct request *r, burst_error_t *errp)
{
    struct field_path wl = {.key = "limits"}, wb = {.key = "blocked"}, at = {.up = &wl};
    const cJSON *a, *v;
    size_t n;

    if (field_array(j, NULL, "limits", REQUEST_LIMITS_MAX, &a, &n, errp) < 0)
        return -1;
    r->limits = xcalloc(n + 1, sizeof(*r->limits));
    cJSON_ArrayForEach(v, a)
    {
        at.index = r->n_limits++;
        if (get_limit(v, &at, &r->limits[at.index], errp) < 0)
            return -1;
    }
    if (field_array(j, NULL, "blocked", FIELD_LIST_MAX, &a, &n, errp) < 0)
        return -1;
    r->blocked = xcalloc(n + 1, sizeof(*r->blocked));
    at.up = &wb;
    cJSON_ArrayForEach(v, a)
    {
        at.index = r->n_blocked++;
        if (get_match(v, &at, false, &r->blocked[at.index], errp) < 0)
            return -1;
    }
    return 0;
}

static int get_seen(const cJSON *o, const struct field_path *up, struct rq_observed *s,
                    burst_error_t *errp)
{
    static const char *const keys[] = {"cloud",
                                       "region",
                                       "zone",
                                       "instance_type",
                                       "market",
                                       "price_usd_per_hour",
                                       "preemptions_per_hour",
                                       NULL};
    const cJSON *zone;
    enum rq_market market;

    if (field_keys(o, up, keys, errp) < 0 ||
        field_name(cJSON_GetObjectItemCaseSensitive(o, "cloud"), up, "cloud", &s->cloud, errp) <
            0 ||
        field_name(cJSON_GetObjectItemCaseSensitive(o, "region"), up, "region", &s->region, errp) <
            0 ||
        field_name(cJSON_GetObjectItemCaseSensitive(o, "instance_type"), up, "instance_type",
                   &s->instance_type, errp) < 0 ||
        field_number(o, up, "price_usd_per_hour", PRICE_MIN, REQUEST_PRICE_MAX, -1,
                     &s->price_usd_per_hour, errp) < 0 ||
        field_number(o, up, "preemptions_per_hour", 0, REQUEST_RATE_MAX, -1,
                     &s->preemptions_per_hour, errp) < 0)
        return -1;
    zone = field_item(o, "zone");
    if (!zone || (cJSON_IsString(zone) && !*zone->valuestring))
        s->zone = xstrdup("");
    else if (field_name(zone, up, "zone", &s->zone, errp) < 0)
        return -1;
    if (request_market(o, up, &market, errp) < 0)
        return -1;
    if (market == RQ_ANY)
        return field_fail(errp, up, "market",
                          "must be \"spot\" or \"on-demand\": prices are of one");
    s->market = market == RQ_SPOT ? MARKET_SPOT : MARKET_ON_DEMAND;
    if (s->price_usd_per_hour < 0 && s->preemptions_per_hour < 0)
        return field_fail(errp, up, NULL,
                          "must have \"price_usd_per_hour\" or \"preemptions_per_hour\"");
    return 0;
}

int request_observed(const cJSON *j, struct request *r, burst_error_t *errp)
{
    struct field_path w = {.key = "observed"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (field_array(j, NULL, "observed", REQUEST_OBSERVED_MAX, &a, &n, errp) < 0)
        return -1;
    r->observed = xcalloc(n + 1, sizeof(*r->observed));
    cJSON_ArrayForEach(v, a)
    {
        at.index = r->n_observed++;
        if (get_seen(v, &at, &r->observed[at.index], errp) < 0)
            return -1;
    }
    return 0;
}

static void free_match(struct rq_match *m)
{
    free(m->cloud);
    free(m->region);
    free(m->zone);
    free(m->instance_type);
    free(m->accelerator);
    free(m->alternative);
}

void request_free_limits(struct request *r)
{
    for (size_t i = 0; r->limits && i < r->n_limits; i++)
        free_match(&r->limits[i].match);
    free(r->limits);
    for (size_t i = 0; r->blocked && i < r->n_blocked; i++)
        free_match(&r->blocked[i]);
    free(r->blocked);
    for (size_t i = 0; r->observed && i < r->n_observed; i++) {
        free(r->observed[i].cloud);
        free(r->observed[i].region);
        free(r->observed[i].zone);
        free(r->observed[i].instance_type);
    }
    free(r->observed);
}
