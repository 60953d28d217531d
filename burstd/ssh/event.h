// SPDX-License-Identifier: GPL-3.0-or-later
// The event lines that burst-ssh writes on standard output for burstd; their keys: internals,
// section 7.
#ifndef BURST_SSH_EVENT_H
#define BURST_SSH_EVENT_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "ssh/ssh_error.h"

// An event of that name, to be filled. Owned.
cJSON *ssh_event(const char *name);

// Writes it as a line, at once. msg is taken over.
void ssh_event_emit(cJSON *msg);

// Writes an error event. Returns 1, burst-ssh's exit status then.
int ssh_event_error(const struct ssh_error *err);

// Writes a progress event; as ssh_transfer.progress, arg is not used.
void ssh_event_progress(void *arg, int64_t bytes);

#endif
