// SPDX-License-Identifier: GPL-3.0-or-later
// What a file has beside holes: that is what is sent, and what counts for a limit. A disk image of
// a terabyte may have a megabyte in it.
#ifndef BURST_SSH_STAGE_HOLES_H
#define BURST_SSH_STAGE_HOLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct stage_part {
    int64_t offset, length; // bytes
};

struct stage_parts {
    struct stage_part *part; // in order, owned
    size_t n;
    int64_t bytes; // of all parts
};

// Can it have holes that are worth looking for? By the number of its blocks.
bool stage_holes_likely(const struct stat *st);

// The parts of an open file of `size` bytes that are no holes; its position moves. Small holes, and
// those behind very many others, count as parts; where the file system cannot tell, the whole file
// is one. stage_parts_free() is the caller's.
void stage_parts_find(int fd, int64_t size, struct stage_parts *out);
void stage_parts_free(struct stage_parts *p);

#endif
