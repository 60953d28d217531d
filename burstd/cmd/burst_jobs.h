// SPDX-License-Identifier: GPL-3.0-or-later
// What `burst jobs` and `burst status` both know of jobs.
#ifndef BURST_CMD_BURST_JOBS_H
#define BURST_CMD_BURST_JOBS_H

#include <stdbool.h>

#include "cmd/columns.h"

extern const struct column job_columns[];

// Sorts an array of jobs by number; array tasks by their index.
void jobs_sort(cJSON *jobs);

// Has a rented node now, or is about to get one.
bool job_is_bursting(const cJSON *job);

#endif
