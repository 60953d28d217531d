// SPDX-License-Identifier: GPL-3.0-or-later
// What Slurm's reason of a waiting job says about a rented node. Pure. Names: `squeue --format=%r`,
// job_reason_string() of Slurm 22.05 to 26.05; sentences with more behind the name count by its
// first word.
#ifndef BURST_REASONS_H
#define BURST_REASONS_H

#include <stdbool.h>

enum reason_kind {
    REASON_CAPACITY,  // Resources, Priority: a rented node is what it lacks
    REASON_PASSING,   // it says nothing yet, or of a moment: look again
    REASON_LIMIT,     // a limit of user, account, QOS, array: more nodes do not help now
    REASON_PARTITION, // the partition is closed, its nodes are down, drained or reserved
    REASON_JOB,       // what the job asks for does not go there; waiting does not cure it
    REASON_HELD,      // somebody or something holds it: its user, a dependency, its begin time
    REASON_OTHER,
};

enum reason_kind reason_kind(const char *reason);

// slurmd could not launch it (a Prolog that fails, a user it does not know, "Duplicate jobid").
bool reason_launch_failed(const char *reason);

#endif
