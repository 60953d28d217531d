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
#define RECORDS_MAX 100000 // beyond it new places are not remembered
#define DAY_S 86400
// Before anything was seen: one preemption in 24 hours, believed as much as a day of observation.
#define PRIOR_PREEMPTIONS 1.0
#define PRIOR_HOURS 24.0

struct record {
    char *key;
    char *cloud, *region, *zone, *type;
    int market;
    // refusals
    unsigned refusals; // in a row
    int64_t until;     // closed until then; 0 = open
    int64_t probe_at;  // a probe was taken; 0 = none
    char *reason;
    // experience, decayed to `seen`
    double preemptions, hours;
    int64_t seen;
    money_t price;
    int64_t price_at;
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
    t->conf.first_block_s = t->conf.first_block_s > 0 ? t->conf.first_block_s : 60;
    t->conf.max_block_s = t->conf.max_block_s > 0 ? t->conf.max_block_s : 3600;
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

static bool covers(const struct record *r, const struct tracker_place *p)
{
    return part_covers(r->cloud, p->cloud) && part_covers(r->region, p->region) &&
           part_covers(r->zone, p->zone) && part_covers(r->type, p->instance_type) &&
           (r->market < 0 || r->market == p->market);
}

void tracker_refused(struct tracker *t, const struct tracker_place *p, int64_t now,
                     const char *reason)
{
    struct record *r = get(t, p);
    int64_t block = t->conf.first_block_s;

    if (!r)
        return;
    // Refusals of launches that were under way together count once.
    if (r->until > now && !r->probe_at)
        return;
    for (unsigned i = 0; i < r->refusals && block < t->conf.max_block_s; i++)
        block *= 2;
    r->refusals++;
    r->until = now + (block < t->conf.max_block_s ? block : t->conf.max_block_s);
    r->probe_at = 0;
    xstrset(&r->reason, reason);
}

void tracker_granted(struct tracker *t, const struct tracker_place *p, int64_t now)
{
    struct record *r, *next;

    HASH_ITER(hh, t->records, r, next)
    {
        if (!r->until || !covers(r, p))
            continue;
        r->until = r->probe_at = 0;
        r->refusals = 0;
    }
}

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

    if (!r || price < 0 || now < r->price_at)
        return;
    r->price = price;
    r->price_at = now;
}

static enum tracker_gate gate_of(const struct tracker *t, const struct record *r, int64_t now,
                                 int64_t *until)
{
    if (!r->until)
        return TRACKER_OPEN;
    if (now < r->until) {
        *until = r->until;
        return TRACKER_CLOSED;
    }
    if (r->probe_at && now < r->probe_at + t->conf.probe_s) {
        *until = r->probe_at + t->conf.probe_s;
        return TRACKER_CLOSED;
    }
    return TRACKER_PROBE;
}

enum tracker_gate tracker_gate(const struct tracker *t, const struct tracker_place *p, int64_t now,
                               int64_t *until)
{
    enum tracker_gate worst = TRACKER_OPEN;
    const struct record *r;
    int64_t latest = 0;

    for (r = t->records; r; r = r->hh.next) {
        int64_t u = 0;
        if (!r->until || !covers(r, p))
            continue;
        enum tracker_gate g = gate_of(t, r, now, &u);
        worst = g > worst ? g : worst;
        latest = u > latest ? u : latest;
    }
    if (until)
        *until = latest;
    return worst;
}

bool tracker_take_probe(struct tracker *t, const struct tracker_place *p, int64_t now)
{
    struct record *r, *next;

    if (tracker_gate(t, p, now, NULL) != TRACKER_PROBE)
        return false;
    HASH_ITER(hh, t->records, r, next)
    if (r->until && covers(r, p))
        r->probe_at = now;
    return true;
}

double tracker_preemption_rate(const struct tracker *t, const struct tracker_place *p, int64_t now)
{
    const struct record *r = find(t, p);
    double preemptions = 0, hours = 0;

    if (r)
        decay(t, r, now, &preemptions, &hours);
    return (PRIOR_PREEMPTIONS + preemptions) / (PRIOR_HOURS + hours);
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

static void add_part(cJSON *o, const char *key, const char *value)
{
    if (*value)
        json_add_str(o, key, value);
    else
        cJSON_AddNullToObject(o, key);
}

cJSON *tracker_blocked(const struct tracker *t, int64_t nodes, int64_t now)
{
    cJSON *list = cJSON_CreateArray();
    const struct record *r;
    int64_t until;

    for (r = t->records; r; r = r->hh.next) {
        enum tracker_gate g = gate_of(t, r, now, &until);
        if (g == TRACKER_OPEN || (g == TRACKER_PROBE && nodes <= 1))
            continue;
        cJSON *o = cJSON_CreateObject();
        add_part(o, "cloud", r->cloud);
        add_part(o, "region", r->region);
        add_part(o, "zone", r->zone);
        add_part(o, "instance_type", r->type);
        add_part(o, "market", r->market < 0 ? "" : market_name((enum market)r->market));
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

size_t tracker_prune(struct tracker *t, int64_t now)
{
    struct record *r, *next;

    HASH_ITER(hh, t->records, r, next)
    {
        double preemptions, hours;
        decay(t, r, now, &preemptions, &hours);
        // Half open for a day: whoever asks again may as well start anew.
        if (r->until && now > r->until + DAY_S) {
            r->until = r->probe_at = 0;
            r->refusals = 0;
        }
        if (!r->until && preemptions + hours < 0.01 && now > r->price_at + DAY_S)
            drop(t, r);
    }
    return HASH_COUNT(t->records);
}

cJSON *tracker_rows(const struct tracker *t)
{
    cJSON *list = cJSON_CreateArray();
    const struct record *r;

    for (r = t->records; r; r = r->hh.next) {
        cJSON *o = cJSON_CreateObject();
        json_add_str(o, "cloud", r->cloud);
        json_add_str(o, "region", r->region);
        json_add_str(o, "zone", r->zone);
        json_add_str(o, "instance_type", r->type);
        json_add_i64(o, "market", r->market);
        json_add_i64(o, "refusals", r->refusals);
        json_add_i64(o, "until", r->until);
        json_add_i64(o, "probe_at", r->probe_at);
        json_add_str(o, "reason", r->reason);
        cJSON_AddNumberToObject(o, "preemptions", r->preemptions);
        cJSON_AddNumberToObject(o, "hours", r->hours);
        json_add_i64(o, "seen", r->seen);
        json_add_money(o, "price_uusd", r->price);
        json_add_i64(o, "price_at", r->price_at);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

int tracker_load_row(struct tracker *t, const cJSON *row, burst_error_t *errp)
{
    struct tracker_place p = {json_str(row, "cloud", NULL), json_str(row, "region", NULL),
                              json_str(row, "zone", NULL), json_str(row, "instance_type", NULL),
                              (int)json_i64(row, "market", -2)};
    int64_t refusals = json_i64(row, "refusals", -1), until = json_i64(row, "until", -1);
    double preemptions = json_dbl(row, "preemptions", -1), hours = json_dbl(row, "hours", -1);

    if (!p.cloud || !p.region || !p.zone || !p.instance_type || p.market < -1 ||
        p.market >= MARKETS)
        return errprintf(errp, "tracker row: cloud, region, zone, instance_type or market is "
                               "missing or of another kind");
    if (refusals < 0 || refusals > 1000000 || until < 0 || !(preemptions >= 0) || !(hours >= 0))
        return errprintf(errp, "tracker row of %s/%s: a count is missing or negative", p.cloud,
                         p.region);
    struct record *r = get(t, &p);
    if (!r)
        return errprintf(errp, "tracker: more than %d places", RECORDS_MAX);
    r->refusals = (unsigned)refusals;
    r->until = until;
    r->probe_at = json_i64(row, "probe_at", 0);
    xstrset(&r->reason, json_str(row, "reason", NULL));
    r->preemptions = preemptions;
    r->hours = hours;
    r->seen = json_i64(row, "seen", 0);
    r->price = json_money(row, "price_uusd");
    r->price_at = json_i64(row, "price_at", 0);
    return 0;
}
