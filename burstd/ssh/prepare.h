// SPDX-License-Identifier: GPL-3.0-or-later
// The operation prepare: scripts, Slurm's files, parameters and the munge key go to a node as one
// tar archive, which is unpacked and run there.
#ifndef BURST_SSH_PREPARE_H
#define BURST_SSH_PREPARE_H

#include <cjson/cJSON.h>

#include "libburst/strbuf.h"
#include "ssh/request.h"
#include "ssh/session.h"
#include "ssh/ssh_error.h"

// Makes the archive, at most 16 MiB. b holds the munge key then, also after an error: whoever
// called this calls prepare_bundle_free(). Its memory is of fixed size: growing would leave copies
// of the key behind. -1: class internal.
int prepare_bundle(const struct ssh_request *req, struct strbuf *b, struct ssh_error *err);
void prepare_bundle_free(struct strbuf *b); // wipes; a zeroed b is allowed

// Sends and runs it; done gets slurmd_version. -1: as node_command_script().
int prepare_run(struct ssh_session *s, const struct ssh_request *req, const struct strbuf *bundle,
                cJSON *done, struct ssh_error *err);

#endif
