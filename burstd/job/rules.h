// SPDX-License-Identifier: GPL-3.0-or-later
// The site's rules of who may use rented nodes (burst.yaml, eligibility), held against the job as
// Slurm has it now. The plugin looks at the same rules at submission, but knows neither the user's
// name (patterns) nor the account that Slurm gave the job, and jobs are changed after it.
#ifndef BURST_RULES_H
#define BURST_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/burstd.h"
#include "base/conf.h"
#include "slurm/records.h"
#include "state/model.h"

// partition: where the job was submitted to, a name or a comma list. nodes: that it takes on rented
// nodes as far as that is known, else 0. uid_min: people.h. False: why gets a sentence.
bool rules_admit(const struct burst_conf *conf, const struct sjob *s, const char *partition,
                 unsigned nodes, uint32_t uid_min, char *why, size_t size);
// The same of a marked job of burstd's.
bool rules_admit_job(struct burstd *b, const struct bjob *j, const struct sjob *s, char *why,
                     size_t size);

#endif
