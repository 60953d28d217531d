// SPDX-License-Identifier: GPL-3.0-or-later
// What the planner asks, for given tables. Expected numbers are counted by hand; whatever users,
// clouds and the configuration come up with, the optimizer must understand the question.
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
#include "cloud/clouds.h"
#include "cloud/observed.h"
#include "job/data_place.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "optimizer/request.h"
#include "money/caps.h"
#include "plan/no_place.h"
#include "plan/plan_request.h"
#include "slurm/slurm_link.h"
#include "ssh/port_wait.h"
#include "ssh/ssh_op.h"
#include "state/bounds.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

#define T0 INT64_C(1700000000)
#define MAX_JOBS 8

static int64_t now_s;
int64_t __wrap_clock_now_s(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_now_s(void)
{
    return now_s;
}
int64_t __wrap_clock_mono_ms(void)
{
    return now_s * 1000;
}

void ssh_op_cancel(struct ssh_op *op)
{
    fail_msg("no SSH here");
}

void port_wait_cancel(struct port_wait *w)
{
}

static struct burstd b;
static struct cloud rows[3];
static bool out_of_order;         // the first cloud
static const char *drained_names; // all that begin so; NULL = none

struct cloud *clouds_at(struct clouds *c, unsigned i)
{
    return i < b.conf->n_clouds ? &rows[i] : NULL;
}

bool cloud_usable(const struct cloud *c)
{
    return !(out_of_order && c == &rows[0]);
}

const struct snode *slurm_link_node(const struct slurm_link *l, const char *name)
{
    static const struct snode idle = {.flags = SNODE_IDLE};
    static const struct snode drained = {.flags = SNODE_IDLE | SNODE_DRAIN | SNODE_POWERED_DOWN};

    return drained_names && strncmp(name, drained_names, strlen(drained_names)) == 0 ? &drained
                                                                                     : &idle;
}

const struct sjob *slurm_link_job(const struct slurm_link *l, const char *job)
{
    return NULL;
}

const struct spart *slurm_link_part(const struct slurm_link *l, const char *name)
{
    return NULL;
}

static const char yaml[] =
    "cluster: test\n"
    "munge_key: /m\n"
    "ssh: {key: /k, user: root}\n"
    "budget: {max_usd_per_job: 100, max_usd_per_day: 500}\n"
    "node_idle: 300s\n"
    "accelerators: {a100: [A100, A100-80GB]}\n"
    "data: {location: home/here}\n"
    "shapes:\n"
    "  - {name: big, cpus: 8, memory: 8000MiB, nodes: 4}\n"
    "  - {name: small, cpus: 2, memory: 2000MiB, nodes: 4}\n"
    "  - {name: gpu, gpu: a100, gpus: 2, cpus: 4, memory: 4000MiB, nodes: 4}\n"
    "clouds:\n"
    "  - {name: aws, provider: local, endpoint: 'http://127.0.0.1:1', credentials: /x,"
    " max_nodes: 10, max_usd_per_day: 40}\n"
    "  - {name: gcp, provider: local, endpoint: 'http://127.0.0.1:1', credentials: /x,"
    " max_nodes: 2, regions: ['us-*', eu-1], markets: [spot]}\n";

static struct data_places *data;
static struct plan_facts *facts;
static struct idle_group idle[IDLE_GROUPS_MAX];
static unsigned n_idle;
static struct plan_job *job[MAX_JOBS];
static struct sjob slurm[MAX_JOBS];
static size_t n_jobs;
static char empty[] = "", path[64];

static int begin(void **state)
{
    struct conf_errors errs;
    burst_error_t err;
    int fd;

    snprintf(path, sizeof(path), "/tmp/burst-request-XXXXXX");
    if ((fd = mkstemp(path)) < 0)
        return -1;
    close(fd);
    setenv("TZ", "UTC", 1);
    tzset();
    memset(&b, 0, sizeof(b));
    now_s = T0;
    n_jobs = n_idle = 0;
    out_of_order = false;
    drained_names = NULL;
    if (conf_parse("test.yaml", yaml, sizeof(yaml) - 1, &b.conf, &errs) < 0) {
        fprintf(stderr, "%s\n", errs.text[0].text);
        return -1;
    }
    for (unsigned k = 0; k < b.conf->n_clouds; k++)
        rows[k] = (struct cloud){.conf = &b.conf->clouds[k], .listed_once = true};
    b.instances = instances_create(&b);
    b.jobs = jobs_create(&b);
    b.store = store_open(path, &err);
    b.observed = observed_create(&b);
    b.bounds = bounds_create(&b);
    data = data_places_create();
    data_places_begin(data);
    return b.store ? 0 : -1;
}

static int end(void **state)
{
    const char *tails[] = {"", "-wal", "-shm"};
    char name[80];

    for (size_t k = 0; k < n_jobs; k++)
        free(job[k]);
    plan_facts_destroy(facts);
    facts = NULL;
    data_places_destroy(data);
    observed_destroy(b.observed);
    bounds_destroy(b.bounds);
    instances_destroy(b.instances);
    jobs_destroy(b.jobs);
    store_close(b.store);
    conf_free(b.conf);
    for (size_t k = 0; k < 3; k++) {
        snprintf(name, sizeof(name), "%s%s", path, tails[k]);
        unlink(name);
    }
    return 0;
}

enum { ALICE = 2001, BOB };

// A candidate that wants one node with one CPU for an hour, if nothing else is asked for.
static struct plan_job *candidate(const char *key, const char *options)
{
    struct plan_job *p = xmalloc(sizeof(*p));
    struct bjob *j = bjob_create();
    struct sjob *s = &slurm[n_jobs];
    char mark[2048], why[256];

    *s = (struct sjob){.num_nodes_min = 1,
                       .num_cpus = 1,
                       .priority = 1,
                       .submit = T0 - 100,
                       .batch = true,
                       .requeue = true};
    s->partition = s->req_nodes = s->exc_nodes = s->special = empty;
    s->tres_per_job = s->tres_per_node = s->tres_per_socket = s->tres_per_task = empty;
    s->cpus_per_tres = s->mem_per_tres = empty;
    s->reason = s->qos = s->features = s->licenses = s->reservation = s->dependency = empty;
    snprintf(j->key, sizeof(j->key), "%s", key);
    snprintf(j->origin, sizeof(j->origin), "main");
    snprintf(mark, sizeof(mark), "burst:1 eligible%s%s", *options ? " " : "", options);
    bjob_set(&j->mark, mark);
    j->state = JOB_CANDIDATE;
    j->planning = true;
    j->limit_s = 3600;
    j->uid = ALICE;
    jobs_add(b.jobs, j);
    p->j = j;
    p->s = s;
    assert_int_equal(directive_from_mark(mark, &p->d), 0);
    assert_int_equal(demand_of(s, NULL, &p->dm, why, sizeof(why)), 0);
    return job[n_jobs++] = p;
}

static struct instance *rented(const char *id, const char *cloud, const char *shape)
{
    struct instance *i = xmalloc(sizeof(*i));

    snprintf(i->id, sizeof(i->id), "%s", id);
    snprintf(i->cloud, sizeof(i->cloud), "%s", cloud);
    snprintf(i->region, sizeof(i->region), "us-1");
    snprintf(i->itype, sizeof(i->itype), "m8");
    snprintf(i->shape, sizeof(i->shape), "%s", shape);
    snprintf(i->partition, sizeof(i->partition), "%s", cloud);
    i->state = INST_BUSY;
    i->spot = true;
    i->price = 360000; // 100 micro-dollars a second
    i->served = ALICE;
    i->launched = i->charged_to = now_s;
    instances_add(b.instances, i);
    return i;
}

// The optimizer must understand it; the caller deletes it.
static cJSON *request(bool with_later)
{
    struct plan_question q = {.job = job, .n = n_jobs, .data = data, .with_later = with_later};
    burst_error_t err = {""};
    char why[256];

    plan_facts_destroy(facts);
    q.facts = facts = plan_facts_create(&b);
    q.n_idle = n_idle = idle_find(&b, idle);
    q.idle = idle;
    for (size_t k = 0; k < n_jobs; k++)
        plan_possible(&b, &q, job[k], why, sizeof(why));
    cJSON *r = plan_request(&b, &q);
    char *text = json_line(r);
    cJSON *read = json_parse(text, strlen(text), &err);
    struct request *parsed = request_parse(read, &err);
    if (!parsed)
        fail_msg("%s in %s", err.text, text);
    request_destroy(parsed);
    cJSON_Delete(read);
    free(text);
    return r;
}

static const cJSON *task(const cJSON *r, int k)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(r, "tasks"), k);
}

static const cJSON *item(const cJSON *o, const char *list, int k)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(o, list), k);
}

static int size(const cJSON *o, const char *list)
{
    return cJSON_GetArraySize(cJSON_GetObjectItem(o, list));
}

static void is_text(const cJSON *o, const char *key, const char *want)
{
    char *text = json_line(cJSON_GetObjectItem(o, key));

    assert_string_equal(text, want);
    free(text);
}

#define is_number(o, key, want) assert_float_equal(json_dbl(o, key, -1), want, 1e-9)

static void a_job_and_the_limits(void **state)
{
    candidate("1", "runtime=1680");
    rented("busy", "gcp", "big");
    cJSON *r = request(false);
    const cJSON *t = task(r, 0), *e = item(t, "any_of", 0);

    // What serves for the small shape serves for the big one.
    assert_int_equal(size(t, "any_of"), 1);
    is_number(e, "vcpus", 2);
    is_number(e, "memory_gib", 2000.0 / 1024);
    is_number(e, "hours", 0.5); // 1680 s and 2 minutes
    is_number(e, "nodes", 1);
    is_text(t, "clouds", "[\"aws\",\"gcp\"]");
    is_text(t, "regions", "[\"aws/*\",\"gcp/us-*\",\"gcp/eu-1\"]");
    assert_null(cJSON_GetObjectItem(t, "alternatives"));
    // An hour, boot (240 s at least: ssh and join time-outs and a minute are 300), end, idle time
    // and what Slurm may be late with.
    is_number(t, "limit_hours", (3600 + 300 + 60 + 300 + 120) / 3600.0);
    is_number(t, "max_usd", 100);
    is_text(r, "limits",
            "[{\"match\":{\"cloud\":\"aws\",\"offers\":true},\"max_nodes\":10},"
            "{\"match\":{\"cloud\":\"aws\"},\"max_usd\":40},"
            "{\"match\":{\"cloud\":\"gcp\",\"offers\":true},\"max_nodes\":1},"
            "{\"match\":{\"offers\":true},\"max_nodes\":63},"
            "{\"match\":{},\"max_usd\":499.952}]"); // the node stays for 360 s of 0.0001 USD
    is_text(r, "blocked", "[{\"cloud\":\"gcp\",\"market\":\"on-demand\"}]");
    cJSON_Delete(r);
}

static void shapes_stand_for_others_where_they_have_names(void **state)
{
    candidate("1", "");
    for (int k = 0; k < 4; k++) {
        char id[8];
        snprintf(id, sizeof(id), "i%d", k);
        rented(id, "aws", "small");
    }
    cJSON *r = request(false);
    const cJSON *t = task(r, 0);
    assert_int_equal(size(t, "any_of"), 2); // big at aws, small at gcp
    is_number(item(t, "any_of", 0), "vcpus", 8);
    is_text(item(t, "any_of", 0), "clouds", "[\"aws\"]");
    is_number(item(t, "any_of", 1), "vcpus", 2);
    is_text(item(t, "any_of", 1), "clouds", "[\"gcp\"]");
    assert_null(cJSON_GetObjectItem(t, "clouds"));
    cJSON_Delete(r);

    // 12 CPUs: two big nodes or six small ones, of which there are not so many names.
    job[0]->dm.need.cpus_total = 12;
    r = request(false);
    t = task(r, 0);
    assert_int_equal(size(t, "any_of"), 1);
    is_number(item(t, "any_of", 0), "nodes", 2);
    is_text(t, "clouds", "[\"aws\",\"gcp\"]");
    cJSON_Delete(r);
}

static void each_name_of_an_accelerator(void **state)
{
    candidate("1", "market=spot clouds=gcp")->dm.need.gpus_per_node = 2;
    cJSON *r = request(false);
    const cJSON *t = task(r, 0);
    assert_int_equal(size(t, "any_of"), 2);
    is_text(item(t, "any_of", 0), "accelerator", "\"A100\"");
    is_text(item(t, "any_of", 1), "accelerator", "\"A100-80GB\"");
    is_number(item(t, "any_of", 1), "count", 2);
    is_text(t, "clouds", "[\"gcp\"]");
    is_text(t, "market", "\"spot\"");
    cJSON_Delete(r);
}

static void clouds_that_may_not_be_used_now(void **state)
{
    struct plan_question q = {0};
    char why[256];

    candidate("1", "");
    out_of_order = true;
    cJSON *r = request(false);
    is_text(task(r, 0), "clouds", "[\"gcp\"]");
    cJSON_Delete(r);
    job[0]->j->avoid = 2; // gcp, where the caps did not admit it
    job[0]->j->avoid_ms = (now_s + 60) * 1000;
    q.facts = facts;
    assert_false(plan_possible(&b, &q, job[0], why, sizeof(why)));
    assert_non_null(strstr(why, "no cloud that offers what it needs may be used now"));
    now_s += 60;
    r = request(false);
    is_text(task(r, 0), "clouds", "[\"gcp\"]");
    cJSON_Delete(r);
    q.facts = facts;
    job[0]->dm.need.mem_per_node = 1 << 20;
    assert_false(plan_possible(&b, &q, job[0], why, sizeof(why)));
    assert_string_equal(why, "no shape of the site's configuration fits it");
}

static const char *no_cloud(void)
{
    static char why[256];

    plan_facts_destroy(facts);
    facts = plan_facts_create(&b);
    why[0] = '\0';
    no_place_cloud(&b, facts, job[0], why, sizeof(why));
    return why;
}

// Each cloud that its user admits is named with what closes it, and until when.
static void why_no_cloud_may_be_asked(void **state)
{
    char key[BOUND_KEY_MAX], why[256];

    candidate("1", "");
    out_of_order = true;
    snprintf(rows[0].message, sizeof(rows[0].message), "auth: 401");
    b.conf->clouds[1].max_nodes = 0;
    assert_string_equal(no_cloud(),
                        "no cloud may be asked now: aws: out of order (auth: 401); gcp: "
                        "as many nodes as may be (0) are rented there");
    out_of_order = false;
    b.conf->clouds[0].max_per_day = 0;
    b.conf->clouds[1].max_nodes = 2;
    bound_hopeless(b.bounds, BOUND_SHAPE, bound_shape_key("gcp", "big", key), FAILURE_JOIN,
                   "silent");
    assert_string_equal(no_cloud(),
                        "no cloud may be asked now: aws: its cap of $0.00 a day is used up until "
                        "2023-11-15T00:00:00; gcp: shape big is closed until 2023-11-14T23:13:20, "
                        "its nodes failed");
    assert_true(caps_used_up(&b, &b.conf->clouds[0], why, sizeof(why)));
    assert_string_equal(why, "cloud aws's cap of $0.00 a day is used up: $0.00 is spent, $0.00 set "
                             "aside for what is rented; more at 2023-11-15T00:00:00");
    assert_false(caps_used_up(&b, NULL, why, sizeof(why)));
    assert_int_equal(directive_from_mark("burst:1 eligible clouds=gcp", &job[0]->d), 0);
    assert_null(strstr(no_cloud(), "aws"));
    b.conf->max_per_day = 0;
    assert_string_equal(no_cloud(), "the site's cap of $0.00 a day is used up; more at "
                                    "2023-11-15T00:00:00");
    b.conf->max_per_day = 1000000;
    b.conf->max_instances = 0;
    assert_string_equal(no_cloud(), "as many nodes as the site allows (0) are rented now");
    job[0]->dm.need.mem_per_node = 1 << 20; // plan_possible() says it
    b.conf->max_instances = 1;
    assert_string_equal(no_cloud(), "");
}

// What the optimizer knows by numbers is said by what is behind them: causes, how many places, the
// time of the next try.
static void why_the_optimizer_found_none(void **state)
{
    static const char *const said[] = {"NoCapacity: none in z0", "NoCapacity: none in z1",
                                       "NoCapacity"};
    char why[256], key[BOUND_KEY_MAX];

    for (int k = 0; k < 5; k++) {
        char zone[8];
        snprintf(zone, sizeof(zone), "z%d", k);
        observed_refused(b.observed, "aws", "us-1", zone, "m8", "spot", 60 + k, 3600,
                         k < 3 ? said[k] : "over quota");
    }
    bound_place_key(key, "gcp", "us-1", "", "m8", true);
    bound_hopeless(b.bounds, BOUND_PLACE, key, FAILURE_BOOT, "no SSH");
    no_place_reason(&b, "task \"17\": blocked: every place that is left is blocked", why,
                    sizeof(why));
    assert_string_equal(why, "no offer fits now: all places that are left refused or failed, tried "
                             "again from 2023-11-14T22:14:20 on: NoCapacity (3 places), over quota "
                             "(2 places), no SSH (1 place)");
    b.conf->max_per_day = 1500000;
    no_place_reason(&b, "limits[4]: max_usd 1.5: every plan costs more there", why, sizeof(why));
    assert_string_equal(why,
                        "no offer fits now: until its time limit it costs more than today's "
                        "caps leave; more at 2023-11-15T00:00:00; the site has $1.50 left; aws "
                        "$40.00");
    no_place_reason(&b, "task \"17\": vcpus 99: no instance that is left has as many vCPUs", why,
                    sizeof(why));
    assert_string_equal(why, "no offer fits now: vcpus 99: no instance that is left has as many "
                             "vCPUs");
}

// Names that Slurm will not use, or that the job excludes, are no room.
static void names_that_cannot_be_used(void **state)
{
    static char all_but_one[] = "gcp-big-[001-004],gcp-small-[001-003]";
    struct plan_question q = {0};
    char why[256];

    candidate("1", "");
    drained_names = "aws-";
    cJSON *r = request(false);
    is_text(task(r, 0), "clouds", "[\"gcp\"]");
    cJSON_Delete(r);
    slurm[0].exc_nodes = all_but_one;
    r = request(false);
    is_number(item(task(r, 0), "any_of", 0), "vcpus", 2);
    assert_int_equal(size(task(r, 0), "any_of"), 1);
    cJSON_Delete(r);
    job[0]->dm.need.nodes = 2; // one name is left
    q.facts = facts;
    assert_false(plan_possible(&b, &q, job[0], why, sizeof(why)));
    assert_non_null(strstr(why, "drained, reserved or excluded"));
    slurm[0].exc_nodes = empty;
    assert_true(plan_possible(&b, &q, job[0], why, sizeof(why)));
}

// Two prices, so two groups; and a place of which only the region is known.
// What Slurm cannot queue again is over when a spot node is taken back.
static void on_demand_only_without_requeue(void **state)
{
    candidate("1", "");
    candidate("2", "");
    candidate("3", "");
    candidate("4", "market=spot");
    slurm[1].requeue = false; // --no-requeue, JobRequeue=0
    slurm[2].batch = false;   // salloc, srun
    slurm[3].requeue = false; // its user has said so himself
    struct instance *i = rented("a", "aws", "small");
    i->state = INST_READY;
    i->spot = true;
    cJSON *r = request(true);
    const char *const market[] = {"any", "on-demand", "on-demand", "spot"};
    const int alternatives[] = {2, 1, 1, 2}; // the idle spot node, later
    for (int k = 0; k < 4; k++) {
        assert_string_equal(json_str(task(r, k), "market", ""), market[k]);
        assert_int_equal(size(task(r, k), "alternatives"), alternatives[k]);
    }
    cJSON_Delete(r);
}

static void groups_of_idle_nodes(void **state)
{
    static const struct {
        const char *id, *zone;
        money_t price;
        int64_t idle_for;
    } nodes[] = {{"a", "us-1a", 360000, 100},
                 {"b", "us-1a", 360000, 40},
                 {"c", "us-1a", 720000, 400},
                 {"d", "", 360000, 0}};

    candidate("1", "runtime=920");
    candidate("2", "")->dm.need.nodes = 2;
    for (size_t k = 0; k < 4; k++) {
        struct instance *i = rented(nodes[k].id, "aws", "small");
        i->state = INST_IDLE;
        i->idle_since = now_s - nodes[k].idle_for;
        i->price = nodes[k].price;
        snprintf(i->zone, sizeof(i->zone), "%s", nodes[k].zone);
    }
    cJSON *r = request(false);
    const cJSON *t = task(r, 0);
    assert_int_equal(size(t, "alternatives"), 3);
    is_text(item(t, "alternatives", 0), "location", "\"aws/us-1\"");
    is_text(item(t, "alternatives", 0), "zone", "\"us-1a\"");
    is_number(item(t, "alternatives", 0), "hours", (920 - 200) / 3600.0); // paid for 200 s more
    is_number(item(t, "alternatives", 0), "price_usd_per_hour", 0.36);
    is_number(item(t, "alternatives", 1), "hours", 920 / 3600.0);
    is_number(item(t, "alternatives", 1), "price_usd_per_hour", 0.72);
    assert_null(cJSON_GetObjectItem(item(t, "alternatives", 2), "zone"));
    is_number(item(t, "alternatives", 2), "hours", (920 - 300) / 3600.0);
    t = task(r, 1); // a gang is not dealt out over groups
    assert_int_equal(size(t, "alternatives"), 1);
    is_text(item(t, "alternatives", 0), "name", "\"idle-1\"");
    is_number(item(t, "alternatives", 0), "nodes", 2);
    is_text(item(r, "limits", 5), "match", "{\"alternative\":\"idle-1\"}");
    is_number(item(r, "limits", 5), "max_nodes", 2);
    is_number(item(r, "limits", 6), "max_nodes", 1);
    cJSON_Delete(r);
}

// What a user leaves on a node would meet the next one's job: a node that had a user's files on it
// is offered to him alone, one that had nobody's to all.
static void an_idle_node_is_of_its_last_user(void **state)
{
    struct instance *got[GANG_MAX];

    candidate("1", "")->j->uid = BOB;
    candidate("2", "");
    struct instance *his = rented("a", "aws", "small"), *fresh = rented("b", "aws", "small");
    his->state = INST_IDLE;
    fresh->state = INST_READY;
    fresh->served = 0;
    cJSON *r = request(false);
    assert_int_equal(size(task(r, 0), "alternatives"), 1);
    is_text(item(task(r, 0), "alternatives", 0), "name", "\"idle-2\"");
    assert_int_equal(size(task(r, 1), "alternatives"), 2);
    assert_int_equal(idle_members(&b, &idle[0], got, 2), 1);
    assert_ptr_equal(got[0], his);
    assert_int_equal(idle_members(&b, &idle[1], got, 2), 1);
    assert_ptr_equal(got[0], fresh);
    cJSON_Delete(r);

    // It has run a job, and an older burstd did not write down whose.
    his->served = 0;
    r = request(false);
    assert_int_equal(n_idle, 1);
    assert_int_equal(idle_members(&b, &idle[0], got, 2), 1);
    assert_ptr_equal(got[0], fresh);
    cJSON_Delete(r);
}

static void what_has_no_place_costs_by_priority(void **state)
{
    candidate("1", "max_cost=2000000");
    candidate("2", "");
    cJSON *r = request(true);
    const cJSON *a = item(task(r, 0), "alternatives", 0), *c = item(task(r, 1), "alternatives", 0);
    is_text(a, "name", "\"later\"");
    assert_null(cJSON_GetObjectItem(a, "location"));
    is_number(a, "fixed_usd", 3 * 101); // the highest cap is $100
    is_number(c, "fixed_usd", 2.5 * 101);
    is_number(task(r, 0), "max_usd", 2);
    cJSON_Delete(r);
    b.conf->max_per_job = CONF_NO_CAP;
    r = request(true);
    is_number(item(task(r, 1), "alternatives", 0), "fixed_usd", 2.5 * 100001);
    assert_null(cJSON_GetObjectItem(task(r, 1), "max_usd"));
    cJSON_Delete(r);
}

static void waiting_has_a_price(void **state)
{
    candidate("1", "");
    candidate("2", "deadline=1700004000");
    b.conf->waiting_usd = 3600000; // 1000 micro-dollars a second
    slurm[0].start = slurm[1].start = T0 + 500;
    cJSON *r = request(false);
    const cJSON *a = item(task(r, 0), "alternatives", 0);
    is_text(a, "name", "\"local\"");
    is_text(a, "location", "\"home/here\"");
    is_number(a, "fixed_usd", 0.5);
    is_number(a, "wait_hours", 500 / 3600.0);
    is_number(a, "hours", 1);
    assert_null(cJSON_GetObjectItem(task(r, 1), "alternatives")); // 4100 s from now is too late
    cJSON_Delete(r);
    slurm[0].start = 0; // as long again as it has waited
    r = request(false);
    is_number(item(task(r, 0), "alternatives", 0), "fixed_usd", 0.1);
    cJSON_Delete(r);
}

static void ran_at(const char *key, const char *region, enum job_state state, int64_t started)
{
    struct bjob *j = bjob_create();
    burst_error_t err;

    snprintf(j->key, sizeof(j->key), "%s", key);
    snprintf(j->cloud, sizeof(j->cloud), "aws");
    snprintf(j->region, sizeof(j->region), "%s", region);
    j->state = state;
    j->started = started;
    assert_int_equal(store_put_job(b.store, j, &err), 0);
    bjob_destroy(j);
}

static void data_of_jobs(void **state)
{
    ran_at("5", "us-9", JOB_DONE, T0 - 1000);
    ran_at("6", "us-9", JOB_DONE, 0); // over before it used a node
    ran_at("7", "us-9", JOB_LOCAL, 0);
    candidate("20_3", "data=job/20_1:1,job/20_4:2"); // 20_4 comes later
    candidate("10", "data=job/20_3:3,job/10:4,job/5:5,gcp/us-2:6");
    candidate("20_1", "data=job/10:7,job/10:8,job/6:1,job/7:1,job/999:1");
    candidate("20_4", "data=job/20_3:9.5");
    cJSON *r = request(false);
    is_text(r, "edges",
            "[{\"from\":\"20_1\",\"to\":\"20_3\",\"size_gb\":1},"
            "{\"from\":\"10\",\"to\":\"20_1\",\"size_gb\":15},"
            "{\"from\":\"20_3\",\"to\":\"20_4\",\"size_gb\":9.5}]");
    is_text(task(r, 0), "inputs", "[{\"location\":\"home/here\",\"size_gb\":2}]");
    is_text(task(r, 1), "inputs",
            "[{\"location\":\"home/here\",\"size_gb\":3},{\"location\":\"home/here\",\"size_gb\":"
            "4},{\"location\":\"aws/us-9\",\"size_gb\":5},{\"location\":\"gcp/us-2\",\"size_gb\":"
            "6}]");
    is_text(task(r, 2), "inputs",
            "[{\"location\":\"home/here\",\"size_gb\":1},{\"location\":\"home/here\",\"size_gb\":"
            "1},{\"location\":\"home/here\",\"size_gb\":1}]");
    cJSON_Delete(r);

    // One that is not part of the request, and runs.
    struct bjob *ten = jobs_find(b.jobs, "10");
    ten->planning = false;
    ten->state = JOB_RUNNING;
    snprintf(ten->cloud, sizeof(ten->cloud), "gcp");
    snprintf(ten->region, sizeof(ten->region), "eu-1");
    free(job[1]);
    job[1] = job[--n_jobs];
    r = request(false);
    is_text(item(task(r, 2), "inputs", 0), "location", "\"gcp/eu-1\"");
    cJSON_Delete(r);
}

// One task stands for all; one that runs says where.
static void data_of_arrays(void **state)
{
    struct bjob *first = candidate("30_1", "")->j, *second = candidate("30_2", "")->j;

    first->job_id = second->job_id = 30;
    candidate("40", "data=job/30:6");
    cJSON *r = request(false);
    is_text(r, "edges", "[{\"from\":\"30_1\",\"to\":\"40\",\"size_gb\":6}]");
    cJSON_Delete(r);
    second->job_id = 31; // it has begun
    second->planning = false;
    second->state = JOB_RUNNING;
    snprintf(second->cloud, sizeof(second->cloud), "gcp");
    snprintf(second->region, sizeof(second->region), "eu-1");
    free(job[1]);
    job[1] = job[--n_jobs];
    candidate("41", "data=job/31:2");
    data_places_begin(data);
    r = request(false);
    assert_null(cJSON_GetObjectItem(r, "edges"));
    is_text(item(task(r, 1), "inputs", 0), "location", "\"gcp/eu-1\"");
    is_text(item(task(r, 2), "inputs", 0), "location", "\"gcp/eu-1\"");
    cJSON_Delete(r);
}

// An ended job is looked up once a minute, but not when it is back.
static void places_of_ended_jobs_are_kept(void **state)
{
    char place[DATA_PLACE_MAX];

    ran_at("5", "us-9", JOB_DONE, T0 - 1000);
    assert_true(data_places_know(&b, data, "job/5:1"));
    data_place(&b, data, "5", place);
    assert_string_equal(place, "aws/us-9");
    ran_at("5", "us-8", JOB_DONE, T0);
    data_place(&b, data, "5", place);
    assert_string_equal(place, "aws/us-9");
    now_s += 61;
    data_places_begin(data);
    data_place(&b, data, "5", place);
    assert_string_equal(place, "aws/us-8");
    struct plan_job *p = candidate("5", "");
    p->j->state = JOB_SECURING;
    snprintf(p->j->cloud, sizeof(p->j->cloud), "gcp");
    snprintf(p->j->region, sizeof(p->j->region), "eu-1");
    data_place(&b, data, "5", place);
    assert_string_equal(place, "gcp/eu-1");

    // The list is the users': the loop does not stand still for it.
    unsigned asked = 0;
    for (bool known = true; known && asked < 1000; asked++) {
        char list[32];
        snprintf(list, sizeof(list), "job/%u:1", 1000 + asked);
        known = data_places_know(&b, data, list);
    }
    assert_in_range(asked, 50, 200);
    data_places_begin(data);
    assert_true(data_places_know(&b, data, "job/9999:1"));
}

// request() fails if the optimizer would refuse it.
static void the_optimizer_takes_whatever_comes(void **state)
{
    char big[512] = "data=";

    for (int k = 0; k < 16; k++)
        snprintf(big + strlen(big), sizeof(big) - strlen(big), "%smars/%d:1000000000.9",
                 k ? "," : "", k);
    candidate("1", big);
    candidate("2", "data=job/3:1,job/4:1")->j->limit_s = INT64_C(60) * UINT32_MAX;
    candidate("3", "data=job/2:1,job/4:1 runtime=999999999999");
    candidate("4", "data=job/2:1,job/3:1,job/4:1,job/4294967295_4294967295:0.000001");
    b.conf->max_per_job = b.conf->max_per_day = INT64_C(1000000000) * MONEY_PER_USD;
    b.conf->waiting_usd = INT64_C(1000000000) * MONEY_PER_USD;
    slurm[0].start = INT64_C(253402300799); // the year 9999
    slurm[1].submit = 0;
    struct instance *i = rented("a", "aws", "small"), *j = rented("b", "aws", "small");
    struct instance *k = rented("c", "nowhere", "small"), *l = rented("d", "aws", "small");
    i->state = j->state = k->state = l->state = INST_READY;
    i->price = INT64_C(1000000001) * MONEY_PER_USD;
    j->region[0] = '\0';
    snprintf(l->itype, sizeof(l->itype), "m[8]*?\\");
    observed_refused(b.observed, "aws", "us-1", "", "m[8]*?\\", "spot", 60, 60, "no capacity");
    observed_priced(b.observed, "aws", "us-1", "", "m[8]*?\\", true, 0);
    cJSON *r = request(true);
    assert_int_equal(size(task(r, 0), "alternatives"), 3); // one idle node, local, later
    is_number(task(r, 1), "limit_hours", 1e6);
    is_number(item(task(r, 0), "alternatives", 1), "fixed_usd", 1e9);
    cJSON_Delete(r);
    now_s += 61; // the refused place is half open: a limit
    cJSON_Delete(request(true));
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_job_and_the_limits),
        T(shapes_stand_for_others_where_they_have_names),
        T(each_name_of_an_accelerator),
        T(clouds_that_may_not_be_used_now),
        T(why_no_cloud_may_be_asked),
        T(why_the_optimizer_found_none),
        T(names_that_cannot_be_used),
        T(on_demand_only_without_requeue),
        T(groups_of_idle_nodes),
        T(an_idle_node_is_of_its_last_user),
        T(what_has_no_place_costs_by_priority),
        T(waiting_has_a_price),
        T(data_of_jobs),
        T(data_of_arrays),
        T(places_of_ended_jobs_are_kept),
        T(the_optimizer_takes_whatever_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
