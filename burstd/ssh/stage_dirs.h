// SPDX-License-Identifier: GPL-3.0-or-later
// The directories below a request's paths into which a node's files are put. Each is entered
// component by component and never through a symbolic link; the paths themselves are opened before
// anything is unpacked, so that no link that the node sends can change where they lead. Links that
// were there before are followed; the user named them, on this side.
#ifndef BURST_SSH_STAGE_DIRS_H
#define BURST_SSH_STAGE_DIRS_H

#include <stdbool.h>

#include "ssh/stage_paths.h"

struct stage_dirs;

// Opens the paths (borrowed until stage_dirs_close()); the directory that a path is in is made when
// it is missing. What cannot be opened shows later, in stage_dirs_parent(). Never NULL.
struct stage_dirs *stage_dirs_open(const struct stage_paths *paths);
void stage_dirs_close(struct stage_dirs *d);

// Is the path with this index (stage_paths_find()) a directory that has been opened: there from the
// beginning, or made by stage_dirs_parent()?
bool stage_dirs_has(const struct stage_dirs *d, int root);

// The directory that holds `name` (normalised, at or below one of the paths), made when it is
// missing, and the name's last component (*leaf, in name). The descriptor stays d's and is good
// until the next call. -1 with errno: ELOOP or ENOTDIR when a link or file stands where a directory
// should. STAGE_DIRS_KEPT: the name is the user's keys (.ssh and what is below), or begins with a
// dot in his home directory and is no path of the request: nothing that comes from a node goes
// there. By identity, so that a home directory with several names is safe too.
#define STAGE_DIRS_KEPT (-2)
int stage_dirs_parent(struct stage_dirs *d, const char *name, const char **leaf);

#endif
