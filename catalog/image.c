// SPDX-License-Identifier: GPL-3.0-or-later
// See image.h.
#include "catalog/image.h"

#include <stdlib.h>
#include <string.h>

const uint32_t image_element_size[SECTIONS] = {sizeof(struct catalog_cloud),
                                               sizeof(struct catalog_region),
                                               sizeof(struct catalog_type),
                                               sizeof(struct catalog_offer),
                                               sizeof(struct catalog_route),
                                               sizeof(struct catalog_tier),
                                               1};

uint32_t image_layout(void)
{
    uint32_t h = 0x01020304; // its bytes differ on a machine of the other byte order

    for (int i = 0; i < SECTIONS; i++)
        h = h * 31 + image_element_size[i];
    return h + (uint32_t)sizeof(struct image_header);
}

// Not against an attacker (who could write any prices anyway), against torn and damaged files.
uint64_t image_checksum(const struct image_header *h)
{
    const unsigned char *p = (const unsigned char *)&h->fingerprint;
    const unsigned char *end = (const unsigned char *)h + h->size;
    uint64_t a = UINT64_C(0x9e3779b97f4a7c15), b = a * 3, v[2];

    for (; (size_t)(end - p) >= sizeof(v); p += sizeof(v)) {
        memcpy(v, p, sizeof(v));
        a = (a ^ v[0]) * UINT64_C(0xff51afd7ed558ccd);
        b = (b ^ v[1]) * UINT64_C(0xc4ceb9fe1a85ec53);
        a ^= a >> 32;
        b ^= b >> 29;
    }
    for (; p < end; p++)
        a = (a ^ *p) * UINT64_C(0x100000001b3);
    return a ^ (b << 1) ^ (b >> 63);
}

void image_attach(struct catalog *c)
{
    const char *base = (const char *)c->h;

    c->clouds = (const void *)(base + c->h->section[SEC_CLOUDS].offset);
    c->regions = (const void *)(base + c->h->section[SEC_REGIONS].offset);
    c->types = (const void *)(base + c->h->section[SEC_TYPES].offset);
    c->offers = (const void *)(base + c->h->section[SEC_OFFERS].offset);
    c->routes = (const void *)(base + c->h->section[SEC_ROUTES].offset);
    c->tiers = (const void *)(base + c->h->section[SEC_TIERS].offset);
    c->pool = base + c->h->section[SEC_POOL].offset;
}

struct name_key {
    const char *text;
    str_id id;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct name_key *)a)->text, ((const struct name_key *)b)->text);
}

// A rank per string in order of the text, found by id.
static uint32_t *string_ranks(const struct builder *b)
{
    uint32_t *rank = xcalloc(b->pool.len + 1, sizeof(*rank));
    struct name_key *k = xcalloc(b->strings.n + 1, sizeof(*k));
    size_t n = 0;

    k[n++] = (struct name_key){b->pool.data, 0};
    for (size_t i = 0; i < b->strings.cap; i++)
        if (b->strings.slot[i])
            k[n++] =
                (struct name_key){b->pool.data + b->strings.slot[i] - 1, b->strings.slot[i] - 1};
    qsort(k, n, sizeof(*k), by_text);
    for (size_t i = 0; i < n; i++)
        rank[k[i].id] = (uint32_t)i;
    free(k);
    return rank;
}

struct offer_key {
    uint32_t part[4]; // cloud, region, zone, instance type
    uint32_t offer;
};

static int by_names(const void *pa, const void *pb)
{
    const struct offer_key *a = pa, *b = pb;

    for (int i = 0; i < 4; i++)
        if (a->part[i] != b->part[i])
            return a->part[i] < b->part[i] ? -1 : 1;
    return a->offer < b->offer ? -1 : a->offer > b->offer;
}

static void rank_offers(const struct builder *b, struct catalog_offer *offers, size_t n)
{
    uint32_t *rank = string_ranks(b);
    struct offer_key *k = xcalloc(n + 1, sizeof(*k));

    for (size_t i = 0; i < n; i++) {
        const struct catalog_region *r = &b->regions[offers[i].region];
        k[i] = (struct offer_key){{rank[b->clouds[r->cloud].name], rank[r->name],
                                   rank[offers[i].zone], rank[b->types[offers[i].type].name]},
                                  (uint32_t)i};
    }
    if (n)
        qsort(k, n, sizeof(*k), by_names);
    for (size_t i = 0; i < n; i++)
        offers[k[i].offer].rank = (uint32_t)i;
    free(k);
    free(rank);
}

static size_t aligned(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

// Copies the rows into place, grouped by type (in file order within a type).
static void place_offers(struct builder *b, struct catalog_offer *out)
{
    uint32_t at = 0;

    for (size_t i = 0; i < b->n_rows; i++)
        b->types[b->rows[i].offer.type].n_offers++;
    for (size_t i = 0; i < b->n_types; i++) {
        b->types[i].first_offer = at;
        at += b->types[i].n_offers;
        b->types[i].n_offers = 0;
    }
    for (size_t i = 0; i < b->n_rows; i++) {
        struct catalog_type *t = &b->types[b->rows[i].offer.type];
        out[t->first_offer + t->n_offers++] = b->rows[i].offer;
    }
    rank_offers(b, out, b->n_rows);
}

struct catalog *image_build(struct builder *b, uint64_t fingerprint)
{
    const size_t n[SECTIONS] = {b->n_clouds, b->n_regions, b->n_types, b->n_rows,
                                b->n_routes, b->n_tiers,   b->pool.len};
    struct catalog *c = xmalloc(sizeof(*c));
    size_t size = aligned(sizeof(*c->h)), offset[SECTIONS];

    for (int s = 0; s < SECTIONS; s++) {
        offset[s] = size;
        size += aligned(n[s] * image_element_size[s]);
    }
    c->h = xmalloc(size);
    memcpy(c->h->magic, IMAGE_MAGIC, sizeof(c->h->magic));
    c->h->version = IMAGE_VERSION;
    c->h->layout = image_layout();
    c->h->size = size;
    c->h->fingerprint = fingerprint;
    c->h->refused = b->refused;
    c->h->quarantined = b->quarantined;
    for (int s = 0; s < SECTIONS; s++)
        c->h->section[s] = (struct image_section){offset[s], n[s]};
    char *base = (char *)c->h;
    place_offers(b, (struct catalog_offer *)(base + offset[SEC_OFFERS]));
    const void *from[SECTIONS] = {b->clouds, b->regions, b->types,    NULL,
                                  b->routes, b->tiers,   b->pool.data};
    for (int s = 0; s < SECTIONS; s++)
        if (from[s] && n[s])
            memcpy(base + offset[s], from[s], n[s] * image_element_size[s]);
    image_attach(c);
    return c;
}
