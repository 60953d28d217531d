// SPDX-License-Identifier: GPL-3.0-or-later
// The message that burst-resume and burst-suspend leave for burstd in STATEDIR/spool
// (docs/design/internals.md, section 4).
#ifndef BURST_SPOOL_FILE_H
#define BURST_SPOOL_FILE_H

#include "libburst/error.h"

// Writes KIND-MONOTONICNS-PID.json durably (file and directory are on disk when it returns). hosts:
// Slurm's host list expression. resume_file: $SLURM_RESUME_FILE, NULL or "" = none; what cannot be
// read or understood there is left out, with a sentence in *warning ("" = all was well).
int spool_file_write(const char *state_dir, const char *kind, const char *hosts,
                     const char *resume_file, burst_error_t *warning, burst_error_t *errp);

#endif
