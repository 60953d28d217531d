// SPDX-License-Identifier: GPL-3.0-or-later
// See mrf.h. Elimination is non-serial dynamic programming (Bertele and Brioschi 1972): on chains
// and trees it is the usual dynamic program, on other graphs its cost grows with their width. The
// bound is the handshake scheme of MPLP++ (Tourani et al. 2018).
#include "optimizer/mrf_inside.h"

// --- fees: the dual ascent of Bilde and Krarup (1977), Erlenkotter (1978) ---
//
// Each variable has a level, the least of its unary. It can be raised as long as all places at that
// level have something of their fee left to pay for it.

void mrf_init(struct mrf *m, uint32_t n, uint32_t n_places)
{
    memset(m, 0, sizeof(*m));
    m->n = n;
    m->n_places = n_places;
    m->var = xcalloc(n + 1, sizeof(*m->var));
    m->unary = xcalloc(n + 1, sizeof(*m->unary));
}

void mrf_set_var(struct mrf *m, uint32_t t, uint32_t k, const uint32_t *place)
{
    struct mrf_var *v = &m->var[t];

    v->k = k;
    v->place = xcalloc(k + 1, sizeof(*v->place));
    v->cls = xcalloc(k + 1, sizeof(*v->cls));
    memcpy(v->place, place, k * sizeof(*place));
    m->unary[t] = xcalloc(k + 1, sizeof(double));
}

void mrf_set_classes(struct mrf *m, const uint32_t *cls, uint32_t n_cls)
{
    uint32_t *number = xcalloc(n_cls + 1, sizeof(*number));

    for (uint32_t t = 0; t < m->n; t++) {
        struct mrf_var *v = &m->var[t];
        memset(number, 0xff, n_cls * sizeof(*number));
        v->cls_id = xcalloc(v->k < n_cls ? v->k + 1 : n_cls, sizeof(*v->cls_id));
        for (uint32_t i = 0; i < v->k; i++) {
            uint32_t c = cls[v->place[i]];
            if (number[c] == UINT32_MAX) {
                v->cls_id[v->n_cls] = c;
                number[c] = v->n_cls++;
            }
            v->cls[i] = number[c];
        }
    }
    free(number);
}

static void add_end(struct mrf_var *v, uint32_t edge)
{
    // Doubles whenever the number is a power of two.
    if ((v->n_edges & (v->n_edges - 1)) == 0)
        v->edge = xrealloc(v->edge, (v->n_edges ? 2 * v->n_edges : 1) * sizeof(*v->edge));
    v->edge[v->n_edges++] = edge;
}

struct mrf_edge *mrf_add_edge(struct mrf *m, uint32_t u, uint32_t v)
{
    uint32_t n = m->n_edges;

    if ((n & (n - 1)) == 0)
        m->edge = xrealloc(m->edge, (n ? 2 * n : 1) * sizeof(*m->edge));
    m->edge[n] = (struct mrf_edge){
        .u = u,
        .v = v,
        .apart = xcalloc((size_t)m->var[u].n_cls * m->var[v].n_cls + 1, sizeof(double)),
        .mu = xcalloc(m->var[u].k + 1, sizeof(double)),
        .mv = xcalloc(m->var[v].k + 1, sizeof(double))};
    add_end(&m->var[u], n);
    add_end(&m->var[v], n);
    return &m->edge[m->n_edges++];
}

struct mrf_hub *mrf_add_hub(struct mrf *m, const uint32_t *var, uint32_t n)
{
    struct mrf_hub *h;

    m->hub = xrealloc(m->hub, (m->n_hubs + 1) * sizeof(*m->hub));
    h = &m->hub[m->n_hubs++];
    h->n = n;
    h->var = xcalloc(n + 1, sizeof(*h->var));
    memcpy(h->var, var, n * sizeof(*var));
    h->fee = xcalloc(m->n_places + 1, sizeof(double));
    h->left = xcalloc(m->n_places + 1, sizeof(double));
    h->share = xcalloc(n + 1, sizeof(*h->share));
    h->first = xcalloc(n + 1, sizeof(*h->first));
    for (uint32_t i = 0; i < n; i++) {
        const struct mrf_var *v = &m->var[var[i]];
        h->share[i] = xcalloc(v->k + 1, sizeof(double));
        h->first[i] = xcalloc(m->n_places + 1, sizeof(uint32_t));
        memset(h->first[i], 0xff, m->n_places * sizeof(uint32_t));
        for (uint32_t x = v->k; x-- > 0;)
            h->first[i][v->place[x]] = x;
    }
    return h;
}

uint32_t mrf_edge_between(const struct mrf *m, uint32_t u, uint32_t v)
{
    const struct mrf_var *x = &m->var[u];

    for (uint32_t k = 0; k < x->n_edges; k++) {
        const struct mrf_edge *e = &m->edge[x->edge[k]];
        if ((e->u == u && e->v == v) || (e->u == v && e->v == u))
            return x->edge[k];
    }
    return UINT32_MAX;
}

// The grain of what is moved: so coarse that numbers of this size, and some more, have no further
// digits, and far below a nano-dollar in all.
static double grain(const struct mrf *m)
{
    double most = 1;

    for (uint32_t t = 0; t < m->n; t++)
        for (uint32_t i = 0; i < m->var[t].k; i++)
            if (m->unary[t][i] < MRF_INF / 2 && m->unary[t][i] > most)
                most = m->unary[t][i];
    for (uint32_t e = 0; e < m->n_edges; e++) {
        const struct mrf_edge *x = &m->edge[e];
        for (uint32_t i = 0; i < m->var[x->u].n_cls * m->var[x->v].n_cls; i++)
            if (x->apart[i] < MRF_INF / 2 && x->apart[i] > most)
                most = x->apart[i];
    }
    for (uint32_t h = 0; h < m->n_hubs; h++)
        for (uint32_t i = 0; i < m->n_places; i++)
            if (m->hub[h].fee[i] < MRF_INF / 2 && m->hub[h].fee[i] > most)
                most = m->hub[h].fee[i];
    return exp2(ceil(log2(most)) - 47);
}

void mrf_finish(struct mrf *m)
{
    uint32_t widest = 1;

    for (uint32_t t = 0; t < m->n; t++)
        widest = m->var[t].k > widest ? m->var[t].k : widest;
    m->quantum = grain(m);
    for (uint32_t i = 0; i < m->n_hubs; i++)
        memcpy(m->hub[i].left, m->hub[i].fee, m->n_places * sizeof(double));
    // least per place (kept at NOTHING between calls), two rows over classes, two over values
    m->scratch = xcalloc(m->n_places + 5 * (size_t)widest + 1, sizeof(double));
    for (uint32_t i = 0; i < m->n_places; i++)
        m->scratch[i] = NOTHING;
}

void mrf_free(struct mrf *m)
{
    for (uint32_t t = 0; m->unary && t < m->n; t++) {
        free(m->unary[t]);
        free(m->var[t].place);
        free(m->var[t].cls);
        free(m->var[t].cls_id);
        free(m->var[t].edge);
    }
    for (uint32_t e = 0; e < m->n_edges; e++) {
        free(m->edge[e].apart);
        free(m->edge[e].mu);
        free(m->edge[e].mv);
    }
    for (uint32_t i = 0; i < m->n_hubs; i++) {
        for (uint32_t k = 0; k < m->hub[i].n; k++) {
            free(m->hub[i].share[k]);
            free(m->hub[i].first[k]);
        }
        free(m->hub[i].first);
        free(m->hub[i].var);
        free(m->hub[i].fee);
        free(m->hub[i].left);
        free(m->hub[i].share);
    }
    free(m->hub);
    free(m->var);
    free(m->unary);
    free(m->edge);
    free(m->scratch);
    memset(m, 0, sizeof(*m));
}

double mrf_cells(const struct mrf *m)
{
    double cells = 0;

    for (uint32_t e = 0; e < m->n_edges; e++)
        cells += (double)m->var[m->edge[e].u].k * m->var[m->edge[e].v].k;
    return cells;
}

void mrf_add_pairs(const struct mrf *m, const struct mrf_edge *e, uint32_t t, uint32_t value,
                   double *row)
{
    const struct mrf_var *u = &m->var[e->u], *v = &m->var[e->v];
    uint32_t place = m->var[t].place[value];

    if (e->u == t) {
        const double *apart = e->apart + (size_t)u->cls[value] * v->n_cls;
        double own = e->mu[value], extra = e->extra;
        for (uint32_t j = 0; j < v->k; j++)
            row[j] += (v->place[j] == place ? 0 : apart[v->cls[j]] + extra) - own - e->mv[j];
    } else {
        const double *apart = e->apart + v->cls[value];
        double own = e->mv[value], extra = e->extra;
        for (uint32_t i = 0; i < u->k; i++)
            row[i] += (u->place[i] == place ? 0 : apart[(size_t)u->cls[i] * v->n_cls] + extra) -
                      own - e->mu[i];
    }
}

void plain_least(struct mrf *m, const struct mrf_edge *e, uint32_t t, const double *h, double *out)
{
    const struct mrf_var *to = &m->var[t], *from = &m->var[e->u == t ? e->v : e->u];
    double *by_place = m->scratch, *far = by_place + m->n_places, *near = far + from->n_cls;

    for (uint32_t c = 0; c < from->n_cls; c++)
        far[c] = NOTHING;
    for (uint32_t j = 0; j < from->k; j++) {
        double *p = &by_place[from->place[j]], *c = &far[from->cls[j]];
        *p = h[j] < *p ? h[j] : *p;
        *c = h[j] < *c ? h[j] : *c;
    }
    // To another place: by classes. Another value of the own class costs no less than the own
    // place, so that a class whose least is in the own place does no harm.
    for (uint32_t a = 0; a < to->n_cls; a++)
        near[a] = NOTHING;
    if (e->u == t)
        for (uint32_t a = 0; a < to->n_cls; a++) {
            const double *apart = e->apart + (size_t)a * from->n_cls;
            for (uint32_t c = 0; c < from->n_cls; c++) {
                double s = apart[c] + far[c];
                near[a] = s < near[a] ? s : near[a];
            }
        }
    else
        for (uint32_t c = 0; c < from->n_cls; c++) {
            const double *apart = e->apart + (size_t)c * to->n_cls;
            double f = far[c];
            for (uint32_t a = 0; a < to->n_cls; a++) {
                double s = apart[a] + f;
                near[a] = s < near[a] ? s : near[a];
            }
        }
    for (uint32_t i = 0; i < to->k; i++) {
        double same = by_place[to->place[i]], other = near[to->cls[i]] + e->extra;
        out[i] = same < other ? same : other;
    }
    for (uint32_t j = 0; j < from->k; j++)
        by_place[from->place[j]] = NOTHING;
}

void mrf_least_pairs(struct mrf *m, const struct mrf_edge *e, uint32_t t, const double *h,
                     double *out)
{
    bool u = e->u == t;
    const double *moved = u ? e->mv : e->mu, *own = u ? e->mu : e->mv;
    uint32_t k = m->var[u ? e->v : e->u].k;
    double *rest = xcalloc(k, sizeof(*rest));

    for (uint32_t j = 0; j < k; j++)
        rest[j] = (h ? h[j] : 0) - moved[j];
    plain_least(m, e, t, rest, out);
    for (uint32_t i = 0; i < m->var[t].k; i++)
        out[i] -= own[i];
    free(rest);
}

double least(const double *v, uint32_t n)
{
    double best = v[0];

    for (uint32_t i = 1; i < n; i++)
        best = v[i] < best ? v[i] : best;
    return best;
}
