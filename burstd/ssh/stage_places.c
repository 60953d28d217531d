// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_places.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"

static void add(cJSON *places, const char *kind, const char *dir)
{
    char *text = xasprintf("%s %s", kind, dir);
    const cJSON *e;
    bool there = false;

    cJSON_ArrayForEach(e, places) there = there || strcmp(e->valuestring, text) == 0;
    if (!there)
        cJSON_AddItemToArray(places, cJSON_CreateString(text));
    free(text);
}

// Cuts the last component off; false: nothing but the root directory is left.
static bool up(char *path)
{
    char *slash = strrchr(path, '/');

    *slash = '\0';
    return slash > path;
}

// dir: where files are to be put. needed: something exists there that will be brought.
static void add_dir(cJSON *places, const char *dir, bool needed, uid_t uid)
{
    char *there = xstrdup(dir);
    struct stat st;
    bool found;

    while (!(found = stat(there, &st) == 0) && up(there))
        ;
    if (found && S_ISDIR(st.st_mode) && *there) {
        bool mine = st.st_uid == uid;
        if (mine)
            add(places, "own", there);
        else if (needed || faccessat(AT_FDCWD, there, W_OK | X_OK, AT_EACCESS) == 0)
            add(places, "shared", there);
        else
            goto out;
        if (strcmp(there, dir) != 0)
            add(places, "new", dir);
    }
out:
    free(there);
}

cJSON *stage_places(const struct stage_paths *paths, const cJSON *types, const char *work_dir,
                    uid_t uid)
{
    cJSON *places = cJSON_CreateArray(), *one = cJSON_CreateArray();

    for (size_t i = 0; i < stage_paths_count(paths); i++) {
        const cJSON *t = cJSON_GetArrayItem(types, (int)i);
        const char *type = cJSON_IsString(t) ? t->valuestring : "none";
        char *dir = xstrdup(stage_paths_get(paths, i));
        if (!stage_paths_system(paths, i) && (strcmp(type, "dir") == 0 || up(dir)))
            add_dir(places, dir, strcmp(type, "none") != 0, uid);
        free(dir);
    }
    // The job starts in its working directory, also when other paths are staged.
    if (work_dir)
        cJSON_AddItemToArray(one, cJSON_CreateString(work_dir));
    struct stage_paths *w = stage_paths_create(one, stage_paths_home(paths), NULL);
    struct stat st;
    if (w && stage_paths_count(w) && !stage_paths_system(w, 0))
        add_dir(places, stage_paths_get(w, 0),
                stat(stage_paths_get(w, 0), &st) == 0 && S_ISDIR(st.st_mode), uid);
    stage_paths_destroy(w);
    cJSON_Delete(one);
    return places;
}
