// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of an instance. burst-localcloud starts itself again as PID 1 of new mount, network,
// UTS, IPC and PID namespaces; that process makes the instance's root file system, configures its
// network and then is its init: it starts sshd, reaps orphans and ends everything on SIGTERM.
#ifndef LOCALCLOUD_GUEST_H
#define LOCALCLOUD_GUEST_H

#include "libburst/error.h"

#define GUEST_CHANNEL_FD 3 // to the cloud: the specification comes in, "up" or an error goes out

// Runs as the instance; the result is the exit status.
int guest_main(void);

// Can instances be made on this machine at all (namespaces, overlay over the root file system,
// sshd there)? Tries it in a throw-away process; the error says what is missing.
int guest_probe(const char *mountpoint, burst_error_t *errp);

#endif
