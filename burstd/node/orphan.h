// SPDX-License-Identifier: GPL-3.0-or-later
// Instances that bear our tag and serve nobody here. Two kinds:
//  - orphans: the journal knows them, as given up or ended. They are taken back into it, since they
//    cost money, and ended.
//  - strangers: the journal has never known them. Every launch is journaled before it is made, so
//    the journal is not the one that they were launched with (lost, or restored from an old backup;
//    or another burstd uses the same `cluster:`). What runs on them may be Slurm's jobs, what lies
//    there results: they are left alone and told of until an operator ends them. (A node that hears
//    of no burstd and runs no job powers itself off after some hours.)
#ifndef BURST_ORPHAN_H
#define BURST_ORPHAN_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "base/burstd.h"

struct cloud;

// From a listing that has just come.
void orphans_find(struct cloud *c);
// Are there strangers, as far as the last listings say? Then nodes of Slurm's that work without an
// instance in the journal may be theirs.
bool strangers_any(void);
// For `burst status`: [{"cloud","id","instance","region","zone","instance_type","launched"}]. The
// caller owns it.
cJSON *strangers_json(void);
// An operator ends a stranger, by the cloud's id of it. False: there is none of that id.
bool stranger_end(struct burstd *b, const char *cloud_id);

#endif
