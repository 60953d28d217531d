// SPDX-License-Identifier: GPL-3.0-or-later
// Checks and reads a plan request. Users' scripts write these: every message names the field by
// its path and says what would be right. Unknown keys are errors, since a misspelt `regions`
// would buy the wrong instance; keys that begin with "x-" are left to the writer.
#include "optimizer/request.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"
#include "optimizer/field.h"
#include "optimizer/names.h"
#include "optimizer/request_limit.h"
#include "optimizer/request_parts.h"
#include "optimizer/request_task.h"

#define CHANGEOVER_MAX 1000

// Remembers a name; an earlier one is an error.
static int add_name(struct names **names, const char *name, const struct field_path *at,
                    const char *what, burst_error_t *errp)
{
    int before = names_add(names, name, (int)at->index);

    if (before < 0)
        return 0;
    return field_fail(errp, at, "name", "\"%.60s\" is already the name of %s[%d]", name, what,
                      before);
}

static int get_datasets(const cJSON *j, struct request *r, struct names **names,
                        burst_error_t *errp)
{
    static const char *const keys[] = {"name", "location", "size_gb", NULL};
    struct field_path w = {.key = "datasets"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (field_array(j, NULL, "datasets", REQUEST_TASKS_MAX, &a, &n, errp) < 0)
        return -1;
    r->datasets = xcalloc(n + 1, sizeof(*r->datasets));
    cJSON_ArrayForEach(v, a)
    {
        struct rq_dataset *d = &r->datasets[r->n_datasets];
        at.index = r->n_datasets++;
        if (field_keys(v, &at, keys, errp) < 0 ||
            field_name(cJSON_GetObjectItemCaseSensitive(v, "name"), &at, "name", &d->name, errp) <
                0 ||
            add_name(names, d->name, &at, "datasets", errp) < 0 ||
            request_location(cJSON_GetObjectItemCaseSensitive(v, "location"), &at, "location",
                             &d->location, errp) < 0 ||
            field_number(v, &at, "size_gb", 0, REQUEST_GB_MAX, 0, &d->size_gb, errp) < 0)
            return -1;
        if (!field_item(v, "size_gb"))
            return field_fail(errp, &at, "size_gb", "is missing");
    }
    return 0;
}

static int get_tasks(const cJSON *j, struct request *r, struct names *datasets,
                     struct names **names, burst_error_t *errp)
{
    struct field_path w = {.key = "tasks"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (field_array(j, NULL, "tasks", REQUEST_TASKS_MAX, &a, &n, errp) < 0)
        return -1;
    if (!n)
        return field_fail(errp, NULL, "tasks", "must list at least one task");
    r->tasks = xcalloc(n, sizeof(*r->tasks));
    cJSON_ArrayForEach(v, a)
    {
        struct rq_task *t = &r->tasks[r->n_tasks];
        at.index = r->n_tasks++;
        if (request_task(v, &at, datasets, t, errp) < 0 ||
            add_name(names, t->name, &at, "tasks", errp) < 0)
            return -1;
    }
    return 0;
}

static int get_end(const cJSON *o, const struct field_path *up, const char *key,
                   struct names *tasks, uint32_t *out, burst_error_t *errp)
{
    const cJSON *v = field_item(o, key);
    int i = cJSON_IsString(v) ? names_find(tasks, v->valuestring) : -1;
    char buf[64];

    if (i < 0)
        return field_fail(errp, up, key, "no task is named %s", field_shown(v, buf));
    *out = (uint32_t)i;
    return 0;
}

static int get_edges(const cJSON *j, struct request *r, struct names *tasks, burst_error_t *errp)
{
    static const char *const keys[] = {"from", "to", "size_gb", NULL};
    struct field_path w = {.key = "edges"}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (field_array(j, NULL, "edges", REQUEST_TASKS_MAX * 5, &a, &n, errp) < 0)
        return -1;
    r->edges = xcalloc(n + 1, sizeof(*r->edges));
    cJSON_ArrayForEach(v, a)
    {
        struct rq_edge *e = &r->edges[r->n_edges];
        at.index = r->n_edges++;
        if (field_keys(v, &at, keys, errp) < 0 ||
            get_end(v, &at, "from", tasks, &e->from, errp) < 0 ||
            get_end(v, &at, "to", tasks, &e->to, errp) < 0 ||
            field_number(v, &at, "size_gb", 0, REQUEST_GB_MAX, 0, &e->size_gb, errp) < 0)
            return -1;
    }
    return 0;
}

// Kahn's algorithm. What is left over when nothing is free is on a cycle or behind one.
static int sort_tasks(struct request *r, burst_error_t *errp)
{
    uint32_t *waits = xcalloc(r->n_tasks, sizeof(*waits));
    uint32_t *first = xcalloc(r->n_tasks + 1, sizeof(*first));
    uint32_t *child = xcalloc(r->n_edges + 1, sizeof(*child));
    size_t done = 0, n = 0;
    int rc = 0;

    r->order = xcalloc(r->n_tasks, sizeof(*r->order));
    for (size_t i = 0; i < r->n_edges; i++) {
        waits[r->edges[i].to]++;
        first[r->edges[i].from + 1]++;
    }
    for (size_t t = 0; t < r->n_tasks; t++)
        first[t + 1] += first[t];
    uint32_t *fill = xcalloc(r->n_tasks + 1, sizeof(*fill));
    for (size_t i = 0; i < r->n_edges; i++) {
        uint32_t u = r->edges[i].from;
        child[first[u] + fill[u]++] = r->edges[i].to;
    }
    for (uint32_t t = 0; t < r->n_tasks; t++)
        if (!waits[t])
            r->order[n++] = t;
    for (; done < n; done++) {
        uint32_t u = r->order[done];
        for (uint32_t k = first[u]; k < first[u + 1]; k++)
            if (--waits[child[k]] == 0)
                r->order[n++] = child[k];
    }
    if (n < r->n_tasks) {
        for (size_t i = 0; i < r->n_edges && rc == 0; i++) {
            struct field_path w = {.key = "edges"}, at = {.up = &w, .index = i};
            if (waits[r->edges[i].to] && waits[r->edges[i].from])
                rc = field_fail(errp, &at, NULL,
                                "tasks \"%.60s\" and \"%.60s\" wait for each other: the "
                                "edges must not form a cycle",
                                r->tasks[r->edges[i].from].name, r->tasks[r->edges[i].to].name);
        }
    }
    free(waits);
    free(first);
    free(child);
    free(fill);
    return rc;
}

static int get_top(const cJSON *j, struct request *r, burst_error_t *errp)
{
    static const char *const keys[] = {"objective",
                                       "time_budget_hours",
                                       "cost_budget_usd",
                                       "transfer_gbit_per_s",
                                       "datasets",
                                       "tasks",
                                       "edges",
                                       "limits",
                                       "blocked",
                                       "id",
                                       "runners_up",
                                       "time_limit_s",
                                       "observed",
                                       "changeover_hours",
                                       "default_preemptions_per_hour",
                                       NULL};
    const cJSON *v;
    double usd, n;
    char buf[64];

    if (field_keys(j, NULL, keys, errp) < 0)
        return -1;
    v = field_item(j, "objective");
    if (v && cJSON_IsString(v) && strcmp(v->valuestring, "time") == 0)
        r->objective = RQ_TIME;
    else if (v && !(cJSON_IsString(v) && strcmp(v->valuestring, "cost") == 0))
        return field_fail(errp, NULL, "objective", "must be \"cost\" or \"time\", is %s",
                          field_shown(v, buf));
    if (field_number(j, NULL, "time_budget_hours", 0, 1e9, HUGE_VAL, &r->time_budget_hours, errp) <
            0 ||
        field_number(j, NULL, "cost_budget_usd", 0, REQUEST_USD_MAX, -1, &usd, errp) < 0 ||
        field_number(j, NULL, "transfer_gbit_per_s", 1e-6, 1e9, 10, &r->gbit_per_s, errp) < 0 ||
        field_number(j, NULL, "time_limit_s", 0.001, 3600, 10, &r->time_limit_s, errp) < 0 ||
        field_number(j, NULL, "changeover_hours", 0, CHANGEOVER_MAX, 0, &r->changeover_hours,
                     errp) < 0 ||
        field_number(j, NULL, "default_preemptions_per_hour", 0, REQUEST_RATE_MAX, 0,
                     &r->default_preemptions_per_hour, errp) < 0 ||
        field_number(j, NULL, "runners_up", 0, REQUEST_RUNNERS_UP_MAX, 0, &n, errp) < 0)
        return -1;
    r->cost_budget_nano = usd < 0 ? INT64_MAX : llround(usd * 1e9);
    r->runners_up = (size_t)n;
    if (field_item(j, "id"))
        r->id = cJSON_Duplicate(field_item(j, "id"), true);
    return 0;
}

struct request *request_parse(const cJSON *j, burst_error_t *errp)
{
    struct request *r = xmalloc(sizeof(*r));
    struct names *datasets = NULL, *tasks = NULL;
    int rc = 0;

    if (get_top(j, r, errp) < 0 || get_datasets(j, r, &datasets, errp) < 0 ||
        get_tasks(j, r, datasets, &tasks, errp) < 0 || get_edges(j, r, tasks, errp) < 0 ||
        request_limits(j, r, errp) < 0 || request_observed(j, r, errp) < 0 ||
        sort_tasks(r, errp) < 0)
        rc = -1;
    names_free(datasets);
    names_free(tasks);
    if (rc == 0)
        return r;
    request_destroy(r);
    return NULL;
}

void request_destroy(struct request *r)
{
    if (!r)
        return;
    cJSON_Delete(r->id);
    for (size_t i = 0; r->datasets && i < r->n_datasets; i++) {
        free(r->datasets[i].name);
        request_free_location(&r->datasets[i].location);
    }
    free(r->datasets);
    for (size_t i = 0; r->tasks && i < r->n_tasks; i++)
        request_free_task(&r->tasks[i]);
    free(r->tasks);
    free(r->edges);
    request_free_limits(r);
    free(r->order);
    free(r);
}
