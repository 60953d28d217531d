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

static const struct tracker_conf conf = {60, 400, 30, 3600};
static const struct tracker_place a = {"aws", "us-east-1", "us-east-1a", "p3.2xlarge", MARKET_SPOT};
static const struct tracker_place b = {"aws", "us-east-1", "us-east-1b", "p3.2xlarge", MARKET_SPOT};
static const struct tracker_place region = {"aws", "us-east-1", "", "", MARKET_SPOT};

static void test_blocks_grow(void **arg)
{
    struct tracker *t = tracker_create(&conf);
    int64_t now = 1000, until;
    static const int64_t length[] = {60, 120, 240, 400, 400};

    assert_int_equal(tracker_gate(t, &a, now, NULL), TRACKER_OPEN);
    for (int i = 0; i < 5; i++) {
        tracker_refused(t, &a, now, "InsufficientInstanceCapacity");
        tracker_refused(t, &a, now + 1, "the same launch of another job"); // counts once
        assert_int_equal(tracker_gate(t, &a, now + 1, &until), TRACKER_CLOSED);
        assert_int_equal(until, now + length[i]);
        assert_int_equal(tracker_gate(t, &b, now + 1, NULL), TRACKER_OPEN);
        now = until;
        assert_int_equal(tracker_gate(t, &a, now - 1, NULL), TRACKER_CLOSED);
        assert_int_equal(tracker_gate(t, &a, now, NULL), TRACKER_PROBE);
    }
    tracker_granted(t, &a, now);
    assert_int_equal(tracker_gate(t, &a, now, NULL), TRACKER_OPEN);
    tracker_refused(t, &a, now, "again");
    tracker_gate(t, &a, now, &until);
    assert_int_equal(until, now + 60); // starts small again
    tracker_destroy(t);
}

static void test_one_probe_at_a_time(void **arg)
{
    struct tracker *t = tracker_create(&conf);
    int64_t until;

    tracker_refused(t, &a, 1000, "");
    assert_false(tracker_take_probe(t, &a, 1030)); // still closed
    assert_true(tracker_take_probe(t, &a, 1060));
    assert_false(tracker_take_probe(t, &a, 1061));
    assert_int_equal(tracker_gate(t, &a, 1061, &until), TRACKER_CLOSED);
    assert_int_equal(until, 1090);
    assert_true(tracker_take_probe(t, &a, 1090)); // nobody reported on the first
    tracker_refused(t, &a, 1091, "");             // the probe failed: longer
    tracker_gate(t, &a, 1092, &until);
    assert_int_equal(until, 1091 + 120);
    tracker_destroy(t);
}

static void test_wide_refusals_cover(void **arg)
{
    struct tracker *t = tracker_create(&conf);
    struct tracker_place od = a;

    od.market = MARKET_ON_DEMAND;
    tracker_refused(t, &region, 1000, "quota");
    assert_int_equal(tracker_gate(t, &a, 1001, NULL), TRACKER_CLOSED);
    assert_int_equal(tracker_gate(t, &b, 1001, NULL), TRACKER_CLOSED);
    assert_int_equal(tracker_gate(t, &od, 1001, NULL), TRACKER_OPEN);
    cJSON *list = tracker_blocked(t, 1, 1001), *o = cJSON_GetArrayItem(list, 0);
    assert_int_equal(cJSON_GetArraySize(list), 1);
    assert_string_equal(json_str(o, "cloud", ""), "aws");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(o, "zone")));
    assert_string_equal(json_str(o, "market", ""), "spot");
    cJSON_Delete(list);
    // Half open: one node may, two may not.
    list = tracker_blocked(t, 1, 1060);
    assert_int_equal(cJSON_GetArraySize(list), 0);
    cJSON_Delete(list);
    list = tracker_blocked(t, 2, 1060);
    assert_int_equal(cJSON_GetArraySize(list), 1);
    cJSON_Delete(list);
    tracker_granted(t, &b, 1061); // a node in b shows that the quota is there
    assert_int_equal(tracker_gate(t, &a, 1061, NULL), TRACKER_OPEN);
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
    tracker_destroy(t);
}

static void test_rows_survive(void **arg)
{
    struct tracker *t = tracker_create(&conf), *u = tracker_create(&conf);
    burst_error_t err = {""};
    int64_t until_t, until_u;
    const cJSON *row;

    tracker_refused(t, &a, 1000, "capacity");
    tracker_refused(t, &a, 1060, "capacity");
    tracker_preempted(t, &b, 1000);
    tracker_priced(t, &b, 123456, 1000);
    cJSON *rows = tracker_rows(t);
    cJSON_ArrayForEach(row, rows) assert_int_equal(tracker_load_row(u, row, &err), 0);
    assert_int_equal(tracker_gate(t, &a, 1100, &until_t), tracker_gate(u, &a, 1100, &until_u));
    assert_int_equal(until_t, until_u);
    assert_true(tracker_preemption_rate(t, &b, 2000) == tracker_preemption_rate(u, &b, 2000));
    assert_int_equal(tracker_price(u, &b, 10, 1000), 123456);
    cJSON *bad = cJSON_CreateObject();
    assert_int_equal(tracker_load_row(u, bad, &err), -1);
    assert_non_null(strstr(err.text, "is missing"));
    cJSON_Delete(bad);
    cJSON_Delete(rows);
    // Long after, nothing of it matters.
    assert_int_equal(tracker_prune(u, 1000 + 30 * 86400), 0);
    tracker_destroy(t);
    tracker_destroy(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_grow),         cmocka_unit_test(test_one_probe_at_a_time),
        cmocka_unit_test(test_wide_refusals_cover), cmocka_unit_test(test_effective_price),
        cmocka_unit_test(test_prices_age),          cmocka_unit_test(test_rows_survive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
