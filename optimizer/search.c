// SPDX-License-Identifier: GPL-3.0-or-later
// Depth-first branch and bound. Tasks are assigned parents first, so that finish times are exact
// on the way; the bound looks one step ahead: each open task on the option that is cheapest given
// its assigned neighbours.
#include "optimizer/search.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"
#include "optimizer/pair_costs.h"

struct pick {
    uint32_t i; // value of the task
    double cost;
};

struct dfs {
    const struct problem *p;
    const struct mrf *m; // bounds
    int64_t time;
    struct clockwork *clock;
    struct best *best;
    uint64_t nodes, max_nodes;
    bool cut;             // something was left out
    uint32_t *order, *at; // tasks by depth; depth of a task
    uint32_t *choice;
    int64_t *finish, *tail;
    double **look;  // per task: unary + pairs with assigned neighbours
    double *least;  // min of look
    double **store; // per depth: what spread() overwrote
    int64_t *used_nodes, *used_nano;
    struct pick **pick; // per depth
};

static double least_of(const double *v, uint32_t n)
{
    double best = v[0];

    for (uint32_t i = 1; i < n; i++)
        best = v[i] < best ? v[i] : best;
    return best;
}

// Adds the pairs of task t = i to its open neighbours. What is overwritten goes to the depth's
// store: taking impossible pairs away again by subtraction would leave nothing of small numbers.
static void spread(struct dfs *s, uint32_t t, uint32_t i)
{
    double *store = s->store[s->at[t]];

    for (uint32_t k = 0; k < s->m->var[t].n_edges; k++) {
        const struct mrf_edge *e = &s->m->edge[s->m->var[t].edge[k]];
        uint32_t other = e->u == t ? e->v : e->u;
        uint32_t n = s->m->var[other].k;
        if (s->at[other] <= s->at[t])
            continue;
        memcpy(store, s->look[other], n * sizeof(*store));
        store[n] = s->least[other];
        store += n + 1;
        mrf_add_pairs(s->m, e, t, i, s->look[other]);
        s->least[other] = least_of(s->look[other], n);
    }
}

static void unspread(struct dfs *s, uint32_t t)
{
    const double *store = s->store[s->at[t]];

    for (uint32_t k = 0; k < s->m->var[t].n_edges; k++) {
        const struct mrf_edge *e = &s->m->edge[s->m->var[t].edge[k]];
        uint32_t other = e->u == t ? e->v : e->u, n = s->m->var[other].k;
        if (s->at[other] <= s->at[t])
            continue;
        memcpy(s->look[other], store, n * sizeof(*store));
        s->least[other] = store[n];
        store += n + 1;
    }
}

// What the open neighbours of t cost more than open says.
static double rise(const struct dfs *s, uint32_t t)
{
    const double *store = s->store[s->at[t]];
    double sum = 0;

    for (uint32_t k = 0; k < s->m->var[t].n_edges; k++) {
        const struct mrf_edge *e = &s->m->edge[s->m->var[t].edge[k]];
        uint32_t other = e->u == t ? e->v : e->u, n = s->m->var[other].k;
        if (s->at[other] <= s->at[t])
            continue;
        sum += s->least[other] - store[n];
        store += n + 1;
    }
    return sum;
}

static int by_cost(const void *pa, const void *pb)
{
    const struct pick *a = pa, *b = pb;

    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    return a->i < b->i ? -1 : a->i > b->i;
}

// Counts the option against its limits; false (and nothing counted) when one would break.
static bool count(struct dfs *s, const struct opt *o)
{
    const struct problem *p = s->p;

    for (int pass = 0; pass < 2; pass++)
        for (uint32_t l = 0; l < p->n_limits; l++) {
            if (!sig_has(&p->sig[o->sig], l))
                continue;
            if (pass) {
                s->used_nodes[l] += o->nodes;
                s->used_nano[l] += o->compute;
            } else if ((p->limit[l].max_nodes >= 0 &&
                        s->used_nodes[l] + o->nodes > p->limit[l].max_nodes) ||
                       (p->limit[l].max_nano >= 0 &&
                        s->used_nano[l] + o->compute > p->limit[l].max_nano)) {
                return false;
            }
        }
    return true;
}

static void uncount(struct dfs *s, const struct opt *o)
{
    for (uint32_t l = 0; l < s->p->n_limits; l++)
        if (sig_has(&s->p->sig[o->sig], l)) {
            s->used_nodes[l] -= o->nodes;
            s->used_nano[l] -= o->compute;
        }
}

static int64_t finish_of(const struct dfs *s, uint32_t t, const struct opt *o)
{
    const struct problem *p = s->p;
    int64_t start = o->release;

    for (uint32_t k = p->in_first[t]; k < p->in_first[t + 1]; k++) {
        const struct problem_edge *e = &p->edge[p->in_edge[k]];
        int64_t f = sat_add(s->finish[e->u], edge_time(e, p->opt[s->choice[e->u]].place, o->place));
        start = f > start ? f : start;
    }
    return sat_add(start, o->duration);
}

// Costs are integers: what cannot be below the next smaller one is no better.
static bool hopeless(const struct dfs *s, double low)
{
    return s->best->found && low - 1e-14 * low - 0.01 > (double)s->best->cost - 1;
}

// paid: bound of what is assigned; open: least of what is not, the task of this depth included.
static void descend_from(struct dfs *s, uint32_t depth, double paid, double open)
{
    uint32_t t, n = 0;
    struct pick *pick = s->pick[depth];

    if (depth == s->p->n) {
        best_offer(s->best, s->p, s->choice, s->time);
        s->cut = s->cut || best_will_do(s->best); // and may stop
        return;
    }
    t = s->order[depth];
    open -= s->least[t];
    for (uint32_t i = 0; i < s->m->var[t].k; i++)
        if (s->look[t][i] < MRF_INF / 2)
            pick[n++] = (struct pick){i, s->look[t][i]};
    qsort(pick, n, sizeof(*pick), by_cost);
    for (uint32_t k = 0; k < n && !s->cut; k++) {
        const struct opt *o = &s->p->opt[s->p->first[t] + pick[k].i];
        if (hopeless(s, paid + pick[k].cost + open))
            break;
        if (++s->nodes > s->max_nodes || (s->nodes % 1024 == 0 && time_is_over(s->clock))) {
            s->cut = true;
            break;
        }
        s->finish[t] = finish_of(s, t, o);
        if (sat_add(s->finish[t], s->tail[t]) > s->time || !count(s, o))
            continue;
        s->choice[t] = s->p->first[t] + pick[k].i;
        spread(s, t, pick[k].i);
        double more = rise(s, t);
        if (more < MRF_INF / 2 && !hopeless(s, paid + pick[k].cost + open + more))
            descend_from(s, depth + 1, paid + pick[k].cost, open + more);
        unspread(s, t);
        uncount(s, o);
    }
}

static void fill_tail(struct dfs *s)
{
    const struct problem *p = s->p;

    for (uint32_t i = p->n; i-- > 0;) {
        uint32_t t = p->order[i];
        for (uint32_t k = p->out_first[t]; k < p->out_first[t + 1]; k++) {
            uint32_t v = p->edge[p->out_edge[k]].v;
            int64_t least = TIME_INF;
            for (uint32_t o = p->first[v]; o < p->first[v + 1]; o++)
                least = p->opt[o].duration < least ? p->opt[o].duration : least;
            int64_t after = sat_add(least, s->tail[v]);
            s->tail[t] = after > s->tail[t] ? after : s->tail[t];
        }
    }
}

struct regret {
    double value;
    uint32_t task;
};

static int by_regret(const void *pa, const void *pb)
{
    const struct regret *a = pa, *b = pb;

    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return a->task < b->task ? -1 : a->task > b->task;
}

// With edges: parents first. Without: first the tasks that lose most when they do not get their
// best option, since limits are decided there.
static void fill_order(struct dfs *s)
{
    const struct problem *p = s->p;
    struct regret *r = xcalloc(p->n + 1, sizeof(*r));

    for (uint32_t t = 0; t < p->n; t++) {
        double a = MRF_INF, b = MRF_INF;
        for (uint32_t i = 0; i < s->m->var[t].k; i++) {
            double v = s->m->unary[t][i];
            if (v < a) {
                b = a;
                a = v;
            } else if (v < b) {
                b = v;
            }
        }
        r[t] = (struct regret){b - a, t};
    }
    qsort(r, p->n, sizeof(*r), by_regret);
    for (uint32_t i = 0; i < p->n; i++)
        s->order[i] = p->n_edges ? p->order[i] : r[i].task;
    for (uint32_t i = 0; i < p->n; i++)
        s->at[s->order[i]] = i;
    free(r);
}

static void dfs_init(struct dfs *s)
{
    const struct problem *p = s->p;
    uint32_t n = p->n;

    s->order = xcalloc(n + 1, sizeof(*s->order));
    s->at = xcalloc(n + 1, sizeof(*s->at));
    s->choice = xcalloc(n + 1, sizeof(*s->choice));
    s->finish = xcalloc(n + 1, sizeof(*s->finish));
    s->tail = xcalloc(n + 1, sizeof(*s->tail));
    s->look = xcalloc(n + 1, sizeof(*s->look));
    s->least = xcalloc(n + 1, sizeof(*s->least));
    s->pick = xcalloc(n + 1, sizeof(*s->pick));
    s->used_nodes = xcalloc(p->n_limits + 1, sizeof(*s->used_nodes));
    s->used_nano = xcalloc(p->n_limits + 1, sizeof(*s->used_nano));
    for (uint32_t t = 0; t < n; t++) {
        s->look[t] = xcalloc(s->m->var[t].k + 1, sizeof(**s->look));
        memcpy(s->look[t], s->m->unary[t], s->m->var[t].k * sizeof(**s->look));
        s->least[t] = least_of(s->look[t], s->m->var[t].k);
    }
    fill_order(s);
    for (uint32_t i = 0; i < n; i++)
        s->pick[i] = xcalloc(s->m->var[s->order[i]].k + 1, sizeof(**s->pick));
    s->store = xcalloc(n + 1, sizeof(*s->store));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t t = s->order[i];
        size_t size = 1;
        for (uint32_t k = 0; k < s->m->var[t].n_edges; k++) {
            const struct mrf_edge *e = &s->m->edge[s->m->var[t].edge[k]];
            size += s->m->var[e->u == t ? e->v : e->u].k + 1;
        }
        s->store[i] = xcalloc(size, sizeof(**s->store));
    }
    fill_tail(s);
}

static void dfs_free(struct dfs *s)
{
    for (uint32_t t = 0; t < s->p->n; t++) {
        free(s->look[t]);
        free(s->pick[t]);
        free(s->store[t]);
    }
    free(s->store);
    free(s->order);
    free(s->at);
    free(s->choice);
    free(s->finish);
    free(s->tail);
    free(s->look);
    free(s->least);
    free(s->pick);
    free(s->used_nodes);
    free(s->used_nano);
}

bool search(const struct problem *p, int64_t time, const struct mrf *m, double constant,
            uint64_t max_nodes, struct clockwork *clock, struct best *b)
{
    struct dfs s = {.p = p, .time = time, .clock = clock, .best = b, .max_nodes = max_nodes};
    struct mrf own = {0};

    if (p->n > max_nodes || p->n > 5000) // the depth is the number of tasks
        return false;
    if (!m) {
        if (!problem_mrf(p, 2e6, &own))
            return false;
        // A little of the bound goes a long way.
        constant = mrf_bound(&own, 0, p->n_edges ? 5 : 1);
        m = &own;
    }
    s.m = m;
    dfs_init(&s);
    double open = 0;
    for (uint32_t t = 0; t < p->n; t++)
        open += s.least[t];
    descend_from(&s, 0, constant, open);
    dfs_free(&s);
    mrf_free(&own);
    return !s.cut;
}
