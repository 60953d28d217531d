// SPDX-License-Identifier: GPL-3.0-or-later
#include "slurm/child/estimate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "libburst/xalloc.h"

#define MISSED_CYCLES 2

struct estimate {
    char *key;
    int64_t start;
    int64_t backfill; // cycle that was the last one counted
    int missed;       // cycles begun since Slurm last said a time
    bool used;
    UT_hash_handle hh;
};

struct estimates {
    struct estimate *all;
};

struct estimates *estimates_create(void)
{
    return xmalloc(sizeof(struct estimates));
}

static void drop(struct estimates *e, struct estimate *x)
{
    HASH_DEL(e->all, x);
    free(x->key);
    free(x);
}

void estimates_destroy(struct estimates *e)
{
    struct estimate *x, *tmp;

    if (!e)
        return;
    HASH_ITER(hh, e->all, x, tmp)
    drop(e, x);
    free(e);
}

int64_t estimates_of(struct estimates *e, const char *key, int64_t start, int64_t last_backfill,
                     int64_t now)
{
    struct estimate *x;

    HASH_FIND_STR(e->all, key, x);
    if (start) {
        if (!x) {
            x = xmalloc(sizeof(*x));
            x->key = xstrdup(key);
            HASH_ADD_KEYPTR(hh, e->all, x->key, strlen(x->key), x);
        }
        x->start = start;
        x->backfill = last_backfill;
        x->missed = 0;
        x->used = true;
        return start;
    }
    if (!x)
        return 0;
    if (x->backfill != last_backfill) {
        x->backfill = last_backfill;
        x->missed++;
    }
    if (x->missed >= MISSED_CYCLES || x->start <= now) {
        drop(e, x);
        return 0;
    }
    x->used = true;
    return x->start;
}

void estimates_sweep(struct estimates *e)
{
    struct estimate *x, *tmp;

    HASH_ITER(hh, e->all, x, tmp)
    {
        if (!x->used)
            drop(e, x);
        else
            x->used = false;
    }
}
