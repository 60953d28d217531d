// SPDX-License-Identifier: GPL-3.0-or-later
// What was observed of places: launches refused and granted, preemptions, hours that spot nodes
// ran, spot prices. A pure data structure: every call says what time it is (epoch seconds), nothing
// is read or written; rows go to and from the store as JSON.
//
// A place is cloud, region, zone, instance type and market. "" in a refusal means "any": a quota of
// a whole region is one record, and it covers all places in it.
//
// A refusal closes the place for a while that doubles with each further one. When the time is over
// the place is half open: ONE launch of ONE node may try it (the probe); while it is under way the
// place is closed to all others. Its success opens the place, its failure closes it for longer. A
// probe that nobody reports on ends after probe_s. Where no probe comes for one more length of the
// block (those who want the place want several nodes at once) it is open again by itself: a place
// that was closed for 60 s is open 120 s after the refusal at the latest. Refused within four
// lengths it doubles all the same; later it is news.
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
    int64_t probe_s;     // a probe that nobody reported on ends after this; 600 where 0
    int64_t half_life_s; // of observed preemptions and hours; 7 days where 0
};

struct tracker *tracker_create(const struct tracker_conf *conf);
void tracker_destroy(struct tracker *t);

// --- observations ---

// A launch was refused for lack of capacity or quota. The block lasts first_s, or twice the last
// one, at most max_s (seconds). reason is for people. A probe of a wider or narrower place that
// this launch was ends without a result. True when the place is closed by this refusal, false when
// it was closed already.
bool tracker_refused(struct tracker *t, const struct tracker_place *p, int64_t now, int64_t first_s,
                     int64_t max_s, const char *reason);
// A launch worked: forgets refusals that cover the place.
void tracker_granted(struct tracker *t, const struct tracker_place *p, int64_t now);
// A launch ended in a way that says nothing of the place (no answer, wrong credentials): the next
// one may take the probe.
void tracker_undecided(struct tracker *t, const struct tracker_place *p, int64_t now);
// A spot node was taken away / has run for so many hours (both weigh less as they get older).
void tracker_preempted(struct tracker *t, const struct tracker_place *p, int64_t now);
void tracker_ran(struct tracker *t, const struct tracker_place *p, double hours, int64_t now);
// What an hour there costs now. The same price again within an hour changes nothing.
void tracker_priced(struct tracker *t, const struct tracker_place *p, money_t price, int64_t now);

// --- questions ---

enum tracker_gate {
    TRACKER_OPEN,
    TRACKER_PROBE,  // half open: one launch of one node
    TRACKER_CLOSED, // refused lately, or a probe is under way
};

// *until (may be NULL): when a closed place is asked again, a half-open one opens by itself.
enum tracker_gate tracker_gate(const struct tracker *t, const struct tracker_place *p, int64_t now,
                               int64_t *until);
// Takes the probe of a half-open place; false when there is none to take.
bool tracker_take_probe(struct tracker *t, const struct tracker_place *p, int64_t now);

// Preemptions per hour to expect. Unknown places start from one in 24 hours and learn.
double tracker_preemption_rate(const struct tracker *t, const struct tracker_place *p, int64_t now);
// That of a place of which nothing is known.
double tracker_prior_rate(void);

// What an hour of progress costs on a spot node: each restart loses changeover_hours, so
// price * (1 + rate * changeover_hours). Nano-dollars in and out; on-demand is left as it is.
int64_t tracker_effective_price(const struct tracker *t, const struct tracker_place *p,
                                int64_t price, double changeover_hours, int64_t now);

// The latest observed price, MONEY_UNKNOWN when none is younger than max_age_s.
money_t tracker_price(const struct tracker *t, const struct tracker_place *p, int64_t max_age_s,
                      int64_t now);

// One record as it stands at `now`; the texts are borrowed for the callback.
struct tracker_view {
    struct tracker_place place;
    enum tracker_gate gate;    // of this record alone
    bool probing;              // closed because a probe is under way
    int64_t until;             // as tracker_gate(); 0 when open
    const char *reason;        // of the last refusal, never NULL
    double preemptions, hours; // as they weigh now
    double rate;               // preemptions per hour to expect
    money_t price;             // MONEY_UNKNOWN: never seen
    int64_t price_at;
};
// Every record, in the order in which they were first seen.
void tracker_each(const struct tracker *t, int64_t now,
                  void (*cb)(void *arg, const struct tracker_view *v), void *arg);

// --- store ---

// Rows that changed since tracker_saved(): one JSON object each, borrowed for the callback; the key
// is the same for the same place. put returns -1 when it could not keep the row, which ends the
// call with -1.
bool tracker_changed(const struct tracker *t);
int tracker_changes(const struct tracker *t,
                    int (*put)(void *arg, const char *key, const cJSON *row), void *arg);
void tracker_saved(struct tracker *t);

// Forgets what does not matter any more (old, open); forgot (may be NULL) is told the keys.
// Returns the number of records left.
size_t tracker_prune(struct tracker *t, int64_t now, void (*forgot)(void *arg, const char *key),
                     void *arg);
// Takes a row back. -1 with a text when it is none of ours; the tracker is unchanged then.
int tracker_load_row(struct tracker *t, const cJSON *row, burst_error_t *errp);

#endif
