// SPDX-License-Identifier: GPL-3.0-or-later
// See rates.h. Observations are looked up by name when an instance type is looked at: most
// requests look at few types, and most types were never observed.
#include "optimizer/rates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

struct rates_row {
    const struct rq_observed *seen;
    int64_t price; // NO_PRICE = not seen
    double rate;   // < 0 = not seen
};

struct rates {
    const struct catalog *cat;
    const struct request *rq;
    struct rates_row *row; // by cloud and type, then as in the request
    uint32_t n;
    double factor; // of a spot price that nothing is known of
    bool restarts;
};

static int by_type(const void *pa, const void *pb)
{
    const struct rq_observed *a = ((const struct rates_row *)pa)->seen;
    const struct rq_observed *b = ((const struct rates_row *)pb)->seen;
    int c = strcmp(a->cloud, b->cloud);

    if (c == 0)
        c = strcmp(a->instance_type, b->instance_type);
    return c ? c : (a < b ? -1 : a > b);
}

struct rates *rates_create(const struct catalog *cat, const struct request *rq)
{
    struct rates *r = xmalloc(sizeof(*r));
    double most = rq->default_preemptions_per_hour;

    r->cat = cat;
    r->rq = rq;
    r->row = xcalloc(rq->n_observed + 1, sizeof(*r->row));
    for (size_t i = 0; i < rq->n_observed; i++) {
        const struct rq_observed *s = &rq->observed[i];
        r->row[r->n++] = (struct rates_row){
            s, s->price_usd_per_hour < 0 ? NO_PRICE : llround(s->price_usd_per_hour * 1e9),
            s->preemptions_per_hour};
        most = s->preemptions_per_hour > most ? s->preemptions_per_hour : most;
    }
    if (r->n)
        qsort(r->row, r->n, sizeof(*r->row), by_type);
    r->factor = 1 + rq->default_preemptions_per_hour * rq->changeover_hours;
    r->restarts = most * rq->changeover_hours > 0;
    return r;
}

void rates_destroy(struct rates *r)
{
    if (!r)
        return;
    free(r->row);
    free(r);
}

double rates_spot_factor(const struct rates *r)
{
    return r->factor;
}

bool rates_restarts(const struct rates *r)
{
    return r->restarts;
}

static const char *name_of(const struct rates_row *x, bool cloud)
{
    return cloud ? x->seen->cloud : x->seen->instance_type;
}

// Rows are sorted by the name that is asked for.
static struct rates_rows find_rows(const struct rates_row *row, uint32_t n, bool cloud,
                                   const char *name)
{
    uint32_t low = 0, high = n, end;

    while (low < high) { // the first row that is not before
        uint32_t mid = low + (high - low) / 2;
        if (strcmp(name_of(&row[mid], cloud), name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (end = low; end < n && strcmp(name_of(&row[end], cloud), name) == 0; end++)
        ;
    return (struct rates_rows){row + low, end - low};
}

struct rates_rows rates_of_cloud(const struct rates *r, const char *cloud)
{
    return find_rows(r->row, r->n, true, cloud);
}

struct rates_rows rates_of_type(const struct rates_rows *of_cloud, const char *type)
{
    return find_rows(of_cloud->row, of_cloud->n, false, type);
}

struct quote rates_quote(const struct rates *r, const struct rates_rows *rows,
                         const struct catalog_offer *o, enum market m)
{
    struct quote q = {o->price[m], o->price[m]};
    double factor = m == MARKET_SPOT ? r->factor : 1;
    uint32_t n;

    if (rows->n) {
        const char *region = catalog_str(r->cat, catalog_regions(r->cat, &n)[o->region].name);
        const char *zone = catalog_str(r->cat, o->zone);
        for (uint32_t i = 0; i < rows->n; i++) {
            const struct rates_row *x = &rows->row[i];
            if (x->seen->market != m || strcmp(x->seen->zone, zone) != 0 ||
                strcmp(x->seen->region, region) != 0)
                continue;
            q.price = x->price != NO_PRICE ? x->price : q.price;
            if (x->rate >= 0 && m == MARKET_SPOT)
                factor = 1 + x->rate * r->rq->changeover_hours;
        }
    }
    q.effective = rates_effective(q.price, factor);
    return q;
}

struct quote rates_quote_offer(const struct rates *r, uint32_t offer, enum market m)
{
    uint32_t n;
    const struct catalog_offer *o = &catalog_offers(r->cat, &n)[offer];
    const struct catalog_type *t = &catalog_types(r->cat, &n)[o->type];
    const char *cloud = catalog_str(r->cat, catalog_clouds(r->cat, &n)[t->cloud].name);
    struct rates_rows rows = rates_of_cloud(r, cloud);

    rows = rates_of_type(&rows, catalog_str(r->cat, t->name));
    return rates_quote(r, &rows, o, m);
}

struct quote rates_quote_alternative(const struct rates *r, const struct rq_alternative *a)
{
    int64_t price = llround(a->price_usd_per_hour * 1e9);
    double factor = a->market == MARKET_SPOT ? r->factor : 1;
    struct rates_rows rows = {NULL, 0};

    if (a->market == MARKET_SPOT && a->instance_type) {
        rows = rates_of_cloud(r, a->location.cloud);
        rows = rates_of_type(&rows, a->instance_type);
    }
    for (uint32_t i = 0; i < rows.n; i++) {
        const struct rates_row *x = &rows.row[i];
        if (x->seen->market == MARKET_SPOT && x->rate >= 0 &&
            strcmp(x->seen->zone, a->zone ? a->zone : "") == 0 &&
            strcmp(x->seen->region, a->location.region) == 0)
            factor = 1 + x->rate * r->rq->changeover_hours;
    }
    return (struct quote){price, rates_effective(price, factor)};
}
