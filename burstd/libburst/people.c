// SPDX-License-Identifier: GPL-3.0-or-later
#include "libburst/people.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/fsutil.h"

#define NOBODY 65534
#define DEFAULT_MIN 1000

uint32_t people_uid_min(const char *login_defs)
{
    for (const char *line = login_defs; line && *line;) {
        line += strspn(line, " \t");
        if (strncmp(line, "UID_MIN", 7) == 0 && strchr(" \t", line[7]) && line[7]) {
            unsigned long v = strtoul(line + 7, NULL, 10);
            if (v >= 100 && v < NOBODY)
                return (uint32_t)v;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return DEFAULT_MIN;
}

uint32_t people_uid_min_here(void)
{
    char *text = NULL;

    if (fs_read("/etc/login.defs", 1u << 20, &text, NULL, NULL) < 0)
        return DEFAULT_MIN;
    uint32_t min = people_uid_min(text);
    free(text);
    return min;
}

int people_check(uint32_t uid, uint32_t gid, uint32_t uid_min, burst_error_t *errp)
{
    if (uid < uid_min || uid == NOBODY || uid == 0)
        return errprintf(errp, "uid %u is not a person's (smallest: %u)", uid, uid_min);
    if (gid == 0)
        return errprintf(errp, "gid 0 is root's group");
    return 0;
}
