// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm's settings: as slurm.conf gives them (with its includes, without the one that we wrote), or
// as `scontrol show config` prints them.
#ifndef BURST_CMD_SLURM_SETTINGS_H
#define BURST_CMD_SLURM_SETTINGS_H

#include "libburst/error.h"

// First line of what `burst slurm-conf` writes: such an include is not read as the site's own.
#define SLURM_INCLUDE_MARK "# slurm-burst: written by burst slurm-conf"

struct slurm_settings;

// Reads slurm.conf. with_ours: our own include counts too. NULL when a file cannot be read.
struct slurm_settings *slurm_settings_read(const char *path, int with_ours, burst_error_t *errp);
// From the output of `scontrol show config`.
struct slurm_settings *slurm_settings_parse(const char *scontrol_output);
void slurm_settings_free(struct slurm_settings *s); // NULL is allowed

// The value (the last one given) or NULL; "(null)" and "none" count as not set. Keys without regard
// to case. Keys of NodeName= and PartitionName= lines are not settings.
const char *slurm_settings_get(const struct slurm_settings *s, const char *key);

// Does a comma list have this item (without regard to case)? list NULL: no.
int slurm_list_has(const char *list, const char *item);

#endif
