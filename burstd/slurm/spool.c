// SPDX-License-Identifier: GPL-3.0-or-later
// See spool.h. The names sort by time (KIND-MONOTONICNS-PID.json carries it in the middle; files of
// one kind are ordered, and resume against suspend of one node is decided by the state of Slurm).
#include "slurm/spool.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

#define MAX_FILES 256 // a call; each is a few KiB: bounds the stall of the loop
#define MAX_FILE (4 << 20)

struct spool {
    struct burstd *b;
    spool_handler handler;
    char *dir, *bad;
    int waiting;
};

struct spool *spool_create(struct burstd *b, spool_handler handler, burst_error_t *errp)
{
    struct spool *s = xmalloc(sizeof(*s));

    s->b = b;
    s->handler = handler;
    s->dir = xasprintf("%s/spool", b->conf->state_dir);
    s->bad = xasprintf("%s/spool/bad", b->conf->state_dir);
    if (fs_mkdirs(s->bad, 0700, errp) < 0) {
        spool_destroy(s);
        return NULL;
    }
    return s;
}

void spool_destroy(struct spool *s)
{
    if (!s)
        return;
    free(s->dir);
    free(s->bad);
    free(s);
}

// What follows the first '-' of a name: the time.
static const char *time_part(const char *name)
{
    const char *dash = strchr(name, '-');

    return dash ? dash + 1 : name;
}

static int by_time(const struct dirent **a, const struct dirent **b)
{
    const char *x = time_part((*a)->d_name), *y = time_part((*b)->d_name);
    size_t lx = strspn(x, "0123456789"), ly = strspn(y, "0123456789");

    if (lx != ly)
        return lx < ly ? -1 : 1;
    return strcmp(x, y);
}

static int is_file(const struct dirent *d)
{
    size_t n = strlen(d->d_name);

    return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

static void put_aside(struct spool *s, const char *name, const char *why)
{
    char *from = xasprintf("%s/%s", s->dir, name), *to = xasprintf("%s/%s", s->bad, name);

    log_error("spool: %s is put aside in %s: %s", name, s->bad, why);
    if (rename(from, to) < 0)
        log_error("spool: cannot move %s: %s", from, strerror(errno));
    free(from);
    free(to);
}

static void handle(struct spool *s, const char *name)
{
    char *path = xasprintf("%s/%s", s->dir, name), *text = NULL;
    burst_error_t err;
    size_t len;
    cJSON *msg = NULL;

    if (fs_read(path, MAX_FILE, &text, &len, &err) < 0 || !(msg = json_parse(text, len, &err)) ||
        !cJSON_IsObject(msg)) {
        put_aside(s, name, msg ? "not an object" : err.text);
    } else if (s->handler(s->b, msg) == 0) {
        if (unlink(path) < 0)
            log_error("spool: cannot remove %s: %s", path, strerror(errno));
    } else {
        s->waiting++;
    }
    cJSON_Delete(msg);
    free(text);
    free(path);
}

void spool_scan(struct spool *s)
{
    struct dirent **names;
    int n = scandir(s->dir, &names, is_file, by_time);

    s->waiting = 0;
    if (n < 0) {
        log_error("spool: %s: %s", s->dir, strerror(errno));
        return;
    }
    for (int i = 0; i < n; i++) {
        if (i < MAX_FILES)
            handle(s, names[i]->d_name);
        free(names[i]);
    }
    free(names);
}

int spool_waiting(const struct spool *s)
{
    return s->waiting;
}
