// SPDX-License-Identifier: GPL-3.0-or-later
#include "libburst/strbuf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

void strbuf_init(struct strbuf *b, size_t ceiling)
{
    memset(b, 0, sizeof(*b));
    b->ceiling = ceiling;
    b->cap = 64;
    b->data = xmalloc(b->cap);
}

void strbuf_free(struct strbuf *b)
{
    free(b->data);
    memset(b, 0, sizeof(*b));
}

void strbuf_reset(struct strbuf *b)
{
    b->len = 0;
    b->overflow = false;
    if (b->data)
        b->data[0] = '\0';
}

int strbuf_add(struct strbuf *b, const void *data, size_t len)
{
    if (len > b->ceiling || b->len > b->ceiling - len) {
        b->overflow = true;
        errno = ENOSPC;
        return -1;
    }
    if (b->len + len + 1 > b->cap) {
        size_t cap = b->cap ? b->cap : 64;
        while (cap < b->len + len + 1)
            cap *= 2;
        b->data = xrealloc(b->data, cap);
        b->cap = cap;
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return 0;
}

int strbuf_adds(struct strbuf *b, const char *s)
{
    return strbuf_add(b, s, strlen(s));
}

int strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0)
        return -1;
    int rc = strbuf_add(b, s, (size_t)n);
    free(s);
    return rc;
}

void strbuf_consume(struct strbuf *b, size_t n)
{
    if (n > b->len)
        n = b->len;
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
    b->data[b->len] = '\0';
}

char *strbuf_take(struct strbuf *b)
{
    char *s = b->data;

    *b = (struct strbuf){.ceiling = b->ceiling};
    return s;
}
