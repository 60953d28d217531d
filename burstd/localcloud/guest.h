// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of an instance. burst-localcloud starts itself again as PID 1 of new mount, network,
// UTS, IPC and PID namespaces; that process makes the instance's root file system, configures its
// network and then is its init: it starts sshd, reaps orphans and ends everything on SIGTERM.
#ifndef LOCALCLOUD_GUEST_H
#define LOCALCLOUD_GUEST_H

#include <stddef.h>
#include <stdint.h>

#include "libburst/error.h"

#define GUEST_CHANNEL_FD 3 // to the cloud: the specification comes in, "up" or an error goes out

// What an instance is told about itself; one JSON line. Strings are owned.
struct guest_spec {
    char *id;
    char *mountpoint; // an empty directory outside, where the new root is put together
    uint32_t address; // host byte order
    unsigned prefix;
    uint32_t gateway; // 0 = none
    unsigned accelerators;
    int64_t boot_delay_ms; // before sshd starts; -1 = never
    int64_t disk_mib;
    char *ssh_public_key;
    char *host_private_key; // secret
};

// Text of the line (with line end), owned by the caller who wipes it; and back.
char *guest_spec_print(const struct guest_spec *s);
int guest_spec_parse(const char *text, size_t len, struct guest_spec *s, burst_error_t *errp);
void guest_spec_clear(struct guest_spec *s); // wipes the key

// Runs as the instance; the result is the exit status.
int guest_main(void);

// Can instances be made on this machine at all (namespaces, overlay over the root file system,
// sshd there)? Tries it in a throw-away process; the error says what is missing.
int guest_probe(const char *mountpoint, burst_error_t *errp);

#endif
