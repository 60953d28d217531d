// SPDX-License-Identifier: GPL-3.0-or-later
// See bounds.h.
#include "state/bounds.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "state/store.h"

#define WINDOW_FIRST 2     // jobs that may try what never worked
#define WINDOW_TRUSTED 256 // from here on it is not bounded
#define FORGET_S (7 * 86400)

struct bound {
    char key[BOUND_KEY_MAX]; // "K key": a letter for the kind
    enum bound_kind kind;
    unsigned failures; // in a row
    unsigned window;   // jobs at a time; WINDOW_TRUSTED = any number
    int64_t until;     // epoch seconds: closed until then
    int64_t since;     // epoch seconds: of the first of these failures
    int64_t changed;
    enum failure_class cls;
    char why[256];
    UT_hash_handle hh;
};

struct bounds {
    struct burstd *b;
    struct bound *rows;
};

// What a kind bears. A failure that the same job may cure elsewhere is paused for later than one
// that concerns everybody.
static const struct {
    const char *name;
    unsigned free;          // failures in a row without a pause
    int64_t first_s, max_s; // 0 = as the site says (bounds.pause, bounds.pause_max of burst.yaml)
    bool slow;              // slow start
} kinds[] = {
    [BOUND_JOB] = {"job", 1, 600, 6 * 3600, false},
    [BOUND_PLACE] = {"place", 1, 0, 0, false},
    [BOUND_SHAPE] = {"shape", 1, 0, 0, true},
    [BOUND_PARTITION] = {"partition", 1, 0, 0, false},
    [BOUND_LIMIT] = {"limit", 0, 300, 3600, false},
    [BOUND_SITE] = {"site", 0, 60, 3600, true},
};

static void full_key(char out[BOUND_KEY_MAX], enum bound_kind kind, const char *key)
{
    snprintf(out, BOUND_KEY_MAX, "%s %s", kinds[kind].name, key);
}

static const char *bare_key(const struct bound *r)
{
    return r->key + strlen(kinds[r->kind].name) + 1;
}

static struct bound *find(const struct bounds *t, enum bound_kind kind, const char *key)
{
    char full[BOUND_KEY_MAX];
    struct bound *r;

    full_key(full, kind, key);
    HASH_FIND_STR(t->rows, full, r);
    return r;
}

static struct bound *add(struct bounds *t, enum bound_kind kind, const char *key)
{
    struct bound *r = find(t, kind, key);

    if (r)
        return r;
    r = xmalloc(sizeof(*r));
    full_key(r->key, kind, key);
    r->kind = kind;
    r->window = WINDOW_FIRST;
    HASH_ADD_STR(t->rows, key, r);
    return r;
}

static void drop(struct bounds *t, struct bound *r)
{
    HASH_DEL(t->rows, r);
    free(r);
}

// ---- journal; what cannot be written is logged, counts in memory and is written with the next
// change

static void save(struct bounds *t, const struct bound *r, bool gone)
{
    burst_error_t err;
    cJSON *o = NULL;

    if (!gone) {
        o = cJSON_CreateObject();
        json_add_str(o, "kind", kinds[r->kind].name);
        json_add_str(o, "key", bare_key(r));
        json_add_i64(o, "failures", r->failures);
        json_add_i64(o, "window", r->window);
        json_add_i64(o, "until", r->until);
        json_add_i64(o, "since", r->since);
        json_add_i64(o, "changed", r->changed);
        json_add_i64(o, "class", (int64_t)r->cls);
        json_add_str(o, "why", r->why);
    }
    if (store_put_bound(t->b->store, r->key, o, &err) < 0)
        log_rarely(LOG_LEVEL_ERROR, "%s", err.text);
    cJSON_Delete(o);
}

static void load(void *arg, const cJSON *o)
{
    struct bounds *t = arg;
    const char *kind = json_str(o, "kind", "");
    int64_t cls = json_i64(o, "class", 0);

    for (int k = 0; k <= BOUND_SITE; k++) {
        if (strcmp(kinds[k].name, kind) != 0)
            continue;
        struct bound *r = add(t, (enum bound_kind)k, json_str(o, "key", ""));
        r->failures = (unsigned)json_i64(o, "failures", 0);
        r->window = (unsigned)json_i64(o, "window", WINDOW_FIRST);
        r->until = json_i64(o, "until", 0);
        r->changed = json_i64(o, "changed", 0);
        r->since = json_i64(o, "since", r->changed); // rows of before 0.1.0 have none
        r->cls = cls > FAILURE_NONE && cls <= FAILURE_LAST ? (enum failure_class)cls : FAILURE_NONE;
        snprintf(r->why, sizeof(r->why), "%s", json_str(o, "why", ""));
    }
}

// What nobody has asked for a week is no news.
static void forget_old(struct bounds *t)
{
    struct bound *r, *next;

    HASH_ITER(hh, t->rows, r, next)
    {
        if (r->failures == 0 || clock_now_s() - r->changed < FORGET_S)
            continue;
        save(t, r, true);
        drop(t, r);
    }
}

struct bounds *bounds_create(struct burstd *b)
{
    struct bounds *t = xmalloc(sizeof(*t));
    burst_error_t err;

    t->b = b;
    if (store_load_bounds(b->store, load, t, &err) < 0)
        log_error("%s", err.text);
    forget_old(t);
    return t;
}

void bounds_destroy(struct bounds *t)
{
    struct bound *r, *next;

    if (!t)
        return;
    HASH_ITER(hh, t->rows, r, next)
    {
        drop(t, r);
    }
    free(t);
}

// ---- counting

static int64_t pause_s(const struct bounds *t, const struct bound *r)
{
    const struct burst_conf *c = t->b->conf;
    int64_t s = kinds[r->kind].first_s ? kinds[r->kind].first_s : c->bound_pause_s;
    int64_t max = kinds[r->kind].max_s ? kinds[r->kind].max_s : c->bound_pause_max_s;

    if (r->failures <= kinds[r->kind].free)
        return 0;
    for (unsigned k = kinds[r->kind].free + 1; k < r->failures && s < max; k++)
        s *= 2;
    return s < max ? s : max;
}

unsigned bound_failed(struct bounds *t, enum bound_kind kind, const char *key,
                      enum failure_class cls, const char *why)
{
    struct bound *r = add(t, kind, key);
    int64_t now = clock_now_s();

    // Several that were under way together are one failure: none of them knew of the others.
    if (now < r->until)
        return r->failures;
    if (r->failures++ == 0)
        r->since = now;
    r->window = WINDOW_FIRST;
    r->changed = now;
    r->until = now + pause_s(t, r);
    r->cls = cls;
    snprintf(r->why, sizeof(r->why), "%s", why);
    if (r->failures == kinds[kind].free + 1)
        log_warn("%s %s failed %u times in a row (%s: %s): nothing is rented for it for %" PRId64
                 " s, then it is tried once",
                 kinds[kind].name, key, r->failures, failure_class_name(cls), why, pause_s(t, r));
    save(t, r, false);
    return r->failures;
}

void bound_hopeless(struct bounds *t, enum bound_kind kind, const char *key, enum failure_class cls,
                    const char *why)
{
    while (bound_failed(t, kind, key, cls, why) <= kinds[kind].free)
        ;
}

void bound_learned(struct bounds *t, const char *key, unsigned running, const char *why)
{
    bool pausing = bound_closed(t, BOUND_LIMIT, key, NULL);

    bound_failed(t, BOUND_LIMIT, key, FAILURE_START, why);
    struct bound *r = find(t, BOUND_LIMIT, key);
    if (!pausing || running < r->window)
        r->window = running;
    save(t, r, false);
}

void bound_worked(struct bounds *t, enum bound_kind kind, const char *key)
{
    struct bound *r = find(t, kind, key);

    if (!r && !kinds[kind].slow)
        return;
    if (!r)
        r = add(t, kind, key);
    if (r->failures == 0 && r->window >= WINDOW_TRUSTED)
        return;
    if (r->failures > kinds[kind].free)
        log_info("%s %s works again", kinds[kind].name, bare_key(r));
    if (kind == BOUND_LIMIT) // the probe: one more runs
        r->until = clock_now_s();
    if (!kinds[kind].slow && kind != BOUND_LIMIT) {
        save(t, r, true);
        drop(t, r);
        return;
    }
    r->changed = clock_now_s();
    if (kind != BOUND_LIMIT) {
        r->failures = 0;
        r->until = 0;
        r->window *= 2;
    }
    save(t, r, false);
}

void bound_forget(struct bounds *t, enum bound_kind kind, const char *key)
{
    struct bound *r = find(t, kind, key);

    if (!r)
        return;
    save(t, r, true);
    drop(t, r);
}

// ---- asking

// "place:aws/us-east-1/us-east-1a/c6i.large/spot": what they see and type.
static void name_of(const struct bound *r, char out[BOUND_KEY_MAX])
{
    snprintf(out, BOUND_KEY_MAX, "%s:%s", kinds[r->kind].name, bare_key(r));
    for (char *p = out; *p; p++)
        if (*p == '|')
            *p = '/';
}

static void closed_text(const struct bound *r, char *why, size_t size)
{
    char at[CLOCK_TEXT_MAX], name[BOUND_KEY_MAX], times[32] = "once";

    clock_local(r->until, at);
    name_of(r, name);
    if (r->failures > 1)
        snprintf(times, sizeof(times), "%u times in a row", r->failures);
    snprintf(why, size, "%s failed %s (%s: %.160s); it is tried again at %s", name, times,
             failure_class_name(r->cls), r->why, at);
}

// As many as were seen to run; one more once the pause is over.
static unsigned limit_room(const struct bound *r, unsigned running, char *why, size_t size)
{
    unsigned most = r->window + (clock_now_s() >= r->until);

    if (running < most)
        return most - running;
    if (why)
        closed_text(r, why, size);
    return 0;
}

unsigned bound_room(const struct bounds *t, enum bound_kind kind, const char *key, unsigned trying,
                    char *why, size_t size)
{
    const struct bound *r = find(t, kind, key);

    if (r && kind == BOUND_LIMIT)
        return limit_room(r, trying, why, size);
    unsigned most = UINT32_MAX;

    if (r && r->failures)
        most = 1;
    else if (kinds[kind].slow)
        most = r ? r->window : WINDOW_FIRST;

    if (r && r->failures && clock_now_s() < r->until) {
        if (why)
            closed_text(r, why, size);
        return 0;
    }
    if (most >= WINDOW_TRUSTED)
        most = UINT32_MAX;
    if (trying < most)
        return most - trying;
    if (why)
        snprintf(why, size,
                 r && r->failures ? "%s %s has failed; one job tries it first"
                                  : "%s %s is new; a few jobs try it first",
                 kinds[kind].name, key);
    return 0;
}

bool bound_closed(const struct bounds *t, enum bound_kind kind, const char *key, int64_t *until)
{
    const struct bound *r = find(t, kind, key);

    if (!r || !r->failures || clock_now_s() >= r->until)
        return false;
    if (until)
        *until = r->until;
    return true;
}

unsigned bound_failures(const struct bounds *t, enum bound_kind kind, const char *key)
{
    const struct bound *r = find(t, kind, key);

    return r ? r->failures : 0;
}

// ---- places and the site

void bound_place_key(char key[BOUND_KEY_MAX], const char *cloud, const char *region,
                     const char *zone, const char *itype, bool spot)
{
    snprintf(key, BOUND_KEY_MAX, "%s|%s|%s|%s|%s", cloud, region, zone, itype, market_text(spot));
}

const char *bound_shape_key(const char *partition, const char *shape, char key[BOUND_KEY_MAX])
{
    snprintf(key, BOUND_KEY_MAX, "%s/%s", partition, shape);
    return key;
}

void bound_place_names(const char *key, cJSON *o)
{
    static const char *const names[] = {"cloud", "region", "zone", "instance_type", "market"};
    char *parts = xstrdup(key), *rest = parts;

    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]) && rest; k++) {
        const char *part = strsep(&rest, "|");
        json_add_str(o, names[k], *part ? part : NULL);
    }
    free(parts);
}

void bounds_add_blocked(const struct bounds *t, cJSON *blocked)
{
    int64_t now = clock_now_s();

    for (const struct bound *r = t->rows; r; r = r->hh.next) {
        if (r->kind != BOUND_PLACE || !r->failures || now >= r->until)
            continue;
        cJSON *o = cJSON_CreateObject();
        bound_place_names(bare_key(r), o);
        cJSON_AddItemToArray(blocked, o);
    }
}

bool bounds_site_closed(const struct bounds *t, unsigned trying, char *why, size_t size)
{
    // What nothing has shown to work yet, whatever the shapes and places that would be tried.
    if (bound_room(t, BOUND_SITE, BOUND_SITE_PREPARE, trying, why, size) == 0 ||
        bound_room(t, BOUND_SITE, BOUND_SITE_STAGING, trying, why, size) == 0)
        return true;
    for (const struct bound *r = t->rows; r; r = r->hh.next)
        if (r->kind == BOUND_SITE && bound_room(t, BOUND_SITE, bare_key(r), trying, why, size) == 0)
            return true;
    return false;
}

// ---- for people

cJSON *bounds_json(const struct bounds *t)
{
    cJSON *list = cJSON_CreateArray();
    int64_t now = clock_now_s();
    char name[BOUND_KEY_MAX], sentence[BOUND_KEY_MAX + 320];

    for (const struct bound *r = t->rows; r; r = r->hh.next) {
        if (!r->failures)
            continue;
        cJSON *o = cJSON_CreateObject();
        name_of(r, name);
        closed_text(r, sentence, sizeof(sentence));
        json_add_str(o, "bound", name);
        json_add_str(o, "kind", kinds[r->kind].name);
        json_add_str(o, "key", bare_key(r));
        if (r->kind == BOUND_PLACE)
            bound_place_names(bare_key(r), o);
        json_add_i64(o, "failures", r->failures);
        json_add_str(o, "cause", failure_class_name(r->cls));
        json_add_str(o, "state", now < r->until ? "closed" : "probing");
        json_add_i64(o, "since", r->since);
        json_add_i64(o, "until", r->until);
        json_add_str(o, "reason", r->why);
        json_add_str(o, "sentence", sentence);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

int bounds_reopen(struct bounds *t, const char *pattern, cJSON *opened, burst_error_t *errp)
{
    struct bound *r, *next;
    char name[BOUND_KEY_MAX];

    HASH_ITER(hh, t->rows, r, next)
    {
        name_of(r, name);
        if (!r->failures || (pattern && fnmatch(pattern, name, 0) != 0))
            continue;
        if (store_put_bound(t->b->store, r->key, NULL, errp) < 0)
            return -1;
        cJSON *o = cJSON_CreateObject();
        json_add_str(o, "bound", name);
        json_add_str(o, "kind", kinds[r->kind].name);
        json_add_str(o, "key", bare_key(r));
        cJSON_AddItemToArray(opened, o);
        drop(t, r);
    }
    return 0;
}
