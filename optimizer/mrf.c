// SPDX-License-Identifier: GPL-3.0-or-later
// See mrf.h. Elimination is non-serial dynamic programming (Bertele and Brioschi 1972): on chains
// and trees it is the usual dynamic program, on other graphs its cost grows with their width. The
// bound is the handshake scheme of MPLP++ (Tourani et al. 2018).
#include "optimizer/mrf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

#define NOTHING (MRF_INF * 4)

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

// out[i] = least over j of the plain pair(i, j) + h[j], nothing taken off, i in t.
static void plain_least(struct mrf *m, const struct mrf_edge *e, uint32_t t, const double *h,
                        double *out)
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

// A table over some variables, in row-major order of its scope.
struct factor {
    uint32_t *scope;
    uint32_t n;
    double *value;
    bool used;
};

struct bucket {
    uint32_t variable;
    struct factor result; // scope = the neighbours; value = what is left to pay
    uint32_t *best;       // value of the variable for each cell
};

struct list {
    uint32_t *i, n, cap;
};

struct elim {
    const struct mrf *m;
    struct factor *f;
    uint32_t n_f, cap_f;
    struct bucket *bucket;
    uint32_t n_bucket;
    bool *gone;
    // adjacency as bit rows over the variables with edges
    uint64_t *adj;
    uint32_t words;
    struct list *of; // factors that mention a variable
    double *cells;   // of the table that eliminating the variable would make now
    double spent;
};

static void adj_set(struct elim *s, uint32_t a, uint32_t b)
{
    s->adj[(size_t)a * s->words + b / 64] |= UINT64_C(1) << (b % 64);
}

// Cells of the table that eliminating v makes, v itself included.
static double cells_of(const struct elim *s, uint32_t v)
{
    double cells = s->m->var[v].k;

    for (uint32_t w = 0; w < s->words; w++)
        for (uint64_t left = s->adj[(size_t)v * s->words + w]; left; left &= left - 1)
            cells *= s->m->var[w * 64 + (uint32_t)__builtin_ctzll(left)].k;
    return cells;
}

static void add_factor(struct elim *s, struct factor f)
{
    if (s->n_f == s->cap_f) {
        s->cap_f = s->cap_f ? s->cap_f * 2 : 64;
        s->f = xrealloc(s->f, s->cap_f * sizeof(*s->f));
    }
    for (uint32_t k = 0; k < f.n; k++) {
        struct list *l = &s->of[f.scope[k]];
        if (l->n == l->cap) {
            l->cap = l->cap ? l->cap * 2 : 4;
            l->i = xrealloc(l->i, l->cap * sizeof(*l->i));
        }
        l->i[l->n++] = s->n_f;
    }
    s->f[s->n_f++] = f;
}

// Position of each factor of the bucket while the scope counts up: stride per scope variable.
struct view {
    const struct factor *f;
    size_t at, stride[64]; // [i] = of scope variable i; the eliminated one is last
};

static void make_view(const struct elim *s, const struct factor *f, const uint32_t *scope,
                      uint32_t n, struct view *v)
{
    v->f = f;
    v->at = 0;
    memset(v->stride, 0, sizeof(v->stride));
    for (uint32_t i = 0; i < n; i++) {
        size_t stride = 1;
        for (uint32_t k = f->n; k-- > 0; stride *= s->m->var[f->scope[k]].k)
            if (f->scope[k] == scope[i])
                v->stride[i] = stride;
    }
}

static void fill_bucket(struct elim *s, struct bucket *b, struct view *view, uint32_t n_view,
                        const uint32_t *scope, uint32_t n, size_t cells)
{
    uint32_t digit[64] = {0}, kv = s->m->var[b->variable].k;
    const double *own = s->m->unary[b->variable];

    for (size_t cell = 0; cell < cells; cell++) {
        double best = MRF_INF * 4;
        uint32_t arg = 0;
        for (uint32_t x = 0; x < kv; x++) {
            double sum = own[x];
            for (uint32_t i = 0; i < n_view; i++)
                sum += view[i].f->value[view[i].at + x * view[i].stride[n]];
            if (sum < best) {
                best = sum;
                arg = x;
            }
        }
        b->result.value[cell] = best;
        b->best[cell] = arg;
        for (uint32_t i = n; i-- > 0;) {
            uint32_t base = s->m->var[scope[i]].k;
            if (++digit[i] < base) {
                for (uint32_t w = 0; w < n_view; w++)
                    view[w].at += view[w].stride[i];
                break;
            }
            for (uint32_t w = 0; w < n_view; w++)
                view[w].at -= view[w].stride[i] * (base - 1);
            digit[i] = 0;
        }
    }
}

// Eliminates v: everything that mentions it becomes one table over its neighbours.
static bool eliminate(struct elim *s, uint32_t v)
{
    uint32_t scope[64], n = 0, n_view = 0;
    struct bucket *b = &s->bucket[s->n_bucket];
    struct view *view;
    size_t cells = 1;

    for (uint32_t w = 0; w < s->words; w++)
        for (uint64_t left = s->adj[(size_t)v * s->words + w]; left; left &= left - 1) {
            if (n >= 62)
                return false;
            scope[n++] = w * 64 + (uint32_t)__builtin_ctzll(left);
        }
    for (uint32_t i = 0; i < n; i++)
        cells *= s->m->var[scope[i]].k;
    scope[n] = v;
    view = xcalloc(s->of[v].n + 1, sizeof(*view));
    for (uint32_t i = 0; i < s->of[v].n; i++) {
        struct factor *f = &s->f[s->of[v].i[i]];
        if (!f->used)
            make_view(s, f, scope, n + 1, &view[n_view++]);
        f->used = true;
    }
    b->variable = v;
    b->result = (struct factor){
        .scope = xcalloc(n + 1, sizeof(uint32_t)), .n = n, .value = malloc(cells * sizeof(double))};
    memcpy(b->result.scope, scope, n * sizeof(*scope));
    b->best = malloc(cells * sizeof(*b->best));
    s->n_bucket++;
    if (!b->result.value || !b->best) {
        free(view);
        return false;
    }
    fill_bucket(s, b, view, n_view, scope, n, cells);
    free(view);
    if (n)
        add_factor(s, b->result);
    for (uint32_t i = 0; i < n; i++) {
        s->adj[(size_t)scope[i] * s->words + v / 64] &= ~(UINT64_C(1) << (v % 64));
        for (uint32_t k = 0; k < n; k++)
            if (i != k)
                adj_set(s, scope[i], scope[k]);
    }
    for (uint32_t i = 0; i < n; i++)
        s->cells[scope[i]] = cells_of(s, scope[i]);
    s->gone[v] = true;
    return true;
}

// What remains is chosen from the last eliminated variable back to the first.
static void decode(const struct elim *s, uint32_t *x)
{
    for (uint32_t i = s->n_bucket; i-- > 0;) {
        const struct bucket *b = &s->bucket[i];
        size_t cell = 0;
        for (uint32_t k = 0; k < b->result.n; k++)
            cell = cell * s->m->var[b->result.scope[k]].k + x[b->result.scope[k]];
        x[b->variable] = b->best[cell];
    }
}

// A pair as a table over the values of u and v.
static double *table_of(const struct mrf *m, const struct mrf_edge *e)
{
    uint32_t ku = m->var[e->u].k, kv = m->var[e->v].k;
    double *t = xcalloc((size_t)ku * kv, sizeof(*t));

    for (uint32_t i = 0; i < ku; i++)
        mrf_add_pairs(m, e, e->u, i, t + (size_t)i * kv);
    return t;
}

bool mrf_eliminate(const struct mrf *m, double max_cells, uint32_t *x, double *value)
{
    struct elim s = {.m = m, .words = (m->n + 63) / 64};
    bool ok = true;

    if ((double)m->n * s.words > 4e6 || mrf_cells(m) > max_cells)
        return false; // the adjacency, or the tables to begin with, would be too large
    s.bucket = xcalloc(m->n + 1, sizeof(*s.bucket));
    s.gone = xcalloc(m->n + 1, sizeof(bool));
    s.adj = xcalloc((size_t)m->n * s.words + 1, sizeof(uint64_t));
    s.of = xcalloc(m->n + 1, sizeof(*s.of));
    s.cells = xcalloc(m->n + 1, sizeof(*s.cells));
    for (uint32_t e = 0; e < m->n_edges; e++) {
        struct factor f = {
            .scope = xcalloc(2, sizeof(uint32_t)), .n = 2, .value = table_of(m, &m->edge[e])};
        f.scope[0] = m->edge[e].u;
        f.scope[1] = m->edge[e].v;
        add_factor(&s, f);
        adj_set(&s, m->edge[e].u, m->edge[e].v);
        adj_set(&s, m->edge[e].v, m->edge[e].u);
    }
    uint32_t n_inputs = s.n_f;
    for (uint32_t v = 0; v < m->n; v++)
        s.cells[v] = cells_of(&s, v);
    *value = 0;
    for (uint32_t left = m->n; left > 0 && ok; left--) {
        uint32_t best = UINT32_MAX;
        for (uint32_t v = 0; v < m->n; v++)
            if (!s.gone[v] && (best == UINT32_MAX || s.cells[v] < s.cells[best]))
                best = v;
        s.spent += s.cells[best];
        ok = s.spent <= max_cells && !(m->stop && m->stop(m->arg)) && eliminate(&s, best);
        if (ok && !s.bucket[s.n_bucket - 1].result.n)
            *value += s.bucket[s.n_bucket - 1].result.value[0];
    }
    if (ok)
        decode(&s, x);
    for (uint32_t i = 0; i < n_inputs; i++) {
        free(s.f[i].scope);
        free(s.f[i].value);
    }
    for (uint32_t i = 0; i < s.n_bucket; i++) {
        free(s.bucket[i].result.scope);
        free(s.bucket[i].result.value);
        free(s.bucket[i].best);
    }
    for (uint32_t v = 0; v < m->n; v++)
        free(s.of[v].i);
    free(s.of);
    free(s.cells);
    free(s.f);
    free(s.bucket);
    free(s.gone);
    free(s.adj);
    return ok;
}

// --- bound ---

static double least(const double *v, uint32_t n)
{
    double best = v[0];

    for (uint32_t i = 1; i < n; i++)
        best = v[i] < best ? v[i] : best;
    return best;
}

static bool possible(double cost)
{
    return cost < MRF_INF / 2;
}

// One edge: gives it all that its two ends have, then back to the ends what it can spare: half of
// the least of each row to u, the least of each column of the rest to v, what is then left in the
// rows to u. Values that go with nothing on the other side are marked as impossible.
static void handshake(struct mrf *m, struct mrf_edge *e, double *a, double *b, double *out)
{
    uint32_t ku = m->var[e->u].k, kv = m->var[e->v].k;
    double *u = m->unary[e->u], *v = m->unary[e->v], q = m->quantum;

    for (uint32_t i = 0; i < ku; i++)
        a[i] = u[i] - e->mu[i];
    for (uint32_t j = 0; j < kv; j++)
        b[j] = v[j] - e->mv[j];
    plain_least(m, e, e->u, b, out);
    for (uint32_t i = 0; i < ku; i++) {
        if (!possible(a[i] + out[i])) {
            u[i] = a[i] = MRF_INF;
            continue;
        }
        double half = floor((a[i] + out[i]) / 2 / q) * q;
        e->mu[i] += half - u[i]; // what u has now is half
        u[i] = half;
        a[i] -= half;
    }
    plain_least(m, e, e->v, a, out);
    for (uint32_t j = 0; j < kv; j++) {
        if (!possible(b[j] + out[j])) {
            v[j] = b[j] = MRF_INF;
            continue;
        }
        e->mv[j] += b[j] + out[j] - v[j];
        v[j] = b[j] + out[j];
        b[j] = -out[j];
    }
    plain_least(m, e, e->u, b, out);
    for (uint32_t i = 0; i < ku; i++) {
        if (!possible(u[i]))
            continue;
        e->mu[i] += a[i] + out[i];
        u[i] += a[i] + out[i];
    }
}

// --- fees: the dual ascent of Bilde and Krarup (1977), Erlenkotter (1978) ---
//
// Each variable has a level, the least of its unary. It can be raised as long as all places at that
// level have something of their fee left to pay for it.

// The values of a variable in one place.
struct spot {
    double cost; // the least of them
    uint32_t first, n;
};

static int by_cost(const void *pa, const void *pb)
{
    const struct spot *a = pa, *b = pb;

    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

struct climber {
    struct mrf_var *var;
    double *unary, *share;
    struct spot *at;  // sorted; owned
    uint32_t n, tied; // places; of these at the level
    double level;
    bool done;
};

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

static void raise_hub(struct mrf *m, struct mrf_hub *h, bool backwards)
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

// Takes the least unary of each variable into the constant.
static double collect(struct mrf *m)
{
    double sum = 0;

    for (uint32_t t = 0; t < m->n; t++) {
        double low = least(m->unary[t], m->var[t].k);
        sum += low;
        for (uint32_t i = 0; i < m->var[t].k; i++)
            m->unary[t][i] -= low;
    }
    return sum;
}

// Pairs are at least 0 afterwards; the least of those that were not goes into the constant.
static double straighten(struct mrf *m, double *row)
{
    double sum = 0;

    for (uint32_t i = 0; i < m->n_edges; i++) {
        struct mrf_edge *e = &m->edge[i];
        uint32_t k = m->var[e->u].k;
        mrf_least_pairs(m, e, e->u, NULL, row);
        double low = least(row, k);
        if (low >= 0)
            continue;
        for (uint32_t x = 0; x < k; x++)
            e->mu[x] += low;
        sum += low;
    }
    return sum;
}

double mrf_bound(struct mrf *m, double constant, int rounds)
{
    uint32_t widest = 1;

    for (uint32_t t = 0; t < m->n; t++)
        widest = m->var[t].k > widest ? m->var[t].k : widest;
    double *row = xcalloc(3 * (size_t)widest, sizeof(*row));
    constant += collect(m);
    for (int r = 0; r < rounds; r++) {
        double before = constant;
        if (m->stop && m->stop(m->arg))
            break;
        for (uint32_t e = 0; e < m->n_edges; e++)
            handshake(m, &m->edge[r % 2 ? m->n_edges - 1 - e : e], row, row + widest,
                      row + 2 * widest);
        for (uint32_t h = 0; h < m->n_hubs && !m->still; h++)
            raise_hub(m, &m->hub[h], r % 2);
        constant += collect(m);
        if (constant - before <= 1e-9 * (1 + constant))
            break;
    }
    constant += straighten(m, row);
    free(row);
    return constant;
}

void mrf_set_unary(struct mrf *m, double *const *cost)
{
    for (uint32_t t = 0; t < m->n; t++)
        memcpy(m->unary[t], cost[t], m->var[t].k * sizeof(double));
    for (uint32_t i = 0; i < m->n_edges; i++) {
        const struct mrf_edge *e = &m->edge[i];
        for (uint32_t x = 0; x < m->var[e->u].k; x++)
            m->unary[e->u][x] += e->mu[x];
        for (uint32_t x = 0; x < m->var[e->v].k; x++)
            m->unary[e->v][x] += e->mv[x];
    }
    for (uint32_t i = 0; i < m->n_hubs; i++)
        for (uint32_t k = 0; k < m->hub[i].n; k++)
            for (uint32_t x = 0; x < m->var[m->hub[i].var[k]].k; x++)
                m->unary[m->hub[i].var[k]][x] += m->hub[i].share[k][x];
}

// --- states ---

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

// --- rounding ---

void mrf_round(const struct mrf *m, const uint32_t *order, uint32_t *x)
{
    bool *set = xcalloc(m->n + 1, sizeof(bool));

    for (uint32_t i = 0; i < m->n; i++) {
        uint32_t t = order[i], k = m->var[t].k;
        double *row = xcalloc(k, sizeof(*row));
        memcpy(row, m->unary[t], k * sizeof(*row));
        for (uint32_t n = 0; n < m->var[t].n_edges; n++) {
            const struct mrf_edge *e = &m->edge[m->var[t].edge[n]];
            uint32_t other = e->u == t ? e->v : e->u;
            if (set[other])
                mrf_add_pairs(m, e, other, x[other], row);
        }
        x[t] = 0;
        for (uint32_t j = 1; j < k; j++)
            if (row[j] < row[x[t]])
                x[t] = j;
        set[t] = true;
        free(row);
    }
    free(set);
}
