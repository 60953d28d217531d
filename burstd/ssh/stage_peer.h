// SPDX-License-Identifier: GPL-3.0-or-later
// burst-stagerd as burst-ssh asks it (protocol: internals, section 7). Its errors become those of
// the operation: limit and space as they are, anything else io; internal when it cannot be asked.
#ifndef BURST_SSH_STAGE_PEER_H
#define BURST_SSH_STAGE_PEER_H

#include <cjson/cJSON.h>

#include "ssh/request.h"
#include "ssh/ssh_error.h"

// A blocking socket on which every read and write is bounded (it looks through the user's files
// before it answers); the caller closes it. -1 on error.
int stage_peer_connect(const char *path, struct ssh_error *err);

// Asks for op ("pack", "unpack", "keep") on what the request names.
int stage_peer_send(int fd, const struct ssh_request *req, const char *op, struct ssh_error *err);

// Reads the first line of the answer to "pack", behind which the archive follows. Owned; NULL on
// error.
cJSON *stage_peer_header(int fd, struct ssh_error *err);

// An answer line that somebody else has read. Owned; NULL when it is a refusal or no answer.
cJSON *stage_peer_answer(const char *line, struct ssh_error *err);

#endif
