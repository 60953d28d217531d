// SPDX-License-Identifier: GPL-3.0-or-later
// Two published pipelines and a published spot job as plan requests, with their printed figures:
// "Sky Computing with Intercloud Brokers" (dissertation, 2024), sections 4.2.1.1 to 4.2.1.3, 4.2.4.
//
// Printed figures are held to their last digit (57 means 56.5 to 57.5). Prices are those of the
// machines at that time: V100 3.06 and 4 V100 12.24 USD/h (printed for the former), TPU v3-8 with
// its host 8.38, Inferentia 0.362, T4 0.73 and 0.752. Hours that are not printed were chosen inside
// what the printed figures leave; each place says so, and what contradicts itself in print is named
// beside the test that leaves it out. The summary is in docs/design/optimizer.md.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "optimizer/plan.h"

#define HEADER                                                                                     \
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"       \
    "Region,AvailabilityZone\n"

// AWS charges 0.09 USD per GiB (the printed 13 USD for 150 GB), Google 0.12, Azure 0.0875.
#define EGRESS                                                                                     \
    "SrcCloud,SrcRegion,DstCloud,DstRegion,UpToGB,USDPerGB\n"                                      \
    "aws,*,aws,*,,0.02\naws,*,*,*,,0.083819\n"                                                     \
    "gcp,*,gcp,*,,0.01\ngcp,*,*,*,,0.12\n"                                                         \
    "azure,*,azure,*,,0.02\nazure,*,*,*,,0.0875\n"

static void assert_printed_at(double value, const char *printed, int line)
{
    const char *dot = strchr(printed, '.');
    double half = 0.5 * pow(10, dot ? -(double)strlen(dot + 1) : 0);

    if (!(fabs(value - strtod(printed, NULL)) <= half + 1e-9))
        fail_msg("line %d: printed %s, found %.4f", line, printed, value);
}
#define assert_printed(value, printed) assert_printed_at(value, printed, __LINE__)

// --- catalogs ---

// An instance type in that many zones, the first one the cheapest (printed: prices of zones differ
// by 1.1 to 1.7 times).
static void offer(struct strbuf *b, const char *type, const char *accelerator, int count,
                  double price, const char *const *regions, int zones)
{
    for (int i = 0; i < zones; i++)
        strbuf_addf(b, "%s,%s,%d,8,32,,%.6f,,%s,%s%c\n", type, accelerator, count,
                    price * (1 + 0.02 * i), regions[i / 10], regions[i / 10], 'a' + i % 10);
}

// The size that is printed: 2,170 assignments = 2 x 5 x 7 x 31. A split that fits all that is
// printed: 3 zones with TPUs in the USA (4 in the world), 28 with a V100, 67 with a T4 or
// Inferentia: (28 + 3) x (3 + 67). With 8 places for SGX the second pipeline has
// 8 x 31 x 67 = 16,616 ("over 16K"). Which zones offered what is not printed: the split is ours.
static struct catalog *make_catalog(int v100s)
{
    static const char *const aws[] = {"us-east-1", "us-west-2", "us-east-2"};
    static const char *const gcp[] = {"us-central1", "us-west1", "us-east4"};
    static const char *const azure[] = {"eastus", "westus2", "southcentralus"};
    static const char *const names[] = {"aws", "gcp", "azure"};
    struct strbuf b[3];
    burst_error_t err = {""};

    for (int i = 0; i < 3; i++) {
        strbuf_init(&b[i], 1 << 20);
        strbuf_adds(&b[i], HEADER);
    }
    offer(&b[0], v100s == 1 ? "p3.2xlarge" : "p3.8xlarge", "V100", v100s, 3.06 * v100s, aws, 11);
    offer(&b[0], "g4dn.2xlarge", "T4", 1, 0.752, aws, 14);
    offer(&b[0], "inf1.2xlarge", "Inferentia", 1, 0.362, aws, 14);
    offer(&b[1], "n1-standard-8-v100", "V100", v100s, 3.12 * v100s, gcp, 7);
    offer(&b[1], "n1-standard-8-tpu", "tpu-v3-8", 1, 8.38, gcp, 3);
    offer(&b[1], "n1-standard-8-t4", "T4", 1, 0.73, gcp, 25);
    offer(&b[2], v100s == 1 ? "NC6s_v3" : "NC24s_v3", "V100", v100s, 3.06 * v100s, azure, 10);
    offer(&b[2], "NC8as_T4_v3", "T4", 1, 0.752, azure, 14);
    offer(&b[2], "DC8_v2", "SGX", 1, 1.36, azure, 8);
    const char *const csv[] = {b[0].data, b[1].data, b[2].data};
    struct catalog *c = catalog_from_texts(3, names, csv, EGRESS, NULL, NULL, &err);
    if (!c)
        fail_msg("%s", err.text);
    for (int i = 0; i < 3; i++)
        strbuf_free(&b[i]);
    return c;
}

struct planned {
    struct request *request;
    struct plan *plan;
};

static struct planned plan_of(const struct catalog *cat, const char *text)
{
    burst_error_t err = {""};
    cJSON *j = json_parse(text, strlen(text), &err);
    struct planned r = {j ? request_parse(j, &err) : NULL, NULL};

    cJSON_Delete(j);
    if (!r.request)
        fail_msg("%s", err.text);
    r.plan = plan_create(cat, r.request, &err);
    if (!r.plan)
        fail_msg("%s", err.text);
    assert_int_equal(r.plan->status, PLAN_OPTIMAL);
    return r;
}

static void planned_free(struct planned *r)
{
    plan_destroy(r->plan);
    request_destroy(r->request);
}

static double usd(int64_t nano)
{
    return (double)nano / 1e9;
}

static double task_usd(const struct plan_task *t)
{
    return usd(t->compute + t->transfer_in + t->transfer_out);
}

static void assert_place(const struct plan *p, size_t task, const char *cloud, const char *region,
                         const char *type)
{
    assert_string_equal(p->task[task].place.cloud, cloud);
    assert_string_equal(p->task[task].place.region, region);
    assert_string_equal(p->task[task].place.instance_type, type);
}

static uint64_t candidates_of(const struct catalog *c, const char *any_of)
{
    char *text = xasprintf("{\"tasks\":[{\"name\":\"t\",\"any_of\":[%s]}]}", any_of);
    struct planned r = plan_of(c, text);
    uint64_t n = r.plan->candidates;

    planned_free(&r);
    free(text);
    return n;
}

// --- vision: train, infer ---

// Two families of figures are printed. The optimizer's estimates divide the work by the hardware's
// TFLOPS (120 and 420 for training; 2.5 h on a TPU and 8.2 h on Inferentia for 10^8 images are 420
// and 128). The results are measured. They do not agree with each other: training on the TPU is
// 420/120 = 3.5 times faster than on a V100 by the estimate (7.9 h, 67 USD) and 5.2 times as
// measured (5.4 h, 44 USD); Inferentia costs 3 USD by the estimate and, by the printed ratios,
// between 5.4 and 5.8 as measured (below). The placements are the same with both.
#define TRAIN_TFLOP "12000960" // 27.78 h x 3600 x 120: the printed 85 USD at 3.06
#define INFER_TFLOP "3780000"  // 2.5 h x 3600 x 420

static const char estimated_train[] =
    "{\"accelerator\":\"V100\",\"hours\":{\"total_tflop\":" TRAIN_TFLOP ",\"tflops\":120}},"
    "{\"accelerator\":\"tpu-v3-8\",\"hours\":{\"total_tflop\":" TRAIN_TFLOP ",\"tflops\":420}}";
// 65 TFLOPS are the T4's data sheet; its estimate is not printed.
static const char estimated_infer[] =
    "{\"accelerator\":\"tpu-v3-8\",\"hours\":{\"total_tflop\":" INFER_TFLOP ",\"tflops\":420}},"
    "{\"accelerator\":\"Inferentia\",\"hours\":{\"total_tflop\":" INFER_TFLOP ",\"tflops\":128}},"
    "{\"accelerator\":\"T4\",\"hours\":{\"total_tflop\":" INFER_TFLOP ",\"tflops\":65}}";

// Training on the TPU: 5.4 h with the copy of 3 minutes, 44 USD at 8.38: 5.305 h leave both true.
static const char measured_train[] = "{\"accelerator\":\"V100\",\"hours\":27.78},"
                                     "{\"accelerator\":\"tpu-v3-8\",\"hours\":5.305}";
// Not printed: hours of inference as measured. With x USD for Inferentia the T4 costs x/0.29 (71 %)
// and takes 1.8 times as long, the TPU a 5.7th of the time. Single clouds come about as the
// cheapest plan of one cloud alone: V100 and Inferentia on AWS, TPU and T4 on Google, V100 and T4
// on Azure. Broker against Google: (57 + x)/(57 + x/0.29) = 0.82 gives x from 5.4 to 5.8; against
// Azure: (57 + x)/(98 + x/0.29) = 0.53 gives 5.4 to 6.8. So x = 5.6 (15.4 h at 0.362) fits all of
// them, and the printed "4 times" of the TPU with it. The estimate's 3 USD would give 11 and 45 %.
static const char measured_infer[] = "{\"accelerator\":\"tpu-v3-8\",\"hours\":2.7},"
                                     "{\"accelerator\":\"Inferentia\",\"hours\":15.4},"
                                     "{\"accelerator\":\"T4\",\"hours\":27.1}";

// 150 GB in "about 3 minutes" are 6.667 Gbit/s.
static char *vision(const char *top, const char *task, double input_gb, const char *train,
                    const char *infer)
{
    return xasprintf(
        "{%s\"transfer_gbit_per_s\":6.667,\"datasets\":[{\"name\":\"imagenet\",\"location\":"
        "\"aws/us-east-1\",\"size_gb\":%g}],\"tasks\":[{\"name\":\"train\",\"any_of\":[%s],"
        "\"inputs\":[{\"dataset\":\"imagenet\"}]%s},{\"name\":\"infer\",\"any_of\":[%s]%s}],"
        "\"edges\":[{\"from\":\"train\",\"to\":\"infer\",\"size_gb\":0.1}]}",
        top, input_gb, train, task, infer, task);
}

static struct planned plan_vision(const struct catalog *c, const char *top, const char *task,
                                  double input_gb, bool estimated)
{
    char *text = vision(top, task, input_gb, estimated ? estimated_train : measured_train,
                        estimated ? estimated_infer : measured_infer);
    struct planned r = plan_of(c, text);

    free(text);
    return r;
}

static void test_vision_results(void **arg)
{
    struct catalog *c = make_catalog(1);
    struct planned r = plan_vision(c, "", "", 150, false);
    const struct plan_task *train = &r.plan->task[0], *infer = &r.plan->task[1];

    assert_place(r.plan, 0, "gcp", "us-central1", "n1-standard-8-tpu");
    assert_place(r.plan, 1, "aws", "us-east-1", "inf1.2xlarge");
    assert_printed(usd(train->compute), "44");
    assert_printed(usd(train->transfer_in), "13");
    assert_printed(task_usd(train), "57");
    assert_printed(train->finish_hours, "5.4");
    assert_printed(60 * (train->finish_hours - train->hours), "3");
    assert_printed(usd(infer->transfer_in), "0.01");
    double x = usd(infer->compute), slow = infer->hours;
    double tpu_usd = task_usd(train), tpu_hours = train->finish_hours;
    planned_free(&r);

    r = plan_vision(c, "", ",\"clouds\":[\"aws\"]", 150, false);
    assert_place(r.plan, 0, "aws", "us-east-1", "p3.2xlarge");
    assert_place(r.plan, 1, "aws", "us-east-1", "inf1.2xlarge");
    assert_printed(task_usd(&r.plan->task[0]), "85");
    assert_printed(r.plan->task[0].finish_hours / tpu_hours, "5.2");
    assert_printed(100 * (1 - tpu_usd / task_usd(&r.plan->task[0])), "33");
    planned_free(&r);

    r = plan_vision(c, "", ",\"clouds\":[\"azure\"]", 150, false);
    assert_place(r.plan, 0, "azure", "eastus", "NC6s_v3");
    assert_printed(usd(r.plan->task[0].compute), "85");
    assert_printed(usd(r.plan->task[0].transfer_in), "13");
    planned_free(&r);

    r = plan_vision(c, "", ",\"clouds\":[\"gcp\"]", 150, false);
    assert_place(r.plan, 1, "gcp", "us-central1", "n1-standard-8-t4");
    assert_printed(r.plan->task[1].hours / slow, "1.8");
    // Printed 71 %. At the list price of the T4 (0.73) and "1.8 times" it is 71.7 at least.
    assert_true(fabs(100 * (1 - x / usd(r.plan->task[1].compute)) - 71) < 1);
    planned_free(&r);
    catalog_destroy(c);
}

static double vision_total(const struct catalog *c, const char *task, bool estimated)
{
    struct planned r = plan_vision(c, "", task, 150, estimated);
    double total = usd(r.plan->cost);

    planned_free(&r);
    return total;
}

static void test_vision_savings(void **arg)
{
    struct catalog *c = make_catalog(1);
    double broker = vision_total(c, "", false), least = 1, most = 0;
    static const char *const only[] = {",\"clouds\":[\"aws\"]", ",\"clouds\":[\"gcp\"]",
                                       ",\"clouds\":[\"azure\"]"};

    for (int i = 0; i < 3; i++) {
        double saving = 1 - broker / vision_total(c, only[i], false);
        least = fmin(least, saving);
        most = fmax(most, saving);
    }
    assert_printed(100 * least, "18");
    assert_printed(100 * most, "47");
    catalog_destroy(c);
}

// The optimizer's own estimates: same places; 8.2 h and 3 USD on Inferentia. For time: training
// unchanged, inference on the TPU (2.5 h, 21 USD).
static void test_vision_estimates(void **arg)
{
    struct catalog *c = make_catalog(1);
    struct planned r = plan_vision(c, "", "", 150, true);

    assert_place(r.plan, 0, "gcp", "us-central1", "n1-standard-8-tpu");
    assert_place(r.plan, 1, "aws", "us-east-1", "inf1.2xlarge");
    assert_printed(r.plan->task[1].hours, "8.2");
    assert_printed(usd(r.plan->task[1].compute), "3");
    planned_free(&r);
    r = plan_vision(c, "", ",\"clouds\":[\"aws\",\"azure\"]", 150, true);
    assert_printed(task_usd(&r.plan->task[0]), "85");
    planned_free(&r);
    r = plan_vision(c, "\"objective\":\"time\",", "", 150, true);
    assert_place(r.plan, 0, "gcp", "us-central1", "n1-standard-8-tpu");
    assert_place(r.plan, 1, "gcp", "us-central1", "n1-standard-8-tpu");
    assert_printed(r.plan->task[1].hours, "2.5");
    assert_printed(usd(r.plan->task[1].compute), "21");
    planned_free(&r);
    catalog_destroy(c);
}

// Printed of the time objective's results: 5.7 times faster than Inferentia for 4 times its cost.
static void test_vision_time_results(void **arg)
{
    struct catalog *c = make_catalog(1);
    struct planned cost = plan_vision(c, "", "", 150, false),
                   r = plan_vision(c, "\"objective\":\"time\",", "", 150, false);

    assert_place(r.plan, 0, "gcp", "us-central1", "n1-standard-8-tpu");
    assert_place(r.plan, 1, "gcp", "us-central1", "n1-standard-8-tpu");
    assert_printed(cost.plan->task[1].hours / r.plan->task[1].hours, "5.7");
    assert_printed(usd(r.plan->task[1].compute) / usd(cost.plan->task[1].compute), "4");
    planned_free(&cost);
    planned_free(&r);
    catalog_destroy(c);
}

// "If we set the input 4x as large, the optimizer decides against transferring the data."
static void test_vision_larger_input(void **arg)
{
    struct catalog *c = make_catalog(1);

    for (int estimated = 0; estimated < 2; estimated++) {
        struct planned r = plan_vision(c, "", "", 600, estimated);
        assert_place(r.plan, 0, "aws", "us-east-1", "p3.2xlarge");
        assert_place(r.plan, 1, "aws", "us-east-1", "inf1.2xlarge");
        assert_true(r.plan->task[0].transfer_in == 0);
        planned_free(&r);
    }
    catalog_destroy(c);
}

// Against 4 V100 on AWS the TPU is 1.5 times faster and 42 % cheaper (and not the V100 42 % dearer:
// they are 72 % dearer then).
static void test_vision_four_v100(void **arg)
{
    struct catalog *c = make_catalog(4);
    const char *any_of = "{\"accelerator\":\"V100\",\"count\":4,\"hours\":8.03},"
                         "{\"accelerator\":\"tpu-v3-8\",\"hours\":5.305}";
    char *free_choice = vision("", "", 150, any_of, measured_infer),
         *aws = vision("", ",\"clouds\":[\"aws\"]", 150, any_of, measured_infer);
    struct planned tpu = plan_of(c, free_choice), v100 = plan_of(c, aws);

    assert_place(tpu.plan, 0, "gcp", "us-central1", "n1-standard-8-tpu");
    assert_place(v100.plan, 0, "aws", "us-east-1", "p3.8xlarge");
    assert_printed(v100.plan->task[0].finish_hours / tpu.plan->task[0].finish_hours, "1.5");
    assert_printed(100 * (1 - task_usd(&tpu.plan->task[0]) / task_usd(&v100.plan->task[0])), "42");
    planned_free(&tpu);
    planned_free(&v100);
    free(free_choice);
    free(aws);
    catalog_destroy(c);
}

static void test_numbers_of_assignments(void **arg)
{
    struct catalog *c = make_catalog(1);
    struct planned r = plan_vision(c, "", "", 150, false);

    assert_int_equal(candidates_of(c, estimated_train) * candidates_of(c, estimated_infer), 2170);
    assert_int_equal(r.plan->candidates, 31 + 70);
    planned_free(&r);
    catalog_destroy(c);
    c = make_catalog(4);
    uint64_t n = candidates_of(c, "{\"accelerator\":\"SGX\"}") *
                 candidates_of(c, "{\"accelerator\":\"V100\",\"count\":4},"
                                  "{\"accelerator\":\"tpu-v3-8\"}") *
                 candidates_of(c, "{\"accelerator\":\"T4\"},{\"accelerator\":\"Inferentia\"}");
    assert_true(n > 16000 && n < 17000);
    catalog_destroy(c);
}

// --- NLP: proc, train, infer ---

// Hours inside the printed ones (3.8, 1.4, 1.5) so that the sums are those printed. The model's
// size is not printed (BERT-base: 110 million weights of 4 bytes). 0.03 h for 1.44 GB is 0.12
// Gbit/s. Left out: -58 % for inference, which is of the rounded dollars (0.5 of 1.2).
#define NLP(rest)                                                                                  \
    "{\"transfer_gbit_per_s\":0.12,"                                                               \
    "\"tasks\":[{\"name\":\"proc\",\"any_of\":[{\"accelerator\":\"SGX\",\"hours\":0.6}]},"         \
    "{\"name\":\"train\"" rest                                                                     \
    ",\"any_of\":[{\"accelerator\":\"V100\",\"count\":4,\"hours\":13.3},"                          \
    "{\"accelerator\":\"tpu-v3-8\",\"hours\":3.805}]},{\"name\":\"infer\"" rest                    \
    ",\"any_of\":[{\"accelerator\":\"T4\",\"hours\":1.53},"                                        \
    "{\"accelerator\":\"Inferentia\",\"hours\":1.417}]}],"                                         \
    "\"edges\":[{\"from\":\"proc\",\"to\":\"train\",\"size_gb\":1},"                               \
    "{\"from\":\"train\",\"to\":\"infer\",\"size_gb\":0.44}]}"

static void test_nlp(void **arg)
{
    struct catalog *c = make_catalog(4);
    struct planned azure = plan_of(c, NLP(",\"clouds\":[\"azure\"]")), r = plan_of(c, NLP(""));
    const struct plan_task *a = azure.plan->task, *t = r.plan->task;

    assert_place(azure.plan, 1, "azure", "eastus", "NC24s_v3");
    assert_place(azure.plan, 2, "azure", "eastus", "NC8as_T4_v3");
    assert_printed(usd(a[0].compute), "0.8");
    assert_printed(usd(a[1].compute), "163");
    assert_printed(usd(a[2].compute), "1.2");
    assert_printed(usd(azure.plan->cost), "165");
    assert_printed(azure.plan->finish_hours, "15.4");

    assert_place(r.plan, 0, "azure", "eastus", "DC8_v2");
    assert_place(r.plan, 1, "gcp", "us-central1", "n1-standard-8-tpu");
    assert_place(r.plan, 2, "aws", "us-east-1", "inf1.2xlarge");
    assert_printed(usd(t[1].compute), "32");
    assert_printed(usd(t[2].compute), "0.5");
    assert_printed(usd(t[1].transfer_in + t[2].transfer_in), "0.1");
    assert_printed(usd(r.plan->cost), "33.4");
    assert_printed(r.plan->finish_hours, "5.8");
    assert_printed(r.plan->finish_hours - t[0].hours - t[1].hours - t[2].hours, "0.03");

    assert_printed(100 * (1 - t[1].hours / a[1].hours), "71");
    assert_printed(100 * (1 - usd(t[1].compute) / usd(a[1].compute)), "80");
    assert_printed(100 * (1 - t[2].hours / a[2].hours), "7");
    assert_printed(100 * (1 - r.plan->finish_hours / azure.plan->finish_hours), "62");
    assert_printed(100 * (1 - usd(r.plan->cost) / usd(azure.plan->cost)), "80");
    planned_free(&azure);
    planned_free(&r);
    catalog_destroy(c);
}

// --- one spot job across clouds ---

// BERT, 30 epochs of 40 minutes on a V100; 0.91 USD/h on the spot market of us-east-1, 3.06 on
// demand. The price in Google's us-central1 is not printed; 18.4 = 20 x 0.91 + 0.2 says the same.
static struct catalog *spot_catalog(void)
{
    static const char *const names[] = {"aws", "gcp"};
    static const char *const csv[] = {
        HEADER "p3.2xlarge,V100,1,8,61,,3.06,0.91,us-east-1,\n"
               "p3.2xlarge,V100,1,8,61,,3.06,0.93,us-west-2,\n",
        HEADER "n1-standard-8-v100,V100,1,8,30,,3.06,0.91,us-central1,us-central1-a\n"};
    burst_error_t err = {""};
    struct catalog *c = catalog_from_texts(2, names, csv, EGRESS, NULL, NULL, &err);

    assert_non_null(c);
    return c;
}

// What is known before the start. Left out: 30 checkpoints of half a minute would make 20.25 h and
// 61.97 USD; the printed 61.2 is 20 h exactly.
static void test_spot_job_before(void **arg)
{
    struct catalog *c = spot_catalog();
    struct planned r = plan_of(c, "{\"tasks\":[{\"name\":\"bert\",\"market\":\"on-demand\","
                                  "\"clouds\":[\"aws\"],\"any_of\":[{\"accelerator\":\"V100\","
                                  "\"hours\":20}]}]}");

    assert_printed(usd(r.plan->cost), "61.2");
    assert_printed(r.plan->finish_hours, "20");
    planned_free(&r);
    r = plan_of(c, "{\"tasks\":[{\"name\":\"bert\",\"clouds\":[\"aws\"],\"any_of\":[{"
                   "\"accelerator\":\"V100\",\"hours\":20}],\"inputs\":[{\"location\":"
                   "\"aws/us-east-1\",\"size_gb\":0.5}]}]}");
    assert_place(r.plan, 0, "aws", "us-east-1", "p3.2xlarge");
    assert_string_equal(r.plan->task[0].place.market, "spot");
    assert_true(fabs(usd(r.plan->cost) - 18.2) < 1e-9); // 20 x 0.91, if nothing happens
    planned_free(&r);
    catalog_destroy(c);
}

// Hour 6, nine epochs done: the instance is taken, AWS has no spot V100 left. Staying means waiting
// for 3 hours (printed). Data and checkpoint are 2 GB: 0.2 USD a move (printed).
static char *after_preemption(const char *top, double waiting_usd_per_hour)
{
    return xasprintf(
        "{%s\"tasks\":[{\"name\":\"bert\",\"any_of\":[{\"accelerator\":\"V100\",\"hours\":14}],"
        "\"inputs\":[{\"location\":\"aws/us-east-1\",\"size_gb\":0.5},{\"location\":"
        "\"aws/us-east-1\",\"size_gb\":1.5}],\"alternatives\":[{\"name\":\"wait\",\"location\":"
        "\"aws/us-east-1\",\"price_usd_per_hour\":0.91,\"wait_hours\":3,\"fixed_usd\":%g,"
        "\"hours\":14}]}],\"blocked\":[{\"cloud\":\"aws\",\"market\":\"spot\"}]}",
        top, 3 * waiting_usd_per_hour);
}

static void test_spot_job_after_preemption(void **arg)
{
    struct catalog *c = spot_catalog();
    char *worth = after_preemption("", 0.1), *free_time = after_preemption("", 0),
         *late = after_preemption("\"time_budget_hours\":15,", 0);
    struct planned r = plan_of(c, worth);

    // An hour of waiting is worth 10 cents: it moves. 6 x 0.91 + 14 x 0.91 + the move.
    assert_place(r.plan, 0, "gcp", "us-central1", "n1-standard-8-v100");
    assert_printed(usd(r.plan->task[0].transfer_in), "0.2");
    assert_printed(6 * 0.91 + usd(r.plan->cost), "18.4");
    // 20 h and the copy; the hour up to the printed 21 (search, start, lost work) is no request's.
    assert_true(fabs(6 + r.plan->finish_hours - 20) < 0.01);
    assert_printed(100 * (1 - (6 * 0.91 + usd(r.plan->cost)) / 61.2), "70");
    planned_free(&r);
    // For nothing but money, waiting is 17 cents cheaper than moving: 18.2, and done 3 hours later.
    r = plan_of(c, free_time);
    assert_string_equal(r.plan->task[0].place.alternative, "wait");
    assert_true(fabs(usd(r.plan->cost) - 14 * 0.91) < 1e-9);
    assert_true(fabs(6 + r.plan->finish_hours - 23) < 1e-9);
    planned_free(&r);
    // With a deadline it cannot wait, and does not go on demand (14 x 3.06) either.
    r = plan_of(c, late);
    assert_place(r.plan, 0, "gcp", "us-central1", "n1-standard-8-v100");
    assert_string_equal(r.plan->task[0].place.market, "spot");
    planned_free(&r);
    free(worth);
    free(free_time);
    free(late);
    catalog_destroy(c);
}

// One region: 21.8 USD are 24 h at 0.91 for 20 h of work: a fifth was done twice. A request says so
// with the preemptions that were seen and the hours that each one costs (0.3 an hour, 40 minutes,
// one epoch, are ours; only their product of 0.2 is printed). Waiting (10 of the 34 hours) was
// free.
static void test_spot_job_in_one_region(void **arg)
{
#define OBSERVED                                                                                   \
    "\"changeover_hours\":0.66,\"observed\":[{\"cloud\":\"aws\",\"region\":\"us-east-1\","         \
    "\"zone\":\"\",\"instance_type\":\"p3.2xlarge\",\"market\":\"spot\","                          \
    "\"preemptions_per_hour\":0.3}],"
#define BERT(clouds)                                                                               \
    "\"tasks\":[{\"name\":\"bert\"," clouds                                                        \
    "\"market\":\"spot\",\"any_of\":[{\"accelerator\":\"V100\","                                   \
    "\"hours\":20}],\"inputs\":[{\"location\":\"aws/us-east-1\",\"size_gb\":0.5}]}]}"
    struct catalog *c = spot_catalog();
    struct planned r =
        plan_of(c, "{" OBSERVED BERT("\"clouds\":[\"aws\"],\"regions\":[\"us-east-1\"],"));

    assert_printed(usd(r.plan->cost), "21.8");
    assert_true(fabs(usd(r.plan->task[0].compute) - 18.2) < 1e-9); // what is paid if all goes well
    planned_free(&r);
    // Free to go anywhere, it starts where spot instances stay: 18.2 and the data's 4 cents.
    r = plan_of(c, "{" OBSERVED BERT(""));
    assert_place(r.plan, 0, "gcp", "us-central1", "n1-standard-8-v100");
    assert_true(fabs(usd(r.plan->cost) - (18.2 + 0.5 * 0.083819)) < 1e-9);
    planned_free(&r);
    catalog_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vision_results),
        cmocka_unit_test(test_vision_savings),
        cmocka_unit_test(test_vision_estimates),
        cmocka_unit_test(test_vision_time_results),
        cmocka_unit_test(test_vision_larger_input),
        cmocka_unit_test(test_vision_four_v100),
        cmocka_unit_test(test_numbers_of_assignments),
        cmocka_unit_test(test_nlp),
        cmocka_unit_test(test_spot_job_before),
        cmocka_unit_test(test_spot_job_after_preemption),
        cmocka_unit_test(test_spot_job_in_one_region),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
