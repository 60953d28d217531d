// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BURST_COMMAND_H
#define BURST_COMMAND_H

// `burst-slurm command`: carries out commands from stdin, in order, until it ends. Returns the exit
// status.
int command_run(void);

#endif
