// SPDX-License-Identifier: GPL-3.0-or-later
// Bounds by soft arc consistency, and rounding (mrf.h).
#include "optimizer/mrf_inside.h"

bool possible(double cost)
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
