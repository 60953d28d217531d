// SPDX-License-Identifier: GPL-3.0-or-later
// Times the loading of a catalog from CSV and from the compiled index: the reference catalogs
// ($BURST_REFERENCE/prices or ../shared/prices) where they are, else the starter catalog.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "catalog/catalog.h"
#include "libburst/xalloc.h"

#define RUNS 7

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static char *find_dir(const char **which)
{
    const char *env = getenv("BURST_REFERENCE"), *src = getenv("srcdir");
    char *dirs[3] = {xasprintf("%s/prices", env ? env : "../shared"),
                     xasprintf("%s/../shared/prices", src ? src : "."),
                     xasprintf("%s/catalog/data", src ? src : ".")};
    char *found = NULL;

    for (int i = 0; i < 3; i++) {
        if (!found && access(dirs[i], R_OK) == 0) {
            found = dirs[i];
            *which = i < 2 ? "reference" : "starter";
        } else {
            free(dirs[i]);
        }
    }
    return found;
}

static void report(const char *name, double value, const char *unit, const char *which, uint32_t n)
{
    printf("{\"bench\":\"catalog-%s\",\"value\":%.3f,\"unit\":\"%s\",\"catalog\":\"%s\","
           "\"offers\":%u}\n",
           name, value, unit, which, n);
}

int main(void)
{
    char path[] = "/tmp/bench-catalog-XXXXXX";
    const char *which = "";
    char *dir = find_dir(&which);
    double csv = HUGE_VAL, index = HUGE_VAL;
    burst_error_t err = {""};
    uint32_t n = 0;
    int fd = mkstemp(path), rc = 1;
    struct catalog *c = NULL;

    for (int i = 0; dir && fd >= 0 && i < RUNS; i++) {
        catalog_destroy(c);
        double start = now_ms();
        c = catalog_load(dir, NULL, NULL, &err);
        double ms = now_ms() - start;
        csv = ms < csv ? ms : csv;
        if (!c)
            goto out;
    }
    if (!c || catalog_index_write(c, path, &err) < 0)
        goto out;
    for (int i = 0; i < RUNS; i++) {
        double start = now_ms();
        struct catalog *x = catalog_index_read(path, 0, &err);
        double ms = now_ms() - start;
        index = ms < index ? ms : index;
        if (!x)
            goto out;
        catalog_destroy(x);
    }
    catalog_offers(c, &n);
    report("csv", csv, "ms", which, n);
    report("index", index, "ms", which, n);
    report("memory", (double)catalog_bytes(c) / (1 << 20), "MiB", which, n);
    rc = 0;
out:
    if (rc)
        fprintf(stderr, "bench: %s\n", *err.text ? err.text : "no catalog found");
    catalog_destroy(c);
    if (fd >= 0)
        close(fd);
    unlink(path);
    free(dir);
    return rc;
}
