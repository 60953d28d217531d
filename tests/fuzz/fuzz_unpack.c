// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzz target: the tar stream of a node, unpacked at home. In the input "RRRR..." (as long as the
// directory's name) stands for the directory that holds the job's path `run`, a home directory
// `home` and `away`, which is nobody's business; checksums of tar headers are put right. Whatever
// comes: nothing but `run` changes, and nothing in it is a device, a pipe or set-id.
#include <dirent.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libburst/json.h"
#include "ssh/stage_unpack.h"

#define NAME "/dev/shm/burst-fuzz-XXXXXX"
#define LENGTH (sizeof(NAME) - 1)
#define LIMIT (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[LENGTH + 1];

static char *in(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(in(name), "w");

    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static void same(const char *name, const char *text)
{
    char have[64] = "";
    FILE *f = fopen(in(name), "r");

    if (!f || fread(have, 1, sizeof(have) - 1, f) != strlen(text) || strcmp(have, text) != 0)
        abort();
    fclose(f);
}

static int entries(const char *name)
{
    DIR *d = opendir(*name ? in(name) : dir);
    int n = -2;

    while (d && readdir(d))
        n++;
    closedir(d);
    return n;
}

static int take_away(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    if (type == FTW_D || type == FTW_DP)
        chmod(path, 0700);
    return remove(path);
}

static int look_at(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    if ((!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode) && !S_ISLNK(st->st_mode)) ||
        (!S_ISLNK(st->st_mode) && (st->st_mode & 07000)))
        abort();
    return 0;
}

static void leave(void)
{
    nftw(dir, take_away, 8, FTW_DEPTH | FTW_PHYS);
}

// Names in place of the letters, and headers whose checksum is right.
static void mend(char *tar, size_t size)
{
    static const char stand_in[] = "RRRRRRRRRRRRRRRRRRRRRRRRRR";
    _Static_assert(sizeof(stand_in) == sizeof(NAME), "as long as the name");

    for (size_t i = 0; i + LENGTH <= size; i++)
        if (memcmp(tar + i, stand_in, LENGTH) == 0)
            memcpy(tar + i, dir, LENGTH);
    for (size_t i = 0; i + 512 <= size; i += 512) {
        unsigned sum = 0;
        char text[16];
        if (memcmp(tar + i + 257, "ustar", 5) != 0)
            continue;
        memset(tar + i + 148, ' ', 8);
        for (size_t k = 0; k < 512; k++)
            sum += (unsigned char)tar[i + k];
        snprintf(text, sizeof(text), "%06o", sum);
        memcpy(tar + i + 148, text, 7);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stage_paths *paths;
    struct stage_totals totals;
    const char *errclass;
    burst_error_t err;

    if (!paths) {
        memcpy(dir, NAME, sizeof(NAME));
        if (!mkdtemp(dir))
            abort();
        atexit(leave);
        mkdir(in("away"), 0755);
        mkdir(in("home"), 0755);
        mkdir(in("home/.ssh"), 0755);
        put("away/f", "untouched");
        put("home/.bashrc", "rc");
        put("home/.ssh/id", "key");
        cJSON *list = cJSON_CreateArray();
        cJSON_AddItemToArray(list, cJSON_CreateString(in("run")));
        cJSON_AddItemToArray(list, cJSON_CreateString(in("run2"))); // a link to the home directory
        char *home = strdup(in("home"));
        paths = stage_paths_create(list, home, &err);
        if (!paths || symlink("home", in("run2")) < 0)
            abort();
        free(home);
        cJSON_Delete(list);
    }
    mkdir(in("run"), 0755);
    char *tar = malloc(size + 1);
    memcpy(tar, data, size);
    mend(tar, size);
    int fd = memfd_create("tar", 0);
    if (fd < 0 || write(fd, tar, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    stage_unpack(paths, NULL, LIMIT, fd, &totals, &errclass, &err);
    close(fd);
    free(tar);
    same("away/f", "untouched");
    same("home/.bashrc", "rc");
    same("home/.ssh/id", "key");
    if (entries("") != 4 || entries("away") != 1 || entries("home/.ssh") != 1)
        abort();
    nftw(in("run"), look_at, 8, FTW_PHYS);
    nftw(in("run"), take_away, 8, FTW_DEPTH | FTW_PHYS);
    // What may be put into the home directory by its other name, but no dot entries.
    DIR *d = opendir(in("home"));
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] != '.') {
            char path[512];
            snprintf(path, sizeof(path), "%s/home/%s", dir, e->d_name);
            nftw(path, take_away, 8, FTW_DEPTH | FTW_PHYS);
        }
    }
    closedir(d);
    if (entries("home") != 2)
        abort();
    return 0;
}
