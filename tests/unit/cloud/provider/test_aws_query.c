// SPDX-License-Identifier: GPL-3.0-or-later
// Bodies of EC2 requests. That their parameters exist, and are called so on the wire, is looked up
// in the service model that AWS publishes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cloud/provider/aws_query.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "tests/unit/reference.h"

static const char *const groups[] = {"sg-1", "sg-2"};
static const char *const ids[] = {"i-1", "i-2"};
static const char *const types[] = {"c6i.large", "p4d.24xlarge"};
static const struct aws_tag tags[] = {{"burst-cluster", "demo"}, {"name", "a b&c=d/é"}};
static const struct aws_launch everything = {
    .token = "tok-1",
    .count = 3,
    .image = "ami-1",
    .instance_type = "p4d.24xlarge",
    .zone = "us-east-1a",
    .subnet = "subnet-1",
    .security_groups = groups,
    .n_security_groups = 2,
    .public_address = true,
    .spot = true,
    .max_price = "1.5",
    .user_data = "#cloud-config\n",
    .profile = "nobody",
    .placement_group = "close",
    .reservation = "cr-1",
    .disk_device = "/dev/sda1",
    .disk_gib = 100,
    .tags = tags,
    .n_tags = 2,
};

// The value of a parameter as a server would read it; "" = there is none. One buffer.
static const char *value(const char *body, const char *name)
{
    static char out[512];
    size_t len = strlen(name), n = 0;
    const char *p = body;

    out[0] = '\0';
    while (p && (strncmp(p, name, len) != 0 || p[len] != '='))
        p = strchr(p, '&') ? strchr(p, '&') + 1 : NULL;
    for (p = p ? p + len + 1 : ""; *p && *p != '&'; p++) {
        char two[3] = {p[0] == '%' ? p[1] : '\0', p[0] == '%' ? p[2] : '\0', '\0'};
        out[n++] = *p == '+' ? ' ' : *p == '%' ? (char)strtol(two, NULL, 16) : *p;
        p += *p == '%' ? 2 : 0;
    }
    out[n] = '\0';
    return out;
}

static void a_launch_says_all_of_it(void **state)
{
    char *b = aws_run_instances(&everything);

    assert_string_equal(value(b, "Action"), "RunInstances");
    assert_string_equal(value(b, "MinCount"), "3");
    assert_string_equal(value(b, "MaxCount"), "3");
    assert_string_equal(value(b, "ClientToken"), "tok-1");
    assert_string_equal(value(b, "InstanceMarketOptions.MarketType"), "spot");
    assert_string_equal(value(b, "NetworkInterface.1.SubnetId"), "subnet-1");
    assert_string_equal(value(b, "NetworkInterface.1.SecurityGroupId.2"), "sg-2");
    assert_string_equal(value(b, "SecurityGroupId.1"), ""); // EC2 refuses both
    assert_string_equal(value(b, "UserData"), "I2Nsb3VkLWNvbmZpZwo=");
    assert_string_equal(value(b, "TagSpecification.1.ResourceType"), "instance");
    assert_string_equal(value(b, "TagSpecification.2.ResourceType"), "volume");
    assert_string_equal(value(b, "TagSpecification.2.Tag.2.Value"), "a b&c=d/é");
    assert_string_equal(value(b, "MetadataOptions.HttpTokens"), "required");
    // The form's own way to write a blank, which strict readers insist on
    assert_non_null(strstr(b, "=a+b%26c%3Dd%2F%C3%A9"));
    free(b);
}

static void a_launch_on_demand_says_nothing_of_spot(void **state)
{
    const struct aws_launch l = {.token = "t",
                                 .count = 1,
                                 .image = "ami-1",
                                 .instance_type = "c6i.large",
                                 .zone = "",
                                 .security_groups = groups,
                                 .n_security_groups = 1,
                                 .max_price = "1.5"};
    char *b = aws_run_instances(&l);

    assert_null(strstr(b, "Market"));
    assert_null(strstr(b, "NetworkInterface"));
    assert_null(strstr(b, "Placement"));
    assert_null(strstr(b, "TagSpecification"));
    assert_null(strstr(b, "BlockDevice"));
    assert_string_equal(value(b, "SecurityGroupId.1"), "sg-1");
    free(b);
}

static void listings_have_pages(void **state)
{
    struct aws_which by_tag = {.tag_key = "burst-cluster", .tag_value = "demo", .page = "next"};
    struct aws_which by_id = {.ids = ids, .n_ids = 2};
    char *b = aws_describe_instances(&by_tag);

    assert_string_equal(value(b, "Filter.1.Name"), "tag:burst-cluster");
    assert_string_equal(value(b, "Filter.1.Value.1"), "demo");
    assert_string_equal(value(b, "NextToken"), "next");
    assert_string_equal(value(b, "MaxResults"), "1000");
    free(b);
    b = aws_describe_instances(&by_id);
    assert_string_equal(value(b, "InstanceId.2"), "i-2");
    assert_string_equal(value(b, "MaxResults"), ""); // EC2 refuses both
    free(b);
    b = aws_spot_prices(types, 2, 1795000000, "");
    assert_string_equal(value(b, "StartTime"), "2026-11-18T11:06:40Z");
    assert_string_equal(value(b, "InstanceType.2"), "p4d.24xlarge");
    free(b);
}

// ---- the service model

static cJSON *model;

static const cJSON *shape(const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(model, "shapes"),
                                            name);
}

static const cJSON *shape_of(const cJSON *ref)
{
    return shape(json_str(ref, "shape", ""));
}

// The rule of the protocol "ec2": queryName, else locationName with a capital, else the name.
static bool called(const cJSON *member, const char *name, size_t len)
{
    const char *query = json_str(member, "queryName", NULL);
    char wire[128];

    snprintf(wire, sizeof(wire), "%s",
             query ? query : json_str(member, "locationName", member->string));
    wire[0] = (char)toupper((unsigned char)wire[0]);
    return strlen(wire) == len && strncmp(wire, name, len) == 0;
}

// Is there a parameter of this name in the structure, and is the value one that it may have?
static bool has(const cJSON *structure, const char *name, const char *val)
{
    const char *type = json_str(structure, "type", "");
    size_t len = strcspn(name, ".");
    const char *rest = name[len] ? name + len + 1 : "";
    const cJSON *m, *e;

    if (strcmp(type, "list") == 0)
        return strspn(name, "0123456789") == len && len > 0 &&
               has(shape_of(cJSON_GetObjectItemCaseSensitive(structure, "member")), rest, val);
    if (strcmp(type, "structure") != 0) {
        const cJSON *of = cJSON_GetObjectItemCaseSensitive(structure, "enum");
        bool one = !of;
        cJSON_ArrayForEach(e, of) one = one || strcmp(e->valuestring, val) == 0;
        return !*name && one;
    }
    cJSON_ArrayForEach(
        m, cJSON_GetObjectItemCaseSensitive(
               structure, "members")) if (called(m, name, len)) return has(shape_of(m), rest, val);
    return false;
}

static void exists(char *body)
{
    const char *action = "";
    unsigned n = 0;
    char *save = NULL, *copy = xstrdup(body);

    for (char *p = strtok_r(copy, "&", &save); p; p = strtok_r(NULL, "&", &save)) {
        char *eq = strchr(p, '=');
        assert_non_null(eq);
        *eq = '\0';
        if (strcmp(p, "Action") == 0) {
            action = eq + 1;
            continue;
        }
        if (strcmp(p, "Version") == 0)
            continue;
        char *request = xasprintf("%sRequest", action);
        if (!has(shape(request), p, value(body, p)))
            fail_msg("%s has no %s=%s", action, p, value(body, p));
        free(request);
        n++;
    }
    assert_true(n > 0);
    free(copy);
    free(body);
}

static void the_service_model_knows_all_of_it(void **state)
{
    char *path = reference("contracts/aws-ec2.service-2.json");
    struct aws_which by_tag = {.tag_key = "burst-cluster", .tag_value = "demo", .page = "next"};
    struct aws_which by_id = {.ids = ids, .n_ids = 2};
    char *text = NULL;
    size_t len;
    burst_error_t err;

    if (!path || fs_read(path, 64 << 20, &text, &len, &err) < 0) {
        free(path);
        print_message("skipped: no reference data\n");
        skip();
    }
    free(path);
    model = cJSON_ParseWithLength(text, len);
    free(text);
    assert_non_null(model);
    assert_string_equal(
        json_str(cJSON_GetObjectItemCaseSensitive(model, "metadata"), "apiVersion", ""),
        AWS_EC2_VERSION);
    exists(aws_run_instances(&everything));
    exists(aws_describe_instances(&by_tag));
    exists(aws_describe_instances(&by_id));
    exists(aws_terminate_instances(ids, 2));
    exists(aws_spot_prices(types, 2, 1795000000, "next"));
    exists(aws_probe());
    // The test can fail.
    assert_false(has(shape("RunInstancesRequest"), "SecurityGroup", "x"));
    assert_false(has(shape("RunInstancesRequest"), "InstanceMarketOptions.MarketType", "dear"));
    assert_false(has(shape("RunInstancesRequest"), "TagSpecification.Tag.1.Key", "x"));
    cJSON_Delete(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_launch_says_all_of_it),
        cmocka_unit_test(a_launch_on_demand_says_nothing_of_spot),
        cmocka_unit_test(listings_have_pages),
        cmocka_unit_test(the_service_model_knows_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
