// SPDX-License-Identifier: GPL-3.0-or-later
// Local search: single tasks to other options, and all tasks of one place (or of one data set in
// it) to another place, as long as the plan gets cheaper and keeps time and limits.
#include "optimizer/improve.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

#define COUNTS_MAX (16u << 20)
#define SWEEPS 30

struct local {
    const struct problem *p;
    int64_t time;
    struct clockwork *clock;
    uint32_t *choice;
    int64_t *nodes, *nano; // used of each limit
    uint32_t n_places;
    uint32_t *count;              // [dataset][place]: tasks there; NULL = too many to keep
    uint32_t *ds_first, *ds_list; // data sets of a task
    uint32_t *at; // [task][place]: its cheapest option there, UINT32_MAX = none; NULL = too many
};

static void index_datasets(struct local *s)
{
    const struct problem *p = s->p;

    s->ds_first = xcalloc(p->n + 2, sizeof(*s->ds_first));
    for (uint32_t d = 0; d < p->n_datasets; d++)
        for (uint32_t i = 0; i < p->dataset[d].n; i++)
            s->ds_first[p->dataset[d].task[i] + 2]++;
    for (uint32_t t = 0; t < p->n; t++)
        s->ds_first[t + 2] += s->ds_first[t + 1];
    s->ds_list = xcalloc(s->ds_first[p->n + 1] + 1, sizeof(*s->ds_list));
    for (uint32_t d = 0; d < p->n_datasets; d++)
        for (uint32_t i = 0; i < p->dataset[d].n; i++)
            s->ds_list[s->ds_first[p->dataset[d].task[i] + 1]++] = d;
}

static void recount(struct local *s)
{
    const struct problem *p = s->p;

    memset(s->nodes, 0, (p->n_limits + 1) * sizeof(*s->nodes));
    memset(s->nano, 0, (p->n_limits + 1) * sizeof(*s->nano));
    for (uint32_t t = 0; t < p->n; t++) {
        const struct opt *o = &p->opt[s->choice[t]];
        for (uint32_t l = 0; l < p->n_limits; l++)
            if (sig_has(&p->sig[o->sig], l)) {
                s->nodes[l] += o->nodes;
                s->nano[l] += o->compute;
            }
    }
    if (!s->count)
        return;
    memset(s->count, 0, (size_t)p->n_datasets * s->n_places * sizeof(*s->count));
    for (uint32_t d = 0; d < p->n_datasets; d++)
        for (uint32_t i = 0; i < p->dataset[d].n; i++)
            s->count[(size_t)d * s->n_places + p->opt[s->choice[p->dataset[d].task[i]]].place]++;
}

// Change of cost when task t moves to option o; COST_INF = impossible.
static int64_t change(const struct local *s, uint32_t t, const struct opt *o)
{
    const struct problem *p = s->p;
    const struct opt *now = &p->opt[s->choice[t]];
    int64_t sum = o->cost - now->cost;

    if (o->place == now->place)
        return sum;
    for (uint32_t k = p->in_first[t]; k < p->in_first[t + 1]; k++) {
        const struct problem_edge *e = &p->edge[p->in_edge[k]];
        uint32_t from = p->opt[s->choice[e->u]].place;
        int64_t c = edge_cost(p, e, from, o->place);
        if (c >= COST_INF)
            return COST_INF;
        sum += c - edge_cost(p, e, from, now->place);
    }
    for (uint32_t k = p->out_first[t]; k < p->out_first[t + 1]; k++) {
        const struct problem_edge *e = &p->edge[p->out_edge[k]];
        uint32_t to = p->opt[s->choice[e->v]].place;
        int64_t c = edge_cost(p, e, o->place, to);
        if (c >= COST_INF)
            return COST_INF;
        sum += c - edge_cost(p, e, now->place, to);
    }
    for (uint32_t k = s->ds_first[t]; s->count && k < s->ds_first[t + 1]; k++) {
        const struct problem_dataset *d = &p->dataset[s->ds_list[k]];
        const uint32_t *count = &s->count[(size_t)s->ds_list[k] * s->n_places];
        if (!count[o->place])
            sum += copy_cost(p, d, o->place);
        if (count[now->place] == 1)
            sum -= copy_cost(p, d, now->place);
    }
    return sum;
}

static bool fits(const struct local *s, uint32_t t, const struct opt *o)
{
    const struct problem *p = s->p;
    const struct opt *now = &p->opt[s->choice[t]];
    const struct sig *sig = &p->sig[o->sig];

    for (uint32_t l = 0; l < p->n_limits; l++) {
        if (!sig_has(sig, l))
            continue;
        bool had = sig_has(&p->sig[now->sig], l);
        int64_t nodes = s->nodes[l] + o->nodes - (had ? now->nodes : 0);
        int64_t nano = s->nano[l] + o->compute - (had ? now->compute : 0);
        if ((p->limit[l].max_nodes >= 0 && nodes > p->limit[l].max_nodes) ||
            (p->limit[l].max_nano >= 0 && nano > p->limit[l].max_nano))
            return false;
    }
    return true;
}

static void move(struct local *s, uint32_t t, uint32_t option)
{
    const struct problem *p = s->p;
    const struct opt *now = &p->opt[s->choice[t]], *o = &p->opt[option];

    for (uint32_t l = 0; l < p->n_limits; l++) {
        if (sig_has(&p->sig[now->sig], l)) {
            s->nodes[l] -= now->nodes;
            s->nano[l] -= now->compute;
        }
        if (sig_has(&p->sig[o->sig], l)) {
            s->nodes[l] += o->nodes;
            s->nano[l] += o->compute;
        }
    }
    for (uint32_t k = s->ds_first[t]; s->count && k < s->ds_first[t + 1]; k++) {
        uint32_t *count = &s->count[(size_t)s->ds_list[k] * s->n_places];
        count[now->place]--;
        count[o->place]++;
    }
    s->choice[t] = option;
}

static bool in_time(const struct local *s)
{
    int64_t cost, span;

    if (s->time >= TIME_INF)
        return true;
    problem_value(s->p, s->choice, &cost, &span, NULL);
    return span <= s->time;
}

static bool sweep(struct local *s)
{
    const struct problem *p = s->p;
    bool moved = false;

    for (uint32_t t = 0; t < p->n && !time_is_over(s->clock); t++) {
        uint32_t best = s->choice[t], old = best;
        int64_t gain = 0;
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            int64_t c = o == old ? 0 : change(s, t, &p->opt[o]);
            if (c >= gain || !fits(s, t, &p->opt[o]))
                continue;
            if (s->time < TIME_INF) {
                s->choice[t] = o;
                bool ok = in_time(s);
                s->choice[t] = old;
                if (!ok)
                    continue;
            }
            gain = c;
            best = o;
        }
        if (best != old) {
            move(s, t, best);
            moved = true;
        }
    }
    return moved;
}

static void index_options(struct local *s)
{
    const struct problem *p = s->p;

    if ((uint64_t)p->n * s->n_places > COUNTS_MAX)
        return;
    s->at = xcalloc((size_t)p->n * s->n_places + 1, sizeof(*s->at));
    memset(s->at, 0xff, (size_t)p->n * s->n_places * sizeof(*s->at));
    for (uint32_t t = 0; t < p->n; t++)
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            uint32_t *at = &s->at[(size_t)t * s->n_places + p->opt[o].place];
            if (*at == UINT32_MAX || p->opt[o].cost < p->opt[*at].cost)
                *at = o;
        }
}

// The cheapest option of a task in a place, or UINT32_MAX.
static uint32_t option_at(const struct local *s, uint32_t t, uint32_t place)
{
    const struct problem *p = s->p;
    uint32_t best = UINT32_MAX;

    if (s->at)
        return s->at[(size_t)t * s->n_places + place];
    for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++)
        if (p->opt[o].place == place && (best == UINT32_MAX || p->opt[o].cost < p->opt[best].cost))
            best = o;
    return best;
}

// Copies data set d to a place and moves there whoever gains by it; or (close) sends all
// its tasks away from a place, each to where it is cheapest now. Kept when it pays.
static bool reopen(struct local *s, uint32_t d, uint32_t place, bool close)
{
    const struct problem *p = s->p;
    const struct problem_dataset *x = &p->dataset[d];
    uint32_t *count = &s->count[(size_t)d * s->n_places + place];
    uint32_t *moved = xcalloc(x->n + 1, sizeof(*moved)), *was = xcalloc(x->n + 1, sizeof(*was));
    uint32_t n = 0;
    bool opened = !close && *count == 0;
    int64_t total = opened ? copy_cost(p, x, place) : 0;

    *count += opened;
    for (uint32_t i = 0; i < x->n; i++) {
        uint32_t t = x->task[i], best = UINT32_MAX;
        int64_t gain = close ? COST_INF : 0;
        if (close != (p->opt[s->choice[t]].place == place))
            continue;
        uint32_t only = close ? UINT32_MAX : option_at(s, t, place);
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            if (close ? p->opt[o].place == place : o != only)
                continue;
            int64_t c = change(s, t, &p->opt[o]);
            if (c < gain && fits(s, t, &p->opt[o])) {
                gain = c;
                best = o;
            }
        }
        if (best == UINT32_MAX)
            continue;
        moved[n] = t;
        was[n++] = s->choice[t];
        total += gain;
        move(s, t, best);
    }
    *count -= opened;
    bool keep = n > 0 && total < 0 && in_time(s);
    while (!keep && n > 0) {
        n--;
        move(s, moved[n], was[n]);
    }
    free(moved);
    free(was);
    return keep;
}

static bool reopen_all(struct local *s, const bool *known)
{
    bool any = false;

    for (uint32_t d = 0; s->count && d < s->p->n_datasets; d++)
        for (uint32_t q = 0; q < s->n_places && !time_is_over(s->clock); q++) {
            if (known[q])
                any = reopen(s, d, q, false) || any;
            if (s->count[(size_t)d * s->n_places + q])
                any = reopen(s, d, q, true) || any;
        }
    return any;
}

// Moves the given tasks that sit in one place to another, each to its cheapest option there.
static bool move_group(struct local *s, struct best *b, int64_t transfers, const uint32_t *task,
                       uint32_t n, uint32_t from, uint32_t to)
{
    const struct problem *p = s->p;
    uint32_t *save = xcalloc(p->n + 1, sizeof(*save)), moved = 0;
    int64_t estimate = 0;

    memcpy(save, s->choice, p->n * sizeof(*save));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t t = task ? task[i] : i, best;
        if (p->opt[s->choice[t]].place != from)
            continue;
        best = option_at(s, t, to);
        if (best == UINT32_MAX)
            continue;
        estimate += p->opt[best].cost - p->opt[s->choice[t]].cost;
        s->choice[t] = best;
        moved++;
    }
    // Moving can save no more than all that is paid for moving data.
    bool better = moved > 1 && estimate < transfers && best_offer(b, p, s->choice, s->time);
    if (better)
        recount(s);
    else
        memcpy(s->choice, save, p->n * sizeof(*save));
    free(save);
    return better;
}

static bool move_groups(struct local *s, struct best *b)
{
    const struct problem *p = s->p;
    bool *used = xcalloc(s->n_places + 1, sizeof(bool)), any = false;
    bool *known = xcalloc(s->n_places + 1, sizeof(bool));

    for (uint32_t t = 0; t < p->n; t++)
        used[p->opt[s->choice[t]].place] = true;
    for (uint32_t o = 0; o < p->first[p->n]; o++)
        known[p->opt[o].place] = true;
    any = reopen_all(s, known) && best_offer(b, p, s->choice, s->time);
    int64_t transfers = b->cost;
    for (uint32_t t = 0; t < p->n; t++)
        transfers -= p->opt[b->choice[t]].cost;
    for (uint32_t from = 0; from < s->n_places && !any; from++)
        for (uint32_t to = 0; used[from] && to < s->n_places; to++) {
            if (from == to || !known[to] || time_is_over(s->clock))
                continue;
            any = move_group(s, b, transfers, NULL, p->n, from, to) || any;
            for (uint32_t d = 0; d < p->n_datasets && !time_is_over(s->clock); d++)
                if (s->count && s->count[(size_t)d * s->n_places + from] > 1)
                    any = move_group(s, b, transfers, p->dataset[d].task, p->dataset[d].n, from,
                                     to) ||
                          any;
        }
    free(used);
    free(known);
    return any;
}

void improve(const struct problem *p, int64_t time, struct clockwork *clock, struct best *b)
{
    struct local s = {.p = p, .time = time, .clock = clock};
    bool any = true;

    if (!b->found)
        return;
    s.n_places = places_count(p->places);
    s.choice = xcalloc(p->n + 1, sizeof(*s.choice));
    s.nodes = xcalloc(p->n_limits + 1, sizeof(*s.nodes));
    s.nano = xcalloc(p->n_limits + 1, sizeof(*s.nano));
    if ((uint64_t)p->n_datasets * s.n_places < COUNTS_MAX)
        s.count = xcalloc((size_t)p->n_datasets * s.n_places + 1, sizeof(*s.count));
    index_datasets(&s);
    if (p->n_edges || p->n_datasets)
        index_options(&s);
    for (int i = 0; i < SWEEPS && any && !time_is_over(clock); i++) {
        memcpy(s.choice, b->choice, p->n * sizeof(*s.choice));
        recount(&s);
        any = sweep(&s);
        any = best_offer(b, p, s.choice, time) && any;
        if (!any && (p->n_edges || p->n_datasets)) {
            memcpy(s.choice, b->choice, p->n * sizeof(*s.choice));
            recount(&s);
            any = move_groups(&s, b);
        }
    }
    free(s.choice);
    free(s.nodes);
    free(s.nano);
    free(s.count);
    free(s.ds_first);
    free(s.ds_list);
    free(s.at);
}

// --- shaking ---

#define GROUP_MAX 24

// Tasks around one: over edges and data sets, nearest first.
static uint32_t neighbourhood(const struct local *s, uint32_t from, uint32_t want, uint32_t *out)
{
    const struct problem *p = s->p;
    bool *in = xcalloc(p->n + 1, sizeof(bool));
    uint32_t n = 1;

    out[0] = from;
    in[from] = true;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t t = out[i];
        for (uint32_t k = p->in_first[t]; k < p->in_first[t + 1] && n < want; k++)
            if (!in[p->edge[p->in_edge[k]].u])
                in[out[n++] = p->edge[p->in_edge[k]].u] = true;
        for (uint32_t k = p->out_first[t]; k < p->out_first[t + 1] && n < want; k++)
            if (!in[p->edge[p->out_edge[k]].v])
                in[out[n++] = p->edge[p->out_edge[k]].v] = true;
        for (uint32_t k = s->ds_first[t]; k < s->ds_first[t + 1]; k++) {
            const struct problem_dataset *d = &p->dataset[s->ds_list[k]];
            for (uint32_t j = 0; j < d->n && n < want; j++)
                if (!in[d->task[j]])
                    in[out[n++] = d->task[j]] = true;
        }
    }
    free(in);
    return n;
}

static uint32_t rnd(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*state >> 33) % n);
}

void shake(const struct problem *p, int64_t time, struct clockwork *clock, struct best *b,
           int rounds)
{
    struct local s = {.p = p, .time = time, .clock = clock};
    uint32_t group[GROUP_MAX];
    uint64_t state = 1;
    struct best fresh;

    if (!b->found || !p->n_edges)
        return;
    s.n_places = places_count(p->places);
    s.choice = xcalloc(p->n + 1, sizeof(*s.choice));
    index_datasets(&s);
    index_options(&s);
    best_init(&fresh, p->n);
    for (int r = 0; r < rounds && !time_is_over(clock) && !best_will_do(b); r++) {
        uint32_t t = rnd(&state, p->n),
                 n = neighbourhood(&s, t, 2 + rnd(&state, GROUP_MAX - 2), group);
        uint32_t k = p->first[t + 1] - p->first[t];
        uint32_t to = p->opt[p->first[t] + rnd(&state, k)].place;
        memcpy(s.choice, b->choice, p->n * sizeof(*s.choice));
        for (uint32_t i = 0; i < n; i++) {
            uint32_t o = option_at(&s, group[i], to);
            if (o != UINT32_MAX)
                s.choice[group[i]] = o;
        }
        fresh.found = false;
        if (!best_offer(&fresh, p, s.choice, time))
            continue;
        improve(p, time, clock, &fresh);
        if (best_offer(b, p, fresh.choice, time))
            r = 0; // goes on as long as it helps
    }
    best_free(&fresh);
    free(s.choice);
    free(s.ds_first);
    free(s.ds_list);
    free(s.at);
}
