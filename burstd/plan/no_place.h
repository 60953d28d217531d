// SPDX-License-Identifier: GPL-3.0-or-later
// Why there is no place for a job now, in words for people: which of its clouds is closed by what,
// and when something changes. Reads tables, changes nothing.
#ifndef BURST_NO_PLACE_H
#define BURST_NO_PLACE_H

#include <stddef.h>

#include "base/burstd.h"
#include "plan/plan_facts.h"
#include "plan/plan_request.h"

// No cloud may be asked for it. Each cloud with a shape that fits the job and that its user admits
// is named with what closes it. Writes nothing when no shape fits.
void no_place_cloud(struct burstd *b, const struct plan_facts *f, const struct plan_job *p,
                    char *why, size_t size);

// The optimizer found none. reason: its own sentence; what it knows by numbers only (closed places,
// limits) is said by what is behind them.
void no_place_reason(struct burstd *b, const char *reason, char *why, size_t size);

#endif
