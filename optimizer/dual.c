// SPDX-License-Identifier: GPL-3.0-or-later
// Lagrangian bounds. What couples tasks beyond their edges is moved into the costs:
//
//   limits     lambda_l >= 0 per node or per dollar that a limit counts; - lambda_l * max
//   time       mu_P >= 0 per path P through the graph; time of P * mu_P - mu_P * T
//
// For every choice of multipliers the least cost of the changed problem is a lower bound. They are
// moved along subgradients (Held and Karp 1971, with Polyak's step); each solution on the way is a
// plan or nearly one and is repaired.
#include "optimizer/dual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "optimizer/improve.h"

#define ORACLE_CELLS 2e5
#define PATHS_MAX 64
#define PATIENCE 15
#define REPAIR_EACH 10
#define ANEW_EACH 30
#define FIRST_ROUNDS 30
#define WIDE_ROUNDS 3
#define FEE_ALPHA 0.5

struct path {
    uint32_t *task; // in order
    uint32_t n;
    double mu;
};

struct dual {
    const struct problem *p;
    int64_t time;
    struct clockwork *clock;
    struct best *best;
    struct mrf *m; // costs as changed now
    double **base; // plain costs of the options
    double **cost; // as changed now
    double *lambda_nodes, *lambda_nano;
    double nano_unit, time_unit; // scale of the two kinds of constraint, in their units
    double *on_nodes, *on_nano;  // per signature: sum of lambdas
    struct path *path;
    uint32_t n_paths;
    bool wide, narrow; // wide: too much so for elimination; narrow: elimination may be tried
    bool bounds_only;
    uint32_t *x, *choice;
    double constant; // - sum lambda b - sum mu T
    int64_t *used_nodes, *used_nano;
    // the best seen: the bound, its constant, and what the model was
    double bound;
    double best_constant;
    struct mrf_state *best_state;
};

static double **copy_unary(const struct mrf *m)
{
    double **u = xcalloc(m->n + 1, sizeof(*u));

    for (uint32_t t = 0; t < m->n; t++) {
        u[t] = xcalloc(m->var[t].k + 1, sizeof(**u));
        memcpy(u[t], m->unary[t], m->var[t].k * sizeof(**u));
    }
    return u;
}

static void free_rows(double **r, uint32_t n)
{
    for (uint32_t i = 0; r && i < n; i++)
        free(r[i]);
    free(r);
}

// Charges are rounded down to what sums exactly: less than what the multipliers say is a bound too.
static double grained(const struct dual *d, double v)
{
    return floor(v / d->m->quantum) * d->m->quantum;
}

// Puts mu on a path into the costs: release of the first, durations, and transfers.
static void charge_path(struct dual *d, const struct path *path)
{
    const struct problem *p = d->p;
    double mu = path->mu / d->time_unit;

    for (uint32_t i = 0; i < path->n; i++) {
        uint32_t t = path->task[i];
        for (uint32_t k = 0; k < d->m->var[t].k; k++) {
            const struct opt *o = &p->opt[p->first[t] + k];
            d->cost[t][k] += mu * ((double)o->duration + (i == 0 ? (double)o->release : 0));
        }
        if (i > 0)
            d->m->edge[mrf_edge_between(d->m, path->task[i - 1], t)].extra +=
                mu * (double)problem_time_between(p, path->task[i - 1], t);
    }
}

// What the limits charge for an option.
static void charge_limits(struct dual *d)
{
    const struct problem *p = d->p;

    for (uint32_t s = 0; s < p->n_sigs; s++) {
        d->on_nodes[s] = d->on_nano[s] = 0;
        for (uint32_t l = 0; l < p->n_limits; l++)
            if (sig_has(&p->sig[s], l)) {
                d->on_nodes[s] += d->lambda_nodes[l];
                d->on_nano[s] += d->lambda_nano[l] / d->nano_unit;
            }
    }
    for (uint32_t l = 0; l < p->n_limits; l++) {
        if (p->limit[l].max_nodes >= 0)
            d->constant -= d->lambda_nodes[l] * (double)p->limit[l].max_nodes;
        if (p->limit[l].max_nano >= 0)
            d->constant -= d->lambda_nano[l] / d->nano_unit * (double)p->limit[l].max_nano;
    }
    for (uint32_t t = 0; t < p->n; t++)
        for (uint32_t k = 0; k < d->m->var[t].k; k++) {
            const struct opt *o = &p->opt[p->first[t] + k];
            d->cost[t][k] +=
                d->on_nodes[o->sig] * (double)o->nodes + d->on_nano[o->sig] * (double)o->compute;
        }
}

static void change_costs(struct dual *d)
{
    const struct problem *p = d->p;

    d->constant = 0;
    for (uint32_t t = 0; t < p->n; t++)
        memcpy(d->cost[t], d->base[t], d->m->var[t].k * sizeof(double));
    charge_limits(d);
    for (uint32_t e = 0; e < d->m->n_edges; e++)
        d->m->edge[e].extra = 0;
    for (uint32_t i = 0; i < d->n_paths; i++) {
        if (d->path[i].mu > 0)
            charge_path(d, &d->path[i]);
        d->constant -= d->path[i].mu / d->time_unit * (double)d->time;
    }
    for (uint32_t t = 0; t < p->n; t++)
        for (uint32_t k = 0; k < d->m->var[t].k; k++)
            d->cost[t][k] = grained(d, d->cost[t][k]);
    for (uint32_t e = 0; e < d->m->n_edges; e++)
        d->m->edge[e].extra = grained(d, d->m->edge[e].extra);
    mrf_set_unary(d->m, d->cost);
}

static void first_least(struct dual *d)
{
    for (uint32_t t = 0; t < d->m->n; t++) {
        d->x[t] = 0;
        for (uint32_t k = 1; k < d->m->var[t].k; k++)
            if (d->m->unary[t][k] < d->m->unary[t][d->x[t]])
                d->x[t] = k;
    }
}

// Least of the changed costs and where it is taken. Graphs too wide for elimination: a bound of it,
// by a few rounds on top of those of the steps before. What they moved stays moved, so that the
// bound gets tighter while the multipliers move.
static double oracle(struct dual *d)
{
    struct mrf *m = d->m;
    double value = 0;

    if (m->n_edges && !m->n_hubs && !d->wide && d->narrow &&
        mrf_eliminate(m, ORACLE_CELLS, d->x, &value))
        return value;
    if (m->n_edges || m->n_hubs) {
        value = mrf_bound(m, 0, d->wide ? WIDE_ROUNDS : FIRST_ROUNDS);
        d->wide = true;
        first_least(d);
        return value;
    }
    first_least(d);
    for (uint32_t t = 0; t < m->n; t++)
        value += m->unary[t][d->x[t]];
    return value;
}

static void count_limits(struct dual *d)
{
    const struct problem *p = d->p;

    memset(d->used_nodes, 0, (p->n_limits + 1) * sizeof(*d->used_nodes));
    memset(d->used_nano, 0, (p->n_limits + 1) * sizeof(*d->used_nano));
    for (uint32_t t = 0; t < p->n && p->n_limits; t++) {
        const struct opt *o = &p->opt[d->choice[t]];
        for (uint32_t w = 0; o->sig && w < SIG_WORDS; w++)
            for (uint64_t left = p->sig[o->sig].word[w]; left; left &= left - 1) {
                uint32_t l = w * 64 + (uint32_t)__builtin_ctzll(left);
                d->used_nodes[l] += o->nodes;
                d->used_nano[l] += o->compute;
            }
    }
}

static bool over(const struct dual *d, uint32_t l)
{
    const struct problem_limit *x = &d->p->limit[l];

    return (x->max_nodes >= 0 && d->used_nodes[l] > x->max_nodes) ||
           (x->max_nano >= 0 && d->used_nano[l] > x->max_nano);
}

struct relief {
    uint32_t task, option;
    double price; // per unit of relief
};

static int by_price(const void *pa, const void *pb)
{
    const struct relief *a = pa, *b = pb;

    if (a->price != b->price)
        return a->price < b->price ? -1 : 1;
    return a->task < b->task ? -1 : a->task > b->task;
}

static void shift_usage(struct dual *d, const struct opt *o, int sign)
{
    for (uint32_t w = 0; w < SIG_WORDS; w++)
        for (uint64_t left = d->p->sig[o->sig].word[w]; left; left &= left - 1) {
            uint32_t l = w * 64 + (uint32_t)__builtin_ctzll(left);
            d->used_nodes[l] += sign * (int64_t)o->nodes;
            d->used_nano[l] += sign * o->compute;
        }
}

// Whether moving t to o breaks no limit that holds now (those that are over may get better).
static bool harmless(struct dual *d, uint32_t t, const struct opt *o)
{
    const struct opt *now = &d->p->opt[d->choice[t]];
    bool ok = true;

    for (uint32_t w = 0; w < SIG_WORDS && ok; w++)
        for (uint64_t left = d->p->sig[o->sig].word[w]; left && ok; left &= left - 1) {
            uint32_t l = w * 64 + (uint32_t)__builtin_ctzll(left);
            bool had = sig_has(&d->p->sig[now->sig], l);
            int64_t nodes = (int64_t)o->nodes - (had ? now->nodes : 0);
            int64_t nano = o->compute - (had ? now->compute : 0);
            const struct problem_limit *x = &d->p->limit[l];
            if (x->max_nodes >= 0 && nodes > 0 && d->used_nodes[l] + nodes > x->max_nodes)
                ok = false;
            if (x->max_nano >= 0 && nano > 0 && d->used_nano[l] + nano > x->max_nano)
                ok = false;
        }
    return ok;
}

// Moves tasks out of one broken limit, the cheapest relief first.
static void relieve(struct dual *d, uint32_t l)
{
    const struct problem *p = d->p;
    const struct problem_limit *x = &p->limit[l];
    bool nano = x->max_nano >= 0 && d->used_nano[l] > x->max_nano; // what is over; else nodes
    struct relief *r = NULL;
    size_t n = 0, cap = 0;

    for (uint32_t t = 0; t < p->n; t++) {
        const struct opt *now = &p->opt[d->choice[t]];
        if (!sig_has(&p->sig[now->sig], l))
            continue;
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            bool has = sig_has(&p->sig[p->opt[o].sig], l);
            double less = nano ? (double)(now->compute - (has ? p->opt[o].compute : 0))
                               : (double)now->nodes - (has ? p->opt[o].nodes : 0);
            if (less <= 0)
                continue;
            if (n == cap) {
                cap = cap ? cap * 2 : 256;
                r = xrealloc(r, cap * sizeof(*r));
            }
            double more = d->cost[t][o - p->first[t]] - d->cost[t][d->choice[t] - p->first[t]];
            r[n++] = (struct relief){t, o, more / less};
        }
    }
    if (n)
        qsort(r, n, sizeof(*r), by_price);
    uint32_t *was = xcalloc(p->n + 1, sizeof(*was));
    memcpy(was, d->choice, p->n * sizeof(*was));
    for (size_t i = 0; i < n && over(d, l); i++) {
        uint32_t t = r[i].task;
        if (d->choice[t] != was[t] || !harmless(d, t, &p->opt[r[i].option]))
            continue;
        shift_usage(d, &p->opt[d->choice[t]], -1);
        d->choice[t] = r[i].option;
        shift_usage(d, &p->opt[d->choice[t]], 1);
    }
    free(was);
    free(r);
}

// Makes the path that is late shorter: the option whose price per saved time is least, one task
// after the other.
static void hurry(struct dual *d)
{
    const struct problem *p = d->p;
    int64_t cost, span;

    problem_value(p, d->choice, &cost, &span, NULL);
    for (uint32_t round = 0; round < 2 * p->n && span > d->time; round++) {
        double best = HUGE_VAL;
        uint32_t task = 0, option = 0;
        int64_t best_span = span;
        for (uint32_t t = 0; t < p->n; t++) {
            uint32_t was = d->choice[t];
            for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
                int64_t c, f;
                d->choice[t] = o;
                problem_value(p, d->choice, &c, &f, NULL);
                d->choice[t] = was;
                if (c >= COST_INF || f >= span)
                    continue;
                double price = ((double)(c - cost) + 1) / (double)(span - f);
                if (price < best) {
                    best = price;
                    task = t;
                    option = o;
                    best_span = f;
                }
            }
        }
        if (best_span >= span || time_is_over(d->clock))
            return;
        d->choice[task] = option;
        problem_value(p, d->choice, &cost, &span, NULL);
    }
}

static bool small_enough(const struct dual *d)
{
    return (double)d->p->n * d->p->first[d->p->n] < 3e5;
}

static void repair(struct dual *d)
{
    const struct problem *p = d->p;

    if (d->time < TIME_INF && small_enough(d))
        hurry(d);
    count_limits(d);
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t l = 0; l < p->n_limits; l++)
            if (over(d, l))
                relieve(d, l);
    if (best_offer(d->best, p, d->choice, d->time))
        improve(p, d->time, d->clock, d->best);
}

// A plan rounded from what the bound has left, made better by itself: the best one so far may be in
// a valley of its own.
static void start_anew(struct dual *d)
{
    const struct problem *p = d->p;
    struct best fresh;

    mrf_round(d->m, p->order, d->x);
    for (uint32_t t = 0; t < p->n; t++)
        d->choice[t] = p->first[t] + d->x[t];
    best_init(&fresh, p->n);
    if (d->time < TIME_INF && small_enough(d))
        hurry(d);
    count_limits(d);
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t l = 0; l < p->n_limits; l++)
            if (over(d, l))
                relieve(d, l);
    if (best_offer(&fresh, p, d->choice, d->time)) {
        improve(p, d->time, d->clock, &fresh);
        best_offer(d->best, p, fresh.choice, d->time);
    }
    best_free(&fresh);
}

// --- steps ---

static double polyak(const struct dual *d, double bound, double norm, double alpha)
{
    double target = d->best->found ? (double)d->best->cost : bound + 0.05 * fabs(bound) + 1;

    return norm > 0 ? alpha * (target - bound) / norm : 0;
}

static double norm_limits(const struct dual *d)
{
    const struct problem *p = d->p;
    double sum = 0;

    for (uint32_t l = 0; l < p->n_limits; l++) {
        double g = (double)(d->used_nodes[l] - p->limit[l].max_nodes);
        if (p->limit[l].max_nodes >= 0 && (g > 0 || d->lambda_nodes[l] > 0))
            sum += g * g;
        g = (double)(d->used_nano[l] - p->limit[l].max_nano) / d->nano_unit;
        if (p->limit[l].max_nano >= 0 && (g > 0 || d->lambda_nano[l] > 0))
            sum += g * g;
    }
    return sum;
}

static void step_limits(struct dual *d, double step)
{
    const struct problem *p = d->p;

    for (uint32_t l = 0; l < p->n_limits; l++) {
        if (p->limit[l].max_nodes >= 0)
            d->lambda_nodes[l] += step * (double)(d->used_nodes[l] - p->limit[l].max_nodes);
        if (p->limit[l].max_nano >= 0)
            d->lambda_nano[l] +=
                step * (double)(d->used_nano[l] - p->limit[l].max_nano) / d->nano_unit;
        d->lambda_nodes[l] = fmax(d->lambda_nodes[l], 0);
        d->lambda_nano[l] = fmax(d->lambda_nano[l], 0);
    }
}

// Finish along a given path in the current assignment.
static int64_t path_time(const struct dual *d, const struct path *path)
{
    const struct problem *p = d->p;
    int64_t sum = 0;

    for (uint32_t i = 0; i < path->n; i++) {
        const struct opt *o = &p->opt[d->choice[path->task[i]]];
        sum = sat_add(sum, o->duration);
        if (i == 0)
            sum = sat_add(sum, o->release);
        else if (o->place != p->opt[d->choice[path->task[i - 1]]].place)
            sum = sat_add(sum, problem_time_between(p, path->task[i - 1], path->task[i]));
    }
    return sum;
}

// The path that decides when the assignment is finished.
static void critical_path(const struct dual *d, struct path *out)
{
    const struct problem *p = d->p;
    int64_t *finish = xcalloc(p->n + 1, sizeof(*finish)), cost, span;
    uint32_t *rev = xcalloc(p->n + 1, sizeof(*rev)), n = 0, t = 0;

    problem_value(p, d->choice, &cost, &span, finish);
    for (uint32_t i = 0; i < p->n; i++)
        if (finish[i] > finish[t])
            t = i;
    for (bool more = true; more;) {
        const struct opt *o = &p->opt[d->choice[t]];
        int64_t begin = finish[t] - o->duration;
        more = false;
        rev[n++] = t;
        for (uint32_t k = p->in_first[t]; k < p->in_first[t + 1] && begin > o->release; k++) {
            const struct problem_edge *e = &p->edge[p->in_edge[k]];
            if (sat_add(finish[e->u], edge_time(e, p->opt[d->choice[e->u]].place, o->place)) ==
                begin) {
                t = e->u;
                more = true;
                break;
            }
        }
    }
    out->task = xcalloc(n, sizeof(*out->task));
    out->n = n;
    out->mu = 0;
    for (uint32_t i = 0; i < n; i++)
        out->task[i] = rev[n - 1 - i];
    free(finish);
    free(rev);
}

static void note_path(struct dual *d)
{
    struct path path;

    critical_path(d, &path);
    for (uint32_t i = 0; i < d->n_paths; i++)
        if (d->path[i].n == path.n &&
            memcmp(d->path[i].task, path.task, path.n * sizeof(*path.task)) == 0) {
            free(path.task);
            return;
        }
    if (d->n_paths == PATHS_MAX) {
        uint32_t least = 0;
        for (uint32_t i = 1; i < d->n_paths; i++)
            least = d->path[i].mu < d->path[least].mu ? i : least;
        free(d->path[least].task);
        d->path[least] = path;
        return;
    }
    d->path[d->n_paths++] = path;
}

static double norm_paths(const struct dual *d)
{
    double sum = 0;

    for (uint32_t i = 0; i < d->n_paths; i++) {
        double g = (double)(path_time(d, &d->path[i]) - d->time) / d->time_unit;
        if (g > 0 || d->path[i].mu > 0)
            sum += g * g;
    }
    return sum;
}

static void step_paths(struct dual *d, double step)
{
    for (uint32_t i = 0; i < d->n_paths; i++) {
        double g = (double)(path_time(d, &d->path[i]) - d->time) / d->time_unit;
        d->path[i].mu = fmax(d->path[i].mu + step * g, 0);
    }
}

static void dual_init(struct dual *d)
{
    const struct problem *p = d->p;
    double most = 1;

    d->base = copy_unary(d->m);
    d->cost = copy_unary(d->m);
    d->best_state = mrf_state_create(d->m);
    d->lambda_nodes = xcalloc(p->n_limits + 1, sizeof(double));
    d->lambda_nano = xcalloc(p->n_limits + 1, sizeof(double));
    d->on_nodes = xcalloc(p->n_sigs + 1, sizeof(double));
    d->on_nano = xcalloc(p->n_sigs + 1, sizeof(double));
    d->used_nodes = xcalloc(p->n_limits + 1, sizeof(int64_t));
    d->used_nano = xcalloc(p->n_limits + 1, sizeof(int64_t));
    d->x = xcalloc(p->n + 1, sizeof(uint32_t));
    d->choice = xcalloc(p->n + 1, sizeof(uint32_t));
    d->path = xcalloc(PATHS_MAX, sizeof(*d->path));
    for (uint32_t o = 0; o < p->first[p->n]; o++)
        most += (double)p->opt[o].compute / (double)p->first[p->n];
    d->nano_unit = most;
    d->time_unit = d->time > 0 && d->time < TIME_INF ? (double)d->time / 10 : 1;
}

static void dual_free(struct dual *d)
{
    free_rows(d->base, d->p->n);
    free_rows(d->cost, d->p->n);
    mrf_state_destroy(d->best_state);
    for (uint32_t i = 0; i < d->n_paths; i++)
        free(d->path[i].task);
    free(d->path);
    free(d->lambda_nodes);
    free(d->lambda_nano);
    free(d->on_nodes);
    free(d->on_nano);
    free(d->used_nodes);
    free(d->used_nano);
    free(d->x);
    free(d->choice);
}

static bool settled(const struct dual *d)
{
    return best_will_do(d->best) || (d->best->found && (double)d->best->cost - d->bound <
                                                           0.5 + 1e-14 * (double)d->best->cost);
}

static void climb(struct dual *d, int rounds)
{
    const struct problem *p = d->p;
    double alpha = 1.5;
    int waited = 0;

    int more = d->m->n_hubs && p->n_edges ? rounds / 2 : 0; // with fees raised as well
    for (int r = 0; r < rounds + more && !settled(d) && !time_is_over(d->clock); r++) {
        change_costs(d);
        double value = oracle(d) + d->constant, norm;
        if (value >= MRF_INF / 2)
            return;
        if (value > d->bound) {
            // Small gains are no reason to stay with a step that is too long.
            waited = value - d->bound > 2e-6 * fabs(value) ? 0 : waited + 1;
            d->bound = value;
            d->best_constant =
                d->wide ? value : d->constant; // elimination leaves the model as it is
            mrf_save(d->m, d->best_state);
        } else {
            waited++;
        }
        if (waited >= PATIENCE) {
            alpha /= 2;
            waited = 0;
        }
        bool stuck = alpha < 1e-4;
        if (d->m->n_hubs && d->m->still && (stuck || r == rounds)) {
            mrf_restore(d->m, d->best_state);
            d->m->still = false;
            alpha = FEE_ALPHA;
            continue;
        }
        if (stuck)
            return;
        for (uint32_t t = 0; t < p->n; t++)
            d->choice[t] = p->first[t] + d->x[t];
        count_limits(d);
        if (d->time < TIME_INF)
            note_path(d);
        norm = norm_limits(d) + (d->n_paths ? norm_paths(d) : 0);
        norm += mrf_share_norm(d->m);
        double step = polyak(d, value, norm, alpha);
        step_limits(d, step);
        mrf_step_shares(d->m, d->x, step);
        if (d->n_paths)
            step_paths(d, step);
        // Last: it changes the assignment.
        if (d->bounds_only)
            continue;
        if (best_offer(d->best, p, d->choice, d->time))
            improve(p, d->time, d->clock, d->best);
        else if (r % REPAIR_EACH == 0 || r + 1 == rounds || !d->best->found)
            repair(d);
        if (d->wide && r % ANEW_EACH == ANEW_EACH / 2)
            start_anew(d);
    }
}

void dual_ascent(const struct problem *p, int64_t time, int rounds, const struct solve_options *opt,
                 struct clockwork *clock, struct best *b, struct mrf *m, double *constant)
{
    struct clockwork most = *clock; // a quarter is for what comes after
    struct dual d = {.p = p, .time = time, .clock = &most, .best = b, .m = m};
    bool (*stop)(void *) = m->stop;
    void *arg = m->arg;

    d.narrow = !(opt->skip & STEP_ELIMINATE);
    d.bounds_only = opt->skip & STEP_IMPROVE;

    if (clock->deadline_ms != INT64_MAX) {
        most.deadline_ms -= (clock->deadline_ms - clock_mono_ms()) / 4;
        m->stop = time_is_over_fn;
        m->arg = &most;
    }
    dual_init(&d);
    d.bound = -HUGE_VAL;
    mrf_even_shares(m);
    m->still = true;
    climb(&d, rounds);
    m->still = false;
    if (d.bound > -HUGE_VAL) {
        mrf_restore(m, d.best_state);
        *constant += d.best_constant;
    } else {
        for (uint32_t e = 0; e < m->n_edges; e++)
            m->edge[e].extra = 0;
        mrf_set_unary(m, d.base);
    }
    dual_free(&d);
    m->stop = stop;
    m->arg = arg;
}
