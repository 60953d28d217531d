// SPDX-License-Identifier: GPL-3.0-or-later
// The optimizer's front: a request and a catalog in, a plan out. Pure: no clock but the one that
// bounds the search, no network, no state between calls.
//
//     cJSON *j = json_parse(text, len, &err);
//     struct request *rq = request_parse(j, &err);        // bad request: err names the field
//     struct plan *p = plan_create(cat, rq, &err);        // NULL: neither a plan nor a proof
//     char *text = plan_text(p);                          // or plan_json(p)
//
// A plan borrows catalog and request: destroy it first. Costs are nano-dollars inside; the JSON
// has USD as doubles and, where somebody bills by it, micro-dollars as integers (..._uusd...).
#ifndef BURST_PLAN_H
#define BURST_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "catalog/catalog.h"
#include "libburst/error.h"
#include "optimizer/plan_parts.h"
#include "optimizer/request.h"

// NULL with a text when neither a plan nor a proof was found (time limit, numbers beyond counting).
struct plan *plan_create(const struct catalog *cat, const struct request *rq, burst_error_t *errp);
// For tests: without some of the methods (enum solve_step of solve.h).
struct plan *plan_create_by(const struct catalog *cat, const struct request *rq, unsigned skip,
                            burst_error_t *errp);
void plan_destroy(struct plan *p);

// The public answer. load_ms may be set by the caller before.
cJSON *plan_json(const struct plan *p);
// A table for people, with the runners-up when the request asked for them. Caller frees.
char *plan_text(const struct plan *p);

#endif
