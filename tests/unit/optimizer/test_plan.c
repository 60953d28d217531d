// SPDX-License-Identifier: GPL-3.0-or-later
// Plan requests and answers: every message for a bad request, the reasons when there is no plan,
// medium problems against glpsol.
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "optimizer/plan.h"
#include "optimizer/solve.h"

extern char **environ;

#define HEADER                                                                                     \
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"       \
    "Region,AvailabilityZone\n"
#define EGRESS "SrcCloud,SrcRegion,DstCloud,DstRegion,UpToGB,USDPerGB\n"

static struct request *parse(const char *text, burst_error_t *errp)
{
    cJSON *j = json_parse(text, strlen(text), errp);
    struct request *rq = j ? request_parse(j, errp) : NULL;

    cJSON_Delete(j);
    return rq;
}

static uint32_t rnd_state = 7;

static uint32_t rnd(uint32_t n)
{
    rnd_state = rnd_state * 1664525u + 1013904223u;
    return (rnd_state >> 8) % n;
}

// --- bad requests ---

#define TASK(what) "{\"tasks\":[{\"name\":\"t\"," what "}]}"
#define WITH(what) "{\"tasks\":[{\"name\":\"t\",\"any_of\":[{}]}]," what "}"
#define SEEN(what)                                                                                 \
    WITH("\"observed\":[{\"cloud\":\"c\",\"region\":\"r\",\"instance_type\":\"i\"," what "}]")

static const struct {
    const char *request, *message;
} bad[] = {
    {"{\"tasks\":", "not JSON: line 1, near \":\""},
    {"[]", "request: must be an object, is []"},
    {"{}", "tasks: must list at least one task"},
    {"{\"tasks\":[]}", "tasks: must list at least one task"},
    {"{\"tasks\":{}}", "tasks: must be a list, is {}"},
    {"{\"objective\":\"speed\",\"tasks\":[]}",
     "objective: must be \"cost\" or \"time\", is \"speed\""},
    {"{\"taks\":[]}", "request: unknown key \"taks\"; the nearest known one is \"tasks\""},
    {"{\"time_budget_hours\":-1,\"tasks\":[]}",
     "time_budget_hours: must be a number from 0 to 1e+09, is -1"},
    {"{\"time_budget_hours\":1e999,\"tasks\":[]}",
     "time_budget_hours: must be a number from 0 to 1e+09, is null"},
    {"{\"cost_budget_usd\":\"5\",\"tasks\":[]}",
     "cost_budget_usd: must be a number from 0 to 1e+09, is \"5\""},
    {"{\"transfer_gbit_per_s\":0,\"tasks\":[]}",
     "transfer_gbit_per_s: must be a number from 1e-06 to 1e+09, is 0"},
    {"{\"tasks\":[1]}", "tasks[0]: must be an object, is 1"},
    {"{\"tasks\":[{}]}", "tasks[0].name: must be a text that is not empty, is nothing"},
    {"{\"tasks\":[{\"name\":\"a\"}]}", "tasks[0].any_of: must list at least one kind of instance"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}],\"nodes\":1.5}]}",
     "tasks[0].nodes: must be a whole number, is 1.5"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}],\"nodes\":0}]}",
     "tasks[0].nodes: must be a number from 1 to 1e+06, is 0"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}],\"market\":\"cheap\"}]}",
     "tasks[0].market: must be \"any\", \"spot\" or \"on-demand\", is \"cheap\""},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}],\"regoins\":[]}]}",
     "tasks[0]: unknown key \"regoins\"; the nearest known one is \"regions\""},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}],\"clouds\":[7]}]}",
     "tasks[0].clouds[0]: must be a text that is not empty, is 7"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{},{\"hours\":-2}]}]}",
     "tasks[0].any_of[1].hours: must be a number from 0 to 1e+06, is -2"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{\"hours\":{\"total_tflop\":1}}]}]}",
     "tasks[0].any_of[0].hours.tflops: is missing"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{\"hours\":{\"total_tflop\":1,\"tflops\":0}}]}]}",
     "tasks[0].any_of[0].hours.tflops: must be a number from 1e-09 to 1e+18, is 0"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{\"hours\":{\"total_tflop\":1e20,\"tflops\":1}}]}]}",
     "tasks[0].any_of[0].hours: comes to 2.77778e+16 hours; at most 1e+06 are accepted"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{\"count\":2}]}]}",
     "tasks[0].any_of[0].count: counts accelerators, but \"accelerator\" is missing"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}]},{\"name\":\"a\",\"any_of\":[{}]}]}",
     "tasks[1].name: \"a\" is already the name of tasks[0]"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}],\"inputs\":[{\"dataset\":\"x\"}]}]}",
     "tasks[0].inputs[0].dataset: no dataset is named \"x\""},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}],\"inputs\":[{\"location\":\"x\",\"size_gb\":1}]}]"
     "}",
     "tasks[0].inputs[0].location: must be like \"cloud/region\", is \"x\""},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}],\"inputs\":[{\"location\":\"x/y\"}]}]}",
     "tasks[0].inputs[0].size_gb: is missing"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}],\"outputs\":[{\"location\":\"x/"
     "y\",\"size_gb\":-1}]}]}",
     "tasks[0].outputs[0].size_gb: must be a number from 0 to 1e+12, is -1"},
    {"{\"datasets\":[{\"name\":\"d\",\"location\":\"a/b\",\"size_gb\":1},"
     "{\"name\":\"d\",\"location\":\"a/b\",\"size_gb\":1}],\"tasks\":[]}",
     "datasets[1].name: \"d\" is already the name of datasets[0]"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}]}],\"edges\":[{\"from\":\"a\",\"to\":\"b\"}]}",
     "edges[0].to: no task is named \"b\""},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}]}],\"edges\":[{\"from\":\"a\",\"to\":\"a\"}]}",
     "edges[0]: tasks \"a\" and \"a\" wait for each other: the edges must not form a cycle"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}]},{\"name\":\"b\",\"any_of\":[{}]}],\"edges\":["
     "{\"from\":\"a\",\"to\":\"b\"},{\"from\":\"b\",\"to\":\"a\"}]}",
     "edges[0]: tasks \"a\" and \"b\" wait for each other: the edges must not form a cycle"},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}]}],\"limits\":[{\"match\":{}}]}",
     "limits[0]: must have \"max_nodes\" or \"max_usd\""},
    {"{\"tasks\":[{\"name\":\"a\",\"any_of\":[{}]}],\"blocked\":[{\"market\":\"any thing\"}]}",
     "blocked[0].market: must be \"spot\", \"on-demand\" or null, is \"any thing\""},
    {"{\"tasks\":[{\"name\":\"a\",\"name\":\"b\",\"any_of\":[{}]}]}",
     "tasks[0].name: is there twice"},
    {TASK("\"any_of\":[{},{\"nodes\":0}]"),
     "tasks[0].any_of[1].nodes: must be a number from 1 to 1e+06, is 0"},
    {TASK("\"any_of\":[{\"nodes\":\"2\"}]"),
     "tasks[0].any_of[0].nodes: must be a number from 1 to 1e+06, is \"2\""},
    {TASK("\"alternatives\":[{\"name\":\"x\",\"location\":\"a/b\",\"nodes\":2.5}]"),
     "tasks[0].alternatives[0].nodes: must be a whole number, is 2.5"},
    {TASK("\"any_of\":[{}],\"limit_hours\":-1"),
     "tasks[0].limit_hours: must be a number from 0 to 1e+06, is -1"},
    {TASK("\"any_of\":[{}],\"max_usd\":\"5\""),
     "tasks[0].max_usd: must be a number from 0 to 1e+09, is \"5\""},
    {TASK("\"any_of\":[{}],\"no_limits\":1"), "tasks[0].no_limits: must be true or false, is 1"},
    {TASK("\"any_of\":[{\"clouds\":\"aws\"}]"),
     "tasks[0].any_of[0].clouds: must be a list, is \"aws\""},
    {WITH("\"limits\":[{\"match\":{\"offers\":1},\"max_nodes\":1}]"),
     "limits[0].match.offers: must be true or false, is 1"},
    {WITH("\"limits\":[{\"match\":{\"offers\":true,\"alternative\":\"i*\"},\"max_nodes\":1}]"),
     "limits[0].match.offers: leaves alternatives out, but \"alternative\" names some: leave one "
     "out"},
    {WITH("\"changeover_hours\":1001"),
     "changeover_hours: must be a number from 0 to 1000, is 1001"},
    {WITH("\"default_preemptions_per_hour\":-0.5"),
     "default_preemptions_per_hour: must be a number from 0 to 3600, is -0.5"},
    {WITH("\"observed\":{}"), "observed: must be a list, is {}"},
    {WITH("\"observed\":[7]"), "observed[0]: must be an object, is 7"},
    {WITH("\"observed\":[{\"region\":\"r\"}]"),
     "observed[0].cloud: must be a text that is not empty, is nothing"},
    {SEEN("\"zone\":7,\"market\":\"spot\",\"price_usd_per_hour\":1"),
     "observed[0].zone: must be a text that is not empty, is 7"},
    {SEEN("\"price_usd_per_hour\":1"),
     "observed[0].market: must be \"spot\" or \"on-demand\": prices are of one"},
    {SEEN("\"market\":\"spot\""),
     "observed[0]: must have \"price_usd_per_hour\" or \"preemptions_per_hour\""},
    {SEEN("\"market\":\"spot\",\"price_usd_per_hour\":0"),
     "observed[0].price_usd_per_hour: must be a number from 1e-06 to 1e+06, is 0"},
    {SEEN("\"market\":\"spot\",\"preemptions_per_hour\":\"often\""),
     "observed[0].preemptions_per_hour: must be a number from 0 to 3600, is \"often\""},
    {SEEN("\"market\":\"spot\",\"preemption_per_hour\":1"),
     "observed[0]: unknown key \"preemption_per_hour\"; the nearest known one is "
     "\"preemptions_per_hour\""},
};

static void test_bad_requests(void **arg)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        burst_error_t err = {""};
        struct request *rq = parse(bad[i].request, &err);
        if (rq)
            fail_msg("accepted: %s", bad[i].request);
        assert_string_equal(err.text, bad[i].message);
    }
}

static void test_deep_and_long(void **arg)
{
    char text[400] = "";
    burst_error_t err = {""};

    memset(text, '[', 300);
    assert_null(parse(text, &err));
    assert_non_null(strstr(err.text, "levels deep"));
}

// --- small plans ---

static struct catalog *catalog3(const char *aws, const char *gcp, const char *azure,
                                const char *egress)
{
    static const char *const names[] = {"aws", "gcp", "azure"};
    char *csv[3] = {xasprintf("%s%s", HEADER, aws), xasprintf("%s%s", HEADER, gcp),
                    xasprintf("%s%s", HEADER, azure)};
    char *e = xasprintf("%s%s", EGRESS, egress);
    burst_error_t err = {""};
    struct catalog *c = catalog_from_texts(3, names, (const char *const *)csv, e, NULL, NULL, &err);

    assert_non_null(c);
    for (int i = 0; i < 3; i++)
        free(csv[i]);
    free(e);
    return c;
}

static struct plan *plan_of(const struct catalog *cat, const char *text, struct request **rq)
{
    burst_error_t err = {""};
    struct plan *p;

    *rq = parse(text, &err);
    if (!*rq)
        fail_msg("%s", err.text);
    p = plan_create(cat, *rq, &err);
    if (!p)
        fail_msg("%s", err.text);
    return p;
}

static void assert_reason(const struct catalog *cat, const char *text, const char *reason)
{
    struct request *rq;
    struct plan *p = plan_of(cat, text, &rq);

    assert_int_equal(p->status, PLAN_INFEASIBLE);
    assert_int_equal(p->n_reasons, 1);
    assert_string_equal(p->reason[0], reason);
    plan_destroy(p);
    request_destroy(rq);
}

static void test_reasons(void **arg)
{
    struct catalog *c = catalog3("p3,V100,1,8,61,,3,1,us-east-1,us-east-1a\n",
                                 "n,,,4,16,,0.2,,us,\n", "", "gcp,*,aws,*,,0.1\n");

    assert_reason(c, TASK("\"any_of\":[{\"accelerator\":\"H100\"}]"),
                  "task \"t\": accelerator H100: no instance of the catalog has it");
    assert_reason(c, TASK("\"any_of\":[{\"accelerator\":\"v100\",\"count\":2}]"),
                  "task \"t\": count 2 x v100: no instance has as many accelerators");
    assert_reason(c, TASK("\"any_of\":[{\"vcpus\":64}]"),
                  "task \"t\": vcpus 64: no instance that is left has as many vCPUs");
    assert_reason(c, TASK("\"any_of\":[{\"memory_gib\":64}]"),
                  "task \"t\": memory_gib 64: no instance that is left has as much memory");
    assert_reason(c, TASK("\"any_of\":[{}],\"clouds\":[\"aws\"]"),
                  "task \"t\": clouds aws: no cloud that offers such an instance matches");
    assert_reason(c, TASK("\"any_of\":[{}],\"regions\":[\"eu-*\",\"ap-*\"]"),
                  "task \"t\": regions eu-*,ap-*: no region that offers such an instance matches");
    assert_reason(
        c, TASK("\"any_of\":[{}],\"zones\":[\"a\"]"),
        "task \"t\": zones a: no zone that offers such an instance matches (a price without a "
        "zone matches only *)");
    assert_reason(c, TASK("\"any_of\":[{}],\"market\":\"spot\""),
                  "task \"t\": market spot: such an instance is not offered on this market there");
    assert_reason(
        c, "{\"tasks\":[{\"name\":\"t\",\"any_of\":[{}]}],\"blocked\":[{\"cloud\":\"gcp\"}]}",
        "task \"t\": blocked: every place that is left is blocked");
    assert_reason(
        c, TASK("\"any_of\":[{}],\"inputs\":[{\"location\":\"aws/us-east-1\",\"size_gb\":1}]"),
        "task \"t\": inputs/outputs: the data cannot be moved to or from any place that is "
        "left: no row of egress.csv matches");
    assert_reason(
        c, "{\"time_budget_hours\":1,\"tasks\":[{\"name\":\"t\",\"any_of\":[{\"hours\":2}]}]}",
        "task \"t\": time_budget_hours 1: cannot finish before 2 h");
    assert_reason(
        c, "{\"cost_budget_usd\":0.3,\"tasks\":[{\"name\":\"t\",\"any_of\":[{\"hours\":2}]}]}",
        "cost_budget_usd 0.3: the cheapest plan costs $0.4000");
    assert_reason(
        c,
        "{\"tasks\":[{\"name\":\"t\",\"nodes\":5,\"any_of\":[{}]}],\"limits\":[{\"match\":{},"
        "\"max_nodes\":4}]}",
        "limits[0]: max_nodes 4: every plan needs more nodes there");
    assert_reason(
        c,
        "{\"tasks\":[{\"name\":\"a\",\"any_of\":[{\"accelerator\":\"V100\"}]},{\"name\":\"b\","
        "\"any_of\":[{}]}],\"edges\":[{\"from\":\"a\",\"to\":\"b\",\"size_gb\":1}]}",
        "edges: no plan moves the data between the tasks: no row of egress.csv matches");
    // 0.2 an hour for 36.15 hours
    assert_reason(
        c, TASK("\"any_of\":[{}],\"limit_hours\":36.15,\"max_usd\":5"),
        "task \"t\": max_usd 5: its cap of $5.00 is below the $7.23 of the cheapest place");
    // 0.3 of compute and 4 GB to aws at 0.1
    assert_reason(
        c,
        TASK("\"any_of\":[{\"hours\":1.5}],\"outputs\":[{\"location\":\"aws/us-east-1\","
             "\"size_gb\":4}],\"max_usd\":0.69995"),
        "task \"t\": max_usd 0.69995: its cap of $0.70 is below the $0.70 of the cheapest place");
    // what would do is never less than what it takes: 0.2 / 3 = 0.0666...
    assert_reason(
        c, TASK("\"any_of\":[{}],\"limit_hours\":0.333333333,\"max_usd\":0"),
        "task \"t\": max_usd 0: its cap of $0.00 is below the $0.0667 of the cheapest place");
    assert_reason(
        c,
        TASK("\"any_of\":[{}],\"max_usd\":0.1,\"alternatives\":[{\"name\":\"n\",\"location\":"
             "\"aws/us-east-1\",\"price_usd_per_hour\":0.15}]"),
        "task \"t\": max_usd 0.1: its cap of $0.10 is below the $0.15 of the cheapest place");
    assert_reason(c,
                  TASK("\"max_usd\":0.1,\"alternatives\":[{\"name\":\"n\",\"location\":"
                       "\"aws/us-east-1\",\"price_usd_per_hour\":0.15,\"nodes\":2}]"),
                  "task \"t\": max_usd 0.1: its cap of $0.10 is below the $0.30 of the cheapest "
                  "place");
    assert_reason(
        c,
        "{\"tasks\":[{\"name\":\"t\",\"alternatives\":[{\"name\":\"n\",\"location\":\"a/b\"}]}],"
        "\"blocked\":[{\"alternative\":\"n\"}]}",
        "task \"t\": none of its alternatives is possible");
    // a pattern that names the cloud is no reason against its region
    assert_reason(c,
                  "{\"tasks\":[{\"name\":\"t\",\"any_of\":[{}],\"regions\":[\"gcp/us\"]}],"
                  "\"blocked\":[{\"cloud\":\"gcp\"}]}",
                  "task \"t\": blocked: every place that is left is blocked");
    catalog_destroy(c);
}

static void test_answer(void **arg)
{
    struct catalog *c = catalog3("p3,V100,1,8,61,,3,1,us-east-1,us-east-1a\n"
                                 "p3,V100,1,8,61,,3,1.25,us-east-1,us-east-1b\n",
                                 "n,,,4,16,,0.2,,us,\n", "", "*,*,*,*,,0.1\n");
    struct request *rq;
    struct plan *p = plan_of(c,
                             "{\"id\":7,\"runners_up\":2,\"tasks\":[{\"name\":\"t\",\"nodes\":2,"
                             "\"any_of\":[{\"accelerator\":\"v100\",\"hours\":1.5}],\"inputs\":[{"
                             "\"location\":\"gcp/us\",\"size_gb\":4.5}]}]}",
                             &rq);
    cJSON *j = plan_json(p), *t = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "tasks"), 0);
    cJSON *r = cJSON_GetArrayItem(cJSON_GetObjectItem(t, "runners_up"), 0);

    assert_int_equal(json_i64(j, "id", 0), 7);
    assert_string_equal(json_str(j, "status", ""), "optimal");
    assert_int_equal(json_i64(j, "candidates", 0), 4);
    assert_true(fabs(json_dbl(j, "cost_usd", 0) - 3.45) < 1e-12); // 2 x 1 x 1.5 + 4.5 x 0.1
    assert_string_equal(json_str(t, "zone", ""), "us-east-1a");
    assert_string_equal(json_str(t, "market", ""), "spot");
    assert_int_equal(json_i64(t, "price_uusd_per_hour", 0), 1000000);
    assert_true(fabs(json_dbl(t, "compute_usd", 0) - 3) < 1e-12);
    assert_true(fabs(json_dbl(t, "transfer_in_usd", 0) - 0.45) < 1e-12);
    assert_true(fabs(json_dbl(t, "start_hours", 0) - 0.001) < 1e-12); // 36 Gbit at 10 Gbit/s
    assert_true(fabs(json_dbl(t, "finish_hours", 0) - 1.501) < 1e-12);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(t, "runners_up")), 2);
    assert_string_equal(json_str(r, "zone", ""), "us-east-1b");
    assert_true(fabs(json_dbl(r, "more_usd", 0) - 0.75) < 1e-12);
    assert_string_equal(json_str(r, "why", ""), "$0.7500 more");
    char *text = plan_text(p);
    assert_non_null(strstr(text, "aws/us-east-1/us-east-1a"));
    assert_non_null(strstr(text, "proven to be the cheapest of 4 candidates"));
    free(text);
    cJSON_Delete(j);
    plan_destroy(p);
    request_destroy(rq);
    catalog_destroy(c);
}

// An idle node costs nothing but is there once; staying at home has a price for waiting.
static void test_alternatives(void **arg)
{
    struct catalog *c = catalog3("m,,,4,16,,1,,us-east-1,\n", "", "", "*,*,*,*,,0.1\n");
    struct request *rq;
    struct plan *p =
        plan_of(c,
                "{\"limits\":[{\"match\":{\"alternative\":\"idle-1\"},\"max_nodes\":1}],\"tasks\":["
                "{\"name\":\"a\",\"any_of\":[{\"hours\":2}],\"alternatives\":[{\"name\":\"idle-1\","
                "\"location\":\"aws/us-east-1\",\"hours\":2}]},"
                "{\"name\":\"b\",\"any_of\":[{\"hours\":3}],\"alternatives\":[{\"name\":\"idle-1\","
                "\"location\":\"aws/us-east-1\",\"hours\":3}]},"
                "{\"name\":\"c\",\"any_of\":[{\"hours\":3}],\"alternatives\":[{\"name\":\"stay\","
                "\"location\":"
                "\"local/main\",\"fixed_usd\":0.5,\"wait_hours\":4,\"hours\":3}]}]}",
                &rq);

    assert_int_equal(p->status, PLAN_OPTIMAL);
    assert_true(p->cost == 2500000000); // b takes the idle node, a rents, c waits
    assert_null(p->task[0].place.alternative);
    assert_string_equal(p->task[1].place.alternative, "idle-1");
    assert_string_equal(p->task[2].place.alternative, "stay");
    assert_true(fabs(p->task[2].finish_hours - 7) < 1e-9);
    plan_destroy(p);
    request_destroy(rq);
    catalog_destroy(c);
}

// Each entry with its own number of nodes: limits, cost and answer follow the one that is chosen.
static void test_nodes(void **arg)
{
    struct catalog *c =
        catalog3("p3,V100,1,8,61,,3,,us-east-1,\ng5,A10G,1,8,32,,1,,us-east-1,\n", "", "", "");
    static const char *const text =
        "{\"runners_up\":1,\"limits\":[{\"match\":{\"accelerator\":\"A10G\"},\"max_nodes\":%d}],"
        "\"tasks\":[{\"name\":\"t\",\"nodes\":2,\"any_of\":[{\"accelerator\":\"V100\",\"hours\":1},"
        "{\"accelerator\":\"A10G\",\"hours\":1,\"nodes\":4}]}]}";
    char few[400], enough[400];
    struct request *rq;

    snprintf(few, sizeof(few), text, 3);
    snprintf(enough, sizeof(enough), text, 4);
    struct plan *p = plan_of(c, enough, &rq);
    assert_string_equal(p->task[0].place.instance_type, "g5"); // 4 x 1 instead of 2 x 3
    assert_int_equal(p->task[0].nodes, 4);
    assert_true(p->cost == 4000000000);
    assert_int_equal(p->task[0].runner_up[0].nodes, 2);
    assert_true(p->task[0].runner_up[0].total == 6000000000);
    plan_destroy(p);
    request_destroy(rq);
    p = plan_of(c, few, &rq);
    assert_string_equal(p->task[0].place.instance_type, "p3");
    assert_int_equal(p->task[0].nodes, 2);
    assert_true(p->cost == 6000000000);
    plan_destroy(p);
    request_destroy(rq);
    catalog_destroy(c);
}

// Money limits count what a task costs when it runs until its time limit.
static void test_limit_hours(void **arg)
{
    struct catalog *c = catalog3("m,,,4,16,,1,,us-east-1,\n", "n,,,4,16,,2,,us,\n", "", "");
    static const char *const text =
        "{\"limits\":[{\"match\":{\"cloud\":\"aws\"},\"max_usd\":10}],\"tasks\":["
        "{\"name\":\"a\",\"any_of\":[{\"hours\":3}],\"limit_hours\":%d},"
        "{\"name\":\"b\",\"any_of\":[{\"hours\":2}],\"limit_hours\":5}]}";
    char fits[400], not [400];
    struct request *rq;

    snprintf(fits, sizeof(fits), text, 5);
    snprintf(not, sizeof(not ), text, 6);
    struct plan *p = plan_of(c, fits, &rq);
    assert_true(p->cost == 5000000000); // both at aws: 5 + 5 counted, 3 + 2 paid
    plan_destroy(p);
    request_destroy(rq);
    p = plan_of(c, not, &rq);
    assert_true(p->cost == 7000000000); // b, the shorter one, at twice the price
    assert_string_equal(p->task[1].place.cloud, "gcp");
    plan_destroy(p);
    request_destroy(rq);
    catalog_destroy(c);
}

// A task that runs at another time takes nothing of what the others share; an entry may have its
// own clouds.
static void test_no_limits(void **arg)
{
    struct catalog *c = catalog3("m,,,4,16,,1,,us-east-1,\n", "n,,,8,16,,2,,us,\n", "", "");
    static const char *const text =
        "{\"limits\":[{\"match\":{\"cloud\":\"aws\"},\"max_nodes\":1}],\"tasks\":["
        "{\"name\":\"a\",\"any_of\":[{}]},{\"name\":\"b\",\"no_limits\":%s,\"any_of\":[{}]},"
        "{\"name\":\"c\",\"any_of\":[{\"hours\":0.5,\"clouds\":[\"gcp\"]},{\"hours\":9}]}]}";
    char now[400], later[400];
    struct request *rq;

    snprintf(now, sizeof(now), text, "false");
    snprintf(later, sizeof(later), text, "true");
    struct plan *p = plan_of(c, now, &rq);
    assert_true(p->cost == 4000000000); // 1 + 2 + 0.5 x 2
    plan_destroy(p);
    request_destroy(rq);
    p = plan_of(c, later, &rq);
    assert_true(p->cost == 3000000000); // 1 + 1 + 0.5 x 2
    assert_string_equal(p->task[2].place.cloud, "gcp");
    plan_destroy(p);
    request_destroy(rq);
    catalog_destroy(c);
}

// A spot node that is often taken away is worth less than its price.
static void test_observed(void **arg)
{
    struct catalog *c = catalog3("m,,,4,16,,1.25,1,us-east-1,us-east-1a\n"
                                 "m,,,4,16,,1.3,1.01,us-east-1,us-east-1b\n",
                                 "", "", "");
    struct request *rq;
    struct plan *p = plan_of(
        c,
        "{\"runners_up\":3,\"changeover_hours\":0.5,\"default_preemptions_per_hour\":0.6,"
        "\"observed\":[{\"cloud\":\"aws\",\"region\":\"us-east-1\",\"zone\":\"us-east-1b\","
        "\"instance_type\":\"m\",\"market\":\"spot\",\"price_usd_per_hour\":1.1,"
        "\"preemptions_per_hour\":0.2}],\"tasks\":[{\"name\":\"t\",\"nodes\":2,\"any_of\":[{"
        "\"hours\":10}]}]}",
        &rq);
    cJSON *j = plan_json(p), *t = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "tasks"), 0);
    cJSON *r = cJSON_GetObjectItem(t, "runners_up");

    // a: 1 x 1.3; b: 1.1 x 1.1 = 1.21; on demand 1.25 and 1.3
    assert_string_equal(json_str(t, "zone", ""), "us-east-1b");
    assert_int_equal(json_i64(t, "price_uusd_per_hour", 0), 1100000);
    assert_true(fabs(json_dbl(t, "price_usd_per_hour", 0) - 1.1) < 1e-12);
    assert_true(fabs(json_dbl(t, "compute_usd", 0) - 22) < 1e-9);
    assert_true(fabs(json_dbl(t, "restart_usd", 0) - 2.2) < 1e-9);
    assert_null(cJSON_GetObjectItem(t, "fixed_usd"));
    assert_true(fabs(json_dbl(j, "cost_usd", 0) - 24.2) < 1e-9);
    const cJSON *first = cJSON_GetArrayItem(r, 0), *second = cJSON_GetArrayItem(r, 1);
    assert_string_equal(json_str(first, "market", ""), "on-demand");
    assert_true(fabs(json_dbl(first, "total_usd", 0) - 25) < 1e-9);
    assert_true(fabs(json_dbl(first, "restart_usd", 1)) < 1e-9);
    assert_true(fabs(json_dbl(first, "more_data_usd", 1)) < 1e-9);
    assert_string_equal(json_str(first, "why", ""),
                        "$0.8000 more: compute $3.0000 more, restarts $2.2000 less");
    assert_string_equal(json_str(second, "market", ""), "spot"); // 26; ties with 1.3 by name
    assert_true(fabs(json_dbl(second, "restart_usd", 0) - 6) < 1e-9);
    char *text = plan_text(p);
    assert_non_null(strstr(text, "RESTARTS"));
    assert_null(strstr(text, "FIXED"));
    free(text);
    cJSON_Delete(j);
    plan_destroy(p);
    request_destroy(rq);
    catalog_destroy(c);
}

// What is paid counts for caps, what restarts add does not; and an observed price above the one on
// demand is taken as it is.
static void test_observed_and_caps(void **arg)
{
    struct catalog *c = catalog3("m,,,4,16,,1.25,1,us-east-1,\n", "", "", "");
    static const char *const text =
        "{\"changeover_hours\":1,\"observed\":[{\"cloud\":\"aws\",\"region\":\"us-east-1\","
        "\"zone\":"
        "null,\"instance_type\":\"m\",\"market\":\"spot\",%s}],\"tasks\":[{\"name\":\"t\","
        "\"any_of\":[{\"hours\":10}],\"max_usd\":%s}]}";
    static const struct {
        const char *seen, *cap, *market;
        double cost;
    } is[] = {
        {"\"preemptions_per_hour\":0.5", "12.5", "on-demand", 12.5}, // against 10 + 5
        {"\"preemptions_per_hour\":0.5", "12", "spot", 15},          // on demand is above the cap
        {"\"preemptions_per_hour\":0.2", "12.5", "spot", 12},
        {"\"price_usd_per_hour\":1.5", "20", "on-demand", 12.5},
        {"\"price_usd_per_hour\":0.75", "8", "spot", 7.5},
    };

    for (size_t i = 0; i < sizeof(is) / sizeof(*is); i++) {
        struct request *rq;
        char *request = xasprintf(text, is[i].seen, is[i].cap);
        struct plan *p = plan_of(c, request, &rq);
        assert_int_equal(p->status, PLAN_OPTIMAL);
        assert_string_equal(p->task[0].place.market, is[i].market);
        assert_true(fabs((double)p->cost / 1e9 - is[i].cost) < 1e-9);
        plan_destroy(p);
        request_destroy(rq);
        free(request);
    }
    catalog_destroy(c);
}

// A node that exists is not blocked by a refused launch, nor does it use up a quota.
static void test_offers_and_alternatives(void **arg)
{
    struct catalog *c = catalog3("m,,,4,16,,1,,us-east-1,\n", "n,,,4,16,,2,,us,\n", "", "");
    static const char *const text =
        "{%s,\"tasks\":[{\"name\":\"t\",\"any_of\":[{}],\"alternatives\":[{\"name\":\"idle\","
        "\"location\":\"aws/us-east-1\",\"instance_type\":\"m\",\"price_usd_per_hour\":1.5}]}]}";
    static const struct {
        const char *top;
        double cost;
    } is[] = {
        {"\"blocked\":[]", 1},
        {"\"blocked\":[{\"cloud\":\"aws\"}]", 1.5},
        {"\"blocked\":[{\"cloud\":\"aws\"},{\"alternative\":\"idle\"}]", 2},
        {"\"blocked\":[{\"cloud\":\"aws\"},{\"alternative\":\"id*\"}]", 1.5}, // exact names
        {"\"limits\":[{\"match\":{\"cloud\":\"aws\"},\"max_nodes\":0}]", 2},
        {"\"limits\":[{\"match\":{\"cloud\":\"aws\",\"offers\":false},\"max_nodes\":0}]", 2},
        {"\"limits\":[{\"match\":{\"cloud\":\"aws\",\"offers\":true},\"max_nodes\":0}]", 1.5},
    };

    for (size_t i = 0; i < sizeof(is) / sizeof(*is); i++) {
        struct request *rq;
        char *request = xasprintf(text, is[i].top);
        struct plan *p = plan_of(c, request, &rq);
        assert_int_equal(p->status, PLAN_OPTIMAL);
        assert_true(fabs((double)p->cost / 1e9 - is[i].cost) < 1e-9);
        plan_destroy(p);
        request_destroy(rq);
        free(request);
    }
    catalog_destroy(c);
}

// An alternative without a location is possible wherever the data lie, and nothing is moved for it:
// not its own data (there is no way for these), nor those between tasks.
static void test_nowhere(void **arg)
{
    struct catalog *c = catalog3("m,,,4,16,,1,,us-east-1,\n", "", "", "aws,*,aws,*,,0\n");
    struct request *rq;
    struct plan *p =
        plan_of(c,
                "{\"runners_up\":1,\"limits\":[{\"match\":{\"offers\":true},\"max_nodes\":1}],"
                "\"edges\":[{\"from\":\"a\",\"to\":\"b\",\"size_gb\":5}],"
                "\"tasks\":[{\"name\":\"a\",\"any_of\":[{}],\"alternatives\":[{\"name\":\"later\","
                "\"fixed_usd\":100}]},"
                "{\"name\":\"b\",\"any_of\":[{}],\"alternatives\":[{\"name\":\"later\","
                "\"fixed_usd\":90}]},"
                "{\"name\":\"c\",\"any_of\":[{}],\"inputs\":[{\"location\":\"mars/north\","
                "\"size_gb\":1}],\"alternatives\":[{\"name\":\"later\",\"fixed_usd\":80}]}]}",
                &rq);
    assert_int_equal(p->status, PLAN_OPTIMAL);
    assert_true(p->cost == INT64_C(171000000000)); // a is placed: 1 + 90 + 80
    assert_null(p->task[0].place.alternative);
    assert_string_equal(p->task[1].place.alternative, "later");
    assert_string_equal(p->task[1].place.cloud, "");
    assert_string_equal(p->task[2].place.alternative, "later");
    assert_true(p->task[1].transfer_in == 0 && p->task[2].transfer_in == 0);
    char *text = plan_text(p);
    assert_non_null(strstr(text, "later   "));
    assert_null(strstr(text, "later ("));
    free(text);
    plan_destroy(p);
    request_destroy(rq);
    catalog_destroy(c);

    // No data move between these two clouds; nowhere is not a place that cannot be reached.
    c = catalog3("m,,,4,16,,1,,us-east-1,\n", "n,,,4,16,,2,,us,\n", "", "aws,*,aws,*,,0\n");
    p = plan_of(c,
                "{\"edges\":[{\"from\":\"a\",\"to\":\"b\",\"size_gb\":5}],\"tasks\":["
                "{\"name\":\"a\",\"any_of\":[{}],\"clouds\":[\"aws\"],\"alternatives\":["
                "{\"name\":\"later\",\"fixed_usd\":100}]},"
                "{\"name\":\"b\",\"any_of\":[{}],\"clouds\":[\"gcp\"],\"alternatives\":["
                "{\"name\":\"later\",\"fixed_usd\":90}]}]}",
                &rq);
    assert_int_equal(p->status, PLAN_OPTIMAL);
    assert_true(p->cost == INT64_C(91000000000));
    plan_destroy(p);
    request_destroy(rq);
    catalog_destroy(c);
}

// What the table says of alternatives, of what is fixed and of data.
static void test_table(void **arg)
{
    struct catalog *c = catalog3("m,,,4,16,,1,,us-east-1,\n", "n,,,4,16,,0.5,,us,\n", "",
                                 "home,*,*,*,,0.1\ngcp,*,*,*,,0.1\n");
    struct request *rq;
    struct plan *p =
        plan_of(c,
                "{\"runners_up\":2,\"tasks\":[{\"name\":\"t\",\"any_of\":[{\"hours\":4}],"
                "\"outputs\":[{\"location\":\"aws/us-east-1\",\"size_gb\":30}],"
                "\"alternatives\":[{\"name\":\"stay\",\"location\":\"home/main\","
                "\"fixed_usd\":0.25,\"hours\":4}]}]}",
                &rq);
    cJSON *j = plan_json(p), *t = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "tasks"), 0);
    const cJSON *r = cJSON_GetArrayItem(cJSON_GetObjectItem(t, "runners_up"), 0);
    // home: 0.25 + 3; aws: 4; gcp: 2 + 3
    assert_string_equal(json_str(t, "alternative", ""), "stay");
    assert_true(fabs(json_dbl(t, "fixed_usd", 0) - 0.25) < 1e-12);
    assert_true(fabs(json_dbl(t, "compute_usd", 1)) < 1e-12);
    assert_true(fabs(json_dbl(j, "cost_usd", 0) - 3.25) < 1e-12);
    assert_string_equal(json_str(r, "cloud", ""), "aws");
    assert_null(cJSON_GetObjectItem(r, "alternative"));
    assert_true(fabs(json_dbl(r, "more_data_usd", 0) + 3) < 1e-12);
    assert_string_equal(json_str(r, "why", ""), "$0.7500 more: compute $4.0000 more, fixed $0.2500 "
                                                "less, data $3.0000 less");
    r = cJSON_GetArrayItem(cJSON_GetObjectItem(t, "runners_up"), 1);
    assert_string_equal(json_str(r, "why", ""),
                        "$1.7500 more: compute $2.0000 more, fixed $0.2500 less");
    char *text = plan_text(p);
    assert_non_null(strstr(text, "stay (home/main)"));
    assert_non_null(strstr(text, "FIXED"));
    assert_non_null(strstr(text, "data $3.0000 less"));
    assert_null(strstr(text, "RESTARTS"));
    free(text);
    cJSON_Delete(j);
    plan_destroy(p);
    request_destroy(rq);
    catalog_destroy(c);
}

// 150 tasks of random kinds with random edges, a time budget and a limit, over the starter catalog:
// whatever is reached, it is reached in time, and the bound is not above the plan. Each method that
// may take long gets its turn.
static void test_time_limit(void **arg)
{
    static const char *const acc[] = {"T4", "V100", "A100", "L4"};
    static const unsigned skip[] = {0, STEPS & ~STEP_ILP, STEPS & ~STEP_SEARCH, STEPS & ~STEP_DUAL};
    char *dir = xasprintf("%s/catalog/data", getenv("srcdir") ? getenv("srcdir") : ".");
    burst_error_t err = {""};
    struct catalog *c = catalog_load(dir, NULL, NULL, &err);
    struct strbuf b;

    assert_non_null(c);
    strbuf_init(&b, 1 << 20);
    strbuf_adds(&b, "{\"time_limit_s\":0.3,\"time_budget_hours\":90,\"limits\":[{\"match\":{"
                    "\"market\":\"spot\",\"cloud\":\"aws\"},\"max_nodes\":40}],\"tasks\":[");
    for (int t = 0; t < 150; t++)
        strbuf_addf(&b,
                    "%s{\"name\":\"t%d\",\"any_of\":[{\"accelerator\":\"%s\",\"hours\":%d},"
                    "{\"accelerator\":\"%s\",\"hours\":%d}]}",
                    t ? "," : "", t, acc[rnd(4)], 2 + (int)rnd(8), acc[rnd(4)], 1 + (int)rnd(3));
    strbuf_adds(&b, "],\"edges\":[");
    for (int e = 0; e < 240; e++) {
        int from = (int)rnd(149);
        strbuf_addf(&b, "%s{\"from\":\"t%d\",\"to\":\"t%d\",\"size_gb\":%d}", e ? "," : "", from,
                    from + 1 + (int)rnd((uint32_t)(149 - from)), (int)rnd(200));
    }
    strbuf_adds(&b, "]}");
    struct request *rq = parse(b.data, &err);
    assert_non_null(rq);
    for (size_t i = 0; i < sizeof(skip) / sizeof(*skip); i++) {
        int64_t start = clock_mono_ms();
        struct plan *p = plan_create_by(c, rq, skip[i], &err);
        assert_true(clock_mono_ms() - start < 3000); // ten times the limit: machines may be busy
        if (p)
            assert_true(p->status != PLAN_FEASIBLE || (p->gap > 0 && p->gap <= 1));
        else
            assert_non_null(strstr(err.text, "within the time limit of 0.3 s"));
        plan_destroy(p);
    }
    request_destroy(rq);
    catalog_destroy(c);
    strbuf_free(&b);
    free(dir);
}

// --- against glpsol on the plain formulation ---

#define G_TASKS 7
#define G_PLACES 9

struct medium {
    int price[G_PLACES];          // cents per hour
    int rate[G_PLACES][G_PLACES]; // cents per GB
    int hours[G_TASKS];
    int n_edges, from[20], to[20], gb[20];
    int max_nodes; // in places 0 to 2
};

static void make_medium(struct medium *m)
{
    memset(m, 0, sizeof(*m));
    for (int i = 0; i < G_PLACES; i++) {
        m->price[i] = 50 + (int)rnd(100);
        for (int k = 0; k < G_PLACES; k++)
            m->rate[i][k] = i == k ? 0 : 1 + (int)rnd(6);
    }
    for (int t = 0; t < G_TASKS; t++)
        m->hours[t] = 1 + (int)rnd(9);
    for (int a = 0; a < G_TASKS; a++)
        for (int b = a + 1; b < G_TASKS; b++)
            if (rnd(100) < 40 && m->n_edges < 20) {
                m->from[m->n_edges] = a;
                m->to[m->n_edges] = b;
                m->gb[m->n_edges++] = (int)rnd(60);
            }
    m->max_nodes = 1 + (int)rnd(3);
}

static double medium_ours(const struct medium *m)
{
    struct strbuf csv, egress, rq;
    burst_error_t err = {""};
    struct request *request;

    strbuf_init(&csv, 1 << 20);
    strbuf_init(&egress, 1 << 20);
    strbuf_init(&rq, 1 << 20);
    strbuf_adds(&csv, HEADER);
    strbuf_adds(&egress, EGRESS);
    for (int i = 0; i < G_PLACES; i++) {
        strbuf_addf(&csv, "m,,,4,16,,%d.%02d,,%c%d,\n", m->price[i] / 100, m->price[i] % 100,
                    i < 3 ? 'x' : 'y', i);
        for (int k = 0; k < G_PLACES; k++)
            strbuf_addf(&egress, "c,%c%d,c,%c%d,,0.%02d\n", i < 3 ? 'x' : 'y', i, k < 3 ? 'x' : 'y',
                        k, m->rate[i][k]);
    }
    strbuf_adds(&rq, "{\"tasks\":[");
    for (int t = 0; t < G_TASKS; t++)
        strbuf_addf(&rq, "%s{\"name\":\"t%d\",\"any_of\":[{\"hours\":%d}]}", t ? "," : "", t,
                    m->hours[t]);
    strbuf_adds(&rq, "],\"edges\":[");
    for (int e = 0; e < m->n_edges; e++)
        strbuf_addf(&rq, "%s{\"from\":\"t%d\",\"to\":\"t%d\",\"size_gb\":%d}", e ? "," : "",
                    m->from[e], m->to[e], m->gb[e]);
    strbuf_addf(&rq, "],\"limits\":[{\"match\":{\"region\":\"x*\"},\"max_nodes\":%d}]}",
                m->max_nodes);
    struct catalog *c =
        catalog_from_text("c", csv.data, csv.len, egress.data, egress.len, NULL, NULL, &err);
    struct plan *p = plan_of(c, rq.data, &request);
    assert_int_equal(p->status, PLAN_OPTIMAL);
    double cost = (double)p->cost / 1e9;
    plan_destroy(p);
    request_destroy(request);
    catalog_destroy(c);
    strbuf_free(&csv);
    strbuf_free(&egress);
    strbuf_free(&rq);
    return cost;
}

static void medium_lp(const struct medium *m, FILE *f)
{
    fprintf(f, "Minimize\n obj: ");
    for (int t = 0; t < G_TASKS; t++)
        for (int i = 0; i < G_PLACES; i++)
            fprintf(f, " + %d x%d_%d\n", m->price[i] * m->hours[t], t, i);
    for (int e = 0; e < m->n_edges; e++)
        for (int i = 0; i < G_PLACES; i++)
            for (int k = 0; k < G_PLACES; k++)
                fprintf(f, " + %d z%d_%d_%d\n", m->rate[i][k] * m->gb[e], e, i, k);
    fprintf(f, "Subject To\n");
    for (int t = 0; t < G_TASKS; t++) {
        for (int i = 0; i < G_PLACES; i++)
            fprintf(f, " + x%d_%d", t, i);
        fprintf(f, " = 1\n");
    }
    for (int e = 0; e < m->n_edges; e++)
        for (int i = 0; i < G_PLACES; i++)
            for (int k = 0; k < G_PLACES; k++)
                fprintf(f, " z%d_%d_%d - x%d_%d - x%d_%d >= -1\n", e, i, k, m->from[e], i, m->to[e],
                        k);
    for (int t = 0; t < G_TASKS; t++)
        for (int i = 0; i < 3; i++)
            fprintf(f, " + x%d_%d", t, i);
    fprintf(f, " <= %d\nBinary\n", m->max_nodes);
    for (int t = 0; t < G_TASKS; t++)
        for (int i = 0; i < G_PLACES; i++)
            fprintf(f, " x%d_%d\n", t, i);
    fprintf(f, "End\n");
}

// -1 when glpsol is not installed.
static double run_glpsol(const char *lp, const char *out)
{
    const char *argv[] = {"glpsol", "--lp", lp, "--tmlim", "30", "--cuts", "-o", out, NULL};
    posix_spawn_file_actions_t fa;
    char line[256];
    double v = -1;
    int status;
    pid_t pid;

    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
    int rc = posix_spawnp(&pid, "glpsol", &fa, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    if (rc != 0)
        return -1;
    waitpid(pid, &status, 0);
    FILE *f = fopen(out, "r");
    bool optimal = false;
    while (f && fgets(line, sizeof(line), f)) {
        char *p = strstr(line, "obj = ");
        optimal = optimal || strstr(line, "INTEGER OPTIMAL");
        if (p)
            v = strtod(p + 6, NULL);
    }
    if (f)
        fclose(f);
    return optimal ? v / 100 : -2;
}

static void test_against_glpsol(void **arg)
{
    char dir[] = "/tmp/test-plan-XXXXXX";
    int compared = 0;

    assert_non_null(mkdtemp(dir));
    char *lp = xasprintf("%s/m.lp", dir), *out = xasprintf("%s/m.sol", dir);
    for (int i = 0; i < 12; i++) {
        struct medium m;
        make_medium(&m);
        FILE *f = fopen(lp, "w");
        assert_non_null(f);
        medium_lp(&m, f);
        fclose(f);
        double theirs = run_glpsol(lp, out);
        if (theirs == -1)
            break;
        double ours = medium_ours(&m);
        if (theirs >= 0) {
            assert_true(fabs(ours - theirs) < 1e-6);
            compared++;
        }
    }
    unlink(lp);
    unlink(out);
    rmdir(dir);
    free(lp);
    free(out);
    print_message("%d instances compared\n", compared);
    if (!compared) {
        print_message("skipped: glpsol is not installed\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_deep_and_long),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_alternatives),
        cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_time_limit),
        cmocka_unit_test(test_against_glpsol),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_limit_hours),
        cmocka_unit_test(test_no_limits),
        cmocka_unit_test(test_observed),
        cmocka_unit_test(test_observed_and_caps),
        cmocka_unit_test(test_offers_and_alternatives),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
