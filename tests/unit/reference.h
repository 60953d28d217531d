// SPDX-License-Identifier: GPL-3.0-or-later
// Where the reference data are that come with no checkout: $BURST_REFERENCE, else ../shared beside
// the sources. Tests that need them are skipped without.
#ifndef BURST_TESTS_REFERENCE_H
#define BURST_TESTS_REFERENCE_H

#include <stdlib.h>
#include <unistd.h>

#include "libburst/xalloc.h"

// Path of a file or directory there, caller frees; NULL when it cannot be read.
static inline char *reference(const char *sub)
{
    const char *env = getenv("BURST_REFERENCE"), *src = getenv("srcdir");
    char *path =
        env ? xasprintf("%s/%s", env, sub) : xasprintf("%s/../shared/%s", src ? src : ".", sub);

    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

#endif
