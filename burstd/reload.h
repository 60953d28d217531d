// SPDX-License-Identifier: GPL-3.0-or-later
// A new burst.yaml for the running daemon.
#ifndef BURST_RELOAD_H
#define BURST_RELOAD_H

#include "base/burstd.h"

// 0, or -1 with *errors (owned, lines for people): the old configuration stays in force, whole.
int reload(struct burstd *b, char **errors);

#endif
