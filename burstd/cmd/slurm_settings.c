// SPDX-License-Identifier: GPL-3.0-or-later
// See slurm_settings.h. Reads what slurm.conf(5) says of the file's form: Key=Value pairs between
// blanks, '#' comments, '\' at the end of a line continues it, Include.
#include "cmd/slurm_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "libburst/fsutil.h"
#include "libburst/xalloc.h"

#define FILE_MAX (4u << 20)
#define INCLUDE_DEPTH 8

struct setting {
    char *key, *value;
};

struct slurm_settings {
    struct setting *v;
    size_t n;
    char *dir; // of slurm.conf, for relative includes
    int with_ours;
};

static void set(struct slurm_settings *s, const char *key, const char *value)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcasecmp(s->v[i].key, key) == 0) {
            xstrset(&s->v[i].value, value);
            return;
        }
    }
    s->v = xrealloc(s->v, (s->n + 1) * sizeof(*s->v));
    s->v[s->n].key = xstrdup(key);
    s->v[s->n].value = xstrdup(value);
    s->n++;
}

const char *slurm_settings_get(const struct slurm_settings *s, const char *key)
{
    for (size_t i = 0; i < s->n; i++) {
        const char *v = s->v[i].value;
        if (strcasecmp(s->v[i].key, key) == 0)
            return !*v || strcasecmp(v, "(null)") == 0 || strcasecmp(v, "none") == 0 ? NULL : v;
    }
    return NULL;
}

void slurm_settings_free(struct slurm_settings *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        free(s->v[i].key);
        free(s->v[i].value);
    }
    free(s->v);
    free(s->dir);
    free(s);
}

int slurm_list_has(const char *list, const char *item)
{
    size_t len = strlen(item);

    while (list && *list) {
        size_t n = strcspn(list, ",");
        if (n == len && strncasecmp(list, item, n) == 0)
            return 1;
        list += n + (list[n] == ',');
    }
    return 0;
}

static int read_file(struct slurm_settings *s, const char *path, int depth, burst_error_t *errp);

static int include(struct slurm_settings *s, char *path, int depth, burst_error_t *errp)
{
    char *full;

    path[strcspn(path, " \t\r")] = '\0';
    if (depth >= INCLUDE_DEPTH)
        return errprintf(errp, "%s: includes are nested too deeply", path);
    full = *path == '/' ? xstrdup(path) : xasprintf("%s/%s", s->dir, path);
    int rc = read_file(s, full, depth + 1, errp);
    free(full);
    return rc;
}

// Lines that describe nodes and the like have keys that are settings elsewhere (SuspendTime).
static int describes_something(const char *key)
{
    static const char *const keys[] = {"NodeName",     "PartitionName", "NodeSet",  "DownNodes",
                                       "FrontendName", "SwitchName",    "BlockName"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcasecmp(keys[i], key) == 0)
            return 1;
    return 0;
}

// One pair at p: key, '=', value; returns what follows or NULL at the end of what can be read.
static char *next_pair(char *p, char **key, char **value)
{
    p += strspn(p, " \t\r");
    *key = p;
    p += strcspn(p, "= \t\r");
    char *end = p;
    p += strspn(p, " \t\r");
    if (*p != '=' || end == *key)
        return NULL;
    p++;
    p += strspn(p, " \t\r");
    *end = '\0';
    if (*p == '"') {
        *value = ++p;
        p += strcspn(p, "\"");
    } else {
        *value = p;
        p += strcspn(p, " \t\r");
    }
    if (*p)
        *p++ = '\0';
    return p;
}

static int read_line(struct slurm_settings *s, char *line, int depth, burst_error_t *errp)
{
    char *key, *value, *p = line;
    int first = 1;

    p += strspn(p, " \t\r");
    if (strncasecmp(p, "include", 7) == 0 && isblank((unsigned char)p[7])) {
        p += 7;
        return include(s, p + strspn(p, " \t"), depth, errp);
    }
    while ((p = next_pair(p, &key, &value))) {
        if (first && describes_something(key))
            return 0;
        first = 0;
        set(s, key, value);
    }
    return 0;
}

// Cuts a comment; "\#" is no comment.
static void cut_comment(char *line)
{
    for (char *p = line; *p; p++) {
        if (*p == '#' && (p == line || p[-1] != '\\')) {
            *p = '\0';
            return;
        }
    }
}

static int read_text(struct slurm_settings *s, char *text, int depth, burst_error_t *errp)
{
    int rc = 0;

    while (rc == 0 && *text) {
        char *end = text + strcspn(text, "\n");
        // A continued line is joined with the next one.
        while (*end == '\n' && end > text && end[-1] == '\\') {
            end[-1] = end[0] = ' ';
            end += strcspn(end, "\n");
        }
        char *next = *end ? end + 1 : end;
        *end = '\0';
        cut_comment(text);
        rc = read_line(s, text, depth, errp);
        text = next;
    }
    return rc;
}

static int read_file(struct slurm_settings *s, const char *path, int depth, burst_error_t *errp)
{
    char *text;
    int rc = 0;

    if (fs_read(path, FILE_MAX, &text, NULL, errp) < 0)
        return -1;
    if (s->with_ours || strncmp(text, SLURM_INCLUDE_MARK, strlen(SLURM_INCLUDE_MARK)) != 0)
        rc = read_text(s, text, depth, errp);
    free(text);
    return rc;
}

struct slurm_settings *slurm_settings_read(const char *path, int with_ours, burst_error_t *errp)
{
    struct slurm_settings *s = xmalloc(sizeof(*s));
    char *slash;

    s->with_ours = with_ours;
    s->dir = xstrdup(path);
    slash = strrchr(s->dir, '/');
    if (slash)
        *slash = '\0';
    if (read_file(s, path, 0, errp) < 0) {
        slurm_settings_free(s);
        return NULL;
    }
    return s;
}

struct slurm_settings *slurm_settings_parse(const char *scontrol_output)
{
    struct slurm_settings *s = xmalloc(sizeof(*s));
    char *text = xstrdup(scontrol_output), *save = NULL;

    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *eq = strchr(line, '=');
        if (!eq)
            continue;
        char *value = eq + 1 + strspn(eq + 1, " ");
        *eq = '\0';
        line[strcspn(line, " ")] = '\0';
        size_t len = strlen(value);
        while (len > 0 && isspace((unsigned char)value[len - 1]))
            value[--len] = '\0';
        set(s, line, value);
    }
    free(text);
    return s;
}
