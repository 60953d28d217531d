// SPDX-License-Identifier: GPL-3.0-or-later
// See yamltab.h. The place of a value ("clouds[0].regions[1]") is built up while descending and
// remembered with its line for the checks that come later.
#include "base/yamltab.h"
#include "base/yamltab_inside.h"

static void read_table(struct yt *y, yaml_node_t *node, const struct yt_field *t, void *base);
static void set_defaults(struct yt *y, const yaml_node_t *around, const struct yt_field *t,
                         void *base, const bool *seen);

static size_t table_len(const struct yt_field *t)
{
    size_t n = 0;

    while (t[n].key)
        n++;
    return n;
}

static const struct yt_field *find_field(const struct yt_field *t, const char *key)
{
    for (; t->key; t++)
        if (strcmp(t->key, key) == 0)
            return t;
    return NULL;
}

// A key in the wrong section is as common as a mistyped one.
static const char *section_of(const struct yt *y, const char *key)
{
    for (const struct yt_field *f = y->root; f->key; f++)
        if (f->sub && f->kind != YT_DICT && find_field(f->sub, key))
            return f->key;
    return NULL;
}

static void fail_unknown_key(struct yt *y, const yaml_node_t *node, const struct yt_field *t,
                             const char *key)
{
    size_t n = table_len(t);
    const char **keys = xcalloc(n, sizeof(*keys));
    struct strbuf known;

    for (size_t i = 0; i < n; i++)
        keys[i] = t[i].key;
    const char *near = yt_nearest(key, keys, n);
    const char *section = section_of(y, key);
    strbuf_init(&known, 300);
    for (size_t i = 0; i < n; i++)
        strbuf_addf(&known, "%s%s", i ? ", " : "", keys[i]);
    if (near)
        yt_report_at(y, node, "unknown key; did you mean \"%s\"?", near);
    else if (section)
        yt_report_at(y, node, "unknown key here; it belongs into \"%s\"", section);
    else if (find_field(y->root, key))
        yt_report_at(y, node, "unknown key here; it belongs to the top level (no indentation)");
    else
        yt_report_at(y, node, "unknown key; known here: %s", known.data);
    strbuf_free(&known);
    free(keys);
}

static bool is_null(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    const char *s = (const char *)node->data.scalar.value;
    return !*s || strcmp(s, "~") == 0 || strcasecmp(s, "null") == 0;
}

// Borrowed text of a scalar node; NULL after reporting when it is something else.
static const char *scalar_text(struct yt *y, const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE) {
        yt_report_at(y, node, "is a %s; a single value is expected here",
                     node->type == YAML_SEQUENCE_NODE ? "list" : "block of keys");
        return NULL;
    }
    const char *text = (const char *)node->data.scalar.value;
    if (strlen(text) != node->data.scalar.length) {
        yt_report_at(y, node, "has a NUL character in it");
        return NULL;
    }
    return text;
}

static size_t list_length(const yaml_node_t *node)
{
    return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

static bool check_sequence(struct yt *y, const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        yt_report_at(y, node, "must be a list; write [a, b] or one \"- item\" a line");
        return false;
    }
    if (list_length(node) > MAX_ELEMENTS) {
        yt_report_at(y, node, "has more than %d elements", MAX_ELEMENTS);
        return false;
    }
    return true;
}

static void list_add(const struct yt_field *f, void *base, const char *text)
{
    char ***list = (char ***)((char *)base + f->off);
    unsigned *n = (unsigned *)((char *)base + f->off_n);

    *list = xrealloc(*list, (*n + 2) * sizeof(char *));
    (*list)[(*n)++] = xstrdup(text);
    (*list)[*n] = NULL;
}

static void read_list(struct yt *y, yaml_node_t *node, const struct yt_field *f, void *base)
{
    if (!check_sequence(y, node))
        return;
    for (size_t i = 0; i < list_length(node); i++) {
        yaml_node_t *item = yaml_document_get_node(&y->doc, node->data.sequence.items.start[i]);
        size_t old = yt_place_push(y, "[%zu]", i);
        yt_remember(y, item);
        const char *text = scalar_text(y, item);
        if (text && !*text)
            yt_report_at(y, item, "is empty");
        else if (text && f->words && !yt_in_words(f->words, text))
            yt_fail_word(y, item, f->words, text);
        else if (text)
            list_add(f, base, text);
        yt_place_pop(y, old);
    }
}

static void default_list(const struct yt_field *f, void *base)
{
    char copy[256], *save = NULL;

    snprintf(copy, sizeof(copy), "%s", f->dflt);
    for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save))
        list_add(f, base, w);
}

static void *array_create(const struct yt_field *f, void *base, size_t n)
{
    void *array = n ? xcalloc(n, f->size) : NULL;

    *(void **)((char *)base + f->off) = array;
    *(unsigned *)((char *)base + f->off_n) = (unsigned)n;
    return array;
}

static void read_array(struct yt *y, yaml_node_t *node, const struct yt_field *f, void *base)
{
    if (!check_sequence(y, node))
        return;
    char *array = array_create(f, base, list_length(node));
    for (size_t i = 0; i < list_length(node); i++) {
        yaml_node_t *item = yaml_document_get_node(&y->doc, node->data.sequence.items.start[i]);
        size_t old = yt_place_push(y, "[%zu]", i);
        yt_remember(y, item);
        read_table(y, item, f->sub, array + i * f->size);
        yt_place_pop(y, old);
    }
}

static void read_value(struct yt *y, yaml_node_t *node, const struct yt_field *f, void *base)
{
    if (is_null(node)) {
        yt_report_at(y, node, "has no value; %s",
                     f->kind == YT_LIST || f->kind == YT_ARRAY ? "write [] for an empty list"
                     : f->kind == YT_SECTION || f->kind == YT_DICT
                         ? "remove the line to use the defaults"
                         : "write \"\" for nothing, or remove the line to use the default");
        return;
    }
    switch (f->kind) {
    case YT_LIST:
        read_list(y, node, f, base);
        break;
    case YT_SECTION:
        read_table(y, node, f->sub, base);
        break;
    case YT_ARRAY:
    case YT_DICT:
        read_array(y, node, f, base);
        break;
    default: {
        const char *text = scalar_text(y, node);
        if (text)
            yt_set_scalar(y, node, f, base, text);
    }
    }
}

static void read_dict(struct yt *y, yaml_node_t *node, const struct yt_field *f, void *base)
{
    if (node->type != YAML_MAPPING_NODE) {
        yt_report_at(y, node, "must be a block of keys (key: value)");
        return;
    }
    yaml_node_pair_t *start = node->data.mapping.pairs.start;
    size_t n = (size_t)(node->data.mapping.pairs.top - start);
    char *array = array_create(f, base, n);
    for (size_t i = 0; i < n; i++) {
        yaml_node_t *key = yaml_document_get_node(&y->doc, start[i].key);
        yaml_node_t *value = yaml_document_get_node(&y->doc, start[i].value);
        const char *text = scalar_text(y, key);
        if (!text)
            continue;
        size_t old = yt_push_key(y, text);
        yt_remember(y, key);
        for (size_t k = 0; k < i; k++) {
            const char *other = *(char **)(array + k * f->size + f->sub[0].off);
            if (other && strcmp(other, text) == 0)
                yt_report_at(y, key, "is given twice");
        }
        if (yt_set_scalar(y, key, &f->sub[0], array + i * f->size, text))
            read_value(y, value, &f->sub[1], array + i * f->size);
        yt_place_pop(y, old);
    }
}

static void read_pair(struct yt *y, const yaml_node_pair_t *pair, const struct yt_field *t,
                      void *base, bool *seen)
{
    yaml_node_t *key = yaml_document_get_node(&y->doc, pair->key);
    yaml_node_t *value = yaml_document_get_node(&y->doc, pair->value);
    const char *text = scalar_text(y, key);

    if (!text)
        return;
    const struct yt_field *f = find_field(t, text);
    size_t old = yt_push_key(y, text);
    yt_remember(y, key);
    if (!f) {
        fail_unknown_key(y, key, t, text);
    } else if (seen[f - t]) {
        yt_report_at(y, key, "is given twice");
    } else {
        seen[f - t] = true;
        if (f->kind == YT_DICT && !is_null(value))
            read_dict(y, value, f, base);
        else
            read_value(y, value, f, base);
    }
    yt_place_pop(y, old);
}

static void read_table(struct yt *y, yaml_node_t *node, const struct yt_field *t, void *base)
{
    bool *seen = xcalloc(table_len(t), sizeof(*seen));

    if (node->type != YAML_MAPPING_NODE) {
        yt_report_at(y, node, "must be a block of keys (key: value)");
    } else {
        yaml_node_pair_t *p = node->data.mapping.pairs.start;
        for (; p < node->data.mapping.pairs.top; p++)
            read_pair(y, p, t, base, seen);
    }
    set_defaults(y, node, t, base, seen);
    free(seen);
}

// Strings are never NULL afterwards, also when reading them has failed: checks that compare values
// run on what could be read.
static void set_defaults(struct yt *y, const yaml_node_t *around, const struct yt_field *t,
                         void *base, const bool *seen)
{
    for (size_t i = 0; t[i].key; i++) {
        const struct yt_field *f = &t[i];
        bool given = seen && seen[i];
        size_t old = yt_push_key(y, f->key);
        if (f->kind == YT_SECTION) {
            if (!given)
                set_defaults(y, around, f->sub, base, NULL);
        } else if (!given && !f->dflt) {
            yt_remember(y, around);
            yt_report_at(y, around, "is missing; it has no default");
        } else if (!given && f->kind == YT_LIST) {
            default_list(f, base);
        } else if (!given && f->kind != YT_ARRAY && f->kind != YT_DICT) {
            // A default may be "" where the file must not be empty: it is not checked.
            if (f->kind <= YT_WORD)
                xstrset((char **)((char *)base + f->off), f->dflt);
            else
                yt_set_scalar(y, around, f, base, f->dflt);
        }
        if (f->kind <= YT_WORD && !*(char **)((char *)base + f->off))
            xstrset((char **)((char *)base + f->off), "");
        yt_place_pop(y, old);
    }
}

static void load_document(struct yt *y, yaml_parser_t *parser, const struct yt_field *table,
                          void *base)
{
    yaml_document_t second;
    char text[300];

    if (!yaml_parser_load(parser, &y->doc)) {
        snprintf(text, sizeof(text), "%s%s%s", parser->problem ? parser->problem : "not YAML",
                 parser->context ? " " : "", parser->context ? parser->context : "");
        memset(&y->doc, 0, sizeof(y->doc));
        yt_report(y, parser->problem_mark.line + 1, "", text);
        return;
    }
    yaml_node_t *root = yaml_document_get_root_node(&y->doc);
    if (!root) {
        yt_report(y, 1, "", "the file is empty");
        return;
    }
    read_table(y, root, table, base);
    if (!yaml_parser_load(parser, &second)) {
        yt_report(y, parser->problem_mark.line + 1, "",
                  parser->problem ? parser->problem : "not YAML");
        return;
    }
    if (yaml_document_get_root_node(&second))
        yt_report(y, second.start_mark.line + 1, "", "a second document (\"---\") is not read");
    yaml_document_delete(&second);
}

struct yt *yt_open(const char *file, const char *text, size_t len, const struct yt_field *table,
                   void *base, yt_error_cb error, void *arg)
{
    struct yt *y = xmalloc(sizeof(*y));
    yaml_parser_t parser;

    y->file = file;
    y->root = table;
    y->error = error;
    y->arg = arg;
    if (!yaml_parser_initialize(&parser)) {
        yt_report(y, 0, "", "out of memory");
        return y;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    load_document(y, &parser, table, base);
    yaml_parser_delete(&parser);
    return y;
}

void yt_close(struct yt *y)
{
    if (!y)
        return;
    yaml_document_delete(&y->doc);
    for (size_t i = 0; i < y->n_marks; i++)
        free(y->marks[i].place);
    free(y->marks);
    free(y);
}

void yt_free(const struct yt_field *table, void *base)
{
    for (const struct yt_field *f = table; f->key; f++) {
        void **slot = (void **)((char *)base + f->off);
        unsigned n = 0;
        if (f->kind == YT_SECTION) {
            yt_free(f->sub, base);
            continue;
        }
        if (f->kind >= YT_LIST)
            n = *(unsigned *)((char *)base + f->off_n);
        if (f->kind == YT_LIST)
            for (unsigned i = 0; i < n; i++)
                free(((char **)*slot)[i]);
        if (f->kind == YT_ARRAY || f->kind == YT_DICT)
            for (unsigned i = 0; i < n; i++)
                yt_free(f->sub, (char *)*slot + i * f->size);
        if (f->kind <= YT_WORD || f->kind >= YT_LIST) {
            free(*slot);
            *slot = NULL;
        }
    }
}
