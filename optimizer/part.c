// SPDX-License-Identifier: GPL-3.0-or-later
// See part.h: the order in which the methods are tried on one part. Cheap and exact ones first;
// each leaves its plan and its bound to the next.
#include "optimizer/part.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"
#include "optimizer/dual.h"
#include "optimizer/ilp.h"
#include "optimizer/improve.h"
#include "optimizer/mrf.h"
#include "optimizer/pair_costs.h"
#include "optimizer/reduce.h"
#include "optimizer/search.h"

#define PAIR_CELLS 1.5e7    // doubles in pair tables: 120 MB
#define ELIMINATE_CELLS 3e7 // cells of all elimination tables: some tenths of a second
#define QUICK_CELLS 1e6
#define QUICK_NODES 20000
#define QUICK_TASKS 60
#define SOME_NODES 50000
#define NARROW_ROUNDS 150
#define DROP_SHARE 20 // of the options: fewer are no reason to begin again
#define SEARCH_NODES 3000000
#define SHAKES 300
#define SOME_SHAKES 30

static bool has_sides(const struct problem *p, int64_t time)
{
    if (time < TIME_INF || p->n_datasets)
        return true;
    for (uint32_t o = 0; o < p->first[p->n]; o++)
        for (int w = 0; w < SIG_WORDS; w++)
            if (p->sig[p->opt[o].sig].word[w])
                return true;
    return false;
}

static void offer_values(struct best *b, const struct problem *p, const uint32_t *x, int64_t time)
{
    uint32_t *choice = xcalloc(p->n + 1, sizeof(*choice));

    for (uint32_t t = 0; t < p->n; t++)
        choice[t] = p->first[t] + x[t];
    best_offer(b, p, choice, time);
    free(choice);
}

// Starting points: every task on its cheapest option, and all tasks together in one place (on
// their cheapest option where they have none there).
static void start(const struct problem *p, int64_t time, const struct solve_options *opt,
                  struct clockwork *clock, struct best *b)
{
    uint32_t *cheapest = xcalloc(p->n + 1, sizeof(*cheapest));
    uint32_t *choice = xcalloc(p->n + 1, sizeof(*choice));
    uint32_t n = places_count(p->places);
    bool *seen = xcalloc(n + 1, sizeof(bool));

    for (uint32_t t = 0; t < p->n; t++) {
        cheapest[t] = p->first[t];
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            seen[p->opt[o].place] = true;
            if (p->opt[o].cost < p->opt[cheapest[t]].cost)
                cheapest[t] = o;
        }
    }
    if (opt->skip & STEP_IMPROVE) // tests of bounds: any plan, better a bad one
        best_offer(b, p, p->first, time);
    if (!b->found || !(opt->skip & STEP_IMPROVE))
        best_offer(b, p, cheapest, time);
    for (uint32_t place = 0; place < n && (p->n_edges || p->n_datasets); place++) {
        if (opt->skip & STEP_IMPROVE)
            break;
        if (!seen[place] || time_is_over(clock))
            continue;
        for (uint32_t t = 0; t < p->n; t++) {
            choice[t] = cheapest[t];
            for (uint32_t o = p->first[t], got = 0; o < p->first[t + 1]; o++)
                if (p->opt[o].place == place && (!got || p->opt[o].cost < p->opt[choice[t]].cost)) {
                    choice[t] = o;
                    got = 1;
                }
        }
        best_offer(b, p, choice, time);
    }
    free(cheapest);
    free(choice);
    free(seen);
}

// Takes a bound in doubles: an integer cost cannot lie between it and the next integer.
static void raise_bound(struct best *b, double bound)
{
    double safe = ceil(bound - 1e-14 * fabs(bound) - 0.01);

    if (safe > 9e18)
        safe = 9e18;
    if (safe > (double)b->bound)
        b->bound = (int64_t)safe;
    if (b->found && b->bound >= b->cost) {
        b->bound = b->cost;
        b->proven = true;
    }
}

// A plan from what is left after a bound.
static bool round_plan(const struct problem *p, const struct mrf *m, int64_t time, struct best *b)
{
    uint32_t *x = xcalloc(p->n + 1, sizeof(*x));

    mrf_round(m, p->order, x);
    for (uint32_t t = 0; t < p->n; t++)
        x[t] += p->first[t];
    bool better = best_offer(b, p, x, time);
    free(x);
    return better;
}

static bool eliminate(const struct problem *p, const struct mrf *m, double max_cells,
                      struct best *b)
{
    uint32_t *x = xcalloc(p->n + 1, sizeof(*x));
    double value;
    bool ok = mrf_eliminate(m, max_cells, x, &value);

    if (ok && value >= MRF_INF / 2) {
        b->proven = !b->found;
    } else if (ok) {
        offer_values(b, p, x, TIME_INF);
        b->proven = b->found;
        b->bound = b->cost;
    }
    free(x);
    return ok;
}

// With the plain costs: those of a reparametrised model are no integers any more.
static bool eliminate_again(const struct problem *p, struct clockwork *clock, struct best *b)
{
    struct mrf m;
    bool ok;

    if (!problem_mrf(p, PAIR_CELLS, &m))
        return false;
    m.stop = time_is_over_fn;
    m.arg = clock;
    ok = eliminate(p, &m, ELIMINATE_CELLS, b);
    mrf_free(&m);
    return ok;
}

// What any assignment with an option costs at least: the bound, the option's own unary, and for
// each of its pairs the least of the pair and its other end.
static double *option_bounds(const struct problem *p, struct mrf *m, double constant)
{
    double *low = xcalloc(p->first[p->n] + 1, sizeof(*low));

    for (uint32_t t = 0; t < p->n; t++) {
        double *of = low + p->first[t], *row = xcalloc(m->var[t].k + 1, sizeof(*row));
        for (uint32_t i = 0; i < m->var[t].k; i++)
            of[i] = constant + m->unary[t][i];
        for (uint32_t k = 0; k < m->var[t].n_edges; k++) {
            const struct mrf_edge *e = &m->edge[m->var[t].edge[k]];
            mrf_least_pairs(m, e, t, m->unary[e->u == t ? e->v : e->u], row);
            for (uint32_t i = 0; i < m->var[t].k; i++)
                of[i] += row[i];
        }
        free(row);
    }
    return low;
}

// Options that the bound shows to be worse than the plan at hand; m is reparametrised. Returns how
// many there are.
static uint32_t dear_options(const struct problem *p, struct mrf *m, double constant,
                             const struct best *b, bool *dear)
{
    double *low = option_bounds(p, m, constant);
    uint32_t n = 0;

    for (uint32_t t = 0; t < p->n; t++)
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            dear[o] = b->choice[t] != o && low[o] - 1e-14 * fabs(low[o]) - 0.01 > (double)b->cost;
            n += dear[o];
        }
    free(low);
    return n;
}

// Leaves them out, and then what reduce() finds. out's opt[].self points into p. False when these
// are too few to begin again.
static bool drop_by_bound(const struct problem *p, struct mrf *m, double constant,
                          const struct best *b, struct problem *out, int64_t *time)
{
    bool *dear = xcalloc(p->first[p->n] + 1, sizeof(bool)), late, ok = false;
    struct problem q;

    if (dear_options(p, m, constant, b, dear) * DROP_SHARE > p->first[p->n]) {
        problem_without(p, dear, &q);
        ok = reduce(&q, time, out, &late);
        for (uint32_t o = 0; ok && o < out->first[out->n]; o++)
            out->opt[o].self = q.opt[out->opt[o].self].self;
        problem_free(&q);
    }
    free(dear);
    return ok;
}

bool part_narrow(const struct problem *p, const struct solve_options *opt, struct clockwork *clock,
                 struct best *b, struct problem *out)
{
    bool *dear = xcalloc(p->first[p->n] + 1, sizeof(bool)), any = false;
    struct mrf m;
    double constant = 0;

    if (!(opt->skip & STEP_DROP) && problem_mrf(p, PAIR_CELLS, &m)) {
        m.stop = time_is_over_fn;
        m.arg = clock;
        if (has_sides(p, opt->time_budget) && !(opt->skip & STEP_DUAL))
            dual_ascent(p, opt->time_budget, NARROW_ROUNDS, opt, clock, b, &m, &constant);
        constant = mrf_bound(&m, constant, 200);
        any = dear_options(p, &m, constant, b, dear) > 0;
        mrf_free(&m);
    }
    if (any)
        problem_without(p, dear, out);
    free(dear);
    return any;
}

static void exact(const struct problem *p, int64_t time, const struct solve_options *opt,
                  struct clockwork *clock, struct best *b, int depth);

// Solves the smaller problem and takes its result over: what was dropped could not be better.
static void descend(const struct problem *p, const struct problem *q, int64_t time,
                    int64_t original_time, const struct solve_options *opt, struct clockwork *clock,
                    struct best *b, int depth)
{
    struct best sub;
    uint32_t *choice = xcalloc(p->n + 1, sizeof(*choice));
    uint32_t same = 0;

    best_init(&sub, p->n);
    for (uint32_t t = 0; t < p->n; t++)
        for (uint32_t o = q->first[t]; o < q->first[t + 1]; o++)
            if (q->opt[o].self == b->choice[t]) {
                choice[t] = o;
                same++;
            }
    if (same == p->n)
        best_offer(&sub, q, choice, time);
    sub.bound = b->bound;
    sub.enough = b->enough;
    exact(q, time, opt, clock, &sub, depth);
    if (sub.found) {
        for (uint32_t t = 0; t < p->n; t++)
            choice[t] = q->opt[sub.choice[t]].self;
        best_offer(b, p, choice, original_time);
    }
    // Below the plan at hand there is only what q holds.
    if (sub.proven) {
        b->proven = true;
        b->bound = b->cost;
    } else if (sub.bound > b->bound) {
        b->bound = sub.bound < b->cost ? sub.bound : b->cost;
    }
    best_free(&sub);
    free(choice);
}

// Shaking while nothing else got to an end. True when the bound says that it did.
static bool shaken(const struct problem *p, int64_t time, int rounds, struct clockwork *clock,
                   struct best *b)
{
    shake(p, time, clock, b, rounds);
    return b->found && b->bound >= b->cost;
}

static void exact(const struct problem *p, int64_t time, const struct solve_options *opt,
                  struct clockwork *clock, struct best *b, int depth)
{
    struct mrf m = {0};
    double constant = 0;
    bool sides = has_sides(p, time);

    start(p, time, opt, clock, b);
    if (best_will_do(b))
        return;
    if (!problem_mrf(p, PAIR_CELLS, &m)) {
        double sum = 0; // too large for tables: every task on its cheapest option is a bound
        for (uint32_t t = 0; t < p->n; t++) {
            double low = HUGE_VAL;
            for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++)
                low = (double)p->opt[o].cost < low ? (double)p->opt[o].cost : low;
            sum += low;
        }
        raise_bound(b, sum);
        if (!b->proven && !(opt->skip & STEP_IMPROVE))
            improve(p, time, clock, b);
        raise_bound(b, sum);
        return;
    }
    m.stop = time_is_over_fn;
    m.arg = clock;
    if (!sides && !(opt->skip & STEP_ELIMINATE) && eliminate(p, &m, QUICK_CELLS, b))
        goto out;
    // Small enough to look at everything?
    if (!(opt->skip & STEP_QUICK) && p->n <= QUICK_TASKS &&
        search(p, time, NULL, 0, QUICK_NODES, clock, b)) {
        b->proven = true;
        b->bound = b->cost;
        goto out;
    }
    if (!(opt->skip & STEP_IMPROVE) && !best_will_do(b))
        improve(p, time, clock, b);
    if (best_will_do(b))
        goto out;
    if (sides && !(opt->skip & STEP_DUAL))
        dual_ascent(p, time, p->n < 1000 ? 600 : 300, opt, clock, b, &m, &constant);
    if (!(opt->skip & STEP_BOUND))
        constant = mrf_bound(&m, constant, 200);
    if (!(opt->skip & STEP_IMPROVE) && round_plan(p, &m, time, b))
        improve(p, time, clock, b);
    if (!(opt->skip & STEP_BOUND))
        raise_bound(b, constant);
    if (b->proven || best_will_do(b) || time_is_over(clock))
        goto out;
    if (!(opt->skip & STEP_IMPROVE) && shaken(p, time, SOME_SHAKES, clock, b)) {
        b->proven = true;
        goto out;
    }
    if (b->found && depth < 3 && !(opt->skip & (STEP_DROP | STEP_BOUND))) {
        struct problem q;
        int64_t q_time = time;
        if (drop_by_bound(p, &m, constant, b, &q, &q_time)) {
            mrf_free(&m);
            descend(p, &q, q_time, time, opt, clock, b, depth + 1);
            problem_free(&q);
            return;
        }
    }
    if (!sides && !(opt->skip & STEP_ELIMINATE) && eliminate_again(p, clock, b))
        goto out;
    // A short search, then GLPK, which knows cuts, then a long search.
    b->proven =
        (!(opt->skip & STEP_SEARCH) && search(p, time, &m, constant, SOME_NODES, clock, b)) ||
        (!(opt->skip & STEP_ILP) && ilp(p, time, clock, b)) ||
        (!(opt->skip & STEP_IMPROVE) && shaken(p, time, SHAKES, clock, b)) ||
        (!(opt->skip & STEP_SEARCH) && search(p, time, &m, constant, SEARCH_NODES, clock, b));
    if (b->proven)
        b->bound = b->cost;
out:
    mrf_free(&m);
}

void part_min_cost(const struct problem *p, int64_t time, const struct solve_options *opt,
                   struct clockwork *clock, struct best *b, bool *late)
{
    struct problem q;
    struct best sub;
    int64_t q_time = time;
    uint32_t *choice;

    if (!reduce(p, &q_time, &q, late)) {
        b->found = false;
        b->proven = true;
        return;
    }
    best_init(&sub, p->n);
    sub.enough = b->enough;
    choice = xcalloc(p->n + 1, sizeof(*choice));
    exact(&q, q_time, opt, clock, &sub, 0);
    if (sub.found) {
        for (uint32_t t = 0; t < p->n; t++)
            choice[t] = q.opt[sub.choice[t]].self;
        best_offer(b, p, choice, time);
    }
    b->proven = sub.proven;
    b->bound = sub.proven && b->found ? b->cost : sub.bound;
    *late = sub.proven && !sub.found && q_time < TIME_INF;
    free(choice);
    best_free(&sub);
    problem_free(&q);
}
