// SPDX-License-Identifier: GPL-3.0-or-later
// The one mechanism against circles that cost money. Whatever fails after a launch is counted here,
// for each thing that might be tried again and again: a job, a place, the nodes of a shape in a
// partition, a partition, those who share a limit (user, account, QOS), the site itself.
//
// A shape that is new, and what each node needs from a new site, may be tried by FEW jobs at a time
// (slow start); each that starts doubles how many, until it is trusted. One that failed twice in a
// row is closed for a pause that doubles with each further failure; then one job may try it, whose
// start opens it and whose failure closes it for longer. So nothing is rented more than twice for
// one cause before there is a pause, and no cause ends without a sentence.
//
// Who tries is not counted here but looked at in the tables (how many jobs are securing or placed):
// nothing is forgotten and nothing counted twice when burstd is killed.
#ifndef BURST_BOUNDS_H
#define BURST_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "libburst/error.h"
#include "state/model.h"

enum bound_kind {
    BOUND_JOB,       // key: the job
    BOUND_PLACE,     // bound_place_key()
    BOUND_SHAPE,     // bound_shape_key()
    BOUND_PARTITION, // partition
    BOUND_LIMIT,     // partition/user/account/QOS
    BOUND_SITE,      // what the site itself must mend; the key says what
};

#define BOUND_KEY_MAX 320

// Keys of BOUND_SITE: what each node needs from home.
#define BOUND_SITE_PREPARE "prepare"
#define BOUND_SITE_STAGING "staging"

struct bounds;

struct bounds *bounds_create(struct burstd *b); // loads the journal's
void bounds_destroy(struct bounds *t);

// It failed: cls and why (a sentence) are kept for people. Returns the failures in a row. A job
// that was tried is told apart from one that was not by the caller.
unsigned bound_failed(struct bounds *t, enum bound_kind kind, const char *key,
                      enum failure_class cls, const char *why);
// The same for what another try would not cure: it is closed at once.
void bound_hopeless(struct bounds *t, enum bound_kind kind, const char *key, enum failure_class cls,
                    const char *why);
// Of BOUND_LIMIT: as many as `running` may run, no more. Is kept when jobs start; one more is tried
// after each pause, because limits are raised, too.
void bound_learned(struct bounds *t, const char *key, unsigned running, const char *why);
// A job started with it: all is forgotten but that it works.
void bound_worked(struct bounds *t, enum bound_kind kind, const char *key);
// It is gone for good (a job that ended).
void bound_forget(struct bounds *t, enum bound_kind kind, const char *key);

// How many more jobs may try it now, when `trying` do (of BOUND_LIMIT: those that run, too): 0 =
// none. why (may be NULL): then the
// sentence, with the time of the next try.
unsigned bound_room(const struct bounds *t, enum bound_kind kind, const char *key, unsigned trying,
                    char *why, size_t size);
// Is it closed now (a pause is running)? *until: epoch seconds.
bool bound_closed(const struct bounds *t, enum bound_kind kind, const char *key, int64_t *until);
// Failures in a row.
unsigned bound_failures(const struct bounds *t, enum bound_kind kind, const char *key);

// The key of a place: all names of it.
void bound_place_key(char key[BOUND_KEY_MAX], const char *cloud, const char *region,
                     const char *zone, const char *itype, bool spot);
// Adds the names in a place's key to o: "cloud", "region", "zone", "instance_type", "market"; null
// where the key has none.
void bound_place_names(const char *key, cJSON *o);
// The key of a shape's nodes in a partition; returns `key`.
const char *bound_shape_key(const char *partition, const char *shape, char key[BOUND_KEY_MAX]);
// Adds the closed places to the `blocked` of a plan request.
void bounds_add_blocked(const struct bounds *t, cJSON *blocked);
// Is something of the site in the way of everything, when `trying` jobs try it? Then the sentence.
bool bounds_site_closed(const struct bounds *t, unsigned trying, char *why, size_t size);

// For people, of what failed (owned by the caller): [{"bound","kind","key","failures","cause",
// "state":"closed"|"probing","since","until","reason","sentence"}]; of a place its names, too
// ("cloud", "region", ...). "bound" is the name by which they call it ("shape:aws/cpu2"), "probing"
// means that its pause is over and one job may try it, times are epoch seconds.
cJSON *bounds_json(const struct bounds *t);
// Somebody has mended it: forgets the failures of those whose "bound" matches the shell pattern
// (NULL: of all), here and in the journal; what never worked begins slowly again. Adds {"bound",
// "kind","key"} of each to `opened`. -1 with errp: the journal cannot be written; what is in
// `opened` is open all the same.
int bounds_reopen(struct bounds *t, const char *pattern, cJSON *opened, burst_error_t *errp);

#endif
