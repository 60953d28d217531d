// SPDX-License-Identifier: GPL-3.0-or-later
#include "slurm/child/array_tasks.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool number(const char **p, uint32_t *v)
{
    char *end;

    if (!isdigit((unsigned char)**p))
        return false;
    errno = 0;
    unsigned long long n = strtoull(*p, &end, 10);
    if (errno || n >= UINT32_MAX)
        return false;
    *v = (uint32_t)n;
    *p = end;
    return true;
}

int array_tasks_parse(const char *text, uint32_t *ids, size_t max)
{
    const char *p = text ? text : "";
    size_t n = 0;

    if (*p == '[')
        p++;
    while (*p && *p != ']' && *p != '%' && strncmp(p, "...", 3) != 0) {
        uint32_t first, last, step = 1;
        if (!number(&p, &first))
            return -1;
        last = first;
        if (*p == '-') {
            p++;
            if (!number(&p, &last) || last < first)
                return -1;
            if (*p == ':') {
                p++;
                if (!number(&p, &step) || step == 0)
                    return -1;
            }
        }
        for (uint64_t id = first; id <= last && n < max; id += step)
            ids[n++] = (uint32_t)id;
        if (*p == ',')
            p++;
        else if (*p && !strchr("]%.", *p))
            return -1;
    }
    return (int)n;
}
