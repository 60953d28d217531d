// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/strbuf.h"

const char *const w_cloud_name[W_CLOUDS] = {"ash", "birch", "cedar"};
static const char *const zone_name[] = {"a", "b"};
static const char *const acc_name[] = {"T4", "V100"};
static const char *const alt_name[W_NAMES] = {"idle-1", "idle-2", "stay"};

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

// Places of clouds that this world does not have stay without names, and so without routes.
static bool exists(const struct world *w, int place)
{
    return place == W_HOME || place < w->n_clouds * W_REGIONS;
}

// Either every pair has a rate of its own, or places are alike: all of one cloud, or all there are.
static void make_egress(struct world *w)
{
    double rate[W_CLOUDS + 2][W_CLOUDS + 2];
    uint32_t kind = rnd(3);

    for (int a = 0; a < W_CLOUDS + 2; a++)
        for (int b = 0; b < W_CLOUDS + 2; b++)
            rate[a][b] = maybe(8) ? -1 : 0.01 * rnd(10);
    for (int a = 0; a < W_PLACES; a++)
        for (int b = 0; b < W_PLACES; b++) {
            double r = maybe(8) ? -1 : 0.01 * rnd(10);
            if (kind == 1)
                r = rate[a / W_REGIONS][b / W_REGIONS];
            else if (kind == 2)
                r = rate[0][0];
            w->egress[a][b] = a == b || a == W_NOWHERE || b == W_NOWHERE ? 0 : r;
        }
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

static struct w_alt make_alternative(const struct world *w, int name)
{
    struct w_alt a = {.name = name, .zone = -1, .type = -1, .market = (int)rnd(2)};

    a.place = maybe(40)   ? W_HOME
              : maybe(40) ? W_NOWHERE
                          : (int)rnd((uint32_t)(w->n_clouds * W_REGIONS));
    if (w->n_offers && maybe(60)) { // as a rented node would be
        const struct w_offer *o = &w->offer[rnd((uint32_t)w->n_offers)];
        a.place = o->cloud * W_REGIONS + o->region;
        a.zone = o->zone;
        a.type = o->type;
    }
    a.nodes = maybe(30) ? 1 + (int)rnd(3) : 0;
    a.price = maybe(50) ? 0 : 0.25 * rnd(12);
    a.fixed = maybe(50) ? 0 : 0.5 * rnd(10);
    a.wait = maybe(60) ? 0 : 0.5 * rnd(6);
    a.hours = 0.5 * (1 + rnd(6));
    return a;
}

static void make_more(struct world *w, struct w_task *t, int features)
{
    t->limit_hours = t->max_usd = -1;
    for (int i = 0; i < t->n_needs && features & F_NODES; i++)
        t->need[i].nodes = (int)rnd(4);
    for (int i = 0; i < t->n_needs && features & F_PATTERNS; i++)
        t->need[i].only_cloud = maybe(80) ? 0 : 1 + (int)rnd((uint32_t)w->n_clouds);
    t->no_limits = features & F_LIMITS && maybe(15);
    if (features & F_ALTS) {
        int name = (int)rnd(W_NAMES);
        t->n_alts = (int)rnd(3);
        for (int i = 0; i < t->n_alts; i++)
            t->alt[i] = make_alternative(w, (name + i) % W_NAMES);
        if (t->n_alts && maybe(15))
            t->n_needs = 0;
    }
    if (features & F_CAPS) {
        t->limit_hours = maybe(40) ? -1 : 0.5 * rnd(8);
        t->max_usd = maybe(40) ? -1 : 1.0 * rnd(24);
    }
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
            t->need[i] =
                (struct w_need){(int)rnd(3) - 1, 1, (int)rnd(2) * 4, 0.5 * (1 + rnd(6)), 0, 0};
        make_moves(w, t, features);
        make_more(w, t, features);
    }
}

static struct w_match make_match(const struct world *w, int features, bool limit)
{
    struct w_match m = {.cloud = maybe(60) ? (int)rnd((uint32_t)w->n_clouds) : -1,
                        .region = maybe(40) ? (int)rnd(W_REGIONS) : -1,
                        .market = maybe(40) ? (int)rnd(2) : -1,
                        .type = maybe(30) ? (int)rnd(4) : -1,
                        .zone = maybe(20) ? (int)rnd(2) : -1,
                        .acc = maybe(10) ? 1 + (int)rnd(2) : 0};

    if (features & F_ALTS && maybe(35)) {
        m = (struct w_match){maybe(20) ? (int)rnd((uint32_t)w->n_clouds) : -1,
                             -1,
                             maybe(20) ? (int)rnd(2) : -1,
                             -1,
                             -1,
                             maybe(20) ? 1 + (int)rnd(2) : 0,
                             1 + (int)rnd(W_NAMES),
                             false};
    } else {
        m.offers = limit && maybe(30);
    }
    return m;
}

static void make_observed(struct world *w)
{
    static const double rates[] = {0, 0.125, 0.5, 2, 8};

    w->changeover = maybe(20) ? 0 : 0.25 * (1 + rnd(4));
    w->default_rate = maybe(40) ? 0 : rates[rnd(4)];
    w->n_observed = w->n_offers ? (int)rnd(W_OBSERVED + 1) : 0;
    for (int i = 0; i < w->n_observed; i++) {
        const struct w_offer *o = &w->offer[rnd((uint32_t)w->n_offers)];
        struct w_observed *s = &w->observed[i];
        *s = (struct w_observed){o->cloud, o->region, o->zone, o->type, maybe(80), -1, -1};
        if (maybe(10))
            s->zone = (int)rnd(3) - 1; // perhaps of no offer
        if (maybe(60))
            s->price = (s->market ? 0.25 : 0.5) * (1 + rnd(16)); // perhaps above on-demand
        if (s->price < 0 || maybe(50))
            s->rate = rates[rnd(5)];
    }
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
        w->limit[i].match = make_match(w, features, true);
        w->limit[i].max_nodes = maybe(60) ? (int)rnd(5) : -1;
        w->limit[i].max_usd = w->limit[i].max_nodes < 0 || maybe(20) ? 2.0 * rnd(8) : -1;
    }
    w->n_blocked = features & F_BLOCKED ? (int)rnd(W_BLOCKED + 1) : 0;
    for (int i = 0; i < w->n_blocked; i++) {
        w->blocked[i] = make_match(w, features, false);
        if (w->blocked[i].cloud < 0 && w->blocked[i].type < 0 && !w->blocked[i].alt)
            w->blocked[i].type = (int)rnd(4);
    }
    if (features & F_RATES)
        make_observed(w);
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

static void place_name(int place, char sep, char buf[32])
{
    if (place == W_HOME)
        snprintf(buf, 32, "home%cmain", sep);
    else if (place == W_NOWHERE)
        snprintf(buf, 32, "%c", sep);
    else
        snprintf(buf, 32, "%s%cr%d", w_cloud_name[place / W_REGIONS], sep, place % W_REGIONS);
}

char *world_egress(const struct world *w, bool split)
{
    struct strbuf b;

    strbuf_init(&b, 1 << 20);
    strbuf_adds(&b, "SrcCloud,SrcRegion,DstCloud,DstRegion,UpToGB,USDPerGB\n");
    for (int x = 0; x < W_PLACES; x++)
        for (int y = 0; y < W_PLACES; y++) {
            char names[80], from[32], to[32];
            if (x == y || w->egress[x][y] < 0 || !exists(w, x) || !exists(w, y))
                continue;
            place_name(x, ',', from);
            place_name(y, ',', to);
            snprintf(names, sizeof(names), "%s,%s", from, to);
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
    if (m->zone >= 0) {
        strbuf_addf(b, "%s\"zone\":\"%s\"", sep, zone_name[m->zone]);
        sep = ",";
    }
    if (m->acc) {
        strbuf_addf(b, "%s\"accelerator\":\"%s\"", sep, acc_name[m->acc - 1]);
        sep = ",";
    }
    if (m->alt) {
        strbuf_addf(b, "%s\"alternative\":\"%s\"", sep, alt_name[m->alt - 1]);
        sep = ",";
    }
    if (m->offers)
        strbuf_addf(b, "%s\"offers\":true", sep);
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

static void put_alternatives(struct strbuf *b, const struct world *w, const struct w_task *t)
{
    strbuf_adds(b, ",\"alternatives\":[");
    for (int i = 0; i < t->n_alts; i++) {
        const struct w_alt *a = &t->alt[i];
        char place[32];
        place_name(a->place, '/', place);
        strbuf_addf(b,
                    "%s{\"name\":\"%s\",\"market\":\"%s\",\"hours\":%g,"
                    "\"price_usd_per_hour\":%g,\"fixed_usd\":%g,\"wait_hours\":%g",
                    i ? "," : "", alt_name[a->name], a->market ? "spot" : "on-demand", a->hours,
                    a->price, a->fixed, a->wait);
        if (a->place != W_NOWHERE)
            strbuf_addf(b, ",\"location\":\"%s\"", place);
        if (a->zone >= 0)
            strbuf_addf(b, ",\"zone\":\"%s\"", zone_name[a->zone]);
        if (a->type >= 0)
            strbuf_addf(b, ",\"instance_type\":\"t%d\"", a->type);
        if (a->type >= 0 && *w->type[a->type].accelerator)
            strbuf_addf(b, ",\"accelerator\":\"%s\"", w->type[a->type].accelerator);
        if (a->nodes)
            strbuf_addf(b, ",\"nodes\":%d", a->nodes);
        strbuf_adds(b, "}");
    }
    strbuf_adds(b, "]");
}

static void put_task(struct strbuf *b, const struct world *w, int k)
{
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
            strbuf_addf(b, ",\"accelerator\":\"%s\",\"count\":%d", acc_name[n->type_of], n->count);
        if (n->nodes)
            strbuf_addf(b, ",\"nodes\":%d", n->nodes);
        if (n->only_cloud)
            strbuf_addf(b, ",\"clouds\":[\"%s\"]", w_cloud_name[n->only_cloud - 1]);
        strbuf_adds(b, "}");
    }
    strbuf_adds(b, "]");
    if (t->only_cloud >= 0)
        strbuf_addf(b, ",\"clouds\":[\"%.2s*\"]", w_cloud_name[t->only_cloud]);
    if (t->only_region >= 0)
        strbuf_addf(b, ",\"regions\":[\"?%d\"]", t->only_region);
    put_moves(b, "inputs", t->in, t->n_in);
    put_moves(b, "outputs", t->out, t->n_out);
    if (t->n_alts)
        put_alternatives(b, w, t);
    if (t->limit_hours >= 0)
        strbuf_addf(b, ",\"limit_hours\":%g", t->limit_hours);
    if (t->max_usd >= 0)
        strbuf_addf(b, ",\"max_usd\":%g", t->max_usd);
    if (t->no_limits)
        strbuf_adds(b, ",\"no_limits\":true");
    strbuf_adds(b, "}");
}

static void put_observed(struct strbuf *b, const struct world *w)
{
    if (w->changeover > 0)
        strbuf_addf(b, ",\"changeover_hours\":%g", w->changeover);
    if (w->default_rate > 0)
        strbuf_addf(b, ",\"default_preemptions_per_hour\":%g", w->default_rate);
    strbuf_adds(b, ",\"observed\":[");
    for (int i = 0; i < w->n_observed; i++) {
        const struct w_observed *s = &w->observed[i];
        strbuf_addf(b,
                    "%s{\"cloud\":\"%s\",\"region\":\"r%d\",\"instance_type\":\"t%d\","
                    "\"market\":\"%s\"",
                    i ? "," : "", w_cloud_name[s->cloud], s->region, s->type,
                    s->market ? "spot" : "on-demand");
        if (s->zone >= 0)
            strbuf_addf(b, ",\"zone\":\"%s\"", zone_name[s->zone]);
        else if (i % 3)
            strbuf_adds(b, i % 3 == 1 ? ",\"zone\":null" : ",\"zone\":\"\"");
        if (s->price >= 0)
            strbuf_addf(b, ",\"price_usd_per_hour\":%g", s->price);
        if (s->rate >= 0)
            strbuf_addf(b, ",\"preemptions_per_hour\":%g", s->rate);
        strbuf_adds(b, "}");
    }
    strbuf_adds(b, "]");
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
    strbuf_adds(&b, "]");
    put_observed(&b, w);
    strbuf_adds(&b, "}");
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}

// --- every assignment ---

struct cand {
    int offer; // -1 = an alternative
    int alt;   // of the task
    int place, zone, type, market, name;
    int nodes;
    double hours;
    double price; // real
    double cost;  // with restarts and what is fixed
    double wait;
    double counted; // for limits and caps
};

static bool hits(const struct world *w, const struct w_match *m, const struct cand *c)
{
    const char *acc = c->type < 0 ? "" : w->type[c->type].accelerator;
    bool home = c->place >= W_HOME;

    if (m->alt ? c->offer >= 0 || c->name != m->alt - 1 : m->offers && c->offer < 0)
        return false;
    return (m->cloud < 0 || (!home && m->cloud == c->place / W_REGIONS)) &&
           (m->region < 0 || (!home && m->region == c->place % W_REGIONS)) &&
           (m->market < 0 || m->market == c->market) && (m->type < 0 || m->type == c->type) &&
           (m->zone < 0 || m->zone == c->zone) &&
           (!m->acc || strcmp(acc, acc_name[m->acc - 1]) == 0);
}

static bool blocked(const struct world *w, const struct cand *c)
{
    for (int q = 0; q < w->n_blocked; q++)
        if ((w->blocked[q].alt != 0) == (c->offer < 0) && hits(w, &w->blocked[q], c))
            return true;
    return false;
}

static double move_cost(const struct world *w, int a, int b, double gb);

// What the task pays for data with a location.
static double located(const struct world *w, const struct w_task *t, int place)
{
    double sum = 0;

    for (int i = 0; i < t->n_in; i++)
        if (t->in[i].set < 0)
            sum += move_cost(w, t->in[i].cloud * W_REGIONS + t->in[i].region, place, t->in[i].gb);
    for (int i = 0; i < t->n_out; i++)
        sum += move_cost(w, place, t->out[i].cloud * W_REGIONS + t->out[i].region, t->out[i].gb);
    return sum;
}

// The price that holds and the rate of preemptions: what was observed last.
static void look(const struct world *w, const struct cand *c, double *price, double *rate)
{
    *rate = w->default_rate;
    for (int i = 0; i < w->n_observed; i++) {
        const struct w_observed *s = &w->observed[i];
        if (s->cloud * W_REGIONS + s->region != c->place || s->zone != c->zone ||
            s->type != c->type || s->market != c->market)
            continue;
        if (s->price >= 0 && c->offer >= 0)
            *price = s->price;
        if (s->rate >= 0)
            *rate = s->rate;
    }
    if (!c->market)
        *rate = 0;
}

// Fills in what a candidate comes to. False when the task's cap is below it.
static bool priced(const struct world *w, const struct w_task *t, struct cand *c, double fixed)
{
    double rate;

    look(w, c, &c->price, &rate);
    c->cost = c->price * (1 + rate * w->changeover) * c->nodes * c->hours + fixed;
    c->counted = c->price * c->nodes * (t->limit_hours < 0 ? c->hours : t->limit_hours);
    return t->max_usd < 0 || c->counted + located(w, t, c->place) <= t->max_usd + 1e-7;
}

static int candidates(const struct world *w, const struct w_task *t, struct cand *out)
{
    int n = 0;

    for (int k = 0; k < t->n_needs; k++)
        for (int i = 0; i < w->n_offers; i++)
            for (int m = 0; m < 2; m++) {
                const struct w_offer *o = &w->offer[i];
                const struct w_type *y = &w->type[o->type];
                const struct w_need *d = &t->need[k];
                struct cand c = {.offer = i,
                                 .place = o->cloud * W_REGIONS + o->region,
                                 .zone = o->zone,
                                 .type = o->type,
                                 .market = m,
                                 .name = -1,
                                 .nodes = d->nodes ? d->nodes : t->nodes,
                                 .hours = d->hours,
                                 .price = o->price[m]};
                if (blocked(w, &c) || o->price[m] < 0 || (t->market >= 0 && t->market != m) ||
                    strcmp(y->accelerator, d->type_of < 0 ? "" : acc_name[d->type_of]) != 0 ||
                    (d->type_of >= 0 && y->count < d->count) || y->vcpus < d->vcpus ||
                    (t->only_cloud >= 0 && t->only_cloud != o->cloud) ||
                    (d->only_cloud && d->only_cloud != o->cloud + 1) ||
                    (t->only_region >= 0 && t->only_region != o->region))
                    continue;
                if (priced(w, t, &c, 0))
                    out[n++] = c;
            }
    for (int i = 0; i < t->n_alts; i++) {
        const struct w_alt *a = &t->alt[i];
        struct cand c = {.offer = -1,
                         .alt = i,
                         .place = a->place,
                         .zone = a->zone,
                         .type = a->type,
                         .market = a->market,
                         .name = a->name,
                         .nodes = a->nodes ? a->nodes : t->nodes,
                         .hours = a->hours,
                         .price = a->price,
                         .wait = a->wait};
        if (!blocked(w, &c) && priced(w, t, &c, a->fixed))
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

static bool limits_hold(const struct world *w, const struct cand *x)
{
    for (int l = 0; l < w->n_limits; l++) {
        int nodes = 0;
        double usd = 0;
        for (int k = 0; k < w->n_tasks; k++)
            if (!w->task[k].no_limits && hits(w, &w->limit[l].match, &x[k])) {
                nodes += x[k].nodes;
                usd += x[k].counted;
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
    bool copied[W_SETS][W_PLACES] = {{false}};

    *cost = *finish = 0;
    for (int k = 0; k < w->n_tasks; k++) { // edges lead to higher numbers only
        const struct w_task *t = &w->task[k];
        int here = x[k].place;
        double start = x[k].wait;
        bool seen[W_SETS] = {false};
        *cost += x[k].cost;
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
            int from = x[w->edge[e].from].place;
            *cost += move_cost(w, from, here, w->edge[e].gb);
            start = fmax(start, f[w->edge[e].from] + move_hours(from, here, w->edge[e].gb));
        }
        f[k] = start + x[k].hours;
        *finish = fmax(*finish, f[k]);
    }
}

static bool allowed(const struct world *w, const struct cand *x, double cost, double finish)
{
    return cost < HUGE_VAL && limits_hold(w, x) &&
           (w->time_budget < 0 || finish <= w->time_budget + 1e-7) &&
           (w->cost_budget < 0 || cost <= w->cost_budget + 1e-7);
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
        if (allowed(w, x, cost, finish)) {
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

static bool is_choice(const struct cand *c, const struct w_choice *x)
{
    char place[32], name[64], type[16] = "";

    place_name(c->place, '/', place);
    snprintf(name, sizeof(name), "%s/%s", x->cloud, x->region);
    if (c->type >= 0)
        snprintf(type, sizeof(type), "t%d", c->type);
    return strcmp(place, name) == 0 && strcmp(type, x->instance_type) == 0 &&
           strcmp(c->zone < 0 ? "" : zone_name[c->zone], x->zone) == 0 &&
           strcmp(c->market ? "spot" : "on-demand", x->market) == 0 &&
           (c->offer >= 0) == !x->alternative &&
           (c->offer >= 0 || strcmp(alt_name[c->name], x->alternative) == 0) &&
           c->nodes == x->nodes && fabs(c->hours - x->hours) < 1e-9 &&
           fabs(c->price - x->price) < 1e-6;
}

bool world_value(const struct world *w, const struct w_choice *choice, double *cost, double *finish)
{
    static struct cand cand[W_CANDS];
    struct cand x[W_TASKS];

    for (int k = 0; k < w->n_tasks; k++) {
        int n = candidates(w, &w->task[k], cand), i = 0;
        while (i < n && !is_choice(&cand[i], &choice[k]))
            i++;
        if (i == n)
            return false;
        x[k] = cand[i];
    }
    value(w, x, cost, finish);
    return allowed(w, x, *cost, *finish);
}
