// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of a loaded catalog, for the files of this folder only: one block with a header, the
// arrays and the string pool, the same in memory and on disk.
#ifndef BURST_CATALOG_IMAGE_H
#define BURST_CATALOG_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/builder.h"
#include "catalog/offer.h"

#define IMAGE_MAGIC "BURSTCAT"
#define IMAGE_VERSION 1u

struct image_section {
    uint64_t offset; // from the start of the block, a multiple of 8
    uint64_t n;      // elements (bytes for the pool)
};

enum { SEC_CLOUDS, SEC_REGIONS, SEC_TYPES, SEC_OFFERS, SEC_ROUTES, SEC_TIERS, SEC_POOL, SECTIONS };

struct image_header {
    char magic[8];
    uint32_t version;
    uint32_t layout; // sizes of the element types, so that another build's block is not believed
    uint64_t size;
    uint64_t checksum; // of everything behind this field
    uint64_t fingerprint;
    uint32_t refused, quarantined;
    struct image_section section[SECTIONS];
};

struct catalog {
    struct image_header *h; // owned
    bool from_index;
    const struct catalog_cloud *clouds;
    const struct catalog_region *regions;
    const struct catalog_type *types;
    const struct catalog_offer *offers;
    const struct catalog_route *routes;
    const struct catalog_tier *tiers;
    const char *pool;
};

extern const uint32_t image_element_size[SECTIONS];
uint32_t image_layout(void);
uint64_t image_checksum(const struct image_header *h);
// Sets the pointers of c from c->h.
void image_attach(struct catalog *c);
// Lays out what was read: offers grouped by type, ranked by names. The builder stays its owner's.
struct catalog *image_build(struct builder *b, uint64_t fingerprint);

#endif
