// SPDX-License-Identifier: GPL-3.0-or-later
// What a plan consists of (plan.h).
#ifndef BURST_PLAN_PARTS_H
#define BURST_PLAN_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/catalog.h"
#include "libburst/money.h"
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

#endif
