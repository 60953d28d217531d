// SPDX-License-Identifier: GPL-3.0-or-later
// egress.csv: what moving data costs, patterns of places with marginal tiers.
#ifndef BURST_CATALOG_EGRESS_CSV_H
#define BURST_CATALOG_EGRESS_CSV_H

#include "catalog/builder.h"

#define EGRESS_NAME "egress.csv"

// Adds the routes of a text (changed in place, terminated).
void egress_csv_add(struct builder *b, char *text, size_t len);

#endif
