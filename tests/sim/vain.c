// SPDX-License-Identifier: GPL-3.0-or-later
// What no scenario may do, whatever goes wrong in it: rent again and again what nothing starts on.
//
// A launch is in vain when no job ever started on its instances. Each needs one of these:
//   - the world had its hands in it: an instance of it did not boot, died, was taken back or cut
//     off, an operation on it failed, or the launch was answered by an error all the same; or that
//     happened to another instance of the same job, and these had nothing to do then;
//   - its user, Slurm or the site took its job away (cancelled, requeued, started at home, ...);
//   - a cause that burstd has recorded (state/bounds.h): two launches, and one more after each
//     pause. A start of what the cause is about makes it a new one.
// And what runs for nobody, while nothing is launched or started, does so for less than an hour.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "state/bounds.h"
#include "state/store.h"
#include "world.h"

#define MAX_ROWS 20000  // see sim_cloud.c
#define MAX_JOBS 400    // see sim_slurm.c
#define MAX_CAUSES 2000 // of a scenario
#define HOUR_MS INT64_C(3600000)

// An instance, as burstd has it in its journal.
struct row {
    char id[64], group[64], job[40], cloud[33], partition[64];
    struct failure failure;
    char reason[256];
    int vm; // -1: it never came to exist
    bool served, hit;
};

// Failures in a row of what a bound is about.
struct cause {
    char kind[16], key[BOUND_KEY_MAX];
    int64_t since, until; // epoch seconds; until 0: it lasts
    int64_t pause, pause_max;
    unsigned tries; // launches in vain that it explains; counted down
};

static struct row rows[MAX_ROWS];
static struct cause causes[MAX_CAUSES];
static unsigned n_rows, n_causes, excuses[MAX_JOBS + 1], allowed;
static int64_t quiet_since, quiet_longest;
static bool idle_allowed;

void vain_reset(void)
{
    n_rows = n_causes = allowed = 0;
    memset(excuses, 0, sizeof(excuses));
    quiet_since = quiet_longest = 0;
    idle_allowed = false;
}

void vain_allow(unsigned launches)
{
    allowed += launches;
}

void vain_allow_idle(void)
{
    idle_allowed = true;
}

// ---- what happens

static struct row *row_of(const char *id)
{
    for (unsigned k = n_rows; k-- > 0;)
        if (strcmp(rows[k].id, id) == 0)
            return &rows[k];
    return NULL;
}

static struct row *row_of_vm(int vm)
{
    for (unsigned k = n_rows; k-- > 0;)
        if (rows[k].vm == vm)
            return &rows[k];
    return NULL;
}

void vain_instance(const struct instance *i)
{
    struct row *r = row_of(i->id);

    if (!r && n_rows < MAX_ROWS) {
        r = &rows[n_rows++];
        memset(r, 0, sizeof(*r));
        snprintf(r->id, sizeof(r->id), "%s", i->id);
        snprintf(r->group, sizeof(r->group), "%s", i->group);
        snprintf(r->cloud, sizeof(r->cloud), "%s", i->cloud);
        snprintf(r->partition, sizeof(r->partition), "%s", i->partition);
        r->vm = -1;
    }
    if (!r)
        return;
    if (i->job[0])
        snprintf(r->job, sizeof(r->job), "%s", i->job);
    if (i->failure.cls != FAILURE_NONE)
        r->failure = i->failure;
    snprintf(r->reason, sizeof(r->reason), "%s", i->reason);
}

void vain_launched(int vm, const char *id)
{
    struct row *r = row_of(id);

    if (r)
        r->vm = vm;
    quiet_since = world.now_ms;
}

void vain_served(int vm)
{
    struct row *r = row_of_vm(vm);

    if (r)
        r->served = true;
    quiet_since = world.now_ms;
}

void vain_excuse_job(int job)
{
    if (job > 0 && job <= MAX_JOBS)
        excuses[job]++;
}

void vain_hit(int vm)
{
    struct row *r = row_of_vm(vm);

    if (!r)
        return;
    if (!r->hit)
        vain_excuse_job(atoi(r->job));
    r->hit = true;
}

static struct cause *open_cause(const char *kind, const char *key)
{
    for (unsigned k = 0; k < n_causes; k++)
        if (!causes[k].until && strcmp(causes[k].kind, kind) == 0 &&
            strcmp(causes[k].key, key) == 0)
            return &causes[k];
    return NULL;
}

static void cause_of(const char *kind, const char *key)
{
    const struct burst_conf *conf = world.b ? world.b->conf : NULL;
    struct cause *c = open_cause(kind, key);
    bool job = strcmp(kind, "job") == 0, limit = strcmp(kind, "limit") == 0;

    if (c || n_causes == MAX_CAUSES)
        return;
    c = &causes[n_causes++];
    memset(c, 0, sizeof(*c));
    snprintf(c->kind, sizeof(c->kind), "%s", kind);
    snprintf(c->key, sizeof(c->key), "%s", key);
    c->since = clock_now_s();
    c->pause = job ? 600 : limit ? 300 : strcmp(kind, "site") == 0 ? 60 : 0;
    c->pause_max = job ? 6 * 3600 : 3600;
    if (!c->pause) {
        c->pause = conf ? conf->bound_pause_s : 3600;
        c->pause_max = conf ? conf->bound_pause_max_s : 86400;
    }
}

void vain_bound(const char *full, const cJSON *row)
{
    char kind[16];
    const char *key = strchr(full, ' ');

    if (!key)
        return;
    snprintf(kind, sizeof(kind), "%.*s", (int)(key - full), full);
    struct cause *c = open_cause(kind, ++key);
    if (row && json_i64(row, "failures", 0) > 0)
        cause_of(kind, key);
    else if (c)
        c->until = clock_now_s();
}

void vain_step(bool something_runs)
{
    if (something_runs || cloud_running() == 0)
        quiet_since = world.now_ms;
    if (world.now_ms - quiet_since > quiet_longest)
        quiet_longest = world.now_ms - quiet_since;
}

// ---- what it comes to

// Two, and one after each pause that was over when it ended.
static unsigned tries_of(const struct cause *c)
{
    int64_t left = (c->until ? c->until : clock_now_s()) - c->since, pause = c->pause;
    unsigned n = 2;

    for (; left >= pause; n++) {
        left -= pause;
        pause = 2 * pause < c->pause_max ? 2 * pause : c->pause_max;
    }
    return n;
}

static bool use(const char *kind, const char *key)
{
    for (unsigned k = 0; k < n_causes; k++)
        if (causes[k].tries && strcmp(causes[k].kind, kind) == 0 &&
            strncmp(causes[k].key, key, strlen(key)) == 0) {
            causes[k].tries--;
            return true;
        }
    return false;
}

static bool explained(const struct row *r)
{
    int job = atoi(r->job);
    char shape[80];

    snprintf(shape, sizeof(shape), "%s/", r->partition);
    if (job > 0 && job <= MAX_JOBS && excuses[job]) {
        excuses[job]--;
        return true;
    }
    switch (r->failure.cls) {
    case FAILURE_BOOT:
    case FAILURE_JOIN:
        return r->failure.scope == FAILURE_OF_SITE ? use("site", "") : use("shape", shape);
    case FAILURE_STAGE_IN:
        return r->failure.scope == FAILURE_OF_SITE    ? use("site", "")
               : r->failure.scope == FAILURE_OF_PLACE ? use("place", r->cloud)
                                                      : use("job", r->job);
    case FAILURE_NONE: // its job did not start
        return use("limit", shape) || use("partition", r->partition) || use("shape", shape) ||
               use("job", r->job);
    default:
        return false;
    }
}

// A launch with one that served is not in vain; what was hit or explained is so with all of it.
static bool group_has(const struct row *r, bool (*is)(const struct row *))
{
    for (unsigned k = 0; k < n_rows; k++)
        if (strcmp(rows[k].group, r->group) == 0 && is(&rows[k]))
            return true;
    return false;
}

static bool was_good(const struct row *r)
{
    return r->vm >= 0 && (r->served || r->hit);
}

static bool first_of_group(const struct row *r)
{
    for (const struct row *p = rows; p < r; p++)
        if (p->vm >= 0 && strcmp(p->group, r->group) == 0)
            return false;
    return true;
}

bool vain_sound(void)
{
    unsigned beyond = 0;

    for (unsigned k = 0; k < n_causes; k++)
        causes[k].tries = tries_of(&causes[k]);
    for (struct row *r = rows; r < rows + n_rows; r++) {
        if (r->vm < 0 || cloud_exists(r->vm) || !first_of_group(r) || group_has(r, was_good) ||
            explained(r) || beyond++ < allowed)
            continue;
        fprintf(stderr, "launch %s at %s for job %s was in vain: %s (%s: %s)\n", r->id, r->cloud,
                r->job, r->reason, failure_class_name(r->failure.cls), r->failure.why);
    }
    bool idle = quiet_longest >= HOUR_MS && !idle_allowed;
    if (idle)
        fprintf(stderr, "instances ran %lld s for nobody\n", (long long)quiet_longest / 1000);
    if (beyond > allowed)
        for (unsigned k = 0; k < n_causes; k++)
            fprintf(
                stderr, "cause %s %s, %lld s\n", causes[k].kind, causes[k].key,
                (long long)((causes[k].until ? causes[k].until : clock_now_s()) - causes[k].since));
    return beyond <= allowed && !idle;
}
