// SPDX-License-Identifier: GPL-3.0-or-later
// The operations stage_in and stage_out: burst-stagerd on one side, the node on the other, an
// archive between them that is never on a disk of ours.
#ifndef BURST_SSH_STAGING_H
#define BURST_SSH_STAGING_H

#include <cjson/cJSON.h>

#include "ssh/request.h"
#include "ssh/session.h"
#include "ssh/ssh_error.h"

// First half of stage_in: the files are looked through before the node is called, so a job that is
// too large costs it nothing. *header: burst-stagerd's answer (caller frees), *fd: where the
// archive comes from (non-blocking, caller closes); both are left alone when the request has no
// paths. They may be set when it fails, too. -1: as stage_peer.h has it.
int staging_open(const struct ssh_request *req, cJSON **header, int *fd, struct ssh_error *err);

// Second half: the archive goes to the node (fd -1: only parameters). done gets the totals: bytes,
// files, skipped, stream_bytes, warning.
int staging_in(struct ssh_session *s, const struct ssh_request *req, int fd, const cJSON *header,
               cJSON *done, struct ssh_error *err);

// stage_out: what the node packs goes to burst-stagerd; the node is told when all of it is on disk.
// done as above; without paths nothing is run.
int staging_out(struct ssh_session *s, const struct ssh_request *req, cJSON *done,
                struct ssh_error *err);

#endif
