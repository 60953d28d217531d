// SPDX-License-Identifier: GPL-3.0-or-later
// See data_place.h.
#include "data_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "conf.h"
#include "jobs.h"
#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "slurm_plugin/directive.h"
#include "store.h"

#define LOOKUPS 100    // of the journal, at a time: a few milliseconds
#define KEPT_MS 60000  // a job that ended may run again, and end, while nobody asks
#define KEPT_MAX 20000 // 4 MiB

struct known {
    char job[40];
    char place[DATA_PLACE_MAX];
    bool ended; // or was never heard of: kept for a while
    UT_hash_handle hh;
};

struct data_places {
    struct known *known;
    int64_t forget_ms; // all that is kept
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

static void forget_many(struct data_places *m, bool all)
{
    struct known *k, *next;

    HASH_ITER(hh, m->known, k, next)
    if (all || !k->ended)
        forget(m, k);
}

void data_places_destroy(struct data_places *m)
{
    if (!m)
        return;
    forget_many(m, true);
    free(m);
}

void data_places_begin(struct data_places *m)
{
    int64_t now = clock_mono_ms();
    bool old = now >= m->forget_ms || HASH_COUNT(m->known) >= KEPT_MAX;

    m->lookups = 0;
    forget_many(m, old);
    if (old)
        m->forget_ms = now + KEPT_MS;
}

static void place_of(struct burstd *b, const struct bjob *j, char out[DATA_PLACE_MAX])
{
    bool away = j && j->cloud[0] && j->region[0] &&
                (j->state == JOB_SECURING || j->state == JOB_PLACED || j->state == JOB_RUNNING ||
                 ((j->state == JOB_STAGEOUT || j->state == JOB_DONE) && j->started));

    if (away)
        snprintf(out, DATA_PLACE_MAX, "%s/%s", j->cloud, j->region);
    else
        snprintf(out, DATA_PLACE_MAX, "%s", b->conf->data_location);
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
    k->ended = !j || j->state >= JOB_DONE; // else a task of an array, named by its own id
    place_of(b, j, k->place);
    bjob_destroy(j);
    HASH_ADD_STR(m->known, job, k);
    return k;
}

void data_place(struct burstd *b, struct data_places *m, const char *job, char out[DATA_PLACE_MAX])
{
    const struct bjob *j = jobs_find(b->jobs, job);
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
        if (!job || jobs_find(b->jobs, job) || find(m, job))
            continue;
        if (m->lookups >= LOOKUPS)
            return false;
        look_up(b, m, job);
    }
    return true;
}
