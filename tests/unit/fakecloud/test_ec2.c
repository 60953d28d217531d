// SPDX-License-Identifier: GPL-3.0-or-later
// The fake EC2 and burstd's requests and readers, one against the other, in a time of the test's
// own. (Names and values of either are looked up in the published service model elsewhere; a client
// that others wrote is not here.)
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cloud/provider/aws_query.h"
#include "cloud/provider/aws_reply.h"
#include "fakecloud/ec2.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

static const char world[] =
    "{\"offers\":["
    "{\"zone\":\"us-east-1a\",\"type\":\"c6i.large\",\"price\":\"0.085\",\"spot\":\"0.031\"},"
    "{\"zone\":\"us-east-1b\",\"type\":\"c6i.large\",\"price\":\"0.085\",\"spot\":\"0.03\"},"
    "{\"zone\":\"us-east-1b\",\"type\":\"p4d.24xlarge\",\"price\":\"32.77\",\"capacity\":1},"
    "{\"zone\":\"eu-west-1a\",\"type\":\"c6i.large\",\"price\":\"0.09\",\"spot\":\"0.035\"}],"
    "\"quota\":9,\"boot_ms\":5000,\"lag_ms\":2000,\"page\":5}";

static struct ec2 *e;
static int64_t now;
static const char *region;
static enum provider_class error;
static char code[64];
static burst_error_t err;
static cJSON *document;
static bool lost;

static int begin(void **state)
{
    cJSON *w = json_parse(world, strlen(world), &err);

    e = ec2_create(w, &err);
    cJSON_Delete(w);
    now = INT64_C(1795600800000);
    region = "us-east-1";
    return e ? 0 : -1;
}

static int end(void **state)
{
    cJSON_Delete(document);
    document = NULL;
    ec2_destroy(e);
    return 0;
}

// body is freed. NULL: refused.
static const cJSON *ask(char *body)
{
    struct form *f = form_parse(body, strlen(body));
    char *xml;

    assert_non_null(f);
    int status = ec2_answer(e, region, f, now, &xml, &lost);
    cJSON_Delete(document);
    const cJSON *a =
        aws_answer(status, xml, strlen(xml), &document, &error, code, sizeof(code), &err);
    form_free(f);
    free(xml);
    free(body);
    return a;
}

static void refused(char *body, enum provider_class cls, const char *its_code)
{
    assert_null(ask(body));
    assert_string_equal(code, its_code);
    assert_int_equal(error, cls);
}

static const struct aws_tag tags[] = {{"burst-cluster", "demo"}, {"burst-instance", "bi-1"}};

static struct aws_launch launch(const char *token, const char *zone, unsigned count)
{
    return (struct aws_launch){.token = token,
                               .count = count,
                               .image = "ami-1",
                               .instance_type = "c6i.large",
                               .zone = zone,
                               .spot = true,
                               .tags = tags,
                               .n_tags = 2};
}

static size_t launched(const struct aws_launch *l, struct provider_instance **i)
{
    const cJSON *a = ask(aws_run_instances(l));

    if (!a)
        fail_msg("%s", err.text);
    return aws_instances(a, region, i);
}

static size_t running(void)
{
    cJSON *bill = ec2_bill(e, now);
    const cJSON *o;
    size_t n = 0;

    cJSON_ArrayForEach(o, bill) n += json_bool(o, "running", false);
    cJSON_Delete(bill);
    return n;
}

static void control(const char *order)
{
    cJSON *o = json_parse(order, strlen(order), &err);

    assert_non_null(o);
    if (ec2_control(e, o, now, &err) < 0)
        fail_msg("%s", err.text);
    cJSON_Delete(o);
}

static void a_token_launches_once(void **state)
{
    struct aws_launch l = launch("t1", "us-east-1a", 2);
    struct provider_instance *i, *again;

    assert_int_equal(launched(&l, &i), 2);
    assert_int_equal(i[0].state, PROVIDER_PENDING);
    assert_string_equal(i[0].zone, "us-east-1a");
    assert_string_equal(i[0].token, "t1");
    assert_string_equal(i[0].tag_cluster, "demo");
    assert_string_equal(i[1].tag_instance, "bi-1");
    assert_true(i[0].spot);
    assert_int_equal(launched(&l, &again), 2);
    assert_string_equal(again[0].id, i[0].id);
    assert_int_equal(running(), 2);
    free(again);
    l.count = 1; // other parameters
    refused(aws_run_instances(&l), PROVIDER_INVALID, "IdempotentParameterMismatch");
    l.count = 2;
    l.zone = "us-east-1b"; // the zone does not count: launched once more
    assert_int_equal(launched(&l, &again), 2);
    assert_string_not_equal(again[0].id, i[0].id);
    assert_int_equal(running(), 4);
    free(again);
    free(i);
}

static void all_or_none_where_there_is_room(void **state)
{
    struct aws_launch l = launch("t1", "us-east-1b", 2);

    l.instance_type = "p4d.24xlarge";
    refused(aws_run_instances(&l), PROVIDER_CAPACITY, "Unsupported"); // no spot of it
    l.spot = false;
    refused(aws_run_instances(&l), PROVIDER_CAPACITY, "InsufficientInstanceCapacity");
    control("{\"capacity\":{\"zone\":\"us-east-1b\",\"type\":\"p4d.24xlarge\",\"n\":0}}");
    l.count = 1;
    refused(aws_run_instances(&l), PROVIDER_CAPACITY, "InsufficientInstanceCapacity");
    l = launch("t2", "us-east-1a", 10);
    refused(aws_run_instances(&l), PROVIDER_QUOTA, "VcpuLimitExceeded");
    l = launch("t3", "eu-west-1a", 1);
    refused(aws_run_instances(&l), PROVIDER_INVALID, "InvalidParameterValue"); // not this region's
    l = launch("t4", "us-east-1a", 1);
    l.max_price = "0.02";
    refused(aws_run_instances(&l), PROVIDER_CAPACITY, "SpotMaxPriceTooLow");
    assert_int_equal(running(), 0);
    l.max_price = "0.031";
    struct provider_instance *i;
    assert_int_equal(launched(&l, &i), 1);
    free(i);
}

static size_t listed(const struct aws_which *w, struct provider_instance **i, char *page)
{
    const cJSON *a = ask(aws_describe_instances(w));

    if (!a)
        fail_msg("%s", err.text);
    strcpy(page, aws_next(a));
    return aws_instances(a, region, i);
}

static void listings_lag_and_have_pages(void **state)
{
    struct aws_which w = {.tag_key = "burst-cluster", .tag_value = "demo"};
    struct aws_launch l = launch("t1", "us-east-1a", 7);
    struct provider_instance *i, *j;
    char page[40];

    launched(&l, &i);
    assert_int_equal(listed(&w, &j, page), 0); // just launched
    free(j);
    const char *ids[] = {i[0].id};
    struct aws_which by_id = {.ids = ids, .n_ids = 1};
    refused(aws_describe_instances(&by_id), PROVIDER_NOT_FOUND, "InvalidInstanceID.NotFound");
    now += 6000;
    assert_int_equal(listed(&w, &j, page), 5);
    assert_int_equal(j[0].state, PROVIDER_RUNNING);
    assert_string_equal(j[0].address, "198.51.0.1");
    free(j);
    assert_string_not_equal(page, "");
    w.page = page;
    char rest[40];
    assert_int_equal(listed(&w, &j, rest), 2);
    assert_string_equal(rest, "");
    free(j);
    region = "eu-west-1";
    w.page = "";
    assert_int_equal(listed(&w, &j, page), 0);
    free(j);
    region = "us-east-1";
    assert_non_null(ask(aws_terminate_instances(ids, 1)));
    assert_int_equal(running(), 6);
    assert_int_equal(listed(&by_id, &j, page), 1);
    assert_int_equal(j[0].state, PROVIDER_RUNNING); // just ended
    free(j);
    now += 10000;
    assert_int_equal(listed(&by_id, &j, page), 1);
    assert_int_equal(j[0].state, PROVIDER_TERMINATED);
    assert_int_equal(j[0].ended_at, now / 1000 - 10);
    assert_false(j[0].preempted);
    free(j);
    assert_non_null(ask(aws_terminate_instances(ids, 1))); // again: the same
    now += 3600000;
    refused(aws_describe_instances(&by_id), PROVIDER_NOT_FOUND, "InvalidInstanceID.NotFound");
    free(i);
}

static void a_reclaim_is_seen_as_one(void **state)
{
    struct aws_launch l = launch("t1", "us-east-1a", 1);
    struct provider_instance *i, *j;
    char page[40];

    launched(&l, &i);
    now += 60000;
    char *order = xasprintf("{\"reclaim\":\"%s\"}", i[0].id);
    control(order);
    free(order);
    now += 5000;
    const char *ids[] = {i[0].id};
    struct aws_which w = {.ids = ids, .n_ids = 1};
    assert_int_equal(listed(&w, &j, page), 1);
    assert_int_equal(j[0].state, PROVIDER_TERMINATED);
    assert_true(j[0].preempted);
    cJSON *bill = ec2_bill(e, now);
    assert_int_equal(json_i64(bill->child, "seconds", 0), 60);
    assert_int_equal(json_money(bill->child, "usd_micro"), 31000 / 60);
    cJSON_Delete(bill);
    free(j);
    free(i);
}

static void faults_on_demand(void **state)
{
    struct aws_launch l = launch("t1", "us-east-1a", 1);
    struct provider_instance *i;

    control("{\"faults\":[{\"action\":\"RunInstances\",\"code\":\"InternalError\",\"tries\":1,"
            "\"done\":true},{\"code\":\"RequestLimitExceeded\",\"status\":503,\"tries\":1}]}");
    refused(aws_run_instances(&l), PROVIDER_TRANSIENT, "InternalError");
    assert_int_equal(running(), 1); // done all the same
    refused(aws_run_instances(&l), PROVIDER_THROTTLE, "RequestLimitExceeded");
    assert_int_equal(launched(&l, &i), 1);
    assert_int_equal(running(), 1);
    free(i);
    control("{\"faults\":[{\"action\":\"TerminateInstances\",\"done\":true,\"lost\":true}]}");
    const char *none[] = {"i-0"};
    ask(aws_terminate_instances(none, 1));
    assert_true(lost);
}

static void strict_as_ec2(void **state)
{
    refused(xstrdup("Action=RunInstances&Version=2016-11-15&Colour=red"), PROVIDER_INVALID,
            "UnknownParameter");
    refused(xstrdup("Action=RunInstances&Version=2016-11-15&MinCount=1"), PROVIDER_INVALID,
            "MissingParameter");
    refused(xstrdup("Action=Paint&Version=2016-11-15"), PROVIDER_INVALID, "InvalidAction");
    refused(xstrdup("Action=DescribeInstances&Version=2010-01-01"), PROVIDER_INVALID,
            "NoSuchVersion");
    refused(xstrdup("Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1&ImageId=a&"
                    "InstanceType=c6i.large&SecurityGroupId.1=sg&NetworkInterface.1.SubnetId=s-1"),
            PROVIDER_INVALID, "InvalidParameterCombination");
    refused(aws_probe(), PROVIDER_INVALID, "DryRunOperation");
    assert_null(form_parse("a=%4", 4));
    assert_null(form_parse("a=%00", 5));
}

static void spot_prices(void **state)
{
    const char *types[] = {"c6i.large"};
    const cJSON *a = ask(aws_spot_prices(types, 1, now / 1000, "")), *o;
    unsigned n = 0;

    assert_non_null(a);
    cJSON_ArrayForEach(o, cJSON_GetObjectItem(a, "spotPriceHistorySet"))
    {
        assert_string_equal(
            json_str(o, "spotPrice", ""),
            strcmp(json_str(o, "availabilityZone", ""), "us-east-1a") == 0 ? "0.031" : "0.03");
        n++;
    }
    assert_int_equal(n, 2);
    assert_string_equal(aws_next(a), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
        T(a_token_launches_once),
        T(all_or_none_where_there_is_room),
        T(listings_lag_and_have_pages),
        T(a_reclaim_is_seen_as_one),
        T(faults_on_demand),
        T(strict_as_ec2),
        T(spot_prices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
