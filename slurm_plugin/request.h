// SPDX-License-Identifier: GPL-3.0-or-later
// What Slurm's description of a submission asks for.
#ifndef BURST_REQUEST_H
#define BURST_REQUEST_H

#include "slurm_plugin/compat.h"
#include "slurm_plugin/need.h"

// privileged: submitted by root or SlurmUser. r borrows the texts of d.
void request_of(const job_desc_msg_t *d, uint32_t submit_uid, bool privileged,
                struct job_request *r);

#endif
