// SPDX-License-Identifier: GPL-3.0-or-later
// See bounds_of.h.
#include "job/bounds_of.h"

#include <stdio.h>
#include <string.h>

#include "cloud/observed.h"
#include "job/reasons.h"
#include "libburst/json.h"
#include "slurm/slurm_link.h"
#include "state/jobs.h"

const char *bound_of_limit(struct burstd *b, const struct bjob *j, const char *partition,
                           char key[BOUND_KEY_MAX])
{
    const struct sjob *s = slurm_link_job(b->slurm, j->key);

    snprintf(key, BOUND_KEY_MAX, "%s/%s/%s/%s", partition, j->user, j->account, s ? s->qos : "");
    return key;
}

static void place_failed(struct burstd *b, const struct instance *i)
{
    char key[BOUND_KEY_MAX];

    bound_place_key(key, i->cloud, i->region, i->zone, i->itype, i->spot);
    bound_failed(b->bounds, BOUND_PLACE, key, i->failure.cls, i->failure.why);
}

static void shape_failed(struct burstd *b, const struct instance *i)
{
    char key[BOUND_KEY_MAX];

    bound_failed(b->bounds, BOUND_SHAPE, bound_shape_key(i->partition, i->shape, key),
                 i->failure.cls, i->failure.why);
}

static void job_failed(struct burstd *b, const char *job, enum failure_class cls, const char *why)
{
    bound_failed(b->bounds, BOUND_JOB, job, cls, why);
}

void bounds_instance_failed(struct burstd *b, const struct bjob *j, const struct instance *i)
{
    const struct failure *f = &i->failure;

    switch (f->cls) {
    case FAILURE_BOOT:
        if (f->scope == FAILURE_OF_SITE) {
            bound_failed(b->bounds, BOUND_SITE, BOUND_SITE_PREPARE, f->cls, f->why);
            break;
        }
        // fall through
    case FAILURE_JOIN:
        place_failed(b, i);
        shape_failed(b, i);
        break;
    case FAILURE_STAGE_IN:
        if (f->scope == FAILURE_OF_SITE)
            bound_failed(b->bounds, BOUND_SITE, BOUND_SITE_STAGING, f->cls, f->why);
        else if (f->scope == FAILURE_OF_PLACE)
            place_failed(b, i);
        if (j && f->scope == FAILURE_OF_JOB)
            bound_hopeless(b->bounds, BOUND_JOB, j->key, f->cls, f->why);
        else if (j)
            job_failed(b, j->key, f->cls, f->why);
        break;
    case FAILURE_LOST:
        place_failed(b, i);
        break;
    default: // nothing was paid for, or the market took it
        break;
    }
}

// How many of those who share a limit run on rented nodes.
static unsigned running_of(struct burstd *b, const char *limit)
{
    char key[BOUND_KEY_MAX];
    unsigned n = 0;

    JOBS_EACH(b->jobs, j)
    n += j->state == JOB_RUNNING && strcmp(bound_of_limit(b, j, j->partition, key), limit) == 0;
    return n;
}

void bounds_not_started(struct burstd *b, const struct bjob *j, const char *reason, const char *why)
{
    char key[BOUND_KEY_MAX];

    switch (reason_kind(reason)) {
    case REASON_LIMIT:
        bound_of_limit(b, j, j->partition, key);
        bound_learned(b->bounds, key, running_of(b, key), why);
        break;
    case REASON_PARTITION:
        bound_failed(b->bounds, BOUND_PARTITION, j->partition, FAILURE_START, why);
        break;
    case REASON_HELD: // its user's doing
        break;
    case REASON_JOB:
        job_failed(b, j->key, FAILURE_START, why);
        break;
    default:
        job_failed(b, j->key, FAILURE_START, why);
        bound_failed(b->bounds, BOUND_PARTITION, j->partition, FAILURE_START, why);
        break;
    }
}

void bounds_job_changed(struct burstd *b, const struct bjob *j, const char *why)
{
    job_failed(b, j->key, FAILURE_START, why);
}

void bounds_refused(struct burstd *b, const struct bjob *j, const char *why)
{
    char key[BOUND_KEY_MAX];

    job_failed(b, j->key, FAILURE_START, why);
    bound_of_limit(b, j, j->partition, key);
    bound_learned(b->bounds, key, running_of(b, key), why);
}

void bounds_started(struct burstd *b, const struct bjob *j)
{
    char key[BOUND_KEY_MAX];

    bound_worked(b->bounds, BOUND_JOB, j->key);
    bound_worked(b->bounds, BOUND_PARTITION, j->partition);
    bound_worked(b->bounds, BOUND_SHAPE, bound_shape_key(j->partition, j->shape, key));
    bound_worked(b->bounds, BOUND_LIMIT, bound_of_limit(b, j, j->partition, key));
    bound_place_key(key, j->cloud, j->region, j->zone, j->itype, j->spot);
    bound_worked(b->bounds, BOUND_PLACE, key);
    bound_worked(b->bounds, BOUND_SITE, BOUND_SITE_STAGING);
    bound_worked(b->bounds, BOUND_SITE, BOUND_SITE_PREPARE);
}

void bounds_launch_failed(struct burstd *b, const struct bjob *j, const char *why)
{
    char key[BOUND_KEY_MAX];

    job_failed(b, j->key, FAILURE_START, why);
    bound_failed(b->bounds, BOUND_SHAPE, bound_shape_key(j->partition, j->shape, key),
                 FAILURE_START, why);
    bound_place_key(key, j->cloud, j->region, j->zone, j->itype, j->spot);
    bound_failed(b->bounds, BOUND_PLACE, key, FAILURE_START, why);
}

// A node that did not come up has closed its place twice: here, and for boot.block.
static void open_place(struct burstd *b, const char *key)
{
    cJSON *p = cJSON_CreateObject();

    bound_place_names(key, p);
    observed_granted(b->observed, json_str(p, "cloud", ""), json_str(p, "region", ""),
                     json_str(p, "zone", ""), json_str(p, "instance_type", ""),
                     strcmp(json_str(p, "market", ""), "spot") == 0);
    cJSON_Delete(p);
}

int bounds_mended(struct burstd *b, const char *pattern, cJSON *opened, burst_error_t *errp)
{
    int rc = bounds_reopen(b->bounds, pattern, opened, errp);
    const cJSON *o;

    cJSON_ArrayForEach(o, opened) if (strcmp(json_str(o, "kind", ""), "place") == 0)
        open_place(b, json_str(o, "key", ""));
    JOBS_EACH(b->jobs, j)
    if (j->state == JOB_CANDIDATE)
        j->next_ms = j->explained_ms = 0;
    b->poke(b);
    return rc;
}
