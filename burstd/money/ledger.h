// SPDX-License-Identifier: GPL-3.0-or-later
// The ledger: every second of every instance is charged once, at the price at which it was bought,
// to the job that it served or to the overhead of its partition. An instance's charges add up to
// money_for_seconds(price, ended - launched), the cloud's own times, exactly.
#ifndef BURST_LEDGER_H
#define BURST_LEDGER_H

#include "base/burstd.h"
#include "libburst/error.h"
#include "state/model.h"
#include "state/store.h"

// So much later than `node_idle` an idle node is ended that Slurm does not give back (seconds).
#define LEDGER_OVERDUE_S 120

// Charges the seconds since the last cut until now to what the instance's present state says, with
// a cut at each midnight (local time), so that each day has its own. Inside a transaction of the
// caller.
int ledger_cut(struct burstd *b, struct instance *i, int64_t now, burst_error_t *errp);

// What ledger_cut() would charge now: the seconds of live instances that are in no journal yet.
// Writes nothing: anybody may ask for it (burst cost). c and its texts are borrowed for the call.
void ledger_running(struct burstd *b, void (*cb)(void *arg, const struct charge *c), void *arg);

// The last word: corrects what was charged to the bill until i->ended (the cloud's time).
int ledger_close(struct burstd *b, struct instance *i, burst_error_t *errp);

// An attempt of the job begins to use its place, its data move: the egress that was planned for it
// (j->transfer) is charged and becomes j->egress. Inside a transaction of the caller, who writes
// the job's row in it too: charged once, whatever happens in between. After a failure of either the
// caller puts both fields back.
int ledger_transfer(struct burstd *b, struct bjob *j, burst_error_t *errp);

// What the job has cost so far, the running seconds included.
money_t ledger_job_cost(struct burstd *b, const struct bjob *j);
// What the instance has cost so far.
money_t ledger_instance_cost(struct burstd *b, const struct instance *i);
// What was spent since the start of the day (local time), of one cloud or all (NULL), the running
// seconds included.
money_t ledger_today(struct burstd *b, const char *cloud);
// Epoch seconds: when the day ends (local time), and what was spent begins at 0 again.
int64_t ledger_day_end(void);
// What live instances may still cost: until their job's time limit (plus overhead), or until they
// are idle long enough to go; with the egress of jobs that have not begun there.
money_t ledger_committed(struct burstd *b, const char *cloud);
// The most that one launch for this job may cost: nodes x price x (limit + overhead seconds).
money_t ledger_bound(struct burstd *b, money_t price_per_hour, unsigned nodes, int64_t limit_s);
int64_t ledger_overhead_s(struct burstd *b);

#endif
