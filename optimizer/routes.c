// SPDX-License-Identifier: GPL-3.0-or-later
// See routes.h.
#include "optimizer/routes.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/glob.h"
#include "libburst/xalloc.h"

// One pair of patterns and the rows that have it at one end.
struct end {
    str_id cloud, region;
    uint64_t *rows;
};

struct routes {
    const struct catalog *cat;
    const struct catalog_route *row;
    uint32_t n, words;
    struct end *end[2]; // destinations, sources
    uint32_t n_ends[2];
};

static void add_end(struct routes *r, int source, uint32_t row)
{
    const str_id *p = r->row[row].pattern + (source ? 0 : 2);
    uint32_t i = r->n_ends[source];

    // Rows with the same pattern mostly follow each other.
    while (i > 0 && (r->end[source][i - 1].cloud != p[0] || r->end[source][i - 1].region != p[1]))
        i--;
    if (i == 0) {
        i = ++r->n_ends[source];
        r->end[source] = xrealloc(r->end[source], i * sizeof(*r->end[source]));
        r->end[source][i - 1] =
            (struct end){p[0], p[1], xcalloc(r->words, sizeof(*r->end[source][i - 1].rows))};
    }
    r->end[source][i - 1].rows[row / 64] |= UINT64_C(1) << (row % 64);
}

struct routes *routes_create(const struct catalog *cat)
{
    struct routes *r = xmalloc(sizeof(*r));

    r->cat = cat;
    r->row = catalog_routes(cat, &r->n);
    r->words = r->n / 64 + 1;
    for (uint32_t i = 0; i < r->n; i++)
        for (int source = 0; source < 2; source++)
            add_end(r, source, i);
    return r;
}

void routes_destroy(struct routes *r)
{
    if (!r)
        return;
    for (int source = 0; source < 2; source++) {
        for (uint32_t i = 0; i < r->n_ends[source]; i++)
            free(r->end[source][i].rows);
        free(r->end[source]);
    }
    free(r);
}

uint64_t *routes_end(struct routes *r, const char *cloud, const char *region, bool source)
{
    uint64_t *rows = xcalloc(r->words, sizeof(*rows));

    for (uint32_t i = 0; i < r->n_ends[source]; i++) {
        const struct end *e = &r->end[source][i];
        if (!glob_match(catalog_str(r->cat, e->cloud), cloud) ||
            !glob_match(catalog_str(r->cat, e->region), region))
            continue;
        for (uint32_t w = 0; w < r->words; w++)
            rows[w] |= e->rows[w];
    }
    return rows;
}

uint32_t routes_between(const struct routes *r, const uint64_t *source, const uint64_t *destination)
{
    for (uint32_t w = 0; w < r->words; w++) {
        uint64_t both = source[w] & destination[w];
        if (both)
            return w * 64 + (uint32_t)__builtin_ctzll(both);
    }
    return NO_ROUTE;
}

// Whether two rows have the same tiers as far as sizes up to gb reach them. Tiers that only come to
// the same are not the same: sums of other parts may be rounded to another nano-dollar.
static bool same_prices(const struct routes *r, uint32_t a, uint32_t b, double gb)
{
    uint32_t n;
    const struct catalog_tier *tier = catalog_tiers(r->cat, &n);
    const struct catalog_route *x = &r->row[a], *y = &r->row[b];

    for (uint32_t i = 0;; i++) {
        const struct catalog_tier *p = &tier[x->first_tier + i], *q = &tier[y->first_tier + i];
        if (i == x->n_tiers || i == y->n_tiers)
            return x->n_tiers == y->n_tiers; // neither takes more
        if (p->per_gb != q->per_gb)
            return false;
        if (p->up_to_gb >= gb && q->up_to_gb >= gb)
            return true;
        if (p->up_to_gb != q->up_to_gb)
            return false;
    }
}

uint32_t routes_count(const struct routes *r)
{
    return r->n;
}

void routes_kinds(const struct routes *r, double gb, uint32_t *kind)
{
    uint32_t *first = xcalloc(r->n + 1, sizeof(*first)), n = 0;

    for (uint32_t i = 0; i < r->n; i++) {
        uint32_t k = n;
        while (k > 0 && !same_prices(r, first[k - 1], i, gb))
            k--;
        if (k == 0) {
            first[n++] = i;
            k = n;
        }
        kind[i] = k - 1;
    }
    kind[r->n] = n;
    free(first);
}
