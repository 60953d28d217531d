// SPDX-License-Identifier: GPL-3.0-or-later
// What was observed of places: launches refused and granted, preemptions, hours that spot nodes
// ran, spot prices. A pure data structure: every call says what time it is (epoch seconds), nothing
// is read or written; rows go to and from the store as JSON.
//
// A place is cloud, region, zone, instance type and market. "" in a refusal means "any": a quota of
// a whole region is one record, and it covers all places in it. A refusal closes the place for a
// while that doubles with each further one. When the time is over the place is half open: one
// launch of one node may try it; its success opens the place again, its failure closes it for
// longer.
#ifndef BURST_TRACKER_H
#define BURST_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "catalog/catalog.h"
#include "libburst/error.h"
#include "libburst/money.h"

struct tracker;

struct tracker_place {
    const char *cloud, *region, *zone, *instance_type; // "" = any (in refusals) or none
    int market;                                        // enum market, -1 = any
};

struct tracker_conf {
    int64_t first_block_s, max_block_s; // 60 and 3600 where 0
    int64_t probe_s;     // a probe that nobody reported on ends after this; 600 where 0
    int64_t half_life_s; // of observed preemptions and hours; 7 days where 0
};

struct tracker *tracker_create(const struct tracker_conf *conf);
void tracker_destroy(struct tracker *t);

// --- observations ---

// A launch was refused for lack of capacity or quota. reason is for people.
void tracker_refused(struct tracker *t, const struct tracker_place *p, int64_t now,
                     const char *reason);
// A launch worked: forgets refusals that cover the place.
void tracker_granted(struct tracker *t, const struct tracker_place *p, int64_t now);
// A spot node was taken away / has run for so many hours (both weigh less as they get older).
void tracker_preempted(struct tracker *t, const struct tracker_place *p, int64_t now);
void tracker_ran(struct tracker *t, const struct tracker_place *p, double hours, int64_t now);
void tracker_priced(struct tracker *t, const struct tracker_place *p, money_t price, int64_t now);

// --- questions ---

enum tracker_gate {
    TRACKER_OPEN,
    TRACKER_PROBE,  // half open: one launch of one node
    TRACKER_CLOSED, // refused lately, or a probe is under way
};

// *until (may be NULL): when a closed place is asked again.
enum tracker_gate tracker_gate(const struct tracker *t, const struct tracker_place *p, int64_t now,
                               int64_t *until);
// Takes the probe of a half-open place; false when there is none to take.
bool tracker_take_probe(struct tracker *t, const struct tracker_place *p, int64_t now);

// Preemptions per hour to expect. Unknown places start from one in 24 hours and learn.
double tracker_preemption_rate(const struct tracker *t, const struct tracker_place *p, int64_t now);

// What an hour of progress costs on a spot node: each restart loses changeover_hours, so
// price * (1 + rate * changeover_hours). Nano-dollars in and out; on-demand is left as it is.
int64_t tracker_effective_price(const struct tracker *t, const struct tracker_place *p,
                                int64_t price, double changeover_hours, int64_t now);

// The latest observed spot price, MONEY_UNKNOWN when none is younger than max_age_s.
money_t tracker_price(const struct tracker *t, const struct tracker_place *p, int64_t max_age_s,
                      int64_t now);

// The `blocked` array of a plan request for launches of more than one node (half-open places are
// blocked) or of one. Caller owns it.
cJSON *tracker_blocked(const struct tracker *t, int64_t nodes, int64_t now);

// --- store ---

// Forgets what does not matter any more (old, open). Returns the number of records left.
size_t tracker_prune(struct tracker *t, int64_t now);
// One object per record; caller owns the array.
cJSON *tracker_rows(const struct tracker *t);
// Takes a row back. -1 with a text when it is none of ours; the tracker is unchanged then.
int tracker_load_row(struct tracker *t, const cJSON *row, burst_error_t *errp);

#endif
