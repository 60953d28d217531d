// SPDX-License-Identifier: GPL-3.0-or-later
// What a plan request consists of (request.h).
#ifndef BURST_REQUEST_TYPES_H
#define BURST_REQUEST_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "catalog/catalog.h"

#define REQUEST_TASKS_MAX 200000
#define REQUEST_LIMITS_MAX 256
#define REQUEST_RUNNERS_UP_MAX 1000
#define REQUEST_OBSERVED_MAX 10000

enum rq_objective { RQ_COST, RQ_TIME };
enum rq_market { RQ_ANY, RQ_ON_DEMAND, RQ_SPOT };

struct rq_list {
    char **item;
    size_t n;
};

struct rq_need {
    char *accelerator; // NULL = instances without one
    double count, vcpus, memory_gib;
    double hours;
    uint32_t nodes;
    struct rq_list clouds; // beside the task's
};

struct rq_location {
    char *cloud, *region;
};

struct rq_transfer {
    int dataset; // index, or -1: then location and size
    struct rq_location location;
    double size_gb;
};

// A place that is not in the catalog: an idle rented node, or staying where one is.
struct rq_alternative {
    char *name;                               // unique inside the task
    struct rq_location location;              // "" and "": nowhere
    char *zone, *instance_type, *accelerator; // NULL = ""
    enum market market;
    double price_usd_per_hour; // per node
    double fixed_usd;          // once, for instance the price of waiting
    double wait_hours;         // before it can start
    double hours;
    uint32_t nodes;
};

struct rq_task {
    char *name;
    enum rq_market market;
    bool no_limits;     // runs at another time: the request's limits do not count it
    double limit_hours; // for which max_nano and max_usd limits count; < 0 = hours of the entry
    int64_t max_nano;   // compute for limit_hours and transfers with a location; INT64_MAX = no cap
    struct rq_need *needs;
    size_t n_needs;
    struct rq_list clouds, regions, zones;
    struct rq_transfer *inputs, *outputs;
    size_t n_inputs, n_outputs;
    struct rq_alternative *alternatives;
    size_t n_alternatives;
};

struct rq_edge {
    uint32_t from, to; // tasks
    double size_gb;
};

struct rq_dataset {
    char *name;
    struct rq_location location;
    double size_gb;
};

// What limits and blocked places name. In limits the texts are shell patterns, in blocked exact.
struct rq_match {
    char *cloud, *region, *zone, *instance_type, *accelerator, *alternative;
    int market;  // enum market or -1
    bool offers; // only what the catalog offers, no alternatives
};

// What was seen of an offer on a market.
struct rq_observed {
    char *cloud, *region, *zone, *instance_type; // zone "" = the price holds for the region
    enum market market;
    double price_usd_per_hour;   // < 0 = not seen
    double preemptions_per_hour; // < 0 = not seen
};

struct rq_limit {
    struct rq_match match;
    int64_t max_nodes; // -1 = no limit
    int64_t max_nano;  // compute cost; -1 = no limit
};

struct request {
    cJSON *id; // echoed; NULL = none
    enum rq_objective objective;
    double time_budget_hours; // HUGE_VAL = none
    int64_t cost_budget_nano; // INT64_MAX = none
    double gbit_per_s;
    double time_limit_s;
    size_t runners_up;
    struct rq_dataset *datasets;
    size_t n_datasets;
    struct rq_task *tasks;
    size_t n_tasks;
    struct rq_edge *edges;
    size_t n_edges;
    struct rq_limit *limits;
    size_t n_limits;
    struct rq_match *blocked; // with an alternative: those only; without: the catalog only
    size_t n_blocked;
    struct rq_observed *observed; // of two that name the same offer and market the later one counts
    size_t n_observed;
    double changeover_hours; // lost by each preemption
    double default_preemptions_per_hour;
    uint32_t *order; // tasks so that parents come before their children
};

#endif
