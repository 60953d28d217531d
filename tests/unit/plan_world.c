// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/strbuf.h"

const char *const w_cloud_name[W_CLOUDS] = {"ash", "birch", "cedar"};
static const char *const zone_name[] = {"a", "b"};

static uint64_t state;

static uint32_t rnd(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 11) % n);
}

static bool maybe(int percent)
{
    return (int)rnd(100) < percent;
}

static void make_offers(struct world *w)
{
    static const char *const acc[] = {"", "T4", "V100", "V100"};

    for (int i = 0; i < 4; i++)
        w->type[i] = (struct w_type){acc[i], i < 2 ? i : i - 1, 2 << i, 8 << i};
    for (int c = 0; c < w->n_clouds; c++)
        for (int r = 0; r < W_REGIONS; r++)
            for (int t = 0; t < 4; t++) {
                if (maybe(40) || w->n_offers == W_OFFERS)
                    continue;
                struct w_offer *o = &w->offer[w->n_offers++];
                *o = (struct w_offer){c, r, maybe(50) ? -1 : (int)rnd(2), t, {-1, -1}};
                // Close to each other, so that no price is quarantined.
                o->price[0] = (t == 3 ? 5 : t + 1) * (1.0 + 0.05 * rnd(8));
                if (maybe(50))
                    o->price[1] = o->price[0] * (maybe(50) ? 0.5 : 0.25);
                if (maybe(10))
                    o->price[0] = -1;
            }
}

static void make_egress(struct world *w)
{
    int n = w->n_clouds * W_REGIONS;

    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++)
            w->egress[a][b] = a == b ? 0 : maybe(8) ? -1 : 0.01 * rnd(10);
    w->tier_gb = 20;
    w->tier_factor = 0.5;
}

static void make_moves(struct world *w, struct w_task *t, int features)
{
    t->n_in = features & F_DATA ? (int)rnd(3) : 0;
    for (int i = 0; i < t->n_in; i++)
        t->in[i] = (struct w_move){-1, (int)rnd((uint32_t)w->n_clouds), (int)rnd(W_REGIONS),
                                   10.0 * rnd(5)};
    t->n_out = features & F_DATA ? (int)rnd(2) : 0;
    for (int i = 0; i < t->n_out; i++)
        t->out[i] = (struct w_move){-1, (int)rnd((uint32_t)w->n_clouds), (int)rnd(W_REGIONS),
                                    10.0 * rnd(5)};
    if ((features & F_SHARED) && w->n_sets && maybe(80))
        t->in[t->n_in++] = (struct w_move){.set = (int)rnd((uint32_t)w->n_sets)};
}

static void make_tasks(struct world *w, int features)
{
    w->n_tasks = 1 + (int)rnd(features & (F_EDGES | F_SHARED) ? 4 : 3);
    for (int k = 0; k < w->n_tasks; k++) {
        struct w_task *t = &w->task[k];
        t->nodes = 1 + (int)rnd(3);
        t->market = features & F_PATTERNS && maybe(30) ? (int)rnd(2) : -1;
        t->only_cloud = features & F_PATTERNS && maybe(20) ? (int)rnd((uint32_t)w->n_clouds) : -1;
        t->only_region = features & F_PATTERNS && maybe(20) ? (int)rnd(W_REGIONS) : -1;
        t->n_needs = features & F_NEEDS ? 1 + (int)rnd(2) : 1;
        for (int i = 0; i < t->n_needs; i++)
            t->need[i] = (struct w_need){(int)rnd(3) - 1, 1, (int)rnd(2) * 4, 0.5 * (1 + rnd(6))};
        make_moves(w, t, features);
    }
}

static struct w_match make_match(const struct world *w)
{
    return (struct w_match){maybe(60) ? (int)rnd((uint32_t)w->n_clouds) : -1,
                            maybe(40) ? (int)rnd(W_REGIONS) : -1, maybe(40) ? (int)rnd(2) : -1,
                            maybe(30) ? (int)rnd(4) : -1, maybe(20) ? (int)rnd(2) : -1};
}

void world_make(struct world *w, uint64_t seed, int features)
{
    memset(w, 0, sizeof(*w));
    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 12345;
    for (int i = 0; i < 8; i++)
        rnd(2);
    w->n_clouds = 1 + (int)rnd(W_CLOUDS);
    make_offers(w);
    make_egress(w);
    w->n_sets = features & F_SHARED ? 1 + (int)rnd(W_SETS) : 0;
    for (int i = 0; i < w->n_sets; i++) {
        w->set[i].cloud = (int)rnd((uint32_t)w->n_clouds);
        w->set[i].region = (int)rnd(W_REGIONS);
        w->set[i].gb = 10.0 * rnd(8);
    }
    make_tasks(w, features);
    for (int a = 0; a < w->n_tasks && features & F_EDGES; a++)
        for (int b = a + 1; b < w->n_tasks; b++)
            if (maybe(55) && w->n_edges < W_EDGES) {
                w->edge[w->n_edges].from = a;
                w->edge[w->n_edges].to = b;
                w->edge[w->n_edges++].gb = 10.0 * rnd(6);
            }
    w->n_limits = features & F_LIMITS ? 1 + (int)rnd(W_LIMITS) : 0;
    for (int i = 0; i < w->n_limits; i++) {
        w->limit[i].match = make_match(w);
        w->limit[i].max_nodes = maybe(60) ? (int)rnd(5) : -1;
        w->limit[i].max_usd = w->limit[i].max_nodes < 0 || maybe(20) ? 2.0 * rnd(8) : -1;
    }
    w->n_blocked = features & F_BLOCKED ? (int)rnd(W_BLOCKED + 1) : 0;
    for (int i = 0; i < w->n_blocked; i++) {
        w->blocked[i] = make_match(w);
        if (w->blocked[i].cloud < 0 && w->blocked[i].type < 0)
            w->blocked[i].type = (int)rnd(4);
    }
    w->fastest = features & F_FASTEST;
    w->time_budget = features & F_TIME ? 0.5 * (1 + rnd(12)) : -1;
    w->cost_budget = features & F_MONEY ? 1.0 * (1 + rnd(40)) : -1;
}

// --- as texts ---

char *world_csv(const struct world *w, int cloud)
{
    struct strbuf b;

    strbuf_init(&b, 1 << 20);
    strbuf_adds(&b, "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,"
                    "SpotPrice,Region,AvailabilityZone\n");
    for (int i = 0; i < w->n_offers; i++) {
        const struct w_offer *o = &w->offer[i];
        const struct w_type *t = &w->type[o->type];
        if (o->cloud != cloud)
            continue;
        strbuf_addf(&b, "t%d,%s,", o->type, t->accelerator);
        if (*t->accelerator)
            strbuf_addf(&b, "%d", t->count);
        strbuf_addf(&b, ",%d,%d,,", t->vcpus, t->memory);
        if (o->price[0] >= 0)
            strbuf_addf(&b, "%.4f", o->price[0]);
        strbuf_adds(&b, ",");
        if (o->price[1] >= 0)
            strbuf_addf(&b, "%.4f", o->price[1]);
        strbuf_addf(&b, ",r%d,%s\n", o->region, o->zone < 0 ? "" : zone_name[o->zone]);
    }
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}

char *world_egress(const struct world *w, bool split)
{
    struct strbuf b;
    int n = w->n_clouds * W_REGIONS;

    strbuf_init(&b, 1 << 20);
    strbuf_adds(&b, "SrcCloud,SrcRegion,DstCloud,DstRegion,UpToGB,USDPerGB\n");
    for (int x = 0; x < n; x++)
        for (int y = 0; y < n; y++) {
            char names[64];
            if (x == y || w->egress[x][y] < 0)
                continue;
            snprintf(names, sizeof(names), "%s,r%d,%s,r%d", w_cloud_name[x / W_REGIONS],
                     x % W_REGIONS, w_cloud_name[y / W_REGIONS], y % W_REGIONS);
            if (split)
                strbuf_addf(&b, "%s,%g,%.4f\n", names, w->tier_gb / 2, w->egress[x][y]);
            strbuf_addf(&b, "%s,%g,%.4f\n%s,,%.4f\n", names, w->tier_gb, w->egress[x][y], names,
                        w->egress[x][y] * w->tier_factor);
        }
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}

static void put_match(struct strbuf *b, const struct w_match *m)
{
    const char *sep = "";

    strbuf_adds(b, "{");
    if (m->cloud >= 0) {
        strbuf_addf(b, "\"cloud\":\"%s\"", w_cloud_name[m->cloud]);
        sep = ",";
    }
    if (m->region >= 0) {
        strbuf_addf(b, "%s\"region\":\"r%d\"", sep, m->region);
        sep = ",";
    }
    if (m->market >= 0) {
        strbuf_addf(b, "%s\"market\":\"%s\"", sep, m->market ? "spot" : "on-demand");
        sep = ",";
    }
    if (m->type >= 0) {
        strbuf_addf(b, "%s\"instance_type\":\"t%d\"", sep, m->type);
        sep = ",";
    }
    if (m->zone >= 0)
        strbuf_addf(b, "%s\"zone\":\"%s\"", sep, zone_name[m->zone]);
    strbuf_adds(b, "}");
}

static void put_moves(struct strbuf *b, const char *key, const struct w_move *m, int n)
{
    strbuf_addf(b, ",\"%s\":[", key);
    for (int i = 0; i < n; i++)
        if (m[i].set >= 0)
            strbuf_addf(b, "%s{\"dataset\":\"d%d\"}", i ? "," : "", m[i].set);
        else
            strbuf_addf(b, "%s{\"location\":\"%s/r%d\",\"size_gb\":%g}", i ? "," : "",
                        w_cloud_name[m[i].cloud], m[i].region, m[i].gb);
    strbuf_adds(b, "]");
}

static void put_task(struct strbuf *b, const struct world *w, int k)
{
    static const char *const acc[] = {"T4", "V100"};
    const struct w_task *t = &w->task[k];

    strbuf_addf(b, "%s{\"name\":\"k%d\",\"nodes\":%d,\"market\":\"%s\",\"any_of\":[", k ? "," : "",
                k, t->nodes,
                t->market < 0 ? "any"
                : t->market   ? "spot"
                              : "on-demand");
    for (int i = 0; i < t->n_needs; i++) {
        const struct w_need *n = &t->need[i];
        strbuf_addf(b, "%s{\"hours\":%g,\"vcpus\":%d", i ? "," : "", n->hours, n->vcpus);
        if (n->type_of >= 0)
            strbuf_addf(b, ",\"accelerator\":\"%s\",\"count\":%d", acc[n->type_of], n->count);
        strbuf_adds(b, "}");
    }
    strbuf_adds(b, "]");
    if (t->only_cloud >= 0)
        strbuf_addf(b, ",\"clouds\":[\"%.2s*\"]", w_cloud_name[t->only_cloud]);
    if (t->only_region >= 0)
        strbuf_addf(b, ",\"regions\":[\"?%d\"]", t->only_region);
    put_moves(b, "inputs", t->in, t->n_in);
    put_moves(b, "outputs", t->out, t->n_out);
    strbuf_adds(b, "}");
}

char *world_request(const struct world *w)
{
    struct strbuf b;

    strbuf_init(&b, 1 << 20);
    // 20 GB take an hour.
    strbuf_addf(&b, "{\"objective\":\"%s\",\"transfer_gbit_per_s\":%.17g",
                w->fastest ? "time" : "cost", 160.0 / 3600.0);
    if (w->time_budget >= 0)
        strbuf_addf(&b, ",\"time_budget_hours\":%g", w->time_budget);
    if (w->cost_budget >= 0)
        strbuf_addf(&b, ",\"cost_budget_usd\":%g", w->cost_budget);
    strbuf_adds(&b, ",\"datasets\":[");
    for (int i = 0; i < w->n_sets; i++)
        strbuf_addf(&b, "%s{\"name\":\"d%d\",\"location\":\"%s/r%d\",\"size_gb\":%g}", i ? "," : "",
                    i, w_cloud_name[w->set[i].cloud], w->set[i].region, w->set[i].gb);
    strbuf_adds(&b, "],\"tasks\":[");
    for (int k = 0; k < w->n_tasks; k++)
        put_task(&b, w, k);
    strbuf_adds(&b, "],\"edges\":[");
    for (int i = 0; i < w->n_edges; i++)
        strbuf_addf(&b, "%s{\"from\":\"k%d\",\"to\":\"k%d\",\"size_gb\":%g}", i ? "," : "",
                    w->edge[i].from, w->edge[i].to, w->edge[i].gb);
    strbuf_adds(&b, "],\"limits\":[");
    for (int i = 0; i < w->n_limits; i++) {
        strbuf_addf(&b, "%s{\"match\":", i ? "," : "");
        put_match(&b, &w->limit[i].match);
        if (w->limit[i].max_nodes >= 0)
            strbuf_addf(&b, ",\"max_nodes\":%d", w->limit[i].max_nodes);
        if (w->limit[i].max_usd >= 0)
            strbuf_addf(&b, ",\"max_usd\":%g", w->limit[i].max_usd);
        strbuf_adds(&b, "}");
    }
    strbuf_adds(&b, "],\"blocked\":[");
    for (int i = 0; i < w->n_blocked; i++) {
        if (i)
            strbuf_adds(&b, ",");
        put_match(&b, &w->blocked[i]);
    }
    strbuf_adds(&b, "]}");
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}

// --- every assignment ---

struct cand {
    int offer, market;
    double hours;
};

static bool hits(const struct world *w, const struct w_match *m, const struct cand *c)
{
    const struct w_offer *o = &w->offer[c->offer];

    return (m->cloud < 0 || m->cloud == o->cloud) && (m->region < 0 || m->region == o->region) &&
           (m->market < 0 || m->market == c->market) && (m->type < 0 || m->type == o->type) &&
           (m->zone < 0 || m->zone == o->zone);
}

static int candidates(const struct world *w, const struct w_task *t, struct cand *out)
{
    static const char *const acc[] = {"T4", "V100"};
    int n = 0;

    for (int k = 0; k < t->n_needs; k++)
        for (int i = 0; i < w->n_offers; i++)
            for (int m = 0; m < 2; m++) {
                const struct w_offer *o = &w->offer[i];
                const struct w_type *y = &w->type[o->type];
                const struct w_need *d = &t->need[k];
                struct cand c = {i, m, d->hours};
                bool blocked = false;
                for (int q = 0; q < w->n_blocked; q++)
                    blocked = blocked || hits(w, &w->blocked[q], &c);
                if (blocked || o->price[m] < 0 || (t->market >= 0 && t->market != m) ||
                    strcmp(y->accelerator, d->type_of < 0 ? "" : acc[d->type_of]) != 0 ||
                    (d->type_of >= 0 && y->count < d->count) || y->vcpus < d->vcpus ||
                    (t->only_cloud >= 0 && t->only_cloud != o->cloud) ||
                    (t->only_region >= 0 && t->only_region != o->region))
                    continue;
                out[n++] = c;
            }
    return n;
}

// Price of a transfer, HUGE_VAL = impossible.
static double move_cost(const struct world *w, int a, int b, double gb)
{
    double low = gb < w->tier_gb ? gb : w->tier_gb;

    if (a == b)
        return 0;
    if (w->egress[a][b] < 0)
        return HUGE_VAL;
    return low * w->egress[a][b] + (gb - low) * w->egress[a][b] * w->tier_factor;
}

static double move_hours(int a, int b, double gb)
{
    return a == b ? 0 : gb / 20;
}

static int spot_of(const struct world *w, const struct cand *c)
{
    return w->offer[c->offer].cloud * W_REGIONS + w->offer[c->offer].region;
}

static bool limits_hold(const struct world *w, const struct cand *x)
{
    for (int l = 0; l < w->n_limits; l++) {
        int nodes = 0;
        double usd = 0;
        for (int k = 0; k < w->n_tasks; k++)
            if (hits(w, &w->limit[l].match, &x[k])) {
                nodes += w->task[k].nodes;
                usd += w->task[k].nodes * w->offer[x[k].offer].price[x[k].market] * x[k].hours;
            }
        if ((w->limit[l].max_nodes >= 0 && nodes > w->limit[l].max_nodes) ||
            (w->limit[l].max_usd >= 0 && usd > w->limit[l].max_usd + 1e-7))
            return false;
    }
    return true;
}

static void value(const struct world *w, const struct cand *x, double *cost, double *finish)
{
    double f[W_TASKS];
    bool copied[W_SETS][W_CLOUDS * W_REGIONS] = {{false}};

    *cost = *finish = 0;
    for (int k = 0; k < w->n_tasks; k++) { // edges lead to higher numbers only
        const struct w_task *t = &w->task[k];
        int here = spot_of(w, &x[k]);
        double start = 0;
        bool seen[W_SETS] = {false};
        *cost += t->nodes * w->offer[x[k].offer].price[x[k].market] * x[k].hours;
        for (int i = 0; i < t->n_in; i++) {
            int s = t->in[i].set;
            int from = s < 0 ? t->in[i].cloud * W_REGIONS + t->in[i].region
                             : w->set[s].cloud * W_REGIONS + w->set[s].region;
            double gb = s < 0 ? t->in[i].gb : w->set[s].gb;
            start = fmax(start, move_hours(from, here, gb));
            if (s >= 0 && (seen[s] || copied[s][here]))
                continue;
            *cost += move_cost(w, from, here, gb);
            if (s >= 0)
                seen[s] = copied[s][here] = true;
        }
        for (int i = 0; i < t->n_out; i++)
            *cost +=
                move_cost(w, here, t->out[i].cloud * W_REGIONS + t->out[i].region, t->out[i].gb);
        for (int e = 0; e < w->n_edges; e++) {
            if (w->edge[e].to != k)
                continue;
            int from = spot_of(w, &x[w->edge[e].from]);
            *cost += move_cost(w, from, here, w->edge[e].gb);
            start = fmax(start, f[w->edge[e].from] + move_hours(from, here, w->edge[e].gb));
        }
        f[k] = start + x[k].hours;
        *finish = fmax(*finish, f[k]);
    }
}

void world_best(const struct world *w, struct w_best *best)
{
    static struct cand cand[W_TASKS][W_CANDS];
    int n[W_TASKS], at[W_TASKS] = {0};
    struct cand x[W_TASKS];

    memset(best, 0, sizeof(*best));
    for (int k = 0; k < w->n_tasks; k++)
        if ((n[k] = candidates(w, &w->task[k], cand[k])) == 0)
            return;
    for (;;) {
        double cost, finish;
        for (int k = 0; k < w->n_tasks; k++)
            x[k] = cand[k][at[k]];
        value(w, x, &cost, &finish);
        if (cost < HUGE_VAL && limits_hold(w, x) &&
            (w->time_budget < 0 || finish <= w->time_budget + 1e-7) &&
            (w->cost_budget < 0 || cost <= w->cost_budget + 1e-7)) {
            double a = w->fastest ? finish : cost, b = w->fastest ? cost : finish;
            double ba = w->fastest ? best->finish : best->cost;
            double bb = w->fastest ? best->cost : best->finish;
            if (!best->found || a < ba - 1e-7 || (a < ba + 1e-7 && b < bb - 1e-7)) {
                best->found = true;
                best->cost = cost;
                best->finish = finish;
            }
        }
        int k = 0;
        while (k < w->n_tasks && ++at[k] == n[k])
            at[k++] = 0;
        if (k == w->n_tasks)
            return;
    }
}
