// SPDX-License-Identifier: GPL-3.0-or-later
// See places.h.
#include "optimizer/places.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"
#include "optimizer/routes.h"

#define UNKNOWN (NO_ROUTE - 1)
#define FREE UINT32_MAX // kind of a route to or from nowhere

struct place {
    const char *cloud, *region;     // borrowed from the catalog or from the request
    uint64_t *source, *destination; // rows that it matches; NULL = not looked up yet
    uint32_t *route;                // to each place; UNKNOWN = not looked up yet
    uint32_t n_route;
};

struct places {
    const struct catalog *cat;
    double gbit_per_s;
    struct routes *routes; // NULL = nothing was asked yet
    uint32_t *kind;        // of each row, and that of none; NULL = not asked for yet
    uint32_t *row;         // one of each kind
    uint32_t n_kinds;
    struct place *place;
    uint32_t n, cap;
};

static uint32_t append(struct places *p, const char *cloud, const char *region)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->place = xrealloc(p->place, p->cap * sizeof(*p->place));
    }
    p->place[p->n] = (struct place){.cloud = cloud, .region = region};
    return p->n++;
}

struct places *places_create(const struct catalog *cat, double gbit_per_s)
{
    struct places *p = xmalloc(sizeof(*p));
    uint32_t n, nc;
    const struct catalog_region *r = catalog_regions(cat, &n);
    const struct catalog_cloud *c = catalog_clouds(cat, &nc);

    p->cat = cat;
    p->gbit_per_s = gbit_per_s;
    for (uint32_t i = 0; i < n; i++)
        append(p, catalog_str(cat, c[r[i].cloud].name), catalog_str(cat, r[i].name));
    return p;
}

void places_destroy(struct places *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->n; i++) {
        free(p->place[i].source);
        free(p->place[i].destination);
        free(p->place[i].route);
    }
    routes_destroy(p->routes);
    free(p->kind);
    free(p->row);
    free(p->place);
    free(p);
}

uint32_t places_of(struct places *p, const char *cloud, const char *region)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (strcmp(p->place[i].region, region) == 0 && strcmp(p->place[i].cloud, cloud) == 0)
            return i;
    return append(p, cloud, region);
}

const char *places_cloud(const struct places *p, uint32_t place)
{
    return p->place[place].cloud;
}

const char *places_region(const struct places *p, uint32_t place)
{
    return p->place[place].region;
}

uint32_t places_count(const struct places *p)
{
    return p->n;
}

static uint32_t look_up(struct places *p, uint32_t a, uint32_t b)
{
    struct place *from = &p->place[a], *to = &p->place[b];

    if (!p->routes)
        p->routes = routes_create(p->cat);
    if (!from->source)
        from->source = routes_end(p->routes, from->cloud, from->region, true);
    if (!to->destination)
        to->destination = routes_end(p->routes, to->cloud, to->region, false);
    return routes_between(p->routes, from->source, to->destination);
}

static uint32_t route(struct places *p, uint32_t a, uint32_t b)
{
    struct place *from = &p->place[a];

    if (b >= from->n_route) {
        from->route = xrealloc(from->route, p->n * sizeof(*from->route));
        while (from->n_route < p->n)
            from->route[from->n_route++] = UNKNOWN;
    }
    if (from->route[b] == UNKNOWN)
        from->route[b] = look_up(p, a, b);
    return from->route[b];
}

// Of an alternative without a location.
static bool nowhere(const struct places *p, uint32_t place)
{
    return !*p->place[place].cloud;
}

int64_t places_cost(struct places *p, uint32_t a, uint32_t b, double gb)
{
    if (a == b || nowhere(p, a) || nowhere(p, b))
        return 0;
    uint32_t r = route(p, a, b);
    int64_t cost = r == NO_ROUTE ? -1 : catalog_route_price(p->cat, r, gb);

    return cost < 0 || cost > COST_INF ? COST_INF : cost;
}

uint32_t places_kinds(struct places *p)
{
    uint32_t n;

    if (p->kind)
        return p->n_kinds;
    if (!p->routes)
        p->routes = routes_create(p->cat);
    n = routes_count(p->routes);
    p->kind = xcalloc(n + 1, sizeof(*p->kind));
    p->row = xcalloc(n + 2, sizeof(*p->row));
    routes_kinds(p->routes, HUGE_VAL, p->kind);
    for (uint32_t i = 0; i <= n; i++) {
        p->row[p->kind[i]] = i < n ? i : NO_ROUTE;
        p->n_kinds = p->kind[i] >= p->n_kinds ? p->kind[i] + 1 : p->n_kinds;
    }
    p->row[p->n_kinds++] = UNKNOWN; // to and from nowhere
    return p->n_kinds;
}

uint32_t places_kind(struct places *p, uint32_t a, uint32_t b)
{
    if (nowhere(p, a) || nowhere(p, b))
        return p->n_kinds - 1;
    uint32_t r = route(p, a, b);

    return p->kind[r == NO_ROUTE ? routes_count(p->routes) : r];
}

int64_t places_kind_cost(struct places *p, uint32_t kind, double gb)
{
    uint32_t r = p->row[kind];
    int64_t cost = r == UNKNOWN ? 0 : r == NO_ROUTE ? -1 : catalog_route_price(p->cat, r, gb);

    return cost < 0 || cost > COST_INF ? COST_INF : cost;
}

int64_t places_time(const struct places *p, double gb)
{
    double us = gb * 8 / p->gbit_per_s * 1e6;

    return us >= (double)TIME_INF ? TIME_INF : llround(us);
}

// Kinds of the routes between all of a list, [a * n + b].
static uint32_t *route_kinds(struct places *p, const uint32_t *list, uint32_t n, double gb)
{
    uint32_t *kind = xcalloc((size_t)n * n + 1, sizeof(*kind)), *of_row;

    if (!p->routes)
        p->routes = routes_create(p->cat);
    of_row = xcalloc(routes_count(p->routes) + 1, sizeof(*of_row));
    routes_kinds(p->routes, gb, of_row);
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = 0; b < n; b++) {
            uint32_t r = a == b ? 0 : route(p, list[a], list[b]);
            bool none = nowhere(p, list[a]) || nowhere(p, list[b]);
            kind[(size_t)a * n + b] =
                none ? FREE : of_row[r == NO_ROUTE ? routes_count(p->routes) : r];
        }
    free(of_row);
    return kind;
}

static bool alike(const uint32_t *kind, uint32_t n, uint32_t a, uint32_t b)
{
    if (kind[(size_t)a * n + b] != kind[(size_t)b * n + a])
        return false;
    for (uint32_t c = 0; c < n; c++)
        if (c != a && c != b &&
            (kind[(size_t)a * n + c] != kind[(size_t)b * n + c] ||
             kind[(size_t)c * n + a] != kind[(size_t)c * n + b]))
            return false;
    return true;
}

uint32_t places_classes(struct places *p, const uint32_t *list, uint32_t n, double gb,
                        uint32_t *cls)
{
    uint32_t *kind = route_kinds(p, list, n, gb), *first = xcalloc(n + 1, sizeof(*first));
    uint32_t n_cls = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = 0;
        while (k < n_cls && !alike(kind, n, first[k], i))
            k++;
        if (k == n_cls)
            first[n_cls++] = i;
        cls[i] = k;
    }
    free(kind);
    free(first);
    return n_cls;
}
