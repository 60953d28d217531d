// SPDX-License-Identifier: GPL-3.0-or-later
// Which row of egress.csv holds between two places: the first whose patterns match both. Matching
// patterns is slow, so that each end is matched once, against each different pattern, and a row is
// found by the bits that both ends have.
#ifndef BURST_ROUTES_H
#define BURST_ROUTES_H

#include <stdint.h>

#include "catalog/catalog.h"

struct routes;

struct routes *routes_create(const struct catalog *cat); // borrowed
void routes_destroy(struct routes *r);

// The rows that a place matches as source or as destination; the caller frees it.
uint64_t *routes_end(struct routes *r, const char *cloud, const char *region, bool source);
// The row between two ends, or NO_ROUTE.
uint32_t routes_between(const struct routes *r, const uint64_t *source,
                        const uint64_t *destination);

// Number of a row's prices for sizes up to gb: equal numbers, equal prices. NO_ROUTE has its own.
// Numbers begin at 0; kind holds one for each row and, last, that of NO_ROUTE.
void routes_kinds(const struct routes *r, double gb, uint32_t *kind);
uint32_t routes_count(const struct routes *r);

#endif
