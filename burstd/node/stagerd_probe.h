// SPDX-License-Identifier: GPL-3.0-or-later
// Does burst-stagerd run? Asked before nodes are rented, and for people; a copy finds it out by
// itself.
#ifndef BURST_STAGERD_PROBE_H
#define BURST_STAGERD_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/burstd.h"

// Does somebody listen at its socket (always true where the site needs none)? False: why (may be
// NULL), a sentence. Asked at most every five seconds, in between the last answer holds.
bool stagerd_runs(struct burstd *b, char *why, size_t size);

#endif
