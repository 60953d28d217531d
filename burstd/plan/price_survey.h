// SPDX-License-Identifier: GPL-3.0-or-later
// Asks the optimizer now and then what a node of each shape costs at least (shape_prices.h).
#ifndef BURST_PRICE_SURVEY_H
#define BURST_PRICE_SURVEY_H

#include "base/burstd.h"

struct price_survey *price_survey_create(struct burstd *b);
void price_survey_destroy(struct price_survey *s);
// Asks when it is time, and after a change of the configuration.
void price_survey_step(struct price_survey *s);

#endif
