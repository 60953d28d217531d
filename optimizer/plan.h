// SPDX-License-Identifier: GPL-3.0-or-later
// The optimizer's front: a request and a catalog in, a plan out. Pure: no clock but the one that
// bounds the search, no network, no state between calls.
//
//     cJSON *j = json_parse(text, len, &err);
//     struct request *rq = request_parse(j, &err);        // bad request: err names the field
//     struct plan *p = plan_create(cat, rq, &err);        // NULL: neither a plan nor a proof
//     char *text = plan_text(p);                          // or plan_json(p)
//
// A plan borrows catalog and request: destroy it first. Costs are nano-dollars inside; the JSON
// has USD as doubles and, where somebody bills by it, micro-dollars as integers (..._uusd...).
#ifndef BURST_PLAN_H
#define BURST_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "catalog/catalog.h"
#include "libburst/error.h"
#include "optimizer/problem.h"
#include "optimizer/request.h"

enum plan_status { PLAN_OPTIMAL, PLAN_FEASIBLE, PLAN_INFEASIBLE };

struct plan_place {
    const char *cloud, *region, *zone, *instance_type; // borrowed from catalog or request
    const char *accelerator, *alternative;             // "" / NULL = none
    const char *market;
    double count, vcpus, memory_gib; // of one node; 0 = not known
    money_t price_per_hour;          // micro-dollars, one node
};

// A candidate that was not chosen, with the rest of the plan as it is.
struct plan_runner_up {
    struct plan_place place;
    int64_t nodes;
    int64_t compute, restart, fixed, transfer_in, transfer_out, total; // nano-dollars, of this task
    int64_t more;               // what the whole plan would cost more
    int64_t more_data;          // of that: moving data, of other tasks as well
    double hours, finish_hours; // finish of the whole plan
    char *why;                  // sentence; owned by the plan
};

struct plan_task {
    const char *name;
    struct plan_place place;
    int64_t nodes;
    double hours, start_hours, finish_hours;
    int64_t compute; // nano-dollars: price * hours * nodes
    int64_t restart; // what the expected restarts of spot nodes add
    int64_t fixed;   // of an alternative
    int64_t transfer_in, transfer_out;
    struct plan_runner_up *runner_up;
    size_t n_runners_up;
};

struct plan {
    enum plan_status status;
    const struct request *request;
    const struct catalog *catalog;
    int64_t cost; // nano-dollars
    double finish_hours;
    double gap; // relative, of the objective; 0 = proven
    double load_ms, solve_ms;
    uint64_t candidates;
    struct plan_task *task; // in the request's order; none when infeasible
    size_t n_tasks;
    char **reason; // when infeasible
    size_t n_reasons;
};

// NULL with a text when neither a plan nor a proof was found (time limit, numbers beyond counting).
struct plan *plan_create(const struct catalog *cat, const struct request *rq, burst_error_t *errp);
// For tests: without some of the methods (enum solve_step of solve.h).
struct plan *plan_create_by(const struct catalog *cat, const struct request *rq, unsigned skip,
                            burst_error_t *errp);
void plan_destroy(struct plan *p);

// The public answer. load_ms may be set by the caller before.
cJSON *plan_json(const struct plan *p);
// A table for people, with the runners-up when the request asked for them. Caller frees.
char *plan_text(const struct plan *p);

#endif
