// SPDX-License-Identifier: GPL-3.0-or-later
// Comments on finished jobs, through slurmdbd.
#ifndef BURST_DBD_H
#define BURST_DBD_H

#include <stdint.h>

#include "libburst/error.h"

struct dbd_job {
    uint32_t job_id;
    uint32_t array_job_id, array_task_id; // array_job_id 0: not a task of an array
    int64_t submit;                       // of the attempt that is meant, epoch seconds
};

// Sets AdminComment of the accounting record. Takes at most 20 s. 0, or Slurm's error number, or
// -1 for anything else; the text says more.
int dbd_set_admin_comment(const char *cluster, const struct dbd_job *job, const char *comment,
                          burst_error_t *errp);

#endif
