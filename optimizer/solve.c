// SPDX-License-Identifier: GPL-3.0-or-later
// See solve.h. Everything comes down to "cheapest plan that finishes by T":
//
// - cost: T is the time budget. Among the cheapest the fastest is found by bisection over T.
// - time: bisection over T with the cost budget; each step either finds a plan within the money or
//   proves that there is none.
//
// The problem falls apart into parts that share no edge, no data set and no limit that can bind.
// Time couples nothing: each part must finish by T on its own. Money is the sum over the parts.
#include "optimizer/solve.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "optimizer/best.h"
#include "optimizer/part.h"

// Looking for a faster plan of the same cost, or a cheaper one of the same time, is worth this
// share of the time that is left.
#define TIE_SHARE 4

struct comp {
    bool single; // one task without ties: no sub-problem is made
    uint32_t task;
    struct problem part;
    uint32_t *back;
    struct best best; // of the last question
    int64_t asked;    // its time
    bool known, late;
};

struct split {
    const struct problem *p;
    const struct solve_options *opt;
    struct clockwork clock;
    struct problem work; // p with the limits that can bind; opt and the like borrowed from p
    struct sig *sigs;
    struct opt *opts;
    struct comp *comp;
    uint32_t n;
    bool late; // of the last question
};

void solution_free(struct solution *s)
{
    free(s->choice);
    s->choice = NULL;
}

// --- limits that can bind ---

struct usage {
    int64_t min, max;
};

static void add_usage(const struct problem *p, uint32_t t, uint32_t l, struct usage *nodes,
                      struct usage *nano)
{
    int64_t low = INT64_MAX, high = 0, low_nodes = INT64_MAX, high_nodes = 0;

    for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
        bool has = sig_has(&p->sig[p->opt[o].sig], l);
        int64_t c = has ? p->opt[o].compute : 0, k = has ? p->opt[o].nodes : 0;
        low = c < low ? c : low;
        high = c > high ? c : high;
        low_nodes = k < low_nodes ? k : low_nodes;
        high_nodes = k > high_nodes ? k : high_nodes;
    }
    nano->min = sat_add(nano->min, low);
    nano->max = sat_add(nano->max, high);
    nodes->min = sat_add(nodes->min, low_nodes);
    nodes->max = sat_add(nodes->max, high_nodes);
}

// Keeps the limits that some assignment would break. Returns one that every assignment breaks, or
// -1.
static int binding_limits(struct split *s)
{
    const struct problem *p = s->p;
    struct sig keep = {{0}};
    int broken = -1;

    for (uint32_t l = 0; l < p->n_limits; l++) {
        struct usage nodes = {0, 0}, nano = {0, 0};
        for (uint32_t t = 0; t < p->n; t++)
            add_usage(p, t, l, &nodes, &nano);
        const struct problem_limit *x = &p->limit[l];
        if ((x->max_nodes >= 0 && nodes.min > x->max_nodes) ||
            (x->max_nano >= 0 && nano.min > x->max_nano))
            broken = broken < 0 ? (int)l : broken;
        if ((x->max_nodes >= 0 && nodes.max > x->max_nodes) ||
            (x->max_nano >= 0 && nano.max > x->max_nano))
            keep.word[l / 64] |= UINT64_C(1) << (l % 64);
    }
    s->sigs = xcalloc(p->n_sigs + 1, sizeof(*s->sigs));
    for (uint32_t i = 0; i < p->n_sigs; i++)
        for (int w = 0; w < SIG_WORDS; w++)
            s->sigs[i].word[w] = p->sig[i].word[w] & keep.word[w];
    s->work = *p;
    s->work.sig = s->sigs;
    return broken;
}

// --- parts ---

static uint32_t find(uint32_t *up, uint32_t i)
{
    while (up[i] != i) {
        up[i] = up[up[i]];
        i = up[i];
    }
    return i;
}

static void join(uint32_t *up, uint32_t a, uint32_t b)
{
    a = find(up, a);
    b = find(up, b);
    if (a != b)
        up[a > b ? a : b] = a < b ? a : b;
}

static void join_all(const struct problem *p, uint32_t *up)
{
    uint32_t holder[SIG_WORDS * 64];

    memset(holder, 0xff, sizeof(holder));
    for (uint32_t e = 0; e < p->n_edges; e++)
        join(up, p->edge[e].u, p->edge[e].v);
    for (uint32_t d = 0; d < p->n_datasets; d++)
        for (uint32_t i = 1; i < p->dataset[d].n; i++)
            join(up, p->dataset[d].task[0], p->dataset[d].task[i]);
    for (uint32_t t = 0; t < p->n && p->n_limits; t++)
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            const struct sig *g = &p->sig[p->opt[o].sig];
            for (uint32_t w = 0; w < SIG_WORDS; w++)
                for (uint64_t left = g->word[w]; left; left &= left - 1) {
                    uint32_t l = w * 64 + (uint32_t)__builtin_ctzll(left);
                    if (holder[l] == UINT32_MAX)
                        holder[l] = t;
                    join(up, holder[l], t);
                }
        }
}

static void make_parts(struct split *s)
{
    const struct problem *p = &s->work;
    uint32_t *up = xcalloc(p->n, sizeof(*up)), *size = xcalloc(p->n, sizeof(*size));

    for (uint32_t t = 0; t < p->n; t++)
        up[t] = t;
    join_all(p, up);
    for (uint32_t t = 0; t < p->n; t++)
        size[up[t] = find(up, t)]++;
    s->comp = xcalloc(p->n, sizeof(*s->comp));
    for (uint32_t t = 0; t < p->n; t++) {
        struct comp *c = &s->comp[s->n];
        bool limited = false;
        if (up[t] != t)
            continue;
        s->n++;
        for (uint32_t o = p->first[t]; o < p->first[t + 1] && size[t] == 1; o++)
            for (int w = 0; w < SIG_WORDS; w++)
                limited = limited || p->sig[p->opt[o].sig].word[w];
        if (size[t] == 1 && !limited) {
            c->single = true;
            c->task = t;
            best_init(&c->best, 1);
        } else {
            problem_part(p, up, t, &c->part, &c->back);
            for (uint32_t i = 0; i < c->part.n; i++)
                for (uint32_t o = c->part.first[i]; o < c->part.first[i + 1]; o++)
                    c->part.opt[o].self = p->first[c->back[i]] + o - c->part.first[i];
            best_init(&c->best, c->part.n);
        }
    }
    free(up);
    free(size);
}

static void free_parts(struct split *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        best_free(&s->comp[i].best);
        if (!s->comp[i].single)
            problem_free(&s->comp[i].part);
        free(s->comp[i].back);
    }
    free(s->comp);
    free(s->sigs);
}

static void single_min_cost(const struct problem *p, struct comp *c, int64_t time)
{
    struct best *b = &c->best;
    const struct opt *best = NULL;
    int64_t best_end = 0;

    for (uint32_t o = p->first[c->task]; o < p->first[c->task + 1]; o++) {
        const struct opt *x = &p->opt[o];
        int64_t end = sat_add(x->release, x->duration);
        if (end > time)
            continue;
        if (!best || x->cost < best->cost ||
            (x->cost == best->cost &&
             (end < best_end || (end == best_end && x->rank < best->rank)))) {
            best = x;
            best_end = end;
        }
    }
    b->proven = true;
    b->found = best != NULL;
    if (best) {
        b->choice[0] = (uint32_t)(best - p->opt);
        b->cost = b->bound = best->cost;
        b->span = best_end;
    }
    c->late = !best;
}

// Answers from the last question when that settles this one as well.
static void comp_min_cost(struct split *s, struct comp *c, int64_t time, int64_t enough)
{
    struct best *b = &c->best;

    if (c->known && b->proven && time <= c->asked && !b->found)
        return;
    if (c->known && b->proven && b->found && b->span <= time && time <= c->asked)
        return;
    if (c->known && b->proven && time == c->asked)
        return;
    b->enough = enough;
    if (c->known && b->span <= time && best_will_do(b))
        return;
    c->known = true;
    c->asked = time;
    c->late = false;
    if (c->single) {
        single_min_cost(&s->work, c, time);
        return;
    }
    // What was found for another time may still be a start.
    if (b->found && b->span > time)
        b->found = false;
    b->proven = false;
    b->bound = 0;
    part_min_cost(&c->part, time, s->opt, &s->clock, b, &c->late);
}

// Cheapest plan that finishes by time, or (enough >= 0) any that costs no more than that. cost =
// sum of what was found (COST_INF = some part has none), bound = sum of the bounds. True when every
// part is proven.
static bool all_min_cost(struct split *s, int64_t time, int64_t enough, int64_t *cost,
                         int64_t *bound)
{
    int64_t deadline = s->clock.deadline_ms;
    uint32_t large = 0;
    bool proven = true;

    *cost = *bound = 0;
    s->late = false;
    for (uint32_t i = 0; i < s->n; i++)
        large += !s->comp[i].single;
    // Single tasks first: of what is left over the last large part may use all.
    for (uint32_t k = 0; k < 2 * s->n; k++) {
        struct comp *c = &s->comp[k % s->n];
        int64_t own = -1;
        if (c->single != (k < s->n))
            continue;
        if (!c->single && enough >= COST_INF)
            own = COST_INF;
        else if (!c->single && large == 1 && *cost <= enough)
            own = enough - *cost;
        if (!c->single && deadline != INT64_MAX) { // each gets its share of what is left
            int64_t now = clock_mono_ms();
            s->clock.deadline_ms = now + (deadline - now) / large;
            s->clock.over = false;
        }
        large -= !c->single;
        comp_min_cost(s, c, time, own);
        s->clock.deadline_ms = deadline;
        proven = proven && c->best.proven;
        if (!c->best.found && c->best.proven) {
            s->late = c->late;
            *cost = *bound = COST_INF;
            s->clock.over = false;
            return true; // one part without a plan is proof enough
        }
        *cost = c->best.found ? sat_add(*cost, c->best.cost) : COST_INF;
        *bound = sat_add(*bound, c->best.proven ? c->best.cost : c->best.bound);
    }
    s->clock.over = false; // asked anew with the deadline of the whole
    return proven;
}

static int64_t all_span(const struct split *s)
{
    int64_t span = 0;

    for (uint32_t i = 0; i < s->n; i++)
        span = s->comp[i].best.span > span ? s->comp[i].best.span : span;
    return span;
}

static void keep(const struct split *s, struct solution *out, int64_t cost)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct comp *c = &s->comp[i];
        if (c->single)
            out->choice[c->task] = c->best.choice[0];
        else
            for (uint32_t t = 0; t < c->part.n; t++)
                out->choice[c->back[t]] = c->part.opt[c->best.choice[t]].self;
    }
    out->cost = cost;
    out->span = all_span(s);
}

// Bisection for the least T at which a plan of at most max_cost exists, between low (nothing is
// known to be faster) and the span of the plan in out. Returns true when the end is proven; *low
// is then the least T, otherwise what is proven to be out of reach. A step that is not decided
// counts as out of reach for the next ones, which may still find a faster plan above it.
static bool fastest_within(struct split *s, int64_t max_cost, int64_t *low, struct solution *out)
{
    int64_t cost, bound, mid = *low, from = *low;

    while (from < out->span) {
        bool proven = all_min_cost(s, mid, max_cost, &cost, &bound);
        if (cost < COST_INF && cost <= max_cost)
            keep(s, out, cost);
        else
            from = mid + 1;
        if (from == mid + 1 && (proven || bound > max_cost))
            *low = from > *low ? from : *low;
        if (time_is_over(&s->clock))
            break;
        mid = from + (out->span - from) / 2;
    }
    return *low >= out->span;
}

// Leaves the options that may be in a cheapest plan of a part, most often one for each task.
static void leave_cheapest(struct split *s, struct comp *c)
{
    struct problem q;

    if (!part_narrow(&c->part, s->opt, &s->clock, &c->best, &q))
        return;
    for (uint32_t t = 0; t < q.n; t++)
        for (uint32_t o = q.first[t]; o < q.first[t + 1]; o++)
            if (q.opt[o].self == c->best.choice[t]) {
                c->best.choice[t] = o;
                break;
            }
    for (uint32_t o = 0; o < q.first[q.n]; o++)
        q.opt[o].self = c->part.opt[q.opt[o].self].self;
    problem_free(&c->part);
    c->part = q;
}

// Among the cheapest plans the fastest, part by part: each keeps its own cost.
static void break_ties(struct split *s, struct solution *out)
{
    struct clockwork outer = s->clock;
    int64_t low = 0, now = clock_mono_ms();

    if (s->clock.deadline_ms != INT64_MAX)
        s->clock.deadline_ms = now + (s->clock.deadline_ms - now) / TIE_SHARE;
    // The part that takes longest decides; others matter as far as they cannot be faster.
    for (uint32_t i = 0; i < s->n; i++) {
        struct comp *c = &s->comp[i];
        int64_t least = c->single ? c->best.span : problem_least_span(&c->part);
        low = least > low ? least : low;
    }
    for (uint32_t i = 0; i < s->n && low < out->span; i++) {
        struct comp *c = &s->comp[i];
        if (c->single || c->best.span <= low)
            continue;
        leave_cheapest(s, c);
        int64_t least = problem_least_span(&c->part);
        low = least > low ? least : low;
    }
    fastest_within(s, out->cost, &low, out);
    s->clock = outer;
}

static void minimise_cost(struct split *s, struct solution *out)
{
    const struct solve_options *o = s->opt;
    int64_t cost, bound;
    bool proven = all_min_cost(s, o->time_budget, -1, &cost, &bound);

    out->bound = bound;
    if (proven && (cost >= COST_INF || cost > o->cost_budget)) {
        out->end = SOLVE_INFEASIBLE;
        out->late = cost >= COST_INF && s->late;
        out->dear = cost < COST_INF;
        out->needed = cost < COST_INF ? cost : -1;
        return;
    }
    if (cost >= COST_INF || cost > o->cost_budget) {
        out->end = bound > o->cost_budget ? SOLVE_INFEASIBLE : SOLVE_UNKNOWN;
        out->dear = bound > o->cost_budget;
        return;
    }
    keep(s, out, cost);
    out->end = proven ? SOLVE_OPTIMAL : SOLVE_FEASIBLE;
    if (proven)
        break_ties(s, out);
}

static void minimise_time(struct split *s, struct solution *out)
{
    const struct solve_options *o = s->opt;
    int64_t low = problem_least_span(&s->work), cost, bound;
    // Any plan within the money gives the upper end.
    bool proven = all_min_cost(s, o->time_budget, o->cost_budget, &cost, &bound);

    out->bound = low;
    if (cost >= COST_INF || cost > o->cost_budget) {
        bool none = proven || bound > o->cost_budget;
        out->end = none ? SOLVE_INFEASIBLE : SOLVE_UNKNOWN;
        out->late = none && cost >= COST_INF && s->late;
        out->dear = none && !out->late && bound > o->cost_budget;
        out->needed = proven && cost < COST_INF ? cost : -1;
        return;
    }
    keep(s, out, cost);
    // Some of the time is for the cheapest plan of that time: until then any within the money will
    // do.
    struct clockwork outer = s->clock;
    if (s->clock.deadline_ms != INT64_MAX) {
        int64_t now = clock_mono_ms();
        s->clock.deadline_ms -= (s->clock.deadline_ms - now) / TIE_SHARE;
    }
    bool fastest = fastest_within(s, o->cost_budget, &low, out);
    s->clock = outer;
    all_min_cost(s, out->span, -1, &cost, &bound);
    if (cost < COST_INF && cost <= out->cost)
        keep(s, out, cost);
    out->end = fastest ? SOLVE_OPTIMAL : SOLVE_FEASIBLE;
    out->bound = fastest ? out->span : low;
}

void solve(const struct problem *p, const struct solve_options *opt, struct solution *s)
{
    struct split sp = {.p = p, .opt = opt, .clock = {opt->deadline_ms, false}};

    memset(s, 0, sizeof(*s));
    s->needed = s->limit = -1;
    s->choice = xcalloc(p->n + 1, sizeof(*s->choice));
    s->limit = binding_limits(&sp);
    if (s->limit >= 0) {
        s->end = SOLVE_INFEASIBLE;
        free(sp.sigs);
        return;
    }
    make_parts(&sp);
    if (opt->fastest)
        minimise_time(&sp, s);
    else
        minimise_cost(&sp, s);
    free_parts(&sp);
}
