// SPDX-License-Identifier: GPL-3.0-or-later
// The promises of burstd under fire: hundreds of jobs, clouds that refuse, lie, lose replies and
// take instances back, a daemon killed at any moment. Whatever happens: no job is lost, nothing is
// launched twice, no instance is left, and the ledger says to the micro-dollar what the clouds
// bill.
//
// usage: test_sim [SEED [RUNS [TEST]]]; a failing seed is printed and can be run alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/clouds.h"
#include "cloud/observed.h"
#include "job/bounds_of.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/ledger.h"
#include "node/data_check.h"
#include "node/orphan.h"
#include "node/stage.h"
#include "plan/planner.h"
#include "slurm/slurm_link.h"
#include "state/bounds.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/journal.h"
#include "state/store.h"
#include "tick.h"
#include "world.h"

static const char yaml[] =
    "cluster: sim\n"
    "eligibility: {partitions: [main], accounts: ['*'], users: ['*'], max_time: 7d}\n"
    "spill: {wait_threshold: 0s, max_instances: 60}\n"
    "budget: {max_usd_per_job: 100, max_usd_per_day: 5000}\n"
    "reap: {minimum_age: 90s, interval: 30s}\n"
    "node_idle: 60s\n"
    "boot: {launch_timeout: 30s, ssh_timeout: 60s, join_timeout: 60s, block: 30s, block_max: 10m}\n"
    "spot: {signal: USR1, grace: 5s}\n"
    "data: {sync_interval: 30s, location: home/here}\n"
    "munge_key: /etc/burst/munge.key\n"
    "ssh: {key: /etc/burst/id, user: root}\n"
    "shapes:\n"
    "  - {name: cpu, cpus: 1, memory: 1000MiB, nodes: 6}\n"
    "clouds:\n"
    "  - {name: c1, provider: local, endpoint: 'http://127.0.0.1:1', credentials: /x, max_nodes: "
    "6}\n"
    "  - {name: c2, provider: local, endpoint: 'http://127.0.0.1:1', credentials: /x, max_nodes: "
    "6}\n"
    "  - {name: c3, provider: local, endpoint: 'http://127.0.0.1:1', credentials: /x, max_nodes: "
    "6}\n";

static bool capped;    // daily caps that the jobs reach
static bool caps_pass; // these may be passed, by a little
static bool mixed;     // jobs of all kinds, and waiting has a price
static char journal[4200];
static int64_t tick_ms;
static unsigned ticks;

static void poke(struct burstd *b)
{
    if (!journal_failing(b))    // as burstd does it
        tick_ms = world.now_ms; // at the next step
}

static void load_instance(void *arg, struct instance *i)
{
    instances_add(((struct burstd *)arg)->instances, i);
}

static void load_job(void *arg, struct bjob *j)
{
    j->stored = true;
    jobs_add(((struct burstd *)arg)->jobs, j);
}

static char public_key[] = "ssh-ed25519 AAAA";

static void daemon_start(void)
{
    struct burstd *b = xmalloc(sizeof(*b));
    struct conf_errors errs;
    burst_error_t err;

    world.generation++;
    assert_int_equal(conf_parse("sim.yaml", yaml, sizeof(yaml) - 1, &b->conf, &errs), 0);
    if (capped) { // a few jobs at a time; more when what was set aside for them is free again
        b->conf->max_per_day = 400000;
        b->conf->clouds[0].max_per_day = 150000;
        b->conf->clouds[1].max_per_day = 200000;
    }
    if (mixed)
        b->conf->waiting_usd = 100000;
    b->poke = poke;
    b->ssh_public_key = public_key;
    b->instances = instances_create(b);
    b->jobs = jobs_create(b);
    b->planner = planner_create(b);
    b->store = store_open(journal, &err);
    assert_non_null(b->store);
    assert_int_equal(store_load(b->store, load_instance, load_job, b, &err), 0);
    b->bounds = bounds_create(b);
    b->data_checks = data_checks_create(b);
    b->observed = observed_create(b);
    b->clouds = clouds_create(b, &err);
    world.b = b;
    tick_ms = world.now_ms;
}

// As kill -9: what is in memory is gone, what is in the journal stays.
static void daemon_kill(void)
{
    struct burstd *b = world.b;

    planner_destroy(b->planner);
    instances_destroy(b->instances);
    jobs_destroy(b->jobs);
    clouds_destroy(b->clouds);
    observed_destroy(b->observed);
    bounds_destroy(b->bounds);
    data_checks_destroy(b->data_checks);
    store_close(b->store);
    conf_free(b->conf);
    free(b);
    world.b = NULL;
}

static jmp_buf loop;
static bool in_loop;

// Of LeakSanitizer, in a build with it: ends the process if it finds any; does not look again at
// exit.
extern void __lsan_do_leak_check(void) __attribute__((weak));

// A process that is killed frees nothing: what the functions that are left here owned is lost. So
// leaks are looked for before the first such crash, and no more after it.
void crash_point(void)
{
    if (in_loop && world.b && world.crash_points && draw(100000) < world.crash_points) {
        if (__lsan_do_leak_check)
            __lsan_do_leak_check();
        longjmp(loop, 1);
    }
}

// At each moment: what was spent today and what may still be spent are within each cap.
static void check_caps(void)
{
    const struct burst_conf *c = world.b->conf;

    for (unsigned k = 0; k <= c->n_clouds; k++) {
        const char *cloud = k < c->n_clouds ? c->clouds[k].name : NULL;
        money_t cap = cloud ? c->clouds[k].max_per_day : c->max_per_day;
        money_t sum = ledger_today(world.b, cloud) + ledger_committed(world.b, cloud);
        if (cap != CONF_NO_CAP && sum > cap)
            fail_msg("the cap of %s is %lld, spent and bound are %lld", cloud ? cloud : "the site",
                     (long long)cap, (long long)sum);
    }
}

static void trouble(void)
{
    if (world.full && draw(100000) < world.full)
        world.full_ms = world.now_ms + draw(60000);
    if (world.outages && draw(100000) < world.outages)
        world.down_ms = world.now_ms + draw(200000);
}

static bool patient;

static void step(int64_t *down_until)
{
    if (setjmp(loop)) {
        in_loop = false;
        daemon_kill();
        *down_until = world.now_ms + draw(60000);
        return;
    }
    in_loop = true;
    // Days in which nothing runs go by in larger steps.
    run_events(patient && cloud_running() == 0 ? 1000 : 100);
    cloud_step();
    slurm_step();
    vain_step(slurm_runs_elsewhere());
    if (world.b && world.now_ms >= tick_ms) {
        tick_ms = world.now_ms + 1000;
        ticks++;
        tick(world.b);
        assert_true(instances_sound(world.b->instances));
        if (capped && !caps_pass)
            check_caps();
    }
    in_loop = false;
}

static int64_t down_until;

static void live(int64_t ms)
{
    for (int64_t end = world.now_ms + ms; world.now_ms < end;) {
        step(&down_until);
        trouble();
        if (world.b && world.crashes && draw(100000) < world.crashes) {
            daemon_kill();
            down_until = world.now_ms + draw(60000);
        }
        if (!world.b && world.now_ms >= down_until)
            daemon_start();
    }
    if (!world.b && world.now_ms >= down_until)
        daemon_start();
}

static void make_world(uint64_t seed)
{
    memset(&world, 0, sizeof(world));
    world.seed = seed;
    down_until = 0;
    forget_events();
    slurm_reset();
    cloud_reset();
    vain_reset();
    snprintf(journal, sizeof(journal), "%s/journal.db", sim_dir());
}

static void remove_journal(void)
{
    char name[sizeof(journal) + 8];

    unlink(journal);
    snprintf(name, sizeof(name), "%s-wal", journal);
    unlink(name);
    snprintf(name, sizeof(name), "%s-shm", journal);
    unlink(name);
}

static void leave_world(void)
{
    if (world.b)
        daemon_kill();
    forget_events();
    remove_journal();
}

static void end_world(void)
{
    leave_world();
    assert_true(vain_sound());
}

static unsigned live_instances(void)
{
    unsigned n = 0;

    INSTANCES_EACH(world.b->instances, i)
    n += instance_live(i);
    return n;
}

// Of one row of `burst cost`, or of all; 0 when there is no such row.
static money_t in_ledger(const char *by, const char *key, const char *column)
{
    cJSON *rows = store_cost(world.b->store, by, 0, INT64_C(1) << 40, NULL), *row;
    money_t sum = 0;

    cJSON_ArrayForEach(row, rows) if (!key || strcmp(json_str(row, "key", ""), key) == 0) sum +=
        json_i64(row, column, 0);
    cJSON_Delete(rows);
    return sum;
}

static money_t cost_of(unsigned job, const char *column)
{
    char key[16];

    snprintf(key, sizeof(key), "%u", job);
    return in_ledger("job", key, column);
}

static money_t transfers_of(unsigned job)
{
    return cost_of(job, "transfer_uusd");
}

// Its record says in the end what it cost.
static bool record_says_cost(unsigned job)
{
    money_t cost = cost_of(job, "total_uusd");
    char text[MONEY_TEXT_MAX + 4];

    text[0] = ' ';
    money_human(cost, text + 1);
    snprintf(text + strlen(text), 4, " | ");
    return cost == 0 || strstr(slurm_record((int)job), text);
}

// Hours and preemptions of spot nodes are seen once each, also over kills. They weigh less as they
// get older: a few per cent in the hours that a scenario takes.
static bool check_observed(uint64_t seed, const char *cloud)
{
    cJSON *o = observed_json(world.b->observed);
    const cJSON *row;
    double hours = 0, preemptions = 0, real = cloud_spot_hours(cloud);

    cJSON_ArrayForEach(row, cJSON_GetObjectItem(o, "rates"))
    {
        if (strcmp(json_str(row, "cloud", ""), cloud) != 0)
            continue;
        hours += json_dbl(row, "hours", 0);
        preemptions += json_dbl(row, "preemptions", 0);
    }
    cJSON_Delete(o);
    // Some end before their notice is heard.
    bool good = preemptions <= cloud_taken_back(cloud) &&
                preemptions >= 0.7 * cloud_taken_back(cloud) - 2 &&
                (real < 0.3 || (hours > 0.95 * real && hours < 1.001 * real));
    if (!good)
        print_error("seed %llu: %s: %g hours and %g preemptions were seen, it had %g and %u\n",
                    (unsigned long long)seed, cloud, hours, preemptions, real,
                    cloud_taken_back(cloud));
    return good;
}

static bool long_ago; // what was observed weighs little by now

// Everything is quiet again: no job under way, no instance, the books balance.
static void check_promises(uint64_t seed)
{
    static const char *const clouds[] = {"c1", "c2", "c3"};
    bool good = true;

    for (unsigned k = 1; k <= slurm_jobs(); k++) {
        bool over = strcmp(slurm_job_text((int)k), "COMPLETED") == 0 ||
                    strcmp(slurm_job_text((int)k), "CANCELLED") == 0;
        if (!over) {
            print_error("seed %llu: job %u is %s\n", (unsigned long long)seed, k,
                        slurm_job_text((int)k));
            good = false;
        }
        if (strcmp(slurm_job_text((int)k), "COMPLETED") == 0 && !slurm_results_home((int)k) &&
            !world.dies && !world.preempts) {
            print_error("seed %llu: results of job %u are not home\n", (unsigned long long)seed, k);
            good = false;
        }
    }
    for (unsigned k = 1; k <= slurm_jobs(); k++)
        if (transfers_of(k) % EGRESS || transfers_of(k) > EGRESS * slurm_attempts((int)k)) {
            print_error("seed %llu: job %u had %u attempts, its transfers cost %lld\n",
                        (unsigned long long)seed, k, slurm_attempts((int)k),
                        (long long)transfers_of(k));
            good = false;
        }
    for (unsigned k = 1; k <= slurm_jobs(); k++)
        if (!record_says_cost(k)) {
            print_error("seed %llu: job %u cost %lld, its record says: %s\n",
                        (unsigned long long)seed, k, (long long)cost_of(k, "total_uusd"),
                        slurm_record((int)k));
            good = false;
        }
    if (slurm_lost_checkpoints() && !world.cuts) { // an unreachable node is not waited for for ever
        print_error("seed %llu: %u checkpoints were left behind\n", (unsigned long long)seed,
                    slurm_lost_checkpoints());
        good = false;
    }
    if (slurm_wrong_ranges()) {
        print_error("seed %llu: %u starts with a wrong number of nodes\n", (unsigned long long)seed,
                    slurm_wrong_ranges());
        good = false;
    }
    if (slurm_shared_instances()) {
        print_error("seed %llu: %u instances served two users\n", (unsigned long long)seed,
                    slurm_shared_instances());
        good = false;
    }
    if (cloud_running() || live_instances()) {
        print_error("seed %llu: %u instances run, the daemon knows %u\n", (unsigned long long)seed,
                    cloud_running(), live_instances());
        good = false;
    }
    if (cloud_worst_token() > 1) {
        print_error("seed %llu: an instance was launched twice\n", (unsigned long long)seed);
        good = false;
    }
    for (size_t k = 0; k < 3; k++) {
        money_t bill = cloud_bill(clouds[k]);
        money_t ledger = in_ledger("cloud", clouds[k], "total_uusd") -
                         in_ledger("cloud", clouds[k], "transfer_uusd");
        if (bill != ledger) {
            print_error("seed %llu: %s bills %lld, the ledger has %lld\n", (unsigned long long)seed,
                        clouds[k], (long long)bill, (long long)ledger);
            good = false;
        }
        // A kill while nothing can be written: what was seen is in memory only.
        good = (world.full || long_ago || check_observed(seed, clouds[k])) && good;
    }
    if (!good)
        fail_msg("seed %llu", (unsigned long long)seed);
}

static unsigned requeues; // per mille and job: somebody requeues a job

// Data of any job, earlier or later, that one user or the other names; now and then one waits for
// others.
static void vary(int job)
{
    char options[96];

    if (chance(500))
        snprintf(options, sizeof(options), "data=job/%u:0.007", 1 + draw(25));
    else
        snprintf(options, sizeof(options), "data=home/here:0.007 %s",
                 chance(500) ? "clouds=c2,c3" : "max_cost=1000000");
    slurm_ask(job, options);
    if (chance(300))
        slurm_depend(job, true);
    else if (chance(500) && job > 1)
        slurm_depend(1 + (int)draw((unsigned)job - 1), false);
}

static void submit_some(unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        int job = slurm_submit(20 + draw(400), chance(200) ? 2 : 1, chance(mixed ? 700 : 300));
        if (mixed)
            vary(job);
        if (k % 3 == 0)
            slurm_user(job, 2);
        live(draw(20000));
        if (chance(80))
            slurm_cancel((int)(1 + draw(slurm_jobs())));
        if (requeues && chance(requeues))
            slurm_requeue((int)(1 + draw(slurm_jobs())));
    }
}

static void settle(void)
{
    capped = false;
    if (world.b)
        world.b->conf->max_per_day = world.b->conf->clouds[0].max_per_day =
            world.b->conf->clouds[1].max_per_day = CONF_NO_CAP;
    world.capacity = world.lost_reply = world.throttle = world.boot_fails = world.ssh_fails = 0;
    world.dies = world.preempts = world.crashes = 0;
    world.cuts = world.crash_points = world.full = world.outages = 0;
    world.full_ms = world.down_ms = 0;
    for (unsigned k = 1; mixed && k <= slurm_jobs(); k++)
        slurm_depend((int)k, false);
    for (int k = 0; k < 400 && !slurm_all_over(); k++)
        live(30000);
    live(1200000); // idle nodes go, orphans are found
}

static void low_caps(void)
{
    world.capacity = 100;
    world.lost_reply = 50;
    world.crashes = 50;
}

// Every second time with kills. While burstd is down idle nodes stay longer than the caps allow
// for: these are not looked at then.
static void of_all_kinds(void)
{
    world.capacity = 100;
    world.lost_reply = 50;
    world.preempts = 50;
    world.solver_ms = 500;
    if (world.seed % 2)
        return;
    caps_pass = true;
    world.crashes = 50;
    world.crash_points = 100;
}

static void scenario(uint64_t seed, unsigned jobs, void (*weather)(void))
{
    make_world(seed);
    requeues = 0;
    mixed = weather == of_all_kinds;
    capped = weather == low_caps || mixed;
    caps_pass = false;
    remove_journal();
    daemon_start();
    weather();
    submit_some(jobs);
    struct world was = world;
    settle();
    world.dies = was.dies; // what the checks may excuse
    world.preempts = was.preempts;
    world.cuts = was.cuts;
    world.full = was.full;
    check_promises(seed);
    end_world();
    mixed = false;
}

static void fair(void)
{
}

static void refusing(void)
{
    world.capacity = 400;
    world.throttle = 100;
    world.lost_reply = 150;
}

static void failing_nodes(void)
{
    world.boot_fails = 100;
    world.ssh_fails = 80;
    world.dies = 30; // per million and step of 0.1 s
}

static void spot_market(void)
{
    world.preempts = 200;
    world.capacity = 100;
    world.dear = 300;
}

static void crashing(void)
{
    world.crashes = 300; // per 100,000 steps of 0.1 s: every half minute
}

static void everything(void)
{
    refusing();
    failing_nodes();
    world.preempts = 100;
    world.crashes = 100;
    world.dear = 100;
}

static void killed_anywhere(void)
{
    world.crash_points = 700;
    world.dear = 500;
    world.capacity = 100;
    world.lost_reply = 50;
}

static void full_disk(void)
{
    world.full = 200;
    world.ssh_fails = 30;
    world.capacity = 50;
}

static void slurm_outages(void)
{
    world.outages = 150;
    world.crashes = 50;
}

static void impatient_users(void)
{
    requeues = 600;
    world.preempts = 50;
}

static void cut_networks(void)
{
    world.cuts = 100;
    requeues = 100;
}

static void all_at_once(void)
{
    everything();
    world.crash_points = 300;
    world.full = 50;
    world.outages = 50;
    world.cuts = 50;
    requeues = 200;
}

// One job after the other, each on a node of its own.
static void egress_of_each_attempt(void **state)
{
    make_world(7);
    remove_journal();
    daemon_start();
    for (int k = 0; k < 6; k++) {
        slurm_submit(k < 3 ? 30 : 0, 1 + (unsigned)k % 2, true); // 0 s: never seen running
        live(400000);
    }
    for (unsigned k = 1; k <= 6; k++) {
        assert_int_equal(slurm_attempts((int)k), 1);
        assert_int_equal(transfers_of(k), EGRESS);
    }
    check_promises(7);
    end_world();
}

static bool story_has(int job, const char *words)
{
    char key[16];
    bool found = false;
    const cJSON *e;

    snprintf(key, sizeof(key), "%d", job);
    cJSON *events = store_story(world.b->store, key, "event", 100);
    cJSON_ArrayForEach(e, events) found = found || strstr(json_str(e, "text", ""), words);
    cJSON_Delete(events);
    return found;
}

// In a world of its own, so that the price is news: c1's spot nodes cost 100003 in the catalog.
static int buy(unsigned nodes, money_t dear_by)
{
    world.dear = 1000;
    world.dear_by = dear_by;
    int job = slurm_submit(100, nodes, true);
    live(400000);
    assert_string_equal(slurm_job_text(job), "COMPLETED"); // told, not stopped
    return job;
}

static void new_world(uint64_t seed)
{
    if (world.b)
        end_world();
    make_world(seed);
    remove_journal();
    daemon_start();
}

// The ledger has the price of the purchase; whose cap that may pass is told.
static void sold_at_another_price(void **state)
{
    new_world(17);
    int job = buy(1, 50000);
    assert_true(story_has(job, "c1 asks $0.1500 an hour where the plan had $0.1000"));
    assert_false(story_has(job, "its cap is"));
    assert_false(story_has(job, "might be passed"));
    new_world(17);
    job = buy(2, -50000);
    assert_true(story_has(job, "c1 asks $0.1000 an hour where the plan had $0.2000"));
    // The time limit of its job is 260 s.
    money_t planned = ledger_bound(world.b, 100003, 1, 260) + EGRESS;
    new_world(17);
    world.b->conf->max_per_job = planned + 1;
    job = buy(1, 50000);
    assert_true(story_has(job, "an hour where the plan had $0.1000; until its time limit it might "
                               "cost $"));
    new_world(17);
    world.b->conf->clouds[0].max_per_day = planned + 1;
    job = buy(1, 50000);
    assert_true(story_has(job, "; today's cap of c1, $"));
    settle();
    check_promises(17);
    end_world();
}

// Three clouds with two markets are six places. Once all have refused each is tried by one node
// after 30 s, after 60 s more and so on, however many jobs wait; when one works all go there.
static void one_node_tries_what_refused(void **state)
{
    enum { JOBS = 12, PLACES = 6, KNOWN = 3 };

    new_world(238);
    for (int k = 0; k < KNOWN; k++) // else two jobs at a time would try
        slurm_submit(30, 1, true);
    live(300000);
    assert_int_equal(cloud_running(), 0);
    world.capacity = 1000;
    for (int k = 0; k < JOBS; k++)
        slurm_submit(30, 1, true);
    unsigned first = cloud_asked();
    live(25000);
    assert_in_range(cloud_asked() - first, PLACES, JOBS * PLACES);
    first = cloud_asked();
    live(35000); // half open since second 30, and refused again
    assert_in_range(cloud_asked() - first, PLACES, PLACES);
    live(80000);
    assert_in_range(cloud_asked() - first, 2 * PLACES, 2 * PLACES);
    world.capacity = 0;
    live(105000); // 120 s after that the first works, and soon the others follow
    assert_in_range(cloud_running(), PLACES + 1, JOBS);
    settle();
    for (int k = 1; k <= KNOWN + JOBS; k++)
        assert_string_equal(slurm_job_text(k), "COMPLETED");
    check_promises(238);
    end_world();
}

static unsigned in_state(enum inst_state state)
{
    unsigned n = 0;

    INSTANCES_EACH(world.b->instances, i)
    n += i->state == state;
    return n;
}

// What the launch of many nodes is answered, and its refusal, are one wait for the disk each.
static void a_launch_is_one_transaction(void **state)
{
    enum { NODES = 5 };

    new_world(83);
    unsigned launched = journal_changes(INST_LAUNCHED);
    int job = slurm_submit(30, NODES, true);
    while (in_state(INST_LAUNCHED) == 0)
        live(100);
    assert_int_equal(in_state(INST_LAUNCHED) + in_state(INST_UP), NODES);
    assert_int_equal(journal_changes(INST_LAUNCHED) - launched, 1);
    settle();
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    check_promises(83);
    new_world(83);
    world.capacity = 1000;
    unsigned gone = journal_changes(INST_GONE);
    slurm_submit(30, NODES, true);
    live(25000);
    assert_in_range(cloud_asked(), 1, 6);
    assert_int_equal(journal_changes(INST_GONE) - gone, cloud_asked());
    settle();
    check_promises(83);
    end_world();
}

// Nobody probes for a job of two nodes: it goes when the places are open again by themselves.
static void gangs_wait_longer(void **state)
{
    new_world(23);
    world.capacity = 1000;
    int job = slurm_submit(30, 2, true);
    live(25000);
    unsigned first = cloud_asked();
    world.capacity = 0;
    live(25000); // half open
    assert_int_equal(cloud_asked(), first);
    live(60000);
    assert_int_equal(cloud_asked(), first + 1);
    settle();
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    check_promises(23);
    end_world();
}

static const char *cloud_of(int job)
{
    static char cloud[33];
    char key[16];
    struct bjob *j;

    snprintf(key, sizeof(key), "%d", job);
    j = store_find_job(world.b->store, key);
    snprintf(cloud, sizeof(cloud), "%s", j ? j->cloud : "");
    bjob_destroy(j);
    return cloud;
}

// Spot nodes of c1 cost 0.10, of c2 0.15. One preemption a day is assumed, and a restart loses an
// hour: 0.104 and 0.156. After 20 preemptions at c1 (21 in 24 h) it is 0.1875.
static void a_place_that_takes_nodes_back_is_dearer(void **state)
{
    struct instance i = {.id = "seen",
                         .cloud = "c1",
                         .region = "r1",
                         .zone = "r1-a",
                         .itype = "m1",
                         .spot = true,
                         .state = INST_GONE};

    new_world(29);
    world.b->conf->spot_changeover_s = 3600;
    int job = slurm_submit(30, 1, true);
    live(300000);
    assert_string_equal(cloud_of(job), "c1");
    for (int k = 0; k < 20; k++)
        observed_preempted(world.b->observed, &i);
    job = slurm_submit(30, 1, true);
    live(300000);
    assert_string_equal(cloud_of(job), "c2");
    world.b->conf->spot_changeover_s = 0; // by the price alone
    job = slurm_submit(30, 1, true);
    live(300000);
    assert_string_equal(cloud_of(job), "c1");
    end_world();
}

// The plugin's hold is one that users may release.
static void held_jobs_are_held_for_good(void **state)
{
    enum { JOBS = 100 };

    make_world(11);
    remove_journal();
    daemon_start();
    world.capacity = 1000;
    for (int k = 0; k < JOBS; k++)
        slurm_submit(10, 1, true);
    int eligible = slurm_submit(10, 1, false);
    live(30000);
    for (int k = 1; k <= JOBS; k++) {
        assert_false(slurm_release(k));
        assert_int_equal(slurm_holds(k), 1); // once each
    }
    assert_int_equal(slurm_holds(eligible), 0);
    for (int k = 1; k <= JOBS; k++)
        slurm_cancel(k);
    settle();
    check_promises(11);
    end_world();
}

static bool comment_begins(const char *job, const char *with)
{
    const char *comment = slurm_link_job(world.b->slurm, job)->admin_comment;
    bool yes = strncmp(comment, with, strlen(with)) == 0;

    if (!yes)
        printf("%s\n", comment);
    return yes && strstr(comment, " | burst:1 held");
}

// squeue says JobHeldAdmin; the record says why, since when something may change, and keeps the
// mark. What waits here for the site's own nodes says nothing.
static void held_jobs_say_in_their_record_why(void **state)
{
    new_world(73);
    world.capacity = 1000;
    int eligible = slurm_submit(100000, 1, false);
    slurm_submit(10, 1, true);
    live(5000);
    assert_null(strstr(slurm_link_job(world.b->slurm, "2")->admin_comment, " | ")); // no hurry
    live(20000);
    assert_true(comment_begins("2", "waits for a rented node: "));
    live(60000);
    assert_true(comment_begins("2",
                               "waits for a rented node: no offer fits now: all places that are "
                               "left refused or failed, "));
    assert_non_null(strstr(slurm_link_job(world.b->slurm, "2")->admin_comment, " (6 places)"));
    assert_null(strstr(slurm_link_job(world.b->slurm, "1")->admin_comment, " | "));
    slurm_cancel(eligible);
    world.b->conf->max_per_day = 0;
    live(70000);
    assert_true(comment_begins("2",
                               "waits for a rented node: the site's cap of $0.00 a day is used "
                               "up; more at 20"));
    world.b->conf->max_per_day = INT64_C(500000000);
    world.capacity = 0;
    settle();
    assert_string_equal(slurm_job_text(2), "COMPLETED");
    assert_null(strstr(slurm_record(2), "waits for"));
    check_promises(73);
    end_world();
}

static void held_jobs_wait_for_others_and_their_time(void **state)
{
    make_world(12);
    remove_journal();
    daemon_start();
    int a = slurm_submit(10, 1, true), later = slurm_submit(10, 1, true);
    slurm_depend(a, true);
    slurm_begin(later, 600);
    live(500000);
    assert_int_equal(in_ledger("cloud", NULL, "total_uusd"), 0);
    assert_int_equal(cloud_running(), 0);
    slurm_depend(a, false);
    live(60000);
    assert_string_equal(slurm_job_text(a), "COMPLETED");
    assert_string_equal(slurm_job_text(later), "PENDING");
    live(120000);
    assert_string_equal(slurm_job_text(later), "COMPLETED");
    settle();
    check_promises(12);
    end_world();
}

static unsigned lines_of(const char *path)
{
    FILE *f = fopen(path, "r");
    unsigned n = 0;

    assert_non_null(f);
    for (int c; (c = getc(f)) != EOF;)
        n += c == '\n';
    fclose(f);
    return n;
}

static void a_full_disk_floods_nothing(void **state)
{
    char log[sizeof(journal) + 8];

    make_world(13);
    remove_journal();
    daemon_start();
    for (int k = 0; k < 10; k++)
        slurm_submit(k < 5 ? 10 : 100, 1, true);
    live(60000); // some run, some nodes are idle and go soon
    snprintf(log, sizeof(log), "%s.log", journal);
    assert_int_equal(log_open(log), 0);
    log_set_level(LOG_LEVEL_ERROR);
    unsigned before = ticks;
    world.full_ms = world.now_ms + 100000;
    live(100000);
    assert_in_range(ticks - before, 90, 150);
    // In the worst case each instance and each job has a sentence of its own, twice in 100 s.
    assert_in_range(lines_of(log), 1, 40);
    log_set_level(LOG_LEVEL_DEBUG);
    assert_int_equal(log_open(getenv("SIM_TRACE") ? "/dev/stderr" : "/dev/null"), 0);
    unlink(log);
    settle();
    for (int k = 1; k <= 10; k++)
        assert_string_equal(slurm_job_text(k), "COMPLETED");
    check_promises(13);
    end_world();
}

// Killed right before it would have seen the job run; one of its nodes dies, so Slurm requeues the
// job before burstd is back. The other has what the attempt wrote.
static bool requeued_unseen(uint64_t seed)
{
    make_world(seed);
    remove_journal();
    daemon_start();
    int job = slurm_submit(300, 2, true);
    while (!slurm_started(job))
        live(100);
    bool unseen = jobs_by_id(world.b->jobs, (uint32_t)job)->state == JOB_PLACED;
    daemon_kill();
    down_until = world.now_ms + 60000;
    cloud_kill(slurm_instance_of(job, 1));
    live(61000);
    assert_int_equal(slurm_restarts(job), 1);
    assert_non_null(world.b);
    settle();
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    check_promises(seed);
    end_world();
    return unseen;
}

static void requeued_while_nobody_looked(void **state)
{
    unsigned n = 0;

    for (uint64_t seed = 1; seed <= 20; seed++)
        n += requeued_unseen(seed);
    assert_in_range(n, 5, 20);
}

static void one_silent_node_does_not_keep_the_others_results(void **state)
{
    make_world(15);
    remove_journal();
    daemon_start();
    int job = slurm_submit(60, 2, true);
    while (!slurm_started(job))
        live(100);
    int worker = slurm_instance_of(job, 1);
    while (slurm_started(job))
        live(100);
    cloud_cut(worker, 300000);
    live(30000);
    assert_false(slurm_results_home(job)); // the batch host waits for its turn
    live(60000);
    assert_true(slurm_results_home(job));
    assert_int_equal(jobs_by_id(world.b->jobs, (uint32_t)job)->state, JOB_STAGEOUT);
    settle();
    assert_null(jobs_by_id(world.b->jobs, (uint32_t)job)); // the rest came when the node was back
    check_promises(15);
    end_world();
}

static void spool_files_stay_until_they_are_journaled(void **state)
{
    make_world(17);
    remove_journal();
    daemon_start();
    int job = slurm_submit(20, 1, true);
    while (strcmp(slurm_job_text(job), "COMPLETED") != 0)
        live(100);
    live(10000); // its node is idle and goes a minute after the job's end
    world.full_ms = world.now_ms + 90000;
    live(80000);
    assert_int_equal(slurm_spooled(), 1);
    live(30000);
    assert_int_equal(slurm_spooled(), 0);
    assert_int_equal(cloud_running(), 0);
    settle();
    check_promises(17);
    end_world();
}

static bool told(int job, const char *text)
{
    char key[16];
    snprintf(key, sizeof(key), "%d", job);
    cJSON *events = store_story(world.b->store, key, "event", 200), *e;
    bool found = false;

    cJSON_ArrayForEach(e, events) found = found || strstr(json_str(e, "text", ""), text);
    cJSON_Delete(events);
    return found;
}

static void expect_end(int job, const char *text)
{
    char key[16];
    snprintf(key, sizeof(key), "%d", job);
    struct bjob *j = store_find_job(world.b->store, key);

    assert_non_null(j);
    assert_string_equal(job_state_name(j->state), "done");
    if (!strstr(j->reason, text))
        fail_msg("job %d: %s", job, j->reason);
    bjob_destroy(j);
}

// A file server that is away never ends a job, and nobody pays for nodes meanwhile.
static const char *with_unreadable_data(unsigned times)
{
    make_world(19);
    remove_journal();
    daemon_start();
    world.unreadable = times;
    int job = slurm_submit(60, 1, true);
    live(400000);
    world.unreadable = 0;
    settle();
    check_promises(19);
    end_world();
    return slurm_job_text(job);
}

static void an_error_at_home_never_ends_a_job(void **state)
{
    assert_string_equal(with_unreadable_data(3), "COMPLETED");
    assert_string_equal(with_unreadable_data(20), "COMPLETED");
}

// ---- circles: whatever fails again and again after a launch, it costs two launches, then pauses

// So many jobs of one node live in that trouble for so many hours. Launches that no start came of.
static unsigned in_vain(uint64_t seed, unsigned n, int64_t hours, void (*trouble_of)(void))
{
    new_world(seed);
    trouble_of();
    for (unsigned k = 0; k < n; k++)
        slurm_submit(600, 1, true);
    patient = true;
    live(hours * 3600000);
    patient = false;
    assert_in_range(slurm_starts(), 0, cloud_launched());
    return cloud_launched() - slurm_starts();
}

// The trouble is over: all of them run, however long the pauses are by then.
static void trouble_is_over(uint64_t seed)
{
    world.no_join = world.no_start = world.no_launch = false;
    world.stage_error = world.boot_error = world.start_reason = NULL;
    world.limit = 0;
    world.refused_rc = 0;
    patient = true;
    live(26 * 3600000);
    settle();
    patient = false;
    long_ago = true;
    check_promises(seed);
    long_ago = false;
    end_world();
}

static void no_slurmd_registers(void)
{
    world.no_join = true;
}

// Three clouds sell the shape: a cause each.
static void what_never_joins_is_not_bought_again(void **state)
{
    assert_in_range(in_vain(31, 1, 1, no_slurmd_registers), 1, 2 * 3);
    trouble_is_over(31);
    assert_in_range(in_vain(31, 12, 1, no_slurmd_registers), 3, 2 * 3);
    assert_in_range(in_vain(31, 12, 24, no_slurmd_registers), 3, 8 * 3);
    assert_int_equal(cloud_running(), 0);
    trouble_is_over(31);
}

// Who looks at the node in Slurm finds what its instance died of; the next start takes it away.
static void a_node_that_failed_says_why_in_slurm(void **state)
{
    new_world(79);
    no_slurmd_registers();
    int job = slurm_submit(60, 1, true);
    live(120000);
    assert_non_null(
        strstr(slurm_node_reason(), "burst: join: its slurmd did not register in time ("));
    world.no_join = false;
    settle();
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    check_promises(79);
    end_world();
}

// Without it no data come to a node and none come home: nothing is rented meanwhile.
static void nothing_is_rented_without_stagerd(void **state)
{
    new_world(83);
    world.no_stagerd = true;
    int job = slurm_submit(60, 1, true);
    live(60000);
    assert_int_equal(cloud_asked(), 0);
    assert_true(comment_begins("1", "waits for a rented node: burst-stagerd does not run"));
    world.no_stagerd = false;
    live(30000);
    assert_int_equal(cloud_launched(), 1);
    settle();
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    check_promises(83);
    end_world();
}

// Returns what was opened.
static int reopen(const char *pattern)
{
    cJSON *opened = cJSON_CreateArray();
    burst_error_t err;

    assert_int_equal(bounds_mended(world.b, pattern, opened, &err), 0);
    int n = cJSON_GetArraySize(opened);
    cJSON_Delete(opened);
    return n;
}

// An operator who has mended it does not wait for the pause; nor does a burstd that is killed right
// after him close it again.
static void what_is_mended_is_opened_by_an_operator(void **state)
{
    unsigned bought = 2 * 3;

    new_world(67);
    no_slurmd_registers();
    slurm_submit(600, 1, true);
    live(2400000);
    assert_int_equal(cloud_launched(), bought);
    assert_int_equal(reopen("shape:nosuch/*"), 0);
    live(120000);
    assert_int_equal(cloud_launched(), bought);
    world.no_join = false;
    assert_in_range(reopen("place:*"), 3, 3);
    live(60000);
    assert_int_equal(cloud_launched(), bought); // the shapes are closed
    assert_in_range(reopen(NULL), 3, 6);
    daemon_kill();
    daemon_start();
    live(120000);
    assert_true(slurm_started(1));
    assert_int_equal(cloud_launched(), bought + 1);
    settle();
    check_promises(67);
    end_world();
}

// Of two tries at each of three places, and one more when the pause is over.
static void the_site_says_how_long_a_pause_is(void **state)
{
    new_world(71);
    no_slurmd_registers();
    world.b->conf->bound_pause_s = world.b->conf->bound_pause_max_s = 4 * 3600;
    slurm_submit(600, 1, true);
    patient = true;
    live(3 * 3600000);
    assert_int_equal(cloud_launched(), 2 * 3);
    live(3 * 3600000);
    assert_int_equal(cloud_launched(), 3 * 3);
    live(4 * 3600000);
    assert_int_equal(cloud_launched(), 4 * 3);
    patient = false;
    end_world();
}

static void slurm_starts_nothing(void)
{
    world.no_start = true;
}

static void slurm_says_bad_constraints(void)
{
    world.no_start = true;
    world.start_reason = "BadConstraints";
}

static void maintenance(void)
{
    world.no_start = true;
    world.start_reason = "ReqNodeNotAvail, Reserved for maintenance";
}

static void what_slurm_does_not_start_is_not_bought_again(void **state)
{
    void (*const troubles[])(void) = {slurm_starts_nothing, slurm_says_bad_constraints,
                                      maintenance};

    for (size_t k = 0; k < 3; k++) {
        assert_in_range(in_vain(37, 1, 1, troubles[k]), 1, 6);
        trouble_is_over(37);
        // each of the three partitions: two, then one after each pause of 1, 2, 4 and 8 h
        assert_in_range(in_vain(37, 1, 24, troubles[k]), 1, 3 * (2 + 4));
        trouble_is_over(37);
    }
    assert_in_range(in_vain(37, 12, 4, maintenance), 1, 3 * (2 + 2));
    trouble_is_over(37);
}

static void prolog_missing_on_nodes(void)
{
    world.no_launch = true;
}

// Slurm counts such a job as started, drains the nodes and holds the job: no start, not even one
// after the other, opens what the failures close.
static void what_slurm_cannot_launch_is_not_bought_again(void **state)
{
    for (unsigned jobs = 1; jobs <= 12; jobs += 11) {
        in_vain(79, jobs, 4, prolog_missing_on_nodes);
        // each of the three clouds' shapes: two, and one after each pause of 1 and 2 h
        assert_in_range(cloud_launched(), 1, 3 * (2 + 2));
        assert_int_equal(slurm_drained(), 0); // the names serve the next instance
        trouble_is_over(79);
    }
}

static void one_may_run(void)
{
    world.limit = 1;
}

// Twelve jobs of ten minutes, one after the other: two hours.
static void a_limit_of_one_costs_little_more_than_the_jobs(void **state)
{
    unsigned extra = in_vain(41, 12, 4, one_may_run);

    for (int k = 1; k <= 12; k++)
        assert_string_equal(slurm_job_text(k), "COMPLETED");
    assert_in_range(extra, 0, 12); // it was 243
    trouble_is_over(41);
}

// One node at a time, a second while the results on it come home; and no failure from which
// anything would have to be learned.
static void a_limit_that_slurm_tells_costs_nothing(void **state)
{
    new_world(41);
    world.limit = 1;
    world.limit_told = true;
    for (int k = 0; k < 12; k++)
        slurm_submit(600, 1, true);
    live(60000);
    assert_int_equal(cloud_launched(), 1);
    assert_true(story_has(12, "MaxJobs of user alice in account lab is reached: 1 of 1 run"));
    for (int k = 0; k < 4 * 360; k++) {
        live(10000);
        assert_in_range(cloud_running(), 0, 2);
    }
    for (int k = 1; k <= 12; k++)
        assert_string_equal(slurm_job_text(k), "COMPLETED");
    cJSON *failed = bounds_json(world.b->bounds);
    assert_int_equal(cJSON_GetArraySize(failed), 0);
    cJSON_Delete(failed);
    trouble_is_over(41);
}

static void no_room_on_the_node(void)
{
    world.stage_error = "space";
}

static void stagerd_is_down(void)
{
    world.stage_error = "internal";
}

static void its_data_are_too_large(void)
{
    world.stage_error = "limit";
}

static void what_cannot_be_staged_is_not_bought_again(void **state)
{
    void (*const troubles[])(void) = {no_room_on_the_node, stagerd_is_down, its_data_are_too_large};

    for (size_t k = 0; k < 3; k++) {
        assert_in_range(in_vain(43, 1, 1, troubles[k]), 1, 6);
        assert_string_equal(slurm_job_text(1), "PENDING"); // and never ended
        trouble_is_over(43);
    }
}

static void munge_key_unreadable(void)
{
    world.boot_error = "internal";
}

static void images_do_not_boot(void)
{
    world.boot_error = "command";
}

// A fault at home stops what is bought for everybody, one of the image what is bought there.
static void what_cannot_be_prepared_is_not_bought_again(void **state)
{
    void (*const troubles[])(void) = {munge_key_unreadable, images_do_not_boot};

    for (size_t k = 0; k < 2; k++) {
        assert_in_range(in_vain(59, 12, 1, troubles[k]), 1, 12);
        trouble_is_over(59);
    }
}

// What is seen to be missing at home before anything is rented costs nothing.
static void nothing_is_rented_while_the_site_is_not_ready(void **state)
{
    new_world(67);
    world.not_ready = true;
    int job = slurm_submit(60, 1, true);
    live(3600000);
    assert_int_equal(cloud_launched(), 0);
    assert_string_equal(slurm_job_text(job), "PENDING");
    world.not_ready = false;
    live(300000);
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    settle();
    check_promises(67);
    end_world();
}

// slurmd runs and Slurm has not heard of it: it is started anew, the node is kept.
static void a_lost_registration_costs_no_node(void **state)
{
    for (unsigned lost = 1; lost <= 2; lost++) {
        new_world(71);
        world.registrations_lost = lost;
        int job = slurm_submit(60, 1, true);
        live(600000);
        assert_int_equal(world.registrations_lost, 0);
        assert_string_equal(slurm_job_text(job), "COMPLETED");
        assert_int_equal(slurm_attempts(job), 1);
        assert_int_equal(cloud_launched(), 1);
        settle();
        check_promises(71);
        end_world();
    }
}

// That burst-ssh dies says nothing of the node: the same step is done again on the same one.
static void the_death_of_a_helper_costs_no_node(void **state)
{
    for (unsigned deaths = 1; deaths <= 4; deaths++) {
        new_world(61);
        world.helper_dies = deaths;
        int job = slurm_submit(60, 1, true);
        live(600000);
        assert_int_equal(world.helper_dies, 0);
        assert_string_equal(slurm_job_text(job), "COMPLETED");
        assert_int_equal(slurm_attempts(job), 1);
        assert_int_equal(cloud_launched(), 1);
        settle();
        check_promises(61);
        end_world();
    }
}

static int reason_of(int job, char *reason, size_t size)
{
    const struct bjob *j = jobs_by_id(world.b->jobs, (uint32_t)job);

    return snprintf(reason, size, "%s", j ? j->reason : "");
}

// What cannot be staged is seen before anything is rented. It waits, with a sentence, and runs when
// it can be; only who wants rented nodes and nothing else is ended.
static void nothing_is_rented_for_data_that_do_not_fit(void **state)
{
    static const char *const troubles[] = {"limit", "denied", "missing", "io", ""};
    char reason[256];

    for (size_t k = 0; k < sizeof(troubles) / sizeof(troubles[0]); k++) {
        new_world(59);
        world.data_error = troubles[k];
        int held = slurm_submit(60, 1, true), eligible = slurm_submit(60, 1, false);
        patient = true;
        live(2 * 3600000);
        assert_int_equal(cloud_launched(), 0);
        assert_string_equal(slurm_job_text(held), "PENDING");
        reason_of(held, reason, sizeof(reason));
        assert_non_null(strstr(reason, troubles[k][0] ? "simulated trouble with its data (looked"
                                                      : "burst-stagerd does not answer"));
        assert_string_not_equal(slurm_job_text(eligible), "CANCELLED");
        // Their pauses are an hour at most; nobody waits long for burst-stagerd.
        world.data_error = NULL;
        live(troubles[k][0] ? 3700000 : 120000);
        assert_string_equal(slurm_job_text(held), "COMPLETED");
        patient = false;
        settle();
        check_promises(59);
        end_world();
    }
}

static void only_rented_nodes_were_wanted(void **state)
{
    new_world(61);
    world.data_error = "io"; // a file server's bad hour
    int job = slurm_submit(60, 1, true);
    slurm_ask(job, "mode=only");
    live(3600000);
    assert_string_equal(slurm_job_text(job), "PENDING");
    assert_int_equal(cloud_launched(), 0);
    world.data_error = NULL;
    live(3700000);
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    world.data_error = "limit";
    job = slurm_submit(60, 1, true);
    slurm_ask(job, "mode=only");
    live(20000);
    assert_string_equal(slurm_job_text(job), "CANCELLED");
    assert_int_equal(cloud_launched(), 1);
    end_world();
}

static void slurmctld_does_not_answer(void)
{
    world.refused_rc = 5004; // SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT
}

static void its_account_may_not_go_there(void)
{
    world.refused_rc = 2045; // ESLURM_INVALID_ACCOUNT
}

// A time-out on the way is no refusal: the same nodes are tried again, and serve in the end.
static void a_refused_move_is_not_bought_for_again(void **state)
{
    new_world(47);
    slurmctld_does_not_answer();
    int job = slurm_submit(60, 1, true);
    live(60000);
    world.refused_rc = 0;
    live(300000);
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    assert_int_equal(cloud_launched(), 1);
    assert_in_range(in_vain(47, 1, 1, its_account_may_not_go_there), 1, 6);
    assert_string_equal(slurm_job_text(1), "PENDING");
    trouble_is_over(47);
}

// One bad answer, or many, ends no healthy instance: the cloud is asked for it alone.
// Names that an operator has drained: nothing is rented that could never be bound to one.
static void nothing_is_rented_for_drained_names(void **state)
{
    new_world(49);
    slurm_drain(NULL, true);
    int job = slurm_submit(60, 2, true);
    live(3600000);
    assert_int_equal(cloud_launched(), 0);
    assert_string_equal(slurm_job_text(job), "PENDING");
    slurm_drain(NULL, false);
    live(600000);
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    assert_int_equal(cloud_launched(), 2);
    // Of one cloud: the next one's serve.
    slurm_drain("c1", true);
    job = slurm_submit(60, 1, true);
    live(600000);
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    assert_int_equal(cloud_launched(), 3);
    slurm_drain("c1", false);
    settle();
    check_promises(49);
    end_world();
}

// What a region does not list, and even denies, is not gone while the listing says that it is not
// of that region.
static void a_silent_region_ends_nothing(void **state)
{
    new_world(54);
    int job = slurm_submit(1200, 1, true), other = slurm_submit(300, 1, true);
    live(60000);
    assert_true(slurm_started(job));
    world.unheard_ms = world.now_ms + 900000;
    live(1300000);
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    assert_string_equal(slurm_job_text(other), "COMPLETED");
    assert_int_equal(slurm_attempts(job), 1);
    assert_int_equal(cloud_launched(), 2);
    settle();
    check_promises(54);
    end_world();
}

static void empty_listings_end_nothing(void **state)
{
    const int64_t lengths[] = {4000, 300000};

    for (size_t k = 0; k < 2; k++) {
        new_world(53);
        int job = slurm_submit(1200, 1, true), other = slurm_submit(300, 1, true);
        live(60000);
        assert_true(slurm_started(job));
        world.empty_ms = world.now_ms + lengths[k];
        live(1300000);
        assert_string_equal(slurm_job_text(job), "COMPLETED");
        assert_string_equal(slurm_job_text(other), "COMPLETED");
        assert_int_equal(slurm_attempts(job), 1);
        assert_int_equal(cloud_launched(), 2);
        settle();
        check_promises(53);
        end_world();
    }
}

// The journal is gone, the clouds and Slurm are as they were: what runs there runs on, burstd tells
// of it, and an operator ends it.
static void a_lost_journal_ends_nothing(void **state)
{
    new_world(73);
    int job = slurm_submit(1200, 1, true), other = slurm_submit(60, 1, true);
    while (!slurm_started(job) || !slurm_started(other))
        live(1000);
    unsigned running = cloud_running();
    assert_int_equal(running, 2);
    daemon_kill();
    remove_journal();
    daemon_start();
    live(600000);
    assert_int_equal(cloud_running(), running);
    assert_int_equal(slurm_attempts(job), 1); // on its node
    assert_true(slurm_started(job));
    cJSON *strangers = strangers_json(), *row;
    assert_int_equal(cJSON_GetArraySize(strangers), running);
    live(1200000);
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    assert_int_equal(cloud_running(), running);
    assert_false(stranger_end(world.b, "no such thing"));
    cJSON_ArrayForEach(row, strangers) assert_true(stranger_end(world.b, json_str(row, "id", "")));
    cJSON_Delete(strangers);
    live(600000);
    assert_int_equal(cloud_running(), 0);
    assert_false(strangers_any());
    end_world();
}

// What operate.md recommends before maintenance, while nodes boot.
static void a_drain_during_the_boot_frees_the_job(void **state)
{
    new_world(59);
    int job = slurm_submit(60, 1, true);
    live(4000);
    vain_excuse_job(job); // the operator's
    INSTANCES_EACH(world.b->instances, i)
    {
        i->flags |= INST_F_OPDRAIN;
        assert_int_equal(instance_save(world.b, i), 0);
    }
    live(300000);
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    assert_int_equal(cloud_launched(), 2);
    settle();
    check_promises(59);
    end_world();
}

// burstd's own clock ends what Slurm leaves idle, within what the caps were told.
static void idle_nodes_end_without_slurm(void **state)
{
    for (int k = 0; k < 2; k++) {
        new_world(61);
        int job = slurm_submit(60, 1, true);
        live(60000);
        world.no_suspend = k == 0;
        live(60000);
        assert_string_equal(slurm_job_text(job), "COMPLETED");
        money_t bound = ledger_today(world.b, NULL) + ledger_committed(world.b, NULL);
        if (k == 1)
            world.down_ms = world.now_ms + INT64_C(48) * 3600000; // slurmctld
        live(60000 + 1000 * LEDGER_OVERDUE_S + 60000);
        assert_int_equal(cloud_running(), 0);
        assert_in_range(ledger_today(world.b, NULL), 0, bound);
        world.down_ms = 0;
        live(60000);
        settle();
        check_promises(61);
        end_world();
    }
}

// alice's job 1 is being secured when slurmctld loses its state and gives its number to bob.
static void a_number_given_again_is_another_job(void **state)
{
    const int64_t moments[] = {8000, 40000};

    for (size_t k = 0; k < 2; k++) {
        new_world(67);
        int job = slurm_submit(600, 1, true);
        live(moments[k]); // securing, running
        assert_int_equal(cloud_running(), 1);
        slurm_replace(job);
        live(600000);
        assert_string_equal(slurm_job_text(job), "COMPLETED");
        assert_int_equal(slurm_attempts(job), 0); // here, on a node of the site
        assert_int_equal(cloud_running(), 0);
        end_world();
    }
}

// The copy of every half minute is under way when the notice comes.
static void a_notice_is_told_whatever_is_under_way(void **state)
{
    new_world(71);
    int job = slurm_submit(900, 1, true);
    live(40000);
    assert_true(slurm_started(job));
    world.slow_copy_ms = 25000;
    live(40000);
    cloud_notice(slurm_instance_of(job, 0), 120);
    live(10000);
    assert_int_equal(ssh_signals(), 1);
    world.slow_copy_ms = 0;
    settle();
    check_promises(71);
    end_world();
}

// A run that is killed leaves its directory; the next one removes it.
static void a_killed_run_leaves_nothing(void **state)
{
    char path[4200], file[4300];
    int status;

    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, &status, 0), pid); // its number is nobody's now
    snprintf(path, sizeof(path), "%.4000s", sim_dir());
    snprintf(strrchr(path, '-'), 16, "-%d", (int)pid);
    snprintf(file, sizeof(file), "%s/journal.db", path);
    assert_int_equal(mkdir(path, 0700), 0);
    fclose(fopen(file, "w"));
    sim_dir_sweep();
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access(sim_dir(), F_OK), 0);
}

enum fate { FAIR, DIES, GIVEN_UP };

static void what_is_not_home(uint64_t seed, enum fate fate, const char *text)
{
    make_world(seed);
    remove_journal();
    daemon_start();
    int job = slurm_submit(60, 2, true);
    while (!slurm_started(job))
        live(100);
    int worker = slurm_instance_of(job, 1);
    while (slurm_started(job))
        live(100);
    if (fate == DIES)
        cloud_kill(worker);
    if (fate == GIVEN_UP) {
        cloud_cut(worker, 10000000);
        live(200000);
        stage_giveup(world.b, jobs_by_id(world.b->jobs, (uint32_t)job), "an operator");
    }
    settle();
    expect_end(job, text);
    check_promises(seed);
    end_world();
}

static void the_end_says_what_is_not_home(void **state)
{
    what_is_not_home(18, FAIR, "COMPLETED; results are home, cost $0.0");
    what_is_not_home(18, DIES, "what it wrote on 1 of 2 nodes did not all come home, cost $0.0");
    what_is_not_home(18, GIVEN_UP, "what it wrote on 1 of 2 nodes did not all come home");
}

// For a day home takes no results. What they cost is bounded, and the job's end says where they
// are.
static void results_are_kept_when_home_is_full(void **state)
{
    make_world(20);
    remove_journal();
    daemon_start();
    world.home_full = true;
    int job = slurm_submit(60, 2, true);
    while (!slurm_started(job))
        live(100);
    while (slurm_started(job))
        live(100);
    live(60000 * 20);
    assert_int_equal(world.kept, 0);
    assert_int_equal(cloud_running(), 2);
    live(60000 * 12); // data.keep_results: half an hour
    assert_int_equal(world.kept, 2);
    live(60000 * 5);
    assert_int_equal(cloud_running(), 0);
    live(24 * 3600000);
    assert_int_equal(world.kept, 2);
    expect_end(job, "results of 2 nodes are kept: burst results 1, cost $0.");
    assert_true(told(job, "are kept in"));
    world.home_full = false;
    settle();
    long_ago = true;
    check_promises(20);
    long_ago = false;
    end_world();
}

// Nor can they be kept: the node waits, and they come home when that is possible again.
static void results_that_cannot_be_kept_wait(void **state)
{
    make_world(20);
    vain_allow_idle(); // results that can go nowhere keep their node
    remove_journal();
    daemon_start();
    world.home_full = world.keeps_full = true;
    int job = slurm_submit(60, 1, true);
    while (!slurm_started(job))
        live(100);
    while (slurm_started(job))
        live(100);
    live(60000 * 60);
    assert_int_equal(cloud_running(), 1);
    world.home_full = false;
    live(60000 * 5);
    assert_int_equal(world.kept, 0);
    expect_end(job, "results are home");
    settle();
    check_promises(20);
    end_world();
}

// A job that is to run again does not wait for half an hour: they are kept, or else it goes on from
// what is home.
static void requeued_jobs_do_not_wait_for_a_full_home(void **state)
{
    for (int full = 0; full <= 1; full++) {
        make_world(21);
        remove_journal();
        daemon_start();
        world.home_full = true;
        world.keeps_full = full;
        int job = slurm_submit(600, 1, true);
        while (!slurm_started(job))
            live(100);
        live(2000);
        slurm_requeue(job);
        slurm_begin(job, 600); // else Slurm starts it on the same node again
        live(400000);
        assert_int_equal(jobs_by_id(world.b->jobs, (uint32_t)job)->state, JOB_RUNNING);
        assert_int_equal(world.kept, !full);
        world.home_full = world.keeps_full = false;
        settle();
        check_promises(21);
        end_world();
    }
}

static void moved_here_while_nobody_looked(void **state)
{
    make_world(16);
    remove_journal();
    daemon_start();
    int a = slurm_submit(3000, 1, false), other = slurm_submit(3000, 1, false);
    live(5000); // the two local nodes are taken
    int job = slurm_submit(1000, 1, false);
    while (!slurm_started(job))
        live(100);
    live(10000);
    assert_int_equal(jobs_by_id(world.b->jobs, (uint32_t)job)->state, JOB_RUNNING);
    daemon_kill();
    down_until = world.now_ms + 20000;
    slurm_requeue(job);
    slurm_move_here(job);
    slurm_cancel(other);
    live(25000);
    assert_true(slurm_started(job));
    assert_int_equal(jobs_by_id(world.b->jobs, (uint32_t)job)->state, JOB_LOCAL);
    assert_true(told(job, "is left there, because this attempt has its files here"));
    live(200000);
    assert_true(slurm_started(job));
    assert_int_equal(cloud_running(), 0); // nothing is paid for meanwhile
    slurm_cancel(a);
    settle();
    assert_int_equal(slurm_attempts(job), 1);
    check_promises(16);
    end_world();
}

// ---- one plan for all that waits

static void all_completed(int from, int to, int but)
{
    for (int k = from; k <= to; k++)
        if (k != but)
            assert_string_equal(slurm_job_text(k), "COMPLETED");
}

// The optimizer refuses whatever it is asked about the third job, or dies of it.
static void a_job_that_cannot_be_planned_keeps_nobody(bool kills)
{
    new_world(31);
    world.bad_job = 3;
    world.bad_kills = kills;
    for (int k = 0; k < 6; k++)
        slurm_submit(30, 1, true);
    live(120000);
    all_completed(1, 6, 3);
    assert_string_equal(slurm_job_text(3), "PENDING");
    assert_true(story_has(3, kills ? "the optimizer cannot plan it: simulated end"
                                   : "the optimizer cannot plan it: simulated refusal"));
    slurm_submit(30, 1, true);
    live(90000); // a later one is not asked for together with it again
    all_completed(1, 7, 3);
    world.bad_job = 0;
    settle();
    all_completed(1, 7, 0);
    check_promises(31);
    end_world();
}

static void a_refused_job_keeps_nobody_from_a_plan(void **state)
{
    a_job_that_cannot_be_planned_keeps_nobody(false);
}

static void a_job_that_ends_the_optimizer_keeps_nobody_from_a_plan(void **state)
{
    a_job_that_cannot_be_planned_keeps_nobody(true);
}

// What one user writes about his data concerns the others' jobs as little.
static void data_of_one_job_keep_nobody_from_a_plan(void **state)
{
    new_world(32);
    int a = slurm_submit(30, 1, true), b = slurm_submit(30, 1, true);
    slurm_ask(a, "data=job/2:0.001,job/2:0.002,job/1:0.001"); // a circle, and itself
    slurm_ask(b, "data=job/1:0.001");
    int lost = slurm_submit(30, 1, true), other = slurm_submit(30, 1, true);
    slurm_ask(lost, "data=mars/north:1"); // no row of egress.csv
    live(120000);
    assert_string_equal(slurm_job_text(a), "COMPLETED");
    assert_string_equal(slurm_job_text(b), "COMPLETED");
    assert_string_equal(slurm_job_text(other), "COMPLETED");
    assert_string_equal(slurm_job_text(lost), "PENDING");
    assert_true(story_has(lost, "the data cannot be moved to or from any place that is left"));
    end_world();
}

// No limit of a plan counts egress, the caps do: what they refuse goes to the next cloud.
static void the_caps_refuse_one_cloud_only(void **state)
{
    new_world(33);
    int job = slurm_submit(30, 1, true);
    slurm_ask(job, "data=home/here:1"); // 0.10 USD
    // The time limit of its job is 120 s.
    world.b->conf->clouds[0].max_per_day = ledger_bound(world.b, 100003, 1, 120) + 50000;
    live(20000);
    assert_string_equal(cloud_of(job), "c2");
    live(100000);
    assert_string_equal(slurm_job_text(job), "COMPLETED");
    assert_int_equal(transfers_of((unsigned)job), 100000);
    settle();
    end_world();
}

// What a launch has started that never had a clear answer counts for the caps, and is ended as soon
// as the cloud tells of it.
static void a_launch_without_an_answer_counts(void **state)
{
    new_world(40);
    int job = slurm_submit(30, 1, true);
    live(500);
    world.lost_reply = 1000;
    live(4500);
    slurm_cancel(job); // no other place for it
    live(45000);       // given up
    assert_int_equal(cloud_running(), 1);
    assert_int_equal(in_ledger("cloud", NULL, "total_uusd"), 0); // nobody knows
    assert_true(ledger_committed(world.b, "c1") >= money_for_seconds(100003, 40));
    world.lost_reply = 0;
    live(40000); // listings that fail are repeated after 30 s at most
    assert_int_equal(cloud_running(), 0);
    assert_int_equal(live_instances(), 0);
    assert_int_equal(ledger_committed(world.b, "c1"), 0);
    settle();
    check_promises(40);
    end_world();
}

static void fill_local_slots(void)
{
    slurm_submit(100000, 1, false);
    slurm_submit(100000, 1, false);
    live(3000);
}

// There is money for one of them today. The first in line set himself a cap.
static void priority_decides_who_goes(void **state)
{
    new_world(34);
    fill_local_slots();
    money_t bound = ledger_bound(world.b, 100003, 1, 260) + EGRESS;
    world.b->conf->max_per_day = bound * 3 / 2;
    char cap[64];
    snprintf(cap, sizeof(cap), "data=home/here:0.007 max_cost=%lld", (long long)bound * 5 / 4);
    int low = slurm_submit(100, 1, false), high = slurm_submit(100, 1, false);
    slurm_priority(high, 200);
    slurm_ask(high, cap);
    live(60000);
    assert_string_equal(cloud_of(high), "c1");
    assert_int_equal(slurm_attempts(low), 0);
    // Why the other one waits is asked for alone.
    assert_true(story_has(low, "no offer fits now: ") || story_has(low, "today's cap of the site"));
    slurm_cancel(1);
    slurm_cancel(2);
    settle();
    check_promises(34);
    end_world();
}

// Held jobs have no priority, and still their turn: who came first goes, and the next of the other
// kind.
static void held_jobs_have_their_turn(bool held_first)
{
    new_world(39);
    fill_local_slots();
    world.b->conf->max_per_day = (ledger_bound(world.b, 100003, 1, 260) + EGRESS) * 3 / 2;
    int first = slurm_submit(100, 1, held_first);
    world.now_ms += 2000;
    int second = slurm_submit(100, 1, !held_first);
    live(60000);
    assert_string_equal(cloud_of(first), "c1");
    assert_int_equal(slurm_attempts(second), 0);
    slurm_cancel(1);
    slurm_cancel(2);
    settle();
    check_promises(39);
    end_world();
}

static void neither_held_jobs_nor_others_come_first(void **state)
{
    held_jobs_have_their_turn(true);
    held_jobs_have_their_turn(false);
}

// While the optimizer thinks the job that was only looked ahead at becomes one to be bought for:
// the answer is not about that.
static void what_is_looked_ahead_at_is_not_bought(void **state)
{
    new_world(35);
    world.b->conf->max_instances = 1;
    int parent = slurm_submit(30, 1, true), child = slurm_submit(30, 1, true);
    slurm_ask(child, "data=job/1:0.007");
    slurm_depend(child, true);
    slurm_begin(parent, 10); // until the child is seen to depend
    live(9500);
    world.solver_ms = 5000;
    live(3000);
    slurm_depend(child, false);
    for (int k = 0; k < 200; k++) {
        live(100);
        assert_in_range(live_instances(), 0, 1);
    }
    world.solver_ms = 0;
    world.b->conf->max_instances = 60;
    settle();
    check_promises(35);
    end_world();
}

// Nothing leads from c1 to c2, and the child may run at c2 only.
static void the_first_goes_where_the_second_can_follow(void **state)
{
    new_world(36);
    int parent = slurm_submit(30, 1, true), child = slurm_submit(30, 1, true);
    int grandchild = slurm_submit(30, 1, true), other = slurm_submit(30, 1, true);
    slurm_ask(child, "data=job/1:5");
    slurm_ask(grandchild, "data=job/2:5 clouds=c2");
    slurm_depend(child, true);
    slurm_depend(grandchild, true);
    slurm_begin(parent, 10);
    live(40000);
    assert_string_equal(cloud_of(parent), "c2");
    assert_string_equal(cloud_of(other), "c1");
    slurm_cancel(child);
    slurm_cancel(grandchild);
    settle();
    assert_string_equal(slurm_job_text(parent), "COMPLETED");
    end_world();
}

// 380 s of a spot node of c1 for $0.100003, its expected restarts (3 minutes lost once a day) and
// egress: $0.011278. At $0.36 an hour a second of waiting costs $0.0001.
static void a_job_stays_until_waiting_costs_more(void **state)
{
    new_world(37);
    fill_local_slots();
    world.b->conf->waiting_usd = 360000;
    int job = slurm_submit(100, 1, false);
    live(100000);
    const struct bjob *j = jobs_by_id(world.b->jobs, (uint32_t)job);
    assert_int_equal(j->state, JOB_CANDIDATE);
    assert_true(j->stays);
    assert_int_equal(cloud_asked(), 0);
    live(60000); // it is weighed again each 30 s
    assert_int_equal(cloud_asked(), 1);
    char key[16];
    snprintf(key, sizeof(key), "%d", job);
    cJSON *told = store_story(world.b->store, key, "decision", 100);
    assert_in_range(cJSON_GetArraySize(told), 3, 6); // at first, when it has grown, and the last
    const cJSON *last = cJSON_GetArrayItem(told, cJSON_GetArraySize(told) - 1);
    const cJSON *chosen = cJSON_GetObjectItem(last, "chosen");
    assert_string_equal(json_str(chosen, "cloud", ""), "c1");
    assert_int_equal(json_i64(chosen, "total_uusd", 0), 11278);
    cJSON_Delete(told);
    slurm_cancel(1);
    slurm_cancel(2);
    settle();
    check_promises(37);
    end_world();
}

// Two idle nodes for three jobs of one answer; then a gang of two and a job, for the three.
static void idle_nodes_serve_each_one_job(void **state)
{
    new_world(138);
    slurm_submit(30, 1, true);
    slurm_submit(30, 1, true);
    live(58000); // both nodes are idle for some seconds, and go after 60
    all_completed(1, 2, 0);
    assert_int_equal(cloud_asked(), 2);
    for (int k = 0; k < 3; k++)
        slurm_submit(30, 1, true);
    live(62000);
    all_completed(1, 5, 0);
    assert_int_equal(cloud_asked(), 3);
    slurm_submit(30, 2, true);
    slurm_submit(30, 1, true);
    live(62000);
    all_completed(1, 7, 0);
    assert_int_equal(cloud_asked(), 3);
    settle();
    check_promises(138);
    end_world();
}

// A node that has served a user is idle, and left to him: the next one's job gets a node of its
// own.
static void idle_nodes_serve_their_user_alone(void **state)
{
    new_world(39);
    slurm_submit(30, 1, true);
    live(58000);
    assert_int_equal(cloud_asked(), 1);
    slurm_user(slurm_submit(30, 1, true), 2);
    live(20000);
    assert_int_equal(cloud_asked(), 2);
    slurm_submit(30, 1, true); // the first user's again, on his node
    live(62000);
    all_completed(1, 3, 0);
    assert_int_equal(cloud_asked(), 2);
    settle();
    check_promises(39);
    end_world();
}

static uint64_t first_seed = 1;
static unsigned runs = 6;

static void under(void (*weather)(void))
{
    for (unsigned k = 0; k < runs; k++)
        scenario(first_seed + k, 25, weather);
}

static void in_fair_weather(void **state)
{
    under(fair);
}

static void when_clouds_refuse_and_lose_replies(void **state)
{
    under(refusing);
}

static void when_instances_fail(void **state)
{
    under(failing_nodes);
}

static void when_spot_is_taken_back(void **state)
{
    under(spot_market);
}

static void when_the_daemon_is_killed(void **state)
{
    under(crashing);
}

static void when_everything_happens(void **state)
{
    under(everything);
}

static void when_it_is_killed_anywhere(void **state)
{
    under(killed_anywhere);
}

static void when_the_disk_is_full(void **state)
{
    under(full_disk);
}

static void when_slurmctld_is_down(void **state)
{
    under(slurm_outages);
}

static void when_users_requeue(void **state)
{
    under(impatient_users);
}

static void when_networks_are_cut(void **state)
{
    under(cut_networks);
}

static void when_caps_are_low(void **state)
{
    under(low_caps);
}

static void when_jobs_are_of_all_kinds(void **state)
{
    under(of_all_kinds);
}

static void when_all_comes_at_once(void **state)
{
    under(all_at_once);
}

// A test that failed leaves its world.
static int leave(void **state)
{
    leave_world();
    return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, leave)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_killed_run_leaves_nothing),
        TEST(egress_of_each_attempt),
        TEST(a_full_disk_floods_nothing),
        TEST(sold_at_another_price),
        TEST(one_node_tries_what_refused),
        TEST(a_launch_is_one_transaction),
        TEST(gangs_wait_longer),
        TEST(a_place_that_takes_nodes_back_is_dearer),
        TEST(held_jobs_are_held_for_good),
        TEST(requeued_while_nobody_looked),
        TEST(an_error_at_home_never_ends_a_job),
        TEST(what_never_joins_is_not_bought_again),
        TEST(a_node_that_failed_says_why_in_slurm),
        TEST(nothing_is_rented_without_stagerd),
        TEST(what_is_mended_is_opened_by_an_operator),
        TEST(the_site_says_how_long_a_pause_is),
        TEST(what_slurm_does_not_start_is_not_bought_again),
        TEST(what_slurm_cannot_launch_is_not_bought_again),
        TEST(a_limit_of_one_costs_little_more_than_the_jobs),
        TEST(a_limit_that_slurm_tells_costs_nothing),
        TEST(what_cannot_be_staged_is_not_bought_again),
        TEST(what_cannot_be_prepared_is_not_bought_again),
        TEST(nothing_is_rented_while_the_site_is_not_ready),
        TEST(a_lost_registration_costs_no_node),
        TEST(the_death_of_a_helper_costs_no_node),
        TEST(nothing_is_rented_for_data_that_do_not_fit),
        TEST(only_rented_nodes_were_wanted),
        TEST(a_refused_move_is_not_bought_for_again),
        TEST(nothing_is_rented_for_drained_names),
        TEST(a_silent_region_ends_nothing),
        TEST(empty_listings_end_nothing),
        TEST(a_lost_journal_ends_nothing),
        TEST(idle_nodes_end_without_slurm),
        TEST(a_number_given_again_is_another_job),
        TEST(a_notice_is_told_whatever_is_under_way),
        TEST(a_drain_during_the_boot_frees_the_job),
        TEST(the_end_says_what_is_not_home),
        TEST(spool_files_stay_until_they_are_journaled),
        TEST(results_are_kept_when_home_is_full),
        TEST(results_that_cannot_be_kept_wait),
        TEST(requeued_jobs_do_not_wait_for_a_full_home),
        TEST(moved_here_while_nobody_looked),
        TEST(one_silent_node_does_not_keep_the_others_results),
        TEST(held_jobs_wait_for_others_and_their_time),
        TEST(held_jobs_say_in_their_record_why),
        TEST(a_refused_job_keeps_nobody_from_a_plan),
        TEST(a_job_that_ends_the_optimizer_keeps_nobody_from_a_plan),
        TEST(data_of_one_job_keep_nobody_from_a_plan),
        TEST(the_caps_refuse_one_cloud_only),
        TEST(a_launch_without_an_answer_counts),
        TEST(priority_decides_who_goes),
        TEST(neither_held_jobs_nor_others_come_first),
        TEST(what_is_looked_ahead_at_is_not_bought),
        TEST(the_first_goes_where_the_second_can_follow),
        TEST(a_job_stays_until_waiting_costs_more),
        TEST(idle_nodes_serve_each_one_job),
        TEST(idle_nodes_serve_their_user_alone),
        TEST(in_fair_weather),
        TEST(when_clouds_refuse_and_lose_replies),
        TEST(when_instances_fail),
        TEST(when_spot_is_taken_back),
        TEST(when_the_daemon_is_killed),
        TEST(when_everything_happens),
        TEST(when_it_is_killed_anywhere),
        TEST(when_the_disk_is_full),
        TEST(when_slurmctld_is_down),
        TEST(when_users_requeue),
        TEST(when_networks_are_cut),
        TEST(when_caps_are_low),
        TEST(when_jobs_are_of_all_kinds),
        TEST(when_all_comes_at_once),
    };

    if (argc > 1)
        first_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        runs = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        cmocka_set_test_filter(argv[3]);
    sim_dir_sweep();
    log_set_level(LOG_LEVEL_DEBUG);
    if (!getenv("SIM_TRACE") && log_open("/dev/null") < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
