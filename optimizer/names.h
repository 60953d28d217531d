// SPDX-License-Identifier: GPL-3.0-or-later
// Names of tasks and data sets, each with its index in the request.
#ifndef BURST_NAMES_H
#define BURST_NAMES_H

#include <stdbool.h>

struct names; // NULL is the empty set

// Index of a name, or -1. Adding returns the index of an earlier one with this name, else -1. The
// text is borrowed.
int names_add(struct names **n, const char *name, int index);
int names_find(struct names *n, const char *name);
void names_free(struct names *n);

#endif
