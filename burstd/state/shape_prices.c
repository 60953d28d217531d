// SPDX-License-Identifier: GPL-3.0-or-later
// See shape_prices.h.
#include "state/shape_prices.h"

#include <stdio.h>
#include <stdlib.h>

#include <uthash.h>

#include "libburst/xalloc.h"

#define KEY_MAX 80 // two names of the configuration, 32 characters each at most

struct row {
    char key[KEY_MAX]; // "cloud/shape"
    money_t market[2]; // on-demand, spot
    UT_hash_handle hh;
};

struct shape_prices {
    struct row *rows;
    unsigned rounds;
};

struct shape_prices *shape_prices_create(void)
{
    return xmalloc(sizeof(struct shape_prices));
}

void shape_prices_clear(struct shape_prices *t)
{
    struct row *r, *next;

    HASH_ITER(hh, t->rows, r, next)
    {
        HASH_DEL(t->rows, r);
        free(r);
    }
}

void shape_prices_destroy(struct shape_prices *t)
{
    if (!t)
        return;
    shape_prices_clear(t);
    free(t);
}

static struct row *find(const struct shape_prices *t, const char *cloud, const char *shape,
                        char key[KEY_MAX])
{
    struct row *r;

    snprintf(key, KEY_MAX, "%s/%s", cloud, shape);
    HASH_FIND_STR(t->rows, key, r);
    return r;
}

money_t shape_price(const struct shape_prices *t, const char *cloud, const char *shape, bool spot)
{
    char key[KEY_MAX];
    const struct row *r = find(t, cloud, shape, key);

    return r ? r->market[spot] : MONEY_UNKNOWN;
}

void shape_price_set(struct shape_prices *t, const char *cloud, const char *shape, bool spot,
                     money_t price)
{
    char key[KEY_MAX];
    struct row *r = find(t, cloud, shape, key);

    if (!r) {
        r = xmalloc(sizeof(*r));
        snprintf(r->key, sizeof(r->key), "%s", key);
        r->market[0] = r->market[1] = MONEY_UNKNOWN;
        HASH_ADD_STR(t->rows, key, r);
    }
    r->market[spot] = price;
}

void shape_prices_complete(struct shape_prices *t)
{
    t->rounds++;
}

unsigned shape_prices_rounds(const struct shape_prices *t)
{
    return t->rounds;
}
