// SPDX-License-Identifier: GPL-3.0-or-later
// Which bounds (state/bounds.h) a job and its nodes count for, and what a failure or a start says
// of them.
#ifndef BURST_BOUNDS_OF_H
#define BURST_BOUNDS_OF_H

#include "base/burstd.h"
#include "state/bounds.h"
#include "state/model.h"

// The key of BOUND_LIMIT; returns `key`.
const char *bound_of_limit(struct burstd *b, const struct bjob *j, const char *partition,
                           char key[BOUND_KEY_MAX]);

// An instance that was to serve j (NULL: it is gone) has failed: counts it where it belongs.
void bounds_instance_failed(struct burstd *b, const struct bjob *j, const struct instance *i);
// Slurm did not start a placed job; reason: Slurm's.
void bounds_not_started(struct burstd *b, const struct bjob *j, const char *reason,
                        const char *why);
// Its user changed it after it had been moved to its nodes.
void bounds_job_changed(struct burstd *b, const struct bjob *j, const char *why);
// Slurm refused to move it to its nodes.
void bounds_refused(struct burstd *b, const struct bjob *j, const char *why);
// It runs there.
void bounds_started(struct burstd *b, const struct bjob *j);

// slurmd could not launch it on its nodes: that it had been started there says nothing.
void bounds_launch_failed(struct burstd *b, const struct bjob *j, const char *why);
// An operator has mended what a pattern names: bounds_reopen() with what hangs on it. A place may
// be bought at again whatever it refused, jobs that were told to wait are looked at now.
int bounds_mended(struct burstd *b, const char *pattern, cJSON *opened, burst_error_t *errp);

#endif
