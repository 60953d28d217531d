// SPDX-License-Identifier: GPL-3.0-or-later
#include "fakecloud/form.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

struct pair {
    char *name, *value;
};

struct form {
    struct pair *pair;
    size_t n;
};

static int hex(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

// NULL: it cannot be decoded.
static char *decode(const char *text, size_t len)
{
    char *out = xmalloc(len + 1);
    size_t n = 0;

    for (size_t k = 0; k < len; k++) {
        int c = text[k] == '+' ? ' ' : (unsigned char)text[k];
        if (c == '%') {
            int high = k + 2 < len ? hex(text[k + 1]) : -1,
                low = k + 2 < len ? hex(text[k + 2]) : -1;
            c = high < 0 || low < 0 ? 0 : high * 16 + low;
            k += 2;
        }
        if (c == 0) {
            free(out);
            return NULL;
        }
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return out;
}

static int add(struct form *f, const char *text, size_t len)
{
    const char *eq = memchr(text, '=', len);
    size_t name = eq ? (size_t)(eq - text) : len;
    struct pair p = {decode(text, name), eq ? decode(eq + 1, len - name - 1) : xstrdup("")};

    f->pair = xrealloc(f->pair, (f->n + 1) * sizeof(p));
    f->pair[f->n++] = p;
    return p.name && p.value ? 0 : -1;
}

struct form *form_parse(const char *body, size_t len)
{
    struct form *f = xmalloc(sizeof(*f));
    const char *end = body + len;

    for (const char *p = body; p < end;) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        size_t n = (size_t)((amp ? amp : end) - p);
        if (n > 0 && add(f, p, n) < 0) {
            form_free(f);
            return NULL;
        }
        p += n + 1;
    }
    return f;
}

void form_free(struct form *f)
{
    if (!f)
        return;
    for (size_t k = 0; k < f->n; k++) {
        free(f->pair[k].name);
        free(f->pair[k].value);
    }
    free(f->pair);
    free(f);
}

size_t form_count(const struct form *f)
{
    return f->n;
}

const char *form_name(const struct form *f, size_t k)
{
    return f->pair[k].name;
}

const char *form_value(const struct form *f, size_t k)
{
    return f->pair[k].value;
}

const char *form_get(const struct form *f, const char *fmt, ...)
{
    char name[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(name, sizeof(name), fmt, ap);
    va_end(ap);
    for (size_t k = 0; k < f->n; k++)
        if (strcmp(f->pair[k].name, name) == 0)
            return f->pair[k].value;
    return "";
}
