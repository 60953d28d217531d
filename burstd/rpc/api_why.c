// SPDX-License-Identifier: GPL-3.0-or-later
// See api_why.h. burstd's own story of a job comes first; where it has none the rules are asked
// what they say of the job as Slurm has it.
#include "rpc/api_why.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/burstd.h"
#include "base/conf.h"
#include "job/unmarked.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/ledger.h"
#include "rpc/api_rows.h"
#include "rpc/asked.h"
#include "slurm/slurm_link.h"
#include "slurm_plugin/directive.h"
#include "state/jobs.h"
#include "state/store.h"

#define DIGITS "0123456789"
// A job that was submitted a moment ago is not in the latest look at Slurm: looks are asked for and
// waited for.
#define LOOK_MS 100
#define LOOKS 20

// "123" or "123_4".
static bool job_number(const char *key)
{
    size_t n = strspn(key, DIGITS);

    if (n == 0 || n > 10)
        return false;
    if (key[n] == '_') {
        size_t task = strspn(key + n + 1, DIGITS);
        return task > 0 && task <= 10 && !key[n + 1 + task];
    }
    return !key[n];
}

static uint32_t raw_id(const char *key)
{
    return strchr(key, '_') ? 0 : (uint32_t)strtoul(key, NULL, 10);
}

// A task of the array `key`?
static bool task_of(const char *job, const char *key)
{
    size_t n = strlen(key);

    return strncmp(job, key, n) == 0 && job[n] == '_';
}

static struct bjob *live_job(struct burstd *b, const char *key)
{
    struct bjob *j = jobs_find(b->jobs, key), *task = NULL;

    if (!j && raw_id(key))
        j = jobs_by_id(b->jobs, raw_id(key));
    if (j || strchr(key, '_'))
        return j;
    // All tasks of the array have ids of their own: the one that is furthest.
    JOBS_EACH(b->jobs, other)
    if (task_of(other->key, key) && (!task || other->state > task->state))
        task = other;
    return task;
}

static const struct sjob *slurm_job(struct burstd *b, const char *key)
{
    const struct sjob *s = slurm_link_job(b->slurm, key);
    const struct sjob *const *all;

    if (!s && raw_id(key))
        s = slurm_link_job_by_id(b->slurm, raw_id(key));
    if (s || strchr(key, '_'))
        return s;
    size_t n = slurm_link_jobs(b->slurm, &all);
    for (size_t k = 0; k < n && !s; k++)
        if (task_of(all[k]->job, key))
            s = all[k];
    return s;
}

// {"tasks":10,"states":{"running":2,...}} of the array that the job is a task of.
static void add_array(struct burstd *b, const char *job, cJSON *answer)
{
    char array[40];
    cJSON *o = cJSON_CreateObject(), *states = cJSON_AddObjectToObject(o, "states");
    int64_t n = 0;

    snprintf(array, sizeof(array), "%s", job);
    array[strcspn(array, "_")] = '\0';
    json_add_str(o, "array", array);
    JOBS_EACH(b->jobs, j)
    {
        const char *word = row_job_word(j);
        if (!task_of(j->key, array))
            continue;
        n++;
        int64_t had = json_i64(states, word, 0);
        cJSON_DeleteItemFromObjectCaseSensitive(states, word);
        json_add_i64(states, word, had + 1);
    }
    json_add_i64(o, "tasks", n);
    if (n > 1 && strchr(job, '_'))
        cJSON_AddItemToObject(answer, "array", o);
    else
        cJSON_Delete(o);
}

struct why {
    struct asked asked; // first
    char *key;          // as it was asked for; the job's own when it lives
    cJSON *row;         // of a job that lives
    struct bjob *old;   // of one that ended
    money_t old_cost;
    cJSON *decisions, *attempts, *events;
    int looks; // waited for
};

static void forget(struct asked *a)
{
    struct why *w = (struct why *)a;

    free(w->key);
    cJSON_Delete(w->row);
    cJSON_Delete(w->decisions);
    cJSON_Delete(w->attempts);
    cJSON_Delete(w->events);
    bjob_destroy(w->old);
    free(w);
}

static void read_story(struct store *view, void *arg)
{
    struct why *w = arg;

    if (!w->row && !(w->old = store_find_job(view, w->key)))
        return;
    const char *key = w->row ? w->key : w->old->key;
    if (w->old)
        w->old_cost = store_job_cost(view, key, w->old->met);
    w->decisions = store_story(view, key, "decision", 50);
    w->attempts = store_story(view, key, "attempt", 100);
    w->events = store_story(view, key, "event", 200);
}

static void tell_of_job(struct why *w)
{
    const char *key = w->row ? w->key : w->old->key;
    cJSON *o = cJSON_CreateObject();

    cJSON_AddItemToObject(o, "job", w->row ? w->row : row_of_job(w->old, w->old_cost));
    cJSON_AddItemToObject(o, "decisions", w->decisions);
    cJSON_AddItemToObject(o, "attempts", w->attempts);
    cJSON_AddItemToObject(o, "events", w->events);
    w->row = w->decisions = w->attempts = w->events = NULL;
    add_array(w->asked.b, key, o);
    rpc_reply(w->asked.req, o);
}

// It might have left, and burstd has nothing to remember of it: it started here before.
static void started_here(struct burstd *b, const struct sjob *s, char *why, size_t size)
{
    char waited[CLOCK_TEXT_MAX], limit[CLOCK_TEXT_MAX];
    int64_t from = s->eligible ? s->eligible : s->submit;

    if (!s->start || s->start < from)
        snprintf(why, size, "it ended before it was to leave");
    else
        snprintf(why, size,
                 "it started here after it had waited for %s; jobs leave when they would wait for "
                 "longer than %s (spill.wait_threshold)",
                 clock_duration(s->start - from, waited),
                 clock_duration(b->conf->wait_threshold_s, limit));
}

static void tell_of_slurms(struct burstd *b, struct rpc_request *req, const struct sjob *s)
{
    cJSON *o = cJSON_CreateObject();
    char why[400];

    if (directive_find_mark(s->admin_comment) && s->state != SJOB_PENDING)
        started_here(b, s, why, sizeof(why));
    else if (directive_find_mark(s->admin_comment))
        snprintf(why, sizeof(why), "burstd has not looked at it yet");
    else
        unmarked_why(b, s, why, sizeof(why));
    cJSON_AddItemToObject(o, "job", row_of_slurm_job(s, why));
    cJSON_AddArrayToObject(o, "decisions");
    cJSON_AddArrayToObject(o, "attempts");
    cJSON_AddArrayToObject(o, "events");
    rpc_reply(req, o);
}

static void nobody_knows(struct burstd *b, struct rpc_request *req, const char *key)
{
    if (!slurm_link_ready(b->slurm))
        rpc_fail(req, "not_found",
                 "burstd has no story of a job %s, and slurmctld does not answer now", key);
    else
        rpc_fail(req, "not_found",
                 "neither burstd nor slurmctld knows a job %s (of a job that ended here some time "
                 "ago sacct -j %s may tell)",
                 key, key);
}

static void look_again(struct asked *a);

// Of a job that does not live at burstd: what the journal has of it, or what Slurm's table says.
// False when the answer waits for Slurm.
static bool tell_of_other(struct why *w)
{
    struct burstd *b = w->asked.b;
    const struct bjob *j = w->old;
    const struct sjob *s = slurm_job(b, w->key);

    if (!j && !s && slurm_link_ready(b->slurm) && w->looks++ < LOOKS) {
        slurm_link_poke(b->slurm);
        asked_wait(&w->asked, LOOK_MS, look_again);
        return false;
    }
    if (j && s && s->submit > j->submit && !directive_find_mark(s->admin_comment))
        j = NULL; // Slurm has given the number again
    if (!j && !s)
        nobody_knows(b, w->asked.req, w->key);
    else if (!rpc_may_see(w->asked.req, j ? j->uid : s->uid))
        rpc_fail(w->asked.req, "denied", "job %s belongs to somebody else", w->key);
    else if (j)
        tell_of_job(w);
    else
        tell_of_slurms(b, w->asked.req, s);
    return true;
}

static void story_read(void *arg, const char *error)
{
    struct why *w = arg;
    bool told = true;

    if (asked_failed(&w->asked, error))
        return;
    if (w->row)
        tell_of_job(w);
    else
        told = tell_of_other(w);
    if (told)
        forget(&w->asked);
}

static const struct reader_ops ops = {read_story, story_read, asked_drop};

static void ask(struct why *w, const struct bjob *j)
{
    struct burstd *b = w->asked.b;

    if (j && !rpc_may_see(w->asked.req, j->uid)) {
        rpc_fail(w->asked.req, "denied", "job %s belongs to somebody else", w->key);
        forget(&w->asked);
        return;
    }
    if (j) {
        free(w->key);
        w->key = xstrdup(j->key);
        w->row = row_of_job(j, ledger_job_cost(b, j));
    }
    asked_read(&w->asked, &ops);
}

static void look_again(struct asked *a)
{
    struct why *w = (struct why *)a;
    struct bjob *j = live_job(a->b, w->key);

    if (j)
        ask(w, j);
    else if (tell_of_other(w))
        forget(a);
}

void why_answer(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const char *key = json_str(rpc_params(req), "job", "");

    if (!job_number(key)) {
        rpc_fail(req, "invalid",
                 "\"%s\" is no job number; write it as squeue does: 123, or 123_4 for a "
                 "task of an array",
                 key);
        return;
    }
    struct why *w = xmalloc(sizeof(*w));
    asked_begin(&w->asked, b, req, forget);
    w->key = xstrdup(key);
    ask(w, live_job(b, key));
}
