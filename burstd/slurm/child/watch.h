// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BURST_WATCH_H
#define BURST_WATCH_H

// `burst-slurm watch`: writes changes of Slurm's tables to stdout until stdin ends. Returns the
// exit status.
int watch_run(int poll_ms);

#endif
