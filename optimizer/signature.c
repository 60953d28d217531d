// SPDX-License-Identifier: GPL-3.0-or-later
// See signature.h. A limit's match is evaluated once for each part of an offer (type, region,
// market), and what these have in common counts the offer; only zones are looked at one by one.
#include "optimizer/signature.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "libburst/xalloc.h"
#include "optimizer/match.h"

struct numbered {
    struct sig sig;
    uint32_t id;
    UT_hash_handle hh;
};

struct signatures {
    const struct catalog *cat;
    const struct request *rq;
    struct numbered *table;
    struct sig *list;
    uint32_t n, cap;
    struct sig *type, *region, market[MARKETS];
    bool any_zoned;
    struct sig zoned; // limits that name a zone: looked at offer by offer
    // Without those, the signature of an offer depends on few things: the class of its type (types
    // that the same limits name), its region and the market.
    uint32_t *type_class;
    uint32_t n_classes, n_regions;
    uint32_t *known; // [class][region][market]; UINT32_MAX = not asked for yet
};

static void set(struct sig *s, size_t i)
{
    s->word[i / 64] |= UINT64_C(1) << (i % 64);
}

static struct sig both(struct sig a, const struct sig *b)
{
    for (int i = 0; i < SIG_WORDS; i++)
        a.word[i] &= b->word[i];
    return a;
}

static uint32_t number(struct signatures *s, const struct sig *sig)
{
    struct numbered *known;

    HASH_FIND(hh, s->table, sig, sizeof(*sig), known);
    if (known)
        return known->id;
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->list = xrealloc(s->list, s->cap * sizeof(*s->list));
    }
    known = xmalloc(sizeof(*known));
    known->sig = *sig;
    known->id = s->n;
    s->list[s->n++] = *sig;
    HASH_ADD(hh, s->table, sig, sizeof(*sig), known);
    return known->id;
}

static void build_classes(struct signatures *s, uint32_t n_types)
{
    struct sig *seen = xcalloc(n_types + 1, sizeof(*seen));

    s->type_class = xcalloc(n_types + 1, sizeof(*s->type_class));
    for (uint32_t i = 0; i < n_types; i++) {
        uint32_t k = 0;
        while (k < s->n_classes && memcmp(&seen[k], &s->type[i], sizeof(*seen)) != 0)
            k++;
        if (k == s->n_classes)
            seen[s->n_classes++] = s->type[i];
        s->type_class[i] = k;
    }
    free(seen);
    size_t cells = (size_t)s->n_classes * s->n_regions * MARKETS;
    s->known = xcalloc(cells + 1, sizeof(*s->known));
    memset(s->known, 0xff, cells * sizeof(*s->known));
}

// Which limits speak of a type, a region, a market.
static void build_masks(struct signatures *s)
{
    uint32_t nt, nc;
    const struct catalog_type *t = catalog_types(s->cat, &nt);
    const struct catalog_region *r = catalog_regions(s->cat, &s->n_regions);
    const struct catalog_cloud *cl = catalog_clouds(s->cat, &nc);

    s->type = xcalloc(nt + 1, sizeof(*s->type));
    s->region = xcalloc(s->n_regions + 1, sizeof(*s->region));
    for (size_t l = 0; l < s->rq->n_limits; l++) {
        const struct rq_match *m = &s->rq->limits[l].match;
        for (uint32_t i = 0; i < nt && !m->alternative; i++)
            if (match_pattern(m->instance_type, catalog_str(s->cat, t[i].name)) &&
                match_accelerator(m->accelerator, catalog_str(s->cat, t[i].accelerator)))
                set(&s->type[i], l);
        for (uint32_t i = 0; i < s->n_regions; i++)
            if (match_pattern(m->cloud, catalog_str(s->cat, cl[r[i].cloud].name)) &&
                match_pattern(m->region, catalog_str(s->cat, r[i].name)))
                set(&s->region[i], l);
        for (int i = 0; i < MARKETS; i++)
            if (match_market(m, i))
                set(&s->market[i], l);
        if (m->zone) {
            set(&s->zoned, l);
            s->any_zoned = true;
        }
    }
    if (s->rq->n_limits)
        build_classes(s, nt);
}

struct signatures *signatures_create(const struct catalog *cat, const struct request *rq)
{
    struct signatures *s = xmalloc(sizeof(*s));
    struct sig none = {{0}};

    s->cat = cat;
    s->rq = rq;
    number(s, &none);
    build_masks(s);
    return s;
}

void signatures_destroy(struct signatures *s)
{
    struct numbered *i, *next;

    if (!s)
        return;
    HASH_ITER(hh, s->table, i, next)
    {
        HASH_DEL(s->table, i);
        free(i);
    }
    free(s->list);
    free(s->type);
    free(s->region);
    free(s->type_class);
    free(s->known);
    free(s);
}

const struct sig *signatures_list(const struct signatures *s, uint32_t *n)
{
    *n = s->n;
    return s->list;
}

void signatures_of_type(const struct signatures *s, uint32_t type, struct sig_type *out)
{
    for (int m = 0; m < MARKETS; m++)
        out->mask[m] = both(s->type[type], &s->market[m]);
    out->known = NULL;
    if (s->known && !s->any_zoned)
        out->known = &s->known[(size_t)s->type_class[type] * s->n_regions * MARKETS];
}

uint32_t signatures_look(struct signatures *s, const struct sig_type *t,
                         const struct catalog_offer *o, int market)
{
    struct sig sig = both(t->mask[market], &s->region[o->region]);
    bool empty = true;

    for (int w = 0; w < SIG_WORDS; w++) {
        for (uint64_t left = sig.word[w] & s->zoned.word[w]; left; left &= left - 1) {
            size_t l = (size_t)w * 64 + (size_t)__builtin_ctzll(left);
            if (!glob_match(s->rq->limits[l].match.zone, catalog_str(s->cat, o->zone)))
                sig.word[w] &= ~(UINT64_C(1) << (l % 64));
        }
        empty = empty && !sig.word[w];
    }
    return empty ? 0 : number(s, &sig);
}

uint32_t signatures_of_alternative(struct signatures *s, const struct rq_alternative *a)
{
    struct sig sig = {{0}};

    for (size_t l = 0; l < s->rq->n_limits; l++) {
        const struct rq_match *m = &s->rq->limits[l].match;
        if (!m->offers && match_pattern(m->alternative, a->name) &&
            match_pattern(m->cloud, a->location.cloud) &&
            match_pattern(m->region, a->location.region) &&
            match_pattern(m->zone, a->zone ? a->zone : "") &&
            match_pattern(m->instance_type, a->instance_type ? a->instance_type : "") &&
            match_accelerator(m->accelerator, a->accelerator ? a->accelerator : "") &&
            match_market(m, (int)a->market))
            set(&sig, l);
    }
    return number(s, &sig);
}
