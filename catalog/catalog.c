// SPDX-License-Identifier: GPL-3.0-or-later
// See catalog.h: access to a loaded catalog. Loading is in load.c, the file form in index.c.
#include "catalog/catalog.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catalog/glob.h"
#include "catalog/image.h"

const char *market_name(enum market m)
{
    return m == MARKET_SPOT ? "spot" : "on-demand";
}

void catalog_destroy(struct catalog *c)
{
    if (!c)
        return;
    free(c->h);
    free(c);
}

size_t catalog_bytes(const struct catalog *c)
{
    return (size_t)c->h->size + sizeof(*c);
}

bool catalog_from_index(const struct catalog *c)
{
    return c->from_index;
}

uint32_t catalog_refused(const struct catalog *c)
{
    return c->h->refused;
}

uint32_t catalog_quarantined(const struct catalog *c)
{
    return c->h->quarantined;
}

const struct catalog_cloud *catalog_clouds(const struct catalog *c, uint32_t *n)
{
    *n = (uint32_t)c->h->section[SEC_CLOUDS].n;
    return c->clouds;
}

const struct catalog_region *catalog_regions(const struct catalog *c, uint32_t *n)
{
    *n = (uint32_t)c->h->section[SEC_REGIONS].n;
    return c->regions;
}

const struct catalog_type *catalog_types(const struct catalog *c, uint32_t *n)
{
    *n = (uint32_t)c->h->section[SEC_TYPES].n;
    return c->types;
}

const struct catalog_offer *catalog_offers(const struct catalog *c, uint32_t *n)
{
    *n = (uint32_t)c->h->section[SEC_OFFERS].n;
    return c->offers;
}

const struct catalog_route *catalog_routes(const struct catalog *c, uint32_t *n)
{
    *n = (uint32_t)c->h->section[SEC_ROUTES].n;
    return c->routes;
}

const struct catalog_tier *catalog_tiers(const struct catalog *c, uint32_t *n)
{
    *n = (uint32_t)c->h->section[SEC_TIERS].n;
    return c->tiers;
}

const char *catalog_str(const struct catalog *c, str_id id)
{
    return c->pool + id;
}

uint32_t catalog_find_region(const struct catalog *c, const char *cloud, const char *region)
{
    for (uint32_t i = 0; i < c->h->section[SEC_REGIONS].n; i++) {
        const struct catalog_region *r = &c->regions[i];
        if (strcmp(c->pool + r->name, region) == 0 &&
            strcmp(c->pool + c->clouds[r->cloud].name, cloud) == 0)
            return i;
    }
    return NO_ROUTE;
}

money_t catalog_price(const struct catalog_offer *o, enum market m)
{
    return o->price[m] == NO_PRICE ? MONEY_UNKNOWN : (o->price[m] + 500) / 1000;
}

uint32_t catalog_route_find(const struct catalog *c, const char *src_cloud, const char *src_region,
                            const char *dst_cloud, const char *dst_region)
{
    const char *text[4] = {src_cloud, src_region, dst_cloud, dst_region};

    for (uint32_t i = 0; i < c->h->section[SEC_ROUTES].n; i++) {
        int k = 0;
        while (k < 4 && glob_match(c->pool + c->routes[i].pattern[k], text[k]))
            k++;
        if (k == 4)
            return i;
    }
    return NO_ROUTE;
}

int64_t catalog_route_price(const struct catalog *c, uint32_t route, double gb)
{
    const struct catalog_route *r = &c->routes[route];
    long double sum = 0;
    double from = 0;

    for (uint32_t i = 0; i < r->n_tiers; i++) {
        const struct catalog_tier *t = &c->tiers[r->first_tier + i];
        double to = gb < t->up_to_gb ? gb : t->up_to_gb;
        if (to > from)
            sum += ((long double)to - from) * (long double)t->per_gb;
        from = to > from ? to : from;
        if (gb <= t->up_to_gb)
            return sum < 9e18L ? (int64_t)llroundl(sum) : -1;
    }
    return -1;
}

static const struct {
    const char *alias, *name;
} aliases[] = {
    {"a100-40gb", "A100"},
    {"a100-sxm4-40gb", "A100"},
    {"nvidia-tesla-a100", "A100"},
    {"nvidia-a100", "A100"},
    {"a100_80", "A100-80GB"},
    {"a100-80g", "A100-80GB"},
    {"a100-sxm4-80gb", "A100-80GB"},
    {"nvidia-a100-80gb", "A100-80GB"},
    {"nvidia-tesla-v100", "V100"},
    {"tesla-v100", "V100"},
    {"v100-16gb", "V100"},
    {"nvidia-tesla-t4", "T4"},
    {"tesla-t4", "T4"},
    {"nvidia-tesla-p100", "P100"},
    {"nvidia-tesla-k80", "K80"},
    {"nvidia-l4", "L4"},
    {"nvidia-l40s", "L40S"},
    {"nvidia-h100-80gb", "H100"},
    {"h100-80gb", "H100"},
    {"h100-sxm5", "H100"},
    {"nvidia-h200-141gb", "H200"},
    {"h200-141gb", "H200"},
    {"nvidia-b200", "B200"},
    {"inf1", "Inferentia"},
    {"trn1", "Trainium"},
};

const char *accelerator_alias(const char *name)
{
    for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
        if (strcasecmp(aliases[i].alias, name) == 0)
            return aliases[i].name;
    return name;
}
