// SPDX-License-Identifier: GPL-3.0-or-later
// See jobs.h.
#include "state/jobs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "state/journal.h"
#include "state/store.h"

#define FLUSH_MAX 500 // that are written with one look: a few milliseconds

// Jobs with the same job_id.
struct jobs_alike {
    uint32_t job_id;
    struct bjob *first; // list over id
    UT_hash_handle hh;
};

struct jobs {
    struct bjob *by_key;
    struct jobs_alike *by_id;
};

struct jobs *jobs_create(struct burstd *b)
{
    return xmalloc(sizeof(struct jobs));
}

static void enter(struct jobs *t, struct bjob *j)
{
    struct jobs_alike *a;

    HASH_FIND(hh, t->by_id, &j->job_id, sizeof(j->job_id), a);
    if (!a) {
        a = xmalloc(sizeof(*a));
        a->job_id = j->job_id;
        HASH_ADD(hh, t->by_id, job_id, sizeof(a->job_id), a);
    }
    j->id.alike = a;
    DL_APPEND2(a->first, j, id.prev, id.next);
}

static void leave(struct jobs *t, struct bjob *j)
{
    struct jobs_alike *a = j->id.alike;

    DL_DELETE2(a->first, j, id.prev, id.next);
    j->id.alike = NULL;
    if (a->first)
        return;
    HASH_DEL(t->by_id, a);
    free(a);
}

void jobs_set_id(struct jobs *t, struct bjob *j, uint32_t job_id)
{
    bool entered = j->id.alike != NULL;

    if (j->job_id == job_id)
        return;
    if (entered)
        leave(t, j);
    j->job_id = job_id;
    if (entered)
        enter(t, j);
}

void jobs_destroy(struct jobs *t)
{
    if (!t)
        return;
    struct bjob *j, *next;
    HASH_ITER(hh, t->by_key, j, next)
    jobs_remove(t, j);
    free(t);
}

void jobs_add(struct jobs *t, struct bjob *j)
{
    j->since_ms = j->placed_ms = clock_mono_ms();
    HASH_ADD_STR(t->by_key, key, j);
    enter(t, j);
}

struct bjob *jobs_find(struct jobs *t, const char *key)
{
    struct bjob *j;

    HASH_FIND_STR(t->by_key, key, j);
    return j;
}

struct bjob *jobs_by_id(struct jobs *t, uint32_t job_id)
{
    struct bjob *waiting = NULL;
    struct jobs_alike *a;

    HASH_FIND(hh, t->by_id, &job_id, sizeof(job_id), a);
    for (struct bjob *j = a ? a->first : NULL; j; j = j->id.next) {
        if (j->state == JOB_RUNNING || j->state == JOB_STAGEOUT)
            return j;
        if (!waiting || j->state == JOB_PLACED)
            waiting = j;
    }
    return waiting;
}

struct bjob *jobs_first(struct jobs *t)
{
    return t->by_key;
}

unsigned jobs_count(struct jobs *t)
{
    return HASH_COUNT(t->by_key);
}

void jobs_remove(struct jobs *t, struct bjob *j)
{
    leave(t, j);
    HASH_DEL(t->by_key, j);
    bjob_destroy(j);
}

// Most jobs of a site run locally: their mark is in Slurm, there is nothing to remember of them.
static bool nothing_to_remember(const struct bjob *j, enum job_state state)
{
    return !j->stored && (state == JOB_WATCHING || state == JOB_LOCAL || state == JOB_DONE);
}

int job_save(struct burstd *b, struct bjob *j)
{
    burst_error_t err;

    j->stored = true;
    if (store_put_job(b->store, j, &err) == 0) {
        j->unsaved = false;
        return 0;
    }
    journal_failed(b, "%s", err.text);
    return -1;
}

void job_event(struct burstd *b, const struct bjob *j, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_info("job %s: %s", j->key, text);
    store_add_event(b->store, j->key, text);
}

void job_attempt(struct burstd *b, const struct bjob *j, const struct instance *i,
                 const char *result, const char *message)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "cloud", i->cloud);
    json_add_str(o, "region", i->region);
    json_add_str(o, "zone", i->zone[0] ? i->zone : NULL);
    json_add_str(o, "instance_type", i->itype);
    json_add_str(o, "market", market_text(i->spot));
    json_add_str(o, "result", result);
    json_add_str(o, "message", message);
    store_add_attempt(b->store, j->key, o);
    cJSON_Delete(o);
}

int job_state(struct burstd *b, struct bjob *j, enum job_state state, const char *fmt, ...)
{
    enum job_state old = j->state;
    int64_t since = j->since;
    char reason[sizeof(j->reason)];
    va_list ap;

    memcpy(reason, j->reason, sizeof(reason));
    va_start(ap, fmt);
    vsnprintf(j->reason, sizeof(j->reason), fmt, ap);
    va_end(ap);
    j->state = state;
    if (state != old) {
        j->since = clock_now_s();
        j->since_ms = clock_mono_ms();
    }
    if (nothing_to_remember(j, state) || (state == old && state == JOB_WATCHING))
        return 0;
    bool news = state != old || strcmp(reason, j->reason) != 0;
    if (old <= JOB_CANDIDATE && state <= JOB_CANDIDATE) { // nothing was bought for it: jobs_flush()
        j->unsaved = true;
        j->untold = j->untold || news;
        return 0;
    }
    if (job_save(b, j) < 0) {
        j->state = old;
        j->since = since;
        memcpy(j->reason, reason, sizeof(reason));
        return -1;
    }
    if (news)
        job_event(b, j, "%s", j->reason);
    return 0;
}

// Those that are due, in the order of the table, but not more than fit into one look.
static size_t unsaved(struct burstd *b, struct bjob **list)
{
    size_t n = 0;

    for (struct bjob *j = jobs_first(b->jobs); j && n < FLUSH_MAX; j = j->hh.next)
        if (j->unsaved)
            list[n++] = j;
    return n;
}

static int write_all(struct burstd *b, struct bjob **list, size_t n, burst_error_t *errp)
{
    if (store_begin(b->store, errp) < 0)
        return -1;
    for (size_t k = 0; k < n; k++) {
        list[k]->stored = true;
        if (store_put_job(b->store, list[k], errp) < 0) {
            store_rollback(b->store);
            return -1;
        }
        if (list[k]->untold)
            job_event(b, list[k], "%s", list[k]->reason);
    }
    return store_commit(b->store, errp);
}

void jobs_flush(struct burstd *b)
{
    struct bjob *list[FLUSH_MAX];
    size_t n = unsaved(b, list);
    burst_error_t err;

    if (n == 0)
        return;
    if (write_all(b, list, n, &err) < 0) {
        journal_failed(b, "%s", err.text);
        return;
    }
    for (size_t k = 0; k < n; k++)
        list[k]->unsaved = list[k]->untold = false;
    if (n == FLUSH_MAX)
        b->poke(b);
}
