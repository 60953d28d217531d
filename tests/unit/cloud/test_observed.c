// SPDX-License-Identifier: GPL-3.0-or-later
// What was seen of places: left out for twice as long each time, tried by one, open again; hours
// counted once; all of it kept over restarts, and not needed to be kept.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf.h"
#include "cloud/observed.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "ssh/port_wait.h"
#include "ssh/ssh_op.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

#define T0 INT64_C(1700000000)
#define PROBE_S 90 // launch_timeout and a minute

static int64_t now_s;
int64_t __wrap_clock_now_s(void);
int64_t __wrap_clock_now_s(void)
{
    return now_s;
}

static bool disk_full;
int __real_store_commit(struct store *s, burst_error_t *errp);
int __wrap_store_commit(struct store *s, burst_error_t *errp);
int __wrap_store_commit(struct store *s, burst_error_t *errp)
{
    if (!disk_full)
        return __real_store_commit(s, errp);
    store_rollback(s);
    return errprintf(errp, "no space left");
}

void ssh_op_cancel(struct ssh_op *op)
{
    fail_msg("no SSH here");
}

void port_wait_cancel(struct port_wait *w)
{
}

static struct burst_conf conf;
static struct burstd b;
static char path[] = "/tmp/burst-observed-XXXXXX";

static void load_instance(void *arg, struct instance *i)
{
    instances_add(b.instances, i);
}

static void load_job(void *arg, struct bjob *j)
{
    fail_msg("no jobs here");
}

static void start(void)
{
    burst_error_t err;

    b.instances = instances_create(&b);
    b.jobs = jobs_create(&b);
    b.store = store_open(path, &err);
    assert_non_null(b.store);
    assert_int_equal(store_load(b.store, load_instance, load_job, NULL, &err), 0);
    b.observed = observed_create(&b);
}

static void stop(void)
{
    observed_destroy(b.observed);
    instances_destroy(b.instances);
    jobs_destroy(b.jobs);
    store_close(b.store);
}

static int begin(void **state)
{
    int fd;

    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    if ((fd = mkstemp(path)) < 0)
        return -1;
    close(fd);
    now_s = T0;
    disk_full = false;
    memset(&b, 0, sizeof(b));
    memset(&conf, 0, sizeof(conf));
    conf.launch_timeout_s = 30;
    conf.spot_changeover_s = 180;
    b.conf = &conf;
    start();
    return 0;
}

static int end(void **state)
{
    const char *tails[] = {"", "-wal", "-shm"};
    char name[80];

    stop();
    for (size_t k = 0; k < 3; k++) {
        snprintf(name, sizeof(name), "%s%s", path, tails[k]);
        unlink(name);
    }
    return 0;
}

static void restart(void)
{
    stop();
    start();
}

static void refuse(const char *zone)
{
    observed_refused(b.observed, "aws", "us-east-1", zone, "p4d", "spot", 60, 200, "no capacity");
}

static void grant(const char *zone)
{
    observed_granted(b.observed, "aws", "us-east-1", zone, "p4d", true);
}

static bool launching(const char *zone, unsigned nodes)
{
    return observed_launching(b.observed, "aws", "us-east-1", zone, "p4d", true, nodes);
}

static int count(cJSON *a)
{
    int n = cJSON_GetArraySize(a);

    cJSON_Delete(a);
    return n;
}

static int blocked(void)
{
    return count(observed_blocked(b.observed));
}

static int limits(void)
{
    cJSON *a = cJSON_CreateArray();

    observed_add_limits(b.observed, a);
    return count(a);
}

// State and seconds until the end of the only place in `burst status`.
static int64_t left(const char *state)
{
    cJSON *o = observed_json(b.observed), *a = cJSON_GetObjectItem(o, "blocked");
    const cJSON *row = cJSON_GetArrayItem(a, 0);
    int64_t until = json_i64(row, "until", 0);

    assert_int_equal(cJSON_GetArraySize(a), 1);
    assert_string_equal(json_str(row, "state", ""), state);
    assert_string_equal(json_str(row, "reason", ""), "no capacity");
    cJSON_Delete(o);
    return until - now_s;
}

static void each_refusal_doubles_up_to_the_limit(void **state)
{
    static const int64_t want[] = {60, 120, 200, 200};

    for (int k = 0; k < 4; k++) {
        refuse("a");
        assert_int_equal(left("closed"), want[k]);
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
    assert_int_equal(left("closed"), 60);
    now_s += 10;
    refuse("a");
    assert_int_equal(left("closed"), 50);
}

static void long_after_it_is_news_again(void **state)
{
    refuse("a");
    now_s = T0 + 60 + 4 * 60;
    refuse("a");
    assert_int_equal(left("closed"), 60);
}

static void a_launch_that_works_forgets_all_that_cover_it(void **state)
{
    refuse("a");
    refuse(""); // a quota of the region
    observed_refused(b.observed, "aws", "", "", "p4d", "", 200, 200, "no such type");
    observed_refused(b.observed, "aws", "us-east-1", "b", "p4d", "spot", 60, 200, "none");
    assert_int_equal(blocked(), 4);
    grant("a");
    assert_int_equal(blocked(), 1); // zone b
    grant("b");
    assert_int_equal(blocked(), 0);
    refuse("a");
    assert_int_equal(left("closed"), 60);
}

static void one_node_tries_first(void **state)
{
    refuse("a");
    assert_false(launching("a", 1)); // planned before it was refused
    assert_true(launching("b", 2));
    assert_int_equal(limits(), 0);
    now_s += 60;
    assert_int_equal(left("half-open"), 60);
    assert_int_equal(blocked(), 0);
    assert_int_equal(limits(), 1);
    assert_false(launching("a", 2)); // gangs may not
    assert_true(launching("a", 1));
    assert_false(launching("a", 1)); // it is being tried
    assert_int_equal(left("probing"), PROBE_S);
    assert_int_equal(blocked(), 1);
    assert_int_equal(limits(), 0);
    now_s += 5;
    refuse("a");
    assert_int_equal(left("closed"), 120);
    now_s += 120;
    assert_true(launching("a", 1));
    grant("a");
    assert_int_equal(blocked() + limits(), 0);
    assert_true(launching("a", 2));
}

static void where_only_gangs_go_it_opens_by_itself(void **state)
{
    refuse("a");
    now_s += 119;
    assert_false(launching("a", 2));
    now_s += 1;
    assert_true(launching("a", 2));
    refuse("a"); // not news yet
    assert_int_equal(left("closed"), 120);
}

static void a_probe_without_an_answer_ends(void **state)
{
    refuse("a");
    now_s += 60;
    assert_true(launching("a", 1));
    observed_undecided(b.observed, "aws", "us-east-1", "a", "p4d", true);
    assert_true(launching("a", 1)); // the cloud did not answer: the next may try
    now_s += PROBE_S;
    assert_int_equal(left("half-open"), 60); // nobody came back to tell
}

static void a_probe_goes_on_over_a_restart(void **state)
{
    refuse("a");
    now_s += 60;
    assert_true(launching("a", 1));
    now_s += 10;
    restart();
    assert_int_equal(left("probing"), PROBE_S - 10);
    assert_false(launching("a", 1));
    refuse("a");
    restart();
    assert_int_equal(left("closed"), 120);
    grant("a");
    restart();
    assert_int_equal(blocked() + limits(), 0);
}

static void the_limit_names_the_place_as_patterns(void **state)
{
    observed_refused(b.observed, "aws", "us-east-1", "", "p4d[x]*", "spot", 60, 200, "quota");
    now_s += 60;
    cJSON *a = cJSON_CreateArray();
    observed_add_limits(b.observed, a);
    char *text = json_line(cJSON_GetArrayItem(a, 0));
    assert_string_equal(text, "{\"match\":{\"cloud\":\"aws\",\"region\":\"us-east-1\","
                              "\"instance_type\":\"p4d\\\\[x]\\\\*\",\"market\":\"spot\","
                              "\"offers\":true},\"max_nodes\":1}");
    free(text);
    cJSON_Delete(a);
}

// A request takes so many limits; the others wait.
static void more_half_open_places_than_limits(void **state)
{
    char zone[8];

    for (int k = 0; k < 70; k++) {
        snprintf(zone, sizeof(zone), "%d", k);
        refuse(zone);
    }
    assert_int_equal(blocked(), 70);
    now_s += 60;
    assert_int_equal(limits(), 64);
    assert_int_equal(blocked(), 6);
}

static void rows_that_ended_are_not_mixed_up_with_others(void **state)
{
    refuse("a");
    now_s += 30;
    observed_refused(b.observed, "gcp", "", "", "a2", "", 100, 200, "quota");
    now_s += 90;
    cJSON *o = observed_json(b.observed), *a = cJSON_GetObjectItem(o, "blocked");
    const cJSON *row = cJSON_GetArrayItem(a, 0);
    assert_int_equal(cJSON_GetArraySize(a), 1);
    assert_string_equal(json_str(row, "cloud", ""), "gcp");
    assert_string_equal(json_str(row, "reason", ""), "quota");
    assert_int_equal(json_i64(row, "until", 0), T0 + 130);
    assert_string_equal(json_str(row, "zone", "any"), "any");
    cJSON_Delete(o);
    a = observed_blocked(b.observed);
    char *text = json_line(a);
    assert_string_equal(text, "[{\"cloud\":\"gcp\",\"region\":null,\"zone\":null,"
                              "\"instance_type\":\"a2\",\"market\":null}]");
    free(text);
    cJSON_Delete(a);
}

// ---- hours and preemptions

static struct instance *rent(const char *id, bool spot)
{
    struct instance *i = xmalloc(sizeof(*i));

    snprintf(i->id, sizeof(i->id), "%s", id);
    snprintf(i->cloud, sizeof(i->cloud), "aws");
    snprintf(i->region, sizeof(i->region), "us-east-1");
    snprintf(i->zone, sizeof(i->zone), "a");
    snprintf(i->itype, sizeof(i->itype), "p4d");
    i->spot = spot;
    i->price = 1000000;
    i->state = INST_BUSY;
    i->created = i->launched = i->charged_to = now_s;
    instances_add(b.instances, i);
    return i;
}

// Of the only row in `burst status`, as it weighs now; -1: there is none.
static double seen(const char *what)
{
    cJSON *o = observed_json(b.observed), *a = cJSON_GetObjectItem(o, "rates");
    double v = json_dbl(cJSON_GetArrayItem(a, 0), what, -1);

    assert_in_range(cJSON_GetArraySize(a), 0, 1);
    cJSON_Delete(o);
    return v;
}

static void near(double x, double want)
{
    if (!(x > want - 0.01 && x < want + 0.01))
        fail_msg("%g is not %g", x, want);
}

static void hours_count_once(void **state)
{
    struct instance *i = rent("i-0", true);

    rent("i-1", false); // not spot
    now_s += 3599;
    observed_listed(b.observed, "aws");
    near(seen("hours"), -1);
    now_s += 1;
    observed_listed(b.observed, "gcp");
    near(seen("hours"), -1);
    observed_listed(b.observed, "aws");
    near(seen("hours"), 1);
    now_s += 1800;
    observed_listed(b.observed, "aws"); // less than an hour since
    near(seen("hours"), 1);
    observed_until(b.observed, i, now_s); // it ends
    observed_until(b.observed, i, now_s);
    observed_until(b.observed, i, T0 + 100); // corrected: what is counted stays
    near(seen("hours"), 1.5);
    i->state = INST_TERMINATING;
    now_s += 3600;
    observed_listed(b.observed, "aws");
    near(seen("hours"), 1.5);
}

static void hours_count_once_over_restarts(void **state)
{
    burst_error_t err;

    assert_int_equal(store_put_instance(b.store, rent("i-0", true), &err), 0);
    now_s += 7200;
    observed_listed(b.observed, "aws");
    near(seen("hours"), 2);
    restart();
    near(seen("hours"), 2);
    observed_listed(b.observed, "aws");
    near(seen("hours"), 2);
    now_s += 3600;
    restart();
    struct instance *i = instances_find(b.instances, "i-0");
    observed_until(b.observed, i, now_s);
    restart(); // killed before its end was journaled
    i = instances_find(b.instances, "i-0");
    assert_int_equal(i->state, INST_BUSY);
    observed_until(b.observed, i, now_s);
    near(seen("hours"), 3);
}

static void an_instance_that_was_not_listed_does_not_run(void **state)
{
    struct instance *i = rent("i-0", true);

    now_s += 7200;
    i->misses = 1;
    observed_listed(b.observed, "aws");
    near(seen("hours"), -1);
}

// (1 + 2) / (24 + 12) an hour.
static void preemptions_are_counted_of_spot_nodes(void **state)
{
    struct instance *i = rent("i-0", true), *od = rent("i-1", false);

    observed_ran(b.observed, i, 12 * 3600);
    observed_preempted(b.observed, i);
    observed_preempted(b.observed, i);
    observed_preempted(b.observed, od);
    near(seen("preemptions_per_hour"), 3.0 / 36);
    near(seen("preemptions"), 2);
    restart();
    near(seen("preemptions_per_hour"), 3.0 / 36);
    now_s += 60 * 86400; // of the half-life of a week, more than eight have gone
    near(seen("preemptions_per_hour"), -1);
}

static cJSON *rates(void)
{
    cJSON *request = cJSON_CreateObject();

    observed_add_rates(b.observed, request);
    return request;
}

static void requests_carry_what_differs(void **state)
{
    struct instance *i = rent("i-0", true);
    cJSON *r = rates();
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(r, "observed")), 0);
    assert_true(json_dbl(r, "changeover_hours", 0) == 0.05);
    assert_true(json_dbl(r, "default_preemptions_per_hour", 0) == 1.0 / 24);
    cJSON_Delete(r);

    observed_ran(b.observed, i, 12 * 3600);
    observed_preempted(b.observed, i);
    observed_preempted(b.observed, i);
    observed_priced(b.observed, "gcp", "us-west1", "", "a2", false, 1234567);
    // Prices that no plan would take.
    observed_priced(b.observed, "gcp", "us-west1", "", "a3", false, 0);
    observed_priced(b.observed, "gcp", "us-west1", "", "a4", false, 1000001 * MONEY_PER_USD);
    refuse("b"); // no experience
    r = rates();
    char *text = json_line(cJSON_GetObjectItem(r, "observed"));
    assert_string_equal(text, "[{\"cloud\":\"aws\",\"region\":\"us-east-1\",\"zone\":\"a\","
                              "\"instance_type\":\"p4d\",\"market\":\"spot\","
                              "\"preemptions_per_hour\":0.083333333333333329},"
                              "{\"cloud\":\"gcp\",\"region\":\"us-west1\",\"zone\":null,"
                              "\"instance_type\":\"a2\",\"market\":\"on-demand\","
                              "\"price_usd_per_hour\":1.234567}]");
    free(text);
    cJSON_Delete(r);

    conf.spot_changeover_s = 0; // by the price alone
    r = rates();
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(r, "observed")), 1);
    assert_null(cJSON_GetObjectItem(r, "changeover_hours"));
    cJSON_Delete(r);
    now_s += 86401; // the catalog's price counts again
    r = rates();
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(r, "observed")), 0);
    cJSON_Delete(r);
}

// ---- the journal

static void nothing_depends_on_the_journal(void **state)
{
    struct instance *i = rent("i-0", true);

    disk_full = true;
    refuse("a");
    observed_ran(b.observed, i, 7200);
    assert_int_equal(left("closed"), 60);
    now_s += 60;
    assert_true(launching("a", 1));
    assert_false(launching("a", 1));
    near(seen("hours"), 2);
    disk_full = false;
    refuse("b"); // all is written with the next change
    grant("b");
    restart();
    assert_int_equal(left("probing"), PROBE_S);
    near(seen("hours"), 2);
}

static void a_row_that_is_not_understood_is_left_out(void **state)
{
    burst_error_t err;
    cJSON *row = cJSON_CreateObject();

    json_add_str(row, "cloud", "aws");
    assert_int_equal(store_put_observed(b.store, "x", row, &err), 0);
    cJSON_Delete(row);
    refuse("a");
    restart();
    assert_int_equal(left("closed"), 60);
}

static void what_is_old_leaves_the_journal(void **state)
{
    refuse("a");
    now_s += 86400;
    observed_listed(b.observed, "aws");
    restart();
    refuse("a"); // as new
    assert_int_equal(left("closed"), 60);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        T(each_refusal_doubles_up_to_the_limit),
        T(refusals_at_the_same_time_are_one),
        T(long_after_it_is_news_again),
        T(a_launch_that_works_forgets_all_that_cover_it),
        T(one_node_tries_first),
        T(where_only_gangs_go_it_opens_by_itself),
        T(a_probe_without_an_answer_ends),
        T(a_probe_goes_on_over_a_restart),
        T(the_limit_names_the_place_as_patterns),
        T(more_half_open_places_than_limits),
        T(rows_that_ended_are_not_mixed_up_with_others),
        T(hours_count_once),
        T(hours_count_once_over_restarts),
        T(an_instance_that_was_not_listed_does_not_run),
        T(preemptions_are_counted_of_spot_nodes),
        T(requests_carry_what_differs),
        T(nothing_depends_on_the_journal),
        T(a_row_that_is_not_understood_is_left_out),
        T(what_is_old_leaves_the_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
