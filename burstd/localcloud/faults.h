// SPDX-License-Identifier: GPL-3.0-or-later
// Faults that an operator sets on a local cloud: what goes wrong, where, how often or how long.
#ifndef LOCALCLOUD_FAULTS_H
#define LOCALCLOUD_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"

enum fault_kind {
    FAULT_NO_CAPACITY,  // launch is refused: InsufficientCapacity
    FAULT_QUOTA,        // launch is refused: QuotaExceeded
    FAULT_THROTTLE,     // call is refused: Throttled
    FAULT_UNAUTHORIZED, // call is refused: Unauthorized
    FAULT_LOSE_REPLY,   // the call is carried out, the connection closed without an answer
    FAULT_SLOW_BOOT,    // sshd starts delay_ms late
    FAULT_NEVER_BOOT,   // sshd never starts
    FAULT_DIE,          // the instance dies delay_ms after its launch
    FAULT_KINDS
};

// Which call of the API a fault meets.
enum fault_call { FAULT_CALL_LAUNCH, FAULT_CALL_LIST, FAULT_CALL_DESCRIBE, FAULT_CALL_TERMINATE };

struct faults;

struct faults *faults_create(void);
void faults_free(struct faults *f);

// Replaces all faults by the JSON array (or {"faults":[...]}). On an error nothing changes.
// now_ms: epoch, the start of every `seconds`.
int faults_set(struct faults *f, const cJSON *list, int64_t now_ms, burst_error_t *errp);

// What is left: `tries` counts down, `seconds` too; spent faults are gone. Owned by the caller.
cJSON *faults_json(const struct faults *f, int64_t now_ms);
// The same for the state file: absolute ends instead of seconds left; faults_set() reads both.
cJSON *faults_save(const struct faults *f);

// Does a fault of this kind meet the call? Uses up one try of the first that does. Calls other than
// a launch have no place: zone, instance_type and market "" match only the pattern "*".
// delay_ms may be NULL.
bool faults_hit(struct faults *f, enum fault_kind kind, enum fault_call call, const char *zone,
                const char *instance_type, bool spot, int64_t now_ms, int64_t *delay_ms);

// A change since the last question (tries used up)?
bool faults_dirty(struct faults *f);

#endif
