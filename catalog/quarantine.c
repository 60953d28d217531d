// SPDX-License-Identifier: GPL-3.0-or-later
// See quarantine.h.
#include "catalog/quarantine.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/glob.h"
#include "libburst/fsutil.h"

#define ACCEPTED_MAX (1u << 20)
#define QUARANTINE_SHARE 0.6L

void quarantine_accepted(struct builder *b, const char *dir)
{
    char *path = xasprintf("%s/" ACCEPTED_NAME, dir);

    if (fs_read(path, ACCEPTED_MAX, &b->accepted, &b->accepted_len, NULL) < 0)
        b->accepted = NULL;
    for (size_t i = 0; b->accepted && i < b->accepted_len; i++)
        if (strchr("\r\n \t", b->accepted[i])) // also cuts off a remark behind the pattern
            b->accepted[i] = '\0';
    free(path);
}

struct judged {
    str_id accelerator;
    int64_t price;
    size_t row;
};

static int by_accelerator(const void *pa, const void *pb)
{
    const struct judged *a = pa, *b = pb;

    if (a->accelerator != b->accelerator)
        return a->accelerator < b->accelerator ? -1 : 1;
    if (a->price != b->price)
        return a->price < b->price ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static bool is_accepted(const struct builder *b, const struct row *r)
{
    const struct catalog_type *t = &b->types[r->offer.type];
    const char *cloud = builder_str(b, b->clouds[t->cloud].name), *name = builder_str(b, t->name);
    size_t len = strlen(cloud);

    for (const char *p = b->accepted; p && p < b->accepted + b->accepted_len; p += strlen(p) + 1)
        if (strncmp(p, cloud, len) == 0 && p[len] == '/' && glob_match(p + len + 1, name))
            return true;
    return false;
}

// Rows of one accelerator, cheapest first.
static void quarantine_group(struct builder *b, const struct judged *j, size_t n)
{
    long double median = n % 2
                             ? (long double)j[n / 2].price
                             : ((long double)j[n / 2 - 1].price + (long double)j[n / 2].price) / 2;

    for (size_t i = 0; i < n && (long double)j[i].price < QUARANTINE_SHARE * median; i++) {
        if (is_accepted(b, &b->rows[j[i].row]))
            continue;
        b->rows[j[i].row].quarantined = true;
        builder_report(
            b, COMPLAINT_QUARANTINED, b->rows[j[i].row].offer.line,
            "on-demand price of $%.4f per %s is under 0.6 of this cloud's median of $%.4Lf; "
            "not used",
            (double)j[i].price / 1e9, builder_str(b, j[i].accelerator), median / 1e9L);
    }
}

void quarantine_rows(struct builder *b, size_t first_row)
{
    struct judged *j = xcalloc(b->n_rows - first_row + 1, sizeof(*j));
    size_t n = 0;

    for (size_t i = first_row; i < b->n_rows; i++)
        if (b->rows[i].per_accelerator != NO_PRICE)
            j[n++] = (struct judged){b->types[b->rows[i].offer.type].accelerator,
                                     b->rows[i].per_accelerator, i};
    if (n)
        qsort(j, n, sizeof(*j), by_accelerator);
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i; k < n && j[k].accelerator == j[i].accelerator; k++)
            ;
        quarantine_group(b, j + i, k - i);
    }
    free(j);
}
