// SPDX-License-Identifier: GPL-3.0-or-later
// See libexec.h.
#include "config.h"

#include "cmd/libexec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libburst/xalloc.h"

char *libexec_path(const char *name)
{
    const char *env = getenv("BURST_LIBEXECDIR");
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *path = xasprintf("%s/%s", env && *env ? env : BURST_LIBEXECDIR, name);

    if ((env && *env) || n <= 0 || access(path, X_OK) == 0)
        return path;
    self[n] = '\0';
    char *slash = strrchr(self, '/'), *beside;
    if (!slash)
        return path;
    *slash = '\0';
    beside = xasprintf("%s/%s", self, name);
    if (access(beside, X_OK) == 0) {
        free(path);
        return beside;
    }
    free(beside);
    return path;
}
