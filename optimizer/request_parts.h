// SPDX-License-Identifier: GPL-3.0-or-later
// Values that several parts of a plan request have. All return -1 with the path of the field
// that is wrong; what was read until then stays in the request, which its owner frees.
#ifndef BURST_REQUEST_PARTS_H
#define BURST_REQUEST_PARTS_H

#include "optimizer/field.h"
#include "optimizer/request_types.h"

#define REQUEST_GB_MAX 1e12
#define REQUEST_USD_MAX 1e9
#define REQUEST_PRICE_MAX 1e6 // USD per hour
#define REQUEST_RATE_MAX 3600 // preemptions per hour: one a second

// "cloud/region"
int request_location(const cJSON *v, const struct field_path *up, const char *key,
                     struct rq_location *out, burst_error_t *errp);
int request_market(const cJSON *o, const struct field_path *up, enum rq_market *out,
                   burst_error_t *errp);
void request_free_location(struct rq_location *l);

#endif
