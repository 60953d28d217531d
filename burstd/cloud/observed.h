// SPDX-License-Identifier: GPL-3.0-or-later
// What burstd has seen of places: refusals, successes, preemptions, hours of spot nodes, prices. A
// thin layer over catalog/tracker.h (which has the rules) that keeps it in the journal, row by row,
// and turns it into parts of plan requests.
//
// A place that refused is left out of the plans for a while that doubles with each further refusal.
// Then ONE launch of ONE node may try it; its success opens the place, its failure closes it for
// longer. Without such a launch it is open again after one more length of the block (boot.block in
// the usual case: 60 s closed, 60 s half open), so that a place where only gangs could go is not
// closed for ever.
//
// Failure policy: what cannot be written is logged, counts in memory and is written with the next
// change.
#ifndef BURST_OBSERVED_H
#define BURST_OBSERVED_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "libburst/money.h"
#include "state/model.h"

struct observed;

struct observed *observed_create(struct burstd *b); // loads the journal's
void observed_destroy(struct observed *o);

// A launch was refused, or what came of it never worked. "" = any; market "spot", "on-demand" or
// "". first_s: length of a first block; doubles up to max_s. The reason is for people.
void observed_refused(struct observed *o, const char *cloud, const char *region, const char *zone,
                      const char *itype, const char *market, int64_t first_s, int64_t max_s,
                      const char *reason);
// A launch there worked: forgets all refusals that cover the place.
void observed_granted(struct observed *o, const char *cloud, const char *region, const char *zone,
                      const char *itype, bool spot);
// A launch there ended without saying anything of the place: the cloud did not answer, or refused
// the credentials. If it was a probe the next launch may be one.
void observed_undecided(struct observed *o, const char *cloud, const char *region, const char *zone,
                        const char *itype, bool spot);

// The two that count an instance write it to the journal in the same transaction: its fields
// already say that it was counted. Nothing is counted for on-demand instances.
// The cloud takes it back; notice_at (or a flag) says so.
void observed_preempted(struct observed *o, const struct instance *i);
// It ran for so many seconds more; observed_to says so.
void observed_ran(struct observed *o, const struct instance *i, int64_t seconds);
// Counts the instance's hours until `until` (epoch seconds), each once, also over restarts.
void observed_until(struct observed *o, struct instance *i, int64_t until);
// This cloud was just heard: the spot instances that it listed have run until now. Counts whole
// hours, in one transaction; forgets what is old, once a day.
void observed_listed(struct observed *o, const char *cloud);
// The price per hour at which the cloud sold an instance there now.
void observed_priced(struct observed *o, const char *cloud, const char *region, const char *zone,
                     const char *itype, bool spot, money_t price);

// Asked right before a launch of `nodes` nodes; takes the probe of a half-open place. False: not
// now, since the place was closed after the plan was made, or is half open and this is a gang or
// comes second.
bool observed_launching(struct observed *o, const char *cloud, const char *region, const char *zone,
                        const char *itype, bool spot, unsigned nodes);

// ---- parts of a plan request (burst-plan(1)); the caller owns what is returned

// `blocked`: the closed places, those with a probe under way among them.
cJSON *observed_blocked(const struct observed *o);
// Half-open places, as limits of one node of the offers there.
void observed_add_limits(const struct observed *o, cJSON *limits);
// `observed` (what differs from the catalog's and the usual), `changeover_hours` and
// `default_preemptions_per_hour`.
void observed_add_rates(const struct observed *o, cJSON *request);

// For `burst status`: {"blocked":[{PLACE,"state":"closed"|"probing"|"half-open","until","reason"}],
// "rates":[{PLACE,"preemptions_per_hour","preemptions","hours"}]}; only what differs from the
// usual.
cJSON *observed_json(const struct observed *o);

#endif
