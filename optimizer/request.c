// SPDX-License-Identifier: GPL-3.0-or-later
// Checks and reads a plan request. Users' scripts write these: every message names the field by
// its path and says what would be right. Unknown keys are errors, since a misspelt `regions`
// would buy the wrong instance; keys that begin with "x-" are left to the writer.
#include "optimizer/request.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "libburst/xalloc.h"

#define NAME_MAX_LEN 256
#define HOURS_MAX 1e6
#define GB_MAX 1e12
#define USD_MAX 1e9
#define NODES_MAX 1e6
#define PRICE_MIN 1e-6 // of what was observed: 0 is what clouds say when they do not know
#define PRICE_MAX 1e6  // USD per hour
#define RATE_MAX 3600  // preemptions per hour: one a second
#define CHANGEOVER_MAX 1000
#define LIST_MAX 10000

// Where we are, for messages; the text of a level is only put together when it is needed.
struct where {
    const struct where *up;
    const char *key; // NULL = the index
    size_t index;
};

static void put_path(const struct where *w, char *buf, size_t size)
{
    size_t len;

    if (!w)
        return;
    put_path(w->up, buf, size);
    len = strlen(buf);
    if (w->key)
        snprintf(buf + len, size - len, "%s%s", len ? "." : "", w->key);
    else
        snprintf(buf + len, size - len, "[%zu]", w->index);
}

static int fail(burst_error_t *errp, const struct where *up, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static int fail(burst_error_t *errp, const struct where *up, const char *key, const char *fmt, ...)
{
    struct where w = {.up = up, .key = key};
    char path[256] = "", text[256];
    va_list ap;

    put_path(key ? &w : up, path, sizeof(path));
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return errprintf(errp, "%s: %s", *path ? path : "request", text);
}

// A value as it stands in the request, short enough for a message.
static const char *shown(const cJSON *v, char buf[64])
{
    char *text = v ? cJSON_PrintUnformatted(v) : NULL;

    snprintf(buf, 64, "%.60s", text ? text : "nothing");
    cJSON_free(text);
    return buf;
}

static const cJSON *item(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return v && !cJSON_IsNull(v) ? v : NULL;
}

static size_t distance(const char *a, const char *b)
{
    size_t row[64], la = strlen(a), lb = strlen(b);

    if (la > 60 || lb > 60)
        return 99;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[lb];
}

static const char *nearest(const char *const *keys, const char *word)
{
    const char *best = keys[0];

    for (int k = 1; keys[k]; k++)
        if (distance(keys[k], word) < distance(best, word))
            best = keys[k];
    return best;
}

// keys ends with NULL.
static int check_keys(const cJSON *o, const struct where *up, const char *const *keys,
                      burst_error_t *errp)
{
    const cJSON *v;
    uint64_t seen = 0;

    if (!cJSON_IsObject(o)) {
        char buf[64];
        return fail(errp, up, NULL, "must be an object, is %s", shown(o, buf));
    }
    cJSON_ArrayForEach(v, o)
    {
        int k = 0;
        if (strncmp(v->string, "x-", 2) == 0)
            continue;
        while (keys[k] && strcmp(keys[k], v->string) != 0)
            k++;
        if (!keys[k])
            return fail(errp, up, NULL, "unknown key \"%.60s\"; the nearest known one is \"%s\"",
                        v->string, nearest(keys, v->string));
        if (seen & (UINT64_C(1) << k))
            return fail(errp, up, keys[k], "is there twice");
        seen |= UINT64_C(1) << k;
    }
    return 0;
}

static int get_number(const cJSON *o, const struct where *up, const char *key, double min,
                      double max, double dflt, double *out, burst_error_t *errp)
{
    const cJSON *v = item(o, key);
    char buf[64];

    *out = dflt;
    if (!v)
        return 0;
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= min && v->valuedouble <= max))
        return fail(errp, up, key, "must be a number from %g to %g, is %s", min, max,
                    shown(v, buf));
    *out = v->valuedouble;
    return 0;
}

static int get_name(const cJSON *v, const struct where *up, const char *key, char **out,
                    burst_error_t *errp)
{
    char buf[64];

    if (!cJSON_IsString(v) || !*v->valuestring)
        return fail(errp, up, key, "must be a text that is not empty, is %s", shown(v, buf));
    if (strlen(v->valuestring) > NAME_MAX_LEN)
        return fail(errp, up, key, "must have at most %d bytes, has %zu", NAME_MAX_LEN,
                    strlen(v->valuestring));
    for (const char *p = v->valuestring; *p; p++)
        if ((unsigned char)*p < 32)
            return fail(errp, up, key, "must have no control characters");
    *out = xstrdup(v->valuestring);
    return 0;
}

static int get_text(const cJSON *o, const struct where *up, const char *key, char **out,
                    burst_error_t *errp)
{
    const cJSON *v = item(o, key);

    return v ? get_name(v, up, key, out, errp) : 0;
}

static int get_bool(const cJSON *o, const struct where *up, const char *key, bool *out,
                    burst_error_t *errp)
{
    const cJSON *v = item(o, key);
    char buf[64];

    if (v && !cJSON_IsBool(v))
        return fail(errp, up, key, "must be true or false, is %s", shown(v, buf));
    *out = cJSON_IsTrue(v);
    return 0;
}

// An array or nothing; *n = its length.
static int get_array(const cJSON *o, const struct where *up, const char *key, size_t max,
                     const cJSON **out, size_t *n, burst_error_t *errp)
{
    char buf[64];

    *out = item(o, key);
    *n = 0;
    if (!*out)
        return 0;
    if (!cJSON_IsArray(*out))
        return fail(errp, up, key, "must be a list, is %s", shown(*out, buf));
    *n = (size_t)cJSON_GetArraySize(*out);
    if (*n > max)
        return fail(errp, up, key, "has %zu entries; at most %zu are accepted", *n, max);
    return 0;
}

static int get_list(const cJSON *o, const struct where *up, const char *key, struct rq_list *out,
                    burst_error_t *errp)
{
    struct where w = {.up = up, .key = key}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (get_array(o, up, key, LIST_MAX, &a, &n, errp) < 0)
        return -1;
    out->item = xcalloc(n + 1, sizeof(*out->item));
    cJSON_ArrayForEach(v, a)
    {
        if (get_name(v, &at, NULL, &out->item[out->n], errp) < 0)
            return -1;
        at.index = ++out->n;
    }
    return 0;
}

// "cloud/region"
static int get_location(const cJSON *v, const struct where *up, const char *key,
                        struct rq_location *out, burst_error_t *errp)
{
    char *text = NULL, *slash, buf[64];

    if (get_name(v, up, key, &text, errp) < 0)
        return -1;
    slash = strchr(text, '/');
    if (!slash || slash == text || !slash[1]) {
        free(text);
        return fail(errp, up, key, "must be like \"cloud/region\", is %s", shown(v, buf));
    }
    *slash = '\0';
    out->cloud = text;
    out->region = xstrdup(slash + 1);
    return 0;
}

static int get_hours(const cJSON *o, const struct where *up, double *out, burst_error_t *errp)
{
    static const char *const keys[] = {"total_tflop", "tflops", NULL};
    struct where w = {.up = up, .key = "hours"};
    const cJSON *v = item(o, "hours");
    double total, rate;

    if (!cJSON_IsObject(v))
        return get_number(o, up, "hours", 0, HOURS_MAX, 1, out, errp);
    if (check_keys(v, &w, keys, errp) < 0 ||
        get_number(v, &w, "total_tflop", 0, 1e30, -1, &total, errp) < 0 ||
        get_number(v, &w, "tflops", 1e-9, 1e18, -1, &rate, errp) < 0)
        return -1;
    if (total < 0 || rate < 0)
        return fail(errp, &w, total < 0 ? "total_tflop" : "tflops", "is missing");
    *out = total / rate / 3600;
    if (!(*out <= HOURS_MAX))
        return fail(errp, &w, NULL, "comes to %g hours; at most %g are accepted", *out, HOURS_MAX);
    return 0;
}

static int get_nodes(const cJSON *o, const struct where *up, uint32_t dflt, uint32_t *out,
                     burst_error_t *errp)
{
    double nodes;

    if (get_number(o, up, "nodes", 1, NODES_MAX, dflt, &nodes, errp) < 0)
        return -1;
    if (nodes != floor(nodes))
        return fail(errp, up, "nodes", "must be a whole number, is %g", nodes);
    *out = (uint32_t)nodes;
    return 0;
}

static int get_market(const cJSON *o, const struct where *up, enum rq_market *out,
                      burst_error_t *errp)
{
    const cJSON *v = item(o, "market");
    char buf[64];

    *out = RQ_ANY;
    if (!v || (cJSON_IsString(v) && strcmp(v->valuestring, "any") == 0))
        return 0;
    if (cJSON_IsString(v) && strcmp(v->valuestring, "spot") == 0)
        *out = RQ_SPOT;
    else if (cJSON_IsString(v) && strcmp(v->valuestring, "on-demand") == 0)
        *out = RQ_ON_DEMAND;
    else
        return fail(errp, up, "market", "must be \"any\", \"spot\" or \"on-demand\", is %s",
                    shown(v, buf));
    return 0;
}

static int get_need(const cJSON *o, const struct where *up, uint32_t nodes, struct rq_need *out,
                    burst_error_t *errp)
{
    static const char *const keys[] = {"accelerator", "count", "vcpus",  "memory_gib",
                                       "hours",       "nodes", "clouds", NULL};

    if (check_keys(o, up, keys, errp) < 0 || get_list(o, up, "clouds", &out->clouds, errp) < 0 ||
        get_text(o, up, "accelerator", &out->accelerator, errp) < 0 ||
        get_number(o, up, "count", 0, 1e6, out->accelerator ? 1 : 0, &out->count, errp) < 0 ||
        get_number(o, up, "vcpus", 0, 1e9, 0, &out->vcpus, errp) < 0 ||
        get_number(o, up, "memory_gib", 0, 1e9, 0, &out->memory_gib, errp) < 0 ||
        get_hours(o, up, &out->hours, errp) < 0 || get_nodes(o, up, nodes, &out->nodes, errp) < 0)
        return -1;
    if (!out->accelerator && out->count > 0)
        return fail(errp, up, "count", "counts accelerators, but \"accelerator\" is missing");
    return 0;
}

static int get_alternative(const cJSON *o, const struct where *up, uint32_t nodes,
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

    if (check_keys(o, up, keys, errp) < 0 ||
        get_name(cJSON_GetObjectItemCaseSensitive(o, "name"), up, "name", &out->name, errp) < 0 ||
        get_location(cJSON_GetObjectItemCaseSensitive(o, "location"), up, "location",
                     &out->location, errp) < 0 ||
        get_text(o, up, "zone", &out->zone, errp) < 0 ||
        get_text(o, up, "instance_type", &out->instance_type, errp) < 0 ||
        get_text(o, up, "accelerator", &out->accelerator, errp) < 0 ||
        get_market(o, up, &market, errp) < 0 ||
        get_number(o, up, "price_usd_per_hour", 0, PRICE_MAX, 0, &out->price_usd_per_hour, errp) <
            0 ||
        get_number(o, up, "fixed_usd", 0, USD_MAX, 0, &out->fixed_usd, errp) < 0 ||
        get_number(o, up, "wait_hours", 0, HOURS_MAX, 0, &out->wait_hours, errp) < 0)
        return -1;
    out->market = market == RQ_SPOT ? MARKET_SPOT : MARKET_ON_DEMAND;
    if (get_nodes(o, up, nodes, &out->nodes, errp) < 0)
        return -1;
    return get_hours(o, up, &out->hours, errp);
}

struct named {
    const char *name;
    int index;
    UT_hash_handle hh;
};

// Remembers a name; an earlier one is an error.
static int add_named(struct named **table, const char *name, int index, const struct where *up,
                     const char *what, burst_error_t *errp)
{
    struct named *n;

    HASH_FIND_STR(*table, name, n);
    if (n)
        return fail(errp, up, "name", "\"%.60s\" is already the name of %s[%d]", name, what,
                    n->index);
    n = xmalloc(sizeof(*n));
    n->name = name;
    n->index = index;
    HASH_ADD_KEYPTR(hh, *table, name, strlen(name), n);
    return 0;
}

static int find_named(struct named *table, const char *name)
{
    struct named *n;

    HASH_FIND_STR(table, name, n);
    return n ? n->index : -1;
}

static void free_named(struct named *table)
{
    struct named *n, *next;

    HASH_ITER(hh, table, n, next)
    {
        HASH_DEL(table, n);
        free(n);
    }
}

static int get_input(const cJSON *o, const struct where *up, struct named *datasets, bool output,
                     struct rq_transfer *out, burst_error_t *errp)
{
    static const char *const in_keys[] = {"dataset", "location", "size_gb", NULL};
    static const char *const out_keys[] = {"location", "size_gb", NULL};
    const cJSON *d;

    out->dataset = -1;
    if (check_keys(o, up, output ? out_keys : in_keys, errp) < 0)
        return -1;
    d = item(o, "dataset");
    if (d) {
        char buf[64];
        if (item(o, "location") || item(o, "size_gb"))
            return fail(errp, up, "dataset",
                        "says the location and the size already: leave the others out");
        out->dataset = cJSON_IsString(d) ? find_named(datasets, d->valuestring) : -1;
        if (out->dataset < 0)
            return fail(errp, up, "dataset", "no dataset is named %s", shown(d, buf));
        return 0;
    }
    if (get_location(cJSON_GetObjectItemCaseSensitive(o, "location"), up, "location",
                     &out->location, errp) < 0)
        return -1;
    if (!item(o, "size_gb"))
        return fail(errp, up, "size_gb", "is missing");
    return get_number(o, up, "size_gb", 0, GB_MAX, 0, &out->size_gb, errp);
}

static int get_transfers(const cJSON *o, const struct where *up, const char *key,
                         struct named *datasets, struct rq_transfer **out, size_t *n_out,
                         burst_error_t *errp)
{
    struct where w = {.up = up, .key = key}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (get_array(o, up, key, LIST_MAX, &a, &n, errp) < 0)
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

static int get_needs(const cJSON *o, const struct where *up, uint32_t nodes, struct rq_task *t,
                     burst_error_t *errp)
{
    struct where w = {.up = up, .key = "any_of"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (get_array(o, up, "any_of", LIST_MAX, &a, &n, errp) < 0)
        return -1;
    if (!n && !t->n_alternatives)
        return fail(errp, up, "any_of", "must list at least one kind of instance");
    t->needs = xcalloc(n + 1, sizeof(*t->needs));
    cJSON_ArrayForEach(v, a)
    {
        at.index = t->n_needs++;
        if (get_need(v, &at, nodes, &t->needs[at.index], errp) < 0)
            return -1;
    }
    return 0;
}

static int get_alternatives(const cJSON *o, const struct where *up, uint32_t nodes,
                            struct rq_task *t, burst_error_t *errp)
{
    struct where w = {.up = up, .key = "alternatives"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (get_array(o, up, "alternatives", LIST_MAX, &a, &n, errp) < 0)
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

static int get_task(const cJSON *o, const struct where *up, struct named *datasets,
                    struct rq_task *t, burst_error_t *errp)
{
    static const char *const keys[] = {
        "name",   "nodes",   "market",       "any_of",      "clouds",  "regions",   "zones",
        "inputs", "outputs", "alternatives", "limit_hours", "max_usd", "no_limits", NULL};
    uint32_t nodes;
    double usd;

    if (check_keys(o, up, keys, errp) < 0 ||
        get_name(cJSON_GetObjectItemCaseSensitive(o, "name"), up, "name", &t->name, errp) < 0 ||
        get_nodes(o, up, 1, &nodes, errp) < 0 ||
        get_number(o, up, "limit_hours", 0, HOURS_MAX, -1, &t->limit_hours, errp) < 0 ||
        get_number(o, up, "max_usd", 0, USD_MAX, -1, &usd, errp) < 0 ||
        get_bool(o, up, "no_limits", &t->no_limits, errp) < 0)
        return -1;
    t->max_nano = usd < 0 ? INT64_MAX : llround(usd * 1e9);
    if (get_market(o, up, &t->market, errp) < 0 || get_alternatives(o, up, nodes, t, errp) < 0 ||
        get_needs(o, up, nodes, t, errp) < 0 || get_list(o, up, "clouds", &t->clouds, errp) < 0 ||
        get_list(o, up, "regions", &t->regions, errp) < 0 ||
        get_list(o, up, "zones", &t->zones, errp) < 0 ||
        get_transfers(o, up, "inputs", datasets, &t->inputs, &t->n_inputs, errp) < 0 ||
        get_transfers(o, up, "outputs", datasets, &t->outputs, &t->n_outputs, errp) < 0)
        return -1;
    return 0;
}

// offers: of a limit, which may be for what the catalog offers only.
static int get_match(const cJSON *o, const struct where *up, bool offers, struct rq_match *m,
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
    if (check_keys(o, up, offers ? keys : blocked_keys, errp) < 0 ||
        get_text(o, up, "cloud", &m->cloud, errp) < 0 ||
        get_text(o, up, "region", &m->region, errp) < 0 ||
        get_text(o, up, "zone", &m->zone, errp) < 0 ||
        get_text(o, up, "instance_type", &m->instance_type, errp) < 0 ||
        get_text(o, up, "accelerator", &m->accelerator, errp) < 0 ||
        get_text(o, up, "alternative", &m->alternative, errp) < 0)
        return -1;
    if (get_bool(o, up, "offers", &m->offers, errp) < 0)
        return -1;
    if (m->offers && m->alternative)
        return fail(errp, up, "offers",
                    "leaves alternatives out, but \"alternative\" names some: leave one out");
    v = item(o, "market");
    if (!v || (cJSON_IsString(v) && strcmp(v->valuestring, "any") == 0))
        return 0;
    if (cJSON_IsString(v) && strcmp(v->valuestring, "spot") == 0)
        m->market = MARKET_SPOT;
    else if (cJSON_IsString(v) && strcmp(v->valuestring, "on-demand") == 0)
        m->market = MARKET_ON_DEMAND;
    else
        return fail(errp, up, "market", "must be \"spot\", \"on-demand\" or null, is %s",
                    shown(v, buf));
    return 0;
}

static int get_limit(const cJSON *o, const struct where *up, struct rq_limit *l,
                     burst_error_t *errp)
{
    static const char *const keys[] = {"match", "max_nodes", "max_usd", NULL};
    struct where w = {.up = up, .key = "match"};
    double nodes, usd;

    l->match.market = -1;
    if (check_keys(o, up, keys, errp) < 0 ||
        (item(o, "match") && get_match(item(o, "match"), &w, true, &l->match, errp) < 0) ||
        get_number(o, up, "max_nodes", 0, 1e15, -1, &nodes, errp) < 0 ||
        get_number(o, up, "max_usd", 0, USD_MAX, -1, &usd, errp) < 0)
        return -1;
    if (nodes < 0 && usd < 0)
        return fail(errp, up, NULL, "must have \"max_nodes\" or \"max_usd\"");
    l->max_nodes = nodes < 0 ? -1 : (int64_t)floor(nodes);
    l->max_nano = usd < 0 ? -1 : llround(usd * 1e9);
    return 0;
}

static int get_datasets(const cJSON *j, struct request *r, struct named **names,
                        burst_error_t *errp)
{
    static const char *const keys[] = {"name", "location", "size_gb", NULL};
    struct where w = {.key = "datasets"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (get_array(j, NULL, "datasets", REQUEST_TASKS_MAX, &a, &n, errp) < 0)
        return -1;
    r->datasets = xcalloc(n + 1, sizeof(*r->datasets));
    cJSON_ArrayForEach(v, a)
    {
        struct rq_dataset *d = &r->datasets[r->n_datasets];
        at.index = r->n_datasets++;
        if (check_keys(v, &at, keys, errp) < 0 ||
            get_name(cJSON_GetObjectItemCaseSensitive(v, "name"), &at, "name", &d->name, errp) <
                0 ||
            add_named(names, d->name, (int)at.index, &at, "datasets", errp) < 0 ||
            get_location(cJSON_GetObjectItemCaseSensitive(v, "location"), &at, "location",
                         &d->location, errp) < 0 ||
            get_number(v, &at, "size_gb", 0, GB_MAX, 0, &d->size_gb, errp) < 0)
            return -1;
        if (!item(v, "size_gb"))
            return fail(errp, &at, "size_gb", "is missing");
    }
    return 0;
}

static int get_tasks(const cJSON *j, struct request *r, struct named *datasets,
                     struct named **names, burst_error_t *errp)
{
    struct where w = {.key = "tasks"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (get_array(j, NULL, "tasks", REQUEST_TASKS_MAX, &a, &n, errp) < 0)
        return -1;
    if (!n)
        return fail(errp, NULL, "tasks", "must list at least one task");
    r->tasks = xcalloc(n, sizeof(*r->tasks));
    cJSON_ArrayForEach(v, a)
    {
        struct rq_task *t = &r->tasks[r->n_tasks];
        at.index = r->n_tasks++;
        if (get_task(v, &at, datasets, t, errp) < 0 ||
            add_named(names, t->name, (int)at.index, &at, "tasks", errp) < 0)
            return -1;
    }
    return 0;
}

static int get_end(const cJSON *o, const struct where *up, const char *key, struct named *tasks,
                   uint32_t *out, burst_error_t *errp)
{
    const cJSON *v = item(o, key);
    int i = cJSON_IsString(v) ? find_named(tasks, v->valuestring) : -1;
    char buf[64];

    if (i < 0)
        return fail(errp, up, key, "no task is named %s", shown(v, buf));
    *out = (uint32_t)i;
    return 0;
}

static int get_edges(const cJSON *j, struct request *r, struct named *tasks, burst_error_t *errp)
{
    static const char *const keys[] = {"from", "to", "size_gb", NULL};
    struct where w = {.key = "edges"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (get_array(j, NULL, "edges", REQUEST_TASKS_MAX * 5, &a, &n, errp) < 0)
        return -1;
    r->edges = xcalloc(n + 1, sizeof(*r->edges));
    cJSON_ArrayForEach(v, a)
    {
        struct rq_edge *e = &r->edges[r->n_edges];
        at.index = r->n_edges++;
        if (check_keys(v, &at, keys, errp) < 0 ||
            get_end(v, &at, "from", tasks, &e->from, errp) < 0 ||
            get_end(v, &at, "to", tasks, &e->to, errp) < 0 ||
            get_number(v, &at, "size_gb", 0, GB_MAX, 0, &e->size_gb, errp) < 0)
            return -1;
    }
    return 0;
}

static int get_limits(const cJSON *j, struct request *r, burst_error_t *errp)
{
    struct where wl = {.key = "limits"}, wb = {.key = "blocked"}, at = {.up = &wl};
    const cJSON *a, *v;
    size_t n;

    if (get_array(j, NULL, "limits", REQUEST_LIMITS_MAX, &a, &n, errp) < 0)
        return -1;
    r->limits = xcalloc(n + 1, sizeof(*r->limits));
    cJSON_ArrayForEach(v, a)
    {
        at.index = r->n_limits++;
        if (get_limit(v, &at, &r->limits[at.index], errp) < 0)
            return -1;
    }
    if (get_array(j, NULL, "blocked", LIST_MAX, &a, &n, errp) < 0)
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

static int get_seen(const cJSON *o, const struct where *up, struct rq_observed *s,
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

    if (check_keys(o, up, keys, errp) < 0 ||
        get_name(cJSON_GetObjectItemCaseSensitive(o, "cloud"), up, "cloud", &s->cloud, errp) < 0 ||
        get_name(cJSON_GetObjectItemCaseSensitive(o, "region"), up, "region", &s->region, errp) <
            0 ||
        get_name(cJSON_GetObjectItemCaseSensitive(o, "instance_type"), up, "instance_type",
                 &s->instance_type, errp) < 0 ||
        get_number(o, up, "price_usd_per_hour", PRICE_MIN, PRICE_MAX, -1, &s->price_usd_per_hour,
                   errp) < 0 ||
        get_number(o, up, "preemptions_per_hour", 0, RATE_MAX, -1, &s->preemptions_per_hour, errp) <
            0)
        return -1;
    zone = item(o, "zone");
    if (!zone || (cJSON_IsString(zone) && !*zone->valuestring))
        s->zone = xstrdup("");
    else if (get_name(zone, up, "zone", &s->zone, errp) < 0)
        return -1;
    if (get_market(o, up, &market, errp) < 0)
        return -1;
    if (market == RQ_ANY)
        return fail(errp, up, "market", "must be \"spot\" or \"on-demand\": prices are of one");
    s->market = market == RQ_SPOT ? MARKET_SPOT : MARKET_ON_DEMAND;
    if (s->price_usd_per_hour < 0 && s->preemptions_per_hour < 0)
        return fail(errp, up, NULL, "must have \"price_usd_per_hour\" or \"preemptions_per_hour\"");
    return 0;
}

static int get_observed(const cJSON *j, struct request *r, burst_error_t *errp)
{
    struct where w = {.key = "observed"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (get_array(j, NULL, "observed", REQUEST_OBSERVED_MAX, &a, &n, errp) < 0)
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

// Kahn's algorithm. What is left over when nothing is free is on a cycle or behind one.
static int sort_tasks(struct request *r, burst_error_t *errp)
{
    uint32_t *waits = xcalloc(r->n_tasks, sizeof(*waits));
    uint32_t *first = xcalloc(r->n_tasks + 1, sizeof(*first));
    uint32_t *child = xcalloc(r->n_edges + 1, sizeof(*child));
    size_t done = 0, n = 0;
    int rc = 0;

    r->order = xcalloc(r->n_tasks, sizeof(*r->order));
    for (size_t i = 0; i < r->n_edges; i++) {
        waits[r->edges[i].to]++;
        first[r->edges[i].from + 1]++;
    }
    for (size_t t = 0; t < r->n_tasks; t++)
        first[t + 1] += first[t];
    uint32_t *fill = xcalloc(r->n_tasks + 1, sizeof(*fill));
    for (size_t i = 0; i < r->n_edges; i++) {
        uint32_t u = r->edges[i].from;
        child[first[u] + fill[u]++] = r->edges[i].to;
    }
    for (uint32_t t = 0; t < r->n_tasks; t++)
        if (!waits[t])
            r->order[n++] = t;
    for (; done < n; done++) {
        uint32_t u = r->order[done];
        for (uint32_t k = first[u]; k < first[u + 1]; k++)
            if (--waits[child[k]] == 0)
                r->order[n++] = child[k];
    }
    if (n < r->n_tasks) {
        for (size_t i = 0; i < r->n_edges && rc == 0; i++) {
            struct where w = {.key = "edges"}, at = {.up = &w, .index = i};
            if (waits[r->edges[i].to] && waits[r->edges[i].from])
                rc = fail(errp, &at, NULL,
                          "tasks \"%.60s\" and \"%.60s\" wait for each other: the "
                          "edges must not form a cycle",
                          r->tasks[r->edges[i].from].name, r->tasks[r->edges[i].to].name);
        }
    }
    free(waits);
    free(first);
    free(child);
    free(fill);
    return rc;
}

static int get_top(const cJSON *j, struct request *r, burst_error_t *errp)
{
    static const char *const keys[] = {"objective",
                                       "time_budget_hours",
                                       "cost_budget_usd",
                                       "transfer_gbit_per_s",
                                       "datasets",
                                       "tasks",
                                       "edges",
                                       "limits",
                                       "blocked",
                                       "id",
                                       "runners_up",
                                       "time_limit_s",
                                       "observed",
                                       "changeover_hours",
                                       "default_preemptions_per_hour",
                                       NULL};
    const cJSON *v;
    double usd, n;
    char buf[64];

    if (check_keys(j, NULL, keys, errp) < 0)
        return -1;
    v = item(j, "objective");
    if (v && cJSON_IsString(v) && strcmp(v->valuestring, "time") == 0)
        r->objective = RQ_TIME;
    else if (v && !(cJSON_IsString(v) && strcmp(v->valuestring, "cost") == 0))
        return fail(errp, NULL, "objective", "must be \"cost\" or \"time\", is %s", shown(v, buf));
    if (get_number(j, NULL, "time_budget_hours", 0, 1e9, HUGE_VAL, &r->time_budget_hours, errp) <
            0 ||
        get_number(j, NULL, "cost_budget_usd", 0, USD_MAX, -1, &usd, errp) < 0 ||
        get_number(j, NULL, "transfer_gbit_per_s", 1e-6, 1e9, 10, &r->gbit_per_s, errp) < 0 ||
        get_number(j, NULL, "time_limit_s", 0.001, 3600, 10, &r->time_limit_s, errp) < 0 ||
        get_number(j, NULL, "changeover_hours", 0, CHANGEOVER_MAX, 0, &r->changeover_hours, errp) <
            0 ||
        get_number(j, NULL, "default_preemptions_per_hour", 0, RATE_MAX, 0,
                   &r->default_preemptions_per_hour, errp) < 0 ||
        get_number(j, NULL, "runners_up", 0, REQUEST_RUNNERS_UP_MAX, 0, &n, errp) < 0)
        return -1;
    r->cost_budget_nano = usd < 0 ? INT64_MAX : llround(usd * 1e9);
    r->runners_up = (size_t)n;
    if (item(j, "id"))
        r->id = cJSON_Duplicate(item(j, "id"), true);
    return 0;
}

struct request *request_parse(const cJSON *j, burst_error_t *errp)
{
    struct request *r = xmalloc(sizeof(*r));
    struct named *datasets = NULL, *tasks = NULL;
    int rc = 0;

    if (get_top(j, r, errp) < 0 || get_datasets(j, r, &datasets, errp) < 0 ||
        get_tasks(j, r, datasets, &tasks, errp) < 0 || get_edges(j, r, tasks, errp) < 0 ||
        get_limits(j, r, errp) < 0 || get_observed(j, r, errp) < 0 || sort_tasks(r, errp) < 0)
        rc = -1;
    free_named(datasets);
    free_named(tasks);
    if (rc == 0)
        return r;
    request_destroy(r);
    return NULL;
}

static void free_location(struct rq_location *l)
{
    free(l->cloud);
    free(l->region);
}

static void free_list(struct rq_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->item[i]);
    free(l->item);
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

static void free_task(struct rq_task *t)
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
        free_location(&a->location);
        free(a->zone);
        free(a->instance_type);
        free(a->accelerator);
    }
    free(t->alternatives);
    free_list(&t->clouds);
    free_list(&t->regions);
    free_list(&t->zones);
    for (size_t i = 0; i < t->n_inputs; i++)
        free_location(&t->inputs[i].location);
    free(t->inputs);
    for (size_t i = 0; i < t->n_outputs; i++)
        free_location(&t->outputs[i].location);
    free(t->outputs);
}

void request_destroy(struct request *r)
{
    if (!r)
        return;
    cJSON_Delete(r->id);
    for (size_t i = 0; r->datasets && i < r->n_datasets; i++) {
        free(r->datasets[i].name);
        free_location(&r->datasets[i].location);
    }
    free(r->datasets);
    for (size_t i = 0; r->tasks && i < r->n_tasks; i++)
        free_task(&r->tasks[i]);
    free(r->tasks);
    free(r->edges);
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
    free(r->order);
    free(r);
}
