// SPDX-License-Identifier: GPL-3.0-or-later
// CLOUD.csv: the offers of one cloud. A row that cannot be true is reported with file, line and
// reason, and left out.
#ifndef BURST_CATALOG_CLOUD_CSV_H
#define BURST_CATALOG_CLOUD_CSV_H

#include <stdbool.h>

#include "catalog/builder.h"

// Adds the rows of a text (changed in place, terminated) as those of cloud `name`. False when it is
// no such file (reported).
bool cloud_csv_add(struct builder *b, const char *name, char *text, size_t len);

#endif
