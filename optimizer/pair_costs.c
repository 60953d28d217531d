// SPDX-License-Identifier: GPL-3.0-or-later
// See pair_costs.h.
#include "optimizer/pair_costs.h"

#include <stdint.h>
#include <stdlib.h>

#include "libburst/xalloc.h"

// Places that tasks with edges may take, their classes, and two members of each (the same twice
// where it has one): any two will do.
struct classes {
    uint32_t n;
    uint32_t *of_place;
    uint32_t (*member)[2];
};

static void find_classes(const struct problem *p, struct classes *c)
{
    uint32_t n_places = places_count(p->places), n = 0;
    uint32_t *list = xcalloc(n_places + 1, sizeof(*list)), *cls;
    bool *used = xcalloc(n_places + 1, sizeof(bool)), *met;
    double most = 0;

    for (uint32_t t = 0; t < p->n; t++)
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++)
            used[p->opt[o].place] = used[p->opt[o].place] || p->in_first[t] < p->in_first[t + 1] ||
                                    p->out_first[t] < p->out_first[t + 1];
    for (uint32_t e = 0; e < p->n_edges; e++)
        most = p->edge[e].gb > most ? p->edge[e].gb : most;
    for (uint32_t i = 0; i < n_places; i++)
        if (used[i])
            list[n++] = i;
    cls = xcalloc(n + 1, sizeof(*cls));
    c->n = n ? places_classes(p->places, list, n, most, cls) : 1;
    c->of_place = xcalloc(n_places + 1, sizeof(*c->of_place));
    c->member = xcalloc(c->n, sizeof(*c->member));
    met = xcalloc(c->n, sizeof(bool));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t *m = c->member[cls[i]];
        c->of_place[list[i]] = cls[i];
        if (!met[cls[i]])
            m[0] = m[1] = list[i];
        else if (m[0] == m[1])
            m[1] = list[i];
        met[cls[i]] = true;
    }
    free(met);
    free(list);
    free(cls);
    free(used);
}

static void add_pair_costs(const struct problem *p, const struct problem_edge *x,
                           const struct classes *c, struct mrf *m, struct mrf_edge *e)
{
    uint32_t nu = m->var[x->u].n_cls, nv = m->var[x->v].n_cls;

    for (uint32_t i = 0; i < nu; i++)
        for (uint32_t j = 0; j < nv; j++) {
            uint32_t a = m->var[x->u].cls_id[i], b = m->var[x->v].cls_id[j];
            int64_t cost = edge_cost(p, x, c->member[a][0], c->member[b][a == b]);
            e->apart[i * nv + j] += cost >= COST_INF ? MRF_INF : (double)cost;
        }
}

// What a data set costs in each place where some of its tasks may run.
static void add_copies(const struct problem *p, const struct problem_dataset *d, struct mrf *m)
{
    struct mrf_hub *h = mrf_add_hub(m, d->task, d->n);

    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t o = p->first[d->task[i]]; o < p->first[d->task[i] + 1]; o++) {
            uint32_t place = p->opt[o].place;
            int64_t cost = h->fee[place] > 0 ? 0 : copy_cost(p, d, place);
            if (cost > 0)
                h->fee[place] = cost >= COST_INF ? MRF_INF : (double)cost;
        }
}

bool problem_mrf(const struct problem *p, double max_cells, struct mrf *m)
{
    uint32_t *place, widest = 0;
    struct classes c;
    double cells = 0;

    for (uint32_t t = 0; t < p->n; t++)
        widest = p->first[t + 1] - p->first[t] > widest ? p->first[t + 1] - p->first[t] : widest;
    for (uint32_t e = 0; e < p->n_edges; e++)
        cells += (double)(p->first[p->edge[e].u + 1] - p->first[p->edge[e].u]) +
                 (double)(p->first[p->edge[e].v + 1] - p->first[p->edge[e].v]);
    for (uint32_t d = 0; d < p->n_datasets; d++)
        for (uint32_t i = 0; i < p->dataset[d].n; i++)
            cells +=
                (double)(p->first[p->dataset[d].task[i] + 1] - p->first[p->dataset[d].task[i]]);
    if (cells > max_cells)
        return false;
    find_classes(p, &c);
    mrf_init(m, p->n, places_count(p->places));
    place = xcalloc(widest + 1, sizeof(*place));
    for (uint32_t t = 0; t < p->n; t++) {
        uint32_t k = p->first[t + 1] - p->first[t];
        for (uint32_t i = 0; i < k; i++)
            place[i] = p->opt[p->first[t] + i].place;
        mrf_set_var(m, t, k, place);
        for (uint32_t i = 0; i < k; i++)
            m->unary[t][i] = (double)p->opt[p->first[t] + i].cost;
    }
    mrf_set_classes(m, c.of_place, c.n);
    for (uint32_t e = 0; e < p->n_edges; e++)
        cells += (double)m->var[p->edge[e].u].n_cls * m->var[p->edge[e].v].n_cls;
    for (uint32_t i = 0; i < p->n_edges && cells <= max_cells; i++) {
        const struct problem_edge *x = &p->edge[i];
        uint32_t known = mrf_edge_between(m, x->u, x->v);
        add_pair_costs(p, x, &c, m,
                       known == UINT32_MAX ? mrf_add_edge(m, x->u, x->v) : &m->edge[known]);
    }
    for (uint32_t d = 0; d < p->n_datasets && cells <= max_cells; d++)
        add_copies(p, &p->dataset[d], m);
    mrf_finish(m);
    free(place);
    free(c.of_place);
    free(c.member);
    if (cells > max_cells)
        mrf_free(m);
    return cells <= max_cells;
}
