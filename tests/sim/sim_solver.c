// SPDX-License-Identifier: GPL-3.0-or-later
// The optimizer behind solver.h: the real one, in this process, over a catalog of three clouds with
// one type of node each, cheapest first. Data of jobs lie at "home".
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "catalog/catalog.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "optimizer/plan.h"
#include "plan/solver.h"
#include "world.h"

static const struct {
    const char *cloud;
    money_t spot, on_demand;
} prices[] = {{"c1", 100003, 300007}, {"c2", 150001, 400009}, {"c3", 200017, 500021}};

money_t sim_price(const char *cloud, bool spot);

money_t sim_price(const char *cloud, bool spot)
{
    for (size_t k = 0; k < 3; k++)
        if (strcmp(prices[k].cloud, cloud) == 0)
            return spot ? prices[k].spot : prices[k].on_demand;
    return MONEY_UNKNOWN;
}

static struct catalog *cat;

static void forget_catalog(void)
{
    catalog_destroy(cat);
}

static void put(const char *dir, const char *name, const char *text, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

// Written, read and removed.
static void make_catalog(void)
{
    const char *tmp = getenv("TMPDIR");
    char dir[PATH_MAX / 2], path[4][PATH_MAX], name[16], text[512], a[MONEY_TEXT_MAX],
        b[MONEY_TEXT_MAX];
    burst_error_t err;

    snprintf(dir, sizeof(dir), "%s/burst-sim-catalog.XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(dir));
    for (int k = 0; k < 3; k++) {
        snprintf(name, sizeof(name), "%s.csv", prices[k].cloud);
        snprintf(text, sizeof(text),
                 "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,"
                 "SpotPrice,Region,AvailabilityZone\nm1,,,1,1,,%s,%s,r1,r1-a\n",
                 money_format(prices[k].on_demand, a), money_format(prices[k].spot, b));
        put(dir, name, text, path[k]);
    }
    snprintf(text, sizeof(text),
             "SrcCloud,SrcRegion,DstCloud,DstRegion,UpToGB,USDPerGB\nhome,*,*,*,,0.1\n");
    put(dir, "egress.csv", text, path[3]);
    cat = catalog_load(dir, NULL, NULL, &err);
    assert_non_null(cat);
    for (int k = 0; k < 4; k++)
        unlink(path[k]);
    rmdir(dir);
    atexit(forget_catalog);
}

struct question {
    cJSON *request;
    solver_cb cb;
    void *arg;
};

static void free_question(void *arg)
{
    cJSON_Delete(((struct question *)arg)->request);
    free(arg);
}

static bool asks_for(const cJSON *request, int job)
{
    const cJSON *t;

    cJSON_ArrayForEach(t,
                       cJSON_GetObjectItem(request, "tasks")) if (atoi(json_str(t, "name", "0")) ==
                                                                  job) return true;
    return false;
}

static void reply(void *arg)
{
    struct question *q = arg;
    burst_error_t err;

    if (world.bad_job && asks_for(q->request, world.bad_job)) {
        cJSON *refusal = world.bad_kills ? NULL : cJSON_CreateObject();
        q->cb(q->arg, refusal, world.bad_kills ? "simulated end" : "simulated refusal");
        cJSON_Delete(refusal);
        free_question(q);
        return;
    }
    struct request *rq = request_parse(q->request, &err);

    if (!rq) { // burstd must not ask what the optimizer does not understand
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    struct plan *p = plan_create(cat, rq, &err);
    cJSON *a = p ? plan_json(p) : NULL;
    plan_destroy(p);
    request_destroy(rq);
    q->cb(q->arg, a, a ? NULL : err.text);
    cJSON_Delete(a);
    free_question(q);
}

void solver_ask(struct solver *s, cJSON *request, solver_cb cb, void *arg)
{
    struct question *q = xmalloc(sizeof(*q));

    if (!cat)
        make_catalog();
    q->request = request;
    q->cb = cb;
    q->arg = arg;
    after(world.solver_ms ? world.solver_ms : 2, reply, free_question, q, true);
}
