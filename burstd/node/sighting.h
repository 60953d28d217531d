// SPDX-License-Identifier: GPL-3.0-or-later
// What a cloud says of one instance, in the answer to its launch or in a listing: address, times,
// host key, price and notice go into its row.
#ifndef BURST_SIGHTING_H
#define BURST_SIGHTING_H

#include <stdbool.h>

#include "base/burstd.h"
#include "cloud/provider/provider.h"
#include "state/model.h"

// p is borrowed. An instance that was being launched is launched by that, one with an address is
// up.
void sighting(struct burstd *b, struct instance *i, const struct provider_instance *p);

// The facts alone, into memory: address, host key, whether it was taken back. Something new?
bool sighting_facts(struct instance *i, const struct provider_instance *p);
// May it be in state up by that?
bool sighting_is_up(const struct instance *i, const struct provider_instance *p);

#endif
