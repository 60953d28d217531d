// SPDX-License-Identifier: GPL-3.0-or-later
// What an instance is told about itself, as one line from the cloud to it.
#ifndef LOCALCLOUD_GUEST_SPEC_H
#define LOCALCLOUD_GUEST_SPEC_H

#include <stddef.h>
#include <stdint.h>

#include "libburst/error.h"

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

#endif
