// SPDX-License-Identifier: GPL-3.0-or-later
// Dynamic programming over the variables (mrf.h).
#include "optimizer/mrf_inside.h"

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

// Position of each factor of the bucket while the scope counts up: stride per scope variable.
struct view {
    const struct factor *f;
    size_t at, stride[64]; // [i] = of scope variable i; the eliminated one is last
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
