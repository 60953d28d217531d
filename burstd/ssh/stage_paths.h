// SPDX-License-Identifier: GPL-3.0-or-later
// The places of a job that are staged, and which names belong to them. Pure: no file is touched.
// This is what keeps a hostile node inside the job's own paths, so it is strict: names are compared
// component by component after normalisation, ".." is never resolved but refused.
#ifndef BURST_STAGE_PATHS_H
#define BURST_STAGE_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"

#define STAGE_MAX_PATHS 256
#define STAGE_MAX_NAME 4095

struct stage_paths;

// From an array of absolute paths (NULL: none). home is the user's home directory. Blank or
// repeated slashes and "." are removed; "..", control characters (a line end in particular), too
// long names and too many paths are errors.
struct stage_paths *stage_paths_create(const cJSON *array, const char *home, burst_error_t *errp);
void stage_paths_destroy(struct stage_paths *p);

const char *stage_paths_home(const struct stage_paths *p); // borrowed, normalised

size_t stage_paths_count(const struct stage_paths *p);
const char *stage_paths_get(const struct stage_paths *p, size_t i); // borrowed, normalised

// True for the root directory and what lies in the system's directories (/etc, /usr, /dev, /root
// ...): such a path is accepted in a request (a job may well say -o /dev/null) but never staged.
bool stage_paths_system(const struct stage_paths *p, size_t i);

// The path that the absolute normalised name is at or below: its index (of several the longest), or
// -1. *rest (may be NULL) is what follows: "" for the path itself, else "a/b". System paths have
// nothing in them.
int stage_paths_find(const struct stage_paths *p, const char *name, const char **rest);

// True when the name begins with a dot directly in the home directory and no path asks for it: a
// user's keys and start-up files stay at home although he submits from there. By the text of the
// name; a home directory that has several names is for stage_home.h.
bool stage_paths_hidden(const struct stage_paths *p, const char *name);

// Lies at or below .ssh of the home directory: nothing that comes from a node may be written there.
bool stage_paths_keys(const struct stage_paths *p, const char *name);

// True when a symbolic link called `name` with this target stays inside the paths: whatever the
// target's components are, following them cannot lead out. (".." only at the beginning.)
bool stage_paths_link_inside(const struct stage_paths *p, const char *name, const char *target);

// The name of an archive member as an absolute normalised one ("./a//b" and "/a/b" give "/a/b").
// NULL when it contains ".." or a NUL, is empty or too long. Caller frees.
char *stage_name_normalise(const char *name);

// True when a pattern fits: one with a slash the whole name or a directory above it, any other one
// a component of rest (what stage_paths_find() says: the name below its path).
bool stage_excluded(const cJSON *patterns, const char *name, const char *rest);

bool stage_has_control(const char *s);

#endif
