// SPDX-License-Identifier: GPL-3.0-or-later
// Allocation that ends the process when memory is gone: burstd's journal makes a restart safe,
// half-done bookkeeping would not be. Never used inside a Slurm plugin.
#ifndef BURST_XALLOC_H
#define BURST_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t size); // zeroed
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s); // NULL gives NULL
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// Replaces *dst (freed) by a copy of src; src NULL gives NULL.
void xstrset(char **dst, const char *src);

#endif
