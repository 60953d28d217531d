// SPDX-License-Identifier: GPL-3.0-or-later
// Which files of Slurm's configuration directory a rented node gets, and in what form.
#ifndef BURST_SSH_SLURM_FILES_H
#define BURST_SSH_SLURM_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "libburst/error.h"
#include "libburst/strbuf.h"

// True for NAME.conf that a node may have: not slurmdbd.conf (database password), not
// plugstack.conf (plugins of the submit hosts), and nothing that not everybody may read, but the
// files that slurmd cannot do without.
bool slurm_file_wanted(const char *name, mode_t mode);

// Appends text to out, with Include lines below conf_dir pointing below on_node.
int slurm_file_rewrite(const char *text, const char *conf_dir, const char *on_node,
                       struct strbuf *out);

// SlurmUser of a slurm.conf into name ("root" when it names none).
void slurm_file_user(const char *text, char *name, size_t size);

// Adds conf_dir's files to a bundle as slurm/NAME; slurm_user gets SlurmUser's name.
int slurm_files_bundle(struct strbuf *bundle, const char *conf_dir, const char *on_node,
                       char *slurm_user, size_t size, burst_error_t *errp);

#endif
