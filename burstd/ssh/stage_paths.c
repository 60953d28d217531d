// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_paths.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

struct stage_paths {
    char **path;
    size_t n;
    char *home;
};

bool stage_has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

char *stage_name_normalise(const char *name)
{
    size_t len = name ? strlen(name) : 0, o = 0;
    char *out;

    if (len == 0 || len > STAGE_MAX_NAME)
        return NULL;
    out = xmalloc(len + 2);
    for (const char *p = name; *p;) {
        size_t c = strcspn(p, "/");
        if (c == 2 && memcmp(p, "..", 2) == 0) {
            free(out);
            return NULL;
        }
        if (c > 0 && !(c == 1 && *p == '.')) {
            out[o++] = '/';
            memcpy(out + o, p, c);
            o += c;
        }
        p += c;
        p += strspn(p, "/");
    }
    if (o == 0)
        out[o++] = '/';
    out[o] = '\0';
    return out;
}

struct stage_paths *stage_paths_create(const cJSON *array, const char *home, burst_error_t *errp)
{
    struct stage_paths *p = xmalloc(sizeof(*p));
    const cJSON *e;

    p->home = stage_name_normalise(home);
    if (!p->home) {
        errprintf(errp, "home: \"%.128s\" cannot be a home directory", home ? home : "");
        goto error;
    }
    if (!array)
        return p;
    if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) > STAGE_MAX_PATHS) {
        errprintf(errp, "paths: an array of at most %d paths", STAGE_MAX_PATHS);
        goto error;
    }
    p->path = xcalloc((size_t)cJSON_GetArraySize(array) + 1, sizeof(char *));
    cJSON_ArrayForEach(e, array)
    {
        const char *s = cJSON_IsString(e) ? e->valuestring : "";
        if (s[0] != '/' || stage_has_control(s) || !(p->path[p->n] = stage_name_normalise(s))) {
            errprintf(errp,
                      "paths: \"%.200s\" cannot be staged (absolute, without \"..\", line ends or "
                      "other control characters, at most %d bytes)",
                      stage_has_control(s) ? "(with control characters)" : s, STAGE_MAX_NAME);
            goto error;
        }
        p->n++;
    }
    return p;
error:
    stage_paths_destroy(p);
    return NULL;
}

void stage_paths_destroy(struct stage_paths *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        free(p->path[i]);
    free(p->path);
    free(p->home);
    free(p);
}

const char *stage_paths_home(const struct stage_paths *p)
{
    return p->home;
}

size_t stage_paths_count(const struct stage_paths *p)
{
    return p->n;
}

const char *stage_paths_get(const struct stage_paths *p, size_t i)
{
    return p->path[i];
}

// The rest of name below dir, "" when equal, NULL when it is not below.
static const char *below(const char *dir, const char *name)
{
    size_t len = strlen(dir);

    if (len == 1) // the root directory
        return name + 1;
    if (strncmp(dir, name, len) != 0)
        return NULL;
    if (name[len] == '\0')
        return name + len;
    return name[len] == '/' ? name + len + 1 : NULL;
}

static bool is_system(const char *path)
{
    static const char *const trees[] = {
        "/bin",     "/boot",    "/dev",     "/etc",       "/lib",      "/lib32", "/lib64",
        "/libx32",  "/proc",    "/root",    "/run",       "/sbin",     "/sys",   "/usr",
        "/var/lib", "/var/run", "/var/log", "/var/cache", "/var/spool"};
    static const char *const exact[] = {"/", "/home", "/var", "/opt", "/srv", "/mnt", "/media"};

    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++)
        if (below(trees[i], path))
            return true;
    for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
        if (strcmp(exact[i], path) == 0)
            return true;
    return false;
}

bool stage_paths_system(const struct stage_paths *p, size_t i)
{
    return is_system(p->path[i]);
}

int stage_paths_find(const struct stage_paths *p, const char *name, const char **rest)
{
    int best = -1;
    size_t best_len = 0;

    for (size_t i = 0; i < p->n; i++) {
        const char *r = below(p->path[i], name);
        size_t len = strlen(p->path[i]);
        if (!r || len < best_len || (best >= 0 && len == best_len) || is_system(p->path[i]))
            continue;
        best = (int)i;
        best_len = len;
        if (rest)
            *rest = r;
    }
    return best;
}

bool stage_paths_hidden(const struct stage_paths *p, const char *name)
{
    const char *in_home = below(p->home, name);
    int root;

    if (!in_home || in_home[0] != '.')
        return false;
    root = stage_paths_find(p, name, NULL);
    if (root < 0)
        return false;
    // A path at or below the home directory's dot entry asks for it by name.
    in_home = below(p->home, p->path[root]);
    return !in_home || !*in_home;
}

bool stage_paths_keys(const struct stage_paths *p, const char *name)
{
    const char *in_home = below(p->home, name);

    return in_home && below(".ssh", in_home);
}

bool stage_paths_link_inside(const struct stage_paths *p, const char *name, const char *target)
{
    char *dir = xstrdup(name), *joined, *full;
    bool inside;

    if (target[0] == '/') {
        full = stage_name_normalise(target);
        inside = full && stage_paths_find(p, full, NULL) >= 0;
        free(full);
        free(dir);
        return inside;
    }
    *strrchr(dir, '/') = '\0';
    while (strncmp(target, "../", 3) == 0 || strcmp(target, "..") == 0) {
        char *slash = strrchr(dir, '/');
        if (!slash) {
            free(dir);
            return false;
        }
        *slash = '\0';
        // Each step upwards must stay inside: the directory that we leave may not be a path's top.
        if (stage_paths_find(p, *dir ? dir : "/", NULL) < 0) {
            free(dir);
            return false;
        }
        target += target[2] ? 3 : 2;
        target += strspn(target, "/");
    }
    joined = xasprintf("%s/%s", dir, target);
    full = stage_name_normalise(joined);
    inside = full && stage_paths_find(p, full, NULL) >= 0;
    free(full);
    free(joined);
    free(dir);
    return inside;
}

bool stage_excluded(const cJSON *patterns, const char *name, const char *rest)
{
    const cJSON *e;
    char *copy = NULL;
    bool found = false;

    cJSON_ArrayForEach(e, patterns)
    {
        const char *pattern = cJSON_IsString(e) ? e->valuestring : "";
        if (strchr(pattern, '/')) {
            found = fnmatch(pattern, name, FNM_LEADING_DIR) == 0;
        } else {
            free(copy);
            copy = xstrdup(rest);
            for (char *c = copy, *next; c && !found; c = next) {
                next = strchr(c, '/');
                if (next)
                    *next++ = '\0';
                found = *c && fnmatch(pattern, c, 0) == 0;
            }
        }
        if (found)
            break;
    }
    free(copy);
    return found;
}
