// SPDX-License-Identifier: GPL-3.0-or-later
// Two published pipelines rebuilt as plan requests, with their printed figures.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "optimizer/plan.h"

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

// Printed: V100 3.06 USD/h (27.8 h = 85 USD), TPU v3-8 with its host 8.38 USD/h (44 USD of
// compute), Inferentia 8.2 h for 3 USD, the T4 71 % dearer and 1.8 times slower. Egress: AWS 0.09,
// Google 0.12, Azure 0.0875 USD per GB.
static struct catalog *pipeline_catalog(void)
{
    return catalog3("p3.2xlarge,V100,1,8,61,,3.06,,us-east-1,\n"
                    "p3.8xlarge,V100,4,32,244,,12.24,,us-east-1,\n"
                    "g4dn.2xlarge,T4,1,8,32,,0.752,,us-east-1,\n"
                    "inf1.2xlarge,Inferentia,1,8,16,,0.362,,us-east-1,\n",
                    "n1-standard-8-v100,V100,1,8,30,,3.12,,us-central1,\n"
                    "n1-standard-8-tpu,tpu-v3-8,1,8,30,,8.38,,us-central1,\n"
                    "n1-standard-8-t4,T4,1,8,30,,0.73,,us-central1,\n",
                    "NC6s_v3,V100,1,6,112,,3.06,,eastus,\n"
                    "NC24s_v3,V100,4,24,448,,12.24,,eastus,\n"
                    "NC8as_T4_v3,T4,1,8,56,,0.752,,eastus,\n"
                    "DC8_v2,SGX,1,8,32,,1.34,,eastus,\n",
                    "aws,*,*,*,,0.09\ngcp,*,*,*,,0.12\nazure,*,*,*,,0.0875\n");
}

static char *vision(const char *top, double input_gb, const char *task)
{
    return xasprintf(
        "{%s\"datasets\":[{\"name\":\"imagenet\",\"location\":\"aws/us-east-1\",\"size_gb\":%g}],"
        "\"tasks\":[{\"name\":\"train\",\"any_of\":[{\"accelerator\":\"V100\",\"hours\":{"
        "\"total_tflop\":12009600,\"tflops\":120}},{\"accelerator\":\"tpu-v3-8\",\"hours\":5.25}],"
        "\"inputs\":[{\"dataset\":\"imagenet\"}]%s},"
        "{\"name\":\"infer\",\"any_of\":[{\"accelerator\":\"tpu-v3-8\",\"hours\":2.5},"
        "{\"accelerator\":\"T4\",\"hours\":14.2},{\"accelerator\":\"Inferentia\",\"hours\":8.2}]%s}"
        "],"
        "\"edges\":[{\"from\":\"train\",\"to\":\"infer\",\"size_gb\":0.1}]}",
        top, input_gb, task, task);
}

static double usd(int64_t nano)
{
    return (double)nano / 1e9;
}

static double vision_cost(const struct catalog *c, const char *task)
{
    char *text = vision("", 150, task);
    struct request *rq;
    struct plan *p = plan_of(c, text, &rq);
    double cost = usd(p->cost);

    assert_int_equal(p->status, PLAN_OPTIMAL);
    plan_destroy(p);
    request_destroy(rq);
    free(text);
    return cost;
}

static void test_vision(void **arg)
{
    struct catalog *c = pipeline_catalog();
    char *text = vision("", 150, "");
    struct request *rq;
    struct plan *p = plan_of(c, text, &rq);

    assert_string_equal(p->task[0].place.instance_type, "n1-standard-8-tpu");
    assert_string_equal(p->task[1].place.instance_type, "inf1.2xlarge");
    assert_int_equal(lround(usd(p->task[0].compute)), 44);
    assert_int_equal((int)usd(p->task[0].transfer_in), 13); // 13.5, printed 13
    assert_int_equal(lround(usd(p->task[1].compute)), 3);
    assert_int_equal(lround(usd(p->task[1].transfer_in) * 100), 1); // the model: 0.01
    double broker = usd(p->cost);
    plan_destroy(p);
    request_destroy(rq);
    free(text);
    // Single clouds: dearer, AWS alone with its 85 dollars for the V100.
    double aws = vision_cost(c, ",\"clouds\":[\"aws\"]"),
           gcp = vision_cost(c, ",\"clouds\":[\"gcp\"]");
    double azure = vision_cost(c, ",\"clouds\":[\"azure\"]");
    assert_int_equal(lround(aws), 85 + 3);
    assert_true(broker < gcp && broker < aws && aws < azure);
    assert_true(fabs(1 - broker / azure - 0.47) < 0.03);
    // Four times the data: the plan stays on AWS.
    text = vision("", 600, "");
    p = plan_of(c, text, &rq);
    assert_string_equal(p->task[0].place.cloud, "aws");
    assert_string_equal(p->task[0].place.instance_type, "p3.2xlarge");
    plan_destroy(p);
    request_destroy(rq);
    free(text);
    // For time: training unchanged, inference on the TPU (2.5 h, 21 USD).
    text = vision("\"objective\":\"time\",", 150, "");
    p = plan_of(c, text, &rq);
    assert_string_equal(p->task[0].place.instance_type, "n1-standard-8-tpu");
    assert_string_equal(p->task[1].place.instance_type, "n1-standard-8-tpu");
    assert_int_equal(lround(usd(p->task[1].compute)), 21);
    plan_destroy(p);
    request_destroy(rq);
    free(text);
    catalog_destroy(c);
}

#define NLP(rest)                                                                                  \
    "{\"tasks\":[{\"name\":\"proc\",\"any_of\":[{\"accelerator\":\"SGX\",\"hours\":0.6}]},"        \
    "{\"name\":\"train\"" rest                                                                     \
    ",\"any_of\":[{\"accelerator\":\"V100\",\"count\":4,\"hours\":13.3},{\"accelerator\":"         \
    "\"tpu-v3-8\",\"hours\":3.8}]},{\"name\":\"infer\"" rest                                       \
    ",\"any_of\":[{\"accelerator\":\"T4\",\"hours\":1.5},{\"accelerator\":\"Inferentia\","         \
    "\"hours\":1.4}]}],\"edges\":[{\"from\":\"proc\",\"to\":\"train\",\"size_gb\":1},"             \
    "{\"from\":\"train\",\"to\":\"infer\",\"size_gb\":0.4}]}"

static void test_nlp(void **arg)
{
    struct catalog *c = pipeline_catalog();
    struct request *rq;
    struct plan *p = plan_of(c, NLP(""), &rq);

    assert_string_equal(p->task[0].place.cloud, "azure");
    assert_string_equal(p->task[1].place.cloud, "gcp");
    assert_string_equal(p->task[2].place.cloud, "aws");
    assert_true(fabs(usd(p->cost) - 33.4) < 0.2);
    assert_true(fabs(p->finish_hours - 5.8) < 0.05);
    assert_true(fabs(usd(p->task[1].transfer_in + p->task[2].transfer_in) - 0.1) < 0.05);
    plan_destroy(p);
    request_destroy(rq);
    p = plan_of(c, NLP(",\"clouds\":[\"azure\"]"), &rq);
    assert_true(fabs(usd(p->cost) - 165) < 0.5);
    assert_true(fabs(p->finish_hours - 15.4) < 0.05);
    plan_destroy(p);
    request_destroy(rq);
    catalog_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vision),
        cmocka_unit_test(test_nlp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
