// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/listing.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "ssh/stage_keep.h"
#include "ssh/stage_paths.h"
#include "ssh/stage_unpack.h"

#define ABOUT_MAX (4u << 20)

static bool ends_with(const char *name, const char *tail)
{
    size_t n = strlen(name), t = strlen(tail);

    return n > t && strcmp(name + n - t, tail) == 0;
}

// NULL: not (yet) one of them.
static cJSON *read_row(const char *dir, const char *name)
{
    int base = (int)(strlen(name) - strlen(STAGE_KEEP_ABOUT));
    char *about = xasprintf("%s/%s", dir, name), *text = NULL;
    char *archive = xasprintf("%s/%.*s%s", dir, base, name, STAGE_KEEP_ARCHIVE);
    cJSON *row = NULL;
    struct stat st;
    size_t len;

    if (stat(archive, &st) == 0 && fs_read(about, ABOUT_MAX, &text, &len, NULL) == 0)
        row = json_parse(text, len, NULL);
    if (row && !cJSON_IsObject(row)) {
        cJSON_Delete(row);
        row = NULL;
    }
    if (row) {
        json_add_str(row, "archive", archive);
        json_add_str(row, "about", about);
        json_add_i64(row, "size", st.st_size);
    }
    free(text);
    free(about);
    free(archive);
    return row;
}

static int older_first(const void *pa, const void *pb)
{
    const cJSON *a = *(cJSON *const *)pa, *b = *(cJSON *const *)pb;
    int64_t ta = json_i64(a, "time", 0), tb = json_i64(b, "time", 0);

    return ta < tb   ? -1
           : ta > tb ? 1
                     : strcmp(json_str(a, "archive", ""), json_str(b, "archive", ""));
}

cJSON *kept_rows(const char *dir, burst_error_t *errp)
{
    cJSON *rows = cJSON_CreateArray();
    DIR *d = opendir(dir);
    const struct dirent *e;

    if (!d && errno == ENOENT)
        return rows;
    if (!d) {
        cJSON_Delete(rows);
        errprintf(errp, "%s: %s", dir, strerror(errno));
        return NULL;
    }
    while ((e = readdir(d))) {
        cJSON *row = ends_with(e->d_name, STAGE_KEEP_ABOUT) ? read_row(dir, e->d_name) : NULL;
        if (row)
            cJSON_AddItemToArray(rows, row);
    }
    closedir(d);
    listing_sort(rows, older_first);
    return rows;
}

int kept_bring_home(const cJSON *row, const char *home, struct stage_totals *totals,
                    burst_error_t *errp)
{
    const char *archive = json_str(row, "archive", "");
    const cJSON *exclude = cJSON_GetObjectItemCaseSensitive(row, "exclude");
    struct stage_paths *paths =
        stage_paths_create(cJSON_GetObjectItemCaseSensitive(row, "paths"), home, errp);
    int rc = -1;

    if (!paths)
        return -1;
    int fd = open(archive, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        errprintf(errp, "%s: %s", archive, strerror(errno));
    else
        rc = stage_unpack_kept(paths, cJSON_IsArray(exclude) ? exclude : NULL, fd, totals, errp);
    if (fd >= 0)
        close(fd);
    stage_paths_destroy(paths);
    return rc;
}

int kept_remove(const cJSON *row, burst_error_t *errp)
{
    const char *archive = json_str(row, "archive", "");

    if (unlink(archive) < 0)
        return errprintf(errp, "%s: %s", archive, strerror(errno));
    unlink(json_str(row, "about", "")); // without its archive it is not seen
    return 0;
}
