// SPDX-License-Identifier: GPL-3.0-or-later
// One request to burst-stagerd that needs no stream: a line for a job's output file, written as
// the job's user.
#ifndef BURST_STAGERD_CLIENT_H
#define BURST_STAGERD_CLIENT_H

#include <stdint.h>

#include "base/burstd.h"

// Fire and forget; trouble goes to the log. The text gets a line end.
void stagerd_append(struct burstd *b, uint32_t uid, uint32_t gid, const char *user,
                    const char *path, const char *text);

#endif
