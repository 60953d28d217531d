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
            rc = strbuf_add(out, line, len);
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

static int add(struct strbuf *bundle, const char *path, const char *file, const char *conf_dir,
               const char *on_node, char *slurm_user, size_t size, burst_error_t *errp)
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
        rc = bundle_file(bundle, name, 0644, out.data, out.len, errp);
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
            rc = add(bundle, path, e->d_name, conf_dir, on_node, slurm_user, size, errp);
            have_conf = have_conf || strcmp(e->d_name, "slurm.conf") == 0;
        }
        free(path);
    }
    closedir(d);
    if (rc == 0 && !have_conf)
        return errprintf(errp, "slurm_conf_dir: %s has no slurm.conf", conf_dir);
    return rc;
}
