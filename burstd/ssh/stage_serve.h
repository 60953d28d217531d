// SPDX-License-Identifier: GPL-3.0-or-later
// One request to burst-stagerd, served by a process of its own. It looks up the user, becomes that
// user for good (groups, gid, uid, no new privileges, limits) and only then touches a file. What
// the requests say is not believed: ids must be those of the account, system accounts are refused,
// and archives from nodes are unpacked with care (stage_unpack.h).
#ifndef BURST_SSH_STAGE_SERVE_H
#define BURST_SSH_STAGE_SERVE_H

#include <sys/types.h>

// Reads a request from a connected socket and does it; every read and write there is bounded. The
// process must be root's, and has nothing of root's left after it: it can only exit. Returns its
// exit status: 0 done, 1 refused or failed (the peer was told, if it can still be).
// site_gid: SlurmUser's group (stage_keep_dir()).
int stage_serve(int fd, gid_t site_gid);

// Tells the peer that nothing is done, with a class of internals, section 7. Returns 1.
int stage_refuse(int fd, const char *errclass, const char *text);

#endif
