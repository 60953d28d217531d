// SPDX-License-Identifier: GPL-3.0-or-later
// The places that lost, and by how much.
#ifndef BURST_RUNNERS_UP_H
#define BURST_RUNNERS_UP_H

#include "optimizer/plan_build.h"

// Fills in the runners-up of each task.
void build_runners_up(struct build *b);

#endif
