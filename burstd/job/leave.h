// SPDX-License-Identifier: GPL-3.0-or-later
// May a job leave now: the facts of spill.h from Slurm's tables, the mark and the configuration.
// Holds again what was released by hand.
#ifndef BURST_LEAVE_H
#define BURST_LEAVE_H

#include "base/burstd.h"
#include "job/spill.h"
#include "state/model.h"

struct sjob;

// why: a sentence for people, at most size bytes.
enum spill_verdict leave_verdict(struct burstd *b, struct bjob *j, const struct sjob *s, char *why,
                                 size_t size);

#endif
