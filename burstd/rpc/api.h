// SPDX-License-Identifier: GPL-3.0-or-later
// What burstd tells and does for people and hooks: the RPC methods of docs/design/internals.md,
// section 5.
#ifndef BURST_API_H
#define BURST_API_H

#include "base/burstd.h"
#include "libburst/error.h"

// Starts the socket in the run directory.
int api_start(struct burstd *b, burst_error_t *errp);

#endif
