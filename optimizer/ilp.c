// SPDX-License-Identifier: GPL-3.0-or-later
// The linear formulation, solved by GLPK's branch and cut. What the dissertation on intercloud
// brokers calls eq. 4.1-4.3, with the products of two choices made linear in the tight way:
//
//   x_to in {0,1}      task t takes option o,                 sum_o x_to = 1
//   z_eab >= 0         edge e runs from class a of places     sum_b z_eab = sum_(o in a) x_uo
//                      to class b (mrf.h),                    sum_a z_eab = sum_(o in b) x_vo
//   s_ep >= 0          both ends are in place p               s_ep <= sum_(o in p) x_uo, x_vo
//                                                             sum_(p in a) s_ep <= z_eaa
//   y_dp in [0,1]      data set d is copied to place p,       y_dp >= sum_(o in p) x_to
//   f_t                finish time,  f_v >= f_u + time_e (1 - sum s_ep) + sum duration x_vo
//                                    f_t >= sum (release + duration) x_to,  f_t <= T
//   limits             sum nodes x <= max_nodes, sum compute x <= max_usd
//
// GLPK calls abort() on internal errors and looks at its time limit only between nodes: both are
// turned into a long jump back here, after which its whole environment is freed. It runs only in
// burst-solve, never in the daemon. Not thread-safe.
#include "optimizer/ilp.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <glpk.h>

#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "optimizer/pair_costs.h"

#define COLUMNS_MAX 60000
#define NONZEROS_MAX 600000
#define GRACE_MS 100
#define ROUNDS_MAX 200

struct model {
    const struct problem *p;
    int64_t time;
    struct clockwork *clock;
    struct best *best;
    glp_prob *lp;
    double scale; // objective units per nano-dollar
    int *ia, *ja; // nonzeros, from 1
    double *ar;
    int nz, cap;
    int columns, rows;
    int first_x, first_f;
    struct mrf mrf; // classes of places and what pairs of them cost
    struct edge_cols *edge;
    int *copy_start; // y columns per data set, by place
    uint32_t n_places;
    bool offered;
};

// Columns of one edge of the mrf: 0 = there is none.
struct edge_cols {
    int *pair; // [class of u * n_cls of v + class of v]
    int *same; // per value of u: of its place, the same for all values there
};

static jmp_buf escape;

static void on_error(void *info)
{
    longjmp(escape, 1);
}

// GLPK reports progress through its terminal; nobody reads that, but it is a chance to look at
// the clock inside one long LP.
static int on_print(void *info, const char *text)
{
    struct model *m = info;

    if (m->clock->deadline_ms != INT64_MAX && clock_mono_ms() > m->clock->deadline_ms + GRACE_MS)
        longjmp(escape, 2);
    return 1;
}

static void put(struct model *m, int row, int col, double v)
{
    if (m->nz + 1 >= m->cap) {
        m->cap = m->cap ? m->cap * 2 : 4096;
        m->ia = xrealloc(m->ia, (size_t)m->cap * sizeof(int));
        m->ja = xrealloc(m->ja, (size_t)m->cap * sizeof(int));
        m->ar = xrealloc(m->ar, (size_t)m->cap * sizeof(double));
    }
    m->nz++;
    m->ia[m->nz] = row;
    m->ja[m->nz] = col;
    m->ar[m->nz] = v;
}

static int add_row(struct model *m, int type, double low, double high)
{
    int r = glp_add_rows(m->lp, 1);

    glp_set_row_bnds(m->lp, r, type, low, high);
    return r;
}

static int add_col(struct model *m, int type, double low, double high, double cost)
{
    int c = glp_add_cols(m->lp, 1);

    glp_set_col_bnds(m->lp, c, type, low, high);
    glp_set_obj_coef(m->lp, c, cost);
    return c;
}

static void add_choices(struct model *m)
{
    const struct problem *p = m->p;

    m->first_x = 1;
    for (uint32_t t = 0; t < p->n; t++) {
        int row = add_row(m, GLP_FX, 1, 1);
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            int c = add_col(m, GLP_DB, 0, 1, (double)p->opt[o].cost * m->scale);
            glp_set_col_kind(m->lp, c, GLP_BV);
            put(m, row, c, 1);
        }
    }
}

static int x_col(const struct model *m, uint32_t option)
{
    return m->first_x + (int)option;
}

// Values of a variable in a class or (place) in the place of a value, into a row with a factor.
static void put_values(struct model *m, int row, uint32_t t, uint32_t cls, double factor)
{
    for (uint32_t i = 0; i < m->mrf.var[t].k; i++)
        if (m->mrf.var[t].cls[i] == cls)
            put(m, row, x_col(m, m->p->first[t] + i), factor);
}

static uint32_t values_at(const struct model *m, uint32_t t, uint32_t place)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->mrf.var[t].k; i++)
        n += m->mrf.var[t].place[i] == place;
    return n;
}

static void put_place(struct model *m, int row, uint32_t t, uint32_t place, double factor)
{
    for (uint32_t i = 0; i < m->mrf.var[t].k; i++)
        if (m->mrf.var[t].place[i] == place)
            put(m, row, x_col(m, m->p->first[t] + i), factor);
}

static void add_pairs(struct model *m, const struct mrf_edge *e, struct edge_cols *c)
{
    uint32_t nu = m->mrf.var[e->u].n_cls, nv = m->mrf.var[e->v].n_cls;
    int first = glp_add_rows(m->lp, (int)(nu + nv));

    c->pair = xcalloc((size_t)nu * nv + 1, sizeof(int));
    for (uint32_t i = 0; i < nu + nv; i++)
        glp_set_row_bnds(m->lp, first + (int)i, GLP_FX, 0, 0);
    for (uint32_t i = 0; i < nu; i++)
        put_values(m, first + (int)i, e->u, i, -1);
    for (uint32_t j = 0; j < nv; j++)
        put_values(m, first + (int)(nu + j), e->v, j, -1);
    for (uint32_t i = 0; i < nu; i++)
        for (uint32_t j = 0; j < nv; j++) {
            double cost = e->apart[i * nv + j];
            // Where data cannot go from one place of a class to another, both ends are in one.
            bool own = m->mrf.var[e->u].cls_id[i] == m->mrf.var[e->v].cls_id[j];
            if (cost >= MRF_INF / 2 && !own)
                continue; // no such column: this pair cannot be
            int col = add_col(m, GLP_LO, 0, 0, cost >= MRF_INF / 2 ? 0 : cost * m->scale);
            put(m, first + (int)i, col, 1);
            put(m, first + (int)(nu + j), col, 1);
            c->pair[i * nv + j] = col;
        }
}

static void add_same(struct model *m, const struct mrf_edge *e, struct edge_cols *c)
{
    const struct mrf_var *u = &m->mrf.var[e->u], *v = &m->mrf.var[e->v];

    c->same = xcalloc(u->k + 1, sizeof(int));
    for (uint32_t a = 0; a < u->n_cls; a++) {
        uint32_t b = 0;
        while (b < v->n_cls && u->cls_id[a] != v->cls_id[b])
            b++;
        if (b == v->n_cls)
            continue;
        double cost = e->apart[a * v->n_cls + b];
        bool only = cost >= MRF_INF / 2;
        if (cost == 0 && (m->time >= TIME_INF || problem_time_between(m->p, e->u, e->v) == 0))
            continue; // nothing is saved in one place
        int row = add_row(m, only ? GLP_FX : GLP_LO, 0, 0);
        put(m, row, c->pair[a * v->n_cls + b], 1);
        for (uint32_t i = 0; i < u->k; i++) {
            if (u->cls[i] != a || c->same[i] || !values_at(m, e->v, u->place[i]))
                continue;
            int col = add_col(m, GLP_LO, 0, 0, only ? 0 : -cost * m->scale);
            int at_u = add_row(m, GLP_LO, 0, 0), at_v = add_row(m, GLP_LO, 0, 0);
            put_place(m, at_u, e->u, u->place[i], 1);
            put_place(m, at_v, e->v, u->place[i], 1);
            put(m, at_u, col, -1);
            put(m, at_v, col, -1);
            put(m, row, col, -1);
            for (uint32_t k = i; k < u->k; k++)
                if (u->place[k] == u->place[i])
                    c->same[k] = col;
        }
    }
}

// Distinct places of a task's options, in the order of the options.
static uint32_t places_of_task(const struct problem *p, uint32_t t, uint32_t *out)
{
    uint32_t n = 0;

    for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
        uint32_t k = 0;
        while (k < n && out[k] != p->opt[o].place)
            k++;
        if (k == n)
            out[n++] = p->opt[o].place;
    }
    return n;
}

static void add_dataset(struct model *m, uint32_t d)
{
    const struct problem *p = m->p;
    const struct problem_dataset *x = &p->dataset[d];
    int *y = m->copy_start + (size_t)d * m->n_places;
    uint32_t *place = xcalloc(m->n_places, sizeof(*place));

    for (uint32_t i = 0; i < x->n; i++) {
        uint32_t n = places_of_task(p, x->task[i], place);
        for (uint32_t k = 0; k < n; k++) {
            int64_t cost = copy_cost(p, x, place[k]);
            if (cost == 0)
                continue;
            if (!y[place[k]])
                y[place[k]] = add_col(m, GLP_DB, 0, 1, (double)cost * m->scale);
            int row = add_row(m, GLP_LO, 0, 0);
            put(m, row, y[place[k]], 1);
            for (uint32_t o = p->first[x->task[i]]; o < p->first[x->task[i] + 1]; o++)
                if (p->opt[o].place == place[k])
                    put(m, row, x_col(m, o), -1);
        }
    }
    free(place);
}

static void add_limits(struct model *m)
{
    const struct problem *p = m->p;

    for (uint32_t l = 0; l < p->n_limits; l++) {
        bool any = false;
        for (uint32_t o = 0; o < p->first[p->n] && !any; o++)
            any = sig_has(&p->sig[p->opt[o].sig], l);
        if (!any)
            continue;
        int nodes =
            p->limit[l].max_nodes >= 0 ? add_row(m, GLP_UP, 0, (double)p->limit[l].max_nodes) : 0;
        int nano = p->limit[l].max_nano >= 0
                       ? add_row(m, GLP_UP, 0, (double)p->limit[l].max_nano * m->scale)
                       : 0;
        for (uint32_t t = 0; t < p->n; t++)
            for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
                if (!sig_has(&p->sig[p->opt[o].sig], l))
                    continue;
                if (nodes)
                    put(m, nodes, x_col(m, o), (double)p->opt[o].nodes);
                if (nano && p->opt[o].compute)
                    put(m, nano, x_col(m, o), (double)p->opt[o].compute * m->scale);
            }
    }
}

static bool first_there(const struct mrf_var *v, uint32_t value)
{
    for (uint32_t i = 0; i < value; i++)
        if (v->place[i] == v->place[value])
            return false;
    return true;
}

static void add_times(struct model *m)
{
    const struct problem *p = m->p;
    double unit = 1.0 / (double)(m->time > 0 ? m->time : 1); // T = 1

    m->first_f = glp_get_num_cols(m->lp) + 1;
    for (uint32_t t = 0; t < p->n; t++)
        add_col(m, GLP_DB, 0, 1, 0);
    for (uint32_t t = 0; t < p->n; t++) {
        int row = add_row(m, GLP_LO, 0, 0);
        put(m, row, m->first_f + (int)t, 1);
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++)
            put(m, row, x_col(m, o),
                -unit * (double)sat_add(p->opt[o].release, p->opt[o].duration));
    }
    for (uint32_t i = 0; i < m->mrf.n_edges; i++) {
        const struct mrf_edge *e = &m->mrf.edge[i];
        double time = unit * (double)problem_time_between(p, e->u, e->v);
        int row = add_row(m, GLP_LO, time, 0);
        put(m, row, m->first_f + (int)e->v, 1);
        put(m, row, m->first_f + (int)e->u, -1);
        for (uint32_t o = p->first[e->v]; o < p->first[e->v + 1]; o++)
            if (p->opt[o].duration)
                put(m, row, x_col(m, o), -unit * (double)p->opt[o].duration);
        for (uint32_t k = 0; k < m->mrf.var[e->u].k; k++)
            if (m->edge[i].same[k] && time > 0 && first_there(&m->mrf.var[e->u], k))
                put(m, row, m->edge[i].same[k], time);
    }
}

// An upper estimate of the size, so that nothing large is built in vain.
static bool small_enough(const struct problem *p, const struct mrf *m)
{
    double columns = p->first[p->n], nonzeros = columns;

    for (uint32_t e = 0; e < m->n_edges; e++) {
        const struct mrf_var *u = &m->var[m->edge[e].u], *v = &m->var[m->edge[e].v];
        double pairs = (double)u->n_cls * v->n_cls, same = u->k < v->k ? u->k : v->k;
        columns += pairs + same;
        nonzeros += 3 * pairs + 6 * same + u->k + v->k;
    }
    for (uint32_t d = 0; d < p->n_datasets; d++)
        for (uint32_t i = 0; i < p->dataset[d].n; i++) {
            uint32_t t = p->dataset[d].task[i];
            columns += p->first[t + 1] - p->first[t];
            nonzeros += 2.0 * (p->first[t + 1] - p->first[t]);
        }
    nonzeros += (double)p->n_limits * p->first[p->n] / 4;
    return columns < COLUMNS_MAX && nonzeros < NONZEROS_MAX;
}

static void build(struct model *m)
{
    const struct problem *p = m->p;

    m->lp = glp_create_prob();
    glp_set_obj_dir(m->lp, GLP_MIN);
    m->n_places = places_count(p->places);
    m->edge = xcalloc(m->mrf.n_edges + 1, sizeof(*m->edge));
    m->copy_start = xcalloc((size_t)p->n_datasets * m->n_places + 1, sizeof(int));
    add_choices(m);
    for (uint32_t e = 0; e < m->mrf.n_edges; e++) {
        add_pairs(m, &m->mrf.edge[e], &m->edge[e]);
        add_same(m, &m->mrf.edge[e], &m->edge[e]);
    }
    for (uint32_t d = 0; d < p->n_datasets; d++)
        add_dataset(m, d);
    add_limits(m);
    if (m->time < TIME_INF)
        add_times(m);
    glp_load_matrix(m->lp, m->nz, m->ia, m->ja, m->ar);
}

// All columns of the plan at hand, for GLPK as its first incumbent.
static void offer_incumbent(struct model *m, glp_tree *tree)
{
    const struct problem *p = m->p;
    double *x = xcalloc((size_t)glp_get_num_cols(m->lp) + 2, sizeof(*x));
    int64_t *finish = xcalloc(p->n + 1, sizeof(*finish)), cost, span;

    for (uint32_t t = 0; t < p->n; t++)
        x[x_col(m, m->best->choice[t])] = 1;
    for (uint32_t i = 0; i < m->mrf.n_edges; i++) {
        const struct mrf_edge *e = &m->mrf.edge[i];
        const struct mrf_var *u = &m->mrf.var[e->u], *v = &m->mrf.var[e->v];
        uint32_t a = m->best->choice[e->u] - p->first[e->u];
        uint32_t b = m->best->choice[e->v] - p->first[e->v];
        x[m->edge[i].pair[u->cls[a] * v->n_cls + v->cls[b]]] = 1;
        if (u->place[a] == v->place[b] && m->edge[i].same[a])
            x[m->edge[i].same[a]] = 1;
    }
    for (uint32_t d = 0; d < p->n_datasets; d++)
        for (uint32_t i = 0; i < p->dataset[d].n; i++) {
            uint32_t place = p->opt[m->best->choice[p->dataset[d].task[i]]].place;
            int y = m->copy_start[(size_t)d * m->n_places + place];
            if (y)
                x[y] = 1;
        }
    problem_value(p, m->best->choice, &cost, &span, finish);
    for (uint32_t t = 0; t < p->n && m->time < TIME_INF; t++)
        x[m->first_f + (int)t] = (double)finish[t] / (double)(m->time > 0 ? m->time : 1);
    glp_ios_heur_sol(tree, x);
    free(x);
    free(finish);
}

static void on_node(glp_tree *tree, void *info)
{
    struct model *m = info;

    if (time_is_over(m->clock))
        glp_ios_terminate(tree);
    else if (glp_ios_reason(tree) == GLP_IHEUR && !m->offered && m->best->found) {
        m->offered = true;
        offer_incumbent(m, tree);
    }
}

static int left_ms(const struct model *m)
{
    int64_t left =
        m->clock->deadline_ms == INT64_MAX ? INT32_MAX : m->clock->deadline_ms - clock_mono_ms();

    return left > INT32_MAX ? INT32_MAX : left < 1 ? 1 : (int)left;
}

enum outcome { PROVEN, GIVEN_UP, AGAIN };

// GLPK's tolerances may let an assignment through that is late by a microsecond or over a limit by
// a cent. Forbids just what makes it so: the options along its critical path, or those that a
// limit counts.
static void forbid(struct model *m, const uint32_t *choice, int broken)
{
    const struct problem *p = m->p;
    bool *in = xcalloc(p->n + 1, sizeof(bool));
    int64_t *finish = xcalloc(p->n + 1, sizeof(*finish)), cost, span;
    int *col = xcalloc(p->n + 1, sizeof(*col)), n = 0;
    double *one = xcalloc(p->n + 1, sizeof(*one));

    problem_value(p, choice, &cost, &span, finish);
    for (uint32_t t = 0; t < p->n; t++)
        in[t] = broken >= 0 ? sig_has(&p->sig[p->opt[choice[t]].sig], (uint32_t)broken)
                            : finish[t] == span;
    // Backwards along everything that made the last task late.
    for (uint32_t i = p->n; broken < 0 && i-- > 0;) {
        uint32_t t = p->order[i];
        const struct opt *o = &p->opt[choice[t]];
        for (uint32_t k = p->in_first[t]; in[t] && k < p->in_first[t + 1]; k++) {
            const struct problem_edge *e = &p->edge[p->in_edge[k]];
            if (finish[e->u] + edge_time(e, p->opt[choice[e->u]].place, o->place) ==
                finish[t] - o->duration)
                in[e->u] = true;
        }
    }
    for (uint32_t t = 0; t < p->n; t++)
        if (in[t]) {
            col[++n] = x_col(m, choice[t]);
            one[n] = 1;
        }
    int row = add_row(m, GLP_UP, 0, n - 1);
    glp_set_mat_row(m->lp, row, n, col, one);
    free(in);
    free(finish);
    free(col);
    free(one);
}

// The assignment that GLPK found; false when its columns are no assignment.
static bool read_choice(const struct model *m, uint32_t *choice)
{
    const struct problem *p = m->p;
    bool whole = true;

    for (uint32_t t = 0; t < p->n; t++) {
        double most = -1;
        for (uint32_t o = p->first[t]; o < p->first[t + 1]; o++) {
            double v = glp_mip_col_val(m->lp, x_col(m, o));
            if (v > most) {
                most = v;
                choice[t] = o;
            }
        }
        whole = whole && most > 0.99;
    }
    return whole;
}

static enum outcome judge(struct model *m, bool finished)
{
    const struct problem *p = m->p;
    uint32_t *choice = xcalloc(p->n + 1, sizeof(*choice));
    int64_t cost, span, over;
    enum outcome out = GIVEN_UP;

    if (read_choice(m, choice)) {
        best_offer(m->best, p, choice, m->time);
        problem_value(p, choice, &cost, &span, NULL);
        int broken = problem_broken_limit(p, choice, &over);
        if (finished && (span > m->time || broken >= 0)) {
            forbid(m, choice, span > m->time ? -1 : broken);
            out = AGAIN;
        } else if (finished && cost <= m->best->cost) {
            out = PROVEN;
        }
    }
    free(choice);
    return out;
}

static enum outcome solve_once(struct model *m)
{
    glp_smcp smcp;
    glp_iocp iocp;

    glp_init_smcp(&smcp);
    smcp.tm_lim = left_ms(m);
    smcp.out_frq = 100;
    smcp.out_dly = 0;
    glp_std_basis(m->lp);
    if (glp_simplex(m->lp, &smcp) != 0)
        return GIVEN_UP;
    int status = glp_get_status(m->lp);
    if (status == GLP_NOFEAS)
        return m->best->found ? GIVEN_UP : PROVEN; // it cannot contradict a plan at hand
    if (status != GLP_OPT)
        return GIVEN_UP;
    glp_init_iocp(&iocp);
    iocp.br_tech = GLP_BR_DTH;
    iocp.bt_tech = GLP_BT_BLB;
    iocp.mir_cuts = GLP_ON;
    iocp.cov_cuts = GLP_ON;
    iocp.tol_obj = 1e-9;
    iocp.tol_int = 1e-6;
    iocp.mip_gap = 0;
    iocp.tm_lim = left_ms(m);
    iocp.out_frq = 100;
    iocp.out_dly = 0;
    iocp.cb_func = on_node;
    iocp.cb_info = m;
    m->offered = false;
    int rc = glp_intopt(m->lp, &iocp);
    status = glp_mip_status(m->lp);
    if (status == GLP_NOFEAS && rc == 0)
        return m->best->found ? GIVEN_UP : PROVEN;
    if (status != GLP_OPT && status != GLP_FEAS)
        return GIVEN_UP;
    return judge(m, rc == 0 && status == GLP_OPT);
}

static bool run(struct model *m)
{
    enum outcome out = AGAIN;

    for (int i = 0; i < ROUNDS_MAX && out == AGAIN && !time_is_over(m->clock); i++)
        out = solve_once(m);
    return out == PROVEN;
}

bool ilp(const struct problem *p, int64_t time, struct clockwork *clock, struct best *b)
{
    // volatile: read again after the long jump
    struct model *volatile m;
    volatile bool proven = false;

    m = xmalloc(sizeof(*m));
    if (!problem_mrf(p, COLUMNS_MAX, &m->mrf) || !small_enough(p, &m->mrf)) {
        mrf_free(&m->mrf);
        free(m);
        return false;
    }
    m->p = p;
    m->time = time;
    m->clock = clock;
    m->best = b;
    // The objective in thousands, whatever the dollars: GLPK's tolerances are partly absolute.
    double typical = b->found ? (double)b->cost : 0;
    for (uint32_t t = 0; t < p->n && !b->found; t++)
        typical += p->first[t + 1] > p->first[t] ? (double)p->opt[p->first[t]].cost : 0;
    m->scale = typical > 0 ? 1e3 / typical : 1e-9;
    if (setjmp(escape) == 0) {
        glp_term_out(GLP_ON);
        glp_term_hook(on_print, m);
        glp_error_hook(on_error, NULL);
        build(m);
        proven = run(m);
        glp_delete_prob(m->lp);
    }
    glp_error_hook(NULL, NULL);
    glp_term_hook(NULL, NULL);
    glp_free_env();
    free(m->ia);
    free(m->ja);
    free(m->ar);
    for (uint32_t e = 0; m->edge && e < m->mrf.n_edges; e++) {
        free(m->edge[e].pair);
        free(m->edge[e].same);
    }
    free(m->edge);
    mrf_free(&m->mrf);
    free(m->copy_start);
    free(m);
    return proven;
}
