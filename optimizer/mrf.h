// SPDX-License-Identifier: GPL-3.0-or-later
// Sums of costs of single variables and of pairs: min_x sum_t unary_t(x_t) + sum_uv pair_uv(x_u,
// x_v). What a plan is without limits, shared data and time, and the oracle of the bounds with
// them.
//
// The values of a variable sit in places, and a pair costs nothing inside a place and otherwise
// what the classes of both places say:
//
//   pair_uv(i, j) = 0 when place(i) == place(j), else apart_uv(class(i), class(j)) + extra_uv
//
// There are hundreds of places and a few dozen classes. A pair needs no table over places, and the
// least of a pair plus anything on one end takes (values + classes * classes) steps.
//
// And there are fees, paid once for a place in which some of a hub's variables sit, however many.
//
// Bounds move costs from pairs and fees to variables: unary holds what was moved to it, mu and mv
// what each pair gave, share what each fee gave. Costs are nano-dollars in doubles, and what is
// moved are multiples of a power of two so small that nothing is rounded: sums are exact.
// Impossible values and pairs cost MRF_INF.
#ifndef BURST_MRF_H
#define BURST_MRF_H

#include <stdbool.h>
#include <stdint.h>

#define MRF_INF 1e30

struct mrf_var {
    uint32_t k;      // values
    uint32_t *place; // of each value; owned
    uint32_t *cls;   // of each value, numbered from 0 for this variable; owned
    uint32_t n_cls;
    uint32_t *cls_id; // of each: the class of the whole problem; owned
    uint32_t *edge;   // edges at this variable; owned
    uint32_t n_edges;
};

struct mrf_edge {
    uint32_t u, v;
    double *apart; // [class of x_u * n_cls of v + class of x_v]; owned
    double extra;
    double *mu, *mv; // per value of u and v: what was moved there from this pair; owned
};

struct mrf_hub {
    uint32_t n;
    uint32_t *var;    // owned
    double *fee;      // per place; owned
    double *left;     // per place: what of it was not given yet; owned
    double **share;   // per variable and value: what its unary has of the fee of its place; owned
    uint32_t **first; // per variable and place: its first value there, UINT32_MAX = none; owned
};

struct mrf {
    uint32_t n;
    struct mrf_var *var;
    double **unary; // [t][x_t]; owned
    uint32_t n_edges;
    struct mrf_edge *edge;
    uint32_t n_hubs;
    struct mrf_hub *hub;
    bool still;              // bounds leave the shares of fees as they are
    uint32_t n_places;       // place numbers are below this
    double quantum;          // what is moved is a multiple of it
    double *scratch;         // owned
    bool (*stop)(void *arg); // asked now and then; NULL = never
    void *arg;
};

// In this order: variables with the places of their values (sorted by place) and unary costs,
// classes, edges with apart, hubs with fees, mrf_finish().
void mrf_init(struct mrf *m, uint32_t n, uint32_t n_places);
void mrf_set_var(struct mrf *m, uint32_t t, uint32_t k, const uint32_t *place);
// After all variables are set: cls[place] for all places.
void mrf_set_classes(struct mrf *m, const uint32_t *cls, uint32_t n_cls);
// Adds an edge with zero costs, u before v. At most one for a pair of variables.
struct mrf_edge *mrf_add_edge(struct mrf *m, uint32_t u, uint32_t v);
// Adds a hub without fees for n variables.
struct mrf_hub *mrf_add_hub(struct mrf *m, const uint32_t *var, uint32_t n);
// After all costs are there.
void mrf_finish(struct mrf *m);
void mrf_free(struct mrf *m);

// The edge between two variables, or UINT32_MAX.
uint32_t mrf_edge_between(const struct mrf *m, uint32_t u, uint32_t v);

// Cells of all pairs as tables over values, and doubles that the model holds.
double mrf_cells(const struct mrf *m);

// A pair as it is now, what was moved taken off.
static inline double mrf_pair(const struct mrf *m, const struct mrf_edge *e, uint32_t i, uint32_t j)
{
    const struct mrf_var *u = &m->var[e->u], *v = &m->var[e->v];
    double base = 0;

    if (u->place[i] != v->place[j])
        base = e->apart[u->cls[i] * v->n_cls + v->cls[j]] + e->extra;
    return base - e->mu[i] - e->mv[j];
}

// Adds the pairs of a value of one end (t) to a row over the values of the other.
void mrf_add_pairs(const struct mrf *m, const struct mrf_edge *e, uint32_t t, uint32_t value,
                   double *row);

// out[i] = the least of pair(i, j) + h[j] over j, for the values i of one end (t); h may be NULL
// (zeros).
void mrf_least_pairs(struct mrf *m, const struct mrf_edge *e, uint32_t t, const double *h,
                     double *out);

// Exact minimum by eliminating one variable after the other, smallest table first. False when
// that takes more than max_cells table cells (the width is too large) or when told to stop.
// *value >= MRF_INF = impossible. Not with hubs.
bool mrf_eliminate(const struct mrf *m, double max_cells, uint32_t *x, double *value);

// Lower bound by moving costs between pairs and variables (dual block coordinate ascent) for some
// rounds. m is reparametrised in place: afterwards every value is at least 0 and any assignment
// costs the returned bound + its unary + its pairs. Can be called again for more.
double mrf_bound(struct mrf *m, double constant, int rounds);

// Sets the costs of the variables anew; what was moved stays moved.
void mrf_set_unary(struct mrf *m, double *const *cost);

// Sum of squares of the subgradient of the shares at an assignment, and a step along it: who sits
// in a place takes more of its fee, the others less. mrf_set_unary() puts it into the costs.
double mrf_share_norm(const struct mrf *m);
void mrf_even_shares(struct mrf *m); // all variables get the same of each fee
void mrf_step_shares(struct mrf *m, const uint32_t *x, double step);

// All that bounds change, to come back to.
struct mrf_state;
struct mrf_state *mrf_state_create(const struct mrf *m);
void mrf_state_destroy(struct mrf_state *s);
void mrf_save(const struct mrf *m, struct mrf_state *s);
void mrf_restore(struct mrf *m, const struct mrf_state *s);

// An assignment from what is left after a bound: one variable after the other, the least of its
// unary and its pairs with those before it.
void mrf_round(const struct mrf *m, const uint32_t *order, uint32_t *x);

#endif
