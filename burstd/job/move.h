// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm commands that move a job: to its nodes, back home, on hold. While one is under way j->cmd
// is set and no other is sent; Slurm's answer stands in j->answer until the job is looked at
// (placed_answered()).
#ifndef BURST_MOVE_H
#define BURST_MOVE_H

#include "base/burstd.h"
#include "state/model.h"

struct sjob;

// Points it at its nodes, by name, and lets it go.
void move_to_nodes(struct burstd *b, struct bjob *j, const struct sjob *s);
// Back where it came from: it may start locally, or be bought for again.
void move_home(struct burstd *b, struct bjob *j);
// Priority 0.
void move_hold(struct burstd *b, struct bjob *j);
// Is it a job that the plugin holds, because no local node can run it or its user wants it so?
bool move_class_held(const struct bjob *j);

#endif
