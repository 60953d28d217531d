// SPDX-License-Identifier: GPL-3.0-or-later
#include "libburst/hostlist.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

struct list {
    char **names;
    size_t n, cap;
};

static int push(struct list *l, char *name, burst_error_t *errp)
{
    if (l->n >= HOSTLIST_MAX) {
        free(name);
        return errprintf(errp, "host list: more than %d names", HOSTLIST_MAX);
    }
    if (l->n + 2 > l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->names = xrealloc(l->names, l->cap * sizeof(char *));
    }
    l->names[l->n++] = name;
    l->names[l->n] = NULL;
    return 0;
}

static bool digits(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return len > 0 && len <= 9;
}

// One "03" or "03-17" between commas of a bracket.
static int expand_range(struct list *l, const char *prefix, size_t plen, const char *item,
                        size_t ilen, const char *suffix, size_t slen, burst_error_t *errp)
{
    const char *dash = memchr(item, '-', ilen);
    size_t lo_len = dash ? (size_t)(dash - item) : ilen;
    const char *hi = dash ? dash + 1 : item;
    size_t hi_len = dash ? ilen - lo_len - 1 : ilen;

    if (!digits(item, lo_len) || !digits(hi, hi_len))
        return errprintf(errp, "host list: \"%.*s\" is not a range of numbers", (int)ilen, item);
    long first = strtol(item, NULL, 10), last = strtol(hi, NULL, 10);
    if (last < first || last - first >= HOSTLIST_MAX)
        return errprintf(errp, "host list: the range \"%.*s\" is empty or too long", (int)ilen,
                         item);
    for (long v = first; v <= last; v++)
        if (push(l,
                 xasprintf("%.*s%0*ld%.*s", (int)plen, prefix, (int)lo_len, v, (int)slen, suffix),
                 errp) < 0)
            return -1;
    return 0;
}

static int expand_word(struct list *l, const char *w, size_t len, burst_error_t *errp)
{
    const char *open = memchr(w, '[', len);
    const char *close = memchr(w, ']', len);

    if (!open && !close)
        return push(l, xasprintf("%.*s", (int)len, w), errp);
    if (!open || !close || close < open || memchr(open + 1, '[', (size_t)(w + len - open - 1)))
        return errprintf(errp, "host list: brackets of \"%.*s\" do not match",
                         (int)(len < 80 ? len : 80), w);
    const char *suffix = close + 1;
    size_t slen = (size_t)(w + len - suffix);
    for (const char *p = open + 1;;) {
        const char *end = memchr(p, ',', (size_t)(close - p));
        size_t ilen = (size_t)((end ? end : close) - p);
        if (expand_range(l, w, (size_t)(open - w), p, ilen, suffix, slen, errp) < 0)
            return -1;
        if (!end)
            return 0;
        p = end + 1;
    }
}

int hostlist_expand(const char *expr, char ***names, size_t *n, burst_error_t *errp)
{
    struct list l = {xcalloc(1, sizeof(char *)), 0, 1};
    const char *start = expr ? expr : "";
    int depth = 0;

    if (strcmp(start, "(null)") == 0)
        start = "";
    for (const char *p = start;; p++) {
        if (*p == '[')
            depth++;
        else if (*p == ']')
            depth--;
        else if (*p == '\0' || (*p == ',' && depth == 0)) {
            if (p > start && expand_word(&l, start, (size_t)(p - start), errp) < 0) {
                hostlist_free(l.names);
                return -1;
            }
            start = p + 1;
            if (!*p)
                break;
        }
    }
    *names = l.names;
    *n = l.n;
    return 0;
}

void hostlist_free(char **names)
{
    if (!names)
        return;
    for (char **p = names; *p; p++)
        free(*p);
    free(names);
}

char *hostlist_join(char *const *names, size_t n)
{
    struct strbuf b;

    strbuf_init(&b, SIZE_MAX / 2);
    for (size_t i = 0; i < n; i++) {
        if (i)
            strbuf_adds(&b, ",");
        strbuf_adds(&b, names[i]);
    }
    char *s = strbuf_take(&b);
    strbuf_free(&b);
    return s;
}
