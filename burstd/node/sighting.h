// SPDX-License-Identifier: GPL-3.0-or-later
// What a cloud says of one instance, in the answer to its launch or in a listing: address, times,
// host key, price and notice go into its row.
#ifndef BURST_SIGHTING_H
#define BURST_SIGHTING_H

#include "base/burstd.h"
#include "cloud/provider/provider.h"
#include "state/model.h"

// p is borrowed. An instance that was being launched is launched by that, one with an address is
// up.
void sighting(struct burstd *b, struct instance *i, const struct provider_instance *p);

#endif
