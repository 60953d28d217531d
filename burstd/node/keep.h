// SPDX-License-Identifier: GPL-3.0-or-later
// Results that cannot come home, because home does not take them (a quota, a directory that is
// gone): tried again until they have cost what the site allows (data.keep_results), then kept for
// their owner (ssh/stage_keep.h), so that their node can go.
#ifndef BURST_KEEP_H
#define BURST_KEEP_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "state/model.h"

// Notes how a stage-out failed: burst-ssh's class and sentence. It is tried again all the same.
void keep_failed(struct instance *i, const char *errclass, const char *error);

// Is it to be kept at the next try? Every other one is for the results' own places.
bool keep_due(const struct burstd *b, const struct instance *i, const struct bjob *j);
// Makes a stage-out request one that keeps them.
void keep_request(const struct burstd *b, const struct instance *i, const struct bjob *j,
                  cJSON *request);
// The answer to it: tells the job's owner and the site. last: its `done` event.
void keep_done(struct burstd *b, struct instance *i, struct bjob *j, const cJSON *last);

// Waits one of the job's nodes for home to take its results, or for a place to keep them?
bool keep_waits(struct burstd *b, const struct bjob *j);

#endif
