// SPDX-License-Identifier: GPL-3.0-or-later
// EC2's answers: the form of its API reference, errors of several services, and what is no answer.
// The names that are read are looked up in the service model that AWS publishes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cloud/provider/aws_reply.h"
#include "cloud/provider/xml.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "tests/unit/reference.h"

static const char listing[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n"
    "  <requestId>8f7724cf-496f-496e-8fe3-example</requestId>\n"
    "  <reservationSet>\n"
    "    <item><reservationId>r-1</reservationId><groupSet/><instancesSet>\n"
    "      <item><instanceId>i-1</instanceId><imageId>ami-1</imageId>\n"
    "        <instanceState><code>16</code><name>running</name></instanceState>\n"
    "        <reason/><instanceType>p4d.24xlarge</instanceType>\n"
    "        <launchTime>2026-11-25T10:00:00.000Z</launchTime>\n"
    "        <placement><availabilityZone>us-east-1a</availabilityZone></placement>\n"
    "        <privateIpAddress>10.0.0.12</privateIpAddress><ipAddress>203.0.113.12</ipAddress>\n"
    "        <instanceLifecycle>spot</instanceLifecycle><clientToken>tok-1</clientToken>\n"
    "        <tagSet><item><key>Name</key><value>a &lt;b&gt;</value></item>\n"
    "          <item><key>burst-instance</key><value>bi-1</value></item>\n"
    "          <item><key>burst-cluster</key><value>demo</value></item></tagSet>\n"
    "      </item></instancesSet></item>\n"
    "    <item><reservationId>r-2</reservationId><instancesSet>\n"
    "      <item><instanceId>i-2</instanceId>\n"
    "        <instanceState><code>48</code><name>terminated</name></instanceState>\n"
    "        <reason>Server.SpotInstanceTermination: (2026-11-25 11:00:00 GMT)</reason>\n"
    "        <stateReason><code>Server.SpotInstanceTermination</code>"
    "<message>Spot instance termination</message></stateReason></item>\n"
    "      <item><instanceId>i-3</instanceId><privateIpAddress>10.0.0.13</privateIpAddress>\n"
    "        <instanceState><code>0</code><name>pending</name></instanceState></item>\n"
    "    </instancesSet></item>\n"
    "  </reservationSet>\n"
    "  <nextToken>more</nextToken>\n"
    "</DescribeInstancesResponse>\n";

static cJSON *document;
static enum provider_class error;
static char code[64];
static burst_error_t err;

static const cJSON *answer(int status, const char *text)
{
    err.text[0] = '\0';
    return aws_answer(status, text, strlen(text), &document, &error, code, sizeof(code), &err);
}

static void instances_of_all_reservations(void **state)
{
    struct provider_instance *i;
    const cJSON *a = answer(200, listing);

    assert_non_null(a);
    assert_string_equal(aws_next(a), "more");
    assert_int_equal(aws_instances(a, "us-east-1", &i), 3);
    assert_string_equal(i[0].id, "i-1");
    assert_int_equal(i[0].state, PROVIDER_RUNNING);
    assert_string_equal(i[0].address, "203.0.113.12");
    assert_string_equal(i[0].instance_type, "p4d.24xlarge");
    assert_string_equal(i[0].region, "us-east-1");
    assert_string_equal(i[0].zone, "us-east-1a");
    assert_string_equal(i[0].token, "tok-1");
    assert_true(i[0].spot);
    assert_false(i[0].preempted);
    assert_true(i[0].price == MONEY_UNKNOWN); // EC2 does not say it here
    assert_int_equal(i[0].launched_at, 1795600800);
    assert_string_equal(i[0].tag_instance, "bi-1");
    assert_string_equal(i[0].tag_cluster, "demo");
    assert_int_equal(i[1].state, PROVIDER_TERMINATED);
    assert_true(i[1].preempted);
    assert_int_equal(i[1].ended_at, 1795604400);
    assert_string_equal(i[1].tag_instance, "");
    assert_int_equal(i[2].state, PROVIDER_PENDING);
    assert_string_equal(i[2].address, "10.0.0.13");
    assert_int_equal(i[2].launched_at, 0);
    free(i);
    cJSON_Delete(document);
}

static void an_empty_listing(void **state)
{
    struct provider_instance *i;
    const cJSON *a = answer(200, "<DescribeInstancesResponse><reservationSet/>"
                                 "</DescribeInstancesResponse>");

    assert_non_null(a);
    assert_int_equal(aws_instances(a, "r", &i), 0);
    assert_string_equal(aws_next(a), "");
    free(i);
    cJSON_Delete(document);
}

static void refused(int status, const char *text, enum provider_class cls, const char *its_code,
                    const char *words)
{
    assert_null(answer(status, text));
    assert_null(document);
    if (error != cls || strcmp(code, its_code) != 0 || !strstr(err.text, words))
        fail_msg("%s: %s, \"%s\", %s", text, provider_class_name(error), code, err.text);
}

#define EC2_ERROR(c, m)                                                                            \
    "<?xml version=\"1.0\"?><Response><Errors><Error><Code>" c "</Code><Message>" m                \
    "</Message></Error></Errors><RequestID>x</RequestID></Response>"

static void errors_have_the_class_of_their_code(void **state)
{
    // A server's error by its status
    refused(500, EC2_ERROR("InsufficientInstanceCapacity", "We do not have sufficient p4d"),
            PROVIDER_CAPACITY, "InsufficientInstanceCapacity", "sufficient p4d");
    refused(503, EC2_ERROR("RequestLimitExceeded", "Request limit exceeded."), PROVIDER_THROTTLE,
            "RequestLimitExceeded", "limit");
    refused(400, EC2_ERROR("VcpuLimitExceeded", "m"), PROVIDER_QUOTA, "VcpuLimitExceeded", "m");
    refused(401, EC2_ERROR("AuthFailure", "m"), PROVIDER_AUTH, "AuthFailure", "m");
    refused(400, EC2_ERROR("InvalidInstanceID.NotFound", "m"), PROVIDER_NOT_FOUND,
            "InvalidInstanceID.NotFound", "m");
    refused(500, EC2_ERROR("InternalError", "m"), PROVIDER_TRANSIENT, "InternalError", "m");
    refused(503, EC2_ERROR("Unavailable", "m"), PROVIDER_TRANSIENT, "Unavailable", "m");
    // Codes that nobody has listed: refused, or nobody knows
    refused(400, EC2_ERROR("InvalidSomething", "m"), PROVIDER_INVALID, "InvalidSomething", "m");
    refused(500, EC2_ERROR("SomethingNew", "m"), PROVIDER_TRANSIENT, "SomethingNew", "m");
    // Another service's form
    refused(403,
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
            "<Type>Sender</Type><Code>ExpiredToken</Code><Message>expired</Message></Error>"
            "</ErrorResponse>",
            PROVIDER_AUTH, "ExpiredToken", "expired");
    // 200 with an error in it
    refused(200, EC2_ERROR("InternalError", "m"), PROVIDER_TRANSIENT, "InternalError", "m");
}

static void what_is_no_answer_leaves_the_outcome_open(void **state)
{
    char deep[2000] = "";

    refused(502, "<html><body>Bad gateway</body></html>", PROVIDER_TRANSIENT, "", "502");
    refused(200, "not XML", PROVIDER_TRANSIENT, "", "cannot be read");
    refused(200, "", PROVIDER_TRANSIENT, "", "cannot be read");
    refused(200, "<a><b></a>", PROVIDER_TRANSIENT, "", "cannot be read");
    refused(429, "slow down", PROVIDER_TRANSIENT, "", "429");
    refused(200,
            "<!DOCTYPE a [<!ENTITY x \"xxxxxxxx\"><!ENTITY y \"&x;&x;&x;\">]><a><b>&y;</b></a>",
            PROVIDER_TRANSIENT, "", "document type");
    for (int k = 0; k < 100; k++)
        snprintf(deep + strlen(deep), sizeof(deep) - strlen(deep), "<a%d>", k);
    refused(200, deep, PROVIDER_TRANSIENT, "", "too deep");
    // Cut anywhere, it is no answer.
    for (size_t len = 0; len < sizeof(listing) - 3; len += 7) {
        char *cut = xasprintf("%.*s", (int)len, listing);
        refused(200, cut, PROVIDER_TRANSIENT, "", "cannot be read");
        free(cut);
    }
}

static void xml_of_all_forms(void **state)
{
    static const char *const cases[][2] = {
        {"<a/>", "{\"a\":\"\"}"},
        {"<a>t</a>", "{\"a\":\"t\"}"},
        {"<a><b>1</b><c>2</c></a>", "{\"a\":{\"b\":\"1\",\"c\":\"2\"}}"},
        {"<a><item>1</item></a>", "{\"a\":[\"1\"]}"},
        {"<a><item><b>1</b></item><item/></a>", "{\"a\":[{\"b\":\"1\"},\"\"]}"},
        {"<a><b><member>1</member><member>2</member></b> text </a>",
         "{\"a\":{\"b\":[\"1\",\"2\"]}}"},
        {"<x:a y='1'><![CDATA[<t>]]>&amp;</x:a>", "{\"a\":\"<t>&\"}"},
    };

    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        cJSON *j = xml_to_json(cases[k][0], strlen(cases[k][0]), &err);
        assert_non_null(j);
        char *text = json_line(j);
        assert_string_equal(text, cases[k][1]);
        free(text);
        cJSON_Delete(j);
    }
}

// locationName of each member that is read.
static void the_service_model_has_these_names(void **state)
{
    static const char *const names[][2] = {
        {"Instance", "instanceId"},
        {"Instance", "instanceType"},
        {"Instance", "clientToken"},
        {"Instance", "placement"},
        {"Instance", "ipAddress"},
        {"Instance", "privateIpAddress"},
        {"Instance", "instanceState"},
        {"Instance", "instanceLifecycle"},
        {"Instance", "launchTime"},
        {"Instance", "reason"},
        {"Instance", "stateReason"},
        {"Instance", "tagSet"},
        {"Placement", "availabilityZone"},
        {"InstanceState", "name"},
        {"StateReason", "code"},
        {"Tag", "key"},
        {"Tag", "value"},
        {"Reservation", "instancesSet"},
        {"DescribeInstancesResult", "reservationSet"},
        {"DescribeInstancesResult", "nextToken"},
    };
    char *path = reference("contracts/aws-ec2.service-2.json");
    char *text = NULL;
    size_t len;

    if (!path || fs_read(path, 64 << 20, &text, &len, &err) < 0) {
        free(path);
        print_message("skipped: no reference data\n");
        skip();
    }
    free(path);
    cJSON *model = cJSON_ParseWithLength(text, len);
    const cJSON *shapes = cJSON_GetObjectItemCaseSensitive(model, "shapes"), *m;
    free(text);
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        bool found = false;
        cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(
                                  cJSON_GetObjectItemCaseSensitive(shapes, names[k][0]), "members"))
            found = found || strcmp(json_str(m, "locationName", ""), names[k][1]) == 0;
        if (!found)
            fail_msg("%s has no %s", names[k][0], names[k][1]);
    }
    cJSON_Delete(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instances_of_all_reservations),
        cmocka_unit_test(an_empty_listing),
        cmocka_unit_test(errors_have_the_class_of_their_code),
        cmocka_unit_test(what_is_no_answer_leaves_the_outcome_open),
        cmocka_unit_test(xml_of_all_forms),
        cmocka_unit_test(the_service_model_has_these_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
