// SPDX-License-Identifier: GPL-3.0-or-later
// From launched to ready: waits for the address, prepares the instance over SSH, gives back what
// nobody needs. A boot that fails leaves its reason in the row (struct failure) and ends.
#ifndef BURST_BOOT_H
#define BURST_BOOT_H

#include "base/burstd.h"
#include "state/model.h"

// What an instance in state launched, up or ready needs next.
void boot_launched(struct burstd *b, struct instance *i);
void boot_up(struct burstd *b, struct instance *i);
void boot_ready(struct burstd *b, struct instance *i);

#endif
