// SPDX-License-Identifier: GPL-3.0-or-later
// Places that are left out: for twice as long each time, up to a limit, until they work again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "blocklist.h"
#include "libburst/json.h"
#include "store.h"

#define T0 INT64_C(1700000000)

static int64_t now_s;
int64_t __wrap_clock_now_s(void);
int64_t __wrap_clock_now_s(void)
{
    return now_s;
}

static struct burstd b;
static char path[] = "/tmp/burst-blocked-XXXXXX";

static int begin(void **state)
{
    burst_error_t err;
    int fd;

    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    if ((fd = mkstemp(path)) < 0)
        return -1;
    close(fd);
    now_s = T0;
    b.store = store_open(path, &err);
    b.blocked = blocklist_create(&b);
    return 0;
}

static int end(void **state)
{
    const char *tails[] = {"", "-wal", "-shm"};
    char name[80];

    blocklist_destroy(b.blocked);
    store_close(b.store);
    for (size_t k = 0; k < 3; k++) {
        snprintf(name, sizeof(name), "%s%s", path, tails[k]);
        unlink(name);
    }
    return 0;
}

static void refuse(const char *zone)
{
    blocklist_add(b.blocked, "aws", "us-east-1", zone, "p4d", "spot", 60, 200, "no capacity");
}

static int blocked(void)
{
    cJSON *a = blocklist_request(b.blocked);
    int n = cJSON_GetArraySize(a);

    cJSON_Delete(a);
    return n;
}

// Seconds until the only row ends.
static int64_t left(void)
{
    cJSON *a = blocklist_json(b.blocked);
    int64_t until = json_i64(cJSON_GetArrayItem(a, 0), "until", now_s);

    assert_int_equal(cJSON_GetArraySize(a), 1);
    cJSON_Delete(a);
    return until - now_s;
}

static void each_refusal_doubles_up_to_the_limit(void **state)
{
    static const int64_t want[] = {60, 120, 200, 200};

    for (int k = 0; k < 4; k++) {
        refuse("a");
        assert_int_equal(left(), want[k]);
        now_s += want[k] - 1;
        assert_int_equal(blocked(), 1);
        now_s += 1;
        assert_int_equal(blocked(), 0);
    }
}

static void refusals_at_the_same_time_are_one(void **state)
{
    for (int k = 0; k < 5; k++)
        refuse("a");
    assert_int_equal(left(), 60);
    now_s += 10;
    refuse("a");
    assert_int_equal(left(), 50);
}

static void long_after_it_is_news_again(void **state)
{
    refuse("a");
    now_s = T0 + 60 + 4 * 60;
    refuse("a");
    assert_int_equal(left(), 60);
}

static void a_launch_that_works_forgets_it(void **state)
{
    refuse("a");
    blocklist_clear(b.blocked, "aws", "us-east-1", "b", "p4d", "spot"); // another place
    assert_int_equal(blocked(), 1);
    blocklist_clear(b.blocked, "aws", "us-east-1", "a", "p4d", "spot");
    assert_int_equal(blocked(), 0);
    refuse("a");
    assert_int_equal(left(), 60);
}

static void it_survives_a_restart(void **state)
{
    refuse("a");
    now_s += 60;
    refuse("a");
    blocklist_destroy(b.blocked);
    b.blocked = blocklist_create(&b);
    assert_int_equal(left(), 120);
}

static void rows_that_ended_are_not_mixed_up_with_others(void **state)
{
    refuse("a");
    now_s += 30;
    blocklist_add(b.blocked, "gcp", "", "", "a2", "", 100, 200, "quota");
    now_s += 30;
    cJSON *a = blocklist_json(b.blocked);
    const cJSON *row = cJSON_GetArrayItem(a, 0);
    assert_int_equal(cJSON_GetArraySize(a), 1);
    assert_string_equal(json_str(row, "cloud", ""), "gcp");
    assert_string_equal(json_str(row, "reason", ""), "quota");
    assert_int_equal(json_i64(row, "until", 0), T0 + 130);
    assert_string_equal(json_str(row, "zone", "any"), "any");
    cJSON_Delete(a);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        T(each_refusal_doubles_up_to_the_limit),
        T(refusals_at_the_same_time_are_one),
        T(long_after_it_is_news_again),
        T(a_launch_that_works_forgets_it),
        T(it_survives_a_restart),
        T(rows_that_ended_are_not_mixed_up_with_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
