// SPDX-License-Identifier: GPL-3.0-or-later
// Places are regions: those of the catalog first (same index), then those that only the request
// names. What moving data between two of them costs and takes. The place "", "" is nowhere, that of
// alternatives without a location: moving data there or from there costs nothing.
#ifndef BURST_PLACES_H
#define BURST_PLACES_H

#include <stdint.h>

#include "catalog/catalog.h"

// Durations are microseconds, money is nano-dollars. Sums stay below these; what reaches one of
// them is out of reach.
#define TIME_INF (INT64_MAX / 4)
#define COST_INF (INT64_MAX / 4)

static inline int64_t sat_add(int64_t a, int64_t b)
{
    int64_t s = a + b;
    return s >= TIME_INF ? TIME_INF : s;
}

struct places;

struct places *places_create(const struct catalog *cat, double gbit_per_s);
void places_destroy(struct places *p);

uint32_t places_of(struct places *p, const char *cloud, const char *region);
const char *places_cloud(const struct places *p, uint32_t place);
const char *places_region(const struct places *p, uint32_t place);
uint32_t places_count(const struct places *p);

// Price of moving gb from a to b in nano-dollars, 0 inside a place, COST_INF when no row of
// egress.csv allows it.
int64_t places_cost(struct places *p, uint32_t a, uint32_t b, double gb);
// Kinds of routes: of one kind, equal prices for all sizes. places_kinds() is how many there are.
uint32_t places_kinds(struct places *p);
uint32_t places_kind(struct places *p, uint32_t a, uint32_t b); // two different places
int64_t places_kind_cost(struct places *p, uint32_t kind, double gb);

// Classes of places that are alike: for sizes up to gb, moving data from or to any of a class costs
// the same, and so it does between any two of it. cls gets the number of each place's class, from
// 0. Returns how many there are.
uint32_t places_classes(struct places *p, const uint32_t *list, uint32_t n, double gb,
                        uint32_t *cls);

// Time of moving gb between two different places, in microseconds.
int64_t places_time(const struct places *p, double gb);

#endif
