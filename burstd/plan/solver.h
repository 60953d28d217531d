// SPDX-License-Identifier: GPL-3.0-or-later
// burstd's side of burst-solve --serve: plan requests out, answers by callback. The child is
// started again when it dies; what it was asked then answers NULL.
#ifndef BURST_SOLVER_H
#define BURST_SOLVER_H

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "libburst/error.h"

// error: why there is no plan, else NULL. answer is NULL when the optimizer has not answered at
// all; with an error it is what it says of a request that it refuses.
typedef void (*solver_cb)(void *arg, const cJSON *answer, const char *error);

struct solver *solver_create(struct burstd *b, burst_error_t *errp);
void solver_destroy(struct solver *s);

// Takes the request. cb is called from the loop, or at once when the request cannot be sent.
void solver_ask(struct solver *s, cJSON *request, solver_cb cb, void *arg);
// Reads the catalog again.
void solver_reload(struct solver *s);

#endif
