// SPDX-License-Identifier: GPL-3.0-or-later
// The optimizer against brute force on thousands of random small worlds: every feature by itself
// and their combinations; and properties that hold whatever the numbers are.
//
// BURST_PLAN_CASES=N changes the number of worlds per combination, BURST_PLAN_SEED=N runs one.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "libburst/json.h"
#include "optimizer/plan.h"
#include "optimizer/solve.h"
#include "plan_world.h"

static struct catalog *catalog_of(const struct world *w, bool split_tiers)
{
    char *csv[W_CLOUDS], *egress = world_egress(w, split_tiers);
    burst_error_t err = {""};

    for (int c = 0; c < w->n_clouds; c++)
        csv[c] = world_csv(w, c);
    struct catalog *cat = catalog_from_texts((size_t)w->n_clouds, w_cloud_name,
                                             (const char *const *)csv, egress, NULL, NULL, &err);
    if (!cat)
        fail_msg("%s", err.text);
    assert_int_equal(catalog_refused(cat) + catalog_quarantined(cat), 0);
    for (int c = 0; c < w->n_clouds; c++)
        free(csv[c]);
    free(egress);
    return cat;
}

static struct request *request_of(const struct world *w)
{
    char *text = world_request(w);
    burst_error_t err = {""};
    cJSON *j = json_parse(text, strlen(text), &err);
    struct request *rq = j ? request_parse(j, &err) : NULL;

    if (!rq)
        fail_msg("%s in %s", err.text, text);
    cJSON_Delete(j);
    free(text);
    return rq;
}

#define PLAN_UNKNOWN (PLAN_INFEASIBLE + 1) // neither a plan nor a proof

struct outcome {
    int status; // enum plan_status or PLAN_UNKNOWN
    double cost, finish, bound;
    bool sound; // the plan that is returned is one, and costs and takes what it says
};

static unsigned skip; // methods to leave out

static bool is_sound(const struct world *w, const struct plan *p)
{
    struct w_choice choice[W_TASKS];
    double sum = 0, cost, finish;

    for (size_t t = 0; t < p->n_tasks; t++) {
        const struct plan_task *x = &p->task[t];
        const struct plan_place *l = &x->place;
        choice[t] = (struct w_choice){l->cloud,         l->region, l->zone,
                                      l->instance_type, l->market, l->alternative,
                                      x->nodes,         x->hours,  (double)l->price_per_hour / 1e6};
        sum +=
            (double)(x->compute + x->restart + x->fixed + x->transfer_in + x->transfer_out) / 1e9;
        if (fabs((double)x->compute / 1e9 - choice[t].price * (double)x->nodes * x->hours) > 1e-4)
            return false;
    }
    return fabs(sum - (double)p->cost / 1e9) < 1e-6 && world_value(w, choice, &cost, &finish) &&
           fabs(cost - (double)p->cost / 1e9) < 1e-6 && fabs(finish - p->finish_hours) < 1e-6;
}

static struct outcome solve_world(const struct world *w, bool split_tiers)
{
    struct catalog *cat = catalog_of(w, split_tiers);
    struct request *rq = request_of(w);
    burst_error_t err = {""};
    struct plan *p = plan_create_by(cat, rq, skip, &err);
    struct outcome o;

    if (!p) {
        if (!skip)
            fail_msg("%s", err.text);
        request_destroy(rq);
        catalog_destroy(cat);
        return (struct outcome){.status = PLAN_UNKNOWN};
    }
    o = (struct outcome){p->status, (double)p->cost / 1e9, p->finish_hours,
                         (double)p->cost / 1e9 * (1 - p->gap), true};
    if (p->status == PLAN_INFEASIBLE)
        assert_true(p->n_reasons > 0);
    else
        o.sound = is_sound(w, p);
    plan_destroy(p);
    request_destroy(rq);
    catalog_destroy(cat);
    return o;
}

static void check(uint64_t seed, int features)
{
    struct world w;
    struct w_best best;

    world_make(&w, seed, features);
    world_best(&w, &best);
    struct outcome o = solve_world(&w, false);
    bool good = best.found ? o.status == PLAN_OPTIMAL && fabs(o.cost - best.cost) < 1e-6 &&
                                 fabs(o.finish - best.finish) < 1e-6 && o.sound
                           : o.status == PLAN_INFEASIBLE;
    if (good)
        return;
    char *text = world_request(&w);
    fail_msg("seed %llu features %d skip %u: status %d cost %.7f finish %.6f%s, brute force %s "
             "%.7f %.6f\n%s",
             (unsigned long long)seed, features, skip, (int)o.status, o.cost, o.finish,
             o.sound ? "" : " (its plan is none of that value)",
             best.found ? "finds" : "finds none", best.cost, best.finish, text);
}

static uint64_t cases(uint64_t dflt)
{
    const char *env = getenv("BURST_PLAN_CASES");

    return env ? strtoull(env, NULL, 10) : dflt;
}

static void test_single_features(void **arg)
{
    for (int f = 1; f < F_ALL; f *= 2)
        for (uint64_t seed = 1; seed <= cases(600); seed++)
            check(seed, f);
}

static void test_pairs_of_features(void **arg)
{
    for (int a = 1; a < F_ALL; a *= 2)
        for (int b = a * 2; b < F_ALL; b *= 2)
            for (uint64_t seed = 1; seed <= cases(120); seed++)
                check(seed + 1000, a | b);
}

static void test_all_features(void **arg)
{
    for (uint64_t seed = 1; seed <= cases(6000); seed++)
        check(seed + 2000, (int)(seed * 2654435761u >> 7) & F_ALL);
    for (uint64_t seed = 1; seed <= cases(600); seed++)
        check(seed + 9000, F_ALL & ~F_MONEY);
}

// Each method alone proves the same: what stands in front of it is left out.
static void test_every_method(void **arg)
{
    static const unsigned only[] = {STEP_ILP,
                                    STEP_SEARCH,
                                    STEP_DUAL | STEP_SEARCH,
                                    STEP_DUAL | STEP_DROP | STEP_SEARCH,
                                    STEP_DUAL | STEP_ILP,
                                    STEP_ELIMINATE | STEP_ILP};
    static const int features[] = {F_EDGES, F_EDGES | F_DATA | F_NEEDS, F_EDGES | F_SHARED,
                                   F_EDGES | F_TIME | F_NEEDS, F_EDGES | F_LIMITS | F_NODES};

    for (size_t m = 0; m < sizeof(only) / sizeof(*only); m++) {
        // Bounds that need no steps of their own would prove most of these before their turn.
        skip = STEPS & ~(only[m] | STEP_IMPROVE | (only[m] & STEP_DUAL ? STEP_BOUND : 0));
        for (uint64_t seed = 1; seed <= cases(400); seed++)
            check(seed + 20000, (int)(seed * 2654435761u >> 7) & F_ALL);
        for (size_t f = 0; f < sizeof(features) / sizeof(*features); f++)
            for (uint64_t seed = 1; seed <= cases(40); seed++)
                check(seed + 25000, features[f]);
    }
    skip = 0;
}

// Bounds alone, without plans that local search finds (it finds the best in such small worlds, and
// a bound that is too high would then pass for a proof): never above the best, and the plan never
// below it.
static void check_bound(uint64_t seed, int features, unsigned only)
{
    struct world w;
    struct w_best best;

    world_make(&w, seed, features);
    world_best(&w, &best);
    skip = STEPS & ~(only | STEP_BOUND);
    struct outcome o = solve_world(&w, false);
    skip = 0;
    bool good = o.status == PLAN_UNKNOWN ||
                (best.found ? o.status != PLAN_INFEASIBLE && o.cost > best.cost - 1e-6 &&
                                  o.bound < best.cost + 1e-6 &&
                                  (o.status == PLAN_FEASIBLE || o.cost < best.cost + 1e-6)
                            : o.status == PLAN_INFEASIBLE);
    if (!good)
        fail_msg("seed %llu features %d steps %u: status %d cost %.7f bound %.7f, brute force %s "
                 "%.7f",
                 (unsigned long long)seed, features, only, o.status, o.cost, o.bound,
                 best.found ? "finds" : "finds none", best.cost);
}

static void test_bounds(void **arg)
{
    static const unsigned only[] = {STEP_DUAL, STEP_DUAL | STEP_ELIMINATE,
                                    STEP_DUAL | STEP_ELIMINATE | STEP_DROP, STEP_DUAL | STEP_DROP};
    static const int features[] = {F_EDGES | F_DATA,
                                   F_SHARED | F_DATA,
                                   F_EDGES | F_SHARED,
                                   F_EDGES | F_LIMITS | F_NODES | F_NEEDS,
                                   F_EDGES | F_SHARED | F_LIMITS | F_RATES,
                                   F_EDGES | F_TIME | F_NEEDS,
                                   F_EDGES | F_TIME | F_SHARED | F_LIMITS | F_NEEDS | F_ALTS};

    for (size_t m = 0; m < sizeof(only) / sizeof(*only); m++)
        for (size_t f = 0; f < sizeof(features) / sizeof(*features); f++)
            for (uint64_t seed = 1; seed <= cases(150); seed++)
                check_bound(seed + 30000, features[f], only[m]);
}

// A further offer can only help.
static void test_more_offers_never_dearer(void **arg)
{
    for (uint64_t seed = 1; seed <= cases(200); seed++) {
        struct world w;
        world_make(&w, seed, F_EDGES | F_DATA | F_LIMITS | F_TIME);
        struct outcome before = solve_world(&w, false);
        if (w.n_offers == W_OFFERS || before.status == PLAN_INFEASIBLE)
            continue;
        w.offer[w.n_offers] = w.offer[w.n_offers / 2];
        w.offer[w.n_offers].zone = 1 - (w.offer[w.n_offers].zone == 1);
        if (w.offer[w.n_offers].price[1] > 0)
            w.offer[w.n_offers].price[1] *= 0.75;
        w.n_offers++;
        struct outcome after = solve_world(&w, false);
        assert_int_equal(after.status, PLAN_OPTIMAL);
        assert_true(after.cost <= before.cost + 1e-7);
    }
}

static void test_blocking_never_cheaper(void **arg)
{
    for (uint64_t seed = 1; seed <= cases(200); seed++) {
        struct world w;
        world_make(&w, seed, F_EDGES | F_DATA | F_SHARED);
        struct outcome before = solve_world(&w, false);
        w.blocked[0] = (struct w_match){
            (int)(seed % (uint64_t)w.n_clouds), -1, (int)(seed % 2), -1, -1, 0, 0, false};
        w.n_blocked = 1;
        struct outcome after = solve_world(&w, false);
        if (before.status == PLAN_INFEASIBLE)
            assert_int_equal(after.status, PLAN_INFEASIBLE);
        else if (after.status != PLAN_INFEASIBLE)
            assert_true(after.cost >= before.cost - 1e-7);
    }
}

static void test_splitting_a_tier_changes_nothing(void **arg)
{
    for (uint64_t seed = 1; seed <= cases(200); seed++) {
        struct world w;
        world_make(&w, seed, F_EDGES | F_DATA | F_SHARED | F_TIME);
        struct outcome a = solve_world(&w, false), b = solve_world(&w, true);
        assert_int_equal(a.status, b.status);
        assert_true(fabs(a.cost - b.cost) < 1e-7);
        assert_true(fabs(a.finish - b.finish) < 1e-7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_features),
        cmocka_unit_test(test_pairs_of_features),
        cmocka_unit_test(test_all_features),
        cmocka_unit_test(test_every_method),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_more_offers_never_dearer),
        cmocka_unit_test(test_blocking_never_cheaper),
        cmocka_unit_test(test_splitting_a_tier_changes_nothing),
    };

    if (getenv("BURST_PLAN_SKIP"))
        skip = (unsigned)strtoul(getenv("BURST_PLAN_SKIP"), NULL, 10);
    if (getenv("BURST_PLAN_SEED")) {
        check(strtoull(getenv("BURST_PLAN_SEED"), NULL, 10),
              getenv("BURST_PLAN_FEATURES") ? (int)strtol(getenv("BURST_PLAN_FEATURES"), NULL, 10)
                                            : F_ALL);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
