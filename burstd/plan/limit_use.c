// SPDX-License-Identifier: GPL-3.0-or-later
// See limit_use.h. Slurm's own counts are a minute old when they are here, so they are not asked
// for: its table of jobs is of this second.
#include "plan/limit_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "libburst/xalloc.h"
#include "slurm/limits.h"
#include "slurm/slurm_link.h"
#include "state/jobs.h"

#define TRES_MAX 16 // that one scope limits

struct used {
    char key[200];
    unsigned jobs;
    double tres[TRES_MAX]; // in the order of the scope's text
    UT_hash_handle hh;
};

// Jobs that are in the same scopes.
struct alike {
    char key[320];
    size_t n;
    struct limit_scope *scope;
    struct used **used; // of each scope
    UT_hash_handle hh;
};

struct limit_use {
    struct burstd *b;
    struct used *rows;
    struct alike *alike;
    bool counted;
};

struct limit_use *limit_use_create(struct burstd *b)
{
    struct limit_use *u = xmalloc(sizeof(*u));

    u->b = b;
    return u;
}

void limit_use_destroy(struct limit_use *u)
{
    struct used *r, *next;
    struct alike *a, *next_alike;

    if (!u)
        return;
    HASH_ITER(hh, u->alike, a, next_alike)
    {
        HASH_DEL(u->alike, a);
        free(a->scope);
        free(a->used);
        free(a);
    }
    HASH_ITER(hh, u->rows, r, next)
    {
        HASH_DEL(u->rows, r);
        free(r);
    }
    free(u);
}

static struct used *row(struct limit_use *u, const char *key)
{
    struct used *r;

    HASH_FIND_STR(u->rows, key, r);
    if (r)
        return r;
    r = xmalloc(sizeof(*r));
    snprintf(r->key, sizeof(r->key), "%s", key);
    HASH_ADD_STR(u->rows, key, r);
    return r;
}

static const struct alike *alike(struct limit_use *u, const struct sjob *s, const char *partition)
{
    struct limited job = {s->user, s->account, s->qos, partition};
    struct limit_scope scope[LIMIT_SCOPES];
    char key[sizeof(((struct alike *)0)->key)];
    struct alike *a;

    snprintf(key, sizeof(key), "%.70s/%.70s/%.70s/%.70s", s->user, s->account, s->qos, partition);
    HASH_FIND_STR(u->alike, key, a);
    if (a)
        return a;
    a = xmalloc(sizeof(*a));
    memcpy(a->key, key, sizeof(key));
    a->n = limits_of(slurm_link_limits(u->b->slurm), &job, scope);
    a->scope = xcalloc(a->n + 1, sizeof(*a->scope));
    a->used = xcalloc(a->n + 1, sizeof(struct used *));
    for (size_t k = 0; k < a->n; k++) {
        a->scope[k] = scope[k];
        a->used[k] = row(u, scope[k].key);
    }
    HASH_ADD_STR(u->alike, key, a);
    return a;
}

// A part of "cpu=4,gres/gpu=2".
struct part {
    const char *name;
    size_t len;
    double most;
    unsigned k;
};

static bool next_part(const char **at, struct part *p)
{
    if (!**at || p->k + 1 >= TRES_MAX)
        return false;
    p->name = *at;
    p->len = strcspn(*at, "=,");
    p->most = limit_amount(*at, p->name, p->len);
    p->k++;
    *at += strcspn(*at, ",");
    *at += **at == ',';
    return true;
}

#define EACH_PART(text, p)                                                                         \
    for (const char *at_ = (text); at_; at_ = NULL)                                                \
        for (struct part p = {.k = (unsigned)-1}; next_part(&at_, &p);)

void limit_use_add(struct limit_use *u, const struct sjob *s, const char *partition)
{
    const struct alike *a = alike(u, s, partition);

    for (size_t k = 0; k < a->n; k++) {
        struct used *r = a->used[k];
        r->jobs++;
        EACH_PART(a->scope[k].tres, p)
        r->tres[p.k] += limit_amount(s->takes, p.name, p.len);
    }
}

static void count_running(struct limit_use *u)
{
    const struct sjob *const *all;
    size_t n = slurm_link_jobs(u->b->slurm, &all);

    for (size_t k = 0; k < n; k++)
        if (all[k]->state == SJOB_RUNNING)
            limit_use_add(u, all[k], all[k]->partition);
}

static void count_bought_for(struct limit_use *u)
{
    JOBS_EACH(u->b->jobs, j)
    {
        if (j->state != JOB_SECURING && j->state != JOB_PLACED)
            continue;
        const struct sjob *s = slurm_link_job(u->b->slurm, j->key);
        if (s && s->state == SJOB_PENDING)
            limit_use_add(u, s, j->partition);
    }
}

static void count(struct limit_use *u)
{
    if (u->counted)
        return;
    count_running(u);
    count_bought_for(u);
    u->counted = true;
}

static bool tres_room(const struct limit_scope *c, const struct used *r, const struct sjob *s,
                      char *why, size_t size)
{
    EACH_PART(c->tres, p)
    {
        double wants = limit_amount(s->takes, p.name, p.len);
        if (wants == 0 || r->tres[p.k] + wants <= p.most)
            continue;
        snprintf(why, size,
                 "%s of %s would be passed: %.*s %.15g of %.15g are taken, it takes %.15g",
                 c->tres_name, c->who, (int)p.len, p.name, r->tres[p.k], p.most, wants);
        return false;
    }
    return true;
}

bool limit_use_room(struct limit_use *u, const struct sjob *s, const char *partition, char *why,
                    size_t size)
{
    if (!limits_any(slurm_link_limits(u->b->slurm)))
        return true;
    const struct alike *a = alike(u, s, partition);
    if (a->n > 0)
        count(u);
    for (size_t k = 0; k < a->n; k++) {
        const struct limit_scope *c = &a->scope[k];
        const struct used *r = a->used[k];
        if (r->jobs >= c->jobs) {
            snprintf(why, size, "%s of %s is reached: %u of %u run or get their nodes",
                     c->jobs_name, c->who, r->jobs, c->jobs);
            return false;
        }
        if (!tres_room(c, r, s, why, size))
            return false;
    }
    return true;
}
