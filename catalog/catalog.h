// SPDX-License-Identifier: GPL-3.0-or-later
// The catalog: what clouds offer at which price, and what moving data between regions costs.
//
// A directory holds CLOUD.csv files (the schema of the public SkyPilot catalogs) and egress.csv.
// Loading refuses what cannot be true, row by row, and goes on with the rest. A loaded catalog is
// one flat, read-only block: strings are interned (an id is a byte offset into one pool), offers
// are an array grouped by instance type. The same block is the compiled index on disk.
//
// Prices are int64 nano-dollars (1e-9 USD) per hour for the whole instance: public catalogs carry
// up to eight decimals, and a plan sums thousands of rows. What is bought and billed is rounded
// to micro-dollars by catalog_price(). NO_PRICE = not offered on that market; never 0 for unknown.
//
// Everything here is pure after loading and may be used by several threads at once.
#ifndef BURST_CATALOG_H
#define BURST_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/offer.h"
#include "libburst/error.h"
#include "libburst/money.h"

// Loads all CSV files of a directory. complain (may be NULL) is called for each row that is left
// out. NULL when the directory cannot be read or holds no catalog file. Files of at most 256 MiB.
struct catalog *catalog_load(const char *dir, catalog_complain_fn complain, void *arg,
                             burst_error_t *errp);

// As catalog_load, but takes the compiled index of the directory when it is younger than every
// CSV file, and writes it otherwise (in the directory, or in the user's cache when that is not
// writable; a failure to write it is not an error). Complaints are not repeated by an index.
struct catalog *catalog_open(const char *dir, burst_error_t *errp);

// One CLOUD.csv from any place (the cloud is the file's name), judged with the accepted.txt of dir.
// NULL when it cannot be read or is no catalog.
struct catalog *catalog_load_cloud(const char *path, const char *dir, catalog_complain_fn complain,
                                   void *arg, burst_error_t *errp);

// Builds a catalog from one text, for tests and fuzzers: the cloud and its CSV, and egress CSV or
// NULL. The texts are not kept.
struct catalog *catalog_from_text(const char *cloud, const char *csv, size_t len,
                                  const char *egress, size_t egress_len,
                                  catalog_complain_fn complain, void *arg, burst_error_t *errp);
// The same for several clouds.
struct catalog *catalog_from_texts(size_t n, const char *const *clouds, const char *const *csv,
                                   const char *egress, catalog_complain_fn complain, void *arg,
                                   burst_error_t *errp);

void catalog_destroy(struct catalog *c);

// Compiled index (exposed for tests): the block is checked entry by entry before it is believed.
int catalog_index_write(const struct catalog *c, const char *path, burst_error_t *errp);
struct catalog *catalog_index_read(const char *path, uint64_t fingerprint, burst_error_t *errp);
// The same from a block in memory, which is copied.
struct catalog *catalog_index_parse(const void *data, size_t len, burst_error_t *errp);
// Of the names, sizes and times of the CSV files of a directory; 0 with an error text on failure.
uint64_t catalog_fingerprint(const char *dir, burst_error_t *errp);

size_t catalog_bytes(const struct catalog *c); // memory it takes
bool catalog_from_index(const struct catalog *c);
uint32_t catalog_refused(const struct catalog *c);     // rows
uint32_t catalog_quarantined(const struct catalog *c); // rows

// Arrays; all borrowed, valid until catalog_destroy().
const struct catalog_cloud *catalog_clouds(const struct catalog *c, uint32_t *n);
const struct catalog_region *catalog_regions(const struct catalog *c, uint32_t *n);
const struct catalog_type *catalog_types(const struct catalog *c, uint32_t *n);
const struct catalog_offer *catalog_offers(const struct catalog *c, uint32_t *n);
const char *catalog_str(const struct catalog *c, str_id id);

// Index of a region or NO_ROUTE.
uint32_t catalog_find_region(const struct catalog *c, const char *cloud, const char *region);

// What is billed: micro-dollars per hour, MONEY_UNKNOWN when not offered.
money_t catalog_price(const struct catalog_offer *o, enum market m);

// Rows of egress.csv in their order, and their tiers.
const struct catalog_route *catalog_routes(const struct catalog *c, uint32_t *n);
const struct catalog_tier *catalog_tiers(const struct catalog *c, uint32_t *n);

// The first row of egress.csv that matches, or NO_ROUTE. Inside one region there is no transfer:
// callers ask only for different places.
uint32_t catalog_route_find(const struct catalog *c, const char *src_cloud, const char *src_region,
                            const char *dst_cloud, const char *dst_region);
// Price in nano-dollars of moving gb (>= 0) at once along a route: tiers are marginal, from 0 GB.
// -1 when the size passes the last tier's upper edge or the price is beyond counting.
int64_t catalog_route_price(const struct catalog *c, uint32_t route, double gb);

// Another name of an accelerator ("nvidia-tesla-v100", "a100-40gb") as catalogs write it; the name
// itself when it is none that is known. For people's filters: plan requests take names literally.
const char *accelerator_alias(const char *name);

#endif
