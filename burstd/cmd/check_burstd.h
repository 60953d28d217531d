// SPDX-License-Identifier: GPL-3.0-or-later
// `burst check`: do burstd and burst-stagerd run, with this configuration, and reach what they
// need?
#ifndef BURST_CMD_CHECK_BURSTD_H
#define BURST_CMD_CHECK_BURSTD_H

struct check;

// Asks burstd; what it says of its clouds and of Slurm counts as findings.
void check_burstd(struct check *k);

#endif
