// SPDX-License-Identifier: GPL-3.0-or-later
// Sums of costs of single variables and of pairs: min_x sum_t unary_t(x_t) + sum_uv pair_uv(x_u,
// x_v).
//
// What a plan is without limits, shared data and time, and the oracle of the bounds with them.
// Values are doubles that hold integers below 2^53 when the costs are plain nano-dollars: then
// sums are exact. Impossible combinations are MRF_INF.
#ifndef BURST_MRF_H
#define BURST_MRF_H

#include <stdbool.h>
#include <stdint.h>

#define MRF_INF 1e30

struct mrf_edge {
    uint32_t u, v;
    double *pair; // [x_u * k[v] + x_v]; owned
};

struct mrf {
    uint32_t n;
    uint32_t *k;    // values of each variable
    double **unary; // [t][x_t]; owned
    uint32_t n_edges;
    struct mrf_edge *edge;
    bool (*stop)(void *arg); // asked now and then; NULL = never
    void *arg;
};

void mrf_init(struct mrf *m, uint32_t n, const uint32_t *k);
// Adds an edge with zero costs, or finds the one that is there; the caller adds to the matrix,
// indexed as *flipped says (true = [x_v * k[u] + x_u]).
double *mrf_edge(struct mrf *m, uint32_t u, uint32_t v, bool *flipped);
void mrf_free(struct mrf *m);

// Exact minimum by eliminating one variable after the other, smallest table first. False when
// that takes more than max_cells table cells (the width is too large) or when told to stop.
// *value >= MRF_INF = impossible.
bool mrf_eliminate(const struct mrf *m, double max_cells, uint32_t *x, double *value);

// Lower bound by moving costs between pairs and variables (dual block coordinate ascent) for some
// rounds. m is reparametrised in place: afterwards every value is at least 0 and any assignment
// costs the returned bound + its unary + its pairs. Can be called again for more.
double mrf_bound(struct mrf *m, double constant, int rounds);

double mrf_value(const struct mrf *m, const uint32_t *x);

#endif
