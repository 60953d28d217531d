// SPDX-License-Identifier: GPL-3.0-or-later
// See scan.h. The pass is what a decision about one job mostly costs (a quarter of a million
// candidates for a small CPU job), so that whatever does not depend on the single offer is settled
// per cloud, region or type before.
#include "optimizer/scan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "libburst/xalloc.h"
#include "optimizer/blocked.h"
#include "optimizer/match.h"

struct scan {
    struct supply *s;
    const struct rq_task *task;
    unsigned char *open;             // per region: a bit per market that the task may take there
    const struct rq_match **blocked; // single types and zones of the cloud at hand,
    size_t n_blocked;
    const struct rq_match **hits; // and of these, those of the type at hand
    size_t n_hits;
    struct rates_rows rows; // of the cloud at hand
    struct sieve *sieve;
    scan_fn fn;
    void *arg;
};

bool scan_type_fits(const struct catalog *cat, const struct catalog_type *t,
                    const struct rq_need *n)
{
    const char *acc = catalog_str(cat, t->accelerator);

    if (n->accelerator ? strcasecmp(acc, n->accelerator) != 0 : *acc || t->count > 0)
        return false;
    return t->count >= n->count && t->vcpus >= n->vcpus && t->memory_gib >= n->memory_gib;
}

// Which regions and markets the task may take, as far as that does not depend on type and zone.
static void open_regions(struct scan *s)
{
    const struct catalog *cat = s->s->cat;
    const struct request *rq = s->s->rq;
    uint32_t nr, nc;
    const struct catalog_region *regions = catalog_regions(cat, &nr);
    const struct catalog_cloud *clouds = catalog_clouds(cat, &nc);

    s->open = xcalloc(nr + 1, 1);
    for (uint32_t r = 0; r < nr; r++) {
        const char *cloud = catalog_str(cat, clouds[regions[r].cloud].name);
        const char *region = catalog_str(cat, regions[r].name);
        if (!match_any_region(&s->task->regions, cloud, region))
            continue;
        for (int m = 0; m < MARKETS; m++)
            if (match_task_market(s->task->market, m))
                s->open[r] |= (unsigned char)(1 << m);
        for (size_t i = 0; i < rq->n_blocked && s->open[r]; i++) {
            const struct rq_match *b = &rq->blocked[i];
            if (blocked_is_wide(b) && blocked_in_region(b, cloud, region))
                s->open[r] &= b->market < 0 ? 0 : (unsigned char)~(1 << b->market);
        }
    }
}

static bool is_blocked(const struct scan *s, const struct catalog_offer *o, int m)
{
    for (size_t i = 0; i < s->n_hits; i++)
        if (blocked_there(s->hits[i], s->s->cat, o, m))
            return true;
    return false;
}

// The case of most tasks (all zones, no single zone or type blocked here), where only an offer that
// is the cheapest so far somewhere needs more than a look.
static void scan_type_quickly(struct scan *s, const struct catalog_type *t,
                              const struct rates_rows *rows, const struct sig_type *sigs)
{
    struct sieve *v = s->sieve;
    uint32_t n;
    const struct catalog_offer *offers = catalog_offers(s->s->cat, &n);
    const double factor[MARKETS] = {1, rates_spot_factor(s->s->rates)};
    bool limits = s->s->rq->n_limits > 0;
    uint64_t skipped = 0;

    for (uint32_t i = t->first_offer; i < t->first_offer + t->n_offers; i++) {
        const struct catalog_offer *o = &offers[i];
        unsigned open = s->open[o->region];
        for (int m = 0; m < MARKETS; m++) {
            if (o->price[m] == NO_PRICE || !(open >> m & 1))
                continue;
            struct quote q = {o->price[m], rates_effective(o->price[m], factor[m])};
            if (rows->n)
                q = rates_quote(s->s->rates, rows, o, (enum market)m);
            uint32_t sig = limits ? signatures_of_offer(s->s->sigs, sigs, o, m) : 0;
            struct bar *bar = &v->bar[o->region * MARKETS + (uint32_t)m];
            if (bar->sig == sig && bar->quote.effective < q.effective &&
                bar->quote.price <= q.price && q.effective > v->few_below) {
                skipped++;
                continue;
            }
            *bar = (struct bar){q, sig};
            s->fn(s->arg, o, &(struct cand){i, (uint32_t)m, sig, o->region, q});
        }
    }
    v->n_skipped += skipped;
}

static void scan_type(struct scan *s, const struct catalog_type *t, uint32_t type_index)
{
    const struct catalog *cat = s->s->cat;
    uint32_t n;
    const struct catalog_offer *offers = catalog_offers(cat, &n);
    struct rates_rows rows = rates_of_type(&s->rows, catalog_str(cat, t->name));
    struct sig_type sigs;

    s->n_hits = 0;
    for (size_t i = 0; i < s->n_blocked; i++)
        if (blocked_type(s->blocked[i], cat, t))
            s->hits[s->n_hits++] = s->blocked[i];
    signatures_of_type(s->s->sigs, type_index, &sigs);
    if (s->sieve && !s->n_hits && !s->task->zones.n) {
        scan_type_quickly(s, t, &rows, &sigs);
        return;
    }
    for (uint32_t i = t->first_offer; i < t->first_offer + t->n_offers; i++) {
        const struct catalog_offer *o = &offers[i];
        if (!s->open[o->region])
            continue;
        if (s->task->zones.n && !match_any(&s->task->zones, catalog_str(cat, o->zone)))
            continue;
        for (int m = 0; m < MARKETS; m++) {
            if (o->price[m] == NO_PRICE || !(s->open[o->region] >> m & 1) || is_blocked(s, o, m))
                continue;
            struct cand x = {i, (uint32_t)m, signatures_of_offer(s->s->sigs, &sigs, o, m),
                             o->region, rates_quote(s->s->rates, &rows, o, (enum market)m)};
            s->fn(s->arg, o, &x);
        }
    }
}

static void scan_cloud(struct scan *s, const struct catalog_cloud *c, const struct rq_need *need)
{
    const struct catalog *cat = s->s->cat;
    const struct request *rq = s->s->rq;
    const char *name = catalog_str(cat, c->name);
    uint32_t n;
    const struct catalog_type *types = catalog_types(cat, &n);

    if (!match_any(&s->task->clouds, name) || !match_any(&need->clouds, name))
        return;
    s->n_blocked = 0;
    for (size_t i = 0; i < rq->n_blocked; i++)
        if (blocked_in_cloud(&rq->blocked[i], name) && !blocked_is_wide(&rq->blocked[i]))
            s->blocked[s->n_blocked++] = &rq->blocked[i];
    s->rows = rates_of_cloud(s->s->rates, name);
    for (uint32_t k = c->first_type; k < c->first_type + c->n_types; k++)
        if (scan_type_fits(cat, &types[k], need))
            scan_type(s, &types[k], k);
}

void scan_need(struct supply *supply, const struct rq_task *task, const struct rq_need *need,
               struct sieve *sieve, scan_fn fn, void *arg)
{
    uint32_t n;
    const struct catalog_cloud *clouds = catalog_clouds(supply->cat, &n);
    struct scan s = {.s = supply, .task = task, .sieve = sieve, .fn = fn, .arg = arg};

    s.blocked = xcalloc(supply->rq->n_blocked + 1, sizeof(*s.blocked));
    s.hits = xcalloc(supply->rq->n_blocked + 1, sizeof(*s.hits));
    open_regions(&s);
    for (uint32_t i = 0; i < n; i++)
        scan_cloud(&s, &clouds[i], need);
    free(s.open);
    free(s.blocked);
    free(s.hits);
}
