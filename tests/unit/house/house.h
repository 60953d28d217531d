// SPDX-License-Identifier: GPL-3.0-or-later
// Holds a tree of sources against a list of rooms: who may include whom (docs/design/house.md).
#ifndef BURST_TEST_HOUSE_H
#define BURST_TEST_HOUSE_H

#include <stddef.h>

// What is wrong, a line each ("FILE:LINE: ..."), in the order of the files; "" = nothing. The text
// is the caller's. top: the tree; list: a file in it with a block
//     ```rooms
//     FOLDER  what it holds
//     ```
// from the top down; a folder is relative to top. roots: folders of top that are looked through;
// includes are resolved as the compiler does it: beside the file, in include_dir, in top.
char *house_check(const char *top, const char *list, const char *const *roots, size_t n_roots,
                  const char *include_dir);

#endif
