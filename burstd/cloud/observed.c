// SPDX-License-Identifier: GPL-3.0-or-later
// See observed.h.
#include "cloud/observed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "catalog/tracker.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "state/instances.h"
#include "state/store.h"

#define HOUR_S 3600
#define DAY_S 86400
#define PRICE_MAX_AGE_S DAY_S // the catalog's price counts again after this
#define LIMITS_MAX 64         // half-open places of a request; the others wait, closed
#define ROWS_MAX 2000         // `observed` of a request: 400 KiB
#define RATE_NEWS 0.01        // a rate that differs less from the usual one is not told
#define PRICE_MAX (1000000 * MONEY_PER_USD) // per hour; the optimizer takes no more
// A probe is a launch: burstd repeats it for boot.launch_timeout, the last reply may take so long.
#define LAST_REPLY_S 60

struct observed {
    struct burstd *b;
    struct tracker *t;
    int64_t prune_at;
};

// ---- journal

static void load(void *arg, const cJSON *row)
{
    struct observed *o = arg;
    burst_error_t err;

    if (tracker_load_row(o->t, row, &err) < 0)
        log_warn("journal: what was seen of a place is not understood and forgotten: %s", err.text);
}

static void forgot(void *arg, const char *key)
{
    struct observed *o = arg;
    burst_error_t err;

    if (store_put_observed(o->b->store, key, NULL, &err) < 0)
        log_warn("%s", err.text); // it is forgotten again after the next start
}

struct observed *observed_create(struct burstd *b)
{
    struct tracker_conf conf = {.probe_s = b->conf->launch_timeout_s + LAST_REPLY_S};
    struct observed *o = xmalloc(sizeof(*o));
    burst_error_t err;

    o->b = b;
    o->t = tracker_create(&conf);
    if (store_load_observed(b->store, load, o, &err) < 0)
        log_error("%s", err.text);
    return o;
}

void observed_destroy(struct observed *o)
{
    if (!o)
        return;
    tracker_destroy(o->t);
    free(o);
}

struct put {
    struct store *s;
    burst_error_t err;
};

static int put_row(void *arg, const char *key, const cJSON *row)
{
    struct put *p = arg;

    return store_put_observed(p->s, key, row, &p->err);
}

// The changed rows, and the instances whose counting they contain, all or none of them.
static void save(struct observed *o, const struct instance *const *counted, size_t n)
{
    struct put p = {.s = o->b->store};

    if (!tracker_changed(o->t))
        return;
    if (store_begin(p.s, &p.err) < 0)
        goto error;
    if (tracker_changes(o->t, put_row, &p) < 0)
        goto rollback;
    for (size_t k = 0; k < n; k++)
        if (store_put_instance(p.s, counted[k], &p.err) < 0)
            goto rollback;
    if (store_commit(p.s, &p.err) < 0)
        goto error;
    tracker_saved(o->t);
    return;
rollback:
    store_rollback(p.s);
error:
    log_rarely(LOG_LEVEL_WARN, "what was seen of a place is in memory only: %s", p.err.text);
}

// ---- observations

static struct tracker_place place(const char *cloud, const char *region, const char *zone,
                                  const char *itype, bool spot)
{
    return (struct tracker_place){cloud, region, zone, itype,
                                  spot ? MARKET_SPOT : MARKET_ON_DEMAND};
}

static struct tracker_place place_of(const struct instance *i)
{
    return place(i->cloud, i->region, i->zone, i->itype, i->spot);
}

// "aws us-east-1 us-east-1a p4d spot"; what is any is left out.
static void place_text(const struct tracker_place *p, struct strbuf *out)
{
    const char *part[] = {p->cloud, p->region, p->zone, p->instance_type,
                          p->market < 0 ? "" : market_name((enum market)p->market)};

    strbuf_init(out, 1024);
    for (size_t k = 0; k < sizeof(part) / sizeof(part[0]); k++)
        if (*part[k])
            strbuf_addf(out, "%s%s", k ? " " : "", part[k]);
}

void observed_refused(struct observed *o, const char *cloud, const char *region, const char *zone,
                      const char *itype, const char *market, int64_t first_s, int64_t max_s,
                      const char *reason)
{
    struct tracker_place p = place(cloud, region, zone, itype, strcmp(market, "spot") == 0);
    int64_t now = clock_now_s(), until;
    struct strbuf text;

    if (!*market)
        p.market = -1;
    if (!tracker_refused(o->t, &p, now, first_s, max_s, reason))
        return;
    tracker_gate(o->t, &p, now, &until);
    place_text(&p, &text);
    log_info("%s is left out for %lld s: %s", text.data, (long long)(until - now), reason);
    strbuf_free(&text);
    save(o, NULL, 0);
}

void observed_granted(struct observed *o, const char *cloud, const char *region, const char *zone,
                      const char *itype, bool spot)
{
    struct tracker_place p = place(cloud, region, zone, itype, spot);

    tracker_granted(o->t, &p, clock_now_s());
    save(o, NULL, 0);
}

void observed_undecided(struct observed *o, const char *cloud, const char *region, const char *zone,
                        const char *itype, bool spot)
{
    struct tracker_place p = place(cloud, region, zone, itype, spot);

    tracker_undecided(o->t, &p, clock_now_s());
    save(o, NULL, 0);
}

void observed_preempted(struct observed *o, const struct instance *i)
{
    struct tracker_place p = place_of(i);

    if (!i->spot)
        return;
    tracker_preempted(o->t, &p, clock_now_s());
    save(o, &i, 1);
}

static void ran(struct observed *o, const struct instance *i, int64_t seconds)
{
    struct tracker_place p = place_of(i);

    tracker_ran(o->t, &p, (double)seconds / HOUR_S, clock_now_s());
}

void observed_ran(struct observed *o, const struct instance *i, int64_t seconds)
{
    if (!i->spot || seconds <= 0)
        return;
    ran(o, i, seconds);
    save(o, &i, 1);
}

// Seconds until `until` that were not counted yet; from now on they are.
static int64_t uncounted(struct instance *i, int64_t until)
{
    int64_t from = i->observed_to > i->launched ? i->observed_to : i->launched;

    if (!i->spot || !i->launched || until <= from)
        return 0;
    i->observed_to = until;
    return until - from;
}

void observed_until(struct observed *o, struct instance *i, int64_t until)
{
    int64_t seconds = uncounted(i, until);

    observed_ran(o, i, seconds);
}

void observed_listed(struct observed *o, const char *cloud)
{
    const struct instance **counted =
        xcalloc(instances_count(o->b->instances) + 1, sizeof(const struct instance *));
    int64_t now = clock_now_s();
    size_t n = 0;

    INSTANCES_EACH(o->b->instances, i)
    {
        if (strcmp(i->cloud, cloud) != 0 || i->state == INST_LAUNCHING ||
            i->state >= INST_TERMINATING || i->misses ||
            now - (i->observed_to ? i->observed_to : i->launched) < HOUR_S)
            continue;
        int64_t seconds = uncounted(i, now);
        if (seconds <= 0)
            continue;
        ran(o, i, seconds);
        counted[n++] = i;
    }
    save(o, counted, n);
    free(counted);
    if (now < o->prune_at)
        return;
    o->prune_at = now + DAY_S;
    tracker_prune(o->t, now, forgot, o);
}

void observed_priced(struct observed *o, const char *cloud, const char *region, const char *zone,
                     const char *itype, bool spot, money_t price)
{
    struct tracker_place p = place(cloud, region, zone, itype, spot);

    tracker_priced(o->t, &p, price, clock_now_s());
    save(o, NULL, 0);
}

bool observed_launching(struct observed *o, const char *cloud, const char *region, const char *zone,
                        const char *itype, bool spot, unsigned nodes)
{
    struct tracker_place p = place(cloud, region, zone, itype, spot);
    int64_t now = clock_now_s();
    enum tracker_gate gate = tracker_gate(o->t, &p, now, NULL);

    if (gate != TRACKER_PROBE)
        return gate == TRACKER_OPEN;
    if (nodes > 1 || !tracker_take_probe(o->t, &p, now))
        return false;
    save(o, NULL, 0);
    return true;
}

// ---- JSON

struct list {
    const struct observed *o;
    cJSON *to;
    unsigned n; // met so far
    int64_t now;
};

static void add_part(cJSON *o, const char *key, const char *value)
{
    json_add_str(o, key, *value ? value : NULL);
}

static cJSON *place_json(const struct tracker_place *p)
{
    cJSON *o = cJSON_CreateObject();

    add_part(o, "cloud", p->cloud);
    add_part(o, "region", p->region);
    add_part(o, "zone", p->zone);
    add_part(o, "instance_type", p->instance_type);
    add_part(o, "market", p->market < 0 ? "" : market_name((enum market)p->market));
    return o;
}

static void each(const struct observed *o, struct list *l,
                 void (*add)(void *arg, const struct tracker_view *v))
{
    l->o = o;
    l->now = clock_now_s();
    tracker_each(o->t, l->now, add, l);
}

static void add_blocked(void *arg, const struct tracker_view *v)
{
    struct list *l = arg;

    if (v->gate == TRACKER_CLOSED || (v->gate == TRACKER_PROBE && l->n++ >= LIMITS_MAX))
        cJSON_AddItemToArray(l->to, place_json(&v->place));
}

cJSON *observed_blocked(const struct observed *o)
{
    struct list l = {.to = cJSON_CreateArray()};

    each(o, &l, add_blocked);
    return l.to;
}

// What limits match are patterns.
static void add_literal(cJSON *o, const char *key, const char *value)
{
    struct strbuf b;

    if (!*value)
        return;
    strbuf_init(&b, 1024);
    for (; *value; value++)
        strbuf_addf(&b, "%s%c", strchr("*?[\\", *value) ? "\\" : "", *value);
    json_add_str(o, key, b.data);
    strbuf_free(&b);
}

static void add_limit(void *arg, const struct tracker_view *v)
{
    struct list *l = arg;

    if (v->gate != TRACKER_PROBE || l->n++ >= LIMITS_MAX)
        return;
    cJSON *o = cJSON_CreateObject(), *match = cJSON_AddObjectToObject(o, "match");
    add_literal(match, "cloud", v->place.cloud);
    add_literal(match, "region", v->place.region);
    add_literal(match, "zone", v->place.zone);
    add_literal(match, "instance_type", v->place.instance_type);
    if (v->place.market >= 0)
        json_add_str(match, "market", market_name((enum market)v->place.market));
    cJSON_AddBoolToObject(match, "offers", true);
    json_add_i64(o, "max_nodes", 1);
    cJSON_AddItemToArray(l->to, o);
}

void observed_add_limits(const struct observed *o, cJSON *limits)
{
    struct list l = {.to = limits};

    each(o, &l, add_limit);
}

// A price that no node has would make the optimizer refuse the whole request.
static bool price_is_news(const struct tracker_view *v, int64_t now)
{
    return v->price != MONEY_UNKNOWN && v->price > 0 && v->price <= PRICE_MAX &&
           now - v->price_at <= PRICE_MAX_AGE_S;
}

static bool rate_is_news(const struct tracker_view *v)
{
    return v->place.market == MARKET_SPOT && fabs(v->rate / tracker_prior_rate() - 1) > RATE_NEWS;
}

static void add_rate(void *arg, const struct tracker_view *v)
{
    struct list *l = arg;
    bool rate = l->o->b->conf->spot_changeover_s > 0 && rate_is_news(v);
    bool price = price_is_news(v, l->now);

    if ((!rate && !price) || !*v->place.region || !*v->place.instance_type || l->n++ >= ROWS_MAX)
        return;
    cJSON *o = place_json(&v->place);
    if (price)
        cJSON_AddNumberToObject(o, "price_usd_per_hour", money_to_double(v->price));
    if (rate)
        cJSON_AddNumberToObject(o, "preemptions_per_hour", v->rate);
    cJSON_AddItemToArray(l->to, o);
}

void observed_add_rates(const struct observed *o, cJSON *request)
{
    struct list l = {.to = cJSON_AddArrayToObject(request, "observed")};
    int64_t changeover_s = o->b->conf->spot_changeover_s;

    each(o, &l, add_rate);
    if (changeover_s <= 0)
        return;
    cJSON_AddNumberToObject(request, "changeover_hours", (double)changeover_s / HOUR_S);
    cJSON_AddNumberToObject(request, "default_preemptions_per_hour", tracker_prior_rate());
}

static void add_closed(void *arg, const struct tracker_view *v)
{
    struct list *l = arg;

    if (v->gate == TRACKER_OPEN)
        return;
    cJSON *o = place_json(&v->place);
    json_add_str(o, "state",
                 v->probing                  ? "probing"
                 : v->gate == TRACKER_CLOSED ? "closed"
                                             : "half-open");
    json_add_i64(o, "until", v->until);
    json_add_str(o, "reason", v->reason);
    cJSON_AddItemToArray(l->to, o);
}

static void add_rate_json(void *arg, const struct tracker_view *v)
{
    struct list *l = arg;

    if (!rate_is_news(v))
        return;
    cJSON *o = place_json(&v->place);
    cJSON_AddNumberToObject(o, "preemptions_per_hour", v->rate);
    cJSON_AddNumberToObject(o, "preemptions", v->preemptions);
    cJSON_AddNumberToObject(o, "hours", v->hours);
    cJSON_AddItemToArray(l->to, o);
}

cJSON *observed_json(const struct observed *o)
{
    cJSON *status = cJSON_CreateObject();
    struct list blocked = {.to = cJSON_AddArrayToObject(status, "blocked")};
    struct list rates = {.to = cJSON_AddArrayToObject(status, "rates")};

    each(o, &blocked, add_closed);
    each(o, &rates, add_rate_json);
    return status;
}
