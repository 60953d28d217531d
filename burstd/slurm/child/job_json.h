// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm's job records as SJOB objects (docs/design/internals.md, section 6). Calls nothing of
// libslurm: what only libslurm or the system can tell comes through struct job_lookup.
#ifndef BURST_JOB_JSON_H
#define BURST_JOB_JSON_H

#include <cjson/cJSON.h>

#include "slurm/child/compat_slurm.h"

// Results are borrowed until the next call; NULL or "" = unknown.
struct job_lookup {
    const char *(*reason)(uint32_t state_reason);
    const char *(*user)(uint32_t uid);
};

#define JOB_KEY_MAX 40
// "123", or "123_4" for a task of an array.
void job_key(const slurm_job_info_t *j, char key[JOB_KEY_MAX]);

// One SJOB; `start` as Slurm says it.
cJSON *job_json(const slurm_job_info_t *j, const struct job_lookup *lk);

// Calls fn with the record, or once for each of the (first 256) tasks that a pending array's record
// stands for, as if the task had its own record already (with the array's job id).
void job_each(const slurm_job_info_t *j, void (*fn)(void *arg, const slurm_job_info_t *j),
              void *arg);

#endif
