// SPDX-License-Identifier: GPL-3.0-or-later
// Times the optimizer. One JSON object a line: {"bench":...,"value":...,"unit":"ms",...}.
//
// The three DAGs have the sizes of those that the dissertation on intercloud brokers solves with
// CBC (20 tasks and 19 edges in a chain, 42 and 44 fork-join, 38 and 53 layered), hours from
// U(0,1), data from U(0,100) GB, 51 candidates per task over three clouds. The same instances are
// given to glpsol and cbc, where installed (scripts/install-deps --bench), in the textbook
// formulation (one binary per task and candidate, one product per edge and pair), with a time
// limit. When one of them proves another objective (1e-6 relative), that ends with exit status 1.
//
// Large ones use the reference catalog ($BURST_REFERENCE/prices or ../shared/prices), else the
// starter catalog, and say which.
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "optimizer/plan.h"

#define RUNS 5
#define SOLVER_LIMIT_S "60"

extern char **environ;

static uint64_t state = 42;

static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

// --- catalogs ---

// An Intel VM with 8 vCPUs in the United States: list prices on demand by region, and how many
// zones a region has.
static const struct {
    const char *cloud, *type, *region;
    int zones;
    double price;
} vms[] = {{"aws", "m6i.2xlarge", "us-east-1", 6, 0.384},
           {"aws", "m6i.2xlarge", "us-east-2", 3, 0.384},
           {"aws", "m6i.2xlarge", "us-west-1", 2, 0.448},
           {"aws", "m6i.2xlarge", "us-west-2", 4, 0.384},
           {"gcp", "n2-standard-8", "us-central1", 4, 0.388472},
           {"gcp", "n2-standard-8", "us-east1", 3, 0.388472},
           {"gcp", "n2-standard-8", "us-east4", 3, 0.437568},
           {"gcp", "n2-standard-8", "us-west1", 3, 0.388472},
           {"gcp", "n2-standard-8", "us-west2", 3, 0.466592},
           {"gcp", "n2-standard-8", "us-west3", 3, 0.466592},
           {"gcp", "n2-standard-8", "us-west4", 3, 0.437472},
           {"azure", "Standard_D8s_v5", "eastus", 3, 0.384},
           {"azure", "Standard_D8s_v5", "eastus2", 3, 0.384},
           {"azure", "Standard_D8s_v5", "centralus", 3, 0.424},
           {"azure", "Standard_D8s_v5", "southcentralus", 3, 0.46},
           {"azure", "Standard_D8s_v5", "westus2", 2, 0.384}};

static const char *const egress_text =
    "SrcCloud,SrcRegion,DstCloud,DstRegion,UpToGB,USDPerGB\n"
    "aws,*,aws,*,,0.02\naws,*,*,*,10240,0.09\naws,*,*,*,51200,0.085\naws,*,*,*,,0.07\n"
    "gcp,us-*,gcp,us-*,,0.02\ngcp,*,*,*,1024,0.12\ngcp,*,*,*,10240,0.11\ngcp,*,*,*,,0.08\n"
    "azure,*,azure,*,,0.02\nazure,*,*,*,10240,0.087\nazure,*,*,*,,0.083\n";

static struct catalog *dag_catalog(void)
{
    static const char *const clouds[] = {"aws", "gcp", "azure"};
    struct strbuf b[3];
    const char *csv[3];
    burst_error_t err = {""};

    for (int c = 0; c < 3; c++) {
        strbuf_init(&b[c], 1 << 20);
        strbuf_adds(&b[c], "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,"
                           "Price,SpotPrice,Region,AvailabilityZone\n");
        for (size_t i = 0; i < sizeof(vms) / sizeof(*vms); i++)
            for (int z = 0; z < vms[i].zones && strcmp(vms[i].cloud, clouds[c]) == 0; z++)
                strbuf_addf(&b[c], "%s,,,8,32,,%g,,%s,%s-%c\n", vms[i].type, vms[i].price,
                            vms[i].region, vms[i].region, 'a' + z);
        csv[c] = b[c].data;
    }
    struct catalog *cat = catalog_from_texts(3, clouds, csv, egress_text, NULL, NULL, &err);
    for (int c = 0; c < 3; c++)
        strbuf_free(&b[c]);
    return cat;
}

static struct catalog *big_catalog(const char **name)
{
    const char *env = getenv("BURST_REFERENCE"), *src = getenv("srcdir");
    char *paths[3] = {xasprintf("%s/prices", env ? env : "../shared"),
                      xasprintf("%s/../shared/prices", src ? src : "."),
                      xasprintf("%s/catalog/data", src ? src : ".")};
    struct catalog *cat = NULL;

    for (int i = 0; i < 3 && !cat; i++) {
        cat = access(paths[i], R_OK) == 0 ? catalog_load(paths[i], NULL, NULL, NULL) : NULL;
        *name = i < 2 ? "reference" : "starter";
    }
    for (int i = 0; i < 3; i++)
        free(paths[i]);
    return cat;
}

// --- DAGs ---

struct dag {
    const char *name;
    int n, m;
    double hours[64];
    int place; // of the first task's input: makes the instances less alike
    struct {
        int from, to;
        double gb;
    } edge[64];
};

static void edge(struct dag *d, int from, int to)
{
    d->edge[d->m].from = from;
    d->edge[d->m].to = to;
    d->edge[d->m++].gb = uniform() * 100;
}

static void make_chain(struct dag *d)
{
    d->name = "chain";
    d->n = 20;
    for (int i = 0; i + 1 < d->n; i++)
        edge(d, i, i + 1);
}

// Four stages of ten between one start and one end, with a few extra edges: 42 tasks, 44 edges.
static void make_fork_join(struct dag *d)
{
    d->name = "forkjoin";
    d->n = 42;
    for (int branch = 0; branch < 4; branch++) {
        edge(d, 0, 1 + branch * 10);
        for (int i = 0; i < 9; i++)
            edge(d, 1 + branch * 10 + i, 2 + branch * 10 + i);
        edge(d, 10 + branch * 10, 41);
    }
}

static void make_layered(struct dag *d)
{
    d->name = "layered";
    d->n = 38;
    for (int i = 1; i < d->n; i++) { // everyone but the first layer has a parent one layer up
        int layer = i / 6;
        if (layer)
            edge(d, (layer - 1) * 6 + (int)(uniform() * 6), i);
    }
    while (d->m < 53) {
        int a = (int)(uniform() * 32), b = (a / 6 + 1) * 6 + (int)(uniform() * 6);
        bool known = b >= d->n;
        for (int e = 0; e < d->m; e++)
            known = known || (d->edge[e].from == a && d->edge[e].to == b);
        if (!known)
            edge(d, a, b);
    }
}

static char *dag_request(const struct dag *d, const char *top)
{
    struct strbuf b;

    strbuf_init(&b, 1 << 20);
    strbuf_addf(&b, "{%s\"tasks\":[", top);
    for (int i = 0; i < d->n; i++)
        strbuf_addf(&b, "%s{\"name\":\"t%d\",\"any_of\":[{\"vcpus\":8,\"hours\":%.9f}]}",
                    i ? "," : "", i, d->hours[i]);
    strbuf_adds(&b, "],\"edges\":[");
    for (int e = 0; e < d->m; e++)
        strbuf_addf(&b, "%s{\"from\":\"t%d\",\"to\":\"t%d\",\"size_gb\":%.6f}", e ? "," : "",
                    d->edge[e].from, d->edge[e].to, d->edge[e].gb);
    strbuf_adds(&b, "]}");
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}

struct timing {
    double ms;
    struct plan *plan; // of the last run
    struct request *rq;
};

static void run(const struct catalog *cat, const char *text, int runs, struct timing *t)
{
    burst_error_t err = {""};
    cJSON *j = json_parse(text, strlen(text), &err);

    memset(t, 0, sizeof(*t));
    t->rq = j ? request_parse(j, &err) : NULL;
    cJSON_Delete(j);
    if (!t->rq) {
        fprintf(stderr, "bench: %s\n", err.text);
        exit(1);
    }
    t->ms = HUGE_VAL;
    for (int i = 0; i < runs; i++) {
        plan_destroy(t->plan);
        double start = now_ms();
        t->plan = plan_create(cat, t->rq, &err);
        double ms = now_ms() - start;
        t->ms = ms < t->ms ? ms : t->ms;
        if (!t->plan) {
            fprintf(stderr, "bench: %s\n", err.text);
            exit(1);
        }
    }
}

static void done(struct timing *t)
{
    plan_destroy(t->plan);
    request_destroy(t->rq);
}

static void report(const char *name, const struct timing *t, const char *more)
{
    static const char *const status[] = {"optimal", "feasible", "infeasible"};

    printf("{\"bench\":\"plan-%s\",\"value\":%.3f,\"unit\":\"ms\",\"status\":\"%s\",\"gap\":%.6f,"
           "\"cost_usd\":%.9f,\"finish_hours\":%.6f%s}\n",
           name, t->ms, status[t->plan->status], t->plan->gap, (double)t->plan->cost / 1e9,
           t->plan->finish_hours, more);
    fflush(stdout);
}

// --- the textbook formulation for other solvers ---

#define CANDS 64

static int zone_list(int *vm)
{
    int n = 0;

    for (size_t i = 0; i < sizeof(vms) / sizeof(*vms); i++)
        for (int z = 0; z < vms[i].zones; z++)
            vm[n++] = (int)i;
    return n;
}

static double move_cost(int a, int b, double gb)
{
    const char *from = vms[a].cloud, *to = vms[b].cloud;

    if (a == b)
        return 0;
    if (strcmp(from, to) == 0)
        return 0.02 * gb;
    return gb * (*from == 'g' ? 0.12 : strcmp(from, "aws") == 0 ? 0.09 : 0.087); // below all tiers
}

static void write_lp(const struct dag *d, const char *path)
{
    FILE *f = fopen(path, "w");
    int vm[CANDS], n = zone_list(vm);

    if (!f)
        return;
    fprintf(f, "Minimize\n obj: ");
    for (int t = 0; t < d->n; t++)
        for (int i = 0; i < n; i++)
            fprintf(f, "+ %.12g x%d_%d\n", vms[vm[i]].price * d->hours[t], t, i);
    for (int e = 0; e < d->m; e++)
        for (int i = 0; i < n; i++)
            for (int k = 0; k < n; k++)
                fprintf(f, "+ %.12g z%d_%d_%d\n", move_cost(vm[i], vm[k], d->edge[e].gb), e, i, k);
    fprintf(f, "Subject To\n");
    for (int t = 0; t < d->n; t++) {
        for (int i = 0; i < n; i++)
            fprintf(f, " + x%d_%d\n", t, i);
        fprintf(f, " = 1\n");
    }
    for (int e = 0; e < d->m; e++)
        for (int i = 0; i < n; i++)
            for (int k = 0; k < n; k++)
                fprintf(f, " z%d_%d_%d - x%d_%d - x%d_%d >= -1\n", e, i, k, d->edge[e].from, i,
                        d->edge[e].to, k);
    fprintf(f, "Binary\n");
    for (int t = 0; t < d->n; t++)
        for (int i = 0; i < n; i++)
            fprintf(f, " x%d_%d\n", t, i);
    fprintf(f, "End\n");
    fclose(f);
}

// Runs a program with its output in a file. False when it is not installed.
static bool run_program(const char *const *argv, const char *out, double *ms)
{
    posix_spawn_file_actions_t fa;
    double start = now_ms();
    int status;
    pid_t pid;

    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addopen(&fa, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&fa, 1, 2);
    int rc = posix_spawnp(&pid, argv[0], &fa, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    if (rc != 0)
        return false;
    waitpid(pid, &status, 0);
    *ms = now_ms() - start;
    return WIFEXITED(status) && WEXITSTATUS(status) != 127;
}

// The objective in a solver's solution file or output: the number behind a word.
static double number_after(const char *path, const char *word)
{
    char line[512];
    double v = NAN;
    FILE *f = fopen(path, "r");

    while (f && fgets(line, sizeof(line), f)) {
        char *p = strstr(line, word);
        if (p)
            v = strtod(p + strlen(word) + strspn(p + strlen(word), " :="), NULL);
    }
    if (f)
        fclose(f);
    return v;
}

static bool says(const char *path, const char *text)
{
    char line[512];
    bool found = false;
    FILE *f = fopen(path, "r");

    while (f && !found && fgets(line, sizeof(line), f))
        found = strstr(line, text) != NULL;
    if (f)
        fclose(f);
    return found;
}

static bool differs; // a solver proved another objective

struct solver {
    const char *name;
    const char *const *argv;
    const char *objective, *proof; // words before the number; in its output when it has a proof
    const char *answer;            // file with the objective
};

// The same instance in the textbook formulation, from reading the file to the proof (or to the
// time limit). speed: how many times longer that takes than ours.
static void run_solver(const struct solver *s, const struct dag *d, const char *out, double ours,
                       double our_ms)
{
    double ms, objective;

    if (!run_program(s->argv, out, &ms)) {
        printf("{\"bench\":\"%s-%s\",\"skipped\":\"%s is not installed\"}\n", s->name, d->name,
               s->name);
        return;
    }
    objective = number_after(s->answer, s->objective);
    bool proven = says(out, s->proof), equal = fabs(objective - ours) <= 1e-6 * fabs(ours);
    differs = differs || (proven && !equal);
    printf("{\"bench\":\"%s-%s\",\"value\":%.0f,\"unit\":\"ms\",\"objective\":%.9g,\"proven\":%s,"
           "\"equal\":%s,\"speed\":%.0f,\"limit_s\":%s}\n",
           s->name, d->name, ms, objective, proven ? "true" : "false", equal ? "true" : "false",
           ms / our_ms, SOLVER_LIMIT_S);
    fflush(stdout);
}

static void compare(const struct dag *d, const char *dir, double ours, double our_ms)
{
    char *lp = xasprintf("%s/%s.lp", dir, d->name), *out = xasprintf("%s/%s.out", dir, d->name);
    char *sol = xasprintf("%s/%s.sol", dir, d->name);
    const char *glpsol[] = {"glpsol", "--lp", lp, "--tmlim", SOLVER_LIMIT_S, "-o", sol, NULL};
    const char *cbc[] = {"cbc", lp, "sec", SOLVER_LIMIT_S, "solve", NULL};
    const struct solver solvers[] = {
        {"glpsol", glpsol, "obj =", "INTEGER OPTIMAL SOLUTION FOUND", sol},
        {"cbc", cbc, "Objective value:", "Optimal solution found", out}};

    write_lp(d, lp);
    for (size_t i = 0; i < sizeof(solvers) / sizeof(*solvers); i++)
        run_solver(&solvers[i], d, out, ours, our_ms);
    unlink(lp);
    unlink(out);
    unlink(sol);
    free(lp);
    free(out);
    free(sol);
}

static void bench_dags(bool with_others)
{
    static void (*const make[])(struct dag *) = {make_chain, make_fork_join, make_layered};
    struct catalog *cat = dag_catalog();
    char dir[] = "/tmp/burst-bench-XXXXXX", name[64], top[128];

    if (!cat || !mkdtemp(dir))
        exit(1);
    for (int k = 0; k < 3; k++) {
        struct dag d = {0};
        struct timing t;
        make[k](&d);
        for (int i = 0; i < d.n; i++)
            d.hours[i] = uniform();
        char *text = dag_request(&d, "");
        run(cat, text, RUNS, &t);
        double cost = (double)t.plan->cost / 1e9, ms = t.ms;
        snprintf(name, sizeof(name), "%s", d.name);
        report(name, &t, ",\"tasks\":true");
        done(&t);
        free(text);
        text = dag_request(&d, "\"objective\":\"time\",");
        run(cat, text, 1, &t);
        snprintf(name, sizeof(name), "%s-time", d.name);
        report(name, &t, "");
        done(&t);
        free(text);
        snprintf(top, sizeof(top), "\"objective\":\"time\",\"cost_budget_usd\":%.9f,", cost * 1.02);
        text = dag_request(&d, top);
        run(cat, text, 1, &t);
        snprintf(name, sizeof(name), "%s-time-budget", d.name);
        report(name, &t, "");
        done(&t);
        free(text);
        if (with_others)
            compare(&d, dir, cost, ms);
    }
    rmdir(dir);
    catalog_destroy(cat);
}

// --- many jobs ---

static void bench_jobs(const struct catalog *cat, const char *which)
{
    static const char *const acc[] = {"", "T4", "V100", "A100", "L4", "H100", "A10G", "A100-80GB"};
    static const char *const cloud[] = {"aws", "gcp", "azure", "oci", "lambda", "runpod"};
    struct strbuf b;
    struct rusage ru;
    struct timing t;
    char more[128];

    strbuf_init(&b, 64u << 20);
    strbuf_adds(&b, "{\"time_limit_s\":0.9,\"tasks\":[");
    for (int i = 0; i < 10000; i++) {
        int a = (int)(uniform() * 8);
        strbuf_addf(&b, "%s{\"name\":\"j%d\",\"nodes\":%d,\"any_of\":[{", i ? "," : "", i,
                    1 + (int)(uniform() * 4));
        if (a)
            strbuf_addf(&b, "\"accelerator\":\"%s\",\"count\":1,", acc[a]);
        else
            strbuf_addf(&b, "\"vcpus\":%d,", 2 << (int)(uniform() * 5));
        strbuf_addf(&b, "\"hours\":%.3f}]}", 0.1 + 10 * uniform());
    }
    strbuf_adds(&b, "],\"limits\":[");
    for (int i = 0; i < 30; i++)
        strbuf_addf(&b, "%s{\"match\":{\"cloud\":\"%s\",\"market\":\"%s\"%s%s%s},\"max_nodes\":%d}",
                    i ? "," : "", cloud[i % 6], i % 4 == 3 ? "on-demand" : "spot",
                    i >= 12 ? ",\"accelerator\":\"" : "", i >= 12 ? acc[1 + i % 7] : "",
                    i >= 12 ? "\"" : "", 300 + (int)(uniform() * 1500));
    strbuf_adds(&b, "]}");
    run(cat, b.data, 1, &t);
    getrusage(RUSAGE_SELF, &ru);
    snprintf(more, sizeof(more), ",\"catalog\":\"%s\",\"max_rss_mib\":%ld", which,
             ru.ru_maxrss / 1024);
    report("10000-jobs-30-limits", &t, more);
    done(&t);
    strbuf_free(&b);
}

static void bench_datasets(const struct catalog *cat, const char *which)
{
    static const char *const home[] = {"aws/us-east-1", "gcp/us-central1", "azure/eastus",
                                       "aws/eu-west-1"};
    static const char *const acc[] = {"T4", "V100", "A100", "L4"};
    struct strbuf b;
    struct timing t;
    char more[64];

    strbuf_init(&b, 64u << 20);
    strbuf_adds(&b, "{\"time_limit_s\":4.8,\"datasets\":[");
    for (int i = 0; i < 20; i++)
        strbuf_addf(&b, "%s{\"name\":\"d%d\",\"location\":\"%s\",\"size_gb\":%.1f}", i ? "," : "",
                    i, home[i % 4], 20 + 500 * uniform());
    strbuf_adds(&b, "],\"tasks\":[");
    for (int i = 0; i < 1000; i++) {
        strbuf_addf(&b,
                    "%s{\"name\":\"j%d\",\"any_of\":[{\"accelerator\":\"%s\",\"hours\":%.3f}],"
                    "\"inputs\":[{\"dataset\":\"d%d\"}",
                    i ? "," : "", i, acc[(int)(uniform() * 4)], 0.5 + 20 * uniform(), i % 20);
        if (uniform() < 0.3)
            strbuf_addf(&b, ",{\"dataset\":\"d%d\"}", (i * 7 + 3) % 20);
        strbuf_adds(&b, "]}");
    }
    strbuf_adds(&b, "]}");
    run(cat, b.data, 1, &t);
    snprintf(more, sizeof(more), ",\"catalog\":\"%s\"", which);
    report("1000-jobs-20-datasets", &t, more);
    done(&t);
    strbuf_free(&b);
}

static void bench_one(const struct catalog *cat, const char *which)
{
    struct timing t;
    char more[64];

    snprintf(more, sizeof(more), ",\"catalog\":\"%s\"", which);
    run(cat,
        "{\"runners_up\":3,\"tasks\":[{\"name\":\"j\",\"any_of\":[{\"accelerator\":\"A100\","
        "\"count\":1,\"hours\":3}]}]}",
        RUNS, &t);
    report("one-gpu-job", &t, more);
    done(&t);
    run(cat,
        "{\"runners_up\":3,\"tasks\":[{\"name\":\"j\",\"any_of\":[{\"vcpus\":2,\"memory_gib\":4,"
        "\"hours\":3}]}]}",
        RUNS, &t);
    report("one-cpu-job", &t, more);
    done(&t);
}

static void put_offer(struct strbuf *b, const struct catalog *cat, uint32_t index, const char *more)
{
    uint32_t n;
    const struct catalog_offer *o = &catalog_offers(cat, &n)[index];
    const struct catalog_region *r = &catalog_regions(cat, &n)[o->region];
    const char *zone = catalog_str(cat, o->zone), *quote = *zone ? "\"" : "";

    strbuf_addf(b,
                "{\"cloud\":\"%s\",\"region\":\"%s\",\"zone\":%s%s%s,\"instance_type\":\"%s\","
                "\"market\":\"spot\"%s}",
                catalog_str(cat, catalog_clouds(cat, &n)[r->cloud].name), catalog_str(cat, r->name),
                quote, *zone ? zone : "null", quote,
                catalog_str(cat, catalog_types(cat, &n)[o->type].name), more);
}

// The same two jobs as a daemon asks for them: with 200 observed prices and rates, restarts, caps
// of money and blocked places.
static void bench_one_observed(const struct catalog *cat, const char *which)
{
    static const struct {
        const char *name, *need;
    } job[] = {{"one-gpu-job-observed", "\"accelerator\":\"A100\",\"count\":1"},
               {"one-cpu-job-observed", "\"vcpus\":2,\"memory_gib\":4"}};
    struct strbuf b;
    struct timing t;
    uint64_t before = state; // the instances below stay what they were
    uint32_t n;
    char more[96];

    catalog_offers(cat, &n);
    for (size_t k = 0; k < sizeof(job) / sizeof(*job); k++) {
        strbuf_init(&b, 1 << 20);
        strbuf_addf(&b,
                    "{\"runners_up\":3,\"changeover_hours\":0.1,\"default_preemptions_per_hour\":"
                    "0.04,\"tasks\":[{\"name\":\"j\",\"any_of\":[{%s,\"hours\":3}],"
                    "\"limit_hours\":4,\"max_usd\":50}],\"limits\":[{\"match\":{},\"max_usd\":500}",
                    job[k].need);
        for (int i = 0; i < 6; i++)
            strbuf_addf(&b, ",{\"match\":{\"cloud\":\"%s\",\"offers\":true},\"max_usd\":%d}",
                        vms[i % 3 * 6].cloud, 100 + i);
        strbuf_adds(&b, "],\"observed\":[");
        for (int i = 0; i < 200; i++) {
            snprintf(more, sizeof(more),
                     ",\"price_usd_per_hour\":%.4f,\"preemptions_per_hour\":%.4f", 0.01 + uniform(),
                     0.2 * uniform());
            strbuf_adds(&b, i ? "," : "");
            put_offer(&b, cat, (uint32_t)(uniform() * n), more);
        }
        strbuf_adds(&b, "],\"blocked\":[");
        for (int i = 0; i < 20; i++) {
            strbuf_adds(&b, i ? "," : "");
            put_offer(&b, cat, (uint32_t)(uniform() * n), "");
        }
        strbuf_adds(&b, "]}");
        run(cat, b.data, RUNS, &t);
        snprintf(more, sizeof(more), ",\"catalog\":\"%s\"", which);
        report(job[k].name, &t, more);
        done(&t);
        strbuf_free(&b);
    }
    state = before;
}

// --- large graphs over all regions ---

struct graph {
    const char *name;
    int tasks, edges;
    double hours;
    bool limits, datasets;
    double budget_hours; // 0 = none
};

static void put_need(struct strbuf *b, double scale)
{
    static const char *const acc[] = {"T4", "V100", "A100", "L4"};

    strbuf_addf(b, "{\"accelerator\":\"%s\",\"hours\":%.3f}", acc[(int)(uniform() * 4)],
                scale * (0.1 + uniform()));
}

// Each task takes one of two kinds of instance that need different hours.
static char *graph_request(const struct graph *g)
{
    static const char *const home[] = {"aws/us-east-1", "gcp/us-central1", "azure/eastus"};
    struct strbuf b;

    strbuf_init(&b, 64u << 20);
    strbuf_adds(&b, "{\"time_limit_s\":10");
    if (g->budget_hours > 0)
        strbuf_addf(&b, ",\"time_budget_hours\":%g", g->budget_hours);
    strbuf_adds(&b, ",\"datasets\":[");
    for (int i = 0; g->datasets && i < 5; i++)
        strbuf_addf(&b, "%s{\"name\":\"d%d\",\"location\":\"%s\",\"size_gb\":%.1f}", i ? "," : "",
                    i, home[i % 3], 20 + 500 * uniform());
    strbuf_adds(&b, "],\"tasks\":[");
    for (int i = 0; i < g->tasks; i++) {
        strbuf_addf(&b, "%s{\"name\":\"t%d\",\"any_of\":[", i ? "," : "", i);
        put_need(&b, g->hours);
        strbuf_adds(&b, ",");
        put_need(&b, g->hours / 2);
        strbuf_adds(&b, "]");
        if (g->datasets)
            strbuf_addf(&b, ",\"inputs\":[{\"dataset\":\"d%d\"}]", (int)(uniform() * 5));
        strbuf_adds(&b, "}");
    }
    strbuf_adds(&b, "],\"edges\":[");
    for (int e = 0; e < g->edges; e++) {
        int from = (int)(uniform() * (g->tasks - 1));
        int to = from + 1 + (int)(uniform() * (g->tasks - 1 - from));
        strbuf_addf(&b, "%s{\"from\":\"t%d\",\"to\":\"t%d\",\"size_gb\":%.3f}", e ? "," : "", from,
                    to, 100 * uniform());
    }
    strbuf_adds(&b, "],\"limits\":[");
    for (int i = 0; g->limits && i < 6; i++)
        strbuf_addf(&b, "%s{\"match\":{\"cloud\":\"%s\",\"market\":\"%s\"},\"max_nodes\":%d}",
                    i ? "," : "", vms[i % 3 * 6].cloud, i % 2 ? "spot" : "on-demand",
                    g->tasks / 20 + (int)(uniform() * g->tasks / 5));
    strbuf_adds(&b, "]}");
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}

static void bench_graphs(const struct catalog *cat, const char *which)
{
    static const struct graph graphs[] = {
        {"graph-500-2000", 500, 2000, 3, false, false, 0},
        {"graph-60-120-in-time", 60, 120, 10, false, false, 40},
        {"graph-60-120-limits-datasets", 60, 120, 10, true, true, 0},
    };
    char more[64];

    snprintf(more, sizeof(more), ",\"catalog\":\"%s\"", which);
    for (size_t i = 0; i < sizeof(graphs) / sizeof(*graphs); i++) {
        struct timing t;
        char *text = graph_request(&graphs[i]);
        run(cat, text, 1, &t);
        report(graphs[i].name, &t, more);
        done(&t);
        free(text);
    }
}

int main(int argc, char **argv)
{
    bool with_others = argc < 2 || strcmp(argv[1], "--quick") != 0;
    const char *which = "";
    struct catalog *cat = big_catalog(&which);

    if (!cat) {
        fprintf(stderr, "bench: no catalog found\n");
        return 1;
    }
    bench_one(cat, which);
    bench_one_observed(cat, which);
    bench_jobs(cat, which);
    bench_datasets(cat, which);
    bench_dags(with_others);
    bench_graphs(cat, which);
    catalog_destroy(cat);
    return differs;
}
