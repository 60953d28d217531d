// SPDX-License-Identifier: GPL-3.0-or-later
#include "optimizer/problem.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

#define PRICES_MAX (8u << 20)

static void index_ends(const struct problem *p, bool in, uint32_t **first, uint32_t **list)
{
    *first = xcalloc(p->n + 2, sizeof(**first));
    *list = xcalloc(p->n_edges + 1, sizeof(**list));
    for (uint32_t e = 0; e < p->n_edges; e++)
        (*first)[(in ? p->edge[e].v : p->edge[e].u) + 2]++;
    for (uint32_t t = 0; t < p->n; t++)
        (*first)[t + 2] += (*first)[t + 1];
    // first[t + 1] walks from the start of t's range to its end, where t + 1's begins.
    for (uint32_t e = 0; e < p->n_edges; e++)
        (*list)[(*first)[(in ? p->edge[e].v : p->edge[e].u) + 1]++] = e;
}

void problem_index(struct problem *p)
{
    index_ends(p, true, &p->in_first, &p->in_edge);
    index_ends(p, false, &p->out_first, &p->out_edge);
}

void problem_free(struct problem *p)
{
    free(p->first);
    free(p->opt);
    free(p->order);
    free(p->edge);
    for (uint32_t d = 0; d < p->n_datasets; d++)
        free(p->dataset[d].task);
    free(p->dataset);
    free(p->limit);
    free(p->prices);
    free(p->in_first);
    free(p->in_edge);
    free(p->out_first);
    free(p->out_edge);
    memset(p, 0, sizeof(*p));
}

void problem_prices(struct problem *p)
{
    uint64_t kinds = p->n_edges ? places_kinds(p->places) : 0, places = places_count(p->places);
    int64_t *at;

    if (kinds * p->n_edges + places * p->n_datasets > PRICES_MAX)
        return;
    at = p->prices = xcalloc(kinds * p->n_edges + places * p->n_datasets + 1, sizeof(*at));
    for (uint32_t e = 0; e < p->n_edges; e++) {
        p->edge[e].price = at;
        for (uint32_t k = 0; k < kinds; k++)
            *at++ = places_kind_cost(p->places, k, p->edge[e].gb);
    }
    for (uint32_t d = 0; d < p->n_datasets; d++) {
        for (uint32_t i = 0; i < places; i++)
            at[i] = places_cost(p->places, p->dataset[d].place, i, p->dataset[d].gb);
        p->dataset[d].copy = at;
        at += places;
    }
}

static int64_t dataset_cost(const struct problem *p, const struct problem_dataset *d,
                            const uint32_t *choice)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t place = p->opt[choice[d->task[i]]].place, k = 0;
        while (k < i && p->opt[choice[d->task[k]]].place != place)
            k++;
        if (k == i)
            sum = sat_add(sum, copy_cost(p, d, place));
    }
    return sum;
}

// The same for data sets with many tasks: one mark per place instead of a look at all before.
static int64_t dataset_cost_marked(const struct problem *p, const struct problem_dataset *d,
                                   const uint32_t *choice)
{
    char *seen = xcalloc(places_count(p->places), 1);
    int64_t sum = 0;

    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t place = p->opt[choice[d->task[i]]].place;
        if (!seen[place])
            sum = sat_add(sum, copy_cost(p, d, place));
        seen[place] = 1;
    }
    free(seen);
    return sum;
}

void problem_value(const struct problem *p, const uint32_t *choice, int64_t *cost, int64_t *span,
                   int64_t *finish)
{
    int64_t *own = finish ? NULL : xcalloc(p->n, sizeof(*own));
    int64_t *f = finish ? finish : own;

    *cost = *span = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t t = p->order[i];
        const struct opt *o = &p->opt[choice[t]];
        int64_t start = o->release;
        for (uint32_t k = p->in_first[t]; k < p->in_first[t + 1]; k++) {
            const struct problem_edge *e = &p->edge[p->in_edge[k]];
            uint32_t from = p->opt[choice[e->u]].place;
            int64_t arrive = sat_add(f[e->u], edge_time(e, from, o->place));
            start = arrive > start ? arrive : start;
            *cost = sat_add(*cost, edge_cost(p, e, from, o->place));
        }
        f[t] = sat_add(start, o->duration);
        *span = f[t] > *span ? f[t] : *span;
        *cost = sat_add(*cost, o->cost);
    }
    for (uint32_t d = 0; d < p->n_datasets; d++)
        *cost =
            sat_add(*cost, p->dataset[d].n < 32 ? dataset_cost(p, &p->dataset[d], choice)
                                                : dataset_cost_marked(p, &p->dataset[d], choice));
    free(own);
}

int problem_broken_limit(const struct problem *p, const uint32_t *choice, int64_t *over)
{
    int64_t nodes[SIG_WORDS * 64] = {0}, nano[SIG_WORDS * 64] = {0};

    if (!p->n_limits)
        return -1;
    for (uint32_t t = 0; t < p->n; t++) {
        const struct opt *o = &p->opt[choice[t]];
        if (!o->sig)
            continue;
        for (uint32_t l = 0; l < p->n_limits; l++)
            if (sig_has(&p->sig[o->sig], l)) {
                nodes[l] = sat_add(nodes[l], o->nodes);
                nano[l] = sat_add(nano[l], o->compute);
            }
    }
    for (uint32_t l = 0; l < p->n_limits; l++) {
        if (p->limit[l].max_nodes >= 0 && nodes[l] > p->limit[l].max_nodes) {
            *over = nodes[l] - p->limit[l].max_nodes;
            return (int)l;
        }
        if (p->limit[l].max_nano >= 0 && nano[l] > p->limit[l].max_nano) {
            *over = nano[l] - p->limit[l].max_nano;
            return (int)l;
        }
    }
    return -1;
}

void problem_part(const struct problem *p, const uint32_t *member, uint32_t which,
                  struct problem *out, uint32_t **back)
{
    uint32_t *number = xcalloc(p->n, sizeof(*number)), n_opt = 0;

    memset(out, 0, sizeof(*out));
    *back = xcalloc(p->n, sizeof(**back));
    out->places = p->places;
    out->sig = p->sig;
    out->n_sigs = p->n_sigs;
    for (uint32_t t = 0; t < p->n; t++)
        if (member[t] == which) {
            number[t] = out->n;
            (*back)[out->n++] = t;
            n_opt += p->first[t + 1] - p->first[t];
        }
    out->first = xcalloc(out->n + 1, sizeof(*out->first));
    out->opt = xcalloc(n_opt + 1, sizeof(*out->opt));
    out->order = xcalloc(out->n + 1, sizeof(*out->order));
    for (uint32_t i = 0; i < out->n; i++) {
        uint32_t t = (*back)[i], k = p->first[t + 1] - p->first[t];
        memcpy(out->opt + out->first[i], p->opt + p->first[t], k * sizeof(*out->opt));
        out->first[i + 1] = out->first[i] + k;
    }
    for (uint32_t i = 0, k = 0; i < p->n; i++)
        if (member[p->order[i]] == which)
            out->order[k++] = number[p->order[i]];
    uint32_t n_edges = 0, n_datasets = 0;
    for (uint32_t e = 0; e < p->n_edges; e++)
        n_edges += member[p->edge[e].u] == which;
    for (uint32_t d = 0; d < p->n_datasets; d++)
        n_datasets += member[p->dataset[d].task[0]] == which;
    out->edge = xcalloc(n_edges + 1, sizeof(*out->edge));
    for (uint32_t e = 0; e < p->n_edges; e++)
        if (member[p->edge[e].u] == which) {
            out->edge[out->n_edges] = p->edge[e];
            out->edge[out->n_edges].u = number[p->edge[e].u];
            out->edge[out->n_edges++].v = number[p->edge[e].v];
        }
    out->dataset = xcalloc(n_datasets + 1, sizeof(*out->dataset));
    for (uint32_t d = 0; d < p->n_datasets; d++) {
        struct problem_dataset *to = &out->dataset[out->n_datasets];
        if (member[p->dataset[d].task[0]] != which)
            continue;
        *to = p->dataset[d];
        to->task = xcalloc(to->n, sizeof(*to->task));
        for (uint32_t i = 0; i < to->n; i++)
            to->task[i] = number[p->dataset[d].task[i]];
        out->n_datasets++;
    }
    out->limit = xcalloc(p->n_limits + 1, sizeof(*out->limit));
    if (p->n_limits)
        memcpy(out->limit, p->limit, p->n_limits * sizeof(*out->limit));
    out->n_limits = p->n_limits;
    problem_index(out);
    free(number);
}

void problem_without(const struct problem *p, const bool *dead, struct problem *out)
{
    uint32_t *member = xcalloc(p->n + 1, sizeof(*member)), *back, n = 0;

    problem_part(p, member, 0, out, &back);
    for (uint32_t t = 0; t < p->n; t++) {
        out->first[t] = n;
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++)
            if (!dead[o]) {
                out->opt[n] = p->opt[o];
                out->opt[n++].self = o;
            }
    }
    out->first[p->n] = n;
    free(member);
    free(back);
}

bool problem_may_meet(const struct problem *p, const bool *dead, uint32_t u, uint32_t v)
{
    uint32_t a = p->first[u], b = p->first[v];

    while (a < p->first[u + 1] && b < p->first[v + 1]) {
        if ((dead && dead[a]) || p->opt[a].place < p->opt[b].place)
            a++;
        else if ((dead && dead[b]) || p->opt[b].place < p->opt[a].place)
            b++;
        else
            return true;
    }
    return false;
}

int64_t problem_least_span(const struct problem *p)
{
    int64_t *finish = xcalloc(p->n + 1, sizeof(*finish)), span = 0;

    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t t = p->order[i];
        int64_t after = 0, best = TIME_INF;
        for (uint32_t k = p->in_first[t]; k < p->in_first[t + 1]; k++) {
            const struct problem_edge *e = &p->edge[p->in_edge[k]];
            int64_t f = finish[e->u];
            if (!problem_may_meet(p, NULL, e->u, t))
                f = sat_add(f, e->time);
            after = f > after ? f : after;
        }
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            int64_t start = p->opt[o].release > after ? p->opt[o].release : after;
            int64_t f = sat_add(start, p->opt[o].duration);
            best = f < best ? f : best;
        }
        finish[t] = best;
        span = best > span ? best : span;
    }
    free(finish);
    return span;
}

int64_t problem_time_between(const struct problem *p, uint32_t u, uint32_t v)
{
    int64_t most = 0;

    for (uint32_t k = p->in_first[v]; k < p->in_first[v + 1]; k++) {
        const struct problem_edge *e = &p->edge[p->in_edge[k]];
        if (e->u == u && e->time > most)
            most = e->time;
    }
    return most;
}
