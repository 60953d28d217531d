// SPDX-License-Identifier: GPL-3.0-or-later
// The price of the purchase: a plan is made with the catalog's prices, the ledger charges what the
// cloud says it has sold the instance for.
#ifndef BURST_PURCHASE_H
#define BURST_PURCHASE_H

#include "base/burstd.h"
#include "cloud/provider/provider.h"
#include "libburst/money.h"
#include "state/model.h"

// Takes the price over if the cloud says one, and remembers it for the next plans. To be called
// before the instance's first charge; the caller journals it.
void purchase_price(struct burstd *b, struct instance *i, const struct provider_instance *p);

// The instances of this one's launch have got their prices: that of its job follows. If the plan
// had another, the job's story says so, and which cap may be passed now.
void purchase_told(struct burstd *b, const struct instance *i);

#endif
