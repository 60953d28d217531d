// SPDX-License-Identifier: GPL-3.0-or-later
// When may a waiting job leave the local cluster? A pure function of what Slurm says of it.
#ifndef BURST_SPILL_H
#define BURST_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spill_facts {
    bool held_for_burst; // the plugin holds it: it can never start locally, or --burst=only
    bool pending;
    bool nodes_down; // it names no node itself: nodes that are not available are no wish of its own
    const char *reason;     // Slurm's: Resources, Priority, ...
    int64_t now, eligible;  // epoch seconds; eligible: since when it could start
    int64_t expected_start; // Slurm's estimate, 0 = none
    int64_t deadline;       // the job's, 0 = none
    int64_t runtime_s;      // estimate of the work
    int64_t wait_threshold_s, min_pending_s;
    int64_t changeover_s; // until a rented node runs the job
};

enum spill_verdict {
    SPILL_STAY,  // leave it to Slurm
    SPILL_LATER, // a candidate soon: look again
    SPILL_LEAVE, // capacity is worth buying now
};

// why: a sentence for people, at most size bytes.
enum spill_verdict spill_decide(const struct spill_facts *f, char *why, size_t size);

#endif
