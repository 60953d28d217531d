// SPDX-License-Identifier: GPL-3.0-or-later
// The public key that a server presents, as text and compared with a pinned one. Pure.
#ifndef BURST_SSH_HOST_KEY_H
#define BURST_SSH_HOST_KEY_H

#include <stdbool.h>
#include <stddef.h>

// "ssh-ed25519 AAAA..." (a comment may follow) against the key that a server presented, as the wire
// encoding. False also when the text is no key.
bool ssh_host_key_equal(const char *pinned, const void *blob, size_t len);

// "TYPE BASE64" of a wire encoding; NULL when it is none. Caller frees.
char *ssh_host_key_text(const void *blob, size_t len);

#endif
