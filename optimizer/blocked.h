// SPDX-License-Identifier: GPL-3.0-or-later
// Places that a request leaves out. Rows that name an alternative concern such alternatives only,
// the others what the catalog offers.
#ifndef BURST_BLOCKED_H
#define BURST_BLOCKED_H

#include <stdbool.h>

#include "catalog/catalog.h"
#include "optimizer/request.h"

// Whether a row takes in all types and zones of its regions.
bool blocked_is_wide(const struct rq_match *m);
// Whether a row may concern offers of a cloud, of a region of it, of an instance type.
bool blocked_in_cloud(const struct rq_match *m, const char *cloud);
bool blocked_in_region(const struct rq_match *m, const char *cloud, const char *region);
bool blocked_type(const struct rq_match *m, const struct catalog *cat,
                  const struct catalog_type *t);
// Whether a row that may concern the offer's cloud and type does concern the offer on a market.
bool blocked_there(const struct rq_match *m, const struct catalog *cat,
                   const struct catalog_offer *o, int market);

bool blocked_offer(const struct request *rq, const struct catalog *cat,
                   const struct catalog_offer *o, int market);
bool blocked_alternative(const struct request *rq, const struct rq_alternative *a);

#endif
