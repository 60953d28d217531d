// SPDX-License-Identifier: GPL-3.0-or-later
// `burst check`: keys, credentials, directories, programs and burst.conf on this machine.
#ifndef BURST_CMD_CHECK_FILES_H
#define BURST_CMD_CHECK_FILES_H

struct check;

// Keys and credentials: there, not empty, and closed to others. Looked at by root and SlurmUser
// only.
void check_secrets(struct check *k);
// Run directory and spool: may SlurmUser write there? For root and SlurmUser.
void check_dirs(struct check *k);
// Hooks and helpers: installed, executable, and none that Slurm would refuse.
void check_programs(struct check *k);
// Plugin and hooks look where burst.conf beside slurm.conf says, not into burst.yaml.
void check_hostconf(struct check *k);

#endif
