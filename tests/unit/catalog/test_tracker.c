// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "catalog/tracker.h"
#include "libburst/json.h"

static const struct tracker_conf conf = {.probe_s = 30, .half_life_s = 3600};
static const struct tracker_place a = {"aws", "us-east-1", "us-east-1a", "p3.2xlarge", MARKET_SPOT};
static const struct tracker_place b = {"aws", "us-east-1", "us-east-1b", "p3.2xlarge", MARKET_SPOT};
static const struct tracker_place region = {"aws", "us-east-1", "", "", MARKET_SPOT};

static bool refuse(struct tracker *t, const struct tracker_place *p, int64_t now)
{
    return tracker_refused(t, p, now, 60, 400, "no capacity");
}

static void gate_is(const struct tracker *t, const struct tracker_place *p, int64_t now,
                    enum tracker_gate want, int64_t want_until)
{
    int64_t until = -1;

    assert_int_equal(tracker_gate(t, p, now, &until), want);
    assert_int_equal(until, want_until);
}

static void test_blocks_grow(void **arg)
{
    struct tracker *t = tracker_create(&conf);
    int64_t now = 1000;
    static const int64_t length[] = {60, 120, 240, 400, 400};

    gate_is(t, &a, now, TRACKER_OPEN, 0);
    for (int i = 0; i < 5; i++) {
        assert_true(refuse(t, &a, now));
        assert_false(refuse(t, &a, now + 1)); // the same launch of another job: counts once
        gate_is(t, &a, now + 1, TRACKER_CLOSED, now + length[i]);
        gate_is(t, &b, now + 1, TRACKER_OPEN, 0);
        now += length[i];
        gate_is(t, &a, now - 1, TRACKER_CLOSED, now);
        gate_is(t, &a, now, TRACKER_PROBE, now + length[i]);
    }
    tracker_granted(t, &a, now);
    gate_is(t, &a, now, TRACKER_OPEN, 0);
    refuse(t, &a, now);
    gate_is(t, &a, now, TRACKER_CLOSED, now + 60); // starts small again
    tracker_destroy(t);
}

// Those who want several nodes at once never probe: one more length later they may.
static void test_it_opens_by_itself(void **arg)
{
    struct tracker *t = tracker_create(&conf);

    refuse(t, &a, 1000);
    gate_is(t, &a, 1060, TRACKER_PROBE, 1120);
    gate_is(t, &a, 1119, TRACKER_PROBE, 1120);
    gate_is(t, &a, 1120, TRACKER_OPEN, 0);
    assert_false(tracker_take_probe(t, &a, 1120));
    assert_true(refuse(t, &a, 1121)); // it is not news yet
    gate_is(t, &a, 1121, TRACKER_CLOSED, 1121 + 120);
    // Four lengths after the block's end it is: 1241 + 480.
    assert_true(refuse(t, &a, 1721));
    gate_is(t, &a, 1721, TRACKER_CLOSED, 1721 + 60);
    assert_true(refuse(t, &a, 1781 + 239));
    gate_is(t, &a, 2020, TRACKER_CLOSED, 2020 + 120);
    tracker_destroy(t);
}

static void test_one_probe_at_a_time(void **arg)
{
    struct tracker *t = tracker_create(&conf);

    refuse(t, &a, 1000);
    assert_false(tracker_take_probe(t, &a, 1030)); // still closed
    assert_true(tracker_take_probe(t, &a, 1060));
    assert_false(tracker_take_probe(t, &a, 1061));
    gate_is(t, &a, 1061, TRACKER_CLOSED, 1090);
    gate_is(t, &a, 1090, TRACKER_PROBE, 1150);    // nobody reported
    assert_true(tracker_take_probe(t, &a, 1140)); // so the next one may
    gate_is(t, &a, 1169, TRACKER_CLOSED, 1170);
    assert_true(refuse(t, &a, 1165)); // it failed: longer
    gate_is(t, &a, 1165, TRACKER_CLOSED, 1165 + 120);
    assert_true(tracker_take_probe(t, &a, 1290));
    tracker_granted(t, &a, 1295);
    gate_is(t, &a, 1295, TRACKER_OPEN, 0);
    tracker_destroy(t);
}

// A launch that was not answered says nothing of the place.
static void test_an_undecided_probe_is_free_again(void **arg)
{
    struct tracker *t = tracker_create(&conf);

    refuse(t, &a, 1000);
    tracker_take_probe(t, &a, 1060);
    tracker_undecided(t, &b, 1062); // another place
    gate_is(t, &a, 1062, TRACKER_CLOSED, 1090);
    tracker_undecided(t, &a, 1062);
    gate_is(t, &a, 1062, TRACKER_PROBE, 1120);
    tracker_destroy(t);
}

static void test_wide_refusals_cover(void **arg)
{
    struct tracker *t = tracker_create(&conf);
    struct tracker_place od = a;

    od.market = MARKET_ON_DEMAND;
    refuse(t, &region, 1000);
    gate_is(t, &a, 1001, TRACKER_CLOSED, 1060);
    gate_is(t, &b, 1001, TRACKER_CLOSED, 1060);
    gate_is(t, &od, 1001, TRACKER_OPEN, 0);
    refuse(t, &a, 1010);
    gate_is(t, &a, 1061, TRACKER_CLOSED, 1070); // the strictest of all that cover it
    gate_is(t, &b, 1061, TRACKER_PROBE, 1120);
    // One launch is the probe of both; what it tells of the zone it does not tell of the region.
    assert_true(tracker_take_probe(t, &a, 1075));
    gate_is(t, &b, 1075, TRACKER_CLOSED, 1105);
    refuse(t, &a, 1080);
    gate_is(t, &a, 1080, TRACKER_CLOSED, 1080 + 120);
    gate_is(t, &b, 1080, TRACKER_PROBE, 1120);
    tracker_granted(t, &b, 1081); // a node in b shows that the quota is there
    gate_is(t, &b, 1081, TRACKER_OPEN, 0);
    gate_is(t, &a, 1081, TRACKER_CLOSED, 1200);
    tracker_destroy(t);
}

static void test_a_clock_set_back_closes_nothing_for_longer(void **arg)
{
    struct tracker *t = tracker_create(&conf);

    refuse(t, &a, 1000000);
    gate_is(t, &a, 1000000, TRACKER_CLOSED, 1000060);
    assert_int_not_equal(tracker_gate(t, &a, 5000, NULL), TRACKER_CLOSED);
    tracker_destroy(t);
}

// Unknown: (1 + 0) / (24 + 0) per hour. After 3 preemptions in 12 hours: 4 / 36. One half-life
// later: (1 + 1.5) / (24 + 6).
static void test_effective_price(void **arg)
{
    struct tracker *t = tracker_create(&conf);
    struct tracker_place od = a;

    od.market = MARKET_ON_DEMAND;
    assert_true(fabs(tracker_preemption_rate(t, &a, 1000) - 1.0 / 24) < 1e-12);
    tracker_ran(t, &a, 12, 1000);
    for (int i = 0; i < 3; i++)
        tracker_preempted(t, &a, 1000);
    assert_true(fabs(tracker_preemption_rate(t, &a, 1000) - 4.0 / 36) < 1e-12);
    assert_true(fabs(tracker_preemption_rate(t, &a, 4600) - 2.5 / 30) < 1e-12);
    assert_true(fabs(tracker_preemption_rate(t, &b, 4600) - 1.0 / 24) < 1e-12);
    // 0.9 USD and half an hour lost per restart: 0.9 * (1 + 4/36/2) = 0.95
    assert_int_equal(tracker_effective_price(t, &a, 900000000, 0.5, 1000), 950000000);
    assert_int_equal(tracker_effective_price(t, &od, 900000000, 0.5, 1000), 900000000);
    assert_int_equal(tracker_effective_price(t, &a, NO_PRICE, 0.5, 1000), NO_PRICE);
    tracker_destroy(t);
}

static void test_prices_age(void **arg)
{
    struct tracker *t = tracker_create(&conf);

    assert_int_equal(tracker_price(t, &a, 100, 1000), MONEY_UNKNOWN);
    tracker_priced(t, &a, 910000, 1000);
    tracker_priced(t, &a, 500000, 900); // older news
    assert_int_equal(tracker_price(t, &a, 100, 1100), 910000);
    assert_int_equal(tracker_price(t, &a, 100, 1101), MONEY_UNKNOWN);
    tracker_saved(t);
    tracker_priced(t, &a, 910000, 1000 + 3599); // no news
    assert_false(tracker_changed(t));
    tracker_priced(t, &a, 910000, 1000 + 3600);
    assert_true(tracker_changed(t));
    assert_int_equal(tracker_price(t, &a, 100, 1000 + 3700), 910000);
    tracker_destroy(t);
}

struct rows {
    int n;
    bool fail;
    struct tracker *into;
};

static int take_row(void *arg, const char *key, const cJSON *row)
{
    struct rows *r = arg;
    burst_error_t err;

    if (r->fail)
        return -1;
    r->n++;
    if (r->into)
        assert_int_equal(tracker_load_row(r->into, row, &err), 0);
    return 0;
}

static void forgotten(void *arg, const char *key)
{
    ++*(int *)arg;
}

static void test_rows_survive(void **arg)
{
    struct tracker *t = tracker_create(&conf), *u = tracker_create(&conf);
    struct rows rows = {.into = u};
    burst_error_t err = {""};
    int64_t until_t, until_u;
    int n = 0;

    refuse(t, &a, 1000);
    refuse(t, &a, 1060);
    assert_true(tracker_take_probe(t, &a, 1190));
    tracker_preempted(t, &b, 1000);
    tracker_priced(t, &b, 123456, 1000);
    assert_int_equal(tracker_changes(t, take_row, &rows), 0);
    assert_int_equal(rows.n, 2);
    assert_false(tracker_changed(u));
    assert_int_equal(tracker_gate(t, &a, 1200, &until_t), TRACKER_CLOSED);
    assert_int_equal(tracker_gate(u, &a, 1200, &until_u), TRACKER_CLOSED);
    assert_int_equal(until_t, until_u);
    assert_int_equal(until_u, 1190 + 30); // the probe is still under way
    assert_true(tracker_preemption_rate(t, &b, 2000) == tracker_preemption_rate(u, &b, 2000));
    assert_int_equal(tracker_price(u, &b, 10, 1000), 123456);
    cJSON *bad = cJSON_CreateObject();
    assert_int_equal(tracker_load_row(u, bad, &err), -1);
    assert_non_null(strstr(err.text, "is missing"));
    cJSON_Delete(bad);
    assert_int_equal(tracker_prune(u, 1300, forgotten, &n), 2);
    assert_int_equal(n, 0);
    // Long after, nothing of it matters.
    assert_int_equal(tracker_prune(u, 1000 + 30 * 86400, forgotten, &n), 0);
    assert_int_equal(n, 2);
    tracker_destroy(t);
    tracker_destroy(u);
}

static void test_only_changes_are_written(void **arg)
{
    struct tracker *t = tracker_create(&conf);
    struct rows rows = {.fail = true};

    refuse(t, &a, 1000);
    refuse(t, &b, 1000);
    assert_int_equal(tracker_changes(t, take_row, &rows), -1);
    assert_true(tracker_changed(t)); // they are still to be written
    rows.fail = false;
    assert_int_equal(tracker_changes(t, take_row, &rows), 0);
    assert_int_equal(rows.n, 2);
    tracker_saved(t);
    assert_false(tracker_changed(t));
    refuse(t, &b, 1001); // closed already
    tracker_granted(t, &region, 1001);
    assert_false(tracker_changed(t));
    tracker_granted(t, &b, 1001);
    rows.n = 0;
    tracker_changes(t, take_row, &rows);
    assert_int_equal(rows.n, 1);
    tracker_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_grow),
        cmocka_unit_test(test_it_opens_by_itself),
        cmocka_unit_test(test_one_probe_at_a_time),
        cmocka_unit_test(test_an_undecided_probe_is_free_again),
        cmocka_unit_test(test_wide_refusals_cover),
        cmocka_unit_test(test_a_clock_set_back_closes_nothing_for_longer),
        cmocka_unit_test(test_effective_price),
        cmocka_unit_test(test_prices_age),
        cmocka_unit_test(test_rows_survive),
        cmocka_unit_test(test_only_changes_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
