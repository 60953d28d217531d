// SPDX-License-Identifier: GPL-3.0-or-later
// As much of EC2's Query API as a driver needs, with a memory: launches by token, listings in pages
// that lag behind, capacity and quota per place, spot reclaim, and faults on demand. Strict: a
// parameter that it does not know is an error, as it is at EC2. No clock of its own.
#ifndef FAKECLOUD_EC2_H
#define FAKECLOUD_EC2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "fakecloud/form.h"
#include "libburst/error.h"

struct ec2;

// world: {"offers":[{"zone":"us-east-1a","type":"c6i.large","price":"0.085","spot":"0.031" (or
// none), "capacity":n (or none: any)}...], "quota":n (instances of a region, none: any),
// "boot_ms":n, "lag_ms":n (listings are so old), "page":n (rows at most)}. A zone's region is its
// name without the letter. NULL when it is not of that form.
struct ec2 *ec2_create(const cJSON *world, burst_error_t *errp);
void ec2_destroy(struct ec2 *e);

// One request, whose signature is good: HTTP status and the answer's XML (owned by the caller).
// *lost: the answer is not to be sent.
int ec2_answer(struct ec2 *e, const char *region, const struct form *f, int64_t now_ms, char **xml,
               bool *lost);

// The operator's side: {"reclaim":ID}, {"faults":[{"action":NAME (none: any),"code","status",
// "tries":n,"done":bool (it is done all the same),"lost":bool (no answer)}]}, {"capacity":{"zone",
// "type","n"}}. -1: not understood.
int ec2_control(struct ec2 *e, const cJSON *order, int64_t now_ms, burst_error_t *errp);

// What it will bill: [{"id","type","zone","market","seconds","usd_micro","running":bool,"token",
// "tags":{}}]. Owned by the caller.
cJSON *ec2_bill(const struct ec2 *e, int64_t now_ms);

#endif
