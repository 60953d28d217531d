// SPDX-License-Identifier: GPL-3.0-or-later
// What was decided for a job and what the runners-up would have cost: the journal's record behind
// `burst why`. All money in micro-dollars:
// {"objective","reason","chosen":PLACE,"runners_up":[PLACE + {"more_uusd","why"}]}
// PLACE: {"cloud","region","zone","instance_type","market","alternative","nodes","hours",
// "compute_uusd","restart_uusd","transfer_uusd","waiting_uusd","total_uusd"}; `alternative` is
// "idle" (a node that is rented already) or "local" (it stays), missing for a new node.
#ifndef BURST_DECISION_H
#define BURST_DECISION_H

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "libburst/money.h"
#include "state/model.h"

// Journals the optimizer's choice for the job; task: one entry of `tasks` of its answer. waiting:
// the price of staying, told even when other places come before it; MONEY_UNKNOWN = it has none.
void decision_record(struct burstd *b, const struct bjob *j, const cJSON *task, money_t waiting,
                     const char *reason);

// All that a task or runner-up of an answer costs.
money_t decision_total(const cJSON *place);

#endif
