// SPDX-License-Identifier: GPL-3.0-or-later
// Shell patterns (`*`, `?`, `[a-z]`, `[!a-z]`, backslash), in time at most proportional to the
// product of the two lengths: patterns come from users' requests, and fnmatch(3) is exponential in
// the number of stars.
#ifndef BURST_GLOB_H
#define BURST_GLOB_H

#include <stdbool.h>

bool glob_match(const char *pattern, const char *text);
// The same without regard to the case of ASCII letters.
bool glob_match_nocase(const char *pattern, const char *text);

#endif
