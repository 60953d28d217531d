// SPDX-License-Identifier: GPL-3.0-or-later
// What was moved, saved and put back (mrf.h).
#include "optimizer/mrf_inside.h"

struct mrf_state {
    double *v;
    size_t n;
};

// Goes over all numbers that bounds change, in an order that is always the same.
static void each_row(const struct mrf *m, void (*fn)(void *arg, double *v, size_t n), void *arg)
{
    for (uint32_t t = 0; t < m->n; t++)
        fn(arg, m->unary[t], m->var[t].k);
    for (uint32_t i = 0; i < m->n_edges; i++) {
        struct mrf_edge *e = &m->edge[i];
        fn(arg, e->mu, m->var[e->u].k);
        fn(arg, e->mv, m->var[e->v].k);
        fn(arg, &e->extra, 1);
    }
    for (uint32_t i = 0; i < m->n_hubs; i++) {
        struct mrf_hub *h = &m->hub[i];
        fn(arg, h->left, m->n_places);
        for (uint32_t k = 0; k < h->n; k++)
            fn(arg, h->share[k], m->var[h->var[k]].k);
    }
}

static void count_row(void *arg, double *v, size_t n)
{
    *(size_t *)arg += n;
}

static void save_row(void *arg, double *v, size_t n)
{
    double **at = arg;

    memcpy(*at, v, n * sizeof(*v));
    *at += n;
}

static void restore_row(void *arg, double *v, size_t n)
{
    double **at = arg;

    memcpy(v, *at, n * sizeof(*v));
    *at += n;
}

struct mrf_state *mrf_state_create(const struct mrf *m)
{
    struct mrf_state *s = xmalloc(sizeof(*s));

    each_row(m, count_row, &s->n);
    s->v = xcalloc(s->n + 1, sizeof(*s->v));
    return s;
}

void mrf_state_destroy(struct mrf_state *s)
{
    if (!s)
        return;
    free(s->v);
    free(s);
}

void mrf_save(const struct mrf *m, struct mrf_state *s)
{
    double *at = s->v;

    each_row(m, save_row, &at);
}

void mrf_restore(struct mrf *m, const struct mrf_state *s)
{
    double *at = s->v;

    each_row(m, restore_row, &at);
}
