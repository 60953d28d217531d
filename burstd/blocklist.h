// SPDX-License-Identifier: GPL-3.0-or-later
// Places that refused: left out of the plans for a while that doubles with each further refusal.
// When the time is over the place is tried again by one launch; its success forgets the record.
#ifndef BURST_BLOCKLIST_H
#define BURST_BLOCKLIST_H

#include <cjson/cJSON.h>

#include "burstd.h"

struct blocklist *blocklist_create(struct burstd *b); // loads the journal's
void blocklist_destroy(struct blocklist *l);

// "" = any. first_s: length of a first block; doubles up to max_s. The reason is for people.
void blocklist_add(struct blocklist *l, const char *cloud, const char *region, const char *zone,
                   const char *itype, const char *market, int64_t first_s, int64_t max_s,
                   const char *reason);
// A launch there worked.
void blocklist_clear(struct blocklist *l, const char *cloud, const char *region, const char *zone,
                     const char *itype, const char *market);
// The `blocked` array of a plan request; caller owns it.
cJSON *blocklist_request(const struct blocklist *l);
// For `burst status`.
cJSON *blocklist_json(const struct blocklist *l);

#endif
