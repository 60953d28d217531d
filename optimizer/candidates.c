// SPDX-License-Identifier: GPL-3.0-or-later
// See candidates.h: puts the problem together from the options of the tasks (option.h) of the best
// candidates (group.h), data sets, edges and limits.
#include "optimizer/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"
#include "optimizer/blocked.h"
#include "optimizer/group.h"
#include "optimizer/option.h"
#include "optimizer/reason.h"

struct candidates {
    struct supply supply;
    struct groups *groups;
    uint64_t count;
    struct problem *problem;
};

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

// Options of a task. tied: edges or shared data make the place matter to others.
static void add_task(struct candidates *c, uint32_t t, bool tied, struct opts *all)
{
    const struct rq_task *task = &c->supply.rq->tasks[t];
    size_t start = all->n;
    bool placeless = !tied && !task->n_inputs && !task->n_outputs;
    int64_t counted = 0;
    uint32_t n_sigs;
    struct maker m;
    struct opt o;

    maker_init(&m, &c->supply, task);
    for (size_t k = 0; k < task->n_needs; k++) {
        const struct group *g = groups_of(c->groups, task, &task->needs[k]);
        const struct cand *x = placeless ? g->by_sig : g->by_place;
        size_t n = placeless ? g->n_by_sig : g->n_by_place;
        c->count += g->n;
        for (size_t i = 0; i < n; i++)
            if (maker_offer(&m, k, &x[i], &o, &counted) == MADE)
                push(all, &o);
    }
    for (size_t i = 0; i < task->n_alternatives; i++)
        if (!blocked_alternative(c->supply.rq, &task->alternatives[i])) {
            c->count++;
            if (maker_alternative(&m, i, &o, &counted) == MADE)
                push(all, &o);
        }
    maker_free(&m);
    if (all->n > start)
        all->n =
            start + prune(signatures_list(c->supply.sigs, &n_sigs), all->o + start, all->n - start);
}

static void add_datasets(struct candidates *c, struct problem *p)
{
    const struct request *rq = c->supply.rq;
    uint32_t *at = xcalloc(rq->n_datasets + 1, sizeof(*at));

    p->dataset = xcalloc(rq->n_datasets + 1, sizeof(*p->dataset));
    for (size_t d = 0; d < rq->n_datasets; d++) {
        at[d] = p->n_datasets;
        if (c->supply.shared[d])
            p->dataset[p->n_datasets++] = (struct problem_dataset){
                .place = c->supply.dataset_place[d], .gb = rq->datasets[d].size_gb};
    }
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t t = 0; t < rq->n_tasks; t++)
            for (size_t i = 0; i < rq->tasks[t].n_inputs; i++) {
                int d = rq->tasks[t].inputs[i].dataset;
                if (d < 0 || !c->supply.shared[d] || option_names_again(&rq->tasks[t], i))
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
    const struct request *rq = c->supply.rq;

    p->edge = xcalloc(rq->n_edges + 1, sizeof(*p->edge));
    for (size_t e = 0; e < rq->n_edges; e++)
        p->edge[p->n_edges++] =
            (struct problem_edge){.u = rq->edges[e].from,
                                  .v = rq->edges[e].to,
                                  .gb = rq->edges[e].size_gb,
                                  .time = places_time(c->supply.places, rq->edges[e].size_gb)};
    p->limit = xcalloc(rq->n_limits + 1, sizeof(*p->limit));
    for (size_t l = 0; l < rq->n_limits; l++)
        p->limit[p->n_limits++] =
            (struct problem_limit){rq->limits[l].max_nodes, rq->limits[l].max_nano};
    p->order = xcalloc(rq->n_tasks, sizeof(*p->order));
    memcpy(p->order, rq->order, rq->n_tasks * sizeof(*p->order));
}

static void add_tasks(struct candidates *c, struct problem *p)
{
    const struct request *rq = c->supply.rq;
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
                                     struct problem *p)
{
    struct candidates *c = xmalloc(sizeof(*c));

    supply_init(&c->supply, cat, rq);
    c->groups = groups_create(&c->supply);
    c->problem = p;
    memset(p, 0, sizeof(*p));
    p->places = c->supply.places;
    add_datasets(c, p);
    add_edges_and_limits(c, p);
    add_tasks(c, p);
    p->sig = signatures_list(c->supply.sigs, &p->n_sigs);
    problem_index(p);
    problem_prices(p);
    return c;
}

void candidates_destroy(struct candidates *c)
{
    if (!c)
        return;
    groups_destroy(c->groups);
    supply_free(&c->supply);
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

    if (maker_offer(&e->m, e->need, x, &opt, &counted) == MADE)
        e->fn(e->arg, &opt);
}

void candidates_each(struct candidates *c, uint32_t task, bool few, candidates_fn fn, void *arg)
{
    const struct rq_task *t = &c->supply.rq->tasks[task];
    struct each e = {.fn = fn, .arg = arg};
    struct opt o;
    int64_t counted = 0;
    uint32_t n;

    maker_init(&e.m, &c->supply, t);
    for (e.need = 0; e.need < t->n_needs; e.need++) {
        if (!few) {
            scan_need(&c->supply, t, &t->needs[e.need], NULL, each_offer, &e);
            continue;
        }
        const struct group *g = groups_of(c->groups, t, &t->needs[e.need]);
        for (size_t i = 0; i < g->n_few; i++)
            each_offer(&e, NULL, &g->few[i]);
        for (size_t i = 0; i < g->n_by_place; i++)
            each_offer(&e, NULL, &g->by_place[i]);
    }
    for (size_t i = 0; i < t->n_alternatives; i++)
        if (!blocked_alternative(c->supply.rq, &t->alternatives[i]) &&
            maker_alternative(&e.m, i, &o, &counted) == MADE)
            fn(arg, &o);
    maker_free(&e.m);
    c->problem->sig = signatures_list(c->supply.sigs, &n); // new ones may have moved the array
}

void candidates_bill(const struct candidates *c, uint32_t task, const struct opt *o, struct bill *b)
{
    option_bill(&c->supply, task, o, b);
}

char *candidates_reason(struct candidates *c, uint32_t task)
{
    return reason_of(&c->supply, task);
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
    struct supply s;
    struct offers_arg a = {fn, arg};

    supply_init(&s, cat, &rq);
    for (size_t k = 0; k < t->n_needs; k++)
        scan_need(&s, t, &t->needs[k], NULL, pass_offer, &a);
    supply_free(&s);
}
