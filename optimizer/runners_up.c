// SPDX-License-Identifier: GPL-3.0-or-later
// The next-best candidates of each task, the others staying as they are, and why they lost.
#include "optimizer/runners_up.h"

#include <math.h>
#include <stdlib.h>

#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define SCAN_MAX 20000 // candidates of all tasks that are looked at one by one

struct rival {
    struct opt o;
    int64_t more;   // cost of the whole plan against the chosen one
    int64_t finish; // of this task
};

struct rivals {
    struct build *b;
    uint32_t task;
    struct rival *r; // a heap with the worst on top
    size_t n, max;
    bool by_time;
    // per place, filled when first asked: transfers that are not in opt.cost
    int64_t *tied; // -1 = not known
    int64_t *arrive;
    int64_t tied_now;
};

static bool worse(const struct rivals *v, const struct rival *a, const struct rival *b)
{
    int64_t ka = v->by_time ? a->finish : a->more, kb = v->by_time ? b->finish : b->more;

    if (ka != kb)
        return ka > kb;
    ka = v->by_time ? a->more : a->finish;
    kb = v->by_time ? b->more : b->finish;
    if (ka != kb)
        return ka > kb;
    return a->o.rank > b->o.rank;
}

static void sift_down(const struct rivals *v, struct rival *r, size_t n, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n)
            return;
        if (child + 1 < n && worse(v, &r[child + 1], &r[child]))
            child++;
        if (!worse(v, &r[child], &r[i]))
            return;
        struct rival t = r[i];
        r[i] = r[child];
        r[child] = t;
        i = child;
    }
}

// Edges and shared data of a task if it sat in a place, the others staying where they are.
static void tie(struct rivals *v, uint32_t place, int64_t *cost, int64_t *arrive)
{
    const struct problem *p = &v->b->problem;
    const uint32_t *choice = v->b->sol.choice;

    *cost = *arrive = 0;
    for (uint32_t k = p->in_first[v->task]; k < p->in_first[v->task + 1]; k++) {
        const struct problem_edge *e = &p->edge[p->in_edge[k]];
        uint32_t from = p->opt[choice[e->u]].place;
        int64_t at = sat_add(v->b->finish[e->u], edge_time(e, from, place));
        *cost = sat_add(*cost, edge_cost(p, e, from, place));
        *arrive = at > *arrive ? at : *arrive;
    }
    for (uint32_t k = p->out_first[v->task]; k < p->out_first[v->task + 1]; k++) {
        const struct problem_edge *e = &p->edge[p->out_edge[k]];
        *cost = sat_add(*cost, edge_cost(p, e, place, p->opt[choice[e->v]].place));
    }
    for (uint32_t d = 0; d < p->n_datasets; d++) {
        const struct problem_dataset *x = &p->dataset[d];
        bool uses = false, there = false;
        for (uint32_t i = 0; i < x->n; i++) {
            uses = uses || x->task[i] == v->task;
            there = there || (x->task[i] != v->task && p->opt[choice[x->task[i]]].place == place);
        }
        if (uses && !there)
            *cost = sat_add(*cost, copy_cost(p, x, place));
    }
}

static void consider(void *arg, const struct opt *o)
{
    struct rivals *v = arg;
    const struct opt *now = &v->b->problem.opt[v->b->sol.choice[v->task]];
    struct rival r = {.o = *o};

    if (o->offer == now->offer && o->market == now->market && (o->need < 0) == (now->need < 0) &&
        (o->need >= 0 || o->need == now->need))
        return;
    if (v->tied[o->place] < 0)
        tie(v, o->place, &v->tied[o->place], &v->arrive[o->place]);
    if (v->tied[o->place] >= COST_INF)
        return;
    r.more = o->cost + v->tied[o->place] - now->cost - v->tied_now;
    int64_t start = v->arrive[o->place] > o->release ? v->arrive[o->place] : o->release;
    r.finish = sat_add(start, o->duration);
    for (size_t i = 0; i < v->n; i++) // one row of the catalog, one rival: its best need
        if (v->r[i].o.offer == o->offer && v->r[i].o.market == o->market && o->need >= 0 &&
            v->r[i].o.need >= 0) {
            if (worse(v, &v->r[i], &r)) {
                v->r[i] = r;
                sift_down(v, v->r, v->n, i);
            }
            return;
        }
    if (v->n < v->max) {
        size_t i = v->n++;
        v->r[i] = r;
        while (i && worse(v, &v->r[i], &v->r[(i - 1) / 2])) {
            struct rival t = v->r[i];
            v->r[i] = v->r[(i - 1) / 2];
            v->r[(i - 1) / 2] = t;
            i = (i - 1) / 2;
        }
    } else if (worse(v, &v->r[0], &r)) {
        v->r[0] = r;
        sift_down(v, v->r, v->n, 0);
    }
}

// "$1.2000 more: compute $0.8000 less, data $2.0000 more"
static char *price_of(const struct plan_runner_up *r, const struct bill *mine,
                      const struct bill *now)
{
    const struct {
        const char *name;
        int64_t more;
    } part[] = {{"compute", mine->compute - now->compute},
                {"restarts", mine->restart - now->restart},
                {"fixed", mine->fixed - now->fixed},
                {"data", r->more_data}};
    struct strbuf b;
    const char *sep = ": ";

    strbuf_init(&b, 1024);
    strbuf_addf(&b, "$%.4f more", (double)r->more / 1e9);
    for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++) {
        if (part[i].more == 0 || part[i].more == r->more)
            continue;
        strbuf_addf(&b, "%s%s $%.4f %s", sep, part[i].name, fabs((double)part[i].more) / 1e9,
                    part[i].more < 0 ? "less" : "more");
        sep = ", ";
    }
    for (size_t i = 1; i < sizeof(part) / sizeof(*part); i++)
        if (part[i].more == r->more)
            strbuf_addf(&b, ", all of it %s", part[i].name);
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}

static char *why_lost(struct build *b, const struct plan_runner_up *r, const struct bill *mine,
                      const struct bill *now, int64_t span, int broken)
{
    int64_t later = span - b->sol.span;

    if (broken >= 0)
        return xasprintf("limits[%d] would be broken", broken);
    if (b->rq->time_budget_hours < HUGE_VAL && span > llround(b->rq->time_budget_hours * 3.6e9))
        return xasprintf("finishes at %.4g h, after the time budget of %.4g h", build_hours(span),
                         b->rq->time_budget_hours);
    if (b->rq->cost_budget_nano < INT64_MAX && b->sol.cost + r->more > b->rq->cost_budget_nano)
        return xasprintf("costs $%.4f more, which passes the cost budget", (double)r->more / 1e9);
    if (b->rq->objective == RQ_TIME && later > 0)
        return xasprintf("finishes %.4g h later", build_hours(later));
    if (r->more > 0)
        return price_of(r, mine, now);
    if (later > 0)
        return xasprintf("same cost, finishes %.4g h later", build_hours(later));
    if (r->more == 0)
        return xstrdup("same cost and time: the name decides");
    return xstrdup("not found to be better within the time limit");
}

static void fill_runner_up(struct build *b, uint32_t t, const struct rival *r, int64_t tied,
                           int64_t span, int broken, struct plan_runner_up *out)
{
    struct bill mine, now;
    int64_t in, out_cost;

    candidates_bill(b->cand, t, &r->o, &mine);
    candidates_bill(b->cand, t, &b->problem.opt[b->sol.choice[t]], &now);
    build_place(b, t, &r->o, &mine, &out->place);
    build_transfers(b, t, &r->o, &mine, &in, &out_cost);
    out->nodes = r->o.nodes;
    out->transfer_in = in + tied; // edges to children as well: what its place makes others pay
    out->transfer_out = out_cost;
    out->compute = mine.compute;
    out->restart = mine.restart;
    out->fixed = mine.fixed;
    out->total = r->o.cost + tied;
    out->more = r->more;
    out->more_data = r->more - (mine.compute + mine.restart + mine.fixed) +
                     (now.compute + now.restart + now.fixed);
    out->hours = mine.hours;
    out->finish_hours = build_hours(span);
    out->why = why_lost(b, out, &mine, &now, span, broken);
}

static void rank_rivals(struct build *b, struct rivals *v)
{
    struct plan_task *task = &b->plan->task[v->task];
    struct problem *p = &b->problem;
    uint32_t t = v->task;
    struct opt keep = p->opt[b->sol.choice[t]];
    int64_t *finish = xcalloc(p->n, sizeof(*finish));

    for (size_t n = v->n; n > 1; n--) { // heap sort: best first
        struct rival x = v->r[0];
        v->r[0] = v->r[n - 1];
        v->r[n - 1] = x;
        sift_down(v, v->r, n - 1, 0);
    }
    task->runner_up = xcalloc(b->rq->runners_up, sizeof(*task->runner_up));
    // Those that would be allowed come first: they are where to go next.
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < v->n && task->n_runners_up < b->rq->runners_up; i++) {
            int64_t cost, span, over;
            p->opt[b->sol.choice[t]] = v->r[i].o;
            problem_value(p, b->sol.choice, &cost, &span, finish);
            int broken = problem_broken_limit(p, b->sol.choice, &over);
            p->opt[b->sol.choice[t]] = keep;
            bool allowed = broken < 0 &&
                           (b->rq->time_budget_hours >= HUGE_VAL ||
                            span <= llround(b->rq->time_budget_hours * 3.6e9)) &&
                           cost <= b->rq->cost_budget_nano;
            if (allowed == (pass == 0))
                fill_runner_up(b, t, &v->r[i], v->tied[v->r[i].o.place], span, broken,
                               &task->runner_up[task->n_runners_up++]);
        }
    free(finish);
}

void build_runners_up(struct build *b)
{
    bool few = candidates_count(b->cand) > SCAN_MAX;

    for (uint32_t t = 0; t < b->problem.n && b->rq->runners_up; t++) {
        struct rivals v = {.b = b, .task = t, .max = b->rq->runners_up * 4};
        uint32_t n = places_count(b->problem.places);
        v.by_time = b->rq->objective == RQ_TIME;
        v.r = xcalloc(v.max, sizeof(*v.r));
        v.tied = xcalloc(n, sizeof(*v.tied));
        v.arrive = xcalloc(n, sizeof(*v.arrive));
        for (uint32_t i = 0; i < n; i++)
            v.tied[i] = -1;
        tie(&v, b->problem.opt[b->sol.choice[t]].place, &v.tied_now, &v.arrive[0]);
        v.arrive[0] = 0;
        candidates_each(b->cand, t, few, consider, &v);
        rank_rivals(b, &v);
        free(v.r);
        free(v.tied);
        free(v.arrive);
    }
}
