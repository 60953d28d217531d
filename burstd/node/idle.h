// SPDX-License-Identifier: GPL-3.0-or-later
// Rented nodes that serve nobody, in groups that are the same for a plan: cloud, region, zone,
// shape, type, market, price and last user. They are alternatives to new nodes: there already, and
// paid for until Slurm would have suspended them.
//
// A node that has had a user's files or processes on it serves that user alone from then on: what
// he left there (directories, files in /tmp, a process) would meet the next one's job.
#ifndef BURST_IDLE_H
#define BURST_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/burstd.h"
#include "state/model.h"

#define IDLE_GROUPS_MAX 64 // nodes beyond it are not offered to this plan

struct idle_group {
    char name[16]; // "idle-1": what a plan calls it
    char cloud[33], region[64], zone[64], itype[128], shape[33], partition[64];
    bool spot;
    money_t price;   // per node and hour
    uint32_t served; // uid of the only user whom its nodes may serve, 0 = anybody
    unsigned n;      // nodes
    int64_t paid_s;  // they are paid for at least so long from now, used or not
};

// Healthy idle nodes, as Slurm and the journal see them now. Returns the number of groups.
unsigned idle_find(struct burstd *b, struct idle_group groups[IDLE_GROUPS_MAX]);

// May its nodes serve this job?
bool idle_admits(const struct idle_group *g, const struct bjob *j);

// The nodes of a group that are still idle, at most want (and GANG_MAX). Returns their number.
unsigned idle_members(struct burstd *b, const struct idle_group *g, struct instance **out,
                      unsigned want);

// The job takes n nodes of the group: it is `securing` then. The job and its nodes are one write;
// false: it could not be journaled, and nothing has changed. transfer: egress that goes with it.
bool idle_take(struct burstd *b, struct bjob *j, const struct idle_group *g, struct instance **node,
               unsigned n, money_t transfer);

#endif
