// SPDX-License-Identifier: GPL-3.0-or-later
// Presolve of one part: options that cannot be in a best plan in time are removed.
//
// 1. Time windows: a task cannot finish before its parents' earliest finish allows, and what
//    follows needs at least the least time of every later task.
// 2. Dominance inside a place: another option there is no dearer, no slower and counts for no
//    other limit.
// 3. Dominance between places for tasks without edges: another place is no dearer even if the task
//    had to pay all copies of its data there alone.
#include "optimizer/reduce.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

#define FEW 8

struct windows {
    const struct problem *p;
    bool *dead;     // options
    int64_t *early; // least finish of a task
    int64_t *tail;  // least time between its finish and the end
    int64_t *apart; // per edge: 0 when both ends can sit in one place, else its time
};

static int64_t longest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t arrival(const struct windows *w, uint32_t t)
{
    int64_t after = 0;

    for (uint32_t k = w->p->in_first[t]; k < w->p->in_first[t + 1]; k++) {
        uint32_t e = w->p->in_edge[k];
        after = longest(after, sat_add(w->early[w->p->edge[e].u], w->apart[e]));
    }
    return after;
}

static void compute_windows(struct windows *w)
{
    const struct problem *p = w->p;

    for (uint32_t e = 0; e < p->n_edges; e++)
        w->apart[e] =
            problem_may_meet(p, w->dead, p->edge[e].u, p->edge[e].v) ? 0 : p->edge[e].time;
    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t t = p->order[i];
        int64_t after = arrival(w, t), best = TIME_INF;
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++)
            if (!w->dead[o]) {
                int64_t f = sat_add(longest(after, p->opt[o].release), p->opt[o].duration);
                best = f < best ? f : best;
            }
        w->early[t] = best;
    }
    for (uint32_t i = p->n; i-- > 0;) {
        uint32_t t = p->order[i];
        w->tail[t] = 0;
        for (uint32_t k = p->out_first[t]; k < p->out_first[t + 1]; k++) {
            const struct problem_edge *e = &p->edge[p->out_edge[k]];
            int64_t least = TIME_INF;
            for (uint32_t o = p->first[e->v]; o < p->first[e->v + 1]; o++)
                if (!w->dead[o] && p->opt[o].duration < least)
                    least = p->opt[o].duration;
            int64_t after = sat_add(sat_add(w->apart[p->out_edge[k]], least), w->tail[e->v]);
            w->tail[t] = longest(w->tail[t], after);
        }
    }
}

// Removes what is late for sure. Returns the number removed.
static uint32_t remove_late(struct windows *w, int64_t time)
{
    const struct problem *p = w->p;
    uint32_t n = 0;

    for (uint32_t t = 0; t < p->n; t++) {
        int64_t after = arrival(w, t);
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            int64_t f = sat_add(longest(after, p->opt[o].release), p->opt[o].duration);
            if (!w->dead[o] && sat_add(f, w->tail[t]) > time) {
                w->dead[o] = true;
                n++;
            }
        }
    }
    return n;
}

// The longest that any assignment of what is left can take.
static int64_t slowest(const struct windows *w)
{
    const struct problem *p = w->p;
    int64_t *finish = xcalloc(p->n, sizeof(*finish)), span = 0;

    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t t = p->order[i];
        int64_t after = 0, most = 0;
        for (uint32_t k = p->in_first[t]; k < p->in_first[t + 1]; k++) {
            const struct problem_edge *e = &p->edge[p->in_edge[k]];
            after = longest(after, sat_add(finish[e->u], e->time));
        }
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++)
            if (!w->dead[o])
                most =
                    longest(most, sat_add(longest(after, p->opt[o].release), p->opt[o].duration));
        finish[t] = most;
        span = longest(span, most);
    }
    free(finish);
    return span;
}

// What a task would pay at most for its shared data in the place of each of its options, were it
// the only one there. Tasks without such data keep zeros.
static int64_t *copies(const struct problem *p)
{
    int64_t *sum = xcalloc(p->first[p->n] + 1, sizeof(*sum));

    for (uint32_t d = 0; d < p->n_datasets; d++)
        for (uint32_t i = 0; i < p->dataset[d].n; i++) {
            uint32_t t = p->dataset[d].task[i];
            for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++)
                sum[o] = sat_add(sum[o], places_cost(p->places, p->dataset[d].place,
                                                     p->opt[o].place, p->dataset[d].gb));
        }
    return sum;
}

// Whether a is at least as good as b, with `more` to be paid for its data that b has for nothing.
static bool beats(const struct problem *p, const struct opt *a, const struct opt *b, int64_t more,
                  bool timeless)
{
    return sat_add(a->cost, more) <= b->cost && opt_no_hungrier(p->sig, a, b) &&
           (timeless || (a->duration <= b->duration && a->release <= b->release));
}

// Of two that beat each other the faster one stays, then the one with the lower rank.
static bool before(const struct opt *a, const struct opt *b, uint32_t ia, uint32_t ib)
{
    int64_t ea = sat_add(a->release, a->duration), eb = sat_add(b->release, b->duration);

    if (ea != eb)
        return ea < eb;
    if (a->rank != b->rank)
        return a->rank < b->rank;
    return ia < ib;
}

// The most that the transfers of a task can cost when it sits in a place, wherever its neighbours
// are. COST_INF when some of them could not be reached.
static int64_t worst_edges(const struct problem *p, const bool *dead, uint32_t t, uint32_t place)
{
    int64_t sum = 0;

    for (int out = 0; out < 2; out++) {
        const uint32_t *first = out ? p->out_first : p->in_first;
        const uint32_t *list = out ? p->out_edge : p->in_edge;
        for (uint32_t k = first[t]; k < first[t + 1] && sum < COST_INF; k++) {
            const struct problem_edge *e = &p->edge[list[k]];
            uint32_t other = out ? e->v : e->u, last = UINT32_MAX;
            int64_t most = 0;
            for (uint32_t o = p->first[other]; o < p->first[other + 1]; o++) {
                if (dead[o] || p->opt[o].place == last) // options come sorted by place
                    continue;
                last = p->opt[o].place;
                most = longest(most,
                               out ? edge_cost(p, e, place, last) : edge_cost(p, e, last, place));
            }
            sum = sat_add(sum, most);
        }
    }
    return sum;
}

// The few cheapest options of a task that are left. Returns their number.
static uint32_t cheapest(const struct problem *p, const bool *dead, uint32_t t, uint32_t out[FEW])
{
    uint32_t n = 0;

    for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
        uint32_t i;
        if (dead[o] || (n == FEW && p->opt[o].cost >= p->opt[out[n - 1]].cost))
            continue;
        n += n < FEW;
        for (i = n - 1; i > 0 && p->opt[o].cost < p->opt[out[i - 1]].cost; i--)
            out[i] = out[i - 1];
        out[i] = o;
    }
    return n;
}

// 4. Options that are dearer than a cheap one in another place with the worst transfers and all
//    copies on top.
static void remove_far(const struct problem *p, bool *dead, const int64_t *copy)
{
    uint32_t few[FEW];

    for (uint32_t t = 0; t < p->n; t++) {
        if (p->in_first[t] == p->in_first[t + 1] && p->out_first[t] == p->out_first[t + 1])
            continue;
        uint32_t n = cheapest(p, dead, t, few);
        for (uint32_t i = 0; i < n; i++) {
            const struct opt *b = &p->opt[few[i]];
            if (dead[few[i]])
                continue;
            int64_t more = sat_add(copy[few[i]], worst_edges(p, dead, t, b->place));
            if (more >= COST_INF)
                continue;
            for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++)
                // Strictly dearer, or the two could remove each other.
                if (o != few[i] && !dead[o] && sat_add(b->cost, more) < p->opt[o].cost &&
                    beats(p, b, &p->opt[o], more, true))
                    dead[o] = true;
        }
    }
}

static void remove_dominated(const struct problem *p, bool *dead, bool timeless)
{
    bool *tied = xcalloc(p->n + 1, sizeof(bool));
    int64_t *copy = copies(p);

    for (uint32_t e = 0; e < p->n_edges; e++)
        tied[p->edge[e].u] = tied[p->edge[e].v] = true;
    if (timeless)
        for (int round = 0; round < 2; round++)
            remove_far(p, dead, copy);
    for (uint32_t t = 0; t < p->n; t++)
        for (uint32_t a = p->first[t]; a < p->first[t + 1]; a++)
            for (uint32_t b = p->first[t]; b < p->first[t + 1] && !dead[a]; b++) {
                const struct opt *x = &p->opt[a], *y = &p->opt[b];
                bool there = x->place == y->place;
                if (a == b || dead[b] || (tied[t] && !there) ||
                    !beats(p, y, x, there ? 0 : copy[b], timeless))
                    continue;
                dead[a] = !beats(p, x, y, there ? 0 : copy[a], timeless) || before(y, x, b, a);
            }
    free(copy);
    free(tied);
}

bool reduce(const struct problem *p, int64_t *time, struct problem *out, bool *late)
{
    struct windows w = {.p = p};
    bool ok = true;

    *late = false;
    w.dead = xcalloc(p->first[p->n] + 1, sizeof(bool));
    w.early = xcalloc(p->n + 1, sizeof(*w.early));
    w.tail = xcalloc(p->n + 1, sizeof(*w.tail));
    w.apart = xcalloc(p->n_edges + 1, sizeof(*w.apart));
    if (*time < TIME_INF) {
        do
            compute_windows(&w);
        while (remove_late(&w, *time) > 0);
        for (uint32_t t = 0; t < p->n; t++)
            ok = ok && w.early[t] < TIME_INF;
        *late = !ok;
        if (ok && slowest(&w) <= *time)
            *time = TIME_INF;
    }
    if (ok) {
        remove_dominated(p, w.dead, *time >= TIME_INF);
        problem_without(p, w.dead, out);
    }
    free(w.dead);
    free(w.early);
    free(w.tail);
    free(w.apart);
    return ok;
}
