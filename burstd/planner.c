// SPDX-License-Identifier: GPL-3.0-or-later
// See planner.h.
//
// One request at a time is with the optimizer. What has happened meanwhile (a cap used up, an idle
// node taken) is looked at again, in exact money, before anything is bought for its answer.
#include "planner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caps.h"
#include "conf.h"
#include "decision.h"
#include "idle.h"
#include "instances.h"
#include "jobs.h"
#include "ledger.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "log.h"
#include "plan_request.h"
#include "provision.h"
#include "slurm_link/slurm_link.h"
#include "solver.h"
#include "store.h"

#define MAX_TASKS 512    // of one request; the rest comes with the next tick
#define NO_PLACE_MS 5000 // nothing suitable now: blocked places come back, caps are refilled
#define EXPLAIN_MS 60000 // what keeps a job from a place is asked for at most so often
#define STAY_MS 30000    // after a decision to stay it is weighed again
#define STAY_NEWS 5      // and recorded again when the price of staying grew by a fifth
#define SOLVER_DOWN_MS 1000

struct planner {
    struct burstd *b;
    bool asking;
    unsigned alone;                          // so many of the next jobs are asked for one by one
    struct idle_group idle[IDLE_GROUPS_MAX]; // of the request that is under way
    unsigned n_idle;
    uint64_t asked_ns;
    struct planner_stats stats;
};

struct planner *planner_create(struct burstd *b)
{
    struct planner *p = xmalloc(sizeof(*p));

    p->b = b;
    return p;
}

void planner_destroy(struct planner *p)
{
    free(p);
}

const struct planner_stats *planner_stats(const struct planner *p)
{
    return &p->stats;
}

static void later(struct burstd *b, struct bjob *j, const char *why)
{
    j->stays = false;
    j->next_ms = clock_mono_ms() + NO_PLACE_MS;
    job_state(b, j, JOB_CANDIDATE, "%s", why);
}

// ---- the question

struct asked {
    struct plan_job *list[MAX_TASKS];
    size_t n;
};

static void asked_free(struct asked *a)
{
    for (size_t k = 0; k < a->n; k++)
        free(a->list[k]);
    free(a);
}

static bool due(const struct bjob *j, const struct sjob *s, int64_t now)
{
    return j->state == JOB_CANDIDATE && now >= j->next_ms && !j->cmd && s &&
           s->state == SJOB_PENDING && !(s->flags & SJOB_COMPLETING);
}

static struct plan_job *plan_job(struct bjob *j, const struct sjob *s, char *why, size_t size)
{
    struct plan_job *p = xmalloc(sizeof(*p));

    p->j = j;
    p->s = s;
    snprintf(why, size, "its mark cannot be read");
    if (directive_from_mark(j->mark, &p->d) == 0 && demand_of(s, &p->dm, why, size) == 0)
        return p;
    free(p);
    return NULL;
}

// Higher priority first, as Slurm would start them.
static int by_priority(const void *pa, const void *pb)
{
    const struct plan_job *a = *(struct plan_job *const *)pa, *b = *(struct plan_job *const *)pb;

    if (a->s->priority != b->s->priority)
        return a->s->priority > b->s->priority ? -1 : 1;
    if (a->s->submit != b->s->submit)
        return a->s->submit < b->s->submit ? -1 : 1;
    return strcmp(a->j->key, b->j->key);
}

static void add_due(struct planner *p, struct asked *a, const struct plan_question *q)
{
    struct burstd *b = p->b;
    int64_t now = clock_mono_ms();
    char why[256];

    JOBS_EACH(b->jobs, j)
    {
        const struct sjob *s = slurm_link_job(b->slurm, j->key);
        if (!due(j, s, now) || a->n >= MAX_TASKS || (p->alone && a->n > 0))
            continue;
        struct plan_job *x = plan_job(j, s, why, sizeof(why));
        if (!x) {
            job_state(b, j, JOB_REFUSED, "it cannot run on a rented node: %s", why);
        } else if (!plan_possible(b, q, x, why, sizeof(why))) {
            later(b, j, why);
            free(x);
        } else {
            a->list[a->n++] = x;
        }
    }
}

static bool names(const struct plan_job *x, const struct asked *a)
{
    const char *cursor = x->d.data;
    struct directive_data item;

    while (directive_data_next(&cursor, &item)) {
        const char *job = directive_data_job(&item);
        for (size_t k = 0; job && k < a->n; k++)
            if (strcmp(a->list[k]->j->key, job) == 0)
                return true;
    }
    return false;
}

// Jobs that will use what those at hand leave behind: where these go decides what that will cost.
// One round a generation.
static void add_dependents(struct planner *p, struct asked *a)
{
    struct burstd *b = p->b;
    char why[256];
    size_t before;

    do {
        before = a->n;
        JOBS_EACH(b->jobs, j)
        {
            const struct sjob *s = slurm_link_job(b->slurm, j->key);
            if (j->state != JOB_WATCHING || j->planning || !s || s->state != SJOB_PENDING ||
                !s->dependency[0] || !strstr(j->mark, "job/") || a->n >= MAX_TASKS)
                continue;
            struct plan_job *x = plan_job(j, s, why, sizeof(why));
            if (x && names(x, a)) {
                x->look_ahead = j->planning = true;
                a->list[a->n++] = x;
            } else {
                free(x);
            }
        }
    } while (a->n > before);
}

// ---- the answer

static const struct idle_group *idle_group(const struct planner *p, const char *name)
{
    for (unsigned k = 0; k < p->n_idle; k++)
        if (strcmp(p->idle[k].name, name) == 0)
            return &p->idle[k];
    return NULL;
}

static money_t planned_transfer(const cJSON *t)
{
    money_t m;

    return money_from_double(json_dbl(t, "transfer_in_usd", 0) + json_dbl(t, "transfer_out_usd", 0),
                             &m, NULL) == 0
               ? m
               : 0;
}

// The caps once more, one job after the other, with exact money until the time limit.
static bool within_caps(struct burstd *b, const struct bjob *j, const struct cloud_conf *c,
                        money_t price, unsigned nodes, money_t transfer, char *why, size_t size)
{
    struct directive d;

    return directive_from_mark(j->mark, &d) == 0 &&
           caps_admit(b, j, &d, c, ledger_bound(b, price, nodes, caps_limit_s(b, j)) + transfer,
                      why, size);
}

static void record(struct burstd *b, const struct bjob *j, const cJSON *t, const char *reason)
{
    const struct sjob *s = slurm_link_job(b->slurm, j->key);
    money_t waiting = MONEY_UNKNOWN;
    struct directive d;

    if (s && directive_from_mark(j->mark, &d) == 0)
        waiting = plan_price_of_waiting(b, j, s, &d);
    decision_record(b, j, t, waiting, reason);
}

static void point_at(struct bjob *j, const struct idle_group *g, unsigned n, money_t transfer)
{
    snprintf(j->cloud, sizeof(j->cloud), "%s", g->cloud);
    snprintf(j->region, sizeof(j->region), "%s", g->region);
    snprintf(j->zone, sizeof(j->zone), "%s", g->zone);
    snprintf(j->itype, sizeof(j->itype), "%s", g->itype);
    snprintf(j->shape, sizeof(j->shape), "%s", g->shape);
    snprintf(j->partition, sizeof(j->partition), "%s", g->partition);
    j->spot = g->spot;
    j->nodes = n;
    j->group[0] = '\0';
    bjob_set(&j->node_names, "");
    j->placed_at = j->started = j->ended = 0;
    j->price = g->price * n;
    j->transfer = transfer;
}

static void take_idle(struct planner *p, struct bjob *j, const cJSON *t)
{
    struct burstd *b = p->b;
    const struct idle_group *g = idle_group(p, json_str(t, "alternative", ""));
    unsigned n = (unsigned)json_i64(t, "nodes", 1);
    struct instance *node[GANG_MAX];
    money_t transfer = planned_transfer(t);
    char why[256] = "the idle node that was meant for it is taken";

    if (!g || n > GANG_MAX || idle_members(b, g, node, n) < n ||
        !within_caps(b, j, conf_find_cloud(b->conf, g->cloud), g->price, n, transfer, why,
                     sizeof(why))) {
        later(b, j, why);
        return;
    }
    point_at(j, g, n, transfer);
    if (job_state(b, j, JOB_SECURING, "%u idle rented node%s of %s fit%s", n, n == 1 ? "" : "s",
                  g->cloud, n == 1 ? "s" : "") < 0)
        return;
    for (unsigned k = 0; k < n; k++) {
        snprintf(node[k]->job, sizeof(node[k]->job), "%s", j->key);
        node[k]->flags &= ~(unsigned)INST_F_STAGED_IN;
        instance_save(b, node[k]);
    }
    record(b, j, t, "a node that is rented already and idle costs least");
}

static int placement_of(struct burstd *b, const struct bjob *j, const cJSON *t, struct placement *p,
                        char *why, size_t size)
{
    const struct cloud_conf *c = conf_find_cloud(b->conf, json_str(t, "cloud", ""));
    const struct sjob *s = slurm_link_job(b->slurm, j->key);
    struct demand dm;

    memset(p, 0, sizeof(*p));
    p->nodes = (unsigned)json_i64(t, "nodes", 1);
    p->price = json_money(t, "price_uusd_per_hour");
    if (!c || !s || demand_of(s, &dm, why, size) < 0 || p->price == MONEY_UNKNOWN) {
        snprintf(why, size, "the plan names a place that is not usable");
        return -1;
    }
    const struct shape_conf *shape = plan_shape(b, c, &dm, p->nodes, t);
    if (!shape) {
        snprintf(why, size, "all node names of its shape are taken");
        return -1;
    }
    snprintf(p->shape, sizeof(p->shape), "%s", shape->name);
    snprintf(p->cloud, sizeof(p->cloud), "%s", c->name);
    snprintf(p->region, sizeof(p->region), "%s", json_str(t, "region", ""));
    snprintf(p->zone, sizeof(p->zone), "%s", json_str(t, "zone", ""));
    snprintf(p->itype, sizeof(p->itype), "%s", json_str(t, "instance_type", ""));
    p->spot = strcmp(json_str(t, "market", ""), "spot") == 0;
    p->transfer = planned_transfer(t);
    return within_caps(b, j, c, p->price, p->nodes, p->transfer, why, size) ? 0 : -1;
}

static void rent(struct burstd *b, struct bjob *j, const cJSON *t, const char *reason)
{
    struct placement p;
    burst_error_t err;
    char why[256] = "its cap leaves no room";

    if (placement_of(b, j, t, &p, why, sizeof(why)) < 0) {
        later(b, j, why);
        return;
    }
    int rc = provision_launch(b, j, &p, &err); // 1: the place was closed meanwhile
    if (rc == 0) {
        record(b, j, t, reason);
    } else if (rc < 0) {
        log_error("%s", err.text);
        later(b, j, "burstd cannot write its journal");
    }
}

// Weighed again each STAY_MS; told again only when something has changed that people would notice.
static void stay(struct burstd *b, struct bjob *j, const cJSON *t)
{
    money_t price = decision_total(t);

    if (!j->stay_recorded || price - j->stay_recorded > j->stay_recorded / STAY_NEWS) {
        j->stay_recorded = price > 0 ? price : 1;
        record(b, j, t, "waiting here costs less than renting");
    }
    j->next_ms = clock_mono_ms() + STAY_MS;
    j->stays = true;
    job_state(b, j, JOB_CANDIDATE, "waiting here costs less than renting, for now");
}

// The caps or the clouds' limits do not admit all of them. What is in its way is asked for alone.
static void not_now(struct planner *p, struct bjob *j)
{
    int64_t now = clock_mono_ms();

    if (now < j->explained_ms) {
        j->next_ms = now + NO_PLACE_MS;
        return;
    }
    j->explained_ms = now + EXPLAIN_MS;
    p->alone++;
}

static void carry_out(struct planner *p, struct bjob *j, const cJSON *t, const char *reason)
{
    const char *alternative = json_str(t, "alternative", NULL);

    j->stays = false;
    if (!alternative)
        rent(p->b, j, t, reason);
    else if (strcmp(alternative, PLAN_LOCAL) == 0)
        stay(p->b, j, t);
    else if (strcmp(alternative, PLAN_LATER) == 0)
        not_now(p, j);
    else
        take_idle(p, j, t);
}

static void reason_text(const cJSON *answer, char *out, size_t size)
{
    const cJSON *r = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(answer, "reasons"), 0);

    snprintf(out, size, "no offer fits now: %s",
             cJSON_IsString(r) ? r->valuestring
                               : json_str(r, "reason", "the optimizer gives no reason"));
}

// No plan for one job: say why. For several (data that cannot be moved, as a rule): one that
// cannot be placed must not hold up the others.
static void no_plan(struct planner *p, const cJSON *answer, const char *error)
{
    struct burstd *b = p->b;
    unsigned asked = 0;
    char why[256];

    JOBS_EACH(b->jobs, j)
    asked += j->planning && j->state == JOB_CANDIDATE;
    if (answer && asked > 1) {
        p->alone = asked;
        return;
    }
    if (answer)
        reason_text(answer, why, sizeof(why));
    else
        log_warn("plan: %s", error);
    JOBS_EACH(b->jobs, j)
    {
        if (!j->planning || j->state != JOB_CANDIDATE)
            continue;
        if (answer)
            later(b, j, why);
        else
            j->next_ms = clock_mono_ms() + SOLVER_DOWN_MS;
    }
}

static void count(struct planner *p, const cJSON *answer)
{
    uint64_t us = (uv_hrtime() - p->asked_ns) / 1000;

    p->stats.requests++;
    p->stats.last_us = us;
    if (us > p->stats.worst_us)
        p->stats.worst_us = us;
    p->stats.last_tasks =
        (unsigned)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(answer, "tasks"));
}

static void answered(void *arg, const cJSON *answer, const char *error)
{
    struct planner *p = arg;
    struct burstd *b = p->b;
    const cJSON *t;

    p->asking = false;
    count(p, answer);
    const char *status = json_str(answer, "status", "");
    bool optimal = strcmp(status, "optimal") == 0;
    if (optimal || strcmp(status, "feasible") == 0)
        cJSON_ArrayForEach(t, cJSON_GetObjectItemCaseSensitive(answer, "tasks"))
        {
            struct bjob *j = jobs_find(b->jobs, json_str(t, "name", ""));
            if (j && j->planning && j->state == JOB_CANDIDATE)
                carry_out(p, j, t,
                          optimal ? "the cheapest admissible place"
                                  : "the best place found in time");
        }
    else
        no_plan(p, answer, error);
    JOBS_EACH(b->jobs, j)
    j->planning = false;
    b->poke(b);
}

static void ask(struct planner *p, struct asked *a, struct plan_question *q)
{
    struct burstd *b = p->b;

    for (size_t k = 0; k < a->n; k++)
        a->list[k]->j->planning = true;
    if (!p->alone)
        add_dependents(p, a);
    q->job = a->list;
    q->n = a->n;
    q->with_later = a->n > 1;
    cJSON *request = plan_request(b, q);
    if (p->alone)
        p->alone--;
    p->asking = true;
    p->asked_ns = uv_hrtime();
    solver_ask(b->solver, request, answered, p);
}

void planner_step(struct burstd *b)
{
    struct planner *p = b->planner;
    int64_t now = clock_mono_ms();
    bool any = false;

    if (p->asking || !slurm_link_ready(b->slurm))
        return;
    JOBS_EACH(b->jobs, j)
    any = any || due(j, slurm_link_job(b->slurm, j->key), now);
    if (!any) {
        p->alone = 0;
        return;
    }
    struct asked *a = xmalloc(sizeof(*a));
    struct plan_facts *facts = plan_facts_create(b);
    p->n_idle = idle_find(b, p->idle);
    struct plan_question q = {.facts = facts, .idle = p->idle, .n_idle = p->n_idle};
    add_due(p, a, &q);
    qsort(a->list, a->n, sizeof(*a->list), by_priority);
    if (a->n > 0)
        ask(p, a, &q);
    else
        p->alone = 0;
    plan_facts_destroy(facts);
    asked_free(a);
}
