// SPDX-License-Identifier: GPL-3.0-or-later
// Money: each second of an instance is charged once, to whom it served, and the parts add up to the
// cloud's bill. Expected sums are counted by hand: at $3.60 an hour a second costs 1000
// micro-dollars.
#include <malloc.h>
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
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/ledger.h"
#include "node/instance_state.h"
#include "ssh/port_wait.h"
#include "ssh/ssh_op.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

#define T0 INT64_C(1700000000)

static int64_t now_s;
int64_t __wrap_clock_now_s(void);
int64_t __wrap_clock_now_s(void)
{
    return now_s;
}

void ssh_op_cancel(struct ssh_op *op)
{
    fail_msg("no SSH here");
}

void port_wait_cancel(struct port_wait *w)
{
    fail_msg("no SSH here");
}

static struct burst_conf conf;
static struct burstd b;
static char path[] = "/tmp/burst-ledger-XXXXXX";

static int begin(void **state)
{
    burst_error_t err;
    int fd;

    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    if ((fd = mkstemp(path)) < 0)
        return -1;
    close(fd);
    setenv("TZ", "UTC", 1); // "today" begins at a known time
    tzset();
    memset(&b, 0, sizeof(b));
    memset(&conf, 0, sizeof(conf));
    conf.node_idle_s = 300;
    conf.max_time_s = 86400;
    b.conf = &conf;
    b.instances = instances_create(&b);
    b.jobs = jobs_create(&b);
    b.store = store_open(path, &err);
    now_s = T0;
    return b.store ? 0 : -1;
}

static int end(void **state)
{
    const char *tails[] = {"", "-wal", "-shm"};
    char name[80];

    instances_destroy(b.instances);
    jobs_destroy(b.jobs);
    store_close(b.store);
    for (size_t k = 0; k < 3; k++) {
        snprintf(name, sizeof(name), "%s%s", path, tails[k]);
        unlink(name);
    }
    return 0;
}

static struct instance *rent(const char *id, money_t price)
{
    struct instance *i = xmalloc(sizeof(*i));

    snprintf(i->id, sizeof(i->id), "%s", id);
    snprintf(i->cloud, sizeof(i->cloud), "aws");
    snprintf(i->partition, sizeof(i->partition), "aws");
    i->price = price;
    i->state = INST_LAUNCHED;
    i->created = i->launched = i->charged_to = now_s;
    instances_add(b.instances, i);
    return i;
}

static struct bjob *job(const char *key, int64_t limit_s)
{
    struct bjob *j = bjob_create();

    snprintf(j->key, sizeof(j->key), "%s", key);
    snprintf(j->user, sizeof(j->user), "alice");
    snprintf(j->cloud, sizeof(j->cloud), "aws");
    j->limit_s = limit_s;
    jobs_add(b.jobs, j);
    return j;
}

static void enter(struct instance *i, int64_t at, enum inst_state state)
{
    now_s = T0 + at;
    assert_int_equal(instance_state(&b, i, state, NULL), 0);
}

static void each_second_goes_to_whom_it_served(void **state)
{
    struct instance *i = rent("i-0", 3600000);
    struct bjob *j = job("7", 1000);

    instance_set_job(b.instances, i, "7");
    enter(i, 30, INST_UP);
    enter(i, 50, INST_BOUND);
    enter(i, 60, INST_BUSY);
    assert_int_equal(ledger_job_cost(&b, j), 0); // boot is not the job's
    now_s = T0 + 100;
    assert_int_equal(ledger_job_cost(&b, j), 40000);
    enter(i, 160, INST_IDLE);
    instance_set_job(b.instances, i, "");
    assert_int_equal(ledger_job_cost(&b, j), 100000);
    enter(i, 210, INST_TERMINATING);
    i->ended = T0 + 215; // the cloud's own end, seen five seconds later
    enter(i, 220, INST_GONE);
    assert_int_equal(store_job_cost(b.store, "7", 0), 100000);
    assert_int_equal(store_instance_cost(b.store, "i-0"), 215000);
    assert_int_equal(ledger_today(&b, "aws"), 215000);
    assert_int_equal(ledger_today(&b, "gcp"), 0);

    cJSON *rows = store_cost(b.store, "cloud", T0 - 1, T0 + 1000, NULL);
    const cJSON *row = cJSON_GetArrayItem(rows, 0);
    assert_int_equal(json_i64(row, "busy_uusd", 0), 100000);
    assert_int_equal(json_i64(row, "overhead_uusd", 0), 115000);
    cJSON_Delete(rows);
}

static void a_node_under_notice_is_still_its_jobs(void **state)
{
    struct instance *i = rent("i-0", 3600000);

    job("7", 1000)->started = T0 + 10;
    instance_set_job(b.instances, i, "7");
    enter(i, 10, INST_BUSY);
    enter(i, 20, INST_DRAINING);
    enter(i, 50, INST_TERMINATING);
    assert_int_equal(store_job_cost(b.store, "7", 0), 40000);
}

static void a_notice_before_its_job_began_is_overhead(void **state)
{
    struct instance *i = rent("i-0", 3600000);
    struct bjob *j = job("7", 1000);

    instance_set_job(b.instances, i, "7");
    enter(i, 10, INST_JOINED);
    enter(i, 20, INST_DRAINING);
    now_s = T0 + 30;
    assert_int_equal(ledger_job_cost(&b, j), 0);
    enter(i, 50, INST_TERMINATING);
    assert_int_equal(store_job_cost(b.store, "7", 0), 0);
    assert_int_equal(store_instance_cost(b.store, "i-0"), 50000);
}

static void parts_add_up_without_a_rest(void **state)
{
    struct instance *i = rent("i-0", 1000003); // 277.78 a second
    burst_error_t err;

    for (int s = 1; s <= 7; s++)
        assert_int_equal(ledger_cut(&b, i, T0 + s, &err), 0);
    assert_int_equal(ledger_cut(&b, i, T0 + 7, &err), 0);        // nothing new
    assert_int_equal(ledger_cut(&b, i, T0 + 3, &err), 0);        // a clock that went back
    assert_int_equal(store_instance_cost(b.store, "i-0"), 1944); // 7 * 1000003 / 3600, rounded down
}

static void cut(struct instance *i)
{
    burst_error_t err;

    assert_int_equal(ledger_cut(&b, i, now_s, &err), 0);
}

static void cutting_changes_no_sum(void **state)
{
    struct instance *i = rent("i-0", 1000003);

    now_s = T0 + 1000;
    assert_int_equal(ledger_instance_cost(&b, i), 277778);
    cut(i);
    cut(i);
    assert_int_equal(store_instance_cost(b.store, "i-0"), 277778);
    assert_int_equal(ledger_instance_cost(&b, i), 277778);
    i->ended = T0 + 500; // it had ended long before we heard of it
    enter(i, 1000, INST_GONE);
    assert_int_equal(store_instance_cost(b.store, "i-0"), 138889); // 500 s
}

struct sum {
    unsigned parts;
    money_t money;
    char kinds[64];
};

static void add_part(void *arg, const struct charge *c)
{
    struct sum *s = arg;

    assert_string_equal(c->instance, "i-0");
    s->parts++;
    s->money += c->amount;
    snprintf(s->kinds + strlen(s->kinds), sizeof(s->kinds) - strlen(s->kinds), "%s %s;", c->kind,
             c->user);
}

// Who asks for the cost again and again makes no row: what runs is summed beside the journal.
static void what_runs_is_told_and_not_written(void **state)
{
    struct instance *i = rent("i-0", 3600000);
    struct sum s = {0};

    now_s = T0 + 6400 + 100; // over a midnight
    ledger_running(&b, add_part, &s);
    assert_int_equal(s.parts, 2);
    assert_int_equal(s.money, 6500000);
    assert_string_equal(s.kinds, "boot ;boot ;");
    assert_int_equal(store_charges_until(b.store), 0);
    assert_int_equal(i->charged_to, T0);
    // After a cut only what came since.
    job("7", 1000);
    instance_set_job(b.instances, i, "7");
    enter(i, 7000, INST_BUSY);
    memset(&s, 0, sizeof(s));
    now_s += 5;
    ledger_running(&b, add_part, &s);
    assert_int_equal(s.money, 5000);
    assert_string_equal(s.kinds, "busy alice;");
    enter(i, 7010, INST_TERMINATING);
    i->ended = now_s;
    enter(i, 7010, INST_GONE);
    memset(&s, 0, sizeof(s));
    now_s += 5;
    ledger_running(&b, add_part, &s);
    assert_int_equal(s.parts, 0);
}

// The sums that are kept are those of the journal, also after what was rolled back.
static void kept_sums_are_those_of_the_journal(void **state)
{
    struct instance *i = rent("i-0", 3600000);
    struct bjob *j = job("7", 1000);
    burst_error_t err;

    instance_set_job(b.instances, i, "7");
    enter(i, 10, INST_BUSY);
    assert_int_equal(ledger_job_cost(&b, j), 0);
    assert_int_equal(ledger_instance_cost(&b, i), 10000);
    now_s = T0 + 30;
    assert_int_equal(store_begin(b.store, &err), 0);
    cut(i);
    assert_int_equal(ledger_job_cost(&b, j), 20000);
    store_rollback(b.store);
    i->charged_to = T0 + 10;
    assert_int_equal(ledger_job_cost(&b, j), 20000);
    assert_int_equal(ledger_instance_cost(&b, i), 30000);
    cut(i);
    assert_int_equal(ledger_job_cost(&b, j), 20000);
    assert_int_equal(store_job_cost(b.store, "7", 0), 20000);
    assert_int_equal(ledger_instance_cost(&b, i), 30000);
    assert_int_equal(store_instance_cost(b.store, "i-0"), 30000);
}

static void an_unknown_price_is_no_price(void **state)
{
    struct instance *i = rent("i-0", MONEY_UNKNOWN);

    enter(i, 100, INST_TERMINATING);
    i->ended = T0 + 100;
    enter(i, 110, INST_GONE);
    assert_int_equal(store_instance_cost(b.store, "i-0"), 0);
}

static void caps_count_what_is_still_to_come(void **state)
{
    // Limit 1000 s, boot 240, end 60, idle 300 and 120 more if Slurm does not give the node back.
    money_t bound = ledger_bound(&b, 3600000, 1, 1000);
    assert_int_equal(bound, 1720000);

    struct instance *i = rent("i-0", 3600000);
    struct bjob *j = job("7", 1000);
    instance_set_job(b.instances, i, "7");
    assert_int_equal(ledger_committed(&b, "aws"), bound);
    assert_int_equal(ledger_committed(&b, "gcp"), 0);
    for (int64_t s = 0; s <= 240; s += 40) { // booting uses the allowance up
        now_s = T0 + s;
        assert_int_equal(ledger_today(&b, NULL) + ledger_committed(&b, NULL), bound);
    }
    j->started = T0 + 240;
    for (int64_t s = 240; s <= 1240; s += 100) {
        now_s = T0 + s;
        assert_int_equal(ledger_today(&b, NULL) + ledger_committed(&b, NULL), bound);
    }
    instance_set_job(b.instances, i, ""); // over: idle and end are left
    i->idle_since = T0 + 1240;
    assert_int_equal(ledger_committed(&b, NULL), 480000);
    now_s = T0 + 1720;
    assert_int_equal(ledger_committed(&b, NULL), 0);
    assert_int_equal(ledger_today(&b, NULL), bound);
}

// 27.778 micro-dollars a second: nothing may be gained or lost by rounding, and neither the way
// home nor the end of a node is free.
static void stage_out_and_the_end_are_within_the_bound(void **state)
{
    money_t bound = ledger_bound(&b, 100001, 1, 1000);
    struct instance *i = rent("i-0", 100001);
    struct bjob *j = job("7", 1000);

    instance_set_job(b.instances, i, "7");
    j->started = T0 + 40; // 200 s of its boot are left
    now_s = j->ended = T0 + 1040;
    for (; now_s <= j->ended + 200; now_s += 7)
        assert_int_equal(ledger_today(&b, NULL) + ledger_committed(&b, NULL), bound);
    instance_set_job(b.instances, i, "");
    i->idle_since = now_s = T0 + 1240;
    assert_int_equal(ledger_today(&b, NULL) + ledger_committed(&b, NULL), bound);
    now_s += 420; // idle for too long
    i->state = INST_TERMINATING;
    i->since = now_s;
    for (; now_s <= i->since + 60; now_s += 7)
        assert_int_equal(ledger_today(&b, NULL) + ledger_committed(&b, NULL), bound);
}

static void a_job_without_a_limit_counts_with_the_sites(void **state)
{
    struct instance *i = rent("i-0", 3600000);

    job("7", 0);
    instance_set_job(b.instances, i, "7");
    assert_int_equal(ledger_committed(&b, NULL), INT64_C(1000) * (86400 + 720));
}

static money_t spent(int64_t from, int64_t to)
{
    cJSON *rows = store_cost(b.store, "cloud", from, to, NULL);
    money_t sum = json_i64(cJSON_GetArrayItem(rows, 0), "total_uusd", 0);

    cJSON_Delete(rows);
    return sum;
}

static void set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

// At $3.60 an hour: seconds of each local day x 1000. T0 is 22:13:20 UTC.
static void each_day_has_its_own_seconds(void **state)
{
    struct instance *i = rent("i-0", 3600000);
    int64_t midnight = T0 + 6400, next = midnight + 86400;

    now_s = midnight + 100; // nobody looked at midnight
    assert_int_equal(ledger_today(&b, "aws"), 100000);
    assert_int_equal(ledger_today(&b, NULL), 100000);
    assert_int_equal(ledger_instance_cost(&b, i), 6500000);
    now_s = next + 300; // burstd was down for more than a day
    cut(i);
    assert_int_equal(ledger_today(&b, "aws"), 300000);
    assert_int_equal(spent(T0 - 80000, midnight), 6400000);
    assert_int_equal(spent(midnight, next), 86400000);
    assert_int_equal(spent(next, next + 86400), 300000);
    assert_int_equal(store_instance_cost(b.store, "i-0"), 93100000);
    i->ended = midnight - 400; // and it was long gone
    enter(i, 6400 + 86400 + 400, INST_GONE);
    assert_int_equal(ledger_today(&b, "aws"), 0);
    assert_int_equal(spent(T0 - 80000, midnight), 6000000);
    assert_int_equal(spent(midnight, next), 0);
    assert_int_equal(store_instance_cost(b.store, "i-0"), 6000000);
}

static void three_days(const char *zone, int64_t begin, int64_t end)
{
    set_zone(zone);
    now_s = begin - 7200;
    struct instance *i = rent("i-0", 3600000);
    now_s = end + 7200;
    cut(i);
    assert_int_equal(spent(begin - 80000, begin), 7200000);
    assert_int_equal(spent(begin, end), (end - begin) * 1000);
    assert_int_equal(spent(end, end + 80000), 7200000);
    assert_int_equal(ledger_today(&b, NULL), 7200000);
}

static void the_long_day_has_25_hours(void **state)
{
    // Sunday 29 October 2023
    three_days("CET-1CEST,M3.5.0,M10.5.0/3", 1698530400, 1698530400 + 25 * 3600);
}

static void the_short_day_has_23_hours(void **state)
{
    // Sunday 26 March 2023
    three_days("CET-1CEST,M3.5.0,M10.5.0/3", 1679785200, 1679785200 + 23 * 3600);
}

static void clocks_may_change_at_midnight(void **state)
{
    // Sunday 26 March 2023 begins at 01:00 of a zone two hours before Greenwich
    three_days("AAA-2BBB,M3.5.0/0,M10.5.0/0", 1679781600, 1679781600 + 23 * 3600);
}

static void an_hour_before_midnight_may_come_twice(void **state)
{
    // Saturday 28 October 2023 has 23:00 to 24:00 twice
    three_days("AAA-2BBB,M3.5.0/0,M10.5.0/0", 1698440400, 1698440400 + 25 * 3600);
}

static int begin_attempt(struct bjob *j, bool commit)
{
    burst_error_t err;

    assert_int_equal(store_begin(b.store, &err), 0);
    assert_int_equal(ledger_transfer(&b, j, &err), 0);
    assert_int_equal(store_put_job(b.store, j, &err), 0);
    if (commit)
        return store_commit(b.store, &err);
    store_rollback(b.store);
    return 0;
}

static void egress_is_charged_once_to_its_job(void **state)
{
    struct instance *i = rent("i-0", 3600000), *k = rent("i-1", 3600000);
    struct bjob *j = job("7", 1000);
    money_t bound = ledger_bound(&b, 3600000, 2, 1000);

    instance_set_job(b.instances, i, "7");
    instance_set_job(b.instances, k, "7");
    j->transfer = 1234;
    j->state = JOB_CANDIDATE; // of a place that did not work out
    assert_int_equal(ledger_committed(&b, "aws"), bound);
    for (j->state = JOB_SECURING; j->state <= JOB_PLACED; j->state++) {
        assert_int_equal(ledger_committed(&b, "aws"), bound + 1234); // not once per node
        assert_int_equal(ledger_committed(&b, NULL), bound + 1234);
        assert_int_equal(ledger_committed(&b, "gcp"), 0);
    }
    begin_attempt(j, false); // killed in between
    assert_int_equal(ledger_job_cost(&b, j), 0);
    j->transfer = 1234;
    j->egress = 0;
    j->state = JOB_RUNNING;
    for (int times = 0; times < 2; times++) {
        assert_int_equal(begin_attempt(j, true), 0);
        assert_int_equal(j->transfer, 0);
        assert_int_equal(ledger_job_cost(&b, j), 1234);
        assert_int_equal(ledger_today(&b, "aws"), 1234);
        assert_int_equal(ledger_today(&b, "gcp"), 0);
        assert_int_equal(ledger_committed(&b, "aws"), bound);
    }
    struct bjob *kept = store_find_job(b.store, "7");
    assert_int_equal(kept->transfer, 0);
    bjob_destroy(kept);
    cJSON *rows = store_cost(b.store, "job", T0 - 1, T0 + 1000, "alice");
    assert_int_equal(json_i64(cJSON_GetArrayItem(rows, 0), "transfer_uusd", 0), 1234);
    cJSON_Delete(rows);
}

// Most jobs of a site are only watched.
static void ten_thousand_jobs_that_wait_need_little(void **state)
{
    size_t before = mallinfo2().uordblks;
    char key[16];

    for (int k = 0; k < 10000; k++) {
        snprintf(key, sizeof(key), "%d", k);
        bjob_set(&job(key, 0)->mark, "burst:1 eligible max_cost=100000000 runtime=3600 part=main");
    }
    assert_in_range(mallinfo2().uordblks - before, 0, 20 << 20); // 0 with a sanitizer's malloc
    struct bjob *j = jobs_find(b.jobs, "9999");
    const char *texts[] = {j->node_names, j->history, j->stage, j->pull_why, j->comment};
    for (size_t k = 0; k < 5; k++)
        assert_string_equal(texts[k], "");
    bjob_set(&j->mark, j->mark + 8); // of its own tail
    assert_string_equal(j->mark, "eligible max_cost=100000000 runtime=3600 part=main");
    bjob_set(&j->mark, "");
    assert_string_equal(j->mark, "");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        T(each_second_goes_to_whom_it_served),
        T(a_node_under_notice_is_still_its_jobs),
        T(a_notice_before_its_job_began_is_overhead),
        T(parts_add_up_without_a_rest),
        T(cutting_changes_no_sum),
        T(what_runs_is_told_and_not_written),
        T(kept_sums_are_those_of_the_journal),
        T(an_unknown_price_is_no_price),
        T(caps_count_what_is_still_to_come),
        T(stage_out_and_the_end_are_within_the_bound),
        T(a_job_without_a_limit_counts_with_the_sites),
        T(egress_is_charged_once_to_its_job),
        T(each_day_has_its_own_seconds),
        T(ten_thousand_jobs_that_wait_need_little),
        T(the_long_day_has_25_hours),
        T(the_short_day_has_23_hours),
        T(clocks_may_change_at_midnight),
        T(an_hour_before_midnight_may_come_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
