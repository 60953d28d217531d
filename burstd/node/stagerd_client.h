// SPDX-License-Identifier: GPL-3.0-or-later
// Requests to burst-stagerd that need no stream, asked from the loop: a line for a job's output
// file, the size of what a job would bring to a node.
#ifndef BURST_STAGERD_CLIENT_H
#define BURST_STAGERD_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/burstd.h"

// answer: what it said (borrowed). NULL: it said nothing, and error is a sentence; down: it does
// not run at all.
typedef void stagerd_answer(void *arg, const cJSON *answer, bool down, const char *error);

// Sends a request (taken, freed here) and calls cb once, always later and never from inside of this
// call; within 90 s.
void stagerd_ask(struct burstd *b, cJSON *request, stagerd_answer *cb, void *arg);

// Fire and forget; trouble goes to the log. The text gets a line end.
void stagerd_append(struct burstd *b, uint32_t uid, uint32_t gid, const char *user,
                    const char *path, const char *text);

#endif
