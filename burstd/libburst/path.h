// SPDX-License-Identifier: GPL-3.0-or-later
// Names of files as text. No file is looked at: a link in the middle of a name is not followed, so
// "/a/link/../b" is "/a/b" here, which is what a node makes of it where "link" is a directory.
#ifndef BURST_PATH_H
#define BURST_PATH_H

#include <stdbool.h>

// The absolute name of `path`, counted from the absolute `dir` when it is relative, without ".",
// ".." and repeated slashes. ".." in the root directory stays there. Caller frees.
char *path_resolve(const char *dir, const char *path);

// Is the resolved name `path` the resolved directory `dir`, or below it?
bool path_inside(const char *path, const char *dir);

#endif
