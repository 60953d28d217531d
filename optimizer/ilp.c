// SPDX-License-Identifier: GPL-3.0-or-later
// The linear formulation, solved by GLPK's branch and cut. What the dissertation on intercloud
// brokers calls eq. 4.1-4.3, with the products of two choices made linear in the tight way:
//
//   x_to in {0,1}      task t takes option o,                 sum_o x_to = 1
//   z_eab >= 0         edge e runs from place a to place b,   sum_b z_eab = sum_(o in a) x_uo
//                                                             sum_a z_eab = sum_(o in b) x_vo
//   y_dp in [0,1]      data set d is copied to place p,       y_dp >= sum_(o in p) x_to
//   f_t                finish time,  f_v >= f_u + sum time_e z_eab + sum duration x_vo
//                                    f_t >= sum (release + duration) x_to,  f_t <= T
//   limits             sum nodes x <= max_nodes, sum compute x <= max_usd
//
// GLPK calls abort() on internal errors and looks at its time limit only between nodes: both are
// turned into a long jump back here, after which its whole environment is freed. It runs only in
// burst-solve, never in the daemon. Not thread-safe.
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <glpk.h>

#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "optimizer/part.h"

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
    int *edge_col, *edge_a, *edge_b; // z columns of all edges, per edge from edge_start[e]
    int *edge_start;
    int *copy_start; // y columns per data set, by place
    uint32_t n_places;
    bool offered;
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

static void add_edge(struct model *m, uint32_t e, int *n_z)
{
    const struct problem *p = m->p;
    const struct problem_edge *x = &p->edge[e];
    uint32_t *a = xcalloc(m->n_places, sizeof(*a)), *b = xcalloc(m->n_places, sizeof(*b));
    uint32_t na = places_of_task(p, x->u, a), nb = places_of_task(p, x->v, b);
    int *row_a = xcalloc(na, sizeof(*row_a)), *row_b = xcalloc(nb, sizeof(*row_b));

    for (uint32_t i = 0; i < na; i++) {
        row_a[i] = add_row(m, GLP_FX, 0, 0);
        for (uint32_t o = p->first[x->u]; o < p->first[x->u + 1]; o++)
            if (p->opt[o].place == a[i])
                put(m, row_a[i], x_col(m, o), -1);
    }
    for (uint32_t j = 0; j < nb; j++) {
        row_b[j] = add_row(m, GLP_FX, 0, 0);
        for (uint32_t o = p->first[x->v]; o < p->first[x->v + 1]; o++)
            if (p->opt[o].place == b[j])
                put(m, row_b[j], x_col(m, o), -1);
    }
    for (uint32_t i = 0; i < na; i++)
        for (uint32_t j = 0; j < nb; j++) {
            int64_t cost = edge_cost(p, x, a[i], b[j]);
            if (cost >= COST_INF)
                continue; // no such column: this pair cannot be
            int c = add_col(m, GLP_LO, 0, 0, (double)cost * m->scale);
            put(m, row_a[i], c, 1);
            put(m, row_b[j], c, 1);
            m->edge_col[*n_z] = c;
            m->edge_a[*n_z] = (int)a[i];
            m->edge_b[(*n_z)++] = (int)b[j];
        }
    free(a);
    free(b);
    free(row_a);
    free(row_b);
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
            int64_t cost = places_cost(p->places, x->place, place[k], x->gb);
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
    for (uint32_t e = 0; e < p->n_edges; e++) {
        const struct problem_edge *x = &p->edge[e];
        int row = add_row(m, GLP_LO, 0, 0);
        put(m, row, m->first_f + (int)x->v, 1);
        put(m, row, m->first_f + (int)x->u, -1);
        for (uint32_t o = p->first[x->v]; o < p->first[x->v + 1]; o++)
            if (p->opt[o].duration)
                put(m, row, x_col(m, o), -unit * (double)p->opt[o].duration);
        for (int z = m->edge_start[e]; z < m->edge_start[e + 1]; z++)
            if (m->edge_a[z] != m->edge_b[z] && x->time)
                put(m, row, m->edge_col[z], -unit * (double)x->time);
    }
}

// An upper estimate of the size, so that nothing large is built in vain.
static bool small_enough(const struct problem *p)
{
    double columns = p->first[p->n], nonzeros = columns;

    for (uint32_t e = 0; e < p->n_edges; e++) {
        double a = p->first[p->edge[e].u + 1] - p->first[p->edge[e].u];
        double b = p->first[p->edge[e].v + 1] - p->first[p->edge[e].v];
        columns += a * b;
        nonzeros += 3 * a * b + a + b;
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
    int n_z = 0;
    size_t cells = 0;

    m->lp = glp_create_prob();
    glp_set_obj_dir(m->lp, GLP_MIN);
    m->n_places = places_count(p->places);
    for (uint32_t e = 0; e < p->n_edges; e++)
        cells += (size_t)(p->first[p->edge[e].u + 1] - p->first[p->edge[e].u]) *
                 (p->first[p->edge[e].v + 1] - p->first[p->edge[e].v]);
    m->edge_col = xcalloc(cells + 1, sizeof(int));
    m->edge_a = xcalloc(cells + 1, sizeof(int));
    m->edge_b = xcalloc(cells + 1, sizeof(int));
    m->edge_start = xcalloc(p->n_edges + 1, sizeof(int));
    m->copy_start = xcalloc((size_t)p->n_datasets * m->n_places + 1, sizeof(int));
    add_choices(m);
    for (uint32_t e = 0; e < p->n_edges; e++) {
        m->edge_start[e] = n_z;
        add_edge(m, e, &n_z);
    }
    m->edge_start[p->n_edges] = n_z;
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
    for (uint32_t e = 0; e < p->n_edges; e++)
        for (int z = m->edge_start[e]; z < m->edge_start[e + 1]; z++)
            if (m->edge_a[z] == (int)p->opt[m->best->choice[p->edge[e].u]].place &&
                m->edge_b[z] == (int)p->opt[m->best->choice[p->edge[e].v]].place)
                x[m->edge_col[z]] = 1;
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

    if (!small_enough(p))
        return false;
    m = xmalloc(sizeof(*m));
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
    free(m->edge_col);
    free(m->edge_a);
    free(m->edge_b);
    free(m->edge_start);
    free(m->copy_start);
    free(m);
    return proven;
}
