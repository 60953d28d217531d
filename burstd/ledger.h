// SPDX-License-Identifier: GPL-3.0-or-later
// The ledger: every second of every instance is charged once, at the price at which it was bought,
// to the job that it served or to the overhead of its partition. An instance's charges add up to
// money_for_seconds(price, ended - launched), the cloud's own times, exactly.
#ifndef BURST_LEDGER_H
#define BURST_LEDGER_H

#include "burstd.h"
#include "libburst/error.h"
#include "model.h"

// Charges the seconds since the last cut until now to what the instance's present state says.
// Inside a transaction of the caller.
int ledger_cut(struct burstd *b, struct instance *i, int64_t now, burst_error_t *errp);

// Charges every running instance until now.
void ledger_settle(struct burstd *b);

// The last word: corrects what was charged to the bill until i->ended (the cloud's time).
int ledger_close(struct burstd *b, struct instance *i, burst_error_t *errp);

// A transfer planned for a job (egress): charged once, when its data move.
int ledger_transfer(struct burstd *b, const struct bjob *j, money_t amount, burst_error_t *errp);

// What the job has cost so far, the running seconds included.
money_t ledger_job_cost(struct burstd *b, const struct bjob *j);
// What the instance has cost so far.
money_t ledger_instance_cost(struct burstd *b, const struct instance *i);
// What was spent since the start of the day (local time), of one cloud or all (NULL), the running
// seconds included.
money_t ledger_today(struct burstd *b, const char *cloud);
// What live instances may still cost: until their job's time limit (plus overhead), or until they
// are idle long enough to go.
money_t ledger_committed(struct burstd *b, const char *cloud);
// The most that one launch for this job may cost: nodes x price x (limit + overhead seconds).
money_t ledger_bound(struct burstd *b, money_t price_per_hour, unsigned nodes, int64_t limit_s);
int64_t ledger_overhead_s(struct burstd *b);

#endif
