// SPDX-License-Identifier: GPL-3.0-or-later
// The only place of burst-slurm that asks for a Slurm release (22.05 to 26.05), and the few symbols
// that libslurm exports without a prototype in its public headers.
#ifndef BURST_COMPAT_SLURM_H
#define BURST_COMPAT_SLURM_H

// From 26.05 this keeps the calls that take a plain job id.
#define SLURM_BACKWARD_COMPAT

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurm_version.h>
#include <slurm/slurmdb.h>

#define COMPAT_SINCE(major, minor) (SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(major, minor, 0))

// `List` went away in 24.11; the struct behind it has the same name in every release.
typedef struct xlist compat_list_t;
typedef struct listIterator compat_list_itr_t;

#if COMPAT_SINCE(26, 5)
#define compat_free_conf slurm_free_conf
#define COMPAT_SET_REASON_UID(msg, id) ((void)0) // slurmctld takes it from the credential
#else
#define compat_free_conf slurm_free_ctl_conf
#define COMPAT_SET_REASON_UID(msg, id) ((msg)->reason_uid = (id))
#endif

// AccountingStorageEnforce=limits; the bits of accounting_storage_enforce are in no public header.
#define COMPAT_ENFORCE_LIMITS 0x0002

// The text of a pending reason: the function was renamed in 23.02, neither is in a public header.
extern char *slurm_job_reason_string(enum job_state_reason inx) __attribute__((weak));
extern char *slurm_job_state_reason_string(enum job_state_reason inx) __attribute__((weak));

#endif
