// SPDX-License-Identifier: GPL-3.0-or-later
// Why a task has no option: the requirement that removed the last candidate. A second look at the
// whole catalog, for people only.
#include "optimizer/reason.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "libburst/xalloc.h"
#include "optimizer/blocked.h"
#include "optimizer/match.h"
#include "optimizer/option.h"

// The filters in the order in which a reason names them.
enum stage {
    ST_ACCELERATOR,
    ST_COUNT,
    ST_VCPUS,
    ST_MEMORY,
    ST_CLOUDS,
    ST_REGIONS,
    ST_ZONES,
    ST_MARKET,
    ST_BLOCKED,
    ST_DATA,
    ST_COST,
    ST_CAP,
    STAGES
};

static const char *const stage_name[STAGES] = {
    "accelerator", "count",  "vcpus",   "memory_gib",     "clouds", "regions",
    "zones",       "market", "blocked", "inputs/outputs", "hours",  "max_usd"};

static const char *const stage_text[STAGES] = {
    "no instance of the catalog has it",
    "no instance has as many accelerators",
    "no instance that is left has as many vCPUs",
    "no instance that is left has as much memory",
    "no cloud that offers such an instance matches",
    "no region that offers such an instance matches",
    "no zone that offers such an instance matches (a price without a zone matches only *)",
    "such an instance is not offered on this market there",
    "every place that is left is blocked",
    "the data cannot be moved to or from any place that is left: no row of egress.csv matches",
    "it costs more than this program counts (a billion dollars)",
    ""};

static enum stage type_stage(const struct catalog *cat, const struct catalog_type *t,
                             const struct rq_need *n)
{
    const char *acc = catalog_str(cat, t->accelerator);

    if (n->accelerator ? strcasecmp(acc, n->accelerator) != 0 : *acc || t->count > 0)
        return ST_ACCELERATOR;
    if (t->count < n->count)
        return ST_COUNT;
    if (t->vcpus < n->vcpus)
        return ST_VCPUS;
    return t->memory_gib < n->memory_gib ? ST_MEMORY : ST_CLOUDS;
}

// Why a task got nothing: the filter that its candidates reached, and the least that its cap would
// have to be.
struct verdict {
    enum stage stage;
    int64_t needed; // INT64_MAX = the cap is not what is in the way
};

static enum stage made_stage(struct verdict *v, enum made made, int64_t counted)
{
    static const enum stage stage[] = {STAGES, ST_DATA, ST_COST, ST_CAP};

    if (made == MADE_OVER_CAP && counted < v->needed)
        v->needed = counted;
    return stage[made];
}

static enum stage offer_stage(struct maker *m, size_t need, uint32_t index, enum market market,
                              const char *cloud, struct verdict *v)
{
    struct supply *s = m->s;
    const struct rq_task *t = m->task;
    uint32_t n, nr;
    const struct catalog_offer *o = &catalog_offers(s->cat, &n)[index];
    const char *region = catalog_str(s->cat, catalog_regions(s->cat, &nr)[o->region].name);
    struct opt opt;
    int64_t counted = 0;

    if (!match_any(&t->clouds, cloud) || !match_any(&t->needs[need].clouds, cloud))
        return ST_CLOUDS;
    if (!match_any_region(&t->regions, cloud, region))
        return ST_REGIONS;
    if (t->zones.n && !match_any(&t->zones, catalog_str(s->cat, o->zone)))
        return ST_ZONES;
    if (o->price[market] == NO_PRICE || !match_task_market(t->market, (int)market))
        return ST_MARKET;
    if (blocked_offer(s->rq, s->cat, o, (int)market))
        return ST_BLOCKED;
    struct cand x = {index, market, 0, o->region, rates_quote_offer(s->rates, index, market)};
    enum made made = maker_offer(m, need, &x, &opt, &counted);
    return made_stage(v, made, counted);
}

static enum stage need_stage(struct maker *m, size_t need, struct verdict *v)
{
    const struct catalog *cat = m->s->cat;
    uint32_t nt, nc;
    const struct catalog_type *types = catalog_types(cat, &nt);
    const struct catalog_cloud *clouds = catalog_clouds(cat, &nc);
    enum stage best = ST_ACCELERATOR;

    for (uint32_t k = 0; k < nt; k++) {
        enum stage s =
            types[k].n_offers ? type_stage(cat, &types[k], &m->task->needs[need]) : ST_ACCELERATOR;
        best = s > best ? s : best;
        if (s < ST_CLOUDS)
            continue;
        for (uint32_t i = types[k].first_offer; i < types[k].first_offer + types[k].n_offers; i++)
            for (int market = 0; market < MARKETS; market++) {
                s = offer_stage(m, need, i, (enum market)market,
                                catalog_str(cat, clouds[types[k].cloud].name), v);
                best = s > best ? s : best;
            }
    }
    return best;
}

// What the requirement says, for the message.
static void stage_value(const struct rq_task *t, const struct rq_need *n, enum stage s, char *buf,
                        size_t size)
{
    static const char *const market[] = {"any", "on-demand", "spot"};
    const struct rq_list *l = s == ST_CLOUDS    ? (n->clouds.n ? &n->clouds : &t->clouds)
                              : s == ST_REGIONS ? &t->regions
                                                : &t->zones;
    size_t len = 0;

    *buf = '\0';
    if (s == ST_ACCELERATOR)
        snprintf(buf, size, " %s", n->accelerator ? n->accelerator : "(none)");
    else if (s == ST_COUNT)
        snprintf(buf, size, " %g x %s", n->count, n->accelerator ? n->accelerator : "");
    else if (s == ST_VCPUS)
        snprintf(buf, size, " %g", n->vcpus);
    else if (s == ST_MEMORY)
        snprintf(buf, size, " %g", n->memory_gib);
    else if (s == ST_MARKET)
        snprintf(buf, size, " %s", market[t->market]);
    else if (s >= ST_CLOUDS && s <= ST_ZONES)
        for (size_t i = 0; i < l->n && len + 1 < size; i++)
            len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? "," : " ", l->item[i]);
}

// Dollars, up to the next hundredth of a cent: who allows that much gets something.
static void dollars(int64_t nano, char *buf, size_t size)
{
    int64_t x = nano / 100000 + (nano % 100000 > 0);

    if (x % 100)
        snprintf(buf, size, "$%" PRId64 ".%04" PRId64, x / 10000, x % 10000);
    else
        snprintf(buf, size, "$%" PRId64 ".%02" PRId64, x / 10000, x % 10000 / 100);
}

static char *cap_reason(const struct rq_task *t, const struct verdict *v)
{
    char cap[32], needed[32];

    dollars(t->max_nano, cap, sizeof(cap));
    dollars(v->needed, needed, sizeof(needed));
    return xasprintf("task \"%s\": max_usd %g: its cap of %s is below the %s of the cheapest place",
                     t->name, (double)t->max_nano / 1e9, cap, needed);
}

char *reason_of(struct supply *s, uint32_t task)
{
    const struct rq_task *t = &s->rq->tasks[task];
    struct verdict v = {ST_ACCELERATOR, INT64_MAX};
    size_t which = 0;
    char value[200] = "";
    struct maker m;
    struct opt o;
    int64_t counted = 0;

    maker_init(&m, s, t);
    // Of several kinds of instance the one that got furthest is the one to mend.
    for (size_t k = 0; k < t->n_needs; k++) {
        enum stage reached = need_stage(&m, k, &v);
        if (reached > v.stage || k == 0) {
            v.stage = reached;
            which = k;
        }
    }
    for (size_t i = 0; i < t->n_alternatives; i++)
        if (!blocked_alternative(s->rq, &t->alternatives[i])) {
            enum made made = maker_alternative(&m, i, &o, &counted);
            made_stage(&v, made, counted);
        }
    maker_free(&m);
    if (v.stage == STAGES)
        return NULL;
    if (v.needed < INT64_MAX)
        return cap_reason(t, &v);
    if (!t->n_needs)
        return xasprintf("task \"%s\": none of its alternatives is possible", t->name);
    stage_value(t, &t->needs[which], v.stage, value, sizeof(value));
    return xasprintf("task \"%s\": %s%s: %s", t->name, stage_name[v.stage], value,
                     stage_text[v.stage]);
}
