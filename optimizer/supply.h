// SPDX-License-Identifier: GPL-3.0-or-later
// What the tasks of a request choose from: the catalog, under the conditions of the request.
#ifndef BURST_SUPPLY_H
#define BURST_SUPPLY_H

#include "catalog/catalog.h"
#include "optimizer/places.h"
#include "optimizer/rates.h"
#include "optimizer/request.h"
#include "optimizer/signature.h"

struct supply {
    const struct catalog *cat; // borrowed
    const struct request *rq;  // borrowed
    struct places *places;
    struct rates *rates;
    struct signatures *sigs;
    uint32_t *dataset_place;
    bool *shared;      // per data set: several tasks use it
    bool money_limits; // some limit counts money
};

void supply_init(struct supply *s, const struct catalog *cat, const struct request *rq);
void supply_free(struct supply *s); // what it owns, not itself

#endif
