// SPDX-License-Identifier: GPL-3.0-or-later
// The plugin's decision about a job that is being submitted: a pure function of the snapshot, the
// job and what its user asks for. No Slurm header, no allocation, no clock.
#ifndef BURST_CLASSIFY_H
#define BURST_CLASSIFY_H

#include "slurm_plugin/directive.h"
#include "slurm_plugin/need.h"
#include "slurm_plugin/snapshot.h"

enum verdict {
    VERDICT_ALONE,    // nothing is changed, burstd will not see it
    VERDICT_ELIGIBLE, // marked: burstd may move it
    VERDICT_HOLD,     // marked, held and put into an elastic partition until burstd has nodes
    VERDICT_REJECT,   // refused with the sentence
};

struct decision {
    enum verdict verdict;
    char partition[SNAPSHOT_NAME]; // HOLD: the elastic partition
    char sentence[512];            // for the user; "" = nothing is said
    char stays[256];               // ALONE, and its user named an option: why; else ""
};

// How far a snapshot may be believed.
enum snapshot_age {
    SNAPSHOT_OLD,    // which partitions are elastic, nothing else
    SNAPSHOT_RECENT, // burstd is silent, for less than accept_s: what exists, not what it costs now
    SNAPSHOT_FRESH,
};

// snapshot: NULL when there is none (age is not looked at). d is what the user asks for; on
// ELIGIBLE and HOLD it is completed to what the mark must say (cls, part, user_hold, and for a job
// sent straight to an elastic partition mode and clouds).
void classify(const struct snapshot_body *snapshot, enum snapshot_age age,
              const struct job_request *job, struct directive *d, struct decision *out);

// Does a comma list of partitions name an elastic one? NULL: no. For job_modify.
bool classify_names_elastic(const struct snapshot_body *snapshot, const char *partitions);

// The same without a snapshot, by burst.conf: does the list share a name with another one?
bool classify_listed(const char *partitions, const char *names);

#endif
