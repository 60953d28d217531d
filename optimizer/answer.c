// SPDX-License-Identifier: GPL-3.0-or-later
// A plan as JSON for programs and as a table for people.
#include "optimizer/plan.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define TEXT_MAX (64u << 20)

static double usd(int64_t nano)
{
    return (double)nano / 1e9;
}

static void add_place(cJSON *o, const struct plan_place *p)
{
    json_add_str(o, "cloud", p->cloud);
    json_add_str(o, "region", p->region);
    json_add_str(o, "zone", p->zone);
    json_add_str(o, "instance_type", p->instance_type);
    json_add_str(o, "accelerator", p->accelerator);
    cJSON_AddNumberToObject(o, "accelerator_count", p->count);
    cJSON_AddNumberToObject(o, "vcpus", p->vcpus);
    cJSON_AddNumberToObject(o, "memory_gib", p->memory_gib);
    json_add_str(o, "market", p->market);
    if (p->alternative)
        json_add_str(o, "alternative", p->alternative);
    cJSON_AddNumberToObject(o, "price_usd_per_hour", money_to_double(p->price_per_hour));
    json_add_money(o, "price_uusd_per_hour", p->price_per_hour);
}

static cJSON *runner_up_json(const struct plan_runner_up *r)
{
    cJSON *o = cJSON_CreateObject();

    add_place(o, &r->place);
    json_add_i64(o, "nodes", r->nodes);
    cJSON_AddNumberToObject(o, "hours", r->hours);
    cJSON_AddNumberToObject(o, "compute_usd", usd(r->compute));
    cJSON_AddNumberToObject(o, "restart_usd", usd(r->restart));
    if (r->place.alternative)
        cJSON_AddNumberToObject(o, "fixed_usd", usd(r->fixed));
    cJSON_AddNumberToObject(o, "transfer_in_usd", usd(r->transfer_in));
    cJSON_AddNumberToObject(o, "transfer_out_usd", usd(r->transfer_out));
    cJSON_AddNumberToObject(o, "total_usd", usd(r->total));
    cJSON_AddNumberToObject(o, "more_usd", usd(r->more));
    cJSON_AddNumberToObject(o, "more_data_usd", usd(r->more_data));
    cJSON_AddNumberToObject(o, "plan_finish_hours", r->finish_hours);
    json_add_str(o, "why", r->why);
    return o;
}

static cJSON *task_json(const struct plan_task *t, bool runners_up)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "name", t->name);
    add_place(o, &t->place);
    json_add_i64(o, "nodes", t->nodes);
    cJSON_AddNumberToObject(o, "hours", t->hours);
    cJSON_AddNumberToObject(o, "compute_usd", usd(t->compute));
    cJSON_AddNumberToObject(o, "restart_usd", usd(t->restart));
    if (t->place.alternative)
        cJSON_AddNumberToObject(o, "fixed_usd", usd(t->fixed));
    cJSON_AddNumberToObject(o, "transfer_in_usd", usd(t->transfer_in));
    cJSON_AddNumberToObject(o, "transfer_out_usd", usd(t->transfer_out));
    cJSON_AddNumberToObject(o, "start_hours", t->start_hours);
    cJSON_AddNumberToObject(o, "finish_hours", t->finish_hours);
    if (runners_up) {
        cJSON *a = cJSON_AddArrayToObject(o, "runners_up");
        for (size_t i = 0; i < t->n_runners_up; i++)
            cJSON_AddItemToArray(a, runner_up_json(&t->runner_up[i]));
    }
    return o;
}

cJSON *plan_json(const struct plan *p)
{
    static const char *const status[] = {"optimal", "feasible", "infeasible"};
    cJSON *o = cJSON_CreateObject();
    bool found = p->status != PLAN_INFEASIBLE;

    if (p->request->id)
        cJSON_AddItemToObject(o, "id", cJSON_Duplicate(p->request->id, true));
    json_add_str(o, "status", status[p->status]);
    json_add_str(o, "objective", p->request->objective == RQ_TIME ? "time" : "cost");
    if (found) {
        cJSON_AddNumberToObject(o, "cost_usd", usd(p->cost));
        cJSON_AddNumberToObject(o, "finish_hours", p->finish_hours);
        cJSON_AddNumberToObject(o, "gap", p->gap);
    } else {
        cJSON_AddNullToObject(o, "cost_usd");
        cJSON_AddNullToObject(o, "finish_hours");
        cJSON_AddNullToObject(o, "gap");
    }
    cJSON_AddNumberToObject(o, "load_ms", round(p->load_ms * 1000) / 1000);
    cJSON_AddNumberToObject(o, "solve_ms", round(p->solve_ms * 1000) / 1000);
    json_add_i64(o, "candidates", (int64_t)p->candidates);
    cJSON *tasks = cJSON_AddArrayToObject(o, "tasks");
    for (size_t t = 0; t < p->n_tasks; t++)
        cJSON_AddItemToArray(tasks, task_json(&p->task[t], p->request->runners_up > 0));
    cJSON *reasons = cJSON_AddArrayToObject(o, "reasons");
    for (size_t i = 0; i < p->n_reasons; i++)
        cJSON_AddItemToArray(reasons, cJSON_CreateString(p->reason[i]));
    return o;
}

// --- table ---

enum {
    T_NAME,
    T_PLACE,
    T_TYPE,
    T_MARKET,
    T_NODES,
    T_HOURS,
    T_COST,
    T_RESTART,
    T_FIXED,
    T_DATA,
    T_DONE,
    T_COLUMNS
};

static const char *const heading[T_COLUMNS] = {"TASK",  "PLACE", "INSTANCE", "MARKET",
                                               "NODES", "HOURS", "COMPUTE",  "RESTARTS",
                                               "FIXED", "DATA",  "DONE"};

static bool right_aligned(int column)
{
    return column >= T_NODES;
}

struct row {
    char *cell[T_COLUMNS];
    const char *why; // printed behind the cells; borrowed
};

static char *place_text(const struct plan_place *p)
{
    if (p->alternative && !*p->cloud)
        return xstrdup(p->alternative);
    if (p->alternative)
        return xasprintf("%s (%s/%s)", p->alternative, p->cloud, p->region);
    if (*p->zone)
        return xasprintf("%s/%s/%s", p->cloud, p->region, p->zone);
    return xasprintf("%s/%s", p->cloud, p->region);
}

static char *money_text(int64_t nano)
{
    char buf[MONEY_TEXT_MAX];

    return xstrdup(money_human((nano + 500) / 1000, buf));
}

static void task_row(const struct plan_task *t, struct row *r)
{
    r->cell[T_NAME] = xstrdup(t->name);
    r->cell[T_PLACE] = place_text(&t->place);
    r->cell[T_TYPE] = xstrdup(t->place.instance_type);
    r->cell[T_MARKET] = xstrdup(t->place.market);
    r->cell[T_NODES] = xasprintf("%" PRId64, t->nodes);
    r->cell[T_HOURS] = xasprintf("%.4g", t->hours);
    r->cell[T_COST] = money_text(t->compute);
    r->cell[T_RESTART] = money_text(t->restart);
    r->cell[T_FIXED] = money_text(t->fixed);
    r->cell[T_DATA] = money_text(t->transfer_in + t->transfer_out);
    r->cell[T_DONE] = xasprintf("%.4g h", t->finish_hours);
}

static void runner_up_row(const struct plan_task *t, const struct plan_runner_up *u, struct row *r)
{
    r->cell[T_NAME] = xstrdup("  or");
    r->cell[T_PLACE] = place_text(&u->place);
    r->cell[T_TYPE] = xstrdup(u->place.instance_type);
    r->cell[T_MARKET] = xstrdup(u->place.market);
    r->cell[T_NODES] = xasprintf("%" PRId64, u->nodes);
    r->cell[T_HOURS] = xasprintf("%.4g", u->hours);
    r->cell[T_COST] = money_text(u->compute);
    r->cell[T_RESTART] = money_text(u->restart);
    r->cell[T_FIXED] = money_text(u->fixed);
    // What others would pay because of its place included: then the columns explain the difference.
    r->cell[T_DATA] = money_text(t->transfer_in + t->transfer_out + u->more_data);
    r->cell[T_DONE] = xasprintf("%.4g h", u->finish_hours);
    r->why = u->why;
}

// Costs of a kind that no row has are not worth a column.
static bool shown(const struct plan *p, int column)
{
    if (column != T_RESTART && column != T_FIXED)
        return true;
    for (size_t t = 0; t < p->n_tasks; t++) {
        const struct plan_task *x = &p->task[t];
        if (column == T_RESTART ? x->restart : x->fixed)
            return true;
        for (size_t i = 0; i < x->n_runners_up; i++)
            if (column == T_RESTART ? x->runner_up[i].restart : x->runner_up[i].fixed)
                return true;
    }
    return false;
}

static void print_rows(struct strbuf *b, const struct plan *p, const struct row *rows, size_t n)
{
    int width[T_COLUMNS];
    bool show[T_COLUMNS];

    for (int c = 0; c < T_COLUMNS; c++) {
        width[c] = (int)strlen(heading[c]);
        show[c] = shown(p, c);
        for (size_t i = 0; i < n; i++)
            if ((int)strlen(rows[i].cell[c]) > width[c])
                width[c] = (int)strlen(rows[i].cell[c]);
    }
    for (size_t i = 0; i <= n; i++) {
        for (int c = 0; c < T_COLUMNS; c++) {
            if (!show[c])
                continue;
            const char *text = i ? rows[i - 1].cell[c] : heading[c];
            strbuf_addf(b, "%s%*s", c ? "  " : "", right_aligned(c) ? width[c] : -width[c], text);
        }
        if (i && rows[i - 1].why)
            strbuf_addf(b, "  %s", rows[i - 1].why);
        strbuf_adds(b, "\n");
    }
}

static void print_summary(struct strbuf *b, const struct plan *p)
{
    char *cost = money_text(p->cost);

    strbuf_addf(b, "\n%s in %.4g h, ", cost, p->finish_hours);
    if (p->status == PLAN_OPTIMAL)
        strbuf_addf(b, "proven to be the %s of %" PRIu64 " candidates",
                    p->request->objective == RQ_TIME ? "fastest" : "cheapest", p->candidates);
    else
        strbuf_addf(b, "at most %.2f %% from the best (time limit) of %" PRIu64 " candidates",
                    p->gap * 100, p->candidates);
    strbuf_addf(b, "; catalog %.1f ms, plan %.1f ms\n", p->load_ms, p->solve_ms);
    free(cost);
}

char *plan_text(const struct plan *p)
{
    struct strbuf b;
    size_t n = 0, max = 0;

    strbuf_init(&b, TEXT_MAX);
    if (p->status == PLAN_INFEASIBLE) {
        strbuf_adds(&b, "There is no such plan.\n");
        for (size_t i = 0; i < p->n_reasons; i++)
            strbuf_addf(&b, "  %s\n", p->reason[i]);
        char *text = strbuf_take(&b);
        strbuf_free(&b);
        return text;
    }
    for (size_t t = 0; t < p->n_tasks; t++)
        max += 1 + p->task[t].n_runners_up;
    struct row *rows = xcalloc(max, sizeof(*rows));
    for (size_t t = 0; t < p->n_tasks; t++) {
        task_row(&p->task[t], &rows[n++]);
        for (size_t i = 0; i < p->task[t].n_runners_up; i++)
            runner_up_row(&p->task[t], &p->task[t].runner_up[i], &rows[n++]);
    }
    print_rows(&b, p, rows, n);
    print_summary(&b, p);
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < T_COLUMNS; c++)
            free(rows[i].cell[c]);
    free(rows);
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}
