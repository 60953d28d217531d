// SPDX-License-Identifier: GPL-3.0-or-later
// See admission.h.
#include "plan/admission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/conf.h"
#include "base/log.h"
#include "job/bounds_of.h"
#include "libburst/xalloc.h"
#include "node/launch.h"
#include "node/stagerd_probe.h"
#include "plan/limit_use.h"
#include "slurm/slurm_link.h"
#include "ssh/site_ready.h"
#include "state/bounds.h"
#include "state/jobs.h"

struct count {
    char key[BOUND_KEY_MAX + 8];
    unsigned n;
    UT_hash_handle hh;
};

struct admission {
    struct burstd *b;
    struct count *counts;
    struct limit_use *limits;
    unsigned trying;     // jobs that have or get nodes and have not started
    char not_ready[512]; // why nothing can be prepared at all, "" = it can
};

static struct count *row(struct admission *a, char kind, const char *key)
{
    char full[sizeof(((struct count *)0)->key)];
    struct count *r;

    snprintf(full, sizeof(full), "%c%s", kind, key);
    HASH_FIND_STR(a->counts, full, r);
    if (r)
        return r;
    r = xmalloc(sizeof(*r));
    snprintf(r->key, sizeof(r->key), "%s", full);
    HASH_ADD_STR(a->counts, key, r);
    return r;
}

static void array_of(const char *key, char out[40])
{
    snprintf(out, 40, "%s", key);
    out[strcspn(out, "_")] = '\0';
}

// A job that has its nodes and has not started, or just so: what it tries is not known to work yet.
static void count_trying(struct admission *a, const struct bjob *j)
{
    char key[BOUND_KEY_MAX];

    if (j->state != JOB_SECURING && j->state != JOB_PLACED &&
        ((j->state != JOB_RUNNING && j->state != JOB_STAGEOUT) || j->proven))
        return;
    a->trying++;
    row(a, 's', bound_shape_key(j->partition, j->shape, key))->n++;
    row(a, 'p', j->partition)->n++;
    bound_place_key(key, j->cloud, j->region, j->zone, j->itype, j->spot);
    row(a, 'P', key)->n++;
}

static void ask_site(struct admission *a)
{
    const struct burst_conf *conf = a->b->conf;
    struct site_needs needs = {conf->munge_key, conf->ssh_key, conf->slurm_conf};
    burst_error_t err;

    if (site_ready(&needs, &err) < 0) {
        snprintf(a->not_ready, sizeof(a->not_ready), "nothing is rented now: %.480s", err.text);
        log_rarely(LOG_LEVEL_ERROR, "%s", a->not_ready);
    }
}

struct admission *admission_create(struct burstd *b)
{
    struct admission *a = xmalloc(sizeof(*a));
    const struct sjob *const *all;
    char array[40], limit[BOUND_KEY_MAX];

    a->b = b;
    a->limits = limit_use_create(b);
    ask_site(a);
    JOBS_EACH(b->jobs, j)
    {
        count_trying(a, j);
        if (j->state != JOB_SECURING && j->state != JOB_PLACED && j->state != JOB_RUNNING)
            continue;
        row(a, 'l', bound_of_limit(b, j, j->partition, limit))->n++;
        if (j->state != JOB_RUNNING && strchr(j->key, '_')) {
            array_of(j->key, array);
            row(a, 'a', array)->n++;
        }
    }
    size_t n = slurm_link_jobs(b->slurm, &all);
    for (size_t k = 0; k < n; k++) {
        const struct bjob *j;
        if (all[k]->state != SJOB_RUNNING || !strchr(all[k]->job, '_'))
            continue;
        j = jobs_find(b->jobs, all[k]->job);
        if (j && (j->state == JOB_SECURING || j->state == JOB_PLACED))
            continue; // counted
        array_of(all[k]->job, array);
        row(a, 'a', array)->n++;
    }
    return a;
}

void admission_destroy(struct admission *a)
{
    struct count *r, *next;

    if (!a)
        return;
    limit_use_destroy(a->limits);
    HASH_ITER(hh, a->counts, r, next)
    {
        HASH_DEL(a->counts, r);
        free(r);
    }
    free(a);
}

// sbatch --array=1-100%4
static bool array_has_room(struct admission *a, const struct bjob *j, const struct sjob *s,
                           char *why, size_t size)
{
    char array[40];

    if (!s->array_max_tasks || !strchr(j->key, '_'))
        return true;
    array_of(j->key, array);
    if (row(a, 'a', array)->n < s->array_max_tasks)
        return true;
    snprintf(why, size, "as many tasks of its array as may run at a time (%u) do",
             s->array_max_tasks);
    return false;
}

// Of Slurm's limits, which the QOS of a partition may change.
static bool some_partition_has_room(struct admission *a, const struct sjob *s, char *why,
                                    size_t size)
{
    const struct burst_conf *c = a->b->conf;
    bool room = c->n_clouds == 0;

    for (unsigned k = 0; k < c->n_clouds && !room; k++)
        room = limit_use_room(a->limits, s, c->clouds[k].partition, why, size);
    return room;
}

bool admission_ask(struct admission *a, const struct bjob *j, const struct sjob *s, char *why,
                   size_t size)
{
    if (a->not_ready[0]) {
        snprintf(why, size, "%s", a->not_ready);
        return false;
    }
    return stagerd_runs(a->b, why, size) &&
           !bounds_site_closed(a->b->bounds, a->trying, why, size) &&
           bound_room(a->b->bounds, BOUND_JOB, j->key, 0, why, size) > 0 &&
           array_has_room(a, j, s, why, size) && some_partition_has_room(a, s, why, size);
}

static bool room(struct admission *a, enum bound_kind kind, char letter, const char *key, char *why,
                 size_t size)
{
    return bound_room(a->b->bounds, kind, key, row(a, letter, key)->n, why, size) > 0;
}

bool admission_buy(struct admission *a, const struct bjob *j, const struct sjob *s,
                   const struct placement *p, const char *partition, char *why, size_t size)
{
    char shape[BOUND_KEY_MAX], place[BOUND_KEY_MAX], limit[BOUND_KEY_MAX], array[40];

    bound_of_limit(a->b, j, partition, limit);
    if (!admission_ask(a, j, s, why, size) ||
        !room(a, BOUND_PARTITION, 'p', partition, why, size) ||
        !room(a, BOUND_LIMIT, 'l', limit, why, size) ||
        !limit_use_room(a->limits, s, partition, why, size))
        return false;
    if (p) {
        bound_shape_key(partition, p->shape, shape);
        bound_place_key(place, p->cloud, p->region, p->zone, p->itype, p->spot);
        if (!room(a, BOUND_SHAPE, 's', shape, why, size) ||
            !room(a, BOUND_PLACE, 'P', place, why, size))
            return false;
        row(a, 's', shape)->n++;
        row(a, 'P', place)->n++;
    }
    a->trying++;
    row(a, 'p', partition)->n++;
    row(a, 'l', limit)->n++;
    limit_use_add(a->limits, s, partition);
    array_of(j->key, array);
    row(a, 'a', array)->n++;
    return true;
}
