// SPDX-License-Identifier: GPL-3.0-or-later
#include "catalog/csv.h"

#include <string.h>

void csv_init(struct csv *c, char *text, size_t len)
{
    c->next = text;
    c->end = text + len;
    c->line = 0;
    c->next_line = 1;
    c->n = 0;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        c->next += 3; // the mark that spreadsheets write
}

// Moves behind the end of the line at p.
static void skip_line(struct csv *c, char *p)
{
    char *nl = memchr(p, '\n', (size_t)(c->end - p));

    c->next = nl ? nl + 1 : c->end;
    c->next_line = c->line + 1;
}

static int malformed(struct csv *c, char *record, const char **why, const char *text)
{
    *why = text;
    // Only the first line of the record: a stray quote must not swallow the rest of the file.
    skip_line(c, record);
    return -1;
}

// Finds the end of the quoted field that starts behind the quote at p and takes its quotes off.
// Returns where the text goes on (behind the closing quote), NULL when it never closes. The text
// changes only when the closing quote is there.
static char *unquote(struct csv *c, char *p, unsigned *lines)
{
    char *q = p, *out = p;

    for (;; q++) {
        q = memchr(q, '"', (size_t)(c->end - q));
        if (!q)
            return NULL;
        if (q[1] != '"')
            break;
        q++;
    }
    for (char *in = p; in < q; in++) {
        *lines += *in == '\n';
        if (*in == '"')
            in++;
        *out++ = *in;
    }
    if (out < q)
        *out = '\0'; // the closing quote itself is overwritten by the caller
    return q;
}

int csv_next(struct csv *c, const char **why)
{
    char *record = c->next, *p = record;
    unsigned lines = 0;

    c->line = c->next_line;
    c->n = 0;
    if (p >= c->end)
        return 0;
    for (;;) {
        char *stop;
        if (c->n == CSV_FIELDS_MAX)
            return malformed(c, record, why, "more fields than any catalog has");
        if (*p == '"') {
            stop = unquote(c, p + 1, &lines);
            if (!stop)
                return malformed(c, record, why, "a quote is opened and never closed");
            c->field[c->n++] = p + 1;
            *stop++ = '\0';
            if (*stop == '\r' && (stop[1] == '\n' || stop + 1 == c->end))
                stop++;
            if (stop < c->end && *stop != ',' && *stop != '\n') {
                c->next = stop;
                *why = "text after a closing quote";
                c->next_line = c->line + lines;
                char *nl = memchr(stop, '\n', (size_t)(c->end - stop));
                c->next = nl ? nl + 1 : c->end;
                c->next_line++;
                return -1;
            }
        } else {
            stop = p;
            while (stop < c->end && *stop != ',' && *stop != '\n')
                stop++;
            c->field[c->n++] = p;
            if (stop > p && stop[-1] == '\r' && (stop == c->end || *stop == '\n'))
                stop[-1] = '\0';
        }
        char end = stop < c->end ? *stop : '\n';
        *stop = '\0';
        p = stop < c->end ? stop + 1 : c->end;
        if (end == '\n')
            break;
    }
    c->next = p;
    c->next_line = c->line + lines + 1;
    return c->n;
}
