// SPDX-License-Identifier: GPL-3.0-or-later
// See plan_request.h. What users write and what clouds answer ends up here, and the optimizer
// refuses a whole request for one value that it does not take: what could be out of its bounds is
// cut to them.
#include "plan/plan_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/conf.h"
#include "cloud/observed.h"
#include "job/data_place.h"
#include "job/job_need.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/caps.h"
#include "money/ledger.h"
#include "node/free_names.h"
#include "plan/plan_facts.h"
#include "slurm/slurm_link.h"
#include "state/bounds.h"
#include "state/instances.h"
#include "state/jobs.h"

#define NEW_NODE_S 120 // what a new node is paid for before and after the job
#define RUNNERS_UP 3
#define TIME_LIMIT_S 2.0
// A requeued job that is started on its old node within the second in which it was killed there is
// refused by slurmd ("Job credential revoked") and ends.
#define OLD_NODE_S 2
#define LATER_USD 1e5 // more than what a job costs whose cap is `none`
// What the optimizer takes (burst-plan(1)).
#define HOURS_MAX 1e6
#define USD_MAX 1e9
#define PRICE_MAX 1e6

int64_t plan_runtime_s(const struct burstd *b, const struct bjob *j, const struct directive *d)
{
    int64_t s = d->runtime_s ? d->runtime_s : j->limit_s ? j->limit_s : b->conf->default_runtime_s;

    return j->limit_s && s > j->limit_s ? j->limit_s : s;
}

static void add_text(cJSON *list, const char *text)
{
    cJSON_AddItemToArray(list, cJSON_CreateString(text));
}

static void add_usd(cJSON *o, const char *key, money_t m)
{
    double usd = money_to_double(m);

    cJSON_AddNumberToObject(o, key, usd < USD_MAX ? usd : USD_MAX);
}

static void add_hours(cJSON *o, const char *key, int64_t seconds)
{
    double hours = seconds > 0 ? (double)seconds / 3600.0 : 0;

    cJSON_AddNumberToObject(o, key, hours < HOURS_MAX ? hours : HOURS_MAX);
}

// A job that Slurm cannot queue again is over when its node is taken back: not on spot nodes,
// unless its user says so himself.
bool plan_spot_allowed(const struct plan_job *p)
{
    return (p->s->requeue && p->s->batch) || p->d.market == DIRECTIVE_SPOT;
}

// ---- which shapes of which clouds

typedef uint64_t cloud_set; // bit k: the k-th cloud of the configuration
_Static_assert(PLAN_CLOUDS_MAX <= 64, "one bit each");

// What any_of lists: nodes of a shape at some clouds.
struct entry {
    const struct shape_conf *shape;
    unsigned nodes;
    cloud_set all; // before others took over for some
    cloud_set clouds;
};

// The exact caps have refused it there lately, or it is not planned for.
static bool avoided(const struct bjob *j, unsigned cloud)
{
    return cloud >= PLAN_CLOUDS_MAX || ((j->avoid >> cloud & 1) && clock_mono_ms() < j->avoid_ms);
}

static cloud_set allowed(const struct burstd *b, const struct plan_facts *f,
                         const struct plan_job *p)
{
    cloud_set set = 0;

    for (unsigned c = 0; c < plan_facts_clouds(f); c++)
        if (!avoided(p->j, c) && directive_allows_cloud(&p->d, b->conf->clouds[c].name))
            set |= UINT64_C(1) << c;
    return set;
}

// Whatever serves a does for b as well, for the same money.
static bool replaces(const struct entry *a, const struct entry *b)
{
    const struct shape_conf *x = a->shape, *y = b->shape;

    return a->nodes == b->nodes && (x->gpus > 0) == (y->gpus > 0) && strcmp(x->gpu, y->gpu) == 0 &&
           x->gpus <= y->gpus && x->cpus <= y->cpus && x->memory <= y->memory;
}

// A small shape matches all offers that a larger one matches: then the larger one only makes the
// request long.
static void simplify(struct entry *e, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < n; k++)
            if (k != i && replaces(&e[k], &e[i]) && (k < i || !replaces(&e[i], &e[k])))
                e[i].clouds &= ~e[k].all;
}

// Adds a cloud to the entry of this shape and number of nodes; clouds may differ in it, because
// their partitions have defaults of their own.
static unsigned add_entry(struct entry *e, unsigned n, const struct shape_conf *s, unsigned nodes,
                          unsigned cloud)
{
    unsigned k = n;

    while (k > 0 && e[k - 1].shape == s && e[k - 1].nodes != nodes)
        k--;
    if (k == 0 || e[k - 1].shape != s) {
        e[n] = (struct entry){s, nodes, 0, 0};
        k = ++n;
    }
    e[k - 1].all |= UINT64_C(1) << cloud;
    e[k - 1].clouds = e[k - 1].all;
    return n;
}

// Room for every shape at every cloud.
static struct entry *entries_create(const struct burstd *b)
{
    return xcalloc((size_t)b->conf->n_shapes * (b->conf->n_clouds + 1) + 1, sizeof(struct entry));
}

// Returns how many it filled; *fits: whether a shape of the site fits the job at all.
static unsigned entries_of(const struct burstd *b, const struct plan_facts *f,
                           const struct plan_job *p, struct entry *e, bool *fits)
{
    cloud_set may = allowed(b, f, p);
    struct names_not not ;
    unsigned n = 0;

    names_not_init(&not, p->s->exc_nodes);
    *fits = false;
    for (unsigned s = 0; s < b->conf->n_shapes; s++)
        for (unsigned c = 0; c < plan_facts_clouds(f); c++) {
            unsigned nodes = job_nodes(b, &p->dm, &b->conf->clouds[c], &b->conf->shapes[s]);
            *fits = *fits || nodes > 0;
            if (nodes && (may >> c & 1) && plan_facts_room_without(f, c, s, &not ) >= nodes)
                n = add_entry(e, n, &b->conf->shapes[s], nodes, c);
        }
    names_not_fini(&not );
    simplify(e, n);
    return n;
}

static cJSON *clouds_json(const struct burstd *b, cloud_set set)
{
    cJSON *list = cJSON_CreateArray();

    for (unsigned c = 0; c < PLAN_CLOUDS_MAX; c++)
        if (set >> c & 1)
            add_text(list, b->conf->clouds[c].name);
    return list;
}

// One entry for each name that the catalog has for the shape's accelerator. clouds 0: those of the
// task.
static void add_any_of(const struct burstd *b, cJSON *list, const struct entry *e, int64_t pay_s,
                       cloud_set clouds)
{
    const struct shape_conf *s = e->shape;

    for (unsigned k = 0; k < (s->gpus ? s->n_catalog_names : 1); k++) {
        cJSON *o = cJSON_CreateObject();
        if (s->gpus) {
            json_add_str(o, "accelerator", s->catalog_names[k]);
            json_add_i64(o, "count", s->gpus);
        }
        json_add_i64(o, "vcpus", s->cpus);
        cJSON_AddNumberToObject(o, "memory_gib", (double)s->memory / (1024.0 * 1024 * 1024));
        add_hours(o, "hours", pay_s);
        json_add_i64(o, "nodes", e->nodes);
        if (clouds)
            cJSON_AddItemToObject(o, "clouds", clouds_json(b, clouds));
        cJSON_AddItemToArray(list, o);
    }
}

static bool all_regions(const struct cloud_conf *c)
{
    return c->n_regions == 0 || (c->n_regions == 1 && strcmp(c->regions[0], "*") == 0);
}

// "aws/us-*": the regions that the site admits at these clouds.
static void add_regions(const struct burstd *b, cJSON *task, cloud_set set)
{
    bool all = true;

    for (unsigned k = 0; k < PLAN_CLOUDS_MAX; k++)
        all = all && (!(set >> k & 1) || all_regions(&b->conf->clouds[k]));
    if (all)
        return;
    cJSON *list = cJSON_AddArrayToObject(task, "regions");
    for (unsigned k = 0; k < PLAN_CLOUDS_MAX; k++) {
        const struct cloud_conf *c = &b->conf->clouds[k];
        if (!(set >> k & 1))
            continue;
        for (unsigned r = 0; r < (c->n_regions ? c->n_regions : 1); r++) {
            char *text = xasprintf("%s/%s", c->name, c->n_regions ? c->regions[r] : "*");
            add_text(list, text);
            free(text);
        }
    }
}

// Do all of them name the same clouds? Then the task does it once.
static bool same_clouds(const struct entry *e, unsigned n, cloud_set *used)
{
    bool same = true;

    *used = 0;
    for (unsigned k = 0; k < n; k++)
        *used |= e[k].clouds;
    for (unsigned k = 0; k < n; k++)
        same = same && (e[k].clouds == 0 || e[k].clouds == *used);
    return same;
}

static void add_shapes(const struct burstd *b, const struct plan_facts *f, cJSON *task,
                       const struct plan_job *p)
{
    int64_t pay_s = plan_runtime_s(b, p->j, &p->d) + NEW_NODE_S;
    struct entry *e = entries_create(b);
    cJSON *any = cJSON_AddArrayToObject(task, "any_of");
    cloud_set used;
    bool fits;
    unsigned n = entries_of(b, f, p, e, &fits);
    bool same = same_clouds(e, n, &used);

    for (unsigned k = 0; k < n; k++)
        if (e[k].clouds)
            add_any_of(b, any, &e[k], pay_s, same ? 0 : e[k].clouds);
    if (same && used)
        cJSON_AddItemToObject(task, "clouds", clouds_json(b, used));
    add_regions(b, task, used);
    free(e);
}

// Is anything offered to it? Counts the names of clouds that its task would have.
static bool offered(const struct burstd *b, const struct plan_facts *f, struct plan_job *p,
                    bool *fits)
{
    struct entry *e = entries_create(b);
    cloud_set used;
    unsigned n = entries_of(b, f, p, e, fits);

    p->names = 0;
    if (same_clouds(e, n, &used))
        p->names = (unsigned)__builtin_popcountll(used);
    else
        for (unsigned k = 0; k < n; k++)
            p->names += (unsigned)__builtin_popcountll(e[k].clouds);
    free(e);
    return n > 0;
}

const struct shape_conf *plan_shape(struct burstd *b, const struct cloud_conf *c,
                                    const struct plan_job *p, unsigned nodes, const cJSON *task)
{
    const char *accel = json_str(task, "accelerator", NULL);
    const struct shape_conf *found = NULL;
    struct names_not not ;

    names_not_init(&not, p->s->exc_nodes);
    for (unsigned k = 0; k < b->conf->n_shapes && !found; k++) {
        const struct shape_conf *s = &b->conf->shapes[k];
        bool named = s->gpus == 0;
        for (unsigned a = 0; a < s->n_catalog_names; a++)
            named = named || (accel && strcasecmp(s->catalog_names[a], accel) == 0);
        if (named && cloud_has_shape(c, s) && job_nodes(b, &p->dm, c, s) == nodes &&
            json_dbl(task, "vcpus", 1e9) >= s->cpus &&
            json_dbl(task, "accelerator_count", 1e9) >= s->gpus &&
            json_dbl(task, "memory_gib", 1e9) * 1024 * 1024 * 1024 >= (double)s->memory - 1 &&
            free_names_room(b, c, s, &not ) >= nodes)
            found = s;
    }
    names_not_fini(&not );
    return found;
}

// ---- alternatives

static cJSON *add_alternative(cJSON *task, const char *name, const char *location)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(task, "alternatives");
    cJSON *o = cJSON_CreateObject();

    if (!list)
        list = cJSON_AddArrayToObject(task, "alternatives");
    json_add_str(o, "name", name);
    if (location)
        json_add_str(o, "location", location);
    cJSON_AddItemToArray(list, o);
    return o;
}

static unsigned cloud_number(const struct burst_conf *c, const char *name)
{
    unsigned k = 0;

    while (k < c->n_clouds && strcmp(c->clouds[k].name, name) != 0)
        k++;
    return k;
}

unsigned plan_idle_nodes(struct burstd *b, const struct plan_job *p, const struct idle_group *g)
{
    const struct shape_conf *s = conf_find_shape(b->conf, g->shape);
    const struct directive *d = &p->d;

    if (!s || !idle_admits(g, p->j) || !g->region[0] || money_to_double(g->price) > PRICE_MAX ||
        !directive_allows_cloud(d, g->cloud) || avoided(p->j, cloud_number(b->conf, g->cloud)) ||
        (d->market != DIRECTIVE_ANY && (d->market == DIRECTIVE_SPOT) != g->spot) ||
        (g->spot && !plan_spot_allowed(p)))
        return 0;
    if (p->s->exc_nodes[0]) // it may exclude just those: it gets new ones
        return 0;
    if (p->s->restarts > 0 && clock_now_s() - p->j->since < OLD_NODE_S)
        return 0;
    const struct cloud_conf *c = conf_find_cloud(b->conf, g->cloud);
    unsigned n = c ? job_nodes(b, &p->dm, c, s) : 0;
    return n <= g->n && n <= GANG_MAX ? n : 0;
}

static void add_idle(struct burstd *b, cJSON *task, const struct plan_job *p,
                     const struct idle_group *g)
{
    unsigned n = plan_idle_nodes(b, p, g);
    char location[100];

    if (n == 0)
        return;
    snprintf(location, sizeof(location), "%s/%s", g->cloud, g->region);
    cJSON *o = add_alternative(task, g->name, location);
    if (g->zone[0]) // none where the price holds for the region
        json_add_str(o, "zone", g->zone);
    if (g->itype[0])
        json_add_str(o, "instance_type", g->itype);
    json_add_str(o, "market", market_text(g->spot));
    json_add_i64(o, "nodes", n);
    cJSON_AddNumberToObject(o, "price_usd_per_hour", money_to_double(g->price));
    add_hours(o, "hours", plan_runtime_s(b, p->j, &p->d) - g->paid_s);
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
    if (per_hour == CONF_NO_CAP)
        return MONEY_UNKNOWN;
    if (money_to_double(per_hour) * (double)wait / 3600 >= USD_MAX)
        return (money_t)USD_MAX * MONEY_PER_USD;
    return money_for_seconds(per_hour, wait);
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
    add_usd(o, "fixed_usd", price);
    add_hours(o, "wait_hours", expected_wait_s(p->s));
    add_hours(o, "hours", plan_runtime_s(b, p->j, &p->d));
}

// ---- data

// "123_4" as two numbers.
static void numbers(const char *key, unsigned long long n[2])
{
    char *rest;

    n[0] = strtoull(key, &rest, 10);
    n[1] = *rest == '_' ? strtoull(rest + 1, NULL, 10) : 0;
}

// Edges go from earlier to later jobs only, so whatever users write makes no circle.
bool plan_earlier(const char *a, const char *b)
{
    unsigned long long x[2], y[2];

    numbers(a, x);
    numbers(b, y);
    return x[0] != y[0] ? x[0] < y[0] : x[1] < y[1];
}

const struct bjob *plan_parent(struct burstd *b, struct data_places *data, const struct plan_job *p,
                               const char *job)
{
    const struct bjob *parent = data_place_job(b, data, job);

    return parent && parent->planning && plan_earlier(parent->key, p->j->key) ? parent : NULL;
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

static void add_input(cJSON *task, const struct directive_data *item)
{
    cJSON *inputs = cJSON_GetObjectItemCaseSensitive(task, "inputs"), *o = cJSON_CreateObject();

    if (!inputs)
        inputs = cJSON_AddArrayToObject(task, "inputs");
    json_add_str(o, "location", item->location);
    cJSON_AddNumberToObject(o, "size_gb", item->size_gb);
    cJSON_AddItemToArray(inputs, o);
}

struct parent {
    const char *key;
    double gb;
};

// What several items say of one parent is one transfer: its tiers count for the sum.
static void add_parent(struct parent *list, unsigned *n, const char *key, double gb)
{
    unsigned k = 0;

    while (k < *n && strcmp(list[k].key, key) != 0)
        k++;
    if (k == *n)
        list[(*n)++] = (struct parent){key, 0};
    list[k].gb += gb;
}

static void add_data(struct burstd *b, const struct plan_question *q, cJSON *request, cJSON *task,
                     const struct plan_job *p)
{
    struct parent parents[DIRECTIVE_DATA];
    const char *cursor = p->d.data;
    struct directive_data item;
    unsigned n = 0, left = DIRECTIVE_DATA;

    while (left-- && directive_data_next(&cursor, &item)) {
        const char *job = directive_data_job(&item);
        const struct bjob *parent = job ? plan_parent(b, q->data, p, job) : NULL;
        if (parent) {
            add_parent(parents, &n, parent->key, item.size_gb);
            continue;
        }
        if (job)
            data_place(b, q->data, job, item.location);
        add_input(task, &item);
    }
    for (unsigned k = 0; k < n; k++)
        add_edge(request, parents[k].key, p->j->key, parents[k].gb);
}

// ---- tasks

bool plan_possible(struct burstd *b, const struct plan_question *q, struct plan_job *p, char *why,
                   size_t size)
{
    bool fits;

    if (offered(b, q->facts, p, &fits) || price_of_staying(b, p) != MONEY_UNKNOWN)
        return true;
    for (unsigned k = 0; k < q->n_idle; k++)
        if (plan_idle_nodes(b, p, &q->idle[k]) > 0)
            return true;
    snprintf(why, size, "%s",
             fits ? "no cloud that offers what it needs may be used now (capacity limits, caps, "
                    "trouble there, or node names that are taken, drained, reserved or excluded "
                    "by it: see burst status and sinfo)"
                  : "no shape of the site's configuration fits it");
    return false;
}

// A cap counts until the time limit, with what goes with it.
static void add_caps(struct burstd *b, cJSON *task, const struct plan_job *p)
{
    add_hours(task, "limit_hours", caps_limit_s(b, p->j) + ledger_overhead_s(b));
    if (p->left != CONF_NO_CAP)
        add_usd(task, "max_usd", p->left);
    if (p->look_ahead) // it will run when the present ones are over
        cJSON_AddTrueToObject(task, "no_limits");
}

static void add_task(struct burstd *b, const struct plan_question *q, cJSON *request, cJSON *tasks,
                     size_t k, double later_usd)
{
    const struct plan_job *p = q->job[k];
    cJSON *t = cJSON_CreateObject();

    json_add_str(t, "name", p->j->key);
    json_add_str(t, "market",
                 plan_spot_allowed(p) ? directive_market_name(p->d.market)
                                      : directive_market_name(DIRECTIVE_ON_DEMAND));
    add_shapes(b, q->facts, t, p);
    add_caps(b, t, p);
    add_data(b, q, request, t, p);
    for (unsigned g = 0; g < q->n_idle && !p->look_ahead; g++)
        add_idle(b, t, p, &q->idle[g]);
    add_local(b, t, p);
    if (q->with_later)
        cJSON_AddNumberToObject(add_alternative(t, PLAN_LATER, NULL), "fixed_usd",
                                later_usd * (3 - (double)k / (double)q->n));
    cJSON_AddItemToArray(tasks, t);
}

// The price of having no place now: twice to three times what any of the jobs may cost, more for
// those with higher priority. The same for all: who sets himself a low cap does not wait for that.
static double price_of_later(struct burstd *b, const struct plan_question *q)
{
    double most = 0;

    for (size_t k = 0; k < q->n; k++) {
        struct plan_job *p = q->job[k];
        p->left = caps_left_of_job(b, p->j, &p->d);
        double usd = p->left == CONF_NO_CAP ? LATER_USD : money_to_double(p->left);
        most = usd > most ? usd : most;
    }
    return 1 + (most < LATER_USD ? most : LATER_USD);
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
        add_usd(add_limit(limits, cloud), "max_usd", left);
}

static void add_limits(struct burstd *b, const struct plan_question *q, cJSON *limits)
{
    for (unsigned k = 0; k < plan_facts_clouds(q->facts); k++) {
        const struct cloud_conf *c = &b->conf->clouds[k];
        limit_nodes(limits, c->name, c->max_nodes, plan_facts_live(q->facts, k));
        limit_money(limits, c->name, plan_facts_left(q->facts, k));
    }
    limit_nodes(limits, NULL, b->conf->max_instances, plan_facts_live(q->facts, PLAN_SITE));
    limit_money(limits, NULL, plan_facts_left(q->facts, PLAN_SITE));
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
    double later_usd = price_of_later(b, q);

    json_add_str(request, "objective", "cost");
    json_add_i64(request, "runners_up", RUNNERS_UP);
    cJSON_AddNumberToObject(request, "time_limit_s", TIME_LIMIT_S);
    for (size_t k = 0; k < q->n; k++)
        add_task(b, q, request, tasks, k, later_usd);
    cJSON *limits = cJSON_AddArrayToObject(request, "limits");
    add_limits(b, q, limits);
    observed_add_limits(b->observed, limits);
    observed_add_rates(b->observed, request);
    cJSON *blocked = observed_blocked(b->observed);
    add_rules(b, blocked);
    bounds_add_blocked(b->bounds, blocked);
    cJSON_AddItemToObject(request, "blocked", blocked);
    return request;
}
