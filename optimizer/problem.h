// SPDX-License-Identifier: GPL-3.0-or-later
// The assignment problem in numbers: tasks with options, transfers between them, data sets that
// are copied once per place, limits that couple tasks. No names, no JSON, no catalog rows.
//
//   cost(x) = sum_t cost_t(x_t) + sum_(u,v) edge_uv(place(x_u), place(x_v))
//             + sum_d sum_p copy_d(p) [some task of d sits in p]
//   finish_t = max(release_t(x_t), max_(u,t) finish_u + time_ut [place(x_u) != place(x_t)])
//              + duration_t(x_t)
//
// Integers throughout (nano-dollars, microseconds): equal is equal, and a comparison of two plans
// needs no tolerance.
#ifndef BURST_PROBLEM_H
#define BURST_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "optimizer/places.h"

#define SIG_WORDS 4 // 256 limits

struct sig {
    uint64_t word[SIG_WORDS];
};

struct opt {
    int64_t cost;     // compute and the transfers that concern this task alone
    int64_t compute;  // what max_usd limits count, which may be other hours and another price
    int64_t duration; // microseconds
    int64_t release;  // not before: inputs have arrived
    uint32_t place;
    uint32_t sig;  // the limits that count it; 0 = none
    uint32_t rank; // ties go to the lower one
    uint32_t offer;
    int32_t need; // entry of any_of, or -1 - index of an alternative
    uint32_t market;
    uint32_t self; // its index in the problem it comes from
    uint32_t nodes;
};

struct problem_edge {
    uint32_t u, v;
    double gb;
    int64_t time;
    const int64_t *price; // by kind of route, see problem_prices(); NULL = too many to keep
};

struct problem_dataset {
    uint32_t place;
    double gb;
    uint32_t *task; // owned; at least two
    uint32_t n;
    const int64_t *copy; // what it costs by place; NULL = too many to keep
};

struct problem_limit {
    int64_t max_nodes, max_nano; // -1 = none
};

struct problem {
    struct places *places; // borrowed
    uint32_t n;
    uint32_t *first; // n + 1: options of task t are opt[first[t]] .. opt[first[t + 1] - 1]
    struct opt *opt;
    uint32_t *order; // parents before children
    struct problem_edge *edge;
    uint32_t n_edges;
    struct problem_dataset *dataset;
    uint32_t n_datasets;
    struct problem_limit *limit;
    uint32_t n_limits;
    const struct sig *sig; // borrowed; sig[0] is empty
    uint32_t n_sigs;
    int64_t *prices;                // of edges and data sets; owned, NULL in parts
    uint32_t *in_first, *in_edge;   // edges into a task, built by problem_index()
    uint32_t *out_first, *out_edge; // edges out of it
};

static inline bool sig_has(const struct sig *s, uint32_t limit)
{
    return s->word[limit / 64] >> (limit % 64) & 1;
}

// Whether everything that counts a also counts b.
static inline bool sig_subset(const struct sig *a, const struct sig *b)
{
    for (int i = 0; i < SIG_WORDS; i++)
        if (a->word[i] & ~b->word[i])
            return false;
    return true;
}

// Whether no limit counts more of a than of b.
static inline bool opt_no_hungrier(const struct sig *sigs, const struct opt *a, const struct opt *b)
{
    const struct sig *s = &sigs[a->sig];
    uint64_t counted = 0;

    for (int i = 0; i < SIG_WORDS; i++)
        counted |= s->word[i];
    return !counted ||
           (sig_subset(s, &sigs[b->sig]) && a->compute <= b->compute && a->nodes <= b->nodes);
}

// Builds the edge lists; call after edges are in place.
void problem_index(struct problem *p);
void problem_free(struct problem *p); // what it owns, not itself

// Prices of edges and copies are asked for again and again: keeps them, as long as they are not too
// many. Call when all places are known. Parts of the problem borrow them.
void problem_prices(struct problem *p);

static inline int64_t edge_cost(const struct problem *p, const struct problem_edge *e, uint32_t a,
                                uint32_t b)
{
    if (a == b)
        return 0;
    return e->price ? e->price[places_kind(p->places, a, b)] : places_cost(p->places, a, b, e->gb);
}

static inline int64_t copy_cost(const struct problem *p, const struct problem_dataset *d,
                                uint32_t place)
{
    return d->copy ? d->copy[place] : places_cost(p->places, d->place, place, d->gb);
}

static inline int64_t edge_time(const struct problem_edge *e, uint32_t a, uint32_t b)
{
    return a == b ? 0 : e->time;
}

// Exact value of an assignment: choice[t] is an index into opt. finish (may be NULL) gets the
// finish time of each task. *cost and *span saturate at COST_INF, TIME_INF (then it is none).
void problem_value(const struct problem *p, const uint32_t *choice, int64_t *cost, int64_t *span,
                   int64_t *finish);
// The first limit that the assignment breaks, or -1. *over = by how much (nodes or nano-dollars).
int problem_broken_limit(const struct problem *p, const uint32_t *choice, int64_t *over);

// Sub-problem of the tasks with member[t] == which, with fresh task numbers (back[i] = old
// number; owned by the caller). Edges and data sets must not cross; limits are all kept.
void problem_part(const struct problem *p, const uint32_t *member, uint32_t which,
                  struct problem *out, uint32_t **back);

// The same problem without some options (dead[o]); opt[].self of out points into p.
void problem_without(const struct problem *p, const bool *dead, struct problem *out);

// Whether two tasks have options in one place. Options of a task are sorted by place. dead may be
// NULL.
bool problem_may_meet(const struct problem *p, const bool *dead, uint32_t u, uint32_t v);

// Time of moving data from u to v when they are in different places: the longest of their edges.
int64_t problem_time_between(const struct problem *p, uint32_t u, uint32_t v);

// No assignment finishes before: every task takes its fastest option, and between tasks that cannot
// meet the transfer takes its time.
int64_t problem_least_span(const struct problem *p);

#endif
