// SPDX-License-Identifier: GPL-3.0-or-later
// An instance's SSH host key (ed25519), made by the cloud before the instance boots so that the
// API can tell it and nobody has to trust the first connection.
#ifndef LOCALCLOUD_HOSTKEY_H
#define LOCALCLOUD_HOSTKEY_H

#include "libburst/error.h"

#define HOSTKEY_PUBLIC_MAX 128

// public_line: "ssh-ed25519 AAAA...". *private_text: OpenSSH's private key file without a
// passphrase (openssh-key-v1), owned by the caller who wipes it.
int hostkey_make(char public_line[HOSTKEY_PUBLIC_MAX], char **private_text, burst_error_t *errp);

#endif
