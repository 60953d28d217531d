// SPDX-License-Identifier: GPL-3.0-or-later
// See blocklist.h. The list is short (tens of places): a plain array is searched.
#include "blocklist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "log.h"
#include "store.h"

struct blocklist {
    struct burstd *b;
    struct blocked *rows;
    size_t n;
};

static void load(void *arg, const struct blocked *row)
{
    struct blocklist *l = arg;

    l->rows = xrealloc(l->rows, (l->n + 1) * sizeof(*row));
    l->rows[l->n++] = *row;
}

struct blocklist *blocklist_create(struct burstd *b)
{
    struct blocklist *l = xmalloc(sizeof(*l));

    l->b = b;
    store_load_blocked(b->store, load, l);
    return l;
}

void blocklist_destroy(struct blocklist *l)
{
    if (!l)
        return;
    free(l->rows);
    free(l);
}

static struct blocked *find(struct blocklist *l, const char *cloud, const char *region,
                            const char *zone, const char *itype, const char *market)
{
    for (size_t i = 0; i < l->n; i++) {
        struct blocked *r = &l->rows[i];
        if (strcmp(r->cloud, cloud) == 0 && strcmp(r->region, region) == 0 &&
            strcmp(r->zone, zone) == 0 && strcmp(r->itype, itype) == 0 &&
            strcmp(r->market, market) == 0)
            return r;
    }
    return NULL;
}

void blocklist_add(struct blocklist *l, const char *cloud, const char *region, const char *zone,
                   const char *itype, const char *market, int64_t first_s, int64_t max_s,
                   const char *reason)
{
    struct blocked *r = find(l, cloud, region, zone, itype, market);
    int64_t now = clock_now_s();

    if (!r) {
        struct blocked row;
        memset(&row, 0, sizeof(row));
        snprintf(row.cloud, sizeof(row.cloud), "%s", cloud);
        snprintf(row.region, sizeof(row.region), "%s", region);
        snprintf(row.zone, sizeof(row.zone), "%s", zone);
        snprintf(row.itype, sizeof(row.itype), "%s", itype);
        snprintf(row.market, sizeof(row.market), "%s", market);
        load(l, &row);
        r = &l->rows[l->n - 1];
    }
    if (r->until > now)
        return; // several launches that were under way together are one refusal
    // Long after the last block it is news again.
    r->ttl_s = r->ttl_s && now - r->until < 4 * r->ttl_s ? r->ttl_s * 2 : first_s;
    if (r->ttl_s > max_s)
        r->ttl_s = max_s;
    r->until = now + r->ttl_s;
    snprintf(r->reason, sizeof(r->reason), "%s", reason);
    log_info("place %s/%s/%s/%s/%s is left out for %lld s: %s", cloud, region, zone, itype, market,
             (long long)r->ttl_s, reason);
    store_put_blocked(l->b->store, r);
}

void blocklist_clear(struct blocklist *l, const char *cloud, const char *region, const char *zone,
                     const char *itype, const char *market)
{
    struct blocked *r = find(l, cloud, region, zone, itype, market);

    if (!r || !r->ttl_s)
        return;
    r->until = 0;
    r->ttl_s = 0;
    store_put_blocked(l->b->store, r);
}

static void add_or_null(cJSON *o, const char *key, const char *value)
{
    json_add_str(o, key, *value ? value : NULL);
}

static cJSON *rows_at(const struct blocklist *l, int64_t now)
{
    cJSON *a = cJSON_CreateArray();

    for (size_t i = 0; i < l->n; i++) {
        const struct blocked *r = &l->rows[i];
        if (r->until <= now)
            continue;
        cJSON *o = cJSON_CreateObject();
        add_or_null(o, "cloud", r->cloud);
        add_or_null(o, "region", r->region);
        add_or_null(o, "zone", r->zone);
        add_or_null(o, "instance_type", r->itype);
        add_or_null(o, "market", r->market);
        cJSON_AddItemToArray(a, o);
    }
    return a;
}

cJSON *blocklist_request(const struct blocklist *l)
{
    return rows_at(l, clock_now_s());
}

cJSON *blocklist_json(const struct blocklist *l)
{
    int64_t now = clock_now_s();
    cJSON *a = rows_at(l, now), *o;
    size_t i = 0;

    cJSON_ArrayForEach(o, a)
    {
        while (i < l->n && l->rows[i].until <= now)
            i++;
        json_add_i64(o, "until", l->rows[i].until);
        json_add_str(o, "reason", l->rows[i].reason);
        i++;
    }
    return a;
}
