// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm commands that move a job: to its nodes, back home, on hold. While one is under way j->cmd
// is set and no other is sent; Slurm's answer stands in j->answer until the job is looked at
// (placed_answered()).
#ifndef BURST_MOVE_H
#define BURST_MOVE_H

#include "base/burstd.h"
#include "state/model.h"

struct sjob;

// Its own maximum of nodes is kept in its mark while Slurm has ours in its place. Before the state
// in which it is moved is journaled.
void move_remember(struct bjob *j, const struct sjob *s);
// Points it at its nodes, by name, and lets it go: it gets them all and no other.
void move_to_nodes(struct burstd *b, struct bjob *j, const struct sjob *s);
// Back where it came from, as it was: it may start locally, or be bought for again.
void move_home(struct burstd *b, struct bjob *j);
// It is home again: forgets what was remembered.
void move_forget(struct bjob *j);
// Priority 0.
void move_hold(struct burstd *b, struct bjob *j);
// Is it a job that the plugin holds, because no local node can run it or its user wants it so?
bool move_class_held(const struct bjob *j);

#endif
