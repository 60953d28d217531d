// SPDX-License-Identifier: GPL-3.0-or-later
#include "libburst/path.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

// Appends the components of `path` to out, of which `o` characters are there: "" is the root.
static size_t append(char *out, size_t o, const char *path)
{
    for (const char *p = path; *p; p += strspn(p, "/")) {
        size_t len = strcspn(p, "/");
        if (len == 2 && memcmp(p, "..", 2) == 0) {
            while (o > 0 && out[--o] != '/')
                ;
        } else if (len > 0 && !(len == 1 && *p == '.')) {
            out[o++] = '/';
            memcpy(out + o, p, len);
            o += len;
        }
        p += len;
    }
    return o;
}

char *path_resolve(const char *dir, const char *path)
{
    char *out = xmalloc(strlen(dir) + strlen(path) + 3);
    size_t o = path[0] == '/' ? 0 : append(out, 0, dir);

    o = append(out, o, path);
    if (o == 0)
        out[o++] = '/';
    out[o] = '\0';
    return out;
}

bool path_inside(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    if (n == 1) // the root directory
        return true;
    return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}
