// SPDX-License-Identifier: GPL-3.0-or-later
// See plan.h: from the request to the problem, from its solution to the plan that people read.
#include "optimizer/plan.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libburst/clock.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "optimizer/candidates.h"
#include "optimizer/solve.h"

#define REASONS_MAX 1000
#define SCAN_MAX 20000 // candidates of all tasks that are looked at one by one

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double us_hours(int64_t us)
{
    return (double)us / 3.6e9;
}

struct build {
    struct plan *plan;
    const struct request *rq;
    const struct catalog *cat;
    struct candidates *cand;
    struct problem problem;
    struct solution sol;
    int64_t *finish;
};

static void add_reason(struct plan *p, char *text)
{
    if (!text)
        return;
    if (p->n_reasons >= REASONS_MAX) {
        free(text);
        return;
    }
    p->reason = xrealloc(p->reason, (p->n_reasons + 1) * sizeof(*p->reason));
    p->reason[p->n_reasons++] = text;
}

// Tasks that nothing in the catalog can run. Their reason needs a second look at all offers, so
// tasks beyond the first hundred are only named.
static bool check_options(struct build *b)
{
    bool ok = true;
    size_t explained = 0;

    for (uint32_t t = 0; t < b->problem.n; t++) {
        if (b->problem.first[t + 1] > b->problem.first[t])
            continue;
        ok = false;
        add_reason(b->plan, explained++ < 100
                                ? candidates_reason(b->cand, t)
                                : xasprintf("task \"%s\": no candidate", b->rq->tasks[t].name));
    }
    return ok;
}

// Tasks that cannot be done in time even if every task takes its fastest candidate.
static void explain_late(struct build *b)
{
    const struct problem *p = &b->problem;
    int64_t *finish = xcalloc(p->n, sizeof(*finish));
    int64_t budget = llround(b->rq->time_budget_hours * 3.6e9);

    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t t = p->order[i];
        int64_t after = 0, best = TIME_INF;
        for (uint32_t k = p->in_first[t]; k < p->in_first[t + 1]; k++) {
            int64_t f = finish[p->edge[p->in_edge[k]].u];
            after = f > after ? f : after;
        }
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            int64_t start = p->opt[o].release > after ? p->opt[o].release : after;
            int64_t f = sat_add(start, p->opt[o].duration);
            best = f < best ? f : best;
        }
        finish[t] = best;
        if (best > budget)
            add_reason(b->plan,
                       xasprintf("task \"%s\": time_budget_hours %g: cannot finish before %.4g h",
                                 b->rq->tasks[t].name, b->rq->time_budget_hours, us_hours(best)));
    }
    if (!b->plan->n_reasons && b->sol.needed >= 0)
        add_reason(b->plan, xasprintf("time_budget_hours %g: the fastest plan takes %.4g h",
                                      b->rq->time_budget_hours, us_hours(b->sol.needed)));
    else if (!b->plan->n_reasons)
        add_reason(b->plan,
                   xasprintf("time_budget_hours %g: no plan is as fast", b->rq->time_budget_hours));
    free(finish);
}

static void explain(struct build *b)
{
    const struct solution *s = &b->sol;

    if (s->limit >= 0) {
        const struct rq_limit *l = &b->rq->limits[s->limit];
        if (l->max_nodes >= 0)
            add_reason(b->plan,
                       xasprintf("limits[%d]: max_nodes %" PRId64 ": every plan needs more "
                                 "nodes there",
                                 s->limit, l->max_nodes));
        if (l->max_nano >= 0)
            add_reason(b->plan, xasprintf("limits[%d]: max_usd %g: every plan costs more there",
                                          s->limit, (double)l->max_nano / 1e9));
    }
    if (s->dear && s->needed >= 0)
        add_reason(b->plan,
                   xasprintf("cost_budget_usd %g: the cheapest plan costs $%.4f",
                             (double)b->rq->cost_budget_nano / 1e9, (double)s->needed / 1e9));
    if (s->late)
        explain_late(b);
    if (!b->plan->n_reasons)
        add_reason(b->plan,
                   xstrdup(b->rq->n_limits
                               ? "limits: no plan keeps all of them together"
                               : "edges: no plan moves the data between the tasks: no row of "
                                 "egress.csv matches"));
}

static void fill_place(const struct build *b, uint32_t t, const struct opt *o,
                       const struct bill *bill, struct plan_place *p)
{
    const struct rq_task *task = &b->rq->tasks[t];
    uint32_t n;

    p->cloud = places_cloud(b->problem.places, o->place);
    p->region = places_region(b->problem.places, o->place);
    p->market = market_name((enum market)o->market);
    p->alternative = NULL;
    p->count = p->vcpus = p->memory_gib = 0;
    p->price_per_hour = (bill->price + 500) / 1000;
    if (o->need < 0) {
        const struct rq_alternative *a = &task->alternatives[-1 - o->need];
        p->zone = a->zone ? a->zone : "";
        p->instance_type = a->instance_type ? a->instance_type : "";
        p->accelerator = a->accelerator ? a->accelerator : "";
        p->alternative = a->name;
        return;
    }
    const struct catalog_offer *offer = &catalog_offers(b->cat, &n)[o->offer];
    const struct catalog_type *type = &catalog_types(b->cat, &n)[offer->type];
    p->zone = catalog_str(b->cat, offer->zone);
    p->instance_type = catalog_str(b->cat, type->name);
    p->count = type->count;
    p->vcpus = type->vcpus;
    p->memory_gib = type->memory_gib;
    p->accelerator = catalog_str(b->cat, type->accelerator);
}

// Outputs of a task to their places, and its own inputs (data sets that others use as well are
// dealt out by share_datasets()).
static void own_transfers(struct build *b, uint32_t t, const struct opt *o, const struct bill *bill,
                          int64_t *in, int64_t *out)
{
    const struct rq_task *task = &b->rq->tasks[t];
    struct places *pl = b->problem.places;

    *out = 0;
    for (size_t i = 0; i < task->n_outputs; i++) {
        const struct rq_transfer *x = &task->outputs[i];
        *out += places_cost(pl, o->place, places_of(pl, x->location.cloud, x->location.region),
                            x->size_gb);
    }
    *in = o->cost - bill->compute - bill->restart - bill->fixed - *out;
}

static void share_datasets(struct build *b)
{
    const struct problem *p = &b->problem;
    char *seen = xcalloc(places_count(p->places) + 1, 1);

    for (uint32_t d = 0; d < p->n_datasets; d++) {
        const struct problem_dataset *x = &p->dataset[d];
        memset(seen, 0, places_count(p->places));
        for (uint32_t i = 0; i < x->n; i++) {
            uint32_t place = p->opt[b->sol.choice[x->task[i]]].place;
            if (!seen[place])
                b->plan->task[x->task[i]].transfer_in +=
                    places_cost(p->places, x->place, place, x->gb);
            seen[place] = 1;
        }
    }
    free(seen);
}

static void fill_tasks(struct build *b)
{
    const struct problem *p = &b->problem;
    struct plan *plan = b->plan;

    plan->task = xcalloc(p->n, sizeof(*plan->task));
    plan->n_tasks = p->n;
    for (uint32_t t = 0; t < p->n; t++) {
        const struct opt *o = &p->opt[b->sol.choice[t]];
        struct plan_task *x = &plan->task[t];
        struct bill bill;
        candidates_bill(b->cand, t, o, &bill);
        x->name = b->rq->tasks[t].name;
        x->nodes = o->nodes;
        fill_place(b, t, o, &bill, &x->place);
        own_transfers(b, t, o, &bill, &x->transfer_in, &x->transfer_out);
        x->compute = bill.compute;
        x->restart = bill.restart;
        x->fixed = bill.fixed;
        x->hours = bill.hours;
        x->finish_hours = us_hours(b->finish[t]);
        x->start_hours = us_hours(b->finish[t] - o->duration);
        for (uint32_t k = p->in_first[t]; k < p->in_first[t + 1]; k++) {
            const struct problem_edge *e = &p->edge[p->in_edge[k]];
            x->transfer_in += edge_cost(p, e, p->opt[b->sol.choice[e->u]].place, o->place);
        }
    }
    share_datasets(b);
}

// --- runners-up ---

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
            *cost = sat_add(*cost, places_cost(p->places, x->place, place, x->gb));
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
        return xasprintf("finishes at %.4g h, after the time budget of %.4g h", us_hours(span),
                         b->rq->time_budget_hours);
    if (b->rq->cost_budget_nano < INT64_MAX && b->sol.cost + r->more > b->rq->cost_budget_nano)
        return xasprintf("costs $%.4f more, which passes the cost budget", (double)r->more / 1e9);
    if (b->rq->objective == RQ_TIME && later > 0)
        return xasprintf("finishes %.4g h later", us_hours(later));
    if (r->more > 0)
        return price_of(r, mine, now);
    if (later > 0)
        return xasprintf("same cost, finishes %.4g h later", us_hours(later));
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
    fill_place(b, t, &r->o, &mine, &out->place);
    own_transfers(b, t, &r->o, &mine, &in, &out_cost);
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
    out->finish_hours = us_hours(span);
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

static void fill_runners_up(struct build *b)
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

static double relative_gap(const struct build *b)
{
    double value = b->rq->objective == RQ_TIME ? (double)b->sol.span : (double)b->sol.cost;

    if (b->sol.end == SOLVE_OPTIMAL || value <= 0)
        return 0;
    return (value - (double)b->sol.bound) / value;
}

static int run(struct build *b, unsigned skip, burst_error_t *errp)
{
    const struct request *rq = b->rq;
    struct solve_options opt = {.fastest = rq->objective == RQ_TIME,
                                .time_budget = TIME_INF,
                                .cost_budget = COST_INF,
                                .skip = skip};

    if (rq->time_budget_hours < 1e9)
        opt.time_budget = llround(rq->time_budget_hours * 3.6e9);
    if (rq->cost_budget_nano < COST_INF)
        opt.cost_budget = rq->cost_budget_nano;
    opt.deadline_ms = clock_mono_ms() + (int64_t)(rq->time_limit_s * 1000);
    b->plan->status = PLAN_INFEASIBLE;
    if (!check_options(b))
        return 0;
    solve(&b->problem, &opt, &b->sol);
    if (b->sol.end == SOLVE_UNKNOWN)
        return errprintf(errp, "no plan found within the time limit of %g s (time_limit_s)",
                         rq->time_limit_s);
    if (b->sol.end == SOLVE_INFEASIBLE) {
        explain(b);
        return 0;
    }
    b->finish = xcalloc(b->problem.n, sizeof(*b->finish));
    problem_value(&b->problem, b->sol.choice, &b->sol.cost, &b->sol.span, b->finish);
    if (b->sol.cost >= COST_INF || b->sol.span >= TIME_INF)
        return errprintf(errp, "tasks: the plan costs or takes more than this program counts");
    b->plan->status = b->sol.end == SOLVE_OPTIMAL ? PLAN_OPTIMAL : PLAN_FEASIBLE;
    b->plan->cost = b->sol.cost;
    b->plan->finish_hours = us_hours(b->sol.span);
    b->plan->gap = relative_gap(b);
    fill_tasks(b);
    return 0;
}

struct plan *plan_create_by(const struct catalog *cat, const struct request *rq, unsigned skip,
                            burst_error_t *errp)
{
    struct build b = {.rq = rq, .cat = cat};
    double start = now_ms();
    int rc = -1;

    b.plan = xmalloc(sizeof(*b.plan));
    b.plan->request = rq;
    b.plan->catalog = cat;
    b.cand = candidates_create(cat, rq, &b.problem, errp);
    if (b.cand) {
        rc = run(&b, skip, errp);
        b.plan->candidates = candidates_count(b.cand);
        if (rc == 0 && b.plan->status != PLAN_INFEASIBLE)
            fill_runners_up(&b);
    }
    b.plan->solve_ms = now_ms() - start;
    solution_free(&b.sol);
    problem_free(&b.problem);
    candidates_destroy(b.cand);
    free(b.finish);
    if (rc == 0)
        return b.plan;
    plan_destroy(b.plan);
    return NULL;
}

struct plan *plan_create(const struct catalog *cat, const struct request *rq, burst_error_t *errp)
{
    return plan_create_by(cat, rq, 0, errp);
}

void plan_destroy(struct plan *p)
{
    if (!p)
        return;
    for (size_t t = 0; t < p->n_tasks; t++) {
        for (size_t i = 0; i < p->task[t].n_runners_up; i++)
            free(p->task[t].runner_up[i].why);
        free(p->task[t].runner_up);
    }
    for (size_t i = 0; i < p->n_reasons; i++)
        free(p->reason[i]);
    free(p->reason);
    free(p->task);
    free(p);
}
