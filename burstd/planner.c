// SPDX-License-Identifier: GPL-3.0-or-later
// See planner.h.
#include "planner.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clouds.h"
#include "conf.h"
#include "fit.h"
#include "instances.h"
#include "jobs.h"
#include "ledger.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "log.h"
#include "observed.h"
#include "provision.h"
#include "publish.h"
#include "slurm_link/slurm_link.h"
#include "slurm_plugin/directive.h"
#include "solver.h"
#include "store.h"

#define MAX_TASKS 512 // of one request; the rest comes with the next tick
#define RUNNERS_UP 3
#define NO_PLACE_MS 5000 // nothing suitable now: blocked places come back, caps are refilled
#define SOLVER_DOWN_MS 1000
#define NEW_NODE_S 120 // what a new node is paid for before and after the job

struct planner {
    struct burstd *b;
    bool asking;
    unsigned alone; // the last joint request had no plan: jobs are asked for one by one
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

static struct shape_size size_of(const struct shape_conf *s)
{
    struct shape_size z = {s->gpu, s->gpus, s->cpus, shape_real_memory_mib(s)};

    return z;
}

// A job's limit for the caps: Slurm ends it then.
static int64_t limit_of(struct burstd *b, const struct bjob *j)
{
    return j->limit_s ? j->limit_s : b->conf->max_time_s;
}

static int64_t runtime_of(struct burstd *b, const struct bjob *j, const struct directive *d)
{
    int64_t s = d->runtime_s ? d->runtime_s : j->limit_s ? j->limit_s : b->conf->default_runtime_s;

    return j->limit_s && s > j->limit_s ? j->limit_s : s;
}

static bool market_wanted(const struct directive *d, bool spot)
{
    return d->market == DIRECTIVE_ANY || (d->market == DIRECTIVE_SPOT) == spot;
}

// ---- idle nodes first

static bool may_serve(const struct instance *i, const struct directive *d)
{
    return (i->state == INST_IDLE || (i->state == INST_READY && !i->ssh)) && !i->job[0] &&
           !i->notice_at && !i->ssh &&
           !(i->flags & (INST_F_OPDRAIN | INST_F_SUSPENDED | INST_F_LOST | INST_F_STAGE_OUT)) &&
           directive_allows_cloud(d, i->cloud) && market_wanted(d, i->spot);
}

static bool node_healthy(struct burstd *b, const struct instance *i)
{
    const struct snode *n = slurm_link_node(b->slurm, i->node);

    return i->state != INST_IDLE ||
           (n && (n->flags & SNODE_IDLE) &&
            !(n->flags & (SNODE_DOWN | SNODE_DRAIN | SNODE_NOT_RESPONDING | SNODE_POWERED_DOWN |
                          SNODE_POWERING_DOWN | SNODE_POWER_DOWN | SNODE_COMPLETING)));
}

// All in one cloud, zone and shape as the first.
static unsigned matching(struct burstd *b, const struct instance *first, const struct directive *d,
                         struct instance **out, unsigned want)
{
    unsigned n = 0;

    INSTANCES_EACH(b->instances, i)
    {
        if (n < want && may_serve(i, d) && node_healthy(b, i) &&
            strcmp(i->cloud, first->cloud) == 0 && strcmp(i->zone, first->zone) == 0 &&
            strcmp(i->region, first->region) == 0 && strcmp(i->shape, first->shape) == 0)
            out[n++] = i;
    }
    return n;
}

static void take(struct burstd *b, struct bjob *j, struct instance **g, unsigned n)
{
    const struct instance *f = g[0];

    snprintf(j->cloud, sizeof(j->cloud), "%s", f->cloud);
    snprintf(j->region, sizeof(j->region), "%s", f->region);
    snprintf(j->zone, sizeof(j->zone), "%s", f->zone);
    snprintf(j->itype, sizeof(j->itype), "%s", f->itype);
    snprintf(j->shape, sizeof(j->shape), "%s", f->shape);
    snprintf(j->partition, sizeof(j->partition), "%s", f->partition);
    j->spot = f->spot;
    j->nodes = n;
    j->group[0] = j->node_names[0] = '\0';
    j->placed_at = j->started = j->ended = 0;
    j->price = 0;
    j->transfer = 0;
    for (unsigned k = 0; k < n; k++)
        j->price += g[k]->price;
    if (job_state(b, j, JOB_SECURING, "%u idle rented node%s of %s fit%s", n, n == 1 ? "" : "s",
                  f->cloud, n == 1 ? "s" : "") < 0)
        return;
    for (unsigned k = 0; k < n; k++) {
        snprintf(g[k]->job, sizeof(g[k]->job), "%s", j->key);
        g[k]->flags &= ~(unsigned)INST_F_STAGED_IN;
        instance_save(b, g[k]);
    }
    cJSON *o = cJSON_CreateObject(), *c = cJSON_AddObjectToObject(o, "chosen");
    json_add_str(c, "cloud", f->cloud);
    json_add_str(c, "region", f->region);
    json_add_str(c, "zone", f->zone);
    json_add_str(c, "instance_type", f->itype);
    json_add_str(c, "market", f->spot ? "spot" : "on-demand");
    json_add_i64(c, "nodes", n);
    json_add_money(
        c, "total_uusd",
        money_for_seconds(j->price, j->limit_s ? j->limit_s : b->conf->default_runtime_s));
    cJSON_AddArrayToObject(o, "runners_up");
    json_add_str(o, "objective", "cost");
    json_add_str(o, "reason",
                 "a node that is rented already and idle fits, and no new one would be cheaper");
    store_add_decision(b->store, j->key, o);
    cJSON_Delete(o);
}

static bool reserved_money(struct burstd *b, const struct bjob *j, const struct directive *d,
                           money_t bound, char *why, size_t size);

static money_t left_today(struct burstd *b, const struct cloud_conf *c);

static bool within_day_caps(struct burstd *b, const char *cloud, money_t bound)
{
    return left_today(b, conf_find_cloud(b->conf, cloud)) >= bound && left_today(b, NULL) >= bound;
}

// Takes the cheapest idle nodes that fit, if they cost at most `limit` an hour together: an idle
// node saves the boot, but a long job on a dear one costs more than a new one of the right kind.
static bool use_idle(struct burstd *b, struct bjob *j, const struct demand *dm,
                     const struct directive *d, money_t limit)
{
    struct instance *best = NULL;
    struct instance *g[GANG_MAX];
    unsigned best_n = 0;

    INSTANCES_EACH(b->instances, i)
    {
        const struct shape_conf *s = conf_find_shape(b->conf, i->shape);
        char why[128];
        if (!s || i->price == MONEY_UNKNOWN || !may_serve(i, d) || !node_healthy(b, i))
            continue;
        struct shape_size z = size_of(s);
        unsigned n = demand_nodes(dm, &z);
        if (n == 0 || n > GANG_MAX || matching(b, i, d, g, n) < n)
            continue;
        money_t price = 0;
        for (unsigned k = 0; k < n; k++)
            price += g[k]->price;
        money_t bound = ledger_bound(b, price, 1, limit_of(b, j));
        if (price > limit || !reserved_money(b, j, d, bound, why, sizeof(why)) ||
            !within_day_caps(b, i->cloud, bound))
            continue;
        best = i;
        best_n = n;
        limit = price - 1; // only a cheaper one is better
    }
    if (!best || matching(b, best, d, g, best_n) < best_n)
        return false;
    take(b, j, g, best_n);
    return true;
}

// The lowest price per hour, all nodes together, at which anything that fits is offered now;
// MONEY_UNKNOWN while prices are not known.
static money_t lowest_price(struct burstd *b, const struct demand *dm, const struct directive *d)
{
    money_t lowest = MONEY_UNKNOWN;

    for (unsigned k = 0; k < b->conf->n_shapes; k++) {
        struct shape_size z = size_of(&b->conf->shapes[k]);
        unsigned n = demand_nodes(dm, &z);
        for (unsigned c = 0; n && c < b->conf->n_clouds; c++)
            for (int spot = 0; spot < 2; spot++) {
                const char *cloud = b->conf->clouds[c].name;
                money_t m = publish_price(b, cloud, b->conf->shapes[k].name, spot);
                if (m != MONEY_UNKNOWN && directive_allows_cloud(d, cloud) &&
                    market_wanted(d, spot) && (lowest == MONEY_UNKNOWN || m * n < lowest))
                    lowest = m * n;
            }
    }
    return lowest;
}

// A new node costs its boot, too: up to what it costs more than the job's own time an idle one
// wins.
static money_t with_boot(money_t price, int64_t runtime_s)
{
    return price == MONEY_UNKNOWN || runtime_s <= 0
               ? price
               : price + (money_t)((__int128)price * NEW_NODE_S / runtime_s);
}

// ---- money

// What may still be spent today: cap - spent - what running instances may still cost.
static money_t left_today(struct burstd *b, const struct cloud_conf *c)
{
    money_t cap = c ? c->max_per_day : b->conf->max_per_day;
    const char *name = c ? c->name : NULL;

    if (cap == CONF_NO_CAP)
        return CONF_NO_CAP;
    money_t used = ledger_today(b, name) + ledger_committed(b, name);
    return used >= cap ? 0 : cap - used;
}

static bool reserved_money(struct burstd *b, const struct bjob *j, const struct directive *d,
                           money_t bound, char *why, size_t size)
{
    char x[MONEY_TEXT_MAX], y[MONEY_TEXT_MAX];
    money_t spent = ledger_job_cost(b, j);
    money_t cap = b->conf->max_per_job;

    if (d->max_cost > 0 && d->max_cost < cap)
        cap = d->max_cost;
    if (spent + bound <= cap)
        return true;
    snprintf(why, size, "until its time limit it might cost %s more, and its cap is %s",
             money_human(bound, x), money_human(cap, y));
    return false;
}

// ---- the request

static void add_any_of(struct burstd *b, cJSON *list, const struct shape_conf *s, double hours)
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
        cJSON_AddItemToArray(list, o);
    }
}

static unsigned live_in(struct burstd *b, const char *cloud)
{
    unsigned n = 0;

    INSTANCES_EACH(b->instances, i)
    if (!cloud || strcmp(i->cloud, cloud) == 0)
        n++;
    return n;
}

static bool usable(struct burstd *b, unsigned k)
{
    struct cloud *c = clouds_at(b->clouds, k);

    // Before the first listing nothing is known of what exists there already.
    return cloud_usable(c) && c->listed_once && left_today(b, c->conf) > 0 &&
           live_in(b, c->conf->name) < c->conf->max_nodes;
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

    return n <= GANG_MAX && n * each < sizeof(((struct bjob *)0)->node_names);
}

// "aws/us-*": the regions that the site admits at this cloud.
static void add_regions(cJSON *regions, const struct cloud_conf *c)
{
    for (unsigned k = 0; k < (c->n_regions ? c->n_regions : 1); k++) {
        char *text = xasprintf("%s/%s", c->name, c->n_regions ? c->regions[k] : "*");
        cJSON_AddItemToArray(regions, cJSON_CreateString(text));
        free(text);
    }
}

// Fills clouds, regions and any_of; false: nothing of ours can ever run it (why says so).
static bool add_candidates(struct burstd *b, cJSON *task, const struct demand *dm,
                           const struct directive *d, double hours, unsigned *nodes, char *why,
                           size_t size)
{
    cJSON *any = cJSON_AddArrayToObject(task, "any_of");
    cJSON *clouds = cJSON_AddArrayToObject(task, "clouds");
    cJSON *regions = cJSON_AddArrayToObject(task, "regions");
    bool shape_fits = false, cloud_ok[64] = {false};

    *nodes = 0;
    for (unsigned k = 0; k < b->conf->n_shapes; k++) {
        const struct shape_conf *s = &b->conf->shapes[k];
        struct shape_size z = size_of(s);
        unsigned n = demand_nodes(dm, &z);
        bool used = false;
        if (n == 0 || (*nodes && n != *nodes))
            continue; // one number of nodes per request of a job: that of the first shape that fits
        shape_fits = true;
        for (unsigned c = 0; c < b->conf->n_clouds && c < 64; c++) {
            const struct cloud_conf *cc = &b->conf->clouds[c];
            if (cloud_has_shape(cc, s) && directive_allows_cloud(d, cc->name) && usable(b, c) &&
                free_names(b, cc, s) >= n && nameable(cc, s, n))
                cloud_ok[c] = used = true;
        }
        if (used) {
            *nodes = n;
            add_any_of(b, any, s, hours);
        }
    }
    for (unsigned c = 0; c < b->conf->n_clouds && c < 64; c++) {
        if (!cloud_ok[c])
            continue;
        cJSON_AddItemToArray(clouds, cJSON_CreateString(b->conf->clouds[c].name));
        add_regions(regions, &b->conf->clouds[c]);
    }
    if (*nodes)
        return true;
    snprintf(why, size, "%s",
             shape_fits
                 ? "no cloud that offers what it needs may be used now (capacity limits, caps "
                   "or trouble there: see burst status)"
                 : "no shape of the site's configuration fits it");
    return false;
}

static void add_data(cJSON *task, const struct directive *d)
{
    const char *cursor = d->data;
    struct directive_data item;
    cJSON *inputs = NULL;

    while (directive_data_next(&cursor, &item)) {
        cJSON *o = cJSON_CreateObject();
        json_add_str(o, "location", item.location);
        cJSON_AddNumberToObject(o, "size_gb", item.size_gb);
        if (!inputs)
            inputs = cJSON_AddArrayToObject(task, "inputs");
        cJSON_AddItemToArray(inputs, o);
    }
}

static bool add_task(struct burstd *b, cJSON *tasks, struct bjob *j, const struct demand *dm,
                     const struct directive *d, char *why, size_t size)
{
    cJSON *t = cJSON_CreateObject();
    double hours = (double)runtime_of(b, j, d) / 3600.0;
    unsigned nodes;

    json_add_str(t, "name", j->key);
    if (!add_candidates(b, t, dm, d, hours, &nodes, why, size)) {
        cJSON_Delete(t);
        return false;
    }
    json_add_i64(t, "nodes", nodes);
    json_add_str(t, "market",
                 d->market == DIRECTIVE_SPOT        ? "spot"
                 : d->market == DIRECTIVE_ON_DEMAND ? "on-demand"
                                                    : "any");
    add_data(t, d);
    cJSON_AddItemToArray(tasks, t);
    return true;
}

static void add_limits(struct burstd *b, cJSON *request)
{
    cJSON *limits = cJSON_AddArrayToObject(request, "limits");

    for (unsigned k = 0; k < b->conf->n_clouds; k++) {
        const struct cloud_conf *c = &b->conf->clouds[k];
        unsigned live = live_in(b, c->name);
        cJSON *o = cJSON_CreateObject(), *match = cJSON_AddObjectToObject(o, "match");
        json_add_str(match, "cloud", c->name);
        json_add_i64(o, "max_nodes", c->max_nodes > live ? c->max_nodes - live : 0);
        cJSON_AddItemToArray(limits, o);
    }
    unsigned live = live_in(b, NULL);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddObjectToObject(o, "match");
    json_add_i64(o, "max_nodes", b->conf->max_instances > live ? b->conf->max_instances - live : 0);
    cJSON_AddItemToArray(limits, o);
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

// ---- the answer

static const struct shape_conf *shape_for(struct burstd *b, const struct cloud_conf *c,
                                          const struct demand *dm, unsigned nodes, const cJSON *t)
{
    const char *accel = json_str(t, "accelerator", NULL);

    for (unsigned k = 0; k < b->conf->n_shapes; k++) {
        const struct shape_conf *s = &b->conf->shapes[k];
        struct shape_size z = size_of(s);
        bool named = s->gpus == 0;
        for (unsigned a = 0; a < s->n_catalog_names; a++)
            named = named || (accel && strcasecmp(s->catalog_names[a], accel) == 0);
        if (named && cloud_has_shape(c, s) && demand_nodes(dm, &z) == nodes &&
            json_dbl(t, "vcpus", 1e9) >= s->cpus &&
            json_dbl(t, "accelerator_count", 1e9) >= s->gpus &&
            json_dbl(t, "memory_gib", 1e9) * 1024 * 1024 * 1024 >= (double)s->memory - 1 &&
            free_names(b, c, s) >= nodes)
            return s;
    }
    return NULL;
}

static void put_money(cJSON *o, const char *to, const cJSON *t, const char *from)
{
    money_t m;

    if (money_from_double(json_dbl(t, from, -1), &m, NULL) == 0)
        json_add_money(o, to, m);
}

static cJSON *place_json(const cJSON *t)
{
    static const char *const names[] = {"cloud", "region", "zone", "instance_type", "market"};
    cJSON *o = cJSON_CreateObject();
    money_t total = 0, m;

    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
        json_add_str(o, names[k], json_str(t, names[k], NULL));
    json_add_i64(o, "nodes", json_i64(t, "nodes", 1));
    cJSON_AddNumberToObject(o, "hours", json_dbl(t, "hours", 0));
    put_money(o, "compute_uusd", t, "compute_usd");
    static const char *const parts[] = {"compute_usd", "transfer_in_usd", "transfer_out_usd"};
    for (size_t k = 0; k < 3; k++)
        if (money_from_double(json_dbl(t, parts[k], 0), &m, NULL) == 0)
            total += m;
    money_t compute = json_money(o, "compute_uusd");
    json_add_money(o, "transfer_uusd", compute == MONEY_UNKNOWN ? 0 : total - compute);
    json_add_money(o, "total_uusd", total);
    return o;
}

static void record(struct burstd *b, const struct bjob *j, const cJSON *t, const char *reason)
{
    cJSON *o = cJSON_CreateObject(), *chosen = place_json(t);
    cJSON *list = cJSON_AddArrayToObject(o, "runners_up");
    const cJSON *r;
    money_t best = json_money(chosen, "total_uusd");

    cJSON_ArrayForEach(r, cJSON_GetObjectItemCaseSensitive(t, "runners_up"))
    {
        cJSON *p = place_json(r);
        money_t total = json_money(p, "total_uusd");
        json_add_money(p, "more_uusd", total - best);
        const char *why = json_str(r, "why", "");
        // "$0.07 more" only repeats more_uusd.
        json_add_str(p, "why", *why && *why != '$' ? why : NULL);
        cJSON_AddItemToArray(list, p);
    }
    json_add_str(o, "objective", "cost");
    cJSON_AddItemToObject(o, "chosen", chosen);
    json_add_str(o, "reason", reason);
    store_add_decision(b->store, j->key, o);
    cJSON_Delete(o);
}

static void later(struct burstd *b, struct bjob *j, const char *why)
{
    j->next_ms = clock_mono_ms() + NO_PLACE_MS;
    job_state(b, j, JOB_CANDIDATE, "%s", why);
}

static int placement_of(struct burstd *b, const struct bjob *j, const cJSON *t, struct placement *p,
                        char *why, size_t size)
{
    const struct cloud_conf *c = conf_find_cloud(b->conf, json_str(t, "cloud", ""));
    const struct sjob *s = slurm_link_job(b->slurm, j->key);
    struct demand dm;
    money_t m;

    memset(p, 0, sizeof(*p));
    p->nodes = (unsigned)json_i64(t, "nodes", 1);
    p->price = json_money(t, "price_uusd_per_hour");
    if (!c || !s || demand_of(s, &dm, why, size) < 0 || p->price == MONEY_UNKNOWN) {
        snprintf(why, size, "the plan names a place that is not usable");
        return -1;
    }
    const struct shape_conf *shape = shape_for(b, c, &dm, p->nodes, t);
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
    if (money_from_double(json_dbl(t, "transfer_in_usd", 0) + json_dbl(t, "transfer_out_usd", 0),
                          &m, NULL) == 0)
        p->transfer = m;
    return 0;
}

// The caps are checked here once more, one launch after the other, with exact money: the plan was
// made with estimates of the run time, the caps count until the time limit.
static bool within_caps(struct burstd *b, const struct bjob *j, const struct placement *p,
                        char *why, size_t size)
{
    struct directive d;
    money_t bound = ledger_bound(b, p->price, p->nodes, limit_of(b, j)) + p->transfer;
    const struct cloud_conf *c = conf_find_cloud(b->conf, p->cloud);
    char x[MONEY_TEXT_MAX];

    if (directive_from_mark(j->mark, &d) < 0)
        return false;
    if (!reserved_money(b, j, &d, bound, why, size))
        return false;
    if (within_day_caps(b, p->cloud, bound))
        return true;
    snprintf(why, size, "it might cost %s until its time limit, more than today's cap of %s leaves",
             money_human(bound, x), left_today(b, c) < bound ? c->name : "the site");
    return false;
}

// The plan is dearer than an idle node that was passed over for the sake of a better place.
static bool idle_is_cheaper(struct burstd *b, struct bjob *j, money_t limit)
{
    const struct sjob *s = slurm_link_job(b->slurm, j->key);
    struct demand dm;
    struct directive d;
    char why[256];

    if (!s || directive_from_mark(j->mark, &d) < 0 || demand_of(s, &dm, why, sizeof(why)) < 0)
        return false;
    if (limit != CONF_NO_CAP)
        limit = with_boot(limit, runtime_of(b, j, &d));
    return use_idle(b, j, &dm, &d, limit);
}

static void carry_out(struct burstd *b, struct bjob *j, const cJSON *t, const char *reason)
{
    struct placement p;
    burst_error_t err;
    char why[256];

    if (placement_of(b, j, t, &p, why, sizeof(why)) < 0 ||
        !within_caps(b, j, &p, why, sizeof(why))) {
        if (!idle_is_cheaper(b, j, CONF_NO_CAP))
            later(b, j, why);
        return;
    }
    if (idle_is_cheaper(b, j, p.price * p.nodes))
        return;
    record(b, j, t, reason);
    if (provision_launch(b, j, &p, &err) < 0) {
        log_error("%s", err.text);
        later(b, j, "burstd cannot write its journal");
    }
}

static void reason_text(const cJSON *answer, char *out, size_t size)
{
    const cJSON *r = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(answer, "reasons"), 0);

    snprintf(out, size, "no offer fits now: %s",
             cJSON_IsString(r) ? r->valuestring
                               : json_str(r, "reason", "the optimizer gives no reason"));
}

static void answered(void *arg, const cJSON *answer, const char *error)
{
    struct planner *p = arg;
    struct burstd *b = p->b;
    const cJSON *t;
    char why[256];

    p->asking = false;
    const char *status = json_str(answer, "status", "");
    bool plan = strcmp(status, "optimal") == 0 || strcmp(status, "feasible") == 0;
    unsigned asked = 0;
    JOBS_EACH(b->jobs, j)
    asked += j->planning;
    if (answer && !plan && asked > 1) {
        p->alone = asked; // one that cannot be placed must not hold up the others
    } else if (answer && !plan) {
        reason_text(answer, why, sizeof(why));
        JOBS_EACH(b->jobs, j)
        if (j->planning && j->state == JOB_CANDIDATE && !idle_is_cheaper(b, j, CONF_NO_CAP))
            later(b, j, why);
    } else if (!answer) {
        log_warn("plan: %s", error);
        JOBS_EACH(b->jobs, j)
        if (j->planning)
            j->next_ms = clock_mono_ms() + SOLVER_DOWN_MS;
    }
    if (plan)
        cJSON_ArrayForEach(t, cJSON_GetObjectItemCaseSensitive(answer, "tasks"))
        {
            struct bjob *j = jobs_find(b->jobs, json_str(t, "name", ""));
            if (j && j->planning && j->state == JOB_CANDIDATE)
                carry_out(b, j, t,
                          strcmp(status, "optimal") == 0 ? "the cheapest admissible place"
                                                         : "the best place found in time");
        }
    JOBS_EACH(b->jobs, j)
    j->planning = false;
    b->poke(b);
}

void planner_step(struct burstd *b)
{
    struct planner *p = b->planner;
    cJSON *request, *tasks;
    int64_t now = clock_mono_ms();
    unsigned n = 0;

    if (p->asking || !slurm_link_ready(b->slurm))
        return;
    request = cJSON_CreateObject();
    tasks = cJSON_AddArrayToObject(request, "tasks");
    JOBS_EACH(b->jobs, j)
    {
        const struct sjob *s = slurm_link_job(b->slurm, j->key);
        struct demand dm;
        struct directive d;
        char why[256];
        if (j->state != JOB_CANDIDATE || now < j->next_ms || j->cmd || !s || n >= MAX_TASKS ||
            s->state != SJOB_PENDING || (s->flags & SJOB_COMPLETING) || (p->alone && n > 0))
            continue;
        if (directive_from_mark(j->mark, &d) < 0 || demand_of(s, &dm, why, sizeof(why)) < 0) {
            job_state(b, j, JOB_REFUSED, "it cannot run on a rented node: %s", why);
            continue;
        }
        money_t lowest = lowest_price(b, &dm, &d);
        if (lowest != MONEY_UNKNOWN &&
            use_idle(b, j, &dm, &d, with_boot(lowest, runtime_of(b, j, &d))))
            continue;
        if (!add_task(b, tasks, j, &dm, &d, why, sizeof(why))) {
            if (!use_idle(b, j, &dm, &d, CONF_NO_CAP))
                later(b, j, why);
            continue;
        }
        j->planning = true;
        n++;
    }
    if (n == 0) {
        cJSON_Delete(request);
        p->alone = 0;
        return;
    }
    if (p->alone)
        p->alone--;
    json_add_str(request, "objective", "cost");
    json_add_i64(request, "runners_up", RUNNERS_UP);
    add_limits(b, request);
    cJSON *blocked = observed_blocked(b->observed);
    add_rules(b, blocked);
    cJSON_AddItemToObject(request, "blocked", blocked);
    p->asking = true;
    solver_ask(b->solver, request, answered, p);
}
