// SPDX-License-Identifier: GPL-3.0-or-later
// Makes files durable: the first ones each by itself, and when there are many their file systems as
// a whole, at the end.
#ifndef BURST_SSH_STAGE_SYNC_H
#define BURST_SSH_STAGE_SYNC_H

#include <stdint.h>

struct stage_sync;

struct stage_sync *stage_sync_create(void);
void stage_sync_free(struct stage_sync *s);

// fd: a file that is written; n_files: how many there are with it. Syncs it now or notes its file
// system. -1 with errno.
int stage_sync_file(struct stage_sync *s, int fd, int64_t n_files);

// Syncs what was noted. -1 with errno.
int stage_sync_all(const struct stage_sync *s);

#endif
