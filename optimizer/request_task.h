// SPDX-License-Identifier: GPL-3.0-or-later
// The tasks of a plan request. Returns -1 with the path of the field
// that is wrong; what was read until then stays in the request, which its owner frees.
#ifndef BURST_REQUEST_TASK_H
#define BURST_REQUEST_TASK_H

#include "optimizer/field.h"
#include "optimizer/names.h"
#include "optimizer/request_types.h"

int request_task(const cJSON *o, const struct field_path *up, struct names *datasets,
                 struct rq_task *t, burst_error_t *errp);
void request_free_task(struct rq_task *t);

#endif
