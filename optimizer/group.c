// SPDX-License-Identifier: GPL-3.0-or-later
// See group.h.
#include "optimizer/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define KEY_MAX (8u << 20)

struct entry {
    char *key;
    struct group group;
    UT_hash_handle hh;
};

struct slot {
    struct cand c;
    uint32_t rank, next;
    bool dead;
};

struct groups {
    struct supply *s;
    struct entry *table;
    // of the group at hand
    bool wide; // real prices count as well
    struct slot *slot;
    size_t n_slots, cap_slots;
    uint32_t *first_slot; // per region, index + 1 of a chain
    struct sieve sieve;
    struct slot *few; // sorted
    size_t n_few;
    uint64_t n;
};

struct groups *groups_create(struct supply *s)
{
    struct groups *g = xmalloc(sizeof(*g));
    uint32_t n;

    catalog_regions(s->cat, &n);
    g->s = s;
    g->first_slot = xcalloc(n + 1, sizeof(*g->first_slot));
    g->sieve.bar = xcalloc((size_t)n * MARKETS + 1, sizeof(*g->sieve.bar));
    g->few = xcalloc(GROUP_FEW, sizeof(*g->few));
    return g;
}

void groups_destroy(struct groups *g)
{
    struct entry *e, *next;

    if (!g)
        return;
    HASH_ITER(hh, g->table, e, next)
    {
        HASH_DEL(g->table, e);
        free(e->key);
        free(e->group.by_place);
        free(e->group.by_sig);
        free(e->group.few);
        free(e);
    }
    free(g->slot);
    free(g->first_slot);
    free(g->sieve.bar);
    free(g->few);
    free(g);
}

static int cheaper_slot(const void *pa, const void *pb)
{
    const struct slot *a = pa, *b = pb;

    if (a->c.quote.effective != b->c.quote.effective)
        return a->c.quote.effective < b->c.quote.effective ? -1 : 1;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static void keep_few(struct groups *g, const struct slot *s)
{
    size_t i;

    if (g->n_few == GROUP_FEW && cheaper_slot(s, &g->few[GROUP_FEW - 1]) >= 0)
        return;
    if (g->n_few < GROUP_FEW)
        g->n_few++;
    for (i = g->n_few - 1; i > 0 && cheaper_slot(s, &g->few[i - 1]) < 0; i--)
        g->few[i] = g->few[i - 1];
    g->few[i] = *s;
    if (g->n_few == GROUP_FEW)
        g->sieve.few_below = g->few[GROUP_FEW - 1].c.quote.effective;
}

// Takes x in place of what it makes useless. True also when something there makes x useless:
// nothing is to be added.
static bool takes_place(struct groups *g, const struct cand *x, uint32_t rank)
{
    const struct quote *q = &x->quote;
    bool placed = false;

    for (uint32_t at = g->first_slot[x->place]; at; at = g->slot[at - 1].next) {
        struct slot *s = &g->slot[at - 1];
        const struct quote *old = &s->c.quote;
        if (s->c.sig != x->sig || s->dead)
            continue;
        bool same = old->effective == q->effective && (!g->wide || old->price == q->price);
        bool worse = old->effective >= q->effective && (!g->wide || old->price >= q->price);
        bool better = old->effective <= q->effective && (!g->wide || old->price <= q->price);
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
    struct groups *g = arg;
    struct slot s = {.c = *x, .rank = o->rank * MARKETS + x->market};

    g->n++;
    if (g->s->rq->runners_up)
        keep_few(g, &s);
    if (takes_place(g, x, s.rank))
        return;
    if (g->n_slots == g->cap_slots) {
        g->cap_slots = g->cap_slots ? g->cap_slots * 2 : 256;
        g->slot = xrealloc(g->slot, g->cap_slots * sizeof(*g->slot));
    }
    s.next = g->first_slot[x->place];
    g->slot[g->n_slots] = s;
    g->first_slot[x->place] = (uint32_t)++g->n_slots;
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

static void start(struct groups *g, bool wide)
{
    uint32_t n;

    catalog_regions(g->s->cat, &n);
    memset(g->first_slot, 0, n * sizeof(*g->first_slot));
    for (uint32_t i = 0; i < n * MARKETS; i++)
        g->sieve.bar[i].sig = UINT32_MAX;
    g->sieve.few_below = g->s->rq->runners_up ? INT64_MAX : -1;
    g->sieve.n_skipped = 0;
    g->n_slots = g->n_few = 0;
    g->n = 0;
    g->wide = wide;
}

static void finish(struct groups *g, struct group *out)
{
    uint32_t n;
    const struct sig *sigs = signatures_list(g->s->sigs, &n);

    if (g->n_slots)
        qsort(g->slot, g->n_slots, sizeof(*g->slot), cheaper_slot);
    out->n = g->n + g->sieve.n_skipped;
    out->by_place = xcalloc(g->n_slots + 1, sizeof(*out->by_place));
    out->by_sig = xcalloc(g->n_slots + 1, sizeof(*out->by_sig));
    for (size_t i = 0; i < g->n_slots; i++) {
        const struct cand *x = &g->slot[i].c;
        bool dominated = false;
        if (g->slot[i].dead)
            continue;
        out->by_place[out->n_by_place++] = *x;
        // Cheapest first: one before that counts for no other limit is at least as good.
        for (size_t k = 0; k < out->n_by_sig && !dominated; k++)
            dominated = sig_subset(&sigs[out->by_sig[k].sig], &sigs[x->sig]) &&
                        (!g->wide || out->by_sig[k].quote.price <= x->quote.price);
        if (!dominated)
            out->by_sig[out->n_by_sig++] = *x;
    }
    out->few = xcalloc(g->n_few + 1, sizeof(*out->few));
    for (size_t i = 0; i < g->n_few; i++)
        out->few[out->n_few++] = g->few[i].c;
}

const struct group *groups_of(struct groups *g, const struct rq_task *t, const struct rq_need *n)
{
    bool wide = rates_restarts(g->s->rates) && (g->s->money_limits || t->max_nano < INT64_MAX);
    char *key = group_key(t, n, wide);
    struct entry *e;

    HASH_FIND_STR(g->table, key, e);
    if (e) {
        free(key);
        return &e->group;
    }
    e = xmalloc(sizeof(*e));
    e->key = key;
    HASH_ADD_KEYPTR(hh, g->table, key, strlen(key), e);
    start(g, wide);
    scan_need(g->s, t, n, &g->sieve, keep_best, g);
    finish(g, &e->group);
    return &e->group;
}
