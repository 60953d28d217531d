// SPDX-License-Identifier: GPL-3.0-or-later
// What a node of each shape costs at least, at each cloud and on each market, as the optimizer said
// last. Not journaled: it is asked again after a start.
#ifndef BURST_SHAPE_PRICES_H
#define BURST_SHAPE_PRICES_H

#include <stdbool.h>

#include "libburst/money.h"

struct shape_prices *shape_prices_create(void);
void shape_prices_destroy(struct shape_prices *t);

// Micro-dollars per hour; MONEY_UNKNOWN = not offered there, or not known yet.
money_t shape_price(const struct shape_prices *t, const char *cloud, const char *shape, bool spot);
void shape_price_set(struct shape_prices *t, const char *cloud, const char *shape, bool spot,
                     money_t price);
// Forgets all of them: the configuration has changed.
void shape_prices_clear(struct shape_prices *t);

// A round of questions is answered: what was published with the old prices is out of date. The
// number of rounds so far.
void shape_prices_complete(struct shape_prices *t);
unsigned shape_prices_rounds(const struct shape_prices *t);

#endif
