// SPDX-License-Identifier: GPL-3.0-or-later
// How a program starts through which secrets pass.
#ifndef BURST_BASE_START_H
#define BURST_BASE_START_H

// Nobody but root can look into this process (no core dump, no ptrace, nothing of /proc), and a
// peer that has gone shows as EPIPE. Call it before anything is read.
void start_with_secrets(void);

// No core dump of this process and those that it starts. -1 with errno.
int start_no_core(void);

#endif
