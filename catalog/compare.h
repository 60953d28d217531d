// SPDX-License-Identifier: GPL-3.0-or-later
// Two catalogs of one cloud side by side: which offers are new, gone, or have another price.
#ifndef BURST_CATALOG_COMPARE_H
#define BURST_CATALOG_COMPARE_H

#include <stdint.h>

#include "catalog/catalog.h"

#define COMPARE_MOVES 3

// One offer on one market whose price has changed. Texts are borrowed from the catalog `after`.
struct compare_move {
    const char *instance_type, *region, *zone;
    enum market market;
    int64_t before, after; // nano-dollars an hour
    double ratio;          // after / before; HUGE_VAL from 0
};

struct comparison {
    uint32_t before, after; // offers x markets
    uint32_t added, gone, changed;
    struct compare_move move[COMPARE_MOVES]; // the largest, by factor up or down
    unsigned n_moves;
};

// An offer is the same when instance type, accelerator, region, zone and market are. Rows that
// stand several times are compared in order of their price. before NULL: all is new.
void catalog_compare(const struct catalog *before, const struct catalog *after,
                     struct comparison *out);

#endif
