// SPDX-License-Identifier: GPL-3.0-or-later
// See hold.h.
#include "job/hold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/clock.h"
#include "libburst/json.h"
#include "slurm/slurm_link.h"
#include "state/jobs.h"

#define HOLD_AGAIN_MS 5000
#define HOLDS_AT_ONCE 20 // commands of one look; thousands of jobs do not delay the others'

static unsigned holds_left; // of this look

void hold_begin_look(void)
{
    holds_left = HOLDS_AT_ONCE;
}

void hold_sent(struct bjob *j)
{
    j->hold_ms = clock_mono_ms() + HOLD_AGAIN_MS;
}

// The tasks of an array that wait share one record, until one is split off it.
static bool shares_record(struct burstd *b, const struct bjob *j, uint32_t array)
{
    size_t n = strcspn(j->key, "_") + 1;

    if (j->job_id != array)
        return false;
    JOBS_EACH(b->jobs, other)
    if (strncmp(other->key, j->key, n) == 0 && other->job_id != array)
        return false;
    return true;
}

bool hold_record(struct burstd *b, const struct bjob *j, char name[40])
{
    size_t array = strcspn(j->key, "_");

    snprintf(name, 40, "%s", j->key);
    if (!j->key[array] || j->job_id != (uint32_t)strtoul(name, NULL, 10))
        return true;
    name[array] = '\0';
    return shares_record(b, j, j->job_id);
}

bool hold_deferred(const struct sjob *s)
{
    return s->priority != 0 && s->eligible == HOLD_DEFERRED;
}

void hold_by_slurm_user(struct burstd *b, struct bjob *j, bool defer)
{
    int64_t again = clock_mono_ms() + HOLD_AGAIN_MS;
    char name[sizeof(j->key)];

    if (j->cmd || clock_mono_ms() < j->hold_ms || holds_left == 0)
        return;
    holds_left--;
    j->hold_ms = again;
    if (!hold_record(b, j, name)) {
        snprintf(name, sizeof(name), "%s", j->key); // one of an array gets its own record by that
    } else if (strcmp(name, j->key) != 0) {
        JOBS_EACH(b->jobs, other)
        if (other->job_id == j->job_id)
            other->hold_ms = again;
    }
    cJSON *cmd = cJSON_CreateObject();
    json_add_str(cmd, "op", "update_job");
    json_add_str(cmd, "job", name);
    json_add_i64(cmd, "priority", defer ? -1 : 0);
    if (defer)
        json_add_i64(cmd, "begin", HOLD_DEFERRED);
    slurm_link_command(b->slurm, cmd, NULL, NULL);
}
