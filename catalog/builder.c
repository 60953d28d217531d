// SPDX-License-Identifier: GPL-3.0-or-later
// See builder.h.
#include "catalog/builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void builder_init(struct builder *b, catalog_complain_fn complain, void *arg)
{
    memset(b, 0, sizeof(*b));
    b->complain = complain;
    b->arg = arg;
    strbuf_init(&b->pool, UINT32_MAX / 2);
    strbuf_add(&b->pool, "", 1);
}

void builder_free(struct builder *b)
{
    strbuf_free(&b->pool);
    free(b->accepted);
    free(b->strings.slot);
    free(b->type_table.slot);
    free(b->region_table.slot);
    free(b->clouds);
    free(b->regions);
    free(b->types);
    free(b->rows);
    free(b->routes);
    free(b->tiers);
}

static void table_grow(struct table *t, uint64_t (*hash)(const struct builder *, uint32_t),
                       const struct builder *b)
{
    size_t cap = t->cap ? t->cap * 2 : 1024;
    uint32_t *slot = xcalloc(cap, sizeof(*slot));

    for (size_t i = 0; i < t->cap; i++) {
        if (!t->slot[i])
            continue;
        size_t at = hash(b, t->slot[i] - 1) & (cap - 1);
        while (slot[at])
            at = (at + 1) & (cap - 1);
        slot[at] = t->slot[i];
    }
    free(t->slot);
    t->slot = slot;
    t->cap = cap;
}

static uint64_t hash_string(const struct builder *b, uint32_t id)
{
    const char *s = b->pool.data + id;
    return hash_bytes(s, strlen(s), HASH_START);
}

str_id builder_intern(struct builder *b, const char *s)
{
    size_t len = strlen(s);
    struct table *t = &b->strings;

    if (!len)
        return 0;
    if (t->n * 2 >= t->cap)
        table_grow(t, hash_string, b);
    size_t at = hash_bytes(s, len, HASH_START) & (t->cap - 1);
    for (; t->slot[at]; at = (at + 1) & (t->cap - 1))
        if (strcmp(b->pool.data + t->slot[at] - 1, s) == 0)
            return t->slot[at] - 1;
    str_id id = (str_id)b->pool.len;
    strbuf_add(&b->pool, s, len + 1);
    t->slot[at] = id + 1;
    t->n++;
    return id;
}

static uint64_t hash_region(const struct builder *b, uint32_t i)
{
    const struct catalog_region *r = &b->regions[i];
    return hash_bytes(&r->name, sizeof(r->name), HASH_START + r->cloud);
}

uint32_t builder_region(struct builder *b, uint32_t cloud, const char *name)
{
    struct table *t = &b->region_table;

    GROW(b, regions);
    b->regions[b->n_regions] =
        (struct catalog_region){.cloud = cloud, .name = builder_intern(b, name)};
    if (t->n * 2 >= t->cap)
        table_grow(t, hash_region, b);
    size_t at = hash_region(b, (uint32_t)b->n_regions) & (t->cap - 1);
    for (; t->slot[at]; at = (at + 1) & (t->cap - 1)) {
        const struct catalog_region *r = &b->regions[t->slot[at] - 1];
        if (r->cloud == cloud && r->name == b->regions[b->n_regions].name)
            return t->slot[at] - 1;
    }
    t->slot[at] = (uint32_t)b->n_regions + 1;
    t->n++;
    return (uint32_t)b->n_regions++;
}

static uint64_t hash_type(const struct builder *b, uint32_t i)
{
    const struct catalog_type *y = &b->types[i];
    uint64_t h = hash_bytes(&y->name, sizeof(y->name), HASH_START + y->cloud);

    h = hash_bytes(&y->accelerator, sizeof(y->accelerator), h);
    h = hash_bytes(&y->count, sizeof(y->count), h);
    h = hash_bytes(&y->vcpus, sizeof(y->vcpus), h);
    return hash_bytes(&y->memory_gib, sizeof(y->memory_gib), h);
}

static bool same_type(const struct catalog_type *a, const struct catalog_type *b)
{
    return a->cloud == b->cloud && a->name == b->name && a->accelerator == b->accelerator &&
           a->count == b->count && a->vcpus == b->vcpus && a->memory_gib == b->memory_gib;
}

uint32_t builder_type(struct builder *b, const struct catalog_type *type)
{
    struct table *t = &b->type_table;

    // Rows of one type mostly stand together.
    if (b->n_types && same_type(&b->types[b->n_types - 1], type))
        return (uint32_t)b->n_types - 1;
    GROW(b, types);
    b->types[b->n_types] = *type;
    if (t->n * 2 >= t->cap)
        table_grow(t, hash_type, b);
    size_t at = hash_type(b, (uint32_t)b->n_types) & (t->cap - 1);
    for (; t->slot[at]; at = (at + 1) & (t->cap - 1))
        if (same_type(&b->types[t->slot[at] - 1], type))
            return t->slot[at] - 1;
    t->slot[at] = (uint32_t)b->n_types + 1;
    t->n++;
    return (uint32_t)b->n_types++;
}

void builder_report(struct builder *b, enum complaint_kind kind, unsigned line, const char *fmt,
                    ...)
{
    char text[512];
    struct catalog_complaint c = {.kind = kind, .file = b->file, .line = line, .text = text};
    va_list ap;

    b->refused += kind == COMPLAINT_REFUSED;
    b->quarantined += kind == COMPLAINT_QUARANTINED;
    if (!b->complain)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    b->complain(b->arg, &c);
}
