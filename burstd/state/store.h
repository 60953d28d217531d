// SPDX-License-Identifier: GPL-3.0-or-later
// The journal: what burstd must know after a crash at any instruction. Writes are durable when
// the call returns (SQLite, WAL, synchronous=FULL). Every cloud action is written here before it
// is taken; a write that fails (disk full) means that the action is not taken.
#ifndef BURST_STORE_H
#define BURST_STORE_H

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "state/model.h"

struct store;

// Opens or creates path; one process at a time (locked). NULL on error.
struct store *store_open(const char *path, burst_error_t *errp);
// True when there was no journal: nothing is known of instances, jobs and charges of before.
bool store_fresh(const struct store *s);
void store_close(struct store *s);
// For reading only, on one thread at a time, a journal that this process has open: its own
// connection, which sees what was committed. What writes must not be called on it. store_close()
// ends it. NULL on error.
struct store *store_open_view(const char *path, burst_error_t *errp);
// A view asks stop(arg) now and then while it reads; true ends what is being read, which is not
// all then. NULL: never asks.
void store_view_stop(struct store *view, bool (*stop)(void *arg), void *arg);

// Groups writes; nesting is not allowed. A failed commit rolls back and returns -1.
int store_begin(struct store *s, burst_error_t *errp);
int store_commit(struct store *s, burst_error_t *errp);
void store_rollback(struct store *s);
// Counts them: a sum of charges that was kept since before the last one may be wrong.
unsigned store_rollbacks(const struct store *s);

// Insert or replace; put_instance also appends a line to the journal when the state changed.
int store_put_instance(struct store *s, const struct instance *i, burst_error_t *errp);
int store_put_job(struct store *s, const struct bjob *j, burst_error_t *errp);

// Calls back for every instance that is not gone and every job that is not done or refused, or
// whose record lacks its cost (owned by the callee: a zeroed heap object).
int store_load(struct store *s, void (*instance)(void *arg, struct instance *i),
               void (*job)(void *arg, struct bjob *j), void *arg, burst_error_t *errp);
// Forgets the stories, jobs and instances that ended before `before` (epoch seconds). Charges stay:
// they are the accounts. Looks at no more than a few hundred rows a call, the oldest ones, however
// large the journal: it is called often.
void store_prune(struct store *s, int64_t before);

// One job that ended (for `burst why`); NULL when unknown. Caller frees.
struct bjob *store_find_job(struct store *s, const char *key);
// One instance by our id, ended or not; NULL when unknown. Caller frees.
struct instance *store_find_instance(struct store *s, const char *id);
// Ended jobs and instances, newest first, as many as limit.
int store_recent(struct store *s, int limit, void (*instance)(void *arg, struct instance *i),
                 void (*job)(void *arg, struct bjob *j), void *arg);

struct charge {
    const char *instance, *job /* "" = overhead */, *cloud, *partition, *user, *account;
    bool spot;
    const char *kind; // boot, busy, idle, transfer, adjust
    int64_t from, to; // epoch seconds
    money_t amount;
};
int store_put_charge(struct store *s, const struct charge *c, burst_error_t *errp);
// What the sums below answer when they cannot be read: more than every cap.
#define STORE_SPEND_UNKNOWN (INT64_MAX / 8)
// Sum of all charges since `from`, of one cloud or of all (NULL). An interval that lies on both
// sides counts whole: the ledger cuts at each midnight.
money_t store_spend_since(struct store *s, int64_t from, const char *cloud);
// Of the job that was met at `since` (epoch seconds): numbers are given again.
money_t store_job_cost(struct store *s, const char *job, int64_t since);
money_t store_instance_cost(struct store *s, const char *instance);
// Rows of `burst cost`:
// [{"key","nodes","seconds","busy_uusd","overhead_uusd","transfer_uusd","total_uusd"}] of the
// charges between start and end (epoch seconds).
struct cost_query {
    const char *by; // one of those that store_cost_key() knows
    int64_t start, end;
    const char *user;          // only this user's charges, NULL = everybody's
    int64_t until;             // only charges that store_charges_until() had counted then
    const struct charge *more; // and these, which are in no journal yet (views only)
    size_t n_more;
};
// cloud, partition, user, account, job, market.
bool store_cost_key(const char *by);
// How many charges were written so far; never less than before.
int64_t store_charges_until(struct store *s);
// NULL: it cannot be read, or was stopped.
cJSON *store_cost_rows(struct store *s, const struct cost_query *q);
// All that are in the journal; NULL also when there is no such key.
cJSON *store_cost(struct store *s, const char *by, int64_t start, int64_t end, const char *user);

// The story of a job. Texts are sentences for people; decision and attempt are JSON objects.
int store_add_event(struct store *s, const char *job, const char *text);
int store_add_decision(struct store *s, const char *job, const cJSON *decision);
int store_add_attempt(struct store *s, const char *job, const cJSON *attempt);
cJSON *store_story(struct store *s, const char *job, const char *kind,
                   int limit); // event|decision|attempt

// What was observed of places (observed.h): the caller's key and a JSON object; row NULL forgets
// it. store_load_observed() hands NULL over for what cannot be read as JSON.
int store_put_observed(struct store *s, const char *place, const cJSON *row, burst_error_t *errp);
int store_load_observed(struct store *s, void (*cb)(void *arg, const cJSON *row), void *arg,
                        burst_error_t *errp);
// The same for what was counted against circles (bounds.h).
int store_put_bound(struct store *s, const char *key, const cJSON *row, burst_error_t *errp);
int store_load_bounds(struct store *s, void (*cb)(void *arg, const cJSON *row), void *arg,
                      burst_error_t *errp);

#endif
