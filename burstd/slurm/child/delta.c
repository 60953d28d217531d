// SPDX-License-Identifier: GPL-3.0-or-later
#include "slurm/child/delta.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

struct sent {
    char *key;
    uint64_t hash;
    unsigned round;
    UT_hash_handle hh;
};

struct delta {
    char *type;
    void (*out)(void *arg, const char *line);
    void *arg;
    struct sent *sent;
    unsigned round;
    bool full, first_full; // this reading is full; and its first message has not gone yet
    bool wrote;
    int64_t time_s;
    struct strbuf items, removed;
};

static uint64_t fnv1a(const char *s)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return h;
}

struct delta *delta_create(const char *type, void (*out)(void *arg, const char *line), void *arg)
{
    struct delta *d = xmalloc(sizeof(*d));

    d->type = xstrdup(type);
    d->out = out;
    d->arg = arg;
    strbuf_init(&d->items, DELTA_CHUNK + (1u << 20));
    strbuf_init(&d->removed, DELTA_CHUNK + (1u << 20));
    return d;
}

void delta_destroy(struct delta *d)
{
    struct sent *s, *tmp;

    if (!d)
        return;
    HASH_ITER(hh, d->sent, s, tmp)
    {
        HASH_DEL(d->sent, s);
        free(s->key);
        free(s);
    }
    strbuf_free(&d->items);
    strbuf_free(&d->removed);
    free(d->type);
    free(d);
}

static void flush(struct delta *d, bool more)
{
    char *line = xasprintf("{\"type\":\"%s\",\"full\":%s,\"time\":%" PRId64 ",%s\"%s\":[%s],"
                           "\"removed\":[%s]}",
                           d->type, d->first_full ? "true" : "false", d->time_s,
                           more ? "\"more\":true," : "", d->type, d->items.data, d->removed.data);
    d->out(d->arg, line);
    free(line);
    d->first_full = false;
    d->wrote = true;
    strbuf_reset(&d->items);
    strbuf_reset(&d->removed);
}

void delta_begin(struct delta *d, bool full, int64_t time_s)
{
    d->round++;
    d->full = d->first_full = full;
    d->wrote = false;
    d->time_s = time_s;
}

static void add(struct delta *d, struct strbuf *b, const char *text)
{
    size_t len = strlen(text);

    if (b->len && b->len + len > DELTA_CHUNK)
        flush(d, true);
    if (b->len)
        strbuf_adds(b, ",");
    strbuf_add(b, text, len);
}

void delta_item(struct delta *d, const char *key, const char *json)
{
    uint64_t hash = fnv1a(json);
    struct sent *s;

    if (strlen(json) > DELTA_CHUNK / 2) {
        fprintf(stderr, "warning: %s is left out: its description is too long\n", key);
        return;
    }

    HASH_FIND_STR(d->sent, key, s);
    if (!s) {
        s = xmalloc(sizeof(*s));
        s->key = xstrdup(key);
        s->hash = ~hash;
        HASH_ADD_KEYPTR(hh, d->sent, s->key, strlen(s->key), s);
    }
    s->round = d->round;
    if (s->hash == hash && !d->full)
        return;
    s->hash = hash;
    add(d, &d->items, json);
}

bool delta_end(struct delta *d)
{
    struct sent *s, *tmp;

    HASH_ITER(hh, d->sent, s, tmp)
    {
        if (s->round == d->round)
            continue;
        // Keys are "123_4" or node names: nothing in them needs escaping.
        char *quoted = xasprintf("\"%s\"", s->key);
        add(d, &d->removed, quoted);
        free(quoted);
        HASH_DEL(d->sent, s);
        free(s->key);
        free(s);
    }
    if (d->first_full || d->items.len || d->removed.len)
        flush(d, false);
    return d->wrote;
}
