// SPDX-License-Identifier: GPL-3.0-or-later
#include "catalog/tracker.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"

#define KEY_MAX 1024
#define RECORDS_MAX 5000 // beyond it new places are not remembered
#define HOUR_S 3600
#define DAY_S 86400
// Before anything was seen: one preemption in 24 hours, believed as much as a day of observation.
#define PRIOR_PREEMPTIONS 1.0
#define PRIOR_HOURS 24.0
#define NEWS_AFTER 4 // lengths of the last block

struct record {
    char *key;
    char *cloud, *region, *zone, *type;
    int market;
    // refusals
    int64_t until;    // closed until then; 0 = never refused, or granted since
    int64_t block_s;  // how long that block was
    int64_t probe_at; // a probe was taken; 0 = none since the last refusal
    char *reason;
    // experience, decayed to `seen`
    double preemptions, hours;
    int64_t seen;
    money_t price;
    int64_t price_at;
    bool changed;
    UT_hash_handle hh;
};

struct tracker {
    struct tracker_conf conf;
    struct record *records;
};

struct tracker *tracker_create(const struct tracker_conf *conf)
{
    struct tracker *t = xmalloc(sizeof(*t));

    if (conf)
        t->conf = *conf;
    t->conf.probe_s = t->conf.probe_s > 0 ? t->conf.probe_s : 600;
    t->conf.half_life_s = t->conf.half_life_s > 0 ? t->conf.half_life_s : 7 * DAY_S;
    return t;
}

static void drop(struct tracker *t, struct record *r)
{
    HASH_DEL(t->records, r);
    free(r->key);
    free(r->cloud);
    free(r->region);
    free(r->zone);
    free(r->type);
    free(r->reason);
    free(r);
}

void tracker_destroy(struct tracker *t)
{
    struct record *r, *next;

    if (!t)
        return;
    HASH_ITER(hh, t->records, r, next)
    drop(t, r);
    free(t);
}

static void key_of(const struct tracker_place *p, char key[KEY_MAX])
{
    snprintf(key, KEY_MAX, "%s\x1f%s\x1f%s\x1f%s\x1f%d", p->cloud, p->region, p->zone,
             p->instance_type, p->market);
}

static struct record *find(const struct tracker *t, const struct tracker_place *p)
{
    char key[KEY_MAX];
    struct record *r;

    key_of(p, key);
    HASH_FIND_STR(t->records, key, r);
    return r;
}

static struct record *get(struct tracker *t, const struct tracker_place *p)
{
    struct record *r = find(t, p);
    char key[KEY_MAX];

    if (r || HASH_COUNT(t->records) >= RECORDS_MAX)
        return r;
    key_of(p, key);
    r = xmalloc(sizeof(*r));
    r->key = xstrdup(key);
    r->cloud = xstrdup(p->cloud);
    r->region = xstrdup(p->region);
    r->zone = xstrdup(p->zone);
    r->type = xstrdup(p->instance_type);
    r->market = p->market;
    r->price = MONEY_UNKNOWN;
    HASH_ADD_KEYPTR(hh, t->records, r->key, strlen(r->key), r);
    return r;
}

static bool part_covers(const char *record, const char *place)
{
    return !*record || strcmp(record, place) == 0;
}

static struct tracker_place place_of(const struct record *r)
{
    return (struct tracker_place){r->cloud, r->region, r->zone, r->type, r->market};
}

static bool covers(const struct tracker_place *wide, const struct tracker_place *p)
{
    return part_covers(wide->cloud, p->cloud) && part_covers(wide->region, p->region) &&
           part_covers(wide->zone, p->zone) && part_covers(wide->instance_type, p->instance_type) &&
           (wide->market < 0 || wide->market == p->market);
}

static bool record_covers(const struct record *r, const struct tracker_place *p)
{
    struct tracker_place own = place_of(r);

    return covers(&own, p);
}

// ---- refusals

// Half open since; only of a record that was refused.
static int64_t half_open_at(const struct tracker *t, const struct record *r)
{
    return r->probe_at ? r->probe_at + t->conf.probe_s : r->until;
}

static bool probing(const struct tracker *t, const struct record *r, int64_t now)
{
    // The second half: a clock that was set back.
    return r->probe_at && now < r->probe_at + t->conf.probe_s && now >= r->probe_at - HOUR_S;
}

static enum tracker_gate gate_of(const struct tracker *t, const struct record *r, int64_t now,
                                 int64_t *until)
{
    *until = 0;
    if (!r->until)
        return TRACKER_OPEN;
    // A clock that was set back closes nothing for longer than was said.
    if (now < r->until && r->until - now <= r->block_s) {
        *until = r->until;
        return TRACKER_CLOSED;
    }
    if (probing(t, r, now)) {
        *until = r->probe_at + t->conf.probe_s;
        return TRACKER_CLOSED;
    }
    if (now >= half_open_at(t, r) + r->block_s)
        return TRACKER_OPEN;
    *until = half_open_at(t, r) + r->block_s;
    return TRACKER_PROBE;
}

// Probes whose place is wider or narrower than p.
static void end_probes(struct tracker *t, const struct tracker_place *p)
{
    struct record *r, *next;

    HASH_ITER(hh, t->records, r, next)
    {
        struct tracker_place own = place_of(r);
        if (!r->probe_at || !(covers(&own, p) || covers(p, &own)))
            continue;
        r->probe_at = 0;
        r->changed = true;
    }
}

bool tracker_refused(struct tracker *t, const struct tracker_place *p, int64_t now, int64_t first_s,
                     int64_t max_s, const char *reason)
{
    struct record *r = get(t, p);
    int64_t until;

    // Refusals of launches that were under way together count once.
    if (!r || (gate_of(t, r, now, &until) == TRACKER_CLOSED && !probing(t, r, now)))
        return false;
    bool again = r->until && now - half_open_at(t, r) < NEWS_AFTER * r->block_s;
    r->block_s = again && r->block_s < max_s ? 2 * r->block_s : again ? max_s : first_s;
    if (r->block_s > max_s)
        r->block_s = max_s;
    r->until = now + r->block_s;
    r->changed = true;
    xstrset(&r->reason, reason);
    end_probes(t, p);
    return true;
}

void tracker_granted(struct tracker *t, const struct tracker_place *p, int64_t now)
{
    struct record *r, *next;

    HASH_ITER(hh, t->records, r, next)
    {
        if (!r->until || !record_covers(r, p))
            continue;
        r->until = r->block_s = r->probe_at = 0;
        r->changed = true;
    }
}

void tracker_undecided(struct tracker *t, const struct tracker_place *p, int64_t now)
{
    end_probes(t, p);
}

enum tracker_gate tracker_gate(const struct tracker *t, const struct tracker_place *p, int64_t now,
                               int64_t *until)
{
    enum tracker_gate worst = TRACKER_OPEN;
    const struct record *r;
    int64_t latest = 0;

    for (r = t->records; r; r = r->hh.next) {
        int64_t u;
        if (!r->until || !record_covers(r, p))
            continue;
        enum tracker_gate g = gate_of(t, r, now, &u);
        if (g > worst || (g == worst && u > latest))
            latest = u;
        worst = g > worst ? g : worst;
    }
    if (until)
        *until = latest;
    return worst;
}

bool tracker_take_probe(struct tracker *t, const struct tracker_place *p, int64_t now)
{
    struct record *r, *next;
    int64_t until;

    if (tracker_gate(t, p, now, NULL) != TRACKER_PROBE)
        return false;
    HASH_ITER(hh, t->records, r, next)
    {
        if (!record_covers(r, p) || gate_of(t, r, now, &until) != TRACKER_PROBE)
            continue;
        r->probe_at = now;
        r->changed = true;
    }
    return true;
}

// ---- experience and prices

// Brings the experience of a record to the present.
static void decay(const struct tracker *t, const struct record *r, int64_t now, double *preemptions,
                  double *hours)
{
    double age = now > r->seen ? (double)(now - r->seen) : 0;
    double weight = r->seen ? exp2(-age / (double)t->conf.half_life_s) : 0;

    *preemptions = r->preemptions * weight;
    *hours = r->hours * weight;
}

static void experience(struct tracker *t, const struct tracker_place *p, double preemptions,
                       double hours, int64_t now)
{
    struct record *r = get(t, p);

    if (!r)
        return;
    decay(t, r, now, &r->preemptions, &r->hours);
    r->preemptions += preemptions;
    r->hours += hours;
    r->seen = now > r->seen ? now : r->seen;
    r->changed = true;
}

void tracker_preempted(struct tracker *t, const struct tracker_place *p, int64_t now)
{
    experience(t, p, 1, 0, now);
}

void tracker_ran(struct tracker *t, const struct tracker_place *p, double hours, int64_t now)
{
    if (hours > 0 && hours < 1e6)
        experience(t, p, 0, hours, now);
}

void tracker_priced(struct tracker *t, const struct tracker_place *p, money_t price, int64_t now)
{
    struct record *r = get(t, p);

    if (!r || price < 0 || now < r->price_at || (price == r->price && now < r->price_at + HOUR_S))
        return;
    r->price = price;
    r->price_at = now;
    r->changed = true;
}

static double rate_of(double preemptions, double hours)
{
    return (PRIOR_PREEMPTIONS + preemptions) / (PRIOR_HOURS + hours);
}

double tracker_prior_rate(void)
{
    return rate_of(0, 0);
}

double tracker_preemption_rate(const struct tracker *t, const struct tracker_place *p, int64_t now)
{
    const struct record *r = find(t, p);
    double preemptions = 0, hours = 0;

    if (r)
        decay(t, r, now, &preemptions, &hours);
    return rate_of(preemptions, hours);
}

int64_t tracker_effective_price(const struct tracker *t, const struct tracker_place *p,
                                int64_t price, double changeover_hours, int64_t now)
{
    if (price < 0 || p->market != MARKET_SPOT || !(changeover_hours > 0))
        return price;
    double factor = 1 + tracker_preemption_rate(t, p, now) * changeover_hours;
    double v = (double)price * factor;
    return v < 9e18 ? (int64_t)llround(v) : INT64_MAX;
}

money_t tracker_price(const struct tracker *t, const struct tracker_place *p, int64_t max_age_s,
                      int64_t now)
{
    const struct record *r = find(t, p);

    return r && r->price != MONEY_UNKNOWN && now - r->price_at <= max_age_s ? r->price
                                                                            : MONEY_UNKNOWN;
}

void tracker_each(const struct tracker *t, int64_t now,
                  void (*cb)(void *arg, const struct tracker_view *v), void *arg)
{
    for (const struct record *r = t->records; r; r = r->hh.next) {
        struct tracker_view v = {
            .place = place_of(r),
            .reason = r->reason ? r->reason : "",
            .price = r->price,
            .price_at = r->price_at,
        };
        v.gate = gate_of(t, r, now, &v.until);
        v.probing = v.gate == TRACKER_CLOSED && probing(t, r, now);
        decay(t, r, now, &v.preemptions, &v.hours);
        v.rate = rate_of(v.preemptions, v.hours);
        cb(arg, &v);
    }
}

// ---- store

bool tracker_changed(const struct tracker *t)
{
    for (const struct record *r = t->records; r; r = r->hh.next)
        if (r->changed)
            return true;
    return false;
}

static cJSON *row_of(const struct record *r)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "cloud", r->cloud);
    json_add_str(o, "region", r->region);
    json_add_str(o, "zone", r->zone);
    json_add_str(o, "instance_type", r->type);
    json_add_i64(o, "market", r->market);
    json_add_i64(o, "until", r->until);
    json_add_i64(o, "block_s", r->block_s);
    json_add_i64(o, "probe_at", r->probe_at);
    json_add_str(o, "reason", r->reason);
    cJSON_AddNumberToObject(o, "preemptions", r->preemptions);
    cJSON_AddNumberToObject(o, "hours", r->hours);
    json_add_i64(o, "seen", r->seen);
    json_add_money(o, "price_uusd", r->price);
    json_add_i64(o, "price_at", r->price_at);
    return o;
}

int tracker_changes(const struct tracker *t,
                    int (*put)(void *arg, const char *key, const cJSON *row), void *arg)
{
    for (const struct record *r = t->records; r; r = r->hh.next) {
        if (!r->changed)
            continue;
        cJSON *row = row_of(r);
        int rc = put(arg, r->key, row);
        cJSON_Delete(row);
        if (rc < 0)
            return -1;
    }
    return 0;
}

void tracker_saved(struct tracker *t)
{
    for (struct record *r = t->records; r; r = r->hh.next)
        r->changed = false;
}

size_t tracker_prune(struct tracker *t, int64_t now, void (*forgot)(void *arg, const char *key),
                     void *arg)
{
    struct record *r, *next;

    HASH_ITER(hh, t->records, r, next)
    {
        double preemptions, hours;
        decay(t, r, now, &preemptions, &hours);
        bool news = !r->until || now >= half_open_at(t, r) + NEWS_AFTER * r->block_s;
        if (!news || preemptions + hours >= 0.01 || now <= r->price_at + DAY_S)
            continue;
        if (forgot)
            forgot(arg, r->key);
        drop(t, r);
    }
    return HASH_COUNT(t->records);
}

// A point in time or a length; -1 when it cannot be one.
static int64_t time_in(const cJSON *row, const char *key)
{
    int64_t v = json_i64(row, key, -1);

    return v > INT64_C(1) << 40 ? -1 : v;
}

int tracker_load_row(struct tracker *t, const cJSON *row, burst_error_t *errp)
{
    struct tracker_place p = {json_str(row, "cloud", NULL), json_str(row, "region", NULL),
                              json_str(row, "zone", NULL), json_str(row, "instance_type", NULL),
                              (int)json_i64(row, "market", -2)};
    int64_t until = time_in(row, "until"), block_s = time_in(row, "block_s");
    int64_t probe_at = time_in(row, "probe_at"), seen = time_in(row, "seen");
    int64_t price_at = time_in(row, "price_at");
    double preemptions = json_dbl(row, "preemptions", -1), hours = json_dbl(row, "hours", -1);

    if (!p.cloud || !p.region || !p.zone || !p.instance_type || p.market < -1 ||
        p.market >= MARKETS)
        return errprintf(errp, "tracker row: cloud, region, zone, instance_type or market is "
                               "missing or of another kind");
    if (until < 0 || block_s < 0 || probe_at < 0 || seen < 0 || price_at < 0 ||
        !(preemptions >= 0) || !(hours >= 0))
        return errprintf(errp, "tracker row of %s/%s: a time or count is missing or out of range",
                         p.cloud, p.region);
    struct record *r = get(t, &p);
    if (!r)
        return errprintf(errp, "tracker: more than %d places", RECORDS_MAX);
    r->until = until;
    r->block_s = block_s;
    r->probe_at = probe_at;
    xstrset(&r->reason, json_str(row, "reason", NULL));
    r->preemptions = preemptions;
    r->hours = hours;
    r->seen = seen;
    r->price = json_money(row, "price_uusd");
    r->price_at = price_at;
    r->changed = false;
    return 0;
}
