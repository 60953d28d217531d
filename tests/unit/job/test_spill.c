// SPDX-License-Identifier: GPL-3.0-or-later
// When may a waiting job leave? The rules of the design, case by case.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "job/spill.h"

#define NOW 1000000

static struct spill_facts waiting(const char *reason)
{
    struct spill_facts f = {.pending = true,
                            .reason = reason,
                            .now = NOW,
                            .eligible = NOW - 100,
                            .runtime_s = 3600,
                            .wait_threshold_s = 300};
    return f;
}

static void only_missing_capacity_lets_a_job_leave(void **state)
{
    const char *others[] = {
        "Dependency", "JobHeldUser",        "AssocGrpCpuLimit", "QOSMaxJobsPerUserLimit",
        "BeginTime",  "PartitionTimeLimit", "ReqNodeNotAvail"};
    char why[200];

    for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
        struct spill_facts f = waiting(others[k]);
        f.wait_threshold_s = 0;
        assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_STAY);
        assert_non_null(strstr(why, others[k]));
    }
    const char *capacity[] = {"Resources", "Priority"};
    for (size_t k = 0; k < 2; k++) {
        struct spill_facts f = waiting(capacity[k]);
        f.wait_threshold_s = 0;
        assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_LEAVE);
    }
}

static void a_job_that_does_not_wait_stays(void **state)
{
    struct spill_facts f = waiting("Resources");
    char why[200];

    f.pending = false;
    f.wait_threshold_s = 0;
    assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_STAY);
}

static void held_for_bursting_leaves_whatever_the_reason(void **state)
{
    struct spill_facts f = waiting("JobHeldAdmin");
    char why[200];

    f.held_for_burst = true;
    assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_LEAVE);
}

static void the_expected_local_start_decides(void **state)
{
    struct spill_facts f = waiting("Resources");
    char why[200];

    f.expected_start = NOW + 300; // within the threshold, just
    assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_LATER);
    assert_string_equal(why, "Slurm expects to start it here in 00:05:00; jobs leave when that is "
                             "longer than 00:05:00");
    f.expected_start = NOW + 7459;
    assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_LEAVE);
    assert_string_equal(why, "Slurm expects to start it here only in 02:04:19");
    f.expected_start = NOW + 301;
    assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_LEAVE);
    f.min_pending_s = 101; // has waited 100 s
    assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_LATER);
    assert_string_equal(why, "it has waited for 00:01:40, the site lets jobs wait for at least "
                             "00:01:41");
}

static void without_an_estimate_the_wait_so_far_decides(void **state)
{
    struct spill_facts f = waiting("Priority");
    char why[200];

    f.eligible = NOW - 299;
    assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_LATER);
    assert_string_equal(why, "it has waited for 00:04:59, Slurm gives no start time; jobs leave "
                             "after 00:05:00");
    f.eligible = NOW - 300;
    assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_LEAVE);
}

static void a_deadline_overrules_the_threshold(void **state)
{
    struct spill_facts f = waiting("Resources");
    char why[200];

    f.expected_start = NOW + 200; // would be waited for
    f.deadline = NOW + 200 + 3600;
    assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_LATER);
    f.deadline -= 1;
    assert_int_equal(spill_decide(&f, why, sizeof(why)), SPILL_LEAVE);
    assert_non_null(strstr(why, "deadline"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_missing_capacity_lets_a_job_leave),
        cmocka_unit_test(a_job_that_does_not_wait_stays),
        cmocka_unit_test(held_for_bursting_leaves_whatever_the_reason),
        cmocka_unit_test(the_expected_local_start_decides),
        cmocka_unit_test(without_an_estimate_the_wait_so_far_decides),
        cmocka_unit_test(a_deadline_overrules_the_threshold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
