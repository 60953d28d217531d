// SPDX-License-Identifier: GPL-3.0-or-later
// The sweeper's table, cell by cell: what the journal says x what the cloud says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/reap.h"

static struct reap_facts listed(enum inst_state state, enum provider_state cloud)
{
    struct reap_facts f = {.journalled = true,
                           .state = state,
                           .listed = true,
                           .cloud_state = cloud,
                           .age_s = 1000,
                           .minimum_age_s = 90};
    return f;
}

static const enum inst_state wanted[] = {INST_LAUNCHING, INST_LAUNCHED, INST_UP,
                                         INST_READY,     INST_BOUND,    INST_JOINED,
                                         INST_BUSY,      INST_IDLE,     INST_DRAINING};
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

static void wanted_and_alive(void **state)
{
    for (size_t k = 0; k < WANTED; k++) {
        struct reap_facts f = listed(wanted[k], PROVIDER_RUNNING);
        assert_int_equal(reap_decide(&f), REAP_UPDATE);
        f.cloud_state = PROVIDER_PENDING;
        assert_int_equal(reap_decide(&f), REAP_UPDATE);
    }
}

static void wanted_and_ended(void **state)
{
    for (size_t k = 0; k < WANTED; k++) {
        struct reap_facts f = listed(wanted[k], PROVIDER_TERMINATED);
        assert_int_equal(reap_decide(&f), REAP_LOST);
        f.cloud_state = PROVIDER_STOPPING;
        assert_int_equal(reap_decide(&f), REAP_LOST);
    }
}

static void unwanted(void **state)
{
    struct reap_facts f = listed(INST_TERMINATING, PROVIDER_TERMINATED);

    assert_int_equal(reap_decide(&f), REAP_GONE);
    f.cloud_state = PROVIDER_STOPPING;
    assert_int_equal(reap_decide(&f), REAP_UPDATE);
    f.cloud_state = PROVIDER_RUNNING;
    assert_int_equal(reap_decide(&f), REAP_UPDATE);
}

// Listings are eventually consistent: an instance that was just launched may be missing.
static void missing_needs_time_and_a_confirmation(void **state)
{
    for (size_t k = 1; k < WANTED; k++) {
        struct reap_facts f = {.journalled = true,
                               .state = wanted[k],
                               .age_s = 100000,
                               .misses = 3,
                               .missing_s = 60,
                               .absent = true};
        assert_int_equal(reap_decide(&f), REAP_LOST);
        f.absent = false;
        assert_int_equal(reap_decide(&f), REAP_ASK);
        f.misses = 2;
        assert_int_equal(reap_decide(&f), REAP_WAIT);
        f.misses = 3;
        f.missing_s = 59;
        assert_int_equal(reap_decide(&f), REAP_WAIT);
    }
    struct reap_facts f = {.journalled = true,
                           .state = INST_TERMINATING,
                           .age_s = 60,
                           .misses = 3,
                           .missing_s = 60,
                           .absent = true};
    assert_int_equal(reap_decide(&f), REAP_GONE);
    f.misses = 1;
    assert_int_equal(reap_decide(&f), REAP_WAIT);
    f.state = INST_LAUNCHING; // its launch is under way and tells by itself
    f.misses = 100;
    assert_int_equal(reap_decide(&f), REAP_NOTHING);
}

static void orphans_need_a_minimum_age(void **state)
{
    struct reap_facts f = {.listed = true,
                           .known = true,
                           .cloud_state = PROVIDER_RUNNING,
                           .age_s = 89,
                           .minimum_age_s = 90};

    assert_int_equal(reap_decide(&f), REAP_NOTHING);
    f.age_s = 90;
    assert_int_equal(reap_decide(&f), REAP_ORPHAN);
    f.journalled = true; // known, and believed to be gone
    f.state = INST_GONE;
    assert_int_equal(reap_decide(&f), REAP_ORPHAN);
    f.cloud_state = PROVIDER_TERMINATED;
    assert_int_equal(reap_decide(&f), REAP_NOTHING);
    f.unpaid = true; // it ended before we knew that it had begun
    f.age_s = 5;
    assert_int_equal(reap_decide(&f), REAP_ORPHAN);
    f.cloud_state = PROVIDER_STOPPING;
    assert_int_equal(reap_decide(&f), REAP_NOTHING);
    f.listed = false;
    assert_int_equal(reap_decide(&f), REAP_NOTHING);
}

// Every launch is journaled first: what this journal has never known may serve another one.
static void strangers_are_left_alone(void **state)
{
    struct reap_facts f = {
        .listed = true, .cloud_state = PROVIDER_RUNNING, .age_s = 89, .minimum_age_s = 90};

    assert_int_equal(reap_decide(&f), REAP_NOTHING);
    f.age_s = 100000;
    assert_int_equal(reap_decide(&f), REAP_STRANGER);
    f.cloud_state = PROVIDER_STOPPING;
    assert_int_equal(reap_decide(&f), REAP_NOTHING);
    f.cloud_state = PROVIDER_TERMINATED;
    assert_int_equal(reap_decide(&f), REAP_NOTHING);
}

// A listing that was made before its end was confirmed may come after it.
static void an_old_listing_revives_nothing(void **state)
{
    struct reap_facts f = {.listed = true,
                           .known = true,
                           .confirmed = true,
                           .cloud_state = PROVIDER_RUNNING,
                           .age_s = 1000,
                           .listed_s = 59,
                           .minimum_age_s = 90};

    assert_int_equal(reap_decide(&f), REAP_NOTHING);
    f.listed_s = 60;
    assert_int_equal(reap_decide(&f), REAP_ORPHAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wanted_and_alive),
        cmocka_unit_test(wanted_and_ended),
        cmocka_unit_test(unwanted),
        cmocka_unit_test(missing_needs_time_and_a_confirmation),
        cmocka_unit_test(orphans_need_a_minimum_age),
        cmocka_unit_test(strangers_are_left_alone),
        cmocka_unit_test(an_old_listing_revives_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
