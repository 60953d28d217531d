// SPDX-License-Identifier: GPL-3.0-or-later
// A plan request: what is to be placed, under which conditions. The JSON form is public (man
// burst-plan(1)); this is the same after every field was checked.
//
// Units: hours, GB and USD as doubles where people write them; money limits in nano-dollars.
// Everything is owned by the request. NULL strings and empty lists mean "any".
#ifndef BURST_REQUEST_H
#define BURST_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "optimizer/request_types.h"

// NULL with a text that begins with the path of the field that is wrong.
struct request *request_parse(const cJSON *j, burst_error_t *errp);
void request_destroy(struct request *r);

#endif
