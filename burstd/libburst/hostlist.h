// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm's host list expressions ("aws-a100x2-[01-03,07],node5"), without libslurm: its hostlist
// type changed between releases, and burstd does not link it.
#ifndef BURST_HOSTLIST_H
#define BURST_HOSTLIST_H

#include <stddef.h>

#include "libburst/error.h"

#define HOSTLIST_MAX 65536 // names in one expression

// Expands an expression. *names is a NULL-terminated array (free with hostlist_free), n its length.
// "" and "(null)" give no names. Errors: unbalanced brackets, several bracket pairs in one name,
// bad range, too many names.
int hostlist_expand(const char *expr, char ***names, size_t *n, burst_error_t *errp);
void hostlist_free(char **names);

// Joins names with commas (no ranges; Slurm accepts that everywhere). Caller frees.
char *hostlist_join(char *const *names, size_t n);

#endif
