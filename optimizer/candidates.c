// SPDX-License-Identifier: GPL-3.0-or-later
// See candidates.h.
#include "optimizer/candidates.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <uthash.h>

#include "catalog/glob.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "optimizer/rates.h"

#define COST_MAX 1e18L // nano-dollars of one option: a billion dollars
#define KEY_MAX (8u << 20)

// A candidate as far as it does not depend on hours, nodes and data.
struct cand {
    uint32_t offer, market, sig, place;
    struct quote quote;
};

// The candidates of one need under one set of patterns.
struct group {
    char *key;
    uint64_t n;            // before the reduction
    struct cand *by_place; // cheapest per place and signature; wide: the front of both prices
    size_t n_by_place;
    struct cand *by_sig; // cheapest per signature, for tasks that do not care where they run
    size_t n_by_sig;
    struct slot *few; // cheapest by price, when somebody asked for them
    size_t n_few;
    UT_hash_handle hh;
};

// A limit's match against the parts of an offer, evaluated once per part.
struct masks {
    struct sig *type, *region, market[MARKETS];
    bool any_zoned;
    struct sig zoned; // limits that name a zone: looked at offer by offer
    // Without those, the signature of an offer depends on few things: the class of its type (types
    // that the same limits name), its region and the market.
    uint32_t *type_class;
    uint32_t n_classes, n_regions;
    uint32_t *known; // [class][region][market]; UINT32_MAX = not asked for yet
};

struct sig_id {
    struct sig sig;
    uint32_t id;
    UT_hash_handle hh;
};

struct slot {
    struct cand c;
    uint32_t rank, next;
    bool dead;
};

// Something that was seen in a region on a market: what is dearer in both prices and counts for the
// same limits is of no use.
struct bar {
    struct quote quote;
    uint32_t sig;
};

struct candidates {
    const struct catalog *cat;
    const struct request *rq;
    struct places *places;
    struct rates *rates;
    bool money_limits; // some limit counts money
    struct group *groups;
    struct masks masks;
    struct sig_id *sig_ids;
    struct sig *sigs;
    uint32_t n_sigs, cap_sigs;
    bool *shared; // data sets that several tasks use
    uint32_t *dataset_place;
    uint64_t count;
    struct problem *problem;
    // scratch of group_of(): best candidates per place and signature
    bool wide; // where money is limited, dearer ones with a lower real price as well
    struct slot *slot;
    size_t n_slots, cap_slots;
    uint32_t *first_slot; // per region, index + 1 of a chain
    struct bar *bar;      // per region and market
    struct group *few;    // whose cheapest are wanted as well
    int64_t few_below;    // what is dearer is none of them
};

static bool any(const struct rq_list *l, const char *text)
{
    for (size_t i = 0; i < l->n; i++)
        if (glob_match(l->item[i], text))
            return true;
    return l->n == 0;
}

// A region pattern may name a cloud, "aws/us-*": a request for several clouds then says for each
// which of its regions it means.
static bool any_region(const struct rq_list *l, const char *cloud, const char *region)
{
    for (size_t i = 0; i < l->n; i++) {
        const char *slash = strchr(l->item[i], '/');
        size_t len = strlen(cloud);
        if (slash ? (size_t)(slash - l->item[i]) == len && strncmp(l->item[i], cloud, len) == 0 &&
                        glob_match(slash + 1, region)
                  : glob_match(l->item[i], region))
            return true;
    }
    return l->n == 0;
}

static bool pattern(const char *p, const char *text)
{
    return !p || glob_match(p, text);
}

static void sig_set(struct sig *s, size_t i)
{
    s->word[i / 64] |= UINT64_C(1) << (i % 64);
}

static struct sig sig_and(struct sig a, struct sig b)
{
    for (int i = 0; i < SIG_WORDS; i++)
        a.word[i] &= b.word[i];
    return a;
}

static uint32_t sig_id(struct candidates *c, const struct sig *s)
{
    struct sig_id *known;

    HASH_FIND(hh, c->sig_ids, s, sizeof(*s), known);
    if (known)
        return known->id;
    if (c->n_sigs == c->cap_sigs) {
        c->cap_sigs = c->cap_sigs ? c->cap_sigs * 2 : 16;
        c->sigs = xrealloc(c->sigs, c->cap_sigs * sizeof(*c->sigs));
    }
    known = xmalloc(sizeof(*known));
    known->sig = *s;
    known->id = c->n_sigs;
    c->sigs[c->n_sigs++] = *s;
    HASH_ADD(hh, c->sig_ids, sig, sizeof(*s), known);
    return known->id;
}

static void build_classes(struct candidates *c, uint32_t n_types, uint32_t n_regions)
{
    struct masks *m = &c->masks;
    struct sig *seen = xcalloc(n_types + 1, sizeof(*seen));

    m->type_class = xcalloc(n_types + 1, sizeof(*m->type_class));
    for (uint32_t i = 0; i < n_types; i++) {
        uint32_t k = 0;
        while (k < m->n_classes && memcmp(&seen[k], &m->type[i], sizeof(*seen)) != 0)
            k++;
        if (k == m->n_classes)
            seen[m->n_classes++] = m->type[i];
        m->type_class[i] = k;
    }
    free(seen);
    m->n_regions = n_regions;
    size_t cells = (size_t)m->n_classes * n_regions * MARKETS;
    m->known = xcalloc(cells + 1, sizeof(*m->known));
    memset(m->known, 0xff, cells * sizeof(*m->known));
}

// Which limits speak of a type, a region, a market.
static void build_masks(struct candidates *c)
{
    uint32_t nt, nr, nc;
    const struct catalog_type *t = catalog_types(c->cat, &nt);
    const struct catalog_region *r = catalog_regions(c->cat, &nr);
    const struct catalog_cloud *cl = catalog_clouds(c->cat, &nc);
    struct sig none = {{0}};

    c->masks.type = xcalloc(nt + 1, sizeof(struct sig));
    c->masks.region = xcalloc(nr + 1, sizeof(struct sig));
    sig_id(c, &none);
    for (size_t l = 0; l < c->rq->n_limits; l++) {
        const struct rq_match *m = &c->rq->limits[l].match;
        for (uint32_t i = 0; i < nt && !m->alternative; i++)
            if (pattern(m->instance_type, catalog_str(c->cat, t[i].name)) &&
                (!m->accelerator ||
                 glob_match_nocase(m->accelerator, catalog_str(c->cat, t[i].accelerator))))
                sig_set(&c->masks.type[i], l);
        for (uint32_t i = 0; i < nr; i++)
            if (pattern(m->cloud, catalog_str(c->cat, cl[r[i].cloud].name)) &&
                pattern(m->region, catalog_str(c->cat, r[i].name)))
                sig_set(&c->masks.region[i], l);
        for (int i = 0; i < MARKETS; i++)
            if (m->market < 0 || m->market == i)
                sig_set(&c->masks.market[i], l);
        if (m->zone) {
            sig_set(&c->masks.zoned, l);
            c->masks.any_zoned = true;
        }
    }
    if (c->rq->n_limits)
        build_classes(c, nt, nr);
}

static uint32_t offer_sig(struct candidates *c, const struct catalog_offer *o, int market,
                          const struct sig *type_market)
{
    struct sig s = sig_and(*type_market, c->masks.region[o->region]);
    bool empty = true;

    for (int w = 0; w < SIG_WORDS; w++) {
        for (uint64_t left = s.word[w] & c->masks.zoned.word[w]; left; left &= left - 1) {
            size_t l = (size_t)w * 64 + (size_t)__builtin_ctzll(left);
            if (!glob_match(c->rq->limits[l].match.zone, catalog_str(c->cat, o->zone)))
                s.word[w] &= ~(UINT64_C(1) << (l % 64));
        }
        empty = empty && !s.word[w];
    }
    return empty ? 0 : sig_id(c, &s);
}

// The same through the table, of which known is the row of the offer's type.
static inline uint32_t quick_sig(struct candidates *c, uint32_t *known,
                                 const struct catalog_offer *o, int market, const struct sig *mask)
{
    uint32_t *at = &known[o->region * MARKETS + (uint32_t)market];

    if (c->masks.any_zoned)
        return offer_sig(c, o, market, mask);
    if (*at == UINT32_MAX)
        *at = offer_sig(c, o, market, mask);
    return *at;
}

// NULL without limits: no signature is needed then.
static uint32_t *known_sigs(const struct candidates *c, uint32_t type)
{
    const struct masks *m = &c->masks;

    return c->rq->n_limits ? &m->known[(size_t)m->type_class[type] * m->n_regions * MARKETS] : NULL;
}

static bool same(const char *wanted, const char *text)
{
    return !wanted || strcmp(wanted, text) == 0;
}

static bool blocks_offers(const struct rq_match *m, const char *cloud)
{
    return !m->alternative && same(m->cloud, cloud);
}

static bool blocked_type(const struct candidates *c, const struct rq_match *m,
                         const struct catalog_type *t)
{
    return same(m->instance_type, catalog_str(c->cat, t->name)) &&
           (!m->accelerator ||
            strcasecmp(m->accelerator, catalog_str(c->cat, t->accelerator)) == 0);
}

static bool type_fits(const struct catalog *cat, const struct catalog_type *t,
                      const struct rq_need *n)
{
    const char *acc = catalog_str(cat, t->accelerator);

    if (n->accelerator ? strcasecmp(acc, n->accelerator) != 0 : *acc || t->count > 0)
        return false;
    return t->count >= n->count && t->vcpus >= n->vcpus && t->memory_gib >= n->memory_gib;
}

typedef void (*scan_fn)(void *arg, const struct catalog_offer *o, const struct cand *x);

struct scan {
    struct candidates *c;
    const struct rq_task *task;
    unsigned char *open;             // per region: a bit per market that the task may take there
    const struct rq_match **blocked; // single types and zones of the cloud at hand,
    size_t n_blocked;
    const struct rq_match **hits; // and of these, those of the type at hand
    size_t n_hits;
    struct rates_rows rows; // of the cloud at hand
    scan_fn fn;
    void *arg;
};

// Whether a blocked place takes in all types and zones of its regions.
static bool blocks_region(const struct rq_match *m)
{
    return !m->alternative && !m->zone && !m->instance_type && !m->accelerator;
}

// Which regions and markets the task may take, as far as that does not depend on type and zone.
static void open_regions(struct scan *s, const struct catalog_region *regions, uint32_t nr,
                         const struct catalog_cloud *clouds)
{
    static const unsigned char wanted[] = {[RQ_ANY] = 1 << MARKET_ON_DEMAND | 1 << MARKET_SPOT,
                                           [RQ_ON_DEMAND] = 1 << MARKET_ON_DEMAND,
                                           [RQ_SPOT] = 1 << MARKET_SPOT};
    const struct candidates *c = s->c;

    for (uint32_t r = 0; r < nr; r++)
        if (any_region(&s->task->regions, catalog_str(c->cat, clouds[regions[r].cloud].name),
                       catalog_str(c->cat, regions[r].name)))
            s->open[r] = wanted[s->task->market];
    for (size_t i = 0; i < c->rq->n_blocked; i++) {
        const struct rq_match *m = &c->rq->blocked[i];
        for (uint32_t r = 0; blocks_region(m) && r < nr; r++)
            if (same(m->region, catalog_str(c->cat, regions[r].name)) &&
                same(m->cloud, catalog_str(c->cat, clouds[regions[r].cloud].name)))
                s->open[r] &= m->market < 0 ? 0 : (unsigned char)~(1 << m->market);
    }
}

static bool is_blocked(const struct scan *s, const struct catalog_offer *o, int m)
{
    const struct catalog *cat = s->c->cat;
    uint32_t n;

    for (size_t i = 0; i < s->n_hits; i++) {
        const struct rq_match *b = s->hits[i];
        if ((b->market < 0 || b->market == m) &&
            same(b->region, catalog_str(cat, catalog_regions(cat, &n)[o->region].name)) &&
            same(b->zone, catalog_str(cat, o->zone)))
            return true;
    }
    return false;
}

static void keep_best(void *arg, const struct catalog_offer *o, const struct cand *x);

// The case of most tasks (all zones, no single zone or type blocked here), where only an offer that
// is the cheapest so far somewhere needs more than a look.
static void scan_type_quickly(struct scan *s, const struct catalog_type *t,
                              const struct rates_rows *rows, uint32_t *known,
                              const struct sig mask[MARKETS])
{
    struct candidates *c = s->c;
    uint32_t n;
    const struct catalog_offer *offers = catalog_offers(c->cat, &n);
    const double factor[MARKETS] = {1, rates_spot_factor(c->rates)};
    uint64_t seen = 0;

    for (uint32_t i = t->first_offer; i < t->first_offer + t->n_offers; i++) {
        const struct catalog_offer *o = &offers[i];
        unsigned open = s->open[o->region];
        for (int m = 0; m < MARKETS; m++) {
            if (o->price[m] == NO_PRICE || !(open >> m & 1))
                continue;
            struct quote q = {o->price[m], rates_effective(o->price[m], factor[m])};
            if (rows->n)
                q = rates_quote(c->rates, rows, o, (enum market)m);
            uint32_t sig = known ? quick_sig(c, known, o, m, &mask[m]) : 0;
            struct bar *bar = &c->bar[o->region * MARKETS + (uint32_t)m];
            if (bar->sig == sig && bar->quote.effective < q.effective &&
                bar->quote.price <= q.price && q.effective > c->few_below) {
                seen++;
                continue;
            }
            *bar = (struct bar){q, sig};
            keep_best(c, o, &(struct cand){i, (uint32_t)m, sig, o->region, q});
        }
    }
    c->count += seen;
}

static void scan_type(struct scan *s, const struct catalog_type *t, uint32_t type_index)
{
    struct candidates *c = s->c;
    uint32_t n;
    const struct catalog_offer *offers = catalog_offers(c->cat, &n);
    struct rates_rows rows = rates_of_type(&s->rows, catalog_str(c->cat, t->name));
    uint32_t *known = known_sigs(c, type_index);
    struct sig mask[MARKETS];

    s->n_hits = 0;
    for (size_t i = 0; i < s->n_blocked; i++)
        if (blocked_type(c, s->blocked[i], t))
            s->hits[s->n_hits++] = s->blocked[i];
    for (int m = 0; m < MARKETS; m++)
        mask[m] = sig_and(c->masks.type[type_index], c->masks.market[m]);
    if (s->fn == keep_best && !s->n_hits && !s->task->zones.n) {
        scan_type_quickly(s, t, &rows, known, mask);
        return;
    }
    for (uint32_t i = t->first_offer; i < t->first_offer + t->n_offers; i++) {
        const struct catalog_offer *o = &offers[i];
        if (!s->open[o->region])
            continue;
        if (s->task->zones.n && !any(&s->task->zones, catalog_str(c->cat, o->zone)))
            continue;
        for (int m = 0; m < MARKETS; m++) {
            if (o->price[m] == NO_PRICE || !(s->open[o->region] >> m & 1) || is_blocked(s, o, m))
                continue;
            struct cand x = {i, (uint32_t)m, known ? quick_sig(c, known, o, m, &mask[m]) : 0,
                             o->region, rates_quote(c->rates, &rows, o, (enum market)m)};
            s->fn(s->arg, o, &x);
        }
    }
}

// Calls fn for each candidate of one need of a task.
static void scan_need(struct candidates *c, const struct rq_task *task, const struct rq_need *need,
                      scan_fn fn, void *arg)
{
    uint32_t nt, nr, nc;
    const struct catalog_type *types = catalog_types(c->cat, &nt);
    const struct catalog_region *regions = catalog_regions(c->cat, &nr);
    const struct catalog_cloud *clouds = catalog_clouds(c->cat, &nc);
    struct scan s = {.c = c, .task = task, .fn = fn, .arg = arg};

    s.open = xcalloc(nr + 1, 1);
    s.blocked = xcalloc(c->rq->n_blocked + 1, sizeof(*s.blocked));
    s.hits = xcalloc(c->rq->n_blocked + 1, sizeof(*s.hits));
    open_regions(&s, regions, nr, clouds);
    for (uint32_t i = 0; i < nc; i++) {
        const char *cloud = catalog_str(c->cat, clouds[i].name);
        if (!any(&task->clouds, cloud) || !any(&need->clouds, cloud))
            continue;
        s.n_blocked = 0;
        for (size_t k = 0; k < c->rq->n_blocked; k++)
            if (blocks_offers(&c->rq->blocked[k], cloud) && !blocks_region(&c->rq->blocked[k]))
                s.blocked[s.n_blocked++] = &c->rq->blocked[k];
        s.rows = rates_of_cloud(c->rates, cloud);
        for (uint32_t k = clouds[i].first_type; k < clouds[i].first_type + clouds[i].n_types; k++)
            if (type_fits(c->cat, &types[k], need))
                scan_type(&s, &types[k], k);
    }
    free(s.open);
    free(s.blocked);
    free(s.hits);
}

static int cheaper_slot(const void *pa, const void *pb)
{
    const struct slot *a = pa, *b = pb;

    if (a->c.quote.effective != b->c.quote.effective)
        return a->c.quote.effective < b->c.quote.effective ? -1 : 1;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

// Keeps the cheapest by price, sorted. Returns what the next one must not be above.
static int64_t keep_few(struct group *g, const struct slot *s)
{
    size_t i;

    if (g->n_few == CANDIDATES_FEW && cheaper_slot(s, &g->few[CANDIDATES_FEW - 1]) >= 0)
        return g->few[CANDIDATES_FEW - 1].c.quote.effective;
    if (g->n_few < CANDIDATES_FEW)
        g->n_few++;
    for (i = g->n_few - 1; i > 0 && cheaper_slot(s, &g->few[i - 1]) < 0; i--)
        g->few[i] = g->few[i - 1];
    g->few[i] = *s;
    return g->n_few < CANDIDATES_FEW ? INT64_MAX : g->few[CANDIDATES_FEW - 1].c.quote.effective;
}

// Takes x in place of what it makes useless. True also when something there makes x useless:
// nothing is to be added.
static bool takes_place(struct candidates *c, const struct cand *x, uint32_t rank)
{
    const struct quote *q = &x->quote;
    bool placed = false;

    for (uint32_t at = c->first_slot[x->place]; at; at = c->slot[at - 1].next) {
        struct slot *s = &c->slot[at - 1];
        if (s->c.sig != x->sig || s->dead)
            continue;
        bool same =
            s->c.quote.effective == q->effective && (!c->wide || s->c.quote.price == q->price);
        bool worse =
            s->c.quote.effective >= q->effective && (!c->wide || s->c.quote.price >= q->price);
        bool better =
            s->c.quote.effective <= q->effective && (!c->wide || s->c.quote.price <= q->price);
        if (same ? s->rank <= rank : better)
            return true;
        if (!worse)
            continue;
        if (placed) {
            s->dead = true;
            continue;
        }
        s->c = *x;
        s->rank = rank;
        placed = true;
    }
    return placed;
}

static void keep_best(void *arg, const struct catalog_offer *o, const struct cand *x)
{
    struct candidates *c = arg;
    struct slot s = {.c = *x, .rank = o->rank * MARKETS + x->market};

    c->count++;
    if (c->few)
        c->few_below = keep_few(c->few, &s);
    if (takes_place(c, x, s.rank))
        return;
    if (c->n_slots == c->cap_slots) {
        c->cap_slots = c->cap_slots ? c->cap_slots * 2 : 256;
        c->slot = xrealloc(c->slot, c->cap_slots * sizeof(*c->slot));
    }
    s.next = c->first_slot[x->place];
    c->slot[c->n_slots] = s;
    c->first_slot[x->place] = (uint32_t)++c->n_slots;
}

static char *group_key(const struct rq_task *t, const struct rq_need *n, bool wide)
{
    const struct rq_list *lists[] = {&t->clouds, &t->regions, &t->zones, &n->clouds};
    struct strbuf b;

    strbuf_init(&b, KEY_MAX);
    strbuf_addf(&b, "%a %a %a %d %d %s", n->count, n->vcpus, n->memory_gib, (int)t->market, wide,
                n->accelerator ? n->accelerator : "");
    for (int i = 0; i < 4; i++) {
        strbuf_adds(&b, "\x1e");
        for (size_t k = 0; k < lists[i]->n; k++)
            strbuf_addf(&b, "\x1f%s", lists[i]->item[k]);
    }
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}

static struct group *group_of(struct candidates *c, const struct rq_task *t,
                              const struct rq_need *n)
{
    bool wide = rates_restarts(c->rates) && (c->money_limits || t->max_nano < INT64_MAX);
    char *key = group_key(t, n, wide);
    struct group *g;
    uint64_t before = c->count;

    HASH_FIND_STR(c->groups, key, g);
    if (g) {
        free(key);
        return g;
    }
    g = xmalloc(sizeof(*g));
    g->key = key;
    HASH_ADD_KEYPTR(hh, c->groups, key, strlen(key), g);
    c->n_slots = 0;
    c->wide = wide;
    uint32_t nr;
    catalog_regions(c->cat, &nr);
    memset(c->first_slot, 0, nr * sizeof(*c->first_slot));
    for (uint32_t i = 0; i < nr * MARKETS; i++)
        c->bar[i].sig = UINT32_MAX;
    c->few = c->rq->runners_up ? g : NULL;
    c->few_below = c->few ? INT64_MAX : -1;
    g->few = c->few ? xcalloc(CANDIDATES_FEW, sizeof(*g->few)) : NULL;
    scan_need(c, t, n, keep_best, c);
    c->few = NULL;
    g->n = c->count - before;
    c->count = before;
    if (c->n_slots)
        qsort(c->slot, c->n_slots, sizeof(*c->slot), cheaper_slot);
    g->by_place = xcalloc(c->n_slots + 1, sizeof(*g->by_place));
    g->by_sig = xcalloc(c->n_slots + 1, sizeof(*g->by_sig));
    for (size_t i = 0; i < c->n_slots; i++) {
        const struct cand *x = &c->slot[i].c;
        bool dominated = false;
        if (c->slot[i].dead)
            continue;
        g->by_place[g->n_by_place++] = *x;
        // Cheapest first: one before that counts for no other limit is at least as good.
        for (size_t k = 0; k < g->n_by_sig && !dominated; k++)
            dominated = sig_subset(&c->sigs[g->by_sig[k].sig], &c->sigs[x->sig]) &&
                        (!wide || g->by_sig[k].quote.price <= x->quote.price);
        if (!dominated)
            g->by_sig[g->n_by_sig++] = *x;
    }
    return g;
}

static int64_t hours_us(double hours)
{
    return llround(hours * 3.6e9);
}

// What a task pays and waits in a place for the data that concern it alone.
struct haul {
    int64_t cost, release;
    int64_t own; // of the cost: what has a location, which counts for the task's cap
};

static uint32_t transfer_place(struct candidates *c, const struct rq_transfer *x)
{
    return x->dataset >= 0 ? c->dataset_place[x->dataset]
                           : places_of(c->places, x->location.cloud, x->location.region);
}

static bool names_before(const struct rq_task *t, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (t->inputs[k].dataset == t->inputs[i].dataset)
            return true;
    return false;
}

static struct haul haul_of(struct candidates *c, const struct rq_task *t, const uint32_t *in,
                           const uint32_t *out, uint32_t place)
{
    struct haul h = {0, 0, 0};

    for (size_t i = 0; i < t->n_inputs; i++) {
        int d = t->inputs[i].dataset;
        double gb = d >= 0 ? c->rq->datasets[d].size_gb : t->inputs[i].size_gb;
        if (in[i] == place || (d >= 0 && names_before(t, i)))
            continue;
        int64_t cost = places_cost(c->places, in[i], place, gb), time = places_time(c->places, gb);
        h.release = time > h.release ? time : h.release;
        // A shared one is paid by whoever comes first; but it must be possible.
        if (d < 0 || !c->shared[d] || cost >= COST_INF)
            h.cost = sat_add(h.cost, cost);
        if (d < 0)
            h.own = sat_add(h.own, cost);
    }
    for (size_t i = 0; i < t->n_outputs; i++) {
        int64_t cost = places_cost(c->places, place, out[i], t->outputs[i].size_gb);
        h.cost = sat_add(h.cost, cost);
        h.own = sat_add(h.own, cost);
    }
    return h;
}

struct opts {
    struct opt *o;
    size_t n, cap;
};

static void push(struct opts *v, const struct opt *o)
{
    if (v->n == v->cap) {
        v->cap = v->cap ? v->cap * 2 : 1024;
        v->o = xrealloc(v->o, v->cap * sizeof(*v->o));
    }
    v->o[v->n++] = *o;
}

static int by_place_and_cost(const void *pa, const void *pb)
{
    const struct opt *a = pa, *b = pb;

    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    if (a->duration != b->duration)
        return a->duration < b->duration ? -1 : 1;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static bool dominates(const struct sig *sigs, const struct opt *a, const struct opt *b)
{
    return a->cost <= b->cost && a->duration <= b->duration && a->release <= b->release &&
           opt_no_hungrier(sigs, a, b);
}

// Leaves the Pareto front of each place.
static size_t prune(const struct sig *sigs, struct opt *o, size_t n)
{
    size_t kept = 0, start = 0;

    qsort(o, n, sizeof(*o), by_place_and_cost);
    for (size_t i = 0; i < n; i++) {
        bool dominated = false;
        if (!kept || o[kept - 1].place != o[i].place)
            start = kept;
        for (size_t k = start; k < kept && !dominated; k++)
            dominated = dominates(sigs, &o[k], &o[i]);
        if (!dominated)
            o[kept++] = o[i];
    }
    return kept;
}

struct maker {
    struct candidates *c;
    const struct rq_task *task;
    uint32_t *in, *out; // places of inputs and outputs
    struct haul *haul;  // per place; release -1 = not known yet
    uint32_t n_haul;
};

static void maker_init(struct maker *m, struct candidates *c, const struct rq_task *t)
{
    *m = (struct maker){.c = c, .task = t};
    m->in = xcalloc(t->n_inputs + 1, sizeof(*m->in));
    m->out = xcalloc(t->n_outputs + 1, sizeof(*m->out));
    for (size_t i = 0; i < t->n_inputs; i++)
        m->in[i] = transfer_place(c, &t->inputs[i]);
    for (size_t i = 0; i < t->n_outputs; i++)
        m->out[i] = transfer_place(c, &t->outputs[i]);
    for (size_t i = 0; i < t->n_alternatives; i++)
        places_of(c->places, t->alternatives[i].location.cloud, t->alternatives[i].location.region);
    if (t->n_inputs + t->n_outputs) {
        m->n_haul = places_count(c->places);
        m->haul = xcalloc(m->n_haul, sizeof(*m->haul));
        for (uint32_t i = 0; i < m->n_haul; i++)
            m->haul[i].release = -1;
    }
}

static void maker_free(struct maker *m)
{
    free(m->in);
    free(m->out);
    free(m->haul);
}

enum made { MADE, MADE_NO_ROUTE, MADE_TOO_DEAR, MADE_OVER_CAP };

// Adds the private transfers. *counted: what counts for the task's cap.
static enum made add_haul(struct maker *m, struct opt *o, int64_t *counted)
{
    *counted = o->compute;
    if (m->haul) {
        struct haul *h = &m->haul[o->place];
        if (h->release < 0)
            *h = haul_of(m->c, m->task, m->in, m->out, o->place);
        o->cost = sat_add(o->cost, h->cost);
        o->release = sat_add(o->release, h->release);
        *counted = sat_add(*counted, h->own);
        if (o->cost >= COST_INF || o->release >= TIME_INF)
            return MADE_NO_ROUTE;
    }
    return *counted > m->task->max_nano ? MADE_OVER_CAP : MADE;
}

// What nodes cost for hours, in nano-dollars; -1 = more than is counted.
static int64_t cost_of(int64_t price, uint32_t nodes, double hours)
{
    long double nano = (long double)price * (long double)nodes * (long double)hours;

    return nano > COST_MAX ? -1 : llroundl(nano);
}

static double counted_hours(const struct rq_task *t, double hours)
{
    return t->limit_hours < 0 ? hours : t->limit_hours;
}

static enum made make(struct maker *m, size_t need, const struct cand *x, struct opt *o,
                      int64_t *counted)
{
    const struct rq_need *d = &m->task->needs[need];
    uint32_t n;

    *counted = 0;
    *o = (struct opt){
        .cost = cost_of(x->quote.effective, d->nodes, d->hours),
        .compute = cost_of(x->quote.price, d->nodes, counted_hours(m->task, d->hours)),
        .duration = hours_us(d->hours),
        .place = x->place,
        .sig = m->task->no_limits ? 0 : x->sig,
        .rank = (catalog_offers(m->c->cat, &n)[x->offer].rank + 1) * MARKETS + x->market,
        .offer = x->offer,
        .need = (int32_t)need,
        .market = x->market,
        .nodes = d->nodes};
    return o->cost < 0 || o->compute < 0 ? MADE_TOO_DEAR : add_haul(m, o, counted);
}

static uint32_t alternative_sig(struct candidates *c, const struct rq_alternative *a)
{
    struct sig s = {{0}};

    for (size_t l = 0; l < c->rq->n_limits; l++) {
        const struct rq_match *m = &c->rq->limits[l].match;
        if (!m->offers && pattern(m->alternative, a->name) &&
            pattern(m->cloud, a->location.cloud) && pattern(m->region, a->location.region) &&
            pattern(m->zone, a->zone ? a->zone : "") &&
            pattern(m->instance_type, a->instance_type ? a->instance_type : "") &&
            (!m->accelerator ||
             glob_match_nocase(m->accelerator, a->accelerator ? a->accelerator : "")) &&
            (m->market < 0 || m->market == (int)a->market))
            sig_set(&s, l);
    }
    return sig_id(c, &s);
}

static bool alternative_blocked(const struct request *rq, const struct rq_alternative *a)
{
    for (size_t i = 0; i < rq->n_blocked; i++) {
        const struct rq_match *m = &rq->blocked[i];
        if (m->alternative && same(m->alternative, a->name) && same(m->cloud, a->location.cloud) &&
            same(m->region, a->location.region) && same(m->zone, a->zone ? a->zone : "") &&
            same(m->instance_type, a->instance_type ? a->instance_type : "") &&
            (!m->accelerator ||
             strcasecmp(m->accelerator, a->accelerator ? a->accelerator : "") == 0) &&
            (m->market < 0 || m->market == (int)a->market))
            return true;
    }
    return false;
}

static enum made make_alternative(struct maker *m, size_t i, struct opt *o, int64_t *counted)
{
    const struct rq_alternative *a = &m->task->alternatives[i];
    struct quote q = rates_quote_alternative(m->c->rates, a);
    // Waiting for the place and waiting for the data go on at the same time.
    int64_t wait = hours_us(a->wait_hours);

    *counted = 0;
    *o = (struct opt){.cost = cost_of(q.effective, a->nodes, a->hours),
                      .compute = cost_of(q.price, a->nodes, counted_hours(m->task, a->hours)),
                      .duration = hours_us(a->hours),
                      .place = places_of(m->c->places, a->location.cloud, a->location.region),
                      .sig = m->task->no_limits ? 0 : alternative_sig(m->c, a),
                      .rank = 0,
                      .need = -1 - (int32_t)i,
                      .market = a->market,
                      .nodes = a->nodes};
    if (o->cost < 0 || o->compute < 0)
        return MADE_TOO_DEAR;
    o->cost += llround(a->fixed_usd * 1e9);
    enum made made = add_haul(m, o, counted);
    o->release = wait > o->release ? wait : o->release;
    return made;
}

// Options of a task. tied: edges or shared data make the place matter to others.
static void add_task(struct candidates *c, uint32_t t, bool tied, struct opts *all)
{
    const struct rq_task *task = &c->rq->tasks[t];
    size_t start = all->n;
    bool placeless = !tied && !task->n_inputs && !task->n_outputs;
    int64_t counted = 0;
    struct maker m;
    struct opt o;

    maker_init(&m, c, task);
    for (size_t k = 0; k < task->n_needs; k++) {
        struct group *g = group_of(c, task, &task->needs[k]);
        const struct cand *x = placeless ? g->by_sig : g->by_place;
        size_t n = placeless ? g->n_by_sig : g->n_by_place;
        c->count += g->n;
        for (size_t i = 0; i < n; i++)
            if (make(&m, k, &x[i], &o, &counted) == MADE)
                push(all, &o);
    }
    for (size_t i = 0; i < task->n_alternatives; i++)
        if (!alternative_blocked(c->rq, &task->alternatives[i])) {
            c->count++;
            if (make_alternative(&m, i, &o, &counted) == MADE)
                push(all, &o);
        }
    maker_free(&m);
    if (all->n > start)
        all->n = start + prune(c->sigs, all->o + start, all->n - start);
}

// Data sets that more than one task uses.
static void find_shared(struct candidates *c)
{
    const struct request *rq = c->rq;
    uint32_t *user = xcalloc(rq->n_datasets + 1, sizeof(*user));

    c->shared = xcalloc(rq->n_datasets + 1, sizeof(bool));
    c->dataset_place = xcalloc(rq->n_datasets + 1, sizeof(*c->dataset_place));
    for (size_t d = 0; d < rq->n_datasets; d++)
        c->dataset_place[d] =
            places_of(c->places, rq->datasets[d].location.cloud, rq->datasets[d].location.region);
    for (uint32_t t = 0; t < rq->n_tasks; t++)
        for (size_t i = 0; i < rq->tasks[t].n_inputs; i++) {
            int d = rq->tasks[t].inputs[i].dataset;
            if (d < 0)
                continue;
            if (user[d] && user[d] != t + 1)
                c->shared[d] = true;
            user[d] = t + 1;
        }
    free(user);
}

static void add_datasets(struct candidates *c, struct problem *p)
{
    const struct request *rq = c->rq;
    uint32_t *at = xcalloc(rq->n_datasets + 1, sizeof(*at));

    p->dataset = xcalloc(rq->n_datasets + 1, sizeof(*p->dataset));
    for (size_t d = 0; d < rq->n_datasets; d++) {
        at[d] = p->n_datasets;
        if (c->shared[d])
            p->dataset[p->n_datasets++] = (struct problem_dataset){.place = c->dataset_place[d],
                                                                   .gb = rq->datasets[d].size_gb};
    }
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t t = 0; t < rq->n_tasks; t++)
            for (size_t i = 0; i < rq->tasks[t].n_inputs; i++) {
                int d = rq->tasks[t].inputs[i].dataset;
                if (d < 0 || !c->shared[d] || names_before(&rq->tasks[t], i))
                    continue;
                struct problem_dataset *x = &p->dataset[at[d]];
                if (pass)
                    x->task[x->n] = t;
                x->n++;
            }
        for (uint32_t d = 0; !pass && d < p->n_datasets; d++) {
            p->dataset[d].task = xcalloc(p->dataset[d].n, sizeof(uint32_t));
            p->dataset[d].n = 0;
        }
    }
    free(at);
}

static void add_edges_and_limits(struct candidates *c, struct problem *p)
{
    const struct request *rq = c->rq;

    p->edge = xcalloc(rq->n_edges + 1, sizeof(*p->edge));
    for (size_t e = 0; e < rq->n_edges; e++)
        p->edge[p->n_edges++] =
            (struct problem_edge){.u = rq->edges[e].from,
                                  .v = rq->edges[e].to,
                                  .gb = rq->edges[e].size_gb,
                                  .time = places_time(c->places, rq->edges[e].size_gb)};
    p->limit = xcalloc(rq->n_limits + 1, sizeof(*p->limit));
    for (size_t l = 0; l < rq->n_limits; l++)
        p->limit[p->n_limits++] =
            (struct problem_limit){rq->limits[l].max_nodes, rq->limits[l].max_nano};
    p->order = xcalloc(rq->n_tasks, sizeof(*p->order));
    memcpy(p->order, rq->order, rq->n_tasks * sizeof(*p->order));
}

static void add_tasks(struct candidates *c, struct problem *p)
{
    const struct request *rq = c->rq;
    bool *tied = xcalloc(rq->n_tasks, sizeof(bool));
    struct opts all = {0};

    for (size_t e = 0; e < rq->n_edges; e++)
        tied[rq->edges[e].from] = tied[rq->edges[e].to] = true;
    for (uint32_t d = 0; d < p->n_datasets; d++)
        for (uint32_t i = 0; i < p->dataset[d].n; i++)
            tied[p->dataset[d].task[i]] = true;
    p->n = (uint32_t)rq->n_tasks;
    p->first = xcalloc(p->n + 1, sizeof(*p->first));
    for (uint32_t t = 0; t < p->n; t++) {
        add_task(c, t, tied[t], &all);
        p->first[t + 1] = (uint32_t)all.n;
    }
    p->opt = all.o;
    for (uint32_t i = 0; i < all.n; i++)
        p->opt[i].self = i;
    free(tied);
}

struct candidates *candidates_create(const struct catalog *cat, const struct request *rq,
                                     struct problem *p, burst_error_t *errp)
{
    struct candidates *c = xmalloc(sizeof(*c));
    uint32_t nr;

    catalog_regions(cat, &nr);
    c->cat = cat;
    c->rq = rq;
    c->places = places_create(cat, rq->gbit_per_s);
    c->rates = rates_create(cat, rq);
    for (size_t l = 0; l < rq->n_limits; l++)
        c->money_limits = c->money_limits || rq->limits[l].max_nano >= 0;
    c->first_slot = xcalloc(nr + 1, sizeof(*c->first_slot));
    c->bar = xcalloc((size_t)nr * MARKETS + 1, sizeof(*c->bar));
    c->problem = p;
    memset(p, 0, sizeof(*p));
    p->places = c->places;
    build_masks(c);
    find_shared(c);
    add_datasets(c, p);
    add_edges_and_limits(c, p);
    add_tasks(c, p);
    p->sig = c->sigs;
    p->n_sigs = c->n_sigs;
    problem_index(p);
    return c;
}

void candidates_destroy(struct candidates *c)
{
    struct group *g, *gn;
    struct sig_id *s, *sn;

    if (!c)
        return;
    HASH_ITER(hh, c->groups, g, gn)
    {
        HASH_DEL(c->groups, g);
        free(g->key);
        free(g->by_place);
        free(g->by_sig);
        free(g->few);
        free(g);
    }
    HASH_ITER(hh, c->sig_ids, s, sn)
    {
        HASH_DEL(c->sig_ids, s);
        free(s);
    }
    places_destroy(c->places);
    rates_destroy(c->rates);
    free(c->masks.type);
    free(c->masks.region);
    free(c->masks.type_class);
    free(c->masks.known);
    free(c->sigs);
    free(c->shared);
    free(c->dataset_place);
    free(c->slot);
    free(c->first_slot);
    free(c->bar);
    free(c);
}

uint64_t candidates_count(const struct candidates *c)
{
    return c->count;
}

struct each {
    struct maker m;
    size_t need;
    candidates_fn fn;
    void *arg;
};

static void each_offer(void *arg, const struct catalog_offer *o, const struct cand *x)
{
    struct each *e = arg;
    struct opt opt;
    int64_t counted = 0;

    if (make(&e->m, e->need, x, &opt, &counted) == MADE)
        e->fn(e->arg, &opt);
}

static void each_of_group(struct each *e)
{
    const struct rq_need *need = &e->m.task->needs[e->need];
    struct group *g = group_of(e->m.c, e->m.task, need);

    for (size_t i = 0; i < g->n_few; i++)
        each_offer(e, NULL, &g->few[i].c);
    for (size_t i = 0; i < g->n_by_place; i++)
        each_offer(e, NULL, &g->by_place[i]);
}

void candidates_each(struct candidates *c, uint32_t task, bool few, candidates_fn fn, void *arg)
{
    const struct rq_task *t = &c->rq->tasks[task];
    struct each e = {.fn = fn, .arg = arg};
    struct opt o;
    int64_t counted = 0;

    maker_init(&e.m, c, t);
    for (e.need = 0; e.need < t->n_needs; e.need++)
        if (few)
            each_of_group(&e);
        else
            scan_need(c, t, &t->needs[e.need], each_offer, &e);
    for (size_t i = 0; i < t->n_alternatives; i++)
        if (!alternative_blocked(c->rq, &t->alternatives[i]) &&
            make_alternative(&e.m, i, &o, &counted) == MADE)
            fn(arg, &o);
    maker_free(&e.m);
    c->problem->sig = c->sigs; // new signatures may have moved the array
}

struct offers_arg {
    offers_fn fn;
    void *arg;
};

static void pass_offer(void *arg, const struct catalog_offer *o, const struct cand *x)
{
    struct offers_arg *a = arg;
    a->fn(a->arg, x->offer, (enum market)x->market);
}

void candidates_offers(const struct catalog *cat, const struct rq_task *t, offers_fn fn, void *arg)
{
    struct request rq = {0};
    struct candidates c = {.cat = cat, .rq = &rq};
    struct offers_arg a = {fn, arg};

    c.rates = rates_create(cat, &rq);
    build_masks(&c);
    for (size_t k = 0; k < t->n_needs; k++)
        scan_need(&c, t, &t->needs[k], pass_offer, &a);
    struct sig_id *s, *sn;
    HASH_ITER(hh, c.sig_ids, s, sn)
    {
        HASH_DEL(c.sig_ids, s);
        free(s);
    }
    free(c.sigs);
    free(c.masks.type);
    free(c.masks.region);
    rates_destroy(c.rates);
}

void candidates_bill(const struct candidates *c, uint32_t task, const struct opt *o, struct bill *b)
{
    const struct rq_task *t = &c->rq->tasks[task];
    const struct rq_alternative *a = o->need < 0 ? &t->alternatives[-1 - o->need] : NULL;
    struct quote q = a ? rates_quote_alternative(c->rates, a)
                       : rates_quote_offer(c->rates, o->offer, (enum market)o->market);

    b->hours = a ? a->hours : t->needs[o->need].hours;
    b->price = q.price;
    b->compute = cost_of(q.price, o->nodes, b->hours);
    b->restart = cost_of(q.effective, o->nodes, b->hours) - b->compute;
    b->fixed = a ? llround(a->fixed_usd * 1e9) : 0;
}

// The filters in the order in which a reason names them.
enum stage {
    ST_ACCELERATOR,
    ST_COUNT,
    ST_VCPUS,
    ST_MEMORY,
    ST_CLOUDS,
    ST_REGIONS,
    ST_ZONES,
    ST_MARKET,
    ST_BLOCKED,
    ST_DATA,
    ST_COST,
    ST_CAP,
    STAGES
};

static const char *const stage_name[STAGES] = {
    "accelerator", "count",  "vcpus",   "memory_gib",     "clouds", "regions",
    "zones",       "market", "blocked", "inputs/outputs", "hours",  "max_usd"};

static const char *const stage_text[STAGES] = {
    "no instance of the catalog has it",
    "no instance has as many accelerators",
    "no instance that is left has as many vCPUs",
    "no instance that is left has as much memory",
    "no cloud that offers such an instance matches",
    "no region that offers such an instance matches",
    "no zone that offers such an instance matches (a price without a zone matches only *)",
    "such an instance is not offered on this market there",
    "every place that is left is blocked",
    "the data cannot be moved to or from any place that is left: no row of egress.csv matches",
    "it costs more than this program counts (a billion dollars)",
    ""};

static enum stage type_stage(const struct catalog *cat, const struct catalog_type *t,
                             const struct rq_need *n)
{
    const char *acc = catalog_str(cat, t->accelerator);

    if (n->accelerator ? strcasecmp(acc, n->accelerator) != 0 : *acc || t->count > 0)
        return ST_ACCELERATOR;
    if (t->count < n->count)
        return ST_COUNT;
    if (t->vcpus < n->vcpus)
        return ST_VCPUS;
    return t->memory_gib < n->memory_gib ? ST_MEMORY : ST_CLOUDS;
}

// Why a task got nothing: the filter that its candidates reached, and the least that its cap would
// have to be.
struct verdict {
    enum stage stage;
    int64_t needed; // INT64_MAX = the cap is not what is in the way
};

static enum stage made_stage(struct verdict *v, enum made made, int64_t counted)
{
    static const enum stage stage[] = {STAGES, ST_DATA, ST_COST, ST_CAP};

    if (made == MADE_OVER_CAP && counted < v->needed)
        v->needed = counted;
    return stage[made];
}

static enum stage offer_stage(struct maker *m, size_t need, uint32_t index, enum market market,
                              const char *cloud, struct verdict *v)
{
    struct candidates *c = m->c;
    const struct rq_task *t = m->task;
    uint32_t n, nt, nr;
    const struct catalog_offer *o = &catalog_offers(c->cat, &n)[index];
    const char *region = catalog_str(c->cat, catalog_regions(c->cat, &nr)[o->region].name);
    const struct catalog_type *type = &catalog_types(c->cat, &nt)[o->type];
    struct opt opt;
    int64_t counted = 0;

    if (!any(&t->clouds, cloud) || !any(&t->needs[need].clouds, cloud))
        return ST_CLOUDS;
    if (!any_region(&t->regions, cloud, region))
        return ST_REGIONS;
    if (t->zones.n && !any(&t->zones, catalog_str(c->cat, o->zone)))
        return ST_ZONES;
    if (o->price[market] == NO_PRICE ||
        (t->market != RQ_ANY && (t->market == RQ_SPOT) != (market == MARKET_SPOT)))
        return ST_MARKET;
    for (size_t i = 0; i < c->rq->n_blocked; i++) {
        const struct rq_match *b = &c->rq->blocked[i];
        if (blocks_offers(b, cloud) && blocked_type(c, b, type) &&
            (b->market < 0 || b->market == (int)market) && same(b->region, region) &&
            same(b->zone, catalog_str(c->cat, o->zone)))
            return ST_BLOCKED;
    }
    struct cand x = {index, market, 0, o->region, rates_quote_offer(c->rates, index, market)};
    enum made made = make(m, need, &x, &opt, &counted);
    return made_stage(v, made, counted);
}

static enum stage need_stage(struct maker *m, size_t need, struct verdict *v)
{
    const struct catalog *cat = m->c->cat;
    uint32_t nt, nc;
    const struct catalog_type *types = catalog_types(cat, &nt);
    const struct catalog_cloud *clouds = catalog_clouds(cat, &nc);
    enum stage best = ST_ACCELERATOR;

    for (uint32_t k = 0; k < nt; k++) {
        enum stage s =
            types[k].n_offers ? type_stage(cat, &types[k], &m->task->needs[need]) : ST_ACCELERATOR;
        best = s > best ? s : best;
        if (s < ST_CLOUDS)
            continue;
        for (uint32_t i = types[k].first_offer; i < types[k].first_offer + types[k].n_offers; i++)
            for (int market = 0; market < MARKETS; market++) {
                s = offer_stage(m, need, i, (enum market)market,
                                catalog_str(cat, clouds[types[k].cloud].name), v);
                best = s > best ? s : best;
            }
    }
    return best;
}

// What the requirement says, for the message.
static void stage_value(const struct rq_task *t, const struct rq_need *n, enum stage s, char *buf,
                        size_t size)
{
    static const char *const market[] = {"any", "on-demand", "spot"};
    const struct rq_list *l = s == ST_CLOUDS    ? (n->clouds.n ? &n->clouds : &t->clouds)
                              : s == ST_REGIONS ? &t->regions
                                                : &t->zones;
    size_t len = 0;

    *buf = '\0';
    if (s == ST_ACCELERATOR)
        snprintf(buf, size, " %s", n->accelerator ? n->accelerator : "(none)");
    else if (s == ST_COUNT)
        snprintf(buf, size, " %g x %s", n->count, n->accelerator ? n->accelerator : "");
    else if (s == ST_VCPUS)
        snprintf(buf, size, " %g", n->vcpus);
    else if (s == ST_MEMORY)
        snprintf(buf, size, " %g", n->memory_gib);
    else if (s == ST_MARKET)
        snprintf(buf, size, " %s", market[t->market]);
    else if (s >= ST_CLOUDS && s <= ST_ZONES)
        for (size_t i = 0; i < l->n && len + 1 < size; i++)
            len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? "," : " ", l->item[i]);
}

// Dollars, up to the next hundredth of a cent: who allows that much gets something.
static void dollars(int64_t nano, char *buf, size_t size)
{
    int64_t x = nano / 100000 + (nano % 100000 > 0);

    if (x % 100)
        snprintf(buf, size, "$%" PRId64 ".%04" PRId64, x / 10000, x % 10000);
    else
        snprintf(buf, size, "$%" PRId64 ".%02" PRId64, x / 10000, x % 10000 / 100);
}

static char *cap_reason(const struct rq_task *t, const struct verdict *v)
{
    char cap[32], needed[32];

    dollars(t->max_nano, cap, sizeof(cap));
    dollars(v->needed, needed, sizeof(needed));
    return xasprintf("task \"%s\": max_usd %g: its cap of %s is below the %s of the cheapest place",
                     t->name, (double)t->max_nano / 1e9, cap, needed);
}

char *candidates_reason(struct candidates *c, uint32_t task)
{
    const struct rq_task *t = &c->rq->tasks[task];
    struct verdict v = {ST_ACCELERATOR, INT64_MAX};
    size_t which = 0;
    char value[200] = "";
    struct maker m;
    struct opt o;
    int64_t counted = 0;

    maker_init(&m, c, t);
    // Of several kinds of instance the one that got furthest is the one to mend.
    for (size_t k = 0; k < t->n_needs; k++) {
        enum stage s = need_stage(&m, k, &v);
        if (s > v.stage || k == 0) {
            v.stage = s;
            which = k;
        }
    }
    for (size_t i = 0; i < t->n_alternatives; i++)
        if (!alternative_blocked(c->rq, &t->alternatives[i])) {
            enum made made = make_alternative(&m, i, &o, &counted);
            made_stage(&v, made, counted);
        }
    maker_free(&m);
    if (v.stage == STAGES)
        return NULL;
    if (v.needed < INT64_MAX)
        return cap_reason(t, &v);
    if (!t->n_needs)
        return xasprintf("task \"%s\": none of its alternatives is possible", t->name);
    stage_value(t, &t->needs[which], v.stage, value, sizeof(value));
    return xasprintf("task \"%s\": %s%s: %s", t->name, stage_name[v.stage], value,
                     stage_text[v.stage]);
}
