// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/slurm_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "libburst/fsutil.h"
#include "libburst/xalloc.h"
#include "ssh/bundle.h"

#define FILE_MAX_BYTES (4u << 20)

bool slurm_file_wanted(const char *name, mode_t mode)
{
    static const char *const never[] = {"slurmdbd.conf", "plugstack.conf"};
    static const char *const always[] = {"slurm.conf", "gres.conf", "cgroup.conf", "topology.conf"};
    size_t len = strlen(name);

    if (name[0] == '.' || len < 6 || strcmp(name + len - 5, ".conf") != 0)
        return false;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        if (strcmp(name, never[i]) == 0)
            return false;
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        if (strcmp(name, always[i]) == 0)
            return true;
    return mode & S_IROTH;
}

// The value behind "KEY" and blanks or '=' at the start of a line, or NULL.
static const char *value_of(const char *line, const char *key)
{
    size_t len = strlen(key);

    line += strspn(line, " \t");
    if (strncasecmp(line, key, len) != 0)
        return NULL;
    line += len;
    size_t blank = strspn(line, " \t=");
    return blank ? line + blank : NULL;
}

// Is there "...Pass" and '=' at p (a password for a database)? What follows the value, or NULL. No
// node needs one: slurmd and the commands speak with neither database nor slurmdbd.
static const char *behind_password(const char *p, const char *end)
{
    const char *key = p;

    while (p < end && isalnum((unsigned char)*p))
        p++;
    if (p - key < 4 || strncasecmp(p - 4, "pass", 4) != 0)
        return NULL;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (p == end || *p != '=')
        return NULL;
    for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
        ;
    if (p < end && *p == '"') {
        const char *close = memchr(p + 1, '"', (size_t)(end - p - 1));
        return close ? close + 1 : end;
    }
    while (p < end && *p != ' ' && *p != '\t')
        p++;
    return p;
}

// The line without its passwords, those in comments included.
static int add_line(struct strbuf *out, const char *line, size_t len)
{
    const char *end = line + len, *behind;
    bool begins = true; // of a word

    for (const char *p = line; p < end; p++) {
        if (begins && (behind = behind_password(p, end))) {
            p = behind - 1;
            begins = false;
            continue;
        }
        begins = strchr(" \t#", *p) != NULL;
        if (strbuf_add(out, p, 1) < 0)
            return -1;
    }
    return 0;
}

int slurm_file_rewrite(const char *text, const char *conf_dir, const char *on_node,
                       struct strbuf *out)
{
    size_t dir_len = strlen(conf_dir);
    int rc = 0;

    while (dir_len > 1 && conf_dir[dir_len - 1] == '/')
        dir_len--;
    for (const char *line = text; rc == 0 && *line;) {
        size_t len = strcspn(line, "\n");
        const char *path = value_of(line, "include");
        if (path && path < line + len && strncmp(path, conf_dir, dir_len) == 0 &&
            path[dir_len] == '/')
            rc = strbuf_addf(out, "Include %s%.*s", on_node,
                             (int)(len - (size_t)(path - line) - dir_len), path + dir_len);
        else
            rc = add_line(out, line, len);
        if (rc == 0 && line[len])
            rc = strbuf_add(out, "\n", 1);
        line += len + (line[len] == '\n');
    }
    return rc;
}

void slurm_file_user(const char *text, char *name, size_t size)
{
    snprintf(name, size, "root");
    for (const char *line = text; *line;) {
        const char *value = value_of(line, "slurmuser");
        if (value) {
            size_t len = strcspn(value, " \t\r\n#(");
            if (len > 0 && len < size)
                snprintf(name, size, "%.*s", (int)len, value);
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

static int add(struct strbuf *bundle, const char *path, const char *file, mode_t mode,
               const char *conf_dir, const char *on_node, char *slurm_user, size_t size,
               burst_error_t *errp)
{
    char *text = NULL, *name = xasprintf("slurm/%s", file);
    struct strbuf out;
    int rc = -1;

    strbuf_init(&out, FILE_MAX_BYTES + 65536);
    if (fs_read(path, FILE_MAX_BYTES, &text, NULL, errp) < 0)
        goto out;
    if (strcmp(file, "slurm.conf") == 0)
        slurm_file_user(text, slurm_user, size);
    if (slurm_file_rewrite(text, conf_dir, on_node, &out) < 0)
        errprintf(errp, "%s: too large", path);
    else
        rc = bundle_file(bundle, name, 0600 | (mode & 0044), out.data, out.len, errp);
out:
    strbuf_free(&out);
    free(text);
    free(name);
    return rc;
}

int slurm_files_bundle(struct strbuf *bundle, const char *conf_dir, const char *on_node,
                       char *slurm_user, size_t size, burst_error_t *errp)
{
    DIR *d = opendir(conf_dir);
    struct dirent *e;
    bool have_conf = false;
    int rc = 0;

    if (!d)
        return errprintf(errp, "slurm_conf_dir: %s: %s", conf_dir, strerror(errno));
    while (rc == 0 && (e = readdir(d))) {
        char *path = xasprintf("%s/%s", conf_dir, e->d_name);
        struct stat st;
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
            slurm_file_wanted(e->d_name, st.st_mode)) {
            rc =
                add(bundle, path, e->d_name, st.st_mode, conf_dir, on_node, slurm_user, size, errp);
            have_conf = have_conf || strcmp(e->d_name, "slurm.conf") == 0;
        }
        free(path);
    }
    closedir(d);
    if (rc == 0 && !have_conf)
        return errprintf(errp, "slurm_conf_dir: %s has no slurm.conf", conf_dir);
    return rc;
}
