// SPDX-License-Identifier: GPL-3.0-or-later
// See plan_request.h.
#include "plan_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "caps.h"
#include "clouds.h"
#include "conf.h"
#include "instances.h"
#include "jobs.h"
#include "ledger.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "observed.h"
#include "slurm_link/slurm_link.h"
#include "store.h"

#define NEW_NODE_S 120 // what a new node is paid for before and after the job
#define RUNNERS_UP 3
#define TIME_LIMIT_S 2.0
// A requeued job that is started on its old node within the second in which it was killed there is
// refused by slurmd ("Job credential revoked") and ends.
#define OLD_NODE_S 2
#define LATER_USD 1e5 // more than what a job costs whose cap is `none`
#define CLOUDS_MAX 64

static struct shape_size size_of(const struct shape_conf *s)
{
    struct shape_size z = {s->gpu, s->gpus, s->cpus, shape_real_memory_mib(s)};

    return z;
}

int64_t plan_runtime_s(const struct burstd *b, const struct bjob *j, const struct directive *d)
{
    int64_t s = d->runtime_s ? d->runtime_s : j->limit_s ? j->limit_s : b->conf->default_runtime_s;

    return j->limit_s && s > j->limit_s ? j->limit_s : s;
}

static void add_text(cJSON *list, const char *text)
{
    cJSON_AddItemToArray(list, cJSON_CreateString(text));
}

// ---- which shapes of which clouds

static unsigned live_in(struct burstd *b, const char *cloud)
{
    unsigned n = 0;

    INSTANCES_EACH(b->instances, i)
    if (!cloud || strcmp(i->cloud, cloud) == 0)
        n++;
    return n;
}

static unsigned free_names(struct burstd *b, const struct cloud_conf *c, const struct shape_conf *s)
{
    unsigned used = 0;

    INSTANCES_EACH(b->instances, i)
    if (strcmp(i->cloud, c->name) == 0 && strcmp(i->shape, s->name) == 0)
        used++;
    return used < s->nodes ? s->nodes - used : 0;
}

// The list of its nodes ("aws-cpu-001,...") must be one that can be kept and sent to Slurm: found
// out now, not when they have been rented.
static bool nameable(const struct cloud_conf *c, const struct shape_conf *s, unsigned n)
{
    size_t each = strlen(c->name) + strlen(s->name) + sizeof("--001,") - 1;

    return n <= GANG_MAX && n * each < BJOB_NODE_NAMES_MAX;
}

// The caps are sums over the journal and the tables: not for each job and shape anew.
struct plan_facts {
    bool usable[CLOUDS_MAX];
    unsigned n_clouds, n_shapes;
    unsigned *names; // free node names of cloud c and shape s: names[c * n_shapes + s]
};

static bool usable(struct burstd *b, unsigned k)
{
    struct cloud *c = clouds_at(b->clouds, k);

    // Before the first listing nothing is known of what exists there already.
    return cloud_usable(c) && c->listed_once && caps_left_today(b, c->conf) > 0 &&
           live_in(b, c->conf->name) < c->conf->max_nodes;
}

struct plan_facts *plan_facts_create(struct burstd *b)
{
    struct plan_facts *f = xmalloc(sizeof(*f));

    f->n_clouds = b->conf->n_clouds < CLOUDS_MAX ? b->conf->n_clouds : CLOUDS_MAX;
    f->n_shapes = b->conf->n_shapes;
    f->names = xcalloc((size_t)f->n_clouds * f->n_shapes + 1, sizeof(*f->names));
    for (unsigned c = 0; c < f->n_clouds; c++) {
        f->usable[c] = usable(b, c);
        for (unsigned s = 0; s < f->n_shapes && f->usable[c]; s++)
            f->names[c * f->n_shapes + s] = free_names(b, &b->conf->clouds[c], &b->conf->shapes[s]);
    }
    return f;
}

void plan_facts_destroy(struct plan_facts *f)
{
    if (!f)
        return;
    free(f->names);
    free(f);
}

static bool offered(struct burstd *b, const struct plan_facts *f, unsigned c, unsigned s,
                    const struct directive *d, unsigned n)
{
    const struct cloud_conf *cc = &b->conf->clouds[c];
    const struct shape_conf *shape = &b->conf->shapes[s];

    return f->usable[c] && cloud_has_shape(cc, shape) && directive_allows_cloud(d, cc->name) &&
           f->names[c * f->n_shapes + s] >= n && nameable(cc, shape, n);
}

// One entry for each name that the catalog has for the shape's accelerator.
static void add_any_of(cJSON *list, const struct shape_conf *s, unsigned nodes, double hours,
                       const cJSON *clouds)
{
    unsigned n = s->gpus ? s->n_catalog_names : 1;

    for (unsigned k = 0; k < n; k++) {
        cJSON *o = cJSON_CreateObject();
        if (s->gpus) {
            json_add_str(o, "accelerator", s->catalog_names[k]);
            json_add_i64(o, "count", s->gpus);
        }
        json_add_i64(o, "vcpus", s->cpus);
        cJSON_AddNumberToObject(o, "memory_gib", (double)s->memory / (1024.0 * 1024 * 1024));
        cJSON_AddNumberToObject(o, "hours", hours);
        json_add_i64(o, "nodes", nodes);
        cJSON_AddItemToObject(o, "clouds", cJSON_Duplicate(clouds, true));
        cJSON_AddItemToArray(list, o);
    }
}

// "aws/us-*": the regions that the site admits at this cloud.
static void add_regions(cJSON *regions, const struct cloud_conf *c)
{
    for (unsigned k = 0; k < (c->n_regions ? c->n_regions : 1); k++) {
        char *text = xasprintf("%s/%s", c->name, c->n_regions ? c->regions[k] : "*");
        add_text(regions, text);
        free(text);
    }
}

// Fills any_of and regions of the task (NULL: only asks). Returns whether there is any offer;
// *fits: whether a shape of the site fits the job at all.
static bool add_shapes(struct burstd *b, const struct plan_facts *f, cJSON *task,
                       const struct plan_job *p, bool *fits)
{
    double hours = (double)(plan_runtime_s(b, p->j, &p->d) + NEW_NODE_S) / 3600.0;
    cJSON *any = task ? cJSON_AddArrayToObject(task, "any_of") : NULL;
    bool used[CLOUDS_MAX] = {false}, found = false;

    *fits = false;
    for (unsigned k = 0; k < f->n_shapes; k++) {
        const struct shape_conf *s = &b->conf->shapes[k];
        struct shape_size z = size_of(s);
        unsigned n = demand_nodes(&p->dm, &z);
        if (n == 0)
            continue;
        *fits = true;
        cJSON *clouds = cJSON_CreateArray();
        for (unsigned c = 0; c < f->n_clouds; c++)
            if (offered(b, f, c, k, &p->d, n)) {
                add_text(clouds, b->conf->clouds[c].name);
                used[c] = found = true;
            }
        if (any && cJSON_GetArraySize(clouds) > 0)
            add_any_of(any, s, n, hours, clouds);
        cJSON_Delete(clouds);
    }
    if (!any || !found)
        return found;
    cJSON *regions = cJSON_AddArrayToObject(task, "regions");
    for (unsigned c = 0; c < f->n_clouds; c++)
        if (used[c])
            add_regions(regions, &b->conf->clouds[c]);
    return true;
}

const struct shape_conf *plan_shape(struct burstd *b, const struct cloud_conf *c,
                                    const struct demand *dm, unsigned nodes, const cJSON *task)
{
    const char *accel = json_str(task, "accelerator", NULL);

    for (unsigned k = 0; k < b->conf->n_shapes; k++) {
        const struct shape_conf *s = &b->conf->shapes[k];
        struct shape_size z = size_of(s);
        bool named = s->gpus == 0;
        for (unsigned a = 0; a < s->n_catalog_names; a++)
            named = named || (accel && strcasecmp(s->catalog_names[a], accel) == 0);
        if (named && cloud_has_shape(c, s) && demand_nodes(dm, &z) == nodes &&
            json_dbl(task, "vcpus", 1e9) >= s->cpus &&
            json_dbl(task, "accelerator_count", 1e9) >= s->gpus &&
            json_dbl(task, "memory_gib", 1e9) * 1024 * 1024 * 1024 >= (double)s->memory - 1 &&
            free_names(b, c, s) >= nodes)
            return s;
    }
    return NULL;
}

// ---- alternatives

static cJSON *add_alternative(cJSON *task, const char *name, const char *location)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(task, "alternatives");
    cJSON *o = cJSON_CreateObject();

    if (!list)
        list = cJSON_AddArrayToObject(task, "alternatives");
    json_add_str(o, "name", name);
    json_add_str(o, "location", location);
    cJSON_AddItemToArray(list, o);
    return o;
}

// Number of nodes of the group that the job needs, 0: they do not serve it.
static unsigned idle_nodes(struct burstd *b, const struct plan_job *p, const struct idle_group *g)
{
    const struct shape_conf *s = conf_find_shape(b->conf, g->shape);
    const struct directive *d = &p->d;

    if (!s || !directive_allows_cloud(d, g->cloud) ||
        (d->market != DIRECTIVE_ANY && (d->market == DIRECTIVE_SPOT) != g->spot))
        return 0;
    if (p->s->restarts > 0 && clock_now_s() - p->j->since < OLD_NODE_S)
        return 0;
    struct shape_size z = size_of(s);
    unsigned n = demand_nodes(&p->dm, &z);
    return n <= g->n && n <= GANG_MAX ? n : 0;
}

static void add_idle(struct burstd *b, cJSON *task, const struct plan_job *p,
                     const struct idle_group *g)
{
    unsigned n = idle_nodes(b, p, g);
    int64_t pay_s = plan_runtime_s(b, p->j, &p->d) - g->paid_s;
    char location[100];

    if (n == 0)
        return;
    snprintf(location, sizeof(location), "%s/%s", g->cloud, g->region);
    cJSON *o = add_alternative(task, g->name, location);
    json_add_str(o, "zone", g->zone);
    json_add_str(o, "instance_type", g->itype);
    json_add_str(o, "market", g->spot ? "spot" : "on-demand");
    json_add_i64(o, "nodes", n);
    cJSON_AddNumberToObject(o, "price_usd_per_hour", money_to_double(g->price));
    cJSON_AddNumberToObject(o, "hours", pay_s > 0 ? (double)pay_s / 3600.0 : 0);
}

// Slurm's estimate; without one the wait so far is the best guess of the wait to come.
static int64_t expected_wait_s(const struct sjob *s)
{
    int64_t now = clock_now_s(), since = s->eligible ? s->eligible : s->submit;

    if (s->start > now)
        return s->start - now;
    return now > since ? now - since : 0;
}

money_t plan_price_of_waiting(struct burstd *b, const struct bjob *j, const struct sjob *s,
                              const struct directive *d)
{
    int64_t wait = expected_wait_s(s), end = clock_now_s() + wait + plan_runtime_s(b, j, d);

    if (d->cls == DIRECTIVE_HELD || d->mode == DIRECTIVE_ONLY || (d->deadline && end > d->deadline))
        return MONEY_UNKNOWN;
    money_t per_hour = conf_cost_of_waiting(b->conf, j->origin, s->qos);
    return per_hour == CONF_NO_CAP ? MONEY_UNKNOWN : money_for_seconds(per_hour, wait);
}

static money_t price_of_staying(struct burstd *b, const struct plan_job *p)
{
    return plan_price_of_waiting(b, p->j, p->s, &p->d);
}

static void add_local(struct burstd *b, cJSON *task, const struct plan_job *p)
{
    money_t price = price_of_staying(b, p);

    if (price == MONEY_UNKNOWN)
        return;
    cJSON *o = add_alternative(task, PLAN_LOCAL, b->conf->data_location);
    cJSON_AddNumberToObject(o, "fixed_usd", money_to_double(price));
    cJSON_AddNumberToObject(o, "wait_hours", (double)expected_wait_s(p->s) / 3600.0);
    cJSON_AddNumberToObject(o, "hours", (double)plan_runtime_s(b, p->j, &p->d) / 3600.0);
}

// Dearer than every plan that the caps admit, a little more so for those with higher priority.
static void add_later(struct burstd *b, cJSON *task, const struct plan_job *p, double rank)
{
    money_t cap = caps_left_of_job(b, p->j, &p->d);
    double usd = cap == CONF_NO_CAP ? LATER_USD : 1 + money_to_double(cap);
    cJSON *o = add_alternative(task, PLAN_LATER, b->conf->data_location);

    cJSON_AddNumberToObject(o, "fixed_usd", usd * (3 - rank));
}

// ---- data

static bool in_question(const struct plan_question *q, const char *key)
{
    for (size_t k = 0; k < q->n; k++)
        if (strcmp(q->job[k]->j->key, key) == 0)
            return true;
    return false;
}

// Where what the job leaves behind lies: where it runs or ran, else here.
static void place_of_job(struct burstd *b, const char *key, char *out, size_t size)
{
    struct bjob *j = jobs_find(b->jobs, key), *old = j ? NULL : store_find_job(b->store, key);
    const struct bjob *x = j ? j : old;
    bool away = x && x->cloud[0] &&
                (x->state == JOB_SECURING || x->state == JOB_PLACED || x->state == JOB_RUNNING ||
                 ((x->state == JOB_STAGEOUT || x->state == JOB_DONE) && x->started));

    if (away)
        snprintf(out, size, "%s/%s", x->cloud, x->region);
    else
        snprintf(out, size, "%s", b->conf->data_location);
    bjob_destroy(old);
}

static void add_edge(cJSON *request, const char *from, const char *to, double gb)
{
    cJSON *edges = cJSON_GetObjectItemCaseSensitive(request, "edges"), *o = cJSON_CreateObject();

    if (!edges)
        edges = cJSON_AddArrayToObject(request, "edges");
    json_add_str(o, "from", from);
    json_add_str(o, "to", to);
    cJSON_AddNumberToObject(o, "size_gb", gb);
    cJSON_AddItemToArray(edges, o);
}

static void add_data(struct burstd *b, const struct plan_question *q, cJSON *request, cJSON *task,
                     const struct plan_job *p)
{
    const char *cursor = p->d.data;
    struct directive_data item;
    cJSON *inputs = NULL;

    while (directive_data_next(&cursor, &item)) {
        const char *job = directive_data_job(&item);
        if (job && strcmp(job, p->j->key) != 0 && in_question(q, job)) {
            add_edge(request, job, p->j->key, item.size_gb);
            continue;
        }
        cJSON *o = cJSON_CreateObject();
        if (job)
            place_of_job(b, job, item.location, sizeof(item.location));
        json_add_str(o, "location", item.location);
        cJSON_AddNumberToObject(o, "size_gb", item.size_gb);
        if (!inputs)
            inputs = cJSON_AddArrayToObject(task, "inputs");
        cJSON_AddItemToArray(inputs, o);
    }
}

// ---- tasks

bool plan_possible(struct burstd *b, const struct plan_question *q, const struct plan_job *p,
                   char *why, size_t size)
{
    bool fits;

    if (add_shapes(b, q->facts, NULL, p, &fits) || price_of_staying(b, p) != MONEY_UNKNOWN)
        return true;
    for (unsigned k = 0; k < q->n_idle; k++)
        if (idle_nodes(b, p, &q->idle[k]) > 0)
            return true;
    snprintf(why, size, "%s",
             fits ? "no cloud that offers what it needs may be used now (capacity limits, caps or "
                    "trouble there: see burst status)"
                  : "no shape of the site's configuration fits it");
    return false;
}

// A cap counts until the time limit, with what goes with it.
static void add_caps(struct burstd *b, cJSON *task, const struct plan_job *p)
{
    money_t left = caps_left_of_job(b, p->j, &p->d);
    int64_t counted = caps_limit_s(b, p->j) + ledger_overhead_s(b);

    cJSON_AddNumberToObject(task, "limit_hours", (double)counted / 3600.0);
    if (left != CONF_NO_CAP)
        cJSON_AddNumberToObject(task, "max_usd", money_to_double(left));
    if (p->look_ahead) // it will run when the present ones are over
        cJSON_AddTrueToObject(task, "no_limits");
}

static void add_task(struct burstd *b, const struct plan_question *q, cJSON *request, cJSON *tasks,
                     size_t k)
{
    const struct plan_job *p = q->job[k];
    cJSON *t = cJSON_CreateObject();
    bool fits;

    json_add_str(t, "name", p->j->key);
    json_add_str(t, "market", directive_market_name(p->d.market));
    add_shapes(b, q->facts, t, p, &fits);
    add_caps(b, t, p);
    add_data(b, q, request, t, p);
    for (unsigned g = 0; g < q->n_idle && !p->look_ahead; g++)
        add_idle(b, t, p, &q->idle[g]);
    add_local(b, t, p);
    if (q->with_later || p->look_ahead)
        add_later(b, t, p, (double)k / (double)q->n);
    cJSON_AddItemToArray(tasks, t);
}

// ---- limits

static cJSON *add_limit(cJSON *limits, const char *cloud)
{
    cJSON *o = cJSON_CreateObject(), *match = cJSON_AddObjectToObject(o, "match");

    if (cloud)
        json_add_str(match, "cloud", cloud);
    cJSON_AddItemToArray(limits, o);
    return o;
}

// New nodes: idle ones are counted already.
static void limit_nodes(cJSON *limits, const char *cloud, unsigned max, unsigned live)
{
    cJSON *o = add_limit(limits, cloud);

    cJSON_AddTrueToObject(cJSON_GetObjectItem(o, "match"), "offers");
    json_add_i64(o, "max_nodes", max > live ? max - live : 0);
}

static void limit_money(cJSON *limits, const char *cloud, money_t left)
{
    if (left != CONF_NO_CAP)
        cJSON_AddNumberToObject(add_limit(limits, cloud), "max_usd", money_to_double(left));
}

static void add_limits(struct burstd *b, const struct plan_question *q, cJSON *limits)
{
    for (unsigned k = 0; k < b->conf->n_clouds; k++) {
        const struct cloud_conf *c = &b->conf->clouds[k];
        limit_nodes(limits, c->name, c->max_nodes, live_in(b, c->name));
        limit_money(limits, c->name, caps_left_today(b, c));
    }
    limit_nodes(limits, NULL, b->conf->max_instances, live_in(b, NULL));
    limit_money(limits, NULL, caps_left_today(b, NULL));
    for (unsigned k = 0; k < q->n_idle; k++) {
        cJSON *o = add_limit(limits, NULL);
        json_add_str(cJSON_GetObjectItem(o, "match"), "alternative", q->idle[k].name);
        json_add_i64(o, "max_nodes", q->idle[k].n);
    }
}

// Places and markets that the configuration rules out.
static void add_rules(struct burstd *b, cJSON *blocked)
{
    for (unsigned k = 0; k < b->conf->n_clouds; k++) {
        const struct cloud_conf *c = &b->conf->clouds[k];
        if (c->spot && c->on_demand)
            continue;
        cJSON *o = cJSON_CreateObject();
        json_add_str(o, "cloud", c->name);
        json_add_str(o, "market", c->spot ? "on-demand" : "spot");
        cJSON_AddItemToArray(blocked, o);
    }
}

cJSON *plan_request(struct burstd *b, const struct plan_question *q)
{
    cJSON *request = cJSON_CreateObject(), *tasks = cJSON_AddArrayToObject(request, "tasks");

    json_add_str(request, "objective", "cost");
    json_add_i64(request, "runners_up", RUNNERS_UP);
    cJSON_AddNumberToObject(request, "time_limit_s", TIME_LIMIT_S);
    for (size_t k = 0; k < q->n; k++)
        add_task(b, q, request, tasks, k);
    cJSON *limits = cJSON_AddArrayToObject(request, "limits");
    add_limits(b, q, limits);
    observed_add_limits(b->observed, limits);
    observed_add_rates(b->observed, request);
    cJSON *blocked = observed_blocked(b->observed);
    add_rules(b, blocked);
    cJSON_AddItemToObject(request, "blocked", blocked);
    return request;
}
