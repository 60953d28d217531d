// SPDX-License-Identifier: GPL-3.0-or-later
// A catalog while it is read, for the files of this folder only: growing arrays, interned strings,
// regions and types, and the way complaints go out. image_build() makes a catalog of it.
#ifndef BURST_CATALOG_BUILDER_H
#define BURST_CATALOG_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/offer.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

// Open addressing over ids; what an id stands for and how it compares is its user's business.
struct table {
    uint32_t *slot; // id + 1, 0 = free
    size_t cap, n;
};

struct row {
    struct catalog_offer offer;
    int64_t per_accelerator; // nano-dollars on demand, NO_PRICE = not to be judged
    bool rentable;           // has an instance type
    bool quarantined;
};

struct builder {
    catalog_complain_fn complain;
    void *arg;
    const char *file; // that is being read
    char *accepted;   // text of accepted.txt, lines terminated; NULL = none
    size_t accepted_len;
    uint32_t refused, quarantined;
    struct strbuf pool;
    struct table strings, type_table, region_table;
    struct catalog_cloud *clouds;
    struct catalog_region *regions;
    struct catalog_type *types;
    struct row *rows;
    struct catalog_route *routes;
    struct catalog_tier *tiers;
    size_t n_clouds, n_regions, n_types, n_rows, n_routes, n_tiers;
    size_t cap_clouds, cap_regions, cap_types, cap_rows, cap_routes, cap_tiers;
};

// Room for one more element of the array b->what.
#define GROW(b, what)                                                                              \
    do {                                                                                           \
        if ((b)->n_##what == (b)->cap_##what) {                                                    \
            (b)->cap_##what = (b)->cap_##what ? (b)->cap_##what * 2 : 64;                          \
            (b)->what = xrealloc((b)->what, (b)->cap_##what * sizeof(*(b)->what));                 \
        }                                                                                          \
    } while (0)

void builder_init(struct builder *b, catalog_complain_fn complain, void *arg);
void builder_free(struct builder *b); // what it holds

// The id of a string, a region, a type; added when it is new.
str_id builder_intern(struct builder *b, const char *s);
uint32_t builder_region(struct builder *b, uint32_t cloud, const char *name);
uint32_t builder_type(struct builder *b, const struct catalog_type *type);
static inline const char *builder_str(const struct builder *b, str_id id)
{
    return b->pool.data + id;
}

// Counts a complaint about a line of b->file (0 = the whole file) and tells who asked for it.
void builder_report(struct builder *b, enum complaint_kind kind, unsigned line, const char *fmt,
                    ...) __attribute__((format(printf, 4, 5)));

#define HASH_START UINT64_C(0xcbf29ce484222325)
static inline uint64_t hash_bytes(const void *data, size_t len, uint64_t h)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h ^ (h >> 29);
}

#endif
