// SPDX-License-Identifier: GPL-3.0-or-later
// See option.h.
#include "optimizer/option.h"

#include <math.h>
#include <stdlib.h>

#include "libburst/xalloc.h"

#define COST_MAX 1e18L // nano-dollars of one option: a billion dollars

static int64_t hours_us(double hours)
{
    return llround(hours * 3.6e9);
}

static uint32_t transfer_place(struct supply *s, const struct rq_transfer *x)
{
    return x->dataset >= 0 ? s->dataset_place[x->dataset]
                           : places_of(s->places, x->location.cloud, x->location.region);
}

bool option_names_again(const struct rq_task *t, size_t input)
{
    for (size_t k = 0; k < input; k++)
        if (t->inputs[k].dataset == t->inputs[input].dataset)
            return true;
    return false;
}

static struct haul haul_of(struct supply *s, const struct rq_task *t, const uint32_t *in,
                           const uint32_t *out, uint32_t place)
{
    struct haul h = {0, 0, 0};

    for (size_t i = 0; i < t->n_inputs; i++) {
        int d = t->inputs[i].dataset;
        double gb = d >= 0 ? s->rq->datasets[d].size_gb : t->inputs[i].size_gb;
        if (in[i] == place || (d >= 0 && option_names_again(t, i)))
            continue;
        int64_t cost = places_cost(s->places, in[i], place, gb), time = places_time(s->places, gb);
        h.release = time > h.release ? time : h.release;
        // A shared one is paid by whoever comes first; but it must be possible.
        if (d < 0 || !s->shared[d] || cost >= COST_INF)
            h.cost = sat_add(h.cost, cost);
        if (d < 0)
            h.own = sat_add(h.own, cost);
    }
    for (size_t i = 0; i < t->n_outputs; i++) {
        int64_t cost = places_cost(s->places, place, out[i], t->outputs[i].size_gb);
        h.cost = sat_add(h.cost, cost);
        h.own = sat_add(h.own, cost);
    }
    return h;
}

void maker_init(struct maker *m, struct supply *s, const struct rq_task *t)
{
    *m = (struct maker){.s = s, .task = t};
    m->in = xcalloc(t->n_inputs + 1, sizeof(*m->in));
    m->out = xcalloc(t->n_outputs + 1, sizeof(*m->out));
    for (size_t i = 0; i < t->n_inputs; i++)
        m->in[i] = transfer_place(s, &t->inputs[i]);
    for (size_t i = 0; i < t->n_outputs; i++)
        m->out[i] = transfer_place(s, &t->outputs[i]);
    for (size_t i = 0; i < t->n_alternatives; i++)
        places_of(s->places, t->alternatives[i].location.cloud, t->alternatives[i].location.region);
    if (t->n_inputs + t->n_outputs) {
        m->n_haul = places_count(s->places);
        m->haul = xcalloc(m->n_haul, sizeof(*m->haul));
        for (uint32_t i = 0; i < m->n_haul; i++)
            m->haul[i].release = -1;
    }
}

void maker_free(struct maker *m)
{
    free(m->in);
    free(m->out);
    free(m->haul);
}

// Adds the private transfers. *counted: what counts for the task's cap.
static enum made add_haul(struct maker *m, struct opt *o, int64_t *counted)
{
    *counted = o->compute;
    if (m->haul) {
        struct haul *h = &m->haul[o->place];
        if (h->release < 0)
            *h = haul_of(m->s, m->task, m->in, m->out, o->place);
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

enum made maker_offer(struct maker *m, size_t need, const struct cand *x, struct opt *o,
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
        .rank = (catalog_offers(m->s->cat, &n)[x->offer].rank + 1) * MARKETS + x->market,
        .offer = x->offer,
        .need = (int32_t)need,
        .market = x->market,
        .nodes = d->nodes};
    return o->cost < 0 || o->compute < 0 ? MADE_TOO_DEAR : add_haul(m, o, counted);
}

enum made maker_alternative(struct maker *m, size_t i, struct opt *o, int64_t *counted)
{
    const struct rq_alternative *a = &m->task->alternatives[i];
    struct quote q = rates_quote_alternative(m->s->rates, a);
    // Waiting for the place and waiting for the data go on at the same time.
    int64_t wait = hours_us(a->wait_hours);

    *counted = 0;
    *o = (struct opt){.cost = cost_of(q.effective, a->nodes, a->hours),
                      .compute = cost_of(q.price, a->nodes, counted_hours(m->task, a->hours)),
                      .duration = hours_us(a->hours),
                      .place = places_of(m->s->places, a->location.cloud, a->location.region),
                      .sig = m->task->no_limits ? 0 : signatures_of_alternative(m->s->sigs, a),
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

void option_bill(const struct supply *s, uint32_t task, const struct opt *o, struct bill *b)
{
    const struct rq_task *t = &s->rq->tasks[task];
    const struct rq_alternative *a = o->need < 0 ? &t->alternatives[-1 - o->need] : NULL;
    struct quote q = a ? rates_quote_alternative(s->rates, a)
                       : rates_quote_offer(s->rates, o->offer, (enum market)o->market);

    b->hours = a ? a->hours : t->needs[o->need].hours;
    b->price = q.price;
    b->compute = cost_of(q.price, o->nodes, b->hours);
    b->restart = cost_of(q.effective, o->nodes, b->hours) - b->compute;
    b->fixed = a ? llround(a->fixed_usd * 1e9) : 0;
}
