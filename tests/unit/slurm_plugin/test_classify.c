// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of the plugin's decision: a table of jobs against one small site. The site owns
// partition main (default: 2 nodes with 2 CPUs, 4000 MB and 2 a100 each) and partition big (1 node
// with 64 CPUs, 512000 MB); it rents a100x2, h100x1 and cpu4 nodes at aws, and h100x8 at gcp.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slurm_plugin/classify.h"

#define NOW INT64_C(1795000000)
#define USD INT64_C(1000000)
#define ALICE 1001
#define DENIED 1002
#define OPERATOR 1003

static struct snapshot snap;
static struct snapshot_body *s = &snap.body;

static void partition(const char *name, bool is_default, bool elastic)
{
    struct snapshot_partition *p = &s->partition[s->n_partitions++];

    snapshot_set(p->name, sizeof(p->name), name);
    p->is_default = is_default;
    p->elastic = elastic;
    p->max_nodes = p->max_minutes = UINT32_MAX;
}

static void kind(uint32_t part, uint32_t nodes, uint32_t cpus, uint64_t mem, const char *gpu,
                 uint32_t gpus)
{
    struct snapshot_kind *k = &s->kind[s->n_kinds++];

    *k = (struct snapshot_kind){
        .partition = part, .nodes = nodes, .cpus = cpus, .memory_mib = mem, .n_gpus = gpu != NULL};
    if (gpu) {
        snapshot_set(k->gpu[0].type, SNAPSHOT_GPU, gpu);
        k->gpu[0].count = gpus;
    }
}

static void shape(uint32_t part, const char *cloud, const char *gpu, uint32_t gpus, uint32_t cpus,
                  money_t spot, money_t od)
{
    struct snapshot_shape *h = &s->shape[s->n_shapes++];

    *h = (struct snapshot_shape){.partition = part,
                                 .nodes = 4,
                                 .cpus = cpus,
                                 .memory_mib = 8000,
                                 .gpus = gpus,
                                 .price_spot = spot,
                                 .price_on_demand = od};
    snapshot_set(h->gpu_type, SNAPSHOT_GPU, gpu);
    snapshot_set(h->cloud, SNAPSHOT_CLOUD, cloud);
}

static int site(void **state)
{
    snapshot_init(&snap);
    s->default_auto = 1;
    s->max_nodes = 8;
    s->max_minutes = 10080;
    s->default_runtime_s = 3600;
    s->max_job_cost = 100 * USD;
    s->unlisted_user = SNAPSHOT_USER_ALLOWED;
    s->n_users = 2;
    s->user[0] = (struct snapshot_user){DENIED, 0};
    s->user[1] = (struct snapshot_user){OPERATOR, SNAPSHOT_USER_ALLOWED | SNAPSHOT_USER_OPERATOR};
    s->partitions.n = 2;
    snapshot_set(s->partitions.text[0], SNAPSHOT_NAME, "main");
    snapshot_set(s->partitions.text[1], SNAPSHOT_NAME, "big*");
    s->accounts.n = 1;
    snapshot_set(s->accounts.text[0], SNAPSHOT_NAME, "*");
    s->deny_accounts.n = 1;
    snapshot_set(s->deny_accounts.text[0], SNAPSHOT_NAME, "course*");
    partition("main", true, false);
    partition("big", false, false);
    partition("private", false, false);
    partition("aws", false, true);
    partition("gcp", false, true);
    kind(0, 2, 2, 4000, "a100", 2);
    kind(1, 1, 64, 512000, NULL, 0);
    kind(2, 1, 2, 4000, NULL, 0);
    shape(3, "aws", "a100", 2, 4, 2 * USD, 5 * USD);
    shape(3, "aws", "h100", 1, 4, 3 * USD, 8 * USD);
    shape(3, "aws", "", 0, 4, USD / 10, USD / 4);
    shape(4, "gcp", "h100", 8, 64, MONEY_UNKNOWN, 50 * USD);
    s->n_aliases = 1;
    snapshot_set(s->alias[0].name, SNAPSHOT_GPU, "A100-80GB");
    snapshot_set(s->alias[0].gpu_type, SNAPSHOT_GPU, "a100");
    return 0;
}

static struct directive d;
static struct decision out;
static burst_error_t err;

// Options as the user writes them: "burst=only burst-max-cost=5".
static void options(const char *text)
{
    char buf[256], *save = NULL;

    memset(&d, 0, sizeof(d));
    snprintf(buf, sizeof(buf), "%s", text ? text : "");
    for (char *p = strtok_r(buf, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(p, '=');
        *eq = '\0';
        assert_int_equal(directive_set(&d, p, eq + 1, NOW, &err), 0);
    }
}

struct row {
    const char *what;
    const char *options;
    struct job_request j;
    enum verdict verdict;
    const char *partition; // NULL: not looked at
    const char *sentence;  // whole
};

#define BATCH(u) .uid = (u), .batch = true, .min_cpus = 1
#define JOB BATCH(ALICE)
#define H100 .tres_per_node = "gres:gpu:h100:1"
#define WAITS "the job waits for a rented node (see: burst why JOBID)"

static const struct row table[] = {
    // -- plain jobs
    {"plain", NULL, {JOB}, VERDICT_ELIGIBLE, "", ""},
    {"one GPU", NULL, {JOB, .tres_per_job = "gres:gpu:1"}, VERDICT_ELIGIBLE, "", ""},
    {"named partition", NULL, {JOB, .partition = "big"}, VERDICT_ELIGIBLE, "", ""},
    {"several partitions", NULL, {JOB, .partition = "private,main"}, VERDICT_ELIGIBLE, "", ""},
    {"array and user hold", NULL, {JOB, .held = true}, VERDICT_ELIGIBLE, "", ""},
    {"explicit auto", "burst=auto", {JOB}, VERDICT_ELIGIBLE, "", ""},
    {"never", "burst=never", {JOB}, VERDICT_ALONE, "", ""},
    {"never, impossible", "burst=never", {JOB, H100}, VERDICT_ALONE, "", ""},
    // -- the site's own nodes can never run it
    {"GPU type not owned",
     NULL,
     {JOB, H100},
     VERDICT_HOLD,
     "aws",
     "burst: no node here has gpu:h100; " WAITS},
    {"more GPUs a node than owned: only gcp has 8",
     NULL,
     {JOB, .tres_per_node = "gres/gpu:h100=4"},
     VERDICT_HOLD,
     "gcp",
     "burst: no node here has gpu:h100; " WAITS},
    {"more GPUs a node than owned, no type",
     NULL,
     {JOB, .tres_per_node = "gres:gpu:3"},
     VERDICT_HOLD,
     "gcp",
     "burst: no node here has 3 of gpu; " WAITS},
    {"more nodes than there are",
     NULL,
     {JOB, .min_nodes = 3, .tres_per_node = "gres:gpu:a100:1"},
     VERDICT_HOLD,
     "aws",
     "burst: the nodes here are too few or too small for it; " WAITS},
    {"more GPUs than there are",
     NULL,
     {JOB, .tres_per_job = "gres:gpu:a100:5"},
     VERDICT_HOLD,
     "aws",
     "burst: the nodes here are too few or too small for it; " WAITS},
    {"more CPUs a node, with a GPU: cheapest is aws h100 (4 CPUs)",
     NULL,
     {JOB, .cpus_per_task = 3, .tres_per_node = "gres:gpu:1"},
     VERDICT_HOLD,
     "aws",
     "burst: the nodes here are too few or too small for it; " WAITS},
    {"not owned, several partitions",
     NULL,
     {JOB, H100, .partition = "main,big"},
     VERDICT_HOLD,
     "aws",
     "burst: no node here has gpu:h100; " WAITS},
    {"not owned, held by the user", NULL, {JOB, H100, .held = true}, VERDICT_HOLD, "aws", NULL},
    {"another partition can run it: Slurm's own message",
     NULL,
     {JOB, .cpus_per_task = 32},
     VERDICT_ALONE,
     "",
     ""},
    {"the same, explicit",
     "burst=auto",
     {JOB, .cpus_per_task = 32},
     VERDICT_ALONE,
     "",
     "burst: the job waits for the cluster's own nodes only: another partition of this cluster can "
     "run it"},
    {"impossible anywhere", NULL, {JOB, .cpus_per_task = 512}, VERDICT_ALONE, "", ""},
    {"impossible anywhere, explicit",
     "burst-market=spot",
     {JOB, .cpus_per_task = 512},
     VERDICT_ALONE,
     "",
     "burst: no node here has 512 CPUs, and no rented node has what it asks for (nodes, CPUs, "
     "memory, GPUs, features, local disk)"},
    {"GPU type nobody has",
     NULL,
     {JOB, .tres_per_node = "gres:gpu:mi300:1"},
     VERDICT_ALONE,
     "",
     ""},
    {"GPU type in capitals",
     NULL,
     {JOB, .tres_per_node = "gres:gpu:H100:1"},
     VERDICT_ALONE,
     "",
     "burst: no node here has gpu:H100, and no rented node has gpu:H100; did you mean gpu:h100?"},
    {"another name of a GPU type",
     NULL,
     {JOB, .tres_per_node = "gres:gpu:a100-80gb:1"},
     VERDICT_ALONE,
     "",
     "burst: no node here has gpu:a100-80gb, and no rented node has gpu:a100-80gb; did you mean "
     "gpu:a100?"},
    {"not owned, cloud that does not have it",
     "burst-clouds=gcp burst-market=spot",
     {JOB, H100},
     VERDICT_ALONE,
     "",
     "burst: no node here has gpu:h100, and no spot node that can run it is for rent at gcp now"},
    {"not owned, cloud chosen", "burst-clouds=gcp", {JOB, H100}, VERDICT_HOLD, "gcp", NULL},
    {"not owned, over its own cap: 3 dollars for the default hour at spot price",
     "burst-max-cost=2.99",
     {JOB, H100},
     VERDICT_ALONE,
     "",
     "burst: no node here has gpu:h100, and at the cheapest place (aws) it would cost $3.00, more "
     "than its --burst-max-cost of $2.99"},
    {"not owned, exactly its cap", "burst-max-cost=3", {JOB, H100}, VERDICT_HOLD, "aws", NULL},
    // -- only
    {"only", "burst=only", {JOB}, VERDICT_HOLD, "aws", "burst: " WAITS},
    {"only at gcp", "burst=only burst-clouds=gcp", {JOB}, VERDICT_HOLD, "gcp", "burst: " WAITS},
    {"only, impossible",
     "burst=only",
     {JOB, .tres_per_node = "gres:gpu:mi300:1"},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but no rented node has what it asks for "
     "(gpu:mi300, nodes, CPUs, memory)"},
    {"only, on a market that nobody offers",
     "burst=only burst-clouds=gcp burst-market=spot",
     {JOB, H100},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but no spot node that can run it is for rent "
     "at "
     "gcp now"},
    {"only, 2 nodes x 8 dollars x 3 hours = 48",
     "burst=only burst-market=on-demand burst-max-cost=47.99",
     {JOB, H100, .min_nodes = 2, .minutes = 180},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but at the cheapest place (aws) it would cost "
     "$48.00, more than its --burst-max-cost of $47.99"},
    {"only, runtime instead of the time limit: 2 x 8 x 1 = 16",
     "burst=only burst-market=on-demand burst-max-cost=16 burst-runtime=60",
     {JOB, H100, .min_nodes = 2, .minutes = 180},
     VERDICT_HOLD,
     "aws",
     "burst: " WAITS},
    {"only, over the site's cap: 8 GPUs at gcp, 3 hours x 50",
     "burst=only",
     {JOB, .tres_per_node = "gres:gpu:8", .minutes = 180},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but at the cheapest place (gcp) it would cost "
     "$150.00, more than the limit of $100.00"},
    {"only, without end",
     "burst=only",
     {JOB, .minutes = UINT32_MAX},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but it has no time limit and this site rents "
     "for 10080 minutes at most"},
    {"unknown cloud",
     "burst-clouds=aws,azure",
     {JOB},
     VERDICT_REJECT,
     "",
     "burst: --burst-clouds=azure: no cloud of this name here; there is: aws, gcp"},
    // -- rules of the site
    {"user not allowed", NULL, {BATCH(DENIED)}, VERDICT_ALONE, "", ""},
    {"user not allowed, impossible here", NULL, {BATCH(DENIED), H100}, VERDICT_ALONE, "", ""},
    {"user not allowed, explicit",
     "burst=auto",
     {BATCH(DENIED)},
     VERDICT_ALONE,
     "",
     "burst: the job waits for the cluster's own nodes only: this site does not let you use rented "
     "nodes"},
    {"user not allowed, only",
     "burst=only",
     {BATCH(DENIED)},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but this site does not let you use rented "
     "nodes"},
    {"root", NULL, {BATCH(0)}, VERDICT_ALONE, "", ""},
    {"account denied", NULL, {JOB, .account = "course101"}, VERDICT_ALONE, "", ""},
    {"account denied, only",
     "burst=only",
     {JOB, .account = "course101"},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but this site does not let account course101 "
     "use rented nodes"},
    {"account allowed", NULL, {JOB, .account = "physics"}, VERDICT_ELIGIBLE, "", ""},
    {"partition that keeps its jobs", NULL, {JOB, .partition = "private"}, VERDICT_ALONE, "", ""},
    {"partition that keeps its jobs, only",
     "burst=only",
     {JOB, .partition = "private"},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but jobs of partition private do not leave "
     "this cluster"},
    {"partition nobody knows", NULL, {JOB, .partition = "nowhere"}, VERDICT_ALONE, "", ""},
    {"partition nobody knows, only",
     "burst=only",
     {JOB, .partition = "no\nwhere"},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but partition no?where is not known to burstd"},
    {"salloc", NULL, {.uid = ALICE}, VERDICT_ALONE, "", ""},
    {"salloc, only",
     "burst=only",
     {.uid = ALICE},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but here only batch jobs (sbatch) use rented "
     "nodes"},
    {"at once, only",
     "burst=only",
     {JOB, .immediate = true},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but rented nodes take minutes and the job "
     "wants "
     "to start at once (-I)"},
    {"reservation", NULL, {JOB, .special = "a reservation"}, VERDICT_ALONE, "", ""},
    {"reservation, only",
     "burst=only",
     {JOB, .special = "a reservation"},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but it asks for a reservation, which rented "
     "nodes do not have"},
    {"other GRES", NULL, {JOB, .tres_per_node = "gres:fpga:1"}, VERDICT_ALONE, "", ""},
    {"other GRES, only",
     "burst=only",
     {JOB, .tres_per_node = "gres:fpga:1"},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but it asks for the resource gres:fpga:1, "
     "which "
     "rented nodes do not have"},
    {"too many nodes",
     "burst=only",
     {JOB, .min_nodes = 9},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but it asks for 9 nodes and this site rents 8 "
     "a "
     "job"},
    {"too long",
     "burst=only",
     {JOB, .minutes = 10081},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but its time limit is 10081 minutes and this "
     "site rents for 10080 at most"},
    {"too long, not explicit", NULL, {JOB, .minutes = 10081}, VERDICT_ALONE, "", ""},
    // -- het jobs
    {"het", NULL, {JOB, .het = true}, VERDICT_ALONE, "", ""},
    {"het, never", "burst=never", {JOB, .het = true}, VERDICT_ALONE, "", ""},
    {"het, explicit",
     "burst=auto",
     {JOB, .het = true},
     VERDICT_REJECT,
     "",
     "burst: a heterogeneous job (several components with ':') cannot run on rented nodes; leave "
     "out the --burst options"},
    // -- straight to an elastic partition
    {"user, elastic partition",
     NULL,
     {JOB, .partition = "gcp"},
     VERDICT_HOLD,
     "gcp",
     "burst: " WAITS},
    {"user, two elastic partitions",
     NULL,
     {JOB, .partition = "gcp,aws"},
     VERDICT_HOLD,
     "aws",
     NULL},
    {"user, elastic and own",
     NULL,
     {JOB, .partition = "main,aws"},
     VERDICT_REJECT,
     "",
     "burst: rented partitions cannot be mixed with others in one list; name the cluster's own "
     "only, jobs are moved when it helps"},
    {"user, elastic and never",
     "burst=never",
     {JOB, .partition = "aws"},
     VERDICT_REJECT,
     "",
     "burst: --burst=never and partition aws (rented nodes) contradict each other"},
    {"user, elastic, het",
     NULL,
     {JOB, .het = true, .partition = "aws"},
     VERDICT_REJECT,
     "",
     "burst: a heterogeneous job (several components with ':') cannot run on rented nodes; leave "
     "out partition aws"},
    {"user, elastic, cannot run there",
     NULL,
     {JOB, .partition = "gcp", .tres_per_node = "gres:gpu:a100:1"},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but no rented node has what it asks for "
     "(gpu:a100, nodes, CPUs, memory)"},
    {"user not allowed, elastic",
     NULL,
     {BATCH(DENIED), .partition = "aws"},
     VERDICT_REJECT,
     "",
     "burst: this job may run on rented nodes only, but this site does not let you use rented "
     "nodes"},
    {"SlurmUser, elastic",
     NULL,
     {JOB, .privileged = true, .partition = "aws"},
     VERDICT_ALONE,
     "",
     ""},
    {"operator, elastic", NULL, {BATCH(OPERATOR), .partition = "aws"}, VERDICT_ALONE, "", ""},
    {"operator, elastic, explicit",
     "burst-max-cost=1",
     {BATCH(OPERATOR), .partition = "aws"},
     VERDICT_HOLD,
     "aws",
     "burst: " WAITS},
};

static void check(const struct row *r, enum snapshot_age age)
{
    options(r->options);
    classify(s, age, &r->j, &d, &out);
    if (out.verdict != r->verdict || (r->partition && strcmp(out.partition, r->partition) != 0) ||
        (r->sentence && strcmp(out.sentence, r->sentence) != 0))
        fail_msg("%s: verdict %d, partition \"%s\", \"%s\"", r->what, (int)out.verdict,
                 out.partition, out.sentence);
    enum directive_class want = r->verdict == VERDICT_ELIGIBLE ? DIRECTIVE_ELIGIBLE
                                : r->verdict == VERDICT_HOLD   ? DIRECTIVE_HELD
                                                               : DIRECTIVE_UNMARKED;
    assert_int_equal(d.cls, want);
}

static void whole_table(void **state)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        check(&table[i], SNAPSHOT_FRESH);
}

// With burstd dead nothing changes for anybody who asks for nothing; who insists hears of it.
static void without_burstd(void **state)
{
    static const struct row rows[] = {
        {"plain", NULL, {JOB}, VERDICT_ALONE, "", ""},
        {"het", NULL, {JOB, .het = true}, VERDICT_ALONE, "", ""},
        {"never", "burst=never", {JOB}, VERDICT_ALONE, "", ""},
        {"auto",
         "burst=auto",
         {JOB},
         VERDICT_ALONE,
         "",
         "burst: the job waits for the cluster's own nodes only: burstd is not running now"},
        {"only",
         "burst=only",
         {JOB},
         VERDICT_REJECT,
         "",
         "burst: this job may run on rented nodes only, but burstd is not running now"},
    };
    static const struct row elastic = {
        "elastic partition, old snapshot",
        NULL,
        {JOB, .partition = "aws"},
        VERDICT_REJECT,
        "",
        "burst: burstd is not running now, so nobody rents nodes for partition aws"};
    // Slurm refuses the job, in its own words; ours say what is wrong today.
    static const struct row impossible[] = {
        {"impossible here, no snapshot", NULL, {JOB, H100}, VERDICT_ALONE, "", ""},
        {"impossible here, old snapshot",
         NULL,
         {JOB, H100},
         VERDICT_ALONE,
         "",
         "burst: no node here has gpu:h100, and burstd, which would rent one, is not running now"},
    };
    struct snapshot_body *body = s;

    for (int old = 0; old < 2; old++) {
        s = old ? body : NULL;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            check(&rows[i], SNAPSHOT_OLD);
        check(&impossible[old], SNAPSHOT_OLD);
    }
    check(&elastic, SNAPSHOT_OLD);
    assert_false(classify_names_elastic(NULL, "aws"));
    assert_true(classify_names_elastic(s, "aws"));
    assert_true(classify_names_elastic(s, "main,,aws"));
    assert_false(classify_names_elastic(s, "main"));
    assert_false(classify_names_elastic(s, ""));
    assert_false(classify_names_elastic(s, NULL));
}

// burstd restarts, or is very busy: jobs are taken by what it last said that exists, at whatever
// price; the rules hold.
static void while_burstd_restarts(void **state)
{
#define WAITS_MORE                                                                                 \
    "burstd is not running just now; the job waits until it is back and has rented a node"
    static const struct row rows[] = {
        {"plain", NULL, {JOB}, VERDICT_ELIGIBLE, "", ""},
        {"impossible here",
         NULL,
         {JOB, H100},
         VERDICT_HOLD,
         "aws",
         "burst: no node here has gpu:h100; " WAITS_MORE},
        {"only", "burst=only", {JOB}, VERDICT_HOLD, NULL, "burst: " WAITS_MORE},
        {"prices are of before", "burst=only burst-max-cost=0.01", {JOB}, VERDICT_HOLD, NULL, NULL},
        {"elastic", NULL, {JOB, .partition = "aws"}, VERDICT_HOLD, "aws", "burst: " WAITS_MORE},
        {"never", "burst=never", {JOB}, VERDICT_ALONE, "", ""},
        {"not his",
         "burst=only",
         {BATCH(DENIED)},
         VERDICT_REJECT,
         "",
         "burst: this job may run on rented nodes only, but this site does not let you use rented "
         "nodes"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check(&rows[i], SNAPSHOT_RECENT);
}

// burstd has just been started and has seen no prices yet.
static void before_prices_are_known(void **state)
{
    struct row held = {"h100", NULL, {JOB, H100}, VERDICT_HOLD, "aws", NULL};
    struct row dear = {
        "with a limit", "burst-max-cost=0.01", {JOB, H100}, VERDICT_HOLD, "aws", NULL};

    for (uint32_t k = 0; k < s->n_shapes; k++)
        s->shape[k].price_spot = s->shape[k].price_on_demand = MONEY_UNKNOWN;
    check(&held, SNAPSHOT_FRESH);
    check(&dear, SNAPSHOT_FRESH);
}

static void site_that_bursts_on_demand_only(void **state)
{
    s->default_auto = 0;
    const struct row rows[] = {
        {"plain", NULL, {JOB}, VERDICT_ALONE, "", ""},
        {"impossible here", NULL, {JOB, H100}, VERDICT_ALONE, "", ""},
        {"any option is enough", "burst-max-cost=5", {JOB}, VERDICT_ELIGIBLE, "", ""},
        {"auto", "burst=auto", {JOB, H100}, VERDICT_HOLD, "aws", NULL},
        {"elastic", NULL, {JOB, .partition = "aws"}, VERDICT_HOLD, "aws", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check(&rows[i], SNAPSHOT_FRESH);
}

static void what_the_mark_says(void **state)
{
    struct row r = {"default partition", NULL, {JOB}, VERDICT_ELIGIBLE, "", ""};
    char mark[DIRECTIVE_MARK_MAX], longer[600];

    check(&r, SNAPSHOT_FRESH);
    assert_true(directive_to_mark(&d, mark, sizeof(mark)) > 0);
    assert_string_equal(mark, "burst:1 eligible part=main");

    r = (struct row){"user's hold",
                     "burst-max-cost=9",
                     {JOB, H100, .held = true, .partition = "main,big"},
                     VERDICT_HOLD,
                     "aws",
                     NULL};
    check(&r, SNAPSHOT_FRESH);
    assert_true(directive_to_mark(&d, mark, sizeof(mark)) > 0);
    assert_string_equal(mark, "burst:1 held max_cost=9000000 hold=user part=main,big");

    r = (struct row){"elastic", NULL, {JOB, .partition = "aws"}, VERDICT_HOLD, "aws", NULL};
    check(&r, SNAPSHOT_FRESH);
    assert_true(directive_to_mark(&d, mark, sizeof(mark)) > 0);
    assert_string_equal(mark, "burst:1 held mode=only clouds=aws part=aws");

    r = (struct row){"both", "burst-clouds=gcp", {JOB, .partition = "aws,gcp"}, VERDICT_HOLD, "gcp",
                     NULL};
    check(&r, SNAPSHOT_FRESH);
    assert_string_equal(d.clouds, "gcp");
    r = (struct row){"both", NULL, {JOB, .partition = "aws,gcp"}, VERDICT_HOLD, "aws", NULL};
    check(&r, SNAPSHOT_FRESH);
    assert_string_equal(d.clouds, "aws,gcp");

    // A list of partitions longer than the field is cut between names.
    snprintf(longer, sizeof(longer), "main");
    while (strlen(longer) < 500)
        snprintf(longer + strlen(longer), sizeof(longer) - strlen(longer), ",big");
    r = (struct row){"long list", NULL, {JOB, .partition = longer}, VERDICT_ELIGIBLE, "", ""};
    check(&r, SNAPSHOT_FRESH);
    assert_true(strlen(d.part) > 200 && strlen(d.part) < sizeof(d.part));
    assert_memory_equal(d.part, longer, strlen(d.part));
    assert_int_equal(longer[strlen(d.part)], ',');
}

// Nothing is concluded from lists that burstd could not fit into the snapshot.
static void cut_lists(void **state)
{
    s->cut = SNAPSHOT_CUT_LOCAL;
    struct row r = {"unknown nodes", NULL, {JOB, H100}, VERDICT_ALONE, "", ""};
    check(&r, SNAPSHOT_FRESH);
    s->cut = SNAPSHOT_CUT_USERS | SNAPSHOT_CUT_PATTERNS;
    r = (struct row){"user",           NULL, {BATCH(DENIED), .partition = "private"},
                     VERDICT_ELIGIBLE, "",   ""};
    check(&r, SNAPSHOT_FRESH);
    s->cut = SNAPSHOT_CUT_SHAPES;
    r = (struct row){"cloud", "burst-clouds=azure", {JOB}, VERDICT_ELIGIBLE, "", ""};
    check(&r, SNAPSHOT_FRESH);
}

static void interactive_where_allowed(void **state)
{
    s->interactive = 1;
    struct row r = {"salloc", NULL, {.uid = ALICE}, VERDICT_ELIGIBLE, "", ""};
    check(&r, SNAPSHOT_FRESH);
    r = (struct row){"salloc -I", NULL, {.uid = ALICE, .immediate = true}, VERDICT_ALONE, "", ""};
    check(&r, SNAPSHOT_FRESH);
    r = (struct row){"salloc", NULL, {.uid = ALICE, H100}, VERDICT_HOLD, "aws", NULL};
    check(&r, SNAPSHOT_FRESH);
}

// A job without an end is estimated by the site's default: one hour at 3 dollars.
static void without_time_limit(void **state)
{
    s->max_minutes = UINT32_MAX;
    struct row r = {"no limit",
                    "burst=only burst-max-cost=3",
                    {JOB, H100, .minutes = UINT32_MAX},
                    VERDICT_HOLD,
                    "aws",
                    NULL};
    check(&r, SNAPSHOT_FRESH);
    r.options = "burst=only burst-max-cost=2.99";
    r.verdict = VERDICT_REJECT;
    r.partition = "";
    check(&r, SNAPSHOT_FRESH);
    r.options = "burst=only burst-max-cost=5.99 burst-runtime=2:00:00";
    check(&r, SNAPSHOT_FRESH);
    s->shape[1].price_spot = INT64_MAX - 1; // no overflow into a low cost
    s->shape[1].price_on_demand = MONEY_UNKNOWN;
    s->shape[3].price_on_demand = INT64_MAX - 1;
    r.options = "burst=only burst-runtime=3650-0";
    check(&r, SNAPSHOT_FRESH);
}

static void no_default_partition_and_empty_site(void **state)
{
    s->partition[0].is_default = 0;
    struct row r = {"plain", NULL, {JOB}, VERDICT_ALONE, "", ""};
    check(&r, SNAPSHOT_FRESH);
    r = (struct row){"only",
                     "burst=only",
                     {JOB},
                     VERDICT_REJECT,
                     "",
                     "burst: this job may run on rented nodes only, but the cluster has no default "
                     "partition; name one with -p"};
    check(&r, SNAPSHOT_FRESH);
    snapshot_init(&snap);
    r = (struct row){"plain", "burst-max-cost=1", {JOB}, VERDICT_ALONE, "", NULL};
    check(&r, SNAPSHOT_FRESH);
}

// Slurm takes a name many times in a list, so that an elastic one may stand far behind.
static void partition_lists_of_any_length(void **state)
{
    struct job_request j = {JOB};
    char *list = calloc(1, 100000);

    for (int k = 0; k < 5000; k++)
        strcpy(list + 5 * k, "main,");
    j.partition = list;
    options(NULL);
    classify(s, SNAPSHOT_FRESH, &j, &d, &out);
    assert_int_equal(out.verdict, VERDICT_ELIGIBLE);
    assert_false(classify_names_elastic(s, list));
    strcat(list, "aws");
    options(NULL);
    classify(s, SNAPSHOT_FRESH, &j, &d, &out);
    assert_int_equal(out.verdict, VERDICT_REJECT);
    assert_non_null(strstr(out.sentence, "cannot be mixed"));
    assert_true(classify_names_elastic(s, list));
    // More partitions than a snapshot has: each name that it knows counts.
    for (int k = 0; s->n_partitions < SNAPSHOT_PARTITIONS; k++) {
        char name[16];
        snprintf(name, sizeof(name), "p%d", k);
        partition(name, false, false);
    }
    list[0] = '\0';
    for (uint32_t k = 0; k < s->n_partitions; k++)
        if (!s->partition[k].elastic) {
            strcat(list, s->partition[k].name);
            strcat(list, ",");
        }
    assert_false(classify_names_elastic(s, list));
    strcat(list, "gcp");
    assert_true(classify_names_elastic(s, list));
    free(list);
}

static void lists_without_a_snapshot(void **state)
{
    assert_true(classify_listed("main,aws", "gcp,aws"));
    assert_false(classify_listed("main,aws2", "gcp,aws"));
    assert_false(classify_listed("aw", "gcp,aws"));
    assert_false(classify_listed("", "aws"));
    assert_false(classify_listed(NULL, "aws"));
    assert_false(classify_listed("aws", ""));
    assert_false(classify_listed(",,", "aws,,"));
}

// What the user wrote goes back to a terminal.
static void sentences_are_printable(void **state)
{
    struct job_request j = {JOB, .tres_per_node = "gres:gpu:h\033[2J\x9b:1"};

    options("burst=only");
    classify(s, SNAPSHOT_FRESH, &j, &d, &out);
    assert_int_equal(out.verdict, VERDICT_REJECT);
    for (const char *p = out.sentence; *p; p++)
        assert_true(*p >= ' ' && *p <= '~');
    options(NULL);
    j.tres_per_node = "gres:gpu:\033A100:1";
    classify(s, SNAPSHOT_FRESH, &j, &d, &out);
    for (const char *p = out.sentence; *p; p++)
        assert_true(*p >= ' ' && *p <= '~');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(whole_table, site),
        cmocka_unit_test_setup(without_burstd, site),
        cmocka_unit_test_setup(while_burstd_restarts, site),
        cmocka_unit_test_setup(before_prices_are_known, site),
        cmocka_unit_test_setup(site_that_bursts_on_demand_only, site),
        cmocka_unit_test_setup(what_the_mark_says, site),
        cmocka_unit_test_setup(cut_lists, site),
        cmocka_unit_test_setup(interactive_where_allowed, site),
        cmocka_unit_test_setup(partition_lists_of_any_length, site),
        cmocka_unit_test_setup(lists_without_a_snapshot, site),
        cmocka_unit_test_setup(sentences_are_printable, site),
        cmocka_unit_test_setup(without_time_limit, site),
        cmocka_unit_test_setup(no_default_partition_and_empty_site, site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
