// SPDX-License-Identifier: GPL-3.0-or-later
// See reader.h.
#include "catalog/reader.h"

#include <string.h>

#define NAME_LEN_MAX 200

bool reader_header(struct builder *b, const char *const *want, int n_want, int n_needed,
                   struct csv *csv, int *at)
{
    const char *why = NULL;
    int n = csv_next(csv, &why);

    if (n <= 0) {
        builder_report(b, COMPLAINT_SKIPPED, 0, "not read: %s", n < 0 ? why : "the file is empty");
        return false;
    }
    for (int c = 0; c < n_want; c++) {
        at[c] = -1;
        for (int i = 0; i < n; i++)
            if (strcmp(csv->field[i], want[c]) == 0)
                at[c] = i;
        if (at[c] < 0 && c < n_needed) {
            builder_report(b, COMPLAINT_SKIPPED, 0, "not read: the header has no column %s",
                           want[c]);
            return false;
        }
    }
    return true;
}

bool reader_next(struct builder *b, struct csv *csv, int n_header, int *n)
{
    const char *why = NULL;

    for (;;) {
        *n = csv_next(csv, &why);
        if (*n == 0)
            return false;
        if (*n < 0)
            builder_report(b, COMPLAINT_REFUSED, csv->line, "%s", why);
        else if (*n == 1 && !*csv->field[0])
            continue; // empty line
        else if (*n != n_header)
            builder_report(b, COMPLAINT_REFUSED, csv->line, "%d fields where the header has %d", *n,
                           n_header);
        else
            return true;
    }
}

bool reader_bad_name(const char *s)
{
    size_t i;

    for (i = 0; s[i]; i++)
        if ((unsigned char)s[i] < 32 || s[i] == 127)
            return true;
    return i > NAME_LEN_MAX;
}
