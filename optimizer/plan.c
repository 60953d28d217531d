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
#include "libburst/xalloc.h"
#include "optimizer/candidates.h"
#include "optimizer/plan_build.h"
#include "optimizer/problem.h"
#include "optimizer/runners_up.h"
#include "optimizer/solve.h"

#define REASONS_MAX 1000

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

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
                                 b->rq->tasks[t].name, b->rq->time_budget_hours,
                                 build_hours(best)));
    }
    if (!b->plan->n_reasons && b->sol.needed >= 0)
        add_reason(b->plan, xasprintf("time_budget_hours %g: the fastest plan takes %.4g h",
                                      b->rq->time_budget_hours, build_hours(b->sol.needed)));
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
                b->plan->task[x->task[i]].transfer_in += copy_cost(p, x, place);
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
        build_place(b, t, o, &bill, &x->place);
        build_transfers(b, t, o, &bill, &x->transfer_in, &x->transfer_out);
        x->compute = bill.compute;
        x->restart = bill.restart;
        x->fixed = bill.fixed;
        x->hours = bill.hours;
        x->finish_hours = build_hours(b->finish[t]);
        x->start_hours = build_hours(b->finish[t] - o->duration);
        for (uint32_t k = p->in_first[t]; k < p->in_first[t + 1]; k++) {
            const struct problem_edge *e = &p->edge[p->in_edge[k]];
            x->transfer_in += edge_cost(p, e, p->opt[b->sol.choice[e->u]].place, o->place);
        }
    }
    share_datasets(b);
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
    b->plan->finish_hours = build_hours(b->sol.span);
    b->plan->gap = relative_gap(b);
    fill_tasks(b);
    return 0;
}

struct plan *plan_create_by(const struct catalog *cat, const struct request *rq, unsigned skip,
                            burst_error_t *errp)
{
    struct build b = {.rq = rq, .cat = cat};
    double start = now_ms();
    int rc;

    b.plan = xmalloc(sizeof(*b.plan));
    b.plan->request = rq;
    b.plan->catalog = cat;
    b.cand = candidates_create(cat, rq, &b.problem);
    rc = run(&b, skip, errp);
    b.plan->candidates = candidates_count(b.cand);
    if (rc == 0 && b.plan->status != PLAN_INFEASIBLE)
        build_runners_up(&b);
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
