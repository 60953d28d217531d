// SPDX-License-Identifier: GPL-3.0-or-later
// Jobs that burstd does not look after, because the submit plugin has left them alone: why that is,
// as far as Slurm's record of them, the site's rules and its shapes tell.
#ifndef BURST_UNMARKED_H
#define BURST_UNMARKED_H

#include <stddef.h>

#include "base/burstd.h"

struct sjob;

// Why it stays on the site's own nodes, whether it waits, runs or has ended there: words that
// complete "Reason: ...", at most size bytes. The plugin's own where it left them in AdminComment,
// else what holds for the job as it is now. Never empty.
void unmarked_why(struct burstd *b, const struct sjob *s, char *why, size_t size);

#endif
