// SPDX-License-Identifier: GPL-3.0-or-later
// Fees of hubs: the dual ascent of Bilde and Krarup (1977), Erlenkotter (1978) (mrf.h).
#include "optimizer/mrf_inside.h"

// The values of a variable in one place.
struct spot {
    double cost; // the least of them
    uint32_t first, n;
};

struct climber {
    struct mrf_var *var;
    double *unary, *share;
    struct spot *at;  // sorted; owned
    uint32_t n, tied; // places; of these at the level
    double level;
    bool done;
};

static int by_cost(const void *pa, const void *pb)
{
    const struct spot *a = pa, *b = pb;

    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

// Takes back what does not hold up the level, and lists the places.
static void climber_init(struct mrf *m, struct mrf_hub *h, uint32_t i, struct climber *c)
{
    struct mrf_var *v = &m->var[h->var[i]];
    double *u = m->unary[h->var[i]], *share = h->share[i];

    *c = (struct climber){.var = v, .unary = u, .share = share, .level = least(u, v->k)};
    c->at = xcalloc(v->k + 1, sizeof(*c->at));
    for (uint32_t first = 0, k; first < v->k; first = k) {
        double low = u[first];
        for (k = first + 1; k < v->k && v->place[k] == v->place[first]; k++)
            low = u[k] < low ? u[k] : low;
        if (!possible(low))
            continue;
        double back = low - c->level < share[first] ? low - c->level : share[first];
        for (uint32_t x = first; x < k; x++) {
            u[x] -= back;
            share[x] -= back;
        }
        h->left[v->place[first]] += back;
        c->at[c->n++] = (struct spot){low - back, first, k - first};
    }
    if (c->n)
        qsort(c->at, c->n, sizeof(*c->at), by_cost);
    while (c->tied < c->n && c->at[c->tied].cost <= c->level)
        c->tied++;
    c->done = c->n == 0;
}

// Raises a level to that of the next place, or as far as the fees allow. True when it moved.
static bool climb(struct mrf_hub *h, struct climber *c)
{
    double step = c->tied < c->n ? c->at[c->tied].cost - c->level : NOTHING;

    for (uint32_t k = 0; k < c->tied; k++) {
        double left = h->left[c->var->place[c->at[k].first]];
        if (left <= step) {
            step = left;
            c->done = true; // no further than this
        }
    }
    if (step <= 0)
        return false;
    for (uint32_t k = 0; k < c->tied; k++) {
        const struct spot *s = &c->at[k];
        h->left[c->var->place[s->first]] -= step;
        for (uint32_t x = s->first; x < s->first + s->n; x++) {
            c->unary[x] += step;
            c->share[x] += step;
        }
    }
    c->level += step;
    while (c->tied < c->n && c->at[c->tied].cost <= c->level)
        c->tied++;
    return true;
}

void raise_hub(struct mrf *m, struct mrf_hub *h, bool backwards)
{
    struct climber *c = xcalloc(h->n, sizeof(*c));
    bool any = true;

    for (uint32_t i = 0; i < h->n; i++)
        climber_init(m, h, i, &c[i]);
    while (any) {
        any = false;
        for (uint32_t i = 0; i < h->n; i++) {
            struct climber *x = &c[backwards ? h->n - 1 - i : i];
            if (!x->done && climb(h, x))
                any = true;
        }
    }
    for (uint32_t i = 0; i < h->n; i++)
        free(c[i].at);
    free(c);
}

double mrf_share_norm(const struct mrf *m)
{
    double sum = 0;

    for (uint32_t i = 0; i < m->n_hubs; i++)
        sum += m->hub[i].n;
    return sum;
}

void mrf_even_shares(struct mrf *m)
{
    for (uint32_t h = 0; h < m->n_hubs; h++)
        for (uint32_t i = 0; i < m->hub[h].n; i++) {
            struct mrf_hub *x = &m->hub[h];
            const struct mrf_var *v = &m->var[x->var[i]];
            for (uint32_t k = 0; k < v->k; k++) {
                double share = floor(x->fee[v->place[k]] / x->n / m->quantum) * m->quantum;
                if (!possible(x->fee[v->place[k]]))
                    continue;
                x->share[i][k] = share;
                if (x->first[i][v->place[k]] == k)
                    x->left[v->place[k]] -= share;
            }
        }
}

static int down(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x > y ? -1 : x < y;
}

// What is taken off all shares of a fee so that those that stay above 0 do not sum to more than it.
static double surplus(double *share, uint32_t n, double fee)
{
    double sum = 0, theta = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += share[i] > 0 ? share[i] : 0;
    if (sum <= fee)
        return 0;
    qsort(share, n, sizeof(*share), down);
    sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += share[i];
        double t = (sum - fee) / (i + 1);
        if (i == 0 || share[i] - t > 0) // a fee of 0 leaves nothing but the first
            theta = t;
    }
    return theta;
}

static void step_place(struct mrf *m, struct mrf_hub *h, uint32_t place, const uint32_t *x,
                       double step, double *row)
{
    double given = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < h->n; i++) {
        uint32_t first = h->first[i][place];
        if (first == UINT32_MAX)
            continue;
        row[n++] = h->share[i][first] + (m->var[h->var[i]].place[x[h->var[i]]] == place ? step : 0);
    }
    double theta = surplus(row, n, h->fee[place]);
    for (uint32_t i = 0; i < h->n; i++) {
        const struct mrf_var *v = &m->var[h->var[i]];
        uint32_t first = h->first[i][place];
        if (first == UINT32_MAX)
            continue;
        double share = h->share[i][first] + (v->place[x[h->var[i]]] == place ? step : 0) - theta;
        share = share > 0 ? floor(share / m->quantum) * m->quantum : 0;
        for (uint32_t k = first; k < v->k && v->place[k] == place; k++)
            h->share[i][k] = share;
        given += share;
    }
    h->left[place] = h->fee[place] - given;
}

void mrf_step_shares(struct mrf *m, const uint32_t *x, double step)
{
    for (uint32_t k = 0; k < m->n_hubs; k++) {
        struct mrf_hub *h = &m->hub[k];
        bool *met = xcalloc(m->n_places + 1, sizeof(bool));
        double *row = xcalloc(h->n + 1, sizeof(*row));
        for (uint32_t i = 0; i < h->n; i++) {
            uint32_t place = m->var[h->var[i]].place[x[h->var[i]]];
            if (!met[place] && possible(h->fee[place]))
                step_place(m, h, place, x, step, row);
            met[place] = true;
        }
        free(met);
        free(row);
    }
}
