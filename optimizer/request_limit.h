// SPDX-License-Identifier: GPL-3.0-or-later
// Limits, blocked places and what was observed, in a plan request. Returns -1 with the path of the
// field that is wrong; what was read until then stays in the request, which its owner frees.
#ifndef BURST_REQUEST_LIMIT_H
#define BURST_REQUEST_LIMIT_H

#include "optimizer/field.h"
#include "optimizer/request_types.h"

int request_limits(const cJSON *j, struct request *r, burst_error_t *errp);
int request_observed(const cJSON *j, struct request *r, burst_error_t *errp);
void request_free_limits(struct request *r); // limits, blocked and observed

#endif
