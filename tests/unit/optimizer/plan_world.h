// SPDX-License-Identifier: GPL-3.0-or-later
// Random little worlds for the optimizer's tests: a catalog, an egress table and a request, each as
// the plain numbers it was made from and as the texts that the library reads; and the best plan by
// trying every assignment, straight from the definitions (no code of the library).
//
// All numbers are multiples of something coarse, so that ties and budgets that are met exactly
// happen often.
#ifndef PLAN_WORLD_H
#define PLAN_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#define W_CLOUDS 3
#define W_REGIONS 2 // per cloud
#define W_OFFERS 40
#define W_TASKS 5
#define W_EDGES 8
#define W_SETS 3
#define W_LIMITS 3
#define W_BLOCKED 3
#define W_CANDS 400
#define W_HOME (W_CLOUDS * W_REGIONS) // in no catalog
#define W_NOWHERE (W_HOME + 1)        // of alternatives without a location
#define W_PLACES (W_NOWHERE + 1)
#define W_OBSERVED 12
#define W_NAMES 3 // of alternatives

struct w_offer {
    int cloud, region, zone, type; // zone -1 = none
    double price[2];               // on-demand, spot; < 0 = not offered
};

struct w_type {
    const char *accelerator; // "" = none
    int count, vcpus, memory;
};

struct w_move {
    int set; // data set, or -1
    int cloud, region;
    double gb;
};

struct w_need {
    int type_of; // accelerator index, -1 = none
    int count, vcpus;
    double hours;
    int nodes;      // 0 = as the task
    int only_cloud; // cloud + 1, 0 = any
};

struct w_alt {
    int name, place; // place: cloud * W_REGIONS + region, W_HOME or W_NOWHERE
    int zone, type;  // -1 = none
    int market, nodes;
    double price, fixed, wait, hours;
};

struct w_task {
    int nodes, market; // -1 any
    struct w_need need[2];
    int n_needs;
    int only_cloud;  // -1 = any
    int only_region; // -1 = any
    struct w_move in[3], out[1];
    int n_in, n_out;
    struct w_alt alt[2];
    int n_alts;
    double limit_hours, max_usd; // < 0 = none
    bool no_limits;
};

struct w_match {
    int cloud, region, market, type, zone; // -1 = any
    int acc;                               // 0 = any, else accelerator + 1
    int alt;                               // 0 = none named, else alternative + 1
    bool offers;                           // of limits
};

struct w_observed {
    int cloud, region, zone, type, market; // zone -1 = none
    double price, rate;                    // < 0 = not seen
};

struct world {
    int n_clouds;
    struct w_type type[4];
    struct w_offer offer[W_OFFERS];
    int n_offers;
    double egress[W_PLACES][W_PLACES]; // USD per GB, < 0 = impossible
    double tier_gb, tier_factor;       // above tier_gb the price is multiplied
    struct w_task task[W_TASKS];
    int n_tasks;
    struct {
        int from, to;
        double gb;
    } edge[W_EDGES];
    int n_edges;
    struct {
        int cloud, region;
        double gb;
    } set[W_SETS];
    int n_sets;
    struct {
        struct w_match match;
        int max_nodes;
        double max_usd; // < 0 = none
    } limit[W_LIMITS];
    int n_limits;
    struct w_match blocked[W_BLOCKED];
    int n_blocked;
    struct w_observed observed[W_OBSERVED];
    int n_observed;
    double changeover, default_rate;
    bool fastest;
    double time_budget, cost_budget; // < 0 = none
};

enum {
    F_EDGES = 1,
    F_DATA = 2,
    F_SHARED = 4,
    F_LIMITS = 8,
    F_BLOCKED = 16,
    F_TIME = 32,
    F_MONEY = 64,
    F_FASTEST = 128,
    F_NEEDS = 256,
    F_PATTERNS = 512,
    F_NODES = 1024, // entries with their own number of nodes
    F_ALTS = 2048,  // alternatives
    F_CAPS = 4096,  // limit_hours and max_usd of tasks
    F_RATES = 8192, // observed prices and preemptions
    F_ALL = 16383
};

void world_make(struct world *w, uint64_t seed, int features);
char *world_csv(const struct world *w, int cloud); // caller frees
char *world_egress(const struct world *w, bool split_tiers);
char *world_request(const struct world *w);

struct w_best {
    bool found;
    double cost, finish;
};

void world_best(const struct world *w, struct w_best *best);

// An answer's choice for a task, as the answer names it; alternative NULL = an offer.
struct w_choice {
    const char *cloud, *region, *zone, *instance_type, *market, *alternative;
    int64_t nodes;
    double hours, price;
};

// Cost and finish of the answer's plan, straight from the world. False when a choice is no
// candidate at that price, or the plan breaks a limit or a budget.
bool world_value(const struct world *w, const struct w_choice *choice, double *cost,
                 double *finish);

extern const char *const w_cloud_name[W_CLOUDS];

#endif
