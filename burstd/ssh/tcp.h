// SPDX-License-Identifier: GPL-3.0-or-later
// A TCP connection to a node, opened within a deadline and noticed soon when its link is cut.
#ifndef BURST_SSH_TCP_H
#define BURST_SSH_TCP_H

#include <stdint.h>

#include "ssh/ssh_error.h"

// Connects to address (an address or a name; its first address is tried). A deadline is a time of
// clock_mono_ms(). A non-blocking descriptor that the caller closes, or -1: class refused (nothing
// listens there), timeout (anything else of the network) or internal.
int tcp_connect(const char *address, int port, int64_t deadline_ms, struct ssh_error *err);

// Milliseconds until a deadline, 0 when it has passed.
int64_t tcp_left_ms(int64_t deadline_ms);

#endif
