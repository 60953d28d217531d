// SPDX-License-Identifier: GPL-3.0-or-later
// What to do about one instance, from what the journal says and what the cloud says. Pure: one
// table of facts in, one verdict out, so that every cell can be tested.
#ifndef BURST_REAP_H
#define BURST_REAP_H

#include <stdbool.h>
#include <stdint.h>

#include "cloud/provider/provider.h"
#include "state/model.h"

enum reap_verdict {
    REAP_NOTHING,
    REAP_UPDATE,   // take over address, times, notice
    REAP_WAIT,     // the cloud does not list it (yet): count a miss
    REAP_ASK,      // nor does it for long: ask for it alone
    REAP_LOST,     // it ended or vanished while we still wanted it
    REAP_GONE,     // its end is confirmed
    REAP_STRANGER, // ours by tag, and not of this journal: told, left alone
    REAP_ORPHAN,   // ours by tag, nobody wants it, old enough (or ended and unpaid): terminate
};

struct reap_facts {
    bool journalled;                 // the journal knows a live instance of this id or tag
    enum inst_state state;           // when journalled
    bool listed;                     // the cloud lists it
    enum provider_state cloud_state; // when listed
    int64_t age_s;                   // since its launch
    unsigned misses;                 // listings in a row without it, this one included
    int64_t missing_s;               // since the first of these, monotonic
    bool absent;                     // asked for it alone, the cloud does not know it (or cannot be
                                     // asked: it has no id)
    // Of one that the journal has no live row of:
    bool known;       // it has an ended one
    bool confirmed;   // whose end the cloud had confirmed: a stale listing may still show it
    int64_t listed_s; // since the first of the listings in a row that show it so, monotonic
    bool unpaid;      // its launch was given up, and the ledger has not a second of what came of it
    int64_t minimum_age_s; // for orphans: a launch may not be journalled as ours yet
};

// Listings are eventually consistent, and pages of them get lost: an absence is believed after so
// many listings without it, over so long, and when the cloud confirms it for this instance alone
// (failures met elsewhere: healthy instances were replaced because of one bad answer).
#define REAP_MISSES 3
#define REAP_MISSING_S 60

enum reap_verdict reap_decide(const struct reap_facts *f);
const char *reap_verdict_name(enum reap_verdict v);

#endif
