// SPDX-License-Identifier: GPL-3.0-or-later
#include "node/keep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/money.h"
#include "libburst/xalloc.h"
#include "node/stage_spec.h"
#include "node/stagerd_client.h"
#include "slurm/slurm_link.h"
#include "state/instances.h"
#include "state/jobs.h"

// A job that is to run again waits for its results no longer than this.
#define REQUEUED_S 60
#define KEEPS_TRIED 2 // then a job that is to run again does not wait any more

// burst-stagerd has refused them; anything else is a fault of the node or of the way to it.
static bool at_home(const char *errclass)
{
    return strcmp(errclass, "io") == 0 || strcmp(errclass, "space") == 0 ||
           strcmp(errclass, "limit") == 0;
}

void keep_failed(struct instance *i, const char *errclass, const char *error)
{
    if (i->keeping)
        i->keeps_failed++;
    else if (at_home(errclass))
        snprintf(i->unhomed, sizeof(i->unhomed), "%s", error);
    else
        i->unhomed[0] = '\0';
    i->keep_next = !i->keeping && i->unhomed[0];
    i->keeping = false;
}

bool keep_due(const struct burstd *b, const struct instance *i, const struct bjob *j)
{
    int64_t waited = clock_now_s() - j->ended, limit = b->conf->keep_results_s;
    const struct sjob *s = slurm_link_job(b->slurm, j->key);
    money_t most = b->conf->keep_results_cost;

    if (!i->keep_next)
        return false;
    if (s && s->state == SJOB_PENDING && limit > REQUEUED_S)
        limit = REQUEUED_S;
    return waited >= limit ||
           (most != CONF_NO_CAP && waited > 0 && money_for_seconds(i->price, waited) >= most);
}

// Of the job and the node, in the letters of a file's name.
static char *file_name(const struct instance *i, const struct bjob *j)
{
    char *name = xasprintf("%s-%s", j->key, i->node[0] ? i->node : i->id);

    for (char *p = name; *p; p++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.", *p))
            *p = '_';
    return name;
}

void keep_request(const struct burstd *b, const struct instance *i, const struct bjob *j,
                  cJSON *request)
{
    cJSON *keep = cJSON_AddObjectToObject(request, "keep");
    char *name = file_name(i, j);

    json_add_str(keep, "dir", b->conf->results_dir);
    json_add_str(keep, "name", name);
    json_add_str(keep, "job", j->key);
    json_add_str(keep, "node", i->node);
    json_add_str(keep, "why", i->unhomed);
    free(name);
}

void keep_done(struct burstd *b, struct instance *i, struct bjob *j, const cJSON *last)
{
    const char *at = json_str(last, "kept", "");
    char *log = stage_spec_log(j);
    char *text =
        xasprintf("results on %s could not be brought home (%s): they are kept in %s (%" PRId64
                  " files); `burst results %s` brings them to their places",
                  i->node[0] ? i->node : i->id, i->unhomed, at, json_i64(last, "files", 0), j->key);

    i->keeping = i->keep_next = false;
    i->unhomed[0] = '\0';
    i->keeps_failed = 0;
    j->kept++;
    job_save(b, j);
    job_event(b, j, "%s", text);
    log_warn("job %s of %s: %s", j->key, j->user, text);
    if (log) // often what could not be written, but then nothing is lost by it
        stagerd_append(b, j->uid, j->gid, j->user, log, text);
    free(log);
    free(text);
}

bool keep_waits(struct burstd *b, const struct bjob *j)
{
    INSTANCES_OF(b->instances, BY_JOB, j->key, i)
    if (instance_live(i) && (i->flags & INST_F_STAGE_OUT) && !(i->flags & INST_F_LOST) &&
        i->unhomed[0] && i->keeps_failed < KEEPS_TRIED)
        return true;
    return false;
}
