// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_named.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_named(const cJSON *named, const char *path)
{
    const cJSON *e;
    bool found = false;

    cJSON_ArrayForEach(e, named)
    {
        char *name = cJSON_IsString(e) ? stage_name_normalise(e->valuestring) : NULL;
        found = found || (name && strcmp(name, path) == 0);
        free(name);
    }
    return found;
}

static const char *fault(const struct stage_paths *paths, size_t i)
{
    const char *path = stage_paths_get(paths, i);
    struct stat st;

    if (stage_paths_system(paths, i))
        return "it lies in a directory of the system, which is not copied to a node";
    if (stat(path, &st) < 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return "it is neither a file nor a directory";
    return faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0 ? strerror(errno) : NULL;
}

int stage_named_fault(const struct stage_paths *paths, const cJSON *named, burst_error_t *errp)
{
    for (size_t i = 0; i < stage_paths_count(paths); i++) {
        const char *why = is_named(named, stage_paths_get(paths, i)) ? fault(paths, i) : NULL;
        if (!why)
            continue;
        errprintf(errp, "%.200s, which --burst-stage-in names: %s", stage_paths_get(paths, i), why);
        return (int)i;
    }
    return -1;
}
