// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm's releases, 22.05 to 26.05: the only file that asks which one it is. Public headers only.
#ifndef BURST_COMPAT_H
#define BURST_COMPAT_H

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurm_version.h>
#include <slurm/spank.h>

// job_modify() can explain itself from 23.02 on.
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(23, 2, 0)
#define COMPAT_JOB_MODIFY_MESSAGE 1
#else
#define COMPAT_JOB_MODIFY_MESSAGE 0
#endif

// The id moved into a struct in 25.11. NO_VAL: a job that has none yet.
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(25, 11, 0)
#define COMPAT_DESC_JOB_ID(desc) ((desc)->step_id.job_id)
#else
#define COMPAT_DESC_JOB_ID(desc) ((desc)->job_id)
#endif

// slurmctld's record of a job: its layout changes with each release, it is never looked into.
struct job_record;

// Exported by slurmctld, the same in all these releases, but in no public header. What slurmctld
// frees must come from these: its allocator keeps a header in front of each block.
extern char *slurm_xstrdup(const char *str);
extern void slurm_xfree(void **item);

#endif
