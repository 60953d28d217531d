// SPDX-License-Identifier: GPL-3.0-or-later
// See names.h.
#include "optimizer/names.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "libburst/xalloc.h"

struct names {
    const char *name;
    int index;
    UT_hash_handle hh;
};

int names_add(struct names **n, const char *name, int index)
{
    struct names *x;

    HASH_FIND_STR(*n, name, x);
    if (x)
        return x->index;
    x = xmalloc(sizeof(*x));
    x->name = name;
    x->index = index;
    HASH_ADD_KEYPTR(hh, *n, name, strlen(name), x);
    return -1;
}

int names_find(struct names *n, const char *name)
{
    struct names *x;

    HASH_FIND_STR(n, name, x);
    return x ? x->index : -1;
}

void names_free(struct names *n)
{
    struct names *x, *next;

    HASH_ITER(hh, n, x, next)
    {
        HASH_DEL(n, x);
        free(x);
    }
}
