// SPDX-License-Identifier: GPL-3.0-or-later
#include "node/io_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/path.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define NAME_MAX_BYTES 65536
#define WIDTH_MAX 10
#define NO_TASK 4294967294u // what Slurm writes for %a where there is no array

enum style { OLD, NEW, STYLES }; // until 23.11, since 24.05

static void put_number(struct strbuf *b, unsigned width, uint32_t n)
{
    strbuf_addf(b, "%0*u", (int)width, n);
}

// What a letter stands for. False: nothing, or it is not known yet.
static bool put_letter(struct strbuf *b, const struct io_name *x, char letter, unsigned width,
                       enum style style)
{
    uint32_t task = x->array_id ? x->task : NO_TASK, array = x->array_id ? x->array_id : x->job_id;

    switch (letter) {
    case 'A':
        if (array)
            put_number(b, width, array);
        return array != 0;
    case 'a':
        put_number(b, width, task);
        return true;
    case 'b':
        if (style == NEW)
            put_number(b, width, task % 10);
        return style == NEW;
    case 'J': // of the batch step: the job alone
    case 'j':
        if (x->job_id)
            put_number(b, width, x->job_id);
        return x->job_id != 0;
    case 'N':
        if (x->node)
            strbuf_adds(b, x->node);
        return x->node != NULL;
    case 'n': // the batch step runs on the first node, as the first task
    case 't':
        put_number(b, style == OLD ? width : 0, 0);
        return true;
    case 's':
        strbuf_adds(b, "batch");
        return true;
    case 'u':
        strbuf_adds(b, x->user);
        return true;
    case 'x':
        strbuf_adds(b, x->job_name);
        return true;
    default:
        return false;
    }
}

static bool is_letter(char c, enum style style)
{
    return c && strchr(style == NEW ? "AabJjNnstux" : "AaJjNnstux", c) != NULL;
}

// Of one "%..." with p behind the percent sign; returns where it ends.
static const char *put_field(struct strbuf *b, const struct io_name *x, const char *p,
                             enum style style)
{
    const char *digits = p;
    unsigned width = 0;

    if (*p == '%') {
        strbuf_adds(b, "%");
        return p + 1;
    }
    for (; isdigit((unsigned char)*p); p++)
        width = width > WIDTH_MAX ? width : width * 10 + (unsigned)(*p - '0');
    if (is_letter(*p, style)) {
        if (!put_letter(b, x, *p, width > WIDTH_MAX ? WIDTH_MAX : width, style))
            strbuf_addf(b, "%%%.*s", (int)(p + 1 - digits), digits);
        return p + 1;
    }
    // Not one of Slurm's: of a width before it the last digit is what Slurm leaves.
    strbuf_adds(b, p > digits ? (char[]){p[-1], '\0'} : "%");
    return p;
}

// With a backslash in it nothing is filled in: the backslashes go, of two one stays in old
// releases.
static void put_escaped(struct strbuf *b, const char *pattern, enum style style)
{
    for (const char *p = pattern; *p; p++) {
        if (*p == '\\' && style == OLD && p[1] == '\\')
            p++;
        else if (*p == '\\')
            continue;
        strbuf_add(b, p, 1);
    }
}

static char *fill_in(const struct io_name *x, const char *pattern, enum style style)
{
    struct strbuf b;

    strbuf_init(&b, NAME_MAX_BYTES);
    if (strchr(pattern, '\\'))
        put_escaped(&b, pattern, style);
    else
        for (const char *p = pattern; *p;) {
            if (*p == '%')
                p = put_field(&b, x, p + 1, style);
            else
                strbuf_add(&b, p++, 1);
        }
    char *name = path_resolve(x->work_dir, b.data ? b.data : "");
    strbuf_free(&b);
    return name;
}

size_t io_names(const struct io_name *x, const char *pattern, char *out[IO_NAMES_MAX])
{
    out[0] = fill_in(x, pattern, OLD);
    out[1] = fill_in(x, pattern, NEW);
    if (strcmp(out[0], out[1]) != 0)
        return 2;
    free(out[1]);
    return 1;
}
