// SPDX-License-Identifier: GPL-3.0-or-later
// What people see of the money in squeue and sacct: AdminComment, live and after the job's end.
#ifndef BURST_COMMENT_H
#define BURST_COMMENT_H

#include <stddef.h>

#include "base/burstd.h"
#include "state/model.h"

// "aws us-east-1a p4d.24xlarge spot $1.2345 | burst:1 ..."; without an attempt on rented nodes now,
// the places of those before and what they cost.
void comment_format(struct burstd *b, const struct bjob *j, char *out, size_t size);
// At once: Slurm is about to close the record of this attempt.
void comment_now(struct burstd *b, struct bjob *j);
// Updates running jobs now and then, ended ones once for good (through slurmdbd).
void comment_step(struct burstd *b);

#endif
