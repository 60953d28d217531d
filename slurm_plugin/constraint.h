// SPDX-License-Identifier: GPL-3.0-or-later
// --constraint and --licenses against what nodes and the site offer. Pure; any text of a client's.
#ifndef BURST_CONSTRAINT_H
#define BURST_CONSTRAINT_H

#include <stdbool.h>

// Is it one that can be judged node by node? Names with '&' (or ',') or with '|' between, in
// parentheses as well; not with counts ("*2"), alternatives for all nodes alike ("[a|b]"), or both
// signs without parentheses, which Slurm reads from left to right.
bool constraint_plain(const char *constraint);

// Do these features (comma list) satisfy it? False for one that is not plain.
bool constraint_met(const char *constraint, const char *features);

// First license in "matlab:2,ansys" that is not in the list, cut to buf; NULL: all of them are.
const char *license_missing(const char *licenses, bool (*usable)(void *arg, const char *name),
                            void *arg, char buf[64]);

#endif
