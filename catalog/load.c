// SPDX-License-Identifier: GPL-3.0-or-later
// Finds the files of a catalog and has them read into one block: CLOUD.csv (cloud_csv.c) and
// egress.csv (egress_csv.c). A file whose header is not a catalog's is skipped.
#include "catalog/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "catalog/builder.h"
#include "catalog/cloud_csv.h"
#include "catalog/egress_csv.h"
#include "catalog/image.h"
#include "catalog/quarantine.h"
#include "libburst/fsutil.h"

#define FILE_MAX (256u << 20)

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Names of the CSV files of a directory, sorted. The caller frees each and the array.
static char **csv_files(const char *dir, size_t *n, burst_error_t *errp)
{
    DIR *d = opendir(dir);
    char **names = NULL;
    struct dirent *e;
    size_t cap = 0;

    *n = 0;
    if (!d) {
        errprintf(errp, "catalog directory %s: %s", dir, strerror(errno));
        return NULL;
    }
    while ((e = readdir(d))) {
        size_t len = strlen(e->d_name);
        if (len < 5 || e->d_name[0] == '.' || strcmp(e->d_name + len - 4, ".csv") != 0)
            continue;
        if (*n == cap) {
            cap = cap ? cap * 2 : 16;
            names = xrealloc(names, cap * sizeof(*names));
        }
        names[(*n)++] = xstrdup(e->d_name);
    }
    closedir(d);
    if (!*n) {
        errprintf(errp, "catalog directory %s has no CLOUD.csv", dir);
        return NULL;
    }
    qsort(names, *n, sizeof(*names), by_name);
    return names;
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

static uint64_t hash_file(const char *dir, const char *name, uint64_t h)
{
    char *path = xasprintf("%s/%s", dir, name);
    struct stat st = {0};

    if (stat(path, &st) == 0) {
        int64_t key[5] = {st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (int64_t)st.st_ino,
                          (int64_t)st.st_dev};
        h = hash_bytes(name, strlen(name) + 1, h);
        h = hash_bytes(key, sizeof(key), h);
    }
    free(path);
    return h;
}

uint64_t catalog_fingerprint(const char *dir, burst_error_t *errp)
{
    size_t n;
    char **names = csv_files(dir, &n, errp);
    uint64_t h = HASH_START;

    if (!names)
        return 0;
    for (size_t i = 0; i < n; i++)
        h = hash_file(dir, names[i], h);
    h = hash_file(dir, ACCEPTED_NAME, h);
    free_names(names, n);
    return h ? h : 1;
}

static int load_file(struct builder *b, const char *dir, const char *name, burst_error_t *errp)
{
    char *path = xasprintf("%s/%s", dir, name), *text = NULL;
    size_t len;
    int rc = fs_read(path, FILE_MAX, &text, &len, errp);

    b->file = name;
    if (rc == 0 && strcmp(name, EGRESS_NAME) == 0) {
        egress_csv_add(b, text, len);
    } else if (rc == 0) {
        char *cloud = xstrdup(name);
        cloud[strlen(cloud) - 4] = '\0';
        cloud_csv_add(b, cloud, text, len);
        free(cloud);
    }
    free(text);
    free(path);
    return rc;
}

struct catalog *catalog_load(const char *dir, catalog_complain_fn complain, void *arg,
                             burst_error_t *errp)
{
    uint64_t fingerprint = catalog_fingerprint(dir, errp);
    struct catalog *c = NULL;
    struct builder b;
    size_t n;
    char **names = fingerprint ? csv_files(dir, &n, errp) : NULL;

    if (!names)
        return NULL;
    builder_init(&b, complain, arg);
    quarantine_accepted(&b, dir);
    for (size_t i = 0; i < n; i++)
        if (load_file(&b, dir, names[i], errp) < 0)
            goto out;
    if (!b.n_clouds) {
        errprintf(errp,
                  "catalog directory %s: none of its CSV files is a catalog (their header lacks "
                  "columns like %s, %s, %s)",
                  dir, "InstanceType", "Price", "Region");
        goto out;
    }
    c = image_build(&b, fingerprint);
out:
    builder_free(&b);
    free_names(names, n);
    return c;
}

struct catalog *catalog_load_cloud(const char *path, const char *dir, catalog_complain_fn complain,
                                   void *arg, burst_error_t *errp)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *of = slash ? xasprintf("%.*s", (int)(slash - path), path) : xstrdup(".");
    struct catalog *c = NULL;
    struct builder b;

    builder_init(&b, complain, arg);
    quarantine_accepted(&b, dir);
    if (load_file(&b, of, name, errp) == 0) {
        if (b.n_clouds)
            c = image_build(&b, 0);
        else
            errprintf(errp, "%s is not a catalog (burst-catalog(5))", name);
    }
    builder_free(&b);
    free(of);
    return c;
}

static char *copy_text(const char *text, size_t len)
{
    char *t = xmalloc(len + 1);

    memcpy(t, text, len);
    return t;
}

struct catalog *catalog_from_text(const char *cloud, const char *csv, size_t len,
                                  const char *egress, size_t egress_len,
                                  catalog_complain_fn complain, void *arg, burst_error_t *errp)
{
    struct builder b;
    struct catalog *c = NULL;
    char *text = copy_text(csv, len);

    builder_init(&b, complain, arg);
    b.file = cloud;
    if (cloud_csv_add(&b, cloud, text, len)) {
        if (egress) {
            char *e = copy_text(egress, egress_len);
            b.file = EGRESS_NAME;
            egress_csv_add(&b, e, egress_len);
            free(e);
        }
        c = image_build(&b, 0);
    } else {
        errprintf(errp, "%s: not a catalog", cloud);
    }
    builder_free(&b);
    free(text);
    return c;
}

struct catalog *catalog_from_texts(size_t n, const char *const *clouds, const char *const *csv,
                                   const char *egress, catalog_complain_fn complain, void *arg,
                                   burst_error_t *errp)
{
    struct builder b;
    struct catalog *c = NULL;

    builder_init(&b, complain, arg);
    for (size_t i = 0; i < n; i++) {
        char *text = xstrdup(csv[i]);
        bool ok;
        b.file = clouds[i];
        ok = cloud_csv_add(&b, clouds[i], text, strlen(text));
        free(text);
        if (!ok) {
            errprintf(errp, "%s: not a catalog", clouds[i]);
            goto out;
        }
    }
    if (egress) {
        char *e = xstrdup(egress);
        b.file = EGRESS_NAME;
        egress_csv_add(&b, e, strlen(e));
        free(e);
    }
    c = image_build(&b, 0);
out:
    builder_free(&b);
    return c;
}
