// SPDX-License-Identifier: GPL-3.0-or-later
// `burst check`: Slurm's settings, partitions and the submit plugin.
#ifndef BURST_CMD_CHECK_SLURM_H
#define BURST_CMD_CHECK_SLURM_H

struct check;

// Sets k->slurm: what slurmctld says, or slurm.conf when k is offline. It stays NULL, with a
// finding, when neither can be had. The caller frees it with slurm_settings_free().
void check_slurm_load(struct check *k);

// These two need k->slurm. Are all settings as `burst slurm-conf` prints them?
void check_slurm_settings(struct check *k);
// Asks slurmctld: does each cloud have its partition, with all its nodes?
void check_slurm_partitions(struct check *k);

// Is the submit plugin in PluginDir, and built for the release that runs?
void check_slurm_plugin(struct check *k);

#endif
