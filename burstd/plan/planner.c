// SPDX-License-Identifier: GPL-3.0-or-later
// See planner.h.
//
// One request at a time is with the optimizer. What has happened meanwhile (a cap used up, an idle
// node taken, a job cancelled) is looked at again, in exact money, before anything is bought for
// its answer. An answer is carried out in small parts, since each purchase waits for the disk.
//
// Failure policy: a request that the optimizer refuses, or dies of, is asked again job by job; the
// one that it cannot plan waits, with its sentence, and is asked for alone from then on.
#include "plan/planner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/conf.h"
#include "base/log.h"
#include "job/data_place.h"
#include "job/job_need.h"
#include "job/waiting.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/caps.h"
#include "money/ledger.h"
#include "node/data_check.h"
#include "node/idle.h"
#include "node/launch.h"
#include "plan/admission.h"
#include "plan/decision.h"
#include "plan/no_place.h"
#include "plan/plan_facts.h"
#include "plan/plan_request.h"
#include "plan/solver.h"
#include "slurm/slurm_link.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

// Of one request; the rest comes with the next tick. The loop stands still while it is written: 15
// ms.
#define MAX_TASKS 512
#define MAX_NAMES 10000 // of clouds, in all tasks
#define DEPENDENTS 2000 // looked at for one request
#define CARRY_OUT 32    // decisions that are carried out at a time,
#define CARRY_OUT_MS 15 // if it does not take longer; but always
#define CARRY_OUT_MIN 4
#define SENTENCES 8      // that are journaled at a time
#define NO_PLACE_MS 5000 // nothing suitable now: blocked places come back, caps are refilled
#define AVOID_MS 60000   // a cloud where the exact caps do not admit it
#define EXPLAIN_MS 60000 // what keeps a job from a place is asked for at most so often
#define EXPLAIN_JOBS 16  // and for so many of one answer
#define REFUSED_MS 60000 // a job that the optimizer cannot plan
#define DIED_MS 10000    // one that it died of
#define STALE_MS 10000   // an answer that could not be carried out in that time is dropped
#define STAY_MS 30000    // after a decision to stay it is weighed again
#define STAY_NEWS 5      // and recorded again when the price of staying grew by a fifth
#define SOLVER_DOWN_MS 1000
#define FAILURES 2 // in a row, over several jobs: one of them is to blame

struct planner {
    struct burstd *b;
    bool asking;
    bool sending;      // in solver_ask(): an error comes from this side
    bool alone_next;   // they take turns: all together, one of those that are asked for alone
    unsigned failures; // of the optimizer, in a row
    unsigned explains; // asked for because of the answer at hand
    unsigned said;     // sentences of this step
    struct idle_group idle[IDLE_GROUPS_MAX]; // of the request that is under way
    unsigned n_idle;
    struct data_places *data;
    struct admission *admission; // of this question, or this part of an answer
    cJSON *answer;               // tasks that are still to be carried out, NULL = none
    const char *reason;          // for all of them
    int64_t answered_ms;
    uint64_t asked_ns;
    struct planner_stats stats;
};

struct planner *planner_create(struct burstd *b)
{
    struct planner *p = xmalloc(sizeof(*p));

    p->b = b;
    p->data = data_places_create();
    return p;
}

void planner_destroy(struct planner *p)
{
    if (!p)
        return;
    data_places_destroy(p->data);
    cJSON_Delete(p->answer);
    free(p);
}

const struct planner_stats *planner_stats(const struct planner *p)
{
    return &p->stats;
}

// A sentence that its record has already is not written again, and of many at once only some are:
// each write waits for the disk. The others have theirs in memory.
static void say(struct burstd *b, struct bjob *j, const char *why)
{
    struct planner *p = b->planner;

    if (j->state == JOB_CANDIDATE && strcmp(j->reason, why) == 0)
        return;
    if (p->said++ < SENTENCES)
        job_state(b, j, JOB_CANDIDATE, "%s", why);
    else
        snprintf(j->reason, sizeof(j->reason), "%s", why);
}

static void later(struct burstd *b, struct bjob *j, const char *why)
{
    j->stays = false;
    j->next_ms = clock_mono_ms() + NO_PLACE_MS;
    say(b, j, why);
}

// ---- the question

struct asked {
    struct plan_job *list[MAX_TASKS];
    size_t n;
    unsigned names;
};

static void asked_free(struct asked *a)
{
    for (size_t k = 0; k < a->n; k++)
        free(a->list[k]);
    free(a);
}

static struct plan_job *plan_job(struct burstd *b, struct bjob *j, const struct sjob *s, char *why,
                                 size_t size)
{
    struct plan_job *p = xmalloc(sizeof(*p));

    p->j = j;
    p->s = s;
    snprintf(why, size, "its mark cannot be read");
    if (directive_from_mark(j->mark, &p->d) == 0 && job_demand(b, j, s, &p->dm, why, size) == 0)
        return p;
    free(p);
    return NULL;
}

static bool has_room(const struct asked *a)
{
    return a->n < MAX_TASKS && a->names < MAX_NAMES;
}

static void take(struct asked *a, struct plan_job *x)
{
    x->j->planning = true;
    a->names += x->names;
    a->list[a->n++] = x;
}

// What the caps have said of the clouds that it avoids is the better sentence.
static void impossible(struct burstd *b, struct bjob *j, const char *why)
{
    later(b, j, clock_mono_ms() < j->avoid_ms ? j->reason : why);
}

// Nothing is asked for a job whose data cannot be brought to a node. While they are being looked at
// it is no news; the answer comes in a moment, and wakes us.
static bool data_fit(struct burstd *b, struct bjob *j)
{
    char why[256];
    enum data_verdict v = data_check(b, j, why, sizeof(why));

    if (v == DATA_ASKED && !why[0])
        return false;
    if (v != DATA_FIT)
        later(b, j, why);
    return v == DATA_FIT;
}

static void add_one(struct planner *p, struct asked *a, const struct plan_question *q,
                    const struct waiting *w)
{
    struct burstd *b = p->b;
    char why[256];
    if (!admission_ask(p->admission, w->j, w->s, why, sizeof(why))) {
        later(b, w->j, why);
        return;
    }
    if (!data_fit(b, w->j))
        return;
    struct plan_job *x = plan_job(b, w->j, w->s, why, sizeof(why));
    if (!x) {
        if (p->said++ < SENTENCES) // else at the next look
            job_state(b, w->j, JOB_REFUSED, "it cannot run on a rented node: %s", why);
        return;
    }
    if (!plan_possible(b, q, x, why, sizeof(why))) {
        no_place_cloud(b, q->facts, x, why, sizeof(why));
        impossible(b, w->j, why);
    } else if (data_places_know(b, p->data, x->d.data)) {
        take(a, x);
        return;
    }
    free(x);
}

// Those that are asked for together, or the first of those that are asked for alone.
static void add_due(struct planner *p, struct asked *a, const struct plan_question *q,
                    const struct waiting *w, size_t n, bool alone)
{
    for (size_t k = 0; k < n && has_room(a) && !(alone && a->n); k++)
        if (w[k].j->ask_alone == alone)
            add_one(p, a, q, &w[k]);
}

static bool names(const struct planner *p, const struct plan_job *x)
{
    const char *cursor = x->d.data;
    struct directive_data item;

    while (directive_data_next(&cursor, &item)) {
        const char *job = directive_data_job(&item);
        if (job && plan_parent(p->b, p->data, x, job))
            return true;
    }
    return false;
}

static bool dependent(const struct burstd *b, const struct bjob *j, const struct sjob **out)
{
    if (j->state != JOB_WATCHING || !strstr(j->mark, "job/"))
        return false;
    *out = slurm_link_job(b->slurm, j->key);
    return *out && (*out)->state == SJOB_PENDING && (*out)->dependency[0];
}

static int by_number(const void *pa, const void *pb)
{
    const struct waiting *a = pa, *b = pb;

    return plan_earlier(a->j->key, b->j->key) ? -1 : plan_earlier(b->j->key, a->j->key);
}

// Jobs that will use what those at hand leave behind: where these go decides what that will cost.
// In the order of their numbers, because those whose data they use are earlier.
static void add_dependents(struct planner *p, struct asked *a, const struct plan_question *q)
{
    struct burstd *b = p->b;
    struct waiting *w = xcalloc(DEPENDENTS, sizeof(*w));
    char why[256];
    size_t n = 0;

    JOBS_EACH(b->jobs, j)
    if (n < DEPENDENTS && dependent(b, j, &w[n].s))
        w[n++].j = j;
    if (n)
        qsort(w, n, sizeof(*w), by_number);
    for (size_t k = 0; k < n && has_room(a); k++) {
        struct plan_job *x = plan_job(b, w[k].j, w[k].s, why, sizeof(why));
        if (x && names(p, x) && data_places_know(b, p->data, x->d.data) &&
            plan_possible(b, q, x, why, sizeof(why))) {
            x->look_ahead = true;
            take(a, x);
        } else {
            free(x);
        }
    }
    free(w);
}

// ---- the answer

static const struct idle_group *idle_group(const struct planner *p, const char *name)
{
    for (unsigned k = 0; k < p->n_idle; k++)
        if (strcmp(p->idle[k].name, name) == 0)
            return &p->idle[k];
    return NULL;
}

static bool planned_transfer(const cJSON *t, money_t *out)
{
    return money_from_double(json_dbl(t, "transfer_in_usd", 0) + json_dbl(t, "transfer_out_usd", 0),
                             out, NULL) == 0;
}

// Not at this cloud for a while: the next plan would say the same.
static void avoid(struct burstd *b, struct bjob *j, const struct cloud_conf *c)
{
    int64_t now = clock_mono_ms();

    if (now >= j->avoid_ms)
        j->avoid = 0;
    j->avoid |= UINT64_C(1) << (c - b->conf->clouds) % PLAN_CLOUDS_MAX;
    j->avoid_ms = now + AVOID_MS;
}

// The caps once more, one job after the other, with exact money until the time limit. If they do
// not admit it the job is planned again, for another cloud.
static bool within_caps(struct burstd *b, struct bjob *j, const struct plan_job *x,
                        const struct cloud_conf *c, money_t price, unsigned nodes, money_t transfer)
{
    char why[256];

    if (caps_admit(b, j, &x->d, c, ledger_bound(b, price, nodes, caps_limit_s(b, j)) + transfer,
                   why, sizeof(why)))
        return true;
    avoid(b, j, c);
    say(b, j, why);
    return false;
}

static void record(struct burstd *b, const struct plan_job *x, const cJSON *t, const char *reason)
{
    decision_record(b, x->j, t, plan_price_of_waiting(b, x->j, x->s, &x->d), reason);
}

static void take_idle(struct planner *p, struct plan_job *x, const cJSON *t)
{
    struct burstd *b = p->b;
    const struct idle_group *g = idle_group(p, json_str(t, "alternative", ""));
    const struct cloud_conf *c = g ? conf_find_cloud(b->conf, g->cloud) : NULL;
    unsigned n = (unsigned)json_i64(t, "nodes", 0);
    struct instance *node[GANG_MAX];
    money_t transfer;
    char why[256];

    if (!c || n < 1 || n > GANG_MAX || plan_idle_nodes(b, x, g) != n ||
        idle_members(b, g, node, n) < n) {
        later(b, x->j, "the idle node that was meant for it is taken");
        return;
    }
    if (!planned_transfer(t, &transfer)) {
        later(b, x->j, "the plan does not say what moving its data costs");
        return;
    }
    if (!admission_buy(p->admission, x->j, x->s, NULL, g->partition, why, sizeof(why))) {
        later(b, x->j, why);
        return;
    }
    if (!within_caps(b, x->j, x, c, g->price, n, transfer) ||
        !idle_take(b, x->j, g, node, n, transfer))
        return;
    job_event(b, x->j, "%s", x->j->reason);
    record(b, x, t, "a node that is rented already and idle costs least");
}

// New nodes may have been rented since the plan was made.
static bool within_limits(struct burstd *b, const struct cloud_conf *c, unsigned nodes)
{
    unsigned there = 0, all = 0;

    INSTANCES_EACH(b->instances, i)
    {
        all++;
        there += strcmp(i->cloud, c->name) == 0;
    }
    return there + nodes <= c->max_nodes && all + nodes <= b->conf->max_instances;
}

static const char *placement_of(struct burstd *b, const struct plan_job *x, const cJSON *t,
                                const struct cloud_conf *c, struct placement *p)
{
    memset(p, 0, sizeof(*p));
    p->nodes = (unsigned)json_i64(t, "nodes", 0);
    p->price = json_money(t, "price_uusd_per_hour");
    if (!c || p->nodes < 1 || p->nodes > GANG_MAX || p->price == MONEY_UNKNOWN || p->price < 0 ||
        !planned_transfer(t, &p->transfer))
        return "the plan names a place that is not usable";
    if (!within_limits(b, c, p->nodes))
        return "as many nodes as may be are rented by now";
    const struct shape_conf *shape = plan_shape(b, c, x, p->nodes, t);
    if (!shape)
        return "no node names of its shape are free for it";
    snprintf(p->shape, sizeof(p->shape), "%s", shape->name);
    snprintf(p->cloud, sizeof(p->cloud), "%s", c->name);
    snprintf(p->region, sizeof(p->region), "%s", json_str(t, "region", ""));
    snprintf(p->zone, sizeof(p->zone), "%s", json_str(t, "zone", ""));
    snprintf(p->itype, sizeof(p->itype), "%s", json_str(t, "instance_type", ""));
    p->spot = strcmp(json_str(t, "market", ""), "spot") == 0;
    return NULL;
}

static void rent(struct planner *pl, struct plan_job *x, const cJSON *t, const char *reason)
{
    struct burstd *b = pl->b;
    char why[256];
    const struct cloud_conf *c = conf_find_cloud(b->conf, json_str(t, "cloud", ""));
    struct placement p;
    burst_error_t err;
    const char *trouble = placement_of(b, x, t, c, &p);

    if (trouble) {
        later(b, x->j, trouble);
        return;
    }
    if (!admission_buy(pl->admission, x->j, x->s, &p, c->partition, why, sizeof(why))) {
        later(b, x->j, why);
        return;
    }
    if (!within_caps(b, x->j, x, c, p.price, p.nodes, p.transfer))
        return;
    int rc = launch_start(b, x->j, &p, &err); // 1: the place was closed meanwhile
    if (rc == 0) {
        record(b, x, t, reason);
    } else if (rc < 0) {
        log_error("%s", err.text);
        later(b, x->j, "burstd cannot write its journal");
    }
}

// Weighed again each STAY_MS; told again only when something has changed that people would notice.
static void stay(struct burstd *b, struct plan_job *x, const cJSON *t)
{
    struct bjob *j = x->j;
    money_t price = decision_total(t);

    if (!j->stay_recorded || price - j->stay_recorded > j->stay_recorded / STAY_NEWS) {
        j->stay_recorded = price > 0 ? price : 1;
        record(b, x, t, "waiting here costs less than renting");
    }
    j->next_ms = clock_mono_ms() + STAY_MS;
    j->stays = true;
    say(b, j, "waiting here costs less than renting, for now");
}

// The caps or the clouds' limits do not admit all of them. What is in its way is asked for alone.
static void not_now(struct planner *p, struct bjob *j)
{
    int64_t now = clock_mono_ms();

    if (now < j->explained_ms || p->explains >= EXPLAIN_JOBS) {
        j->next_ms = now + NO_PLACE_MS;
        return;
    }
    j->explained_ms = now + EXPLAIN_MS;
    j->ask_alone = true;
    p->explains++;
}

// Returns whether it may have written to the journal.
static bool carry_out(struct planner *p, struct bjob *j, const cJSON *t)
{
    const char *alternative = json_str(t, "alternative", NULL);
    const struct sjob *s;
    char why[256];

    if (!waiting_due(p->b, j, clock_mono_ms(), &s)) // it was cancelled, say
        return false;
    j->stays = false;
    if (alternative && strcmp(alternative, PLAN_LATER) == 0) {
        not_now(p, j);
        return false;
    }
    struct plan_job *x = plan_job(p->b, j, s, why, sizeof(why));
    if (!x)
        return false; // what it asks for was changed; the next look tells
    if (!alternative)
        rent(p, x, t, p->reason);
    else if (strcmp(alternative, PLAN_LOCAL) == 0)
        stay(p->b, x, t);
    else
        take_idle(p, x, t);
    free(x);
    return true;
}

static void done(struct planner *p)
{
    cJSON_Delete(p->answer);
    p->answer = NULL;
    p->asking = false;
    JOBS_EACH(p->b->jobs, j)
    j->planning = false;
}

// A part of the tasks of an answer. Returns the first that is left.
static const cJSON *carry_out_some(struct planner *p, const cJSON *t)
{
    int64_t end = clock_mono_ms() + CARRY_OUT_MS;
    unsigned n = 0;

    p->said = 0;
    p->admission = admission_create(p->b);
    for (; t && n < CARRY_OUT && (n < CARRY_OUT_MIN || clock_mono_ms() < end); t = t->next) {
        struct bjob *j = jobs_find(p->b->jobs, json_str(t, "name", ""));
        if (j && j->planning && j->state == JOB_CANDIDATE) {
            j->ask_alone = false;
            n += carry_out(p, j, t);
        }
    }
    admission_destroy(p->admission);
    p->admission = NULL;
    return t;
}

static void carry_on(struct planner *p)
{
    const cJSON *left = carry_out_some(p, p->answer->child);

    while (p->answer->child != left)
        cJSON_DeleteItemFromArray(p->answer, 0);
    if (!left)
        done(p);
    p->b->poke(p->b);
}

static void begin_carrying(struct planner *p, const cJSON *tasks, bool optimal)
{
    p->reason = optimal ? "the cheapest admissible place" : "the best place found in time";
    p->explains = 0;
    p->answered_ms = clock_mono_ms();
    if (!slurm_link_ready(p->b->slurm)) { // who knows what the jobs are by now
        done(p);
        return;
    }
    const cJSON *left = carry_out_some(p, tasks ? tasks->child : NULL);
    if (!left) {
        done(p);
        return;
    }
    p->answer = cJSON_CreateArray();
    for (; left; left = left->next)
        cJSON_AddItemToArray(p->answer, cJSON_Duplicate(left, true));
}

// ---- no answer

static void reason_text(struct burstd *b, const cJSON *answer, char *out, size_t size)
{
    const cJSON *r = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(answer, "reasons"), 0);

    no_place_reason(b,
                    cJSON_IsString(r) ? r->valuestring
                                      : json_str(r, "reason", "the optimizer gives no reason"),
                    out, size);
}

static unsigned candidates_asked(const struct burstd *b)
{
    unsigned n = 0;

    JOBS_EACH(b->jobs, j)
    n += j->planning && j->state == JOB_CANDIDATE;
    return n;
}

static void each_alone(struct burstd *b)
{
    JOBS_EACH(b->jobs, j)
    if (j->planning && j->state == JOB_CANDIDATE)
        j->ask_alone = true;
}

// There is no plan for all of them, not even one in which some wait.
static void no_plan(struct planner *p, const cJSON *answer)
{
    struct burstd *b = p->b;
    char why[256];

    if (candidates_asked(b) > 1 || p->stats.last_asked > 1) {
        each_alone(b);
        return;
    }
    reason_text(b, answer, why, sizeof(why));
    JOBS_EACH(b->jobs, j)
    if (j->planning && j->state == JOB_CANDIDATE) {
        j->ask_alone = false;
        later(b, j, why);
    }
}

static void all_at(struct burstd *b, int64_t ms)
{
    JOBS_EACH(b->jobs, j)
    if (j->planning)
        j->next_ms = ms;
}

// It stays one that is asked for alone until it has a plan.
static void blame(struct burstd *b, int64_t ms, const char *error)
{
    char why[256];

    snprintf(why, sizeof(why), "the optimizer cannot plan it: %s", error);
    JOBS_EACH(b->jobs, j)
    if (j->planning && j->state == JOB_CANDIDATE) {
        j->ask_alone = true;
        j->next_ms = ms;
        say(b, j, why);
    }
}

// The optimizer refuses the request, or has died of it. One job is to blame, as a rule.
static void failed(struct planner *p, bool refused, const char *error)
{
    int64_t now = clock_mono_ms();

    log_rarely(LOG_LEVEL_WARN, "plan: %s", error);
    if (p->sending) // it is being started
        all_at(p->b, now + SOLVER_DOWN_MS);
    else if (p->stats.last_asked == 1)
        blame(p->b, now + (refused ? REFUSED_MS : DIED_MS), error);
    else if (refused || ++p->failures >= FAILURES)
        each_alone(p->b);
    else
        all_at(p->b, now + SOLVER_DOWN_MS);
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
    const char *status = json_str(answer, "status", "");
    bool optimal = strcmp(status, "optimal") == 0;

    count(p, answer);
    if (error || !answer)
        failed(p, answer != NULL, error ? error : "there is no answer");
    else
        p->failures = 0;
    if (!error && (optimal || strcmp(status, "feasible") == 0)) {
        begin_carrying(p, cJSON_GetObjectItemCaseSensitive(answer, "tasks"), optimal);
    } else {
        if (!error && answer)
            no_plan(p, answer);
        done(p);
    }
    p->b->poke(p->b);
}

static void ask(struct planner *p, struct asked *a, struct plan_question *q, bool alone)
{
    if (!alone)
        add_dependents(p, a, q);
    q->job = a->list;
    q->n = a->n;
    q->with_later = a->n > 1;
    cJSON *request = plan_request(p->b, q);
    for (size_t k = 0; k < a->n; k++) // not to be carried out, whatever they are by then
        if (a->list[k]->look_ahead)
            a->list[k]->j->planning = false;
    p->stats.last_asked = (unsigned)a->n;
    p->asked_ns = uv_hrtime();
    p->asking = p->sending = true;
    solver_ask(p->b->solver, request, answered, p);
    p->sending = false;
}

static void plan_for(struct planner *p, const struct waiting *w, size_t n)
{
    struct burstd *b = p->b;
    struct asked *a = xmalloc(sizeof(*a));
    struct plan_facts *facts = plan_facts_create(b);
    size_t alone = 0;

    p->n_idle = idle_find(b, p->idle);
    data_places_begin(p->data);
    struct plan_question q = {
        .facts = facts, .data = p->data, .idle = p->idle, .n_idle = p->n_idle};
    for (size_t k = 0; k < n; k++)
        alone += w[k].j->ask_alone;
    bool one = alone > 0 && (p->alone_next || alone == n);
    p->alone_next = !one;
    p->admission = admission_create(b);
    add_due(p, a, &q, w, n, one);
    admission_destroy(p->admission);
    p->admission = NULL;
    if (a->n > 0)
        ask(p, a, &q, one);
    plan_facts_destroy(facts);
    asked_free(a);
}

#define LIMITS_USERS 1000 // of more only the limits of their accounts are known

// What may run is known before anything is bought for it, if Slurm tells.
static bool limits_known(struct burstd *b, const struct waiting *w, size_t n)
{
    struct name {
        const char *user;
        UT_hash_handle hh;
    } *seen = NULL, *list = xcalloc(LIMITS_USERS, sizeof(*list)), *x;
    const char **users = xcalloc(LIMITS_USERS, sizeof(*users));
    size_t m = 0;

    for (size_t k = 0; k < n && m < LIMITS_USERS; k++) {
        HASH_FIND_STR(seen, w[k].s->user, x);
        if (x)
            continue;
        list[m].user = users[m] = w[k].s->user;
        x = &list[m++];
        HASH_ADD_KEYPTR(hh, seen, x->user, strlen(x->user), x);
    }
    bool known = slurm_link_limits_ready(b->slurm, users, m);
    HASH_CLEAR(hh, seen);
    free(users);
    free(list);
    return known;
}

void planner_step(struct burstd *b)
{
    struct planner *p = b->planner;
    size_t n;

    p->said = 0;
    if (!slurm_link_ready(b->slurm))
        return;
    if (p->answer && clock_mono_ms() - p->answered_ms > STALE_MS)
        done(p);
    else if (p->answer)
        carry_on(p);
    if (p->asking)
        return;
    struct waiting *w = waiting_list(b, &n);
    if (n && limits_known(b, w, n))
        plan_for(p, w, n);
    free(w);
}
