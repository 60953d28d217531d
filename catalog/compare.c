// SPDX-License-Identifier: GPL-3.0-or-later
// See compare.h: both sides sorted by what identifies an offer, then one walk along them.
#include "catalog/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

struct entry {
    const char *key[4]; // instance type, accelerator, region, zone
    enum market market;
    int64_t price;
};

static int same_offer(const struct entry *a, const struct entry *b)
{
    int c = 0;

    for (int i = 0; i < 4 && !c; i++)
        c = strcmp(a->key[i], b->key[i]);
    return c ? c : (int)a->market - (int)b->market;
}

static int by_offer(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    int c = same_offer(a, b);

    return c ? c : (a->price > b->price) - (a->price < b->price);
}

static struct entry *entries(const struct catalog *c, uint32_t *n)
{
    uint32_t n_offers, unused, k = 0;
    const struct catalog_offer *o = catalog_offers(c, &n_offers);
    const struct catalog_type *t = catalog_types(c, &unused);
    const struct catalog_region *r = catalog_regions(c, &unused);
    struct entry *e = xcalloc((size_t)n_offers * MARKETS + 1, sizeof(*e));

    for (uint32_t i = 0; i < n_offers; i++)
        for (int m = 0; m < MARKETS; m++)
            if (o[i].price[m] != NO_PRICE)
                e[k++] = (struct entry){
                    {catalog_str(c, t[o[i].type].name), catalog_str(c, t[o[i].type].accelerator),
                     catalog_str(c, r[o[i].region].name), catalog_str(c, o[i].zone)},
                    (enum market)m,
                    o[i].price[m]};
    if (k)
        qsort(e, k, sizeof(*e), by_offer);
    *n = k;
    return e;
}

static double factor(const struct compare_move *m)
{
    return m->ratio < 1 ? 1 / m->ratio : m->ratio; // 1 / 0 is infinite
}

static void note_move(struct comparison *out, const struct entry *before, const struct entry *after)
{
    struct compare_move m = {after->key[0],
                             after->key[2],
                             after->key[3],
                             after->market,
                             before->price,
                             after->price,
                             before->price ? (double)after->price / (double)before->price
                                           : HUGE_VAL};
    unsigned at = out->n_moves;

    while (at > 0 && factor(&m) > factor(&out->move[at - 1]))
        at--;
    if (at == COMPARE_MOVES)
        return;
    if (out->n_moves < COMPARE_MOVES)
        out->n_moves++;
    memmove(&out->move[at + 1], &out->move[at], (out->n_moves - 1 - at) * sizeof(m));
    out->move[at] = m;
}

void catalog_compare(const struct catalog *before, const struct catalog *after,
                     struct comparison *out)
{
    uint32_t i = 0, k = 0;

    memset(out, 0, sizeof(*out));
    struct entry *a = before ? entries(before, &out->before) : NULL;
    struct entry *b = entries(after, &out->after);
    while (i < out->before || k < out->after) {
        int c = i == out->before ? 1 : k == out->after ? -1 : same_offer(&a[i], &b[k]);
        if (c < 0) {
            out->gone++;
            i++;
        } else if (c > 0) {
            out->added++;
            k++;
        } else {
            if (a[i].price != b[k].price) {
                out->changed++;
                note_move(out, &a[i], &b[k]);
            }
            i++;
            k++;
        }
    }
    free(a);
    free(b);
}
