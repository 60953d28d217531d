// SPDX-License-Identifier: GPL-3.0-or-later
// The life of an instance until it is ready, and its end, as a table of states. Level-triggered:
// what the journal says decides what is done next, so a restart needs no recovery code of its own.
#ifndef BURST_PROVISION_H
#define BURST_PROVISION_H

#include "base/burstd.h"

// The next action of every instance that has one due.
void provision_step(struct burstd *b);

#endif
