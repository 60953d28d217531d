// SPDX-License-Identifier: GPL-3.0-or-later
// The spool of the hooks: files that burst-resume and burst-suspend leave in STATEDIR/spool.
// A file is removed only after its consequences are in the journal.
#ifndef BURST_SPOOL_H
#define BURST_SPOOL_H

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "libburst/error.h"

// Handles one file's content; 0 = its consequences are journalled, -1 = try again later.
typedef int (*spool_handler)(struct burstd *b, const cJSON *msg);

struct spool *spool_create(struct burstd *b, spool_handler handler, burst_error_t *errp);
void spool_destroy(struct spool *s);
// Reads what is there, oldest first; at most 256 files a call.
void spool_scan(struct spool *s);
int spool_waiting(const struct spool *s); // files seen at the last scan that could not be handled

#endif
