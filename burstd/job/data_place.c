// SPDX-License-Identifier: GPL-3.0-or-later
// See data_place.h.
#include "job/data_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/conf.h"
#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "slurm_plugin/directive.h"
#include "state/jobs.h"
#include "state/store.h"

#define LOOKUPS 100    // of the journal, at a time: a few milliseconds
#define KEPT_MS 60000  // a job that ended may run again, and end, while nobody asks
#define KEPT_MAX 20000 // 4 MiB

struct known {
    char job[40];
    char place[DATA_PLACE_MAX];
    UT_hash_handle hh;
};

// Of an array: the task that stands for it. Of a task: itself, by the id that it got at its start.
struct numbered {
    uint32_t id;
    struct bjob *j;
    UT_hash_handle hh;
};

struct data_places {
    struct known *known;
    struct numbered *numbered; // tasks of arrays, as the tables are now
    bool counted;              // they were looked at
    int64_t forget_ms;         // all that is kept
    unsigned lookups;
};

struct data_places *data_places_create(void)
{
    return xmalloc(sizeof(struct data_places));
}

static void forget(struct data_places *m, struct known *k)
{
    HASH_DEL(m->known, k);
    free(k);
}

static void forget_all(struct data_places *m)
{
    struct known *k, *next;

    HASH_ITER(hh, m->known, k, next)
    forget(m, k);
}

static void forget_numbers(struct data_places *m)
{
    struct numbered *x, *next;

    m->counted = false;
    HASH_ITER(hh, m->numbered, x, next)
    {
        HASH_DEL(m->numbered, x);
        free(x);
    }
}

void data_places_destroy(struct data_places *m)
{
    if (!m)
        return;
    forget_all(m);
    forget_numbers(m);
    free(m);
}

void data_places_begin(struct data_places *m)
{
    int64_t now = clock_mono_ms();

    m->lookups = 0;
    forget_numbers(m);
    if (now < m->forget_ms && HASH_COUNT(m->known) < KEPT_MAX)
        return;
    forget_all(m);
    m->forget_ms = now + KEPT_MS;
}

static bool away(const struct bjob *j)
{
    return j && j->cloud[0] && j->region[0] &&
           (j->state == JOB_SECURING || j->state == JOB_PLACED || j->state == JOB_RUNNING ||
            ((j->state == JOB_STAGEOUT || j->state == JOB_DONE) && j->started));
}

static void place_of(struct burstd *b, const struct bjob *j, char out[DATA_PLACE_MAX])
{
    if (away(j))
        snprintf(out, DATA_PLACE_MAX, "%s/%s", j->cloud, j->region);
    else
        snprintf(out, DATA_PLACE_MAX, "%s", b->conf->data_location);
}

static void add_number(struct data_places *m, uint32_t id, struct bjob *j)
{
    struct numbered *x;

    HASH_FIND(hh, m->numbered, &id, sizeof(id), x);
    if (!x) {
        x = xmalloc(sizeof(*x));
        x->id = id;
        x->j = j;
        HASH_ADD(hh, m->numbered, id, sizeof(x->id), x);
    } else if (!away(x->j) && (away(j) || (j->planning && !x->j->planning))) {
        x->j = j;
    }
}

// Once for a plan.
static void number_tasks(struct burstd *b, struct data_places *m)
{
    m->counted = true;
    JOBS_EACH(b->jobs, j)
    {
        if (!strchr(j->key, '_'))
            continue;
        uint32_t array = (uint32_t)strtoul(j->key, NULL, 10);
        add_number(m, array, j);
        if (j->job_id != array)
            add_number(m, j->job_id, j);
    }
}

struct bjob *data_place_job(struct burstd *b, struct data_places *m, const char *job)
{
    struct bjob *j = jobs_find(b->jobs, job);
    struct numbered *x;

    if (j || strchr(job, '_'))
        return j;
    if (!m->counted)
        number_tasks(b, m);
    uint32_t id = (uint32_t)strtoul(job, NULL, 10);
    HASH_FIND(hh, m->numbered, &id, sizeof(id), x);
    return x ? x->j : NULL;
}

static struct known *find(struct data_places *m, const char *job)
{
    struct known *k;

    HASH_FIND_STR(m->known, job, k);
    return k;
}

static struct known *look_up(struct burstd *b, struct data_places *m, const char *job)
{
    struct known *k = xmalloc(sizeof(*k));
    struct bjob *j = store_find_job(b->store, job);

    m->lookups++;
    snprintf(k->job, sizeof(k->job), "%s", job);
    place_of(b, j, k->place);
    bjob_destroy(j);
    HASH_ADD_STR(m->known, job, k);
    return k;
}

void data_place(struct burstd *b, struct data_places *m, const char *job, char out[DATA_PLACE_MAX])
{
    const struct bjob *j = data_place_job(b, m, job);
    struct known *k = find(m, job);

    if (j) {
        if (k) // it runs again: what was known is of an earlier life
            forget(m, k);
        place_of(b, j, out);
        return;
    }
    if (!k)
        k = look_up(b, m, job);
    snprintf(out, DATA_PLACE_MAX, "%s", k->place);
}

bool data_places_know(struct burstd *b, struct data_places *m, const char *data)
{
    struct directive_data item;

    while (directive_data_next(&data, &item)) {
        const char *job = directive_data_job(&item);
        if (!job || data_place_job(b, m, job) || find(m, job))
            continue;
        if (m->lookups >= LOOKUPS)
            return false;
        look_up(b, m, job);
    }
    return true;
}
