// SPDX-License-Identifier: GPL-3.0-or-later
// See house.h.
#include "house.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define ROOMS_MAX 64
#define NOUNS_MAX 1024
#define EDGES_MAX 8192
#define PATH_LEN 512

struct edge {
    int from, to; // nouns of one room
    char at[PATH_LEN + 16];
};

struct house {
    const char *top, *include_dir;
    struct strbuf out;
    char room[ROOMS_MAX][PATH_LEN];
    bool libslurm[ROOMS_MAX]; // may include Slurm's headers
    int n_rooms;
    char noun[NOUNS_MAX][PATH_LEN]; // path without the ending
    int n_nouns;
    struct edge edge[EDGES_MAX];
    int n_edges;
};

static int room_of(const struct house *h, const char *dir)
{
    for (int k = 0; k < h->n_rooms; k++)
        if (strcmp(h->room[k], dir) == 0)
            return k;
    return -1;
}

static void dir_of(const char *path, char out[PATH_LEN])
{
    const char *slash = strrchr(path, '/');

    snprintf(out, PATH_LEN, "%.*s", slash ? (int)(slash - path) : 0, path);
}

static bool is_file(const struct house *h, const char *path)
{
    char full[2 * PATH_LEN];
    struct stat st;

    snprintf(full, sizeof(full), "%s/%s", h->top, path);
    return stat(full, &st) == 0 && S_ISREG(st.st_mode);
}

// ---- the list

static void read_room(struct house *h, char *line)
{
    char *name = strtok(line, " \t\r\n"), full[2 * PATH_LEN];
    const char *what = strtok(NULL, "\r\n");
    struct stat st;

    if (!name || h->n_rooms == ROOMS_MAX)
        return;
    snprintf(full, sizeof(full), "%s/%s", h->top, name);
    if (stat(full, &st) < 0 || !S_ISDIR(st.st_mode))
        strbuf_addf(&h->out, "%s: a room of the list that is no folder\n", name);
    h->libslurm[h->n_rooms] = what && strstr(what, "libslurm");
    snprintf(h->room[h->n_rooms++], PATH_LEN, "%s", name);
}

static void read_list(struct house *h, const char *list)
{
    char line[1024], path[2 * PATH_LEN];
    bool inside = false;

    snprintf(path, sizeof(path), "%s/%s", h->top, list);
    FILE *f = fopen(path, "r");
    if (!f) {
        strbuf_addf(&h->out, "%s: cannot be read\n", list);
        return;
    }
    while (fgets(line, sizeof(line), f)) {
        if (strncmp(line, "```", 3) == 0)
            inside = strncmp(line, "```rooms", 8) == 0;
        else if (inside)
            read_room(h, line);
    }
    fclose(f);
    if (h->n_rooms == 0)
        strbuf_addf(&h->out, "%s: has no list of rooms\n", list);
}

// ---- includes

// NAME_inside.h is what the files share into which NAME was split: a part of NAME.
static int noun_of(struct house *h, const char *path)
{
    static const char inside[] = "_inside";
    char stem[PATH_LEN];

    snprintf(stem, sizeof(stem), "%.*s", (int)(strrchr(path, '.') - path), path);
    size_t n = strlen(stem), tail = sizeof(inside) - 1;
    if (n > tail && strcmp(stem + n - tail, inside) == 0)
        stem[n - tail] = '\0';
    for (int k = 0; k < h->n_nouns; k++)
        if (strcmp(h->noun[k], stem) == 0)
            return k;
    if (h->n_nouns == NOUNS_MAX)
        return 0;
    snprintf(h->noun[h->n_nouns], PATH_LEN, "%s", stem);
    return h->n_nouns++;
}

static bool resolve(const struct house *h, const char *file, const char *name, char out[PATH_LEN])
{
    char dir[PATH_LEN];
    const char *const dirs[] = {dir, h->include_dir, ""};

    dir_of(file, dir);
    for (int k = 0; k < 3; k++) {
        int n = snprintf(out, PATH_LEN, "%s%s%s", dirs[k], *dirs[k] ? "/" : "", name);
        if (n > 0 && n < PATH_LEN && is_file(h, out))
            return true;
    }
    return false;
}

static void add_edge(struct house *h, const char *file, const char *to, const char *at)
{
    int a = noun_of(h, file), b = noun_of(h, to);

    if (a == b || h->n_edges == EDGES_MAX)
        return;
    h->edge[h->n_edges].from = a;
    h->edge[h->n_edges].to = b;
    snprintf(h->edge[h->n_edges++].at, sizeof(h->edge[0].at), "%s", at);
}

static void check_include(struct house *h, const char *file, int line, int room, const char *name)
{
    char path[PATH_LEN], dir[PATH_LEN], at[PATH_LEN + 16];

    snprintf(at, sizeof(at), "%s:%d", file, line);
    if (strcmp(name, "config.h") == 0)
        return;
    if (!resolve(h, file, name, path)) {
        strbuf_addf(&h->out, "%s: \"%s\" is nowhere\n", at, name);
        return;
    }
    dir_of(path, dir);
    int other = room_of(h, dir);
    if (other < 0)
        strbuf_addf(&h->out, "%s: %s lies in no room\n", at, path);
    else if (other < room)
        strbuf_addf(&h->out, "%s: goes up, from %s to %s\n", at, h->room[room], path);
    else if (other == room)
        add_edge(h, file, path, at);
}

static void check_file(struct house *h, const char *file)
{
    char line[1024], path[2 * PATH_LEN], dir[PATH_LEN], name[PATH_LEN];

    dir_of(file, dir);
    int room = room_of(h, dir);
    if (room < 0) {
        strbuf_addf(&h->out, "%s:1: %s is no room of the list\n", file, dir);
        return;
    }
    snprintf(path, sizeof(path), "%s/%s", h->top, file);
    FILE *f = fopen(path, "r");
    for (int n = 1; f && fgets(line, sizeof(line), f); n++) {
        if (sscanf(line, "#include \"%511[^\"]\"", name) == 1)
            check_include(h, file, n, room, name);
        else if (strncmp(line, "#include <slurm/", 16) == 0 && !h->libslurm[room])
            strbuf_addf(&h->out, "%s:%d: Slurm's headers outside of the rooms for them\n", file, n);
    }
    if (f)
        fclose(f);
}

static bool is_source(const char *name)
{
    size_t n = strlen(name);

    return n > 2 && name[n - 2] == '.' && (name[n - 1] == 'c' || name[n - 1] == 'h');
}

static void check_dir(struct house *h, const char *dir)
{
    char path[2 * PATH_LEN];
    struct dirent **list;

    snprintf(path, sizeof(path), "%s/%s", h->top, dir);
    int n = scandir(path, &list, NULL, alphasort);
    for (int k = 0; k < n; k++) {
        char child[PATH_LEN];
        struct stat st;
        int len = snprintf(child, sizeof(child), "%s/%s", dir, list[k]->d_name);
        snprintf(path, sizeof(path), "%s/%s", h->top, child);
        if (list[k]->d_name[0] == '.' || len >= PATH_LEN || lstat(path, &st) < 0)
            ;
        else if (S_ISDIR(st.st_mode))
            check_dir(h, child);
        else if (S_ISREG(st.st_mode) && is_source(list[k]->d_name))
            check_file(h, child);
        free(list[k]);
    }
    if (n >= 0)
        free(list);
}

// ---- circles

// The way from noun `at` back to `home`, written backwards while the calls return.
static bool leads_back(struct house *h, int at, int home, bool *met, struct strbuf *way)
{
    for (int k = 0; k < h->n_edges; k++) {
        const struct edge *e = &h->edge[k];
        if (e->from != at || (e->to != home && met[e->to]))
            continue;
        met[e->to] = true;
        if (e->to == home || leads_back(h, e->to, home, met, way)) {
            strbuf_addf(way, " <- %s (%s)", h->noun[e->from], e->at);
            return true;
        }
    }
    return false;
}

static void check_circles(struct house *h)
{
    bool *told = xcalloc(NOUNS_MAX, sizeof(*told)), *met = xcalloc(NOUNS_MAX, sizeof(*met));

    for (int k = 0; k < h->n_nouns; k++) {
        struct strbuf way;
        memset(met, 0, NOUNS_MAX * sizeof(*met));
        strbuf_init(&way, 65536);
        if (!told[k] && leads_back(h, k, k, met, &way)) {
            strbuf_addf(&h->out, "%s.c:1: a circle: %s%s\n", h->noun[k], h->noun[k], way.data);
            for (int m = 0; m < h->n_nouns; m++) // its others are told with it
                told[m] = told[m] || (met[m] && strstr(way.data, h->noun[m]));
        }
        strbuf_free(&way);
    }
    free(told);
    free(met);
}

char *house_check(const char *top, const char *list, const char *const *roots, size_t n_roots,
                  const char *include_dir)
{
    struct house *h = xmalloc(sizeof(*h));
    char *text;

    h->top = top;
    h->include_dir = include_dir;
    strbuf_init(&h->out, 1 << 20);
    strbuf_adds(&h->out, "");
    read_list(h, list);
    for (size_t k = 0; k < n_roots; k++)
        check_dir(h, roots[k]);
    check_circles(h);
    text = xstrdup(h->out.data ? h->out.data : "");
    strbuf_free(&h->out);
    free(h);
    return text;
}
