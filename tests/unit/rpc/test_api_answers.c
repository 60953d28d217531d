// SPDX-License-Identifier: GPL-3.0-or-later
// What `burst why` and `burst bounds` are answered, and to whom: tables and the peer are the
// test's.
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
#include "job/bounds_of.h"
#include "job/unmarked.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/ledger.h"
#include "rpc/api_bounds.h"
#include "rpc/api_rows.h"
#include "rpc/api_why.h"
#include "rpc/asked.h"
#include "slurm/slurm_link.h"
#include "state/bounds.h"
#include "state/jobs.h"
#include "state/store.h"

enum { ALICE = 1001, BOB };

static struct burstd b;
static struct burst_conf conf;
static char path[64];

// ---- the peer and what it hears

static uid_t peer;
static bool operator_asks;
static cJSON *params, *result;
static char code[24], error[512];

const cJSON *rpc_params(const struct rpc_request *req)
{
    return params;
}

bool rpc_is_operator(const struct rpc_request *req)
{
    return operator_asks;
}

bool rpc_may_see(const struct rpc_request *req, uid_t owner)
{
    return operator_asks || owner == peer;
}

const char *rpc_user(const struct rpc_request *req)
{
    return peer == ALICE ? "alice" : peer == BOB ? "bob" : "";
}

void rpc_reply(struct rpc_request *req, cJSON *answer)
{
    result = answer;
}

void rpc_fail(struct rpc_request *req, const char *what, const char *fmt, ...)
{
    va_list ap;

    snprintf(code, sizeof(code), "%s", what);
    va_start(ap, fmt);
    vsnprintf(error, sizeof(error), fmt, ap);
    va_end(ap);
}

// ---- tables

static struct sjob slurms[4];
static const struct sjob *list[4];
static size_t n_slurms;
static bool slurm_answers;
static char empty[] = "";

bool slurm_link_ready(const struct slurm_link *l)
{
    return slurm_answers;
}

const struct sjob *slurm_link_job(const struct slurm_link *l, const char *job)
{
    for (size_t k = 0; k < n_slurms; k++)
        if (strcmp(slurms[k].job, job) == 0)
            return &slurms[k];
    return NULL;
}

const struct sjob *slurm_link_job_by_id(const struct slurm_link *l, uint32_t job_id)
{
    for (size_t k = 0; k < n_slurms; k++)
        if (slurms[k].job_id == job_id)
            return &slurms[k];
    return NULL;
}

size_t slurm_link_jobs(const struct slurm_link *l, const struct sjob *const **jobs)
{
    *jobs = list;
    return n_slurms;
}

// What Slurm has at the next look; the waiting for it is asked.c's.
static unsigned pokes, looks, looks_needed;
static const char *submitted;

void slurm_link_poke(struct slurm_link *l)
{
    pokes++;
}

static struct sjob *slurms_job(const char *key, uint32_t id, uint32_t uid, const char *comment);

void asked_wait(struct asked *a, int ms, void (*go_on)(struct asked *a))
{
    if (++looks == looks_needed)
        slurms_job(submitted, 50, ALICE, "");
    go_on(a);
}

void unmarked_why(struct burstd *burstd, const struct sjob *s, char *why, size_t size)
{
    snprintf(why, size, "the rules say so");
}

const char *row_job_word(const struct bjob *j)
{
    return job_state_name(j->state);
}

// The journal is read at once: how else is asked.c's, and test_api's.
void asked_begin(struct asked *a, struct burstd *burstd, struct rpc_request *req,
                 void (*forget_it)(struct asked *a))
{
    a->b = burstd;
    a->req = req;
    a->forget = forget_it;
}

void asked_read(struct asked *a, const struct reader_ops *ops)
{
    ops->read(b.store, a);
    ops->done(a, NULL);
}

bool asked_failed(struct asked *a, const char *why)
{
    return false;
}

void asked_drop(void *a)
{
}

money_t ledger_job_cost(struct burstd *burstd, const struct bjob *j)
{
    return 0;
}

cJSON *row_of_job(const struct bjob *j, money_t cost)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "job", j->key);
    return o;
}

cJSON *row_of_slurm_job(const struct sjob *s, const char *reason)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "job", s->job);
    json_add_str(o, "reason", reason);
    return o;
}

int bounds_mended(struct burstd *burstd, const char *pattern, cJSON *opened, burst_error_t *errp)
{
    return bounds_reopen(b.bounds, pattern, opened, errp);
}

static int begin(void **state)
{
    burst_error_t err;
    int fd;

    snprintf(path, sizeof(path), "/tmp/burst-answers-XXXXXX");
    if ((fd = mkstemp(path)) < 0)
        return -1;
    close(fd);
    memset(&b, 0, sizeof(b));
    memset(&conf, 0, sizeof(conf));
    conf.bound_pause_s = 3600;
    conf.bound_pause_max_s = 86400;
    conf.wait_threshold_s = 300;
    b.conf = &conf;
    b.jobs = jobs_create(&b);
    b.store = store_open(path, &err);
    b.bounds = bounds_create(&b);
    n_slurms = 0;
    pokes = looks = looks_needed = 0;
    slurm_answers = true;
    peer = ALICE;
    operator_asks = false;
    return b.store ? 0 : -1;
}

static int end(void **state)
{
    const char *tails[] = {"", "-wal", "-shm"};
    char name[80];

    bounds_destroy(b.bounds);
    jobs_destroy(b.jobs);
    store_close(b.store);
    for (size_t k = 0; k < 3; k++) {
        snprintf(name, sizeof(name), "%s%s", path, tails[k]);
        unlink(name);
    }
    return 0;
}

static struct bjob *job(const char *key, uint32_t id, enum job_state state)
{
    struct bjob *j = bjob_create();

    snprintf(j->key, sizeof(j->key), "%s", key);
    j->job_id = id;
    j->uid = ALICE;
    j->state = state;
    j->submit = 1000;
    jobs_add(b.jobs, j);
    return j;
}

static struct sjob *slurms_job(const char *key, uint32_t id, uint32_t uid, const char *comment)
{
    struct sjob *s = &slurms[n_slurms];

    memset(s, 0, sizeof(*s));
    snprintf(s->job, sizeof(s->job), "%s", key);
    s->job_id = id;
    s->uid = uid;
    s->submit = 1000;
    s->reason = empty;
    s->admin_comment = (char *)comment;
    list[n_slurms++] = s;
    return s;
}

static void ask(void (*handler)(void *arg, struct rpc_request *req), const char *json)
{
    burst_error_t err;

    cJSON_Delete(params);
    cJSON_Delete(result);
    result = NULL;
    code[0] = error[0] = '\0';
    params = json_parse(json, strlen(json), &err);
    handler(&b, NULL);
}

static void why(const char *key)
{
    char json[64];

    snprintf(json, sizeof(json), "{\"job\":\"%s\"}", key);
    ask(why_answer, json);
}

static void tells_of(const char *key, const char *reason)
{
    const cJSON *o = cJSON_GetObjectItem(result, "job");

    if (!result)
        fail_msg("%s: %s", code, error);
    assert_string_equal(json_str(o, "job", ""), key);
    if (reason && !strstr(json_str(o, "reason", ""), reason))
        fail_msg("%s", json_str(o, "reason", ""));
}

static void refuses(const char *with, const char *text)
{
    assert_null(result);
    assert_string_equal(code, with);
    if (!strstr(error, text))
        fail_msg("%s", error);
}

// ---- why

static void burstds_jobs_come_first(void **state)
{
    job("7", 7, JOB_RUNNING);
    slurms_job("7", 7, ALICE, "");
    why("7");
    tells_of("7", NULL);
    assert_null(cJSON_GetObjectItem(result, "array"));
    peer = BOB;
    why("7");
    refuses("denied", "job 7 belongs to somebody else");
    operator_asks = true;
    why("7");
    tells_of("7", NULL);
}

static void jobs_without_a_mark(void **state)
{
    struct sjob *s = slurms_job("8", 8, BOB, "");

    why("8");
    refuses("denied", "job 8 belongs to somebody else"); // as of any other job
    peer = BOB;
    why("8");
    tells_of("8", "the rules say so");
    s->admin_comment = (char *)"burst:1 eligible part=main";
    why("8");
    tells_of("8", "burstd has not looked at it yet");
    s->state = SJOB_ENDED;
    s->eligible = 1010;
    s->start = 1070;
    why("8");
    tells_of("8",
             "it started here after it had waited for 00:01:00; jobs leave when they would wait "
             "for longer than 00:05:00");
}

static void numbers_that_nobody_has(void **state)
{
    why("9");
    refuses("not_found",
            "neither burstd nor slurmctld knows a job 9 (of a job that ended here some "
            "time ago sacct -j 9 may tell)");
    assert_in_range(looks, 10, 50); // some seconds
    assert_int_equal(pokes, looks);
    slurm_answers = false;
    why("9");
    refuses("not_found", "slurmctld does not answer now");
    assert_int_equal(pokes, looks); // nobody to wait for
    for (const char *const *key =
             (const char *const[]){"", "abc", "1a", "1_", "_1", "1_2_3", "123456789012", NULL};
         *key; key++) {
        why(*key);
        refuses("invalid", "is no job number; write it as squeue does: 123, or 123_4");
    }
}

// Slurm has it already, the latest look at Slurm has not.
static void a_job_of_a_moment_ago(void **state)
{
    submitted = "50";
    looks_needed = 3;
    why("50");
    tells_of("50", "the rules say so");
    assert_int_equal(looks, 3);
    submitted = "51";
    looks_needed = looks + 2;
    peer = BOB;
    why("51");
    refuses("denied", "job 51 belongs to somebody else");
}

// The task that is furthest; all of them are counted.
static void an_array_by_its_number(void **state)
{
    job("20_1", 21, JOB_DONE)->state = JOB_CANDIDATE;
    job("20_2", 22, JOB_RUNNING);
    job("20_3", 23, JOB_CANDIDATE);
    job("201_1", 300, JOB_RUNNING); // of another one
    why("20");
    tells_of("20_2", NULL);
    const cJSON *array = cJSON_GetObjectItem(result, "array");
    assert_string_equal(json_str(array, "array", ""), "20");
    assert_int_equal(json_i64(array, "tasks", 0), 3);
    const cJSON *states = cJSON_GetObjectItem(array, "states");
    assert_int_equal(json_i64(states, "candidate", 0), 2);
    assert_int_equal(json_i64(states, "running", 0), 1);
    why("20_3");
    tells_of("20_3", NULL);
    slurms_job("30_4", 34, ALICE, "");
    why("30");
    tells_of("30_4", "the rules say so");
    why("30_5");
    refuses("not_found", "neither burstd nor slurmctld knows a job 30_5");
}

// The old job of a number that Slurm has given again is not the one that is asked for.
static void a_number_given_again(void **state)
{
    struct bjob *old = job("40", 40, JOB_DONE);
    burst_error_t err;

    assert_int_equal(store_put_job(b.store, old, &err), 0);
    jobs_remove(b.jobs, old);
    why("40");
    tells_of("40", NULL);
    struct sjob *s = slurms_job("40", 40, ALICE, "");
    why("40");
    assert_string_equal(json_str(cJSON_GetObjectItem(result, "job"), "reason", ""), "");
    s->submit = 2000;
    why("40");
    tells_of("40", "the rules say so");
}

// ---- bounds

static unsigned seen(void)
{
    ask(bounds_list, "{}");
    return (unsigned)cJSON_GetArraySize(result);
}

static void bounds_of_others_are_theirs(void **state)
{
    char key[BOUND_KEY_MAX];

    job("50", 50, JOB_CANDIDATE);
    bound_hopeless(b.bounds, BOUND_JOB, "50", FAILURE_STAGE_IN, "too large");
    bound_learned(b.bounds, "aws/alice/lab/normal", 1, "MaxJobs");
    bound_learned(b.bounds, "aws/bobby/lab/normal", 1, "MaxJobs");
    bound_hopeless(b.bounds, BOUND_SHAPE, bound_shape_key("aws", "cpu2", key), FAILURE_JOIN, "x");
    assert_int_equal(seen(), 3);
    peer = BOB;
    assert_int_equal(seen(), 1);
    peer = 1003; // without a name
    assert_int_equal(seen(), 1);
    operator_asks = true;
    assert_int_equal(seen(), 4);
}

static void bounds_are_opened_by_name_or_pattern(void **state)
{
    char key[BOUND_KEY_MAX];

    operator_asks = true;
    bound_hopeless(b.bounds, BOUND_SHAPE, bound_shape_key("aws", "cpu2", key), FAILURE_JOIN, "x");
    bound_hopeless(b.bounds, BOUND_PARTITION, "aws", FAILURE_START, "x");
    bound_place_key(key, "aws", "us-1", "us-1a", "m8", true);
    bound_hopeless(b.bounds, BOUND_PLACE, key, FAILURE_BOOT, "x");
    ask(bounds_open, "{}");
    refuses("invalid", "which bound?");
    ask(bounds_open, "{\"bound\":\"shape:aws/big\"}");
    refuses("not_found", "nothing that failed is called shape:aws/big");
    ask(bounds_open, "{\"bound\":\"place:aws/us-1/*\"}");
    const cJSON *opened = cJSON_GetObjectItem(result, "opened");
    assert_int_equal(cJSON_GetArraySize(opened), 1);
    assert_string_equal(opened->child->valuestring, "place:aws/us-1/us-1a/m8/spot");
    assert_int_equal(seen(), 2);
    ask(bounds_open, "{\"all\":true}");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(result, "opened")), 2);
    assert_int_equal(seen(), 0);
    bounds_destroy(b.bounds); // not after a restart either
    b.bounds = bounds_create(&b);
    assert_int_equal(seen(), 0);
}

static int forget(void **state)
{
    cJSON_Delete(params);
    cJSON_Delete(result);
    params = result = NULL;
    return end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, begin, forget)
        T(burstds_jobs_come_first),     T(jobs_without_a_mark),
        T(numbers_that_nobody_has),     T(a_job_of_a_moment_ago),
        T(an_array_by_its_number),      T(a_number_given_again),
        T(bounds_of_others_are_theirs), T(bounds_are_opened_by_name_or_pattern),
    };

    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
