// SPDX-License-Identifier: GPL-3.0-or-later
// See yamltab.h. The place of a value ("clouds[0].regions[1]") is built up while descending and
// remembered with its line for the checks that come later.
#include "base/yamltab.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "libburst/error.h"
#include "libburst/money.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define PLACE_MAX 256
#define MAX_ELEMENTS 4096 // of one list
#define TYPO_MAX 64       // longer words are not compared

struct mark {
    char *place;
    size_t line;
    bool failed;
};

struct yt {
    const char *file;
    yaml_document_t doc;
    const struct yt_field *root;
    yt_error_cb error;
    void *arg;
    unsigned failed;
    char place[PLACE_MAX];
    struct mark *marks;
    size_t n_marks, cap_marks;
};

// --- places and errors

// Appends to the place; the caller restores the returned length with place_pop().
static size_t place_push(struct yt *y, const char *fmt, ...)
{
    size_t old = strlen(y->place);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(y->place + old, sizeof(y->place) - old, fmt, ap);
    va_end(ap);
    return old;
}

static void place_pop(struct yt *y, size_t old)
{
    y->place[old] = '\0';
}

static size_t push_key(struct yt *y, const char *key)
{
    return place_push(y, "%s%s", *y->place ? "." : "", key);
}

static void remember(struct yt *y, const yaml_node_t *node)
{
    if (y->n_marks == y->cap_marks) {
        y->cap_marks = y->cap_marks ? 2 * y->cap_marks : 64;
        y->marks = xrealloc(y->marks, y->cap_marks * sizeof(*y->marks));
    }
    y->marks[y->n_marks].place = xstrdup(y->place);
    y->marks[y->n_marks].line = node->start_mark.line + 1;
    y->marks[y->n_marks].failed = false;
    y->n_marks++;
}

static struct mark *find_mark(const struct yt *y, const char *place)
{
    for (size_t i = 0; i < y->n_marks; i++)
        if (strcmp(y->marks[i].place, place) == 0)
            return &y->marks[i];
    return NULL;
}

static void report(struct yt *y, size_t line, const char *place, const char *text)
{
    struct mark *m = find_mark(y, place);
    burst_error_t e;

    if (m)
        m->failed = true;
    y->failed++;
    if (line)
        snprintf(e.text, sizeof(e.text), "%s:%zu: %s%s%s", y->file, line, place, *place ? ": " : "",
                 text);
    else
        snprintf(e.text, sizeof(e.text), "%s: %s%s%s", y->file, place, *place ? ": " : "", text);
    y->error(y->arg, e.text);
}

// An error at the present place.
static void fail(struct yt *y, const yaml_node_t *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void fail(struct yt *y, const yaml_node_t *node, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    report(y, node ? node->start_mark.line + 1 : 0, y->place, text);
}

static size_t line_of(const struct yt *y, const char *place)
{
    char p[PLACE_MAX];

    snprintf(p, sizeof(p), "%s", place);
    while (*p) {
        const struct mark *m = find_mark(y, p);
        if (m)
            return m->line;
        char *dot = strrchr(p, '.'), *bracket = strrchr(p, '[');
        char *cut = dot > bracket ? dot : bracket;
        *(cut ? cut : p) = '\0';
    }
    return 0;
}

// The value, or something inside it, was reported already.
static bool unreadable(const struct yt *y, const char *place)
{
    size_t n = strlen(place);

    for (size_t i = 0; i < y->n_marks; i++) {
        const struct mark *m = &y->marks[i];
        if (m->failed && strncmp(m->place, place, n) == 0 && strchr(".[", m->place[n]))
            return true;
    }
    return false;
}

void yt_fail(struct yt *y, const char *place, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    if (unreadable(y, place))
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    report(y, line_of(y, place), place, text);
}

unsigned yt_failed(const struct yt *y)
{
    return y->failed;
}

// --- the nearest word

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

// Levenshtein; both words are shorter than TYPO_MAX.
static size_t distance(const char *a, const char *b)
{
    size_t row[TYPO_MAX + 1], la = strlen(a), lb = strlen(b);

    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t keep = row[j];
            row[j] = min3(
                row[j] + 1, row[j - 1] + 1,
                diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1])));
            diagonal = keep;
        }
    }
    return row[lb];
}

const char *yt_nearest(const char *word, const char *const *candidates, size_t n)
{
    const char *best = NULL;
    size_t best_d = SIZE_MAX, len = strlen(word);

    if (len >= TYPO_MAX)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (strlen(candidates[i]) >= TYPO_MAX)
            continue;
        size_t d = distance(word, candidates[i]);
        if (d < best_d) {
            best_d = d;
            best = candidates[i];
        }
    }
    size_t enough = len < 4 ? 1 : len < 7 ? 2 : len / 3;
    return best && best_d <= enough ? best : NULL;
}

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
        fail(y, node, "unknown key; did you mean \"%s\"?", near);
    else if (section)
        fail(y, node, "unknown key here; it belongs into \"%s\"", section);
    else if (find_field(y->root, key))
        fail(y, node, "unknown key here; it belongs to the top level (no indentation)");
    else
        fail(y, node, "unknown key; known here: %s", known.data);
    strbuf_free(&known);
    free(keys);
}

// --- scalars: each returns false after it has reported

static bool in_words(const char *words, const char *text)
{
    size_t len = strlen(text);

    for (const char *w = words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL) {
        size_t n = strcspn(w, "|");
        if (n == len && strncmp(w, text, n) == 0)
            return true;
    }
    return false;
}

static void fail_word(struct yt *y, const yaml_node_t *node, const char *words, const char *text)
{
    char copy[256], *save = NULL;
    const char *list[32];
    size_t n = 0;

    snprintf(copy, sizeof(copy), "%s", words);
    for (char *w = strtok_r(copy, "|", &save); w && n < 32; w = strtok_r(NULL, "|", &save))
        list[n++] = w;
    const char *near = yt_nearest(text, list, n);
    if (near)
        fail(y, node, "\"%.60s\" is not known; did you mean \"%s\"?", text, near);
    else
        fail(y, node, "\"%.60s\" is not known; possible: %s", text, words);
}

static bool is_name(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return n > 0 && !s[n] && s[0] >= 'a' && s[0] <= 'z' && s[n - 1] != '-';
}

// Digits only; a value that does not fit is taken as the largest one, which no bound allows.
static bool parse_digits(const char *s, const char **end, int64_t *out)
{
    char *e;

    if (!isdigit((unsigned char)*s))
        return false;
    errno = 0;
    *out = strtoll(s, &e, 10);
    *end = e;
    return true;
}

static int64_t scaled(int64_t v, int64_t unit)
{
    return v > INT64_MAX / unit ? INT64_MAX : v * unit;
}

static bool parse_duration(const char *s, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    const char *end;

    if (!parse_digits(s, &end, out))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].unit) == 0) {
            *out = scaled(*out, units[i].seconds);
            return true;
        }
    }
    return false;
}

static bool parse_size(const char *s, int64_t *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    char *end;

    if (!isdigit((unsigned char)*s) || strspn(s, "0123456789.") > 15)
        return false;
    double v = strtod(s, &end);
    if (strspn(s, "0123456789.") != (size_t)(end - s))
        return false; // an exponent or a hexadecimal number
    for (unsigned i = 0; i < 5; i++) {
        if (strcmp(end, units[i]) == 0) {
            v *= (double)(INT64_C(1) << (10 * i));
            *out = v >= 9e18 ? INT64_MAX : (int64_t)v;
            return true;
        }
    }
    return false;
}

static void human_bound(enum yt_kind kind, int64_t v, char *buf, size_t size)
{
    char m[MONEY_TEXT_MAX];

    if (kind == YT_DURATION && v && v % 86400 == 0)
        snprintf(buf, size, "%" PRId64 "d", v / 86400);
    else if (kind == YT_DURATION && v && v % 3600 == 0)
        snprintf(buf, size, "%" PRId64 "h", v / 3600);
    else if (kind == YT_DURATION)
        snprintf(buf, size, "%" PRId64 "s", v);
    else if (kind == YT_MONEY)
        snprintf(buf, size, "%s", money_format(v, m));
    else if (kind == YT_SIZE && v >= (INT64_C(1) << 40))
        snprintf(buf, size, "%" PRId64 "TiB", v >> 40);
    else if (kind == YT_SIZE)
        snprintf(buf, size, "%" PRId64 "MiB", v >> 20);
    else
        snprintf(buf, size, "%" PRId64, v);
}

static bool check_bounds(struct yt *y, const yaml_node_t *node, const struct yt_field *f,
                         const char *text, int64_t v)
{
    char lo[64], hi[64];

    if ((f->min == 0 && f->max == 0) || (v >= f->min && v <= f->max))
        return true;
    human_bound(f->kind, f->min, lo, sizeof(lo));
    human_bound(f->kind, f->max, hi, sizeof(hi));
    fail(y, node, "%.40s is out of range; allowed: %s to %s", text, lo, hi);
    return false;
}

static bool set_number(struct yt *y, const yaml_node_t *node, const struct yt_field *f, void *base,
                       const char *text)
{
    int64_t v = 0;
    const char *end;
    burst_error_t e;

    if (text[0] == '-' && isdigit((unsigned char)text[1])) {
        fail(y, node, "%.40s is negative; that makes no sense here", text);
        return false;
    }
    switch (f->kind) {
    case YT_UINT:
        if (!parse_digits(text, &end, &v) || *end) {
            fail(y, node, "\"%.60s\" is not a whole number", text);
            return false;
        }
        break;
    case YT_DURATION:
        if (!parse_duration(text, &v)) {
            fail(y, node, "\"%.60s\" is not a duration; write it like 300s, 5m, 2h or 7d", text);
            return false;
        }
        break;
    case YT_MONEY:
        if (strcmp(text, "none") == 0) {
            *(int64_t *)((char *)base + f->off) = INT64_MAX;
            return true;
        }
        if (money_parse(text, &v, &e) < 0) {
            fail(y, node, "\"%.60s\" is not an amount; write dollars like 100 or 0.25, or none",
                 text);
            return false;
        }
        break;
    default:
        if (!parse_size(text, &v)) {
            fail(y, node, "\"%.60s\" is not a size; write it with its unit like 512MiB or 10GiB",
                 text);
            return false;
        }
    }
    if (!check_bounds(y, node, f, text, v))
        return false;
    if (f->kind == YT_UINT)
        *(unsigned *)((char *)base + f->off) = v > UINT_MAX ? UINT_MAX : (unsigned)v;
    else
        *(int64_t *)((char *)base + f->off) = v;
    return true;
}

static bool set_string(struct yt *y, const yaml_node_t *node, const struct yt_field *f, void *base,
                       const char *text)
{
    char **slot = (char **)((char *)base + f->off);
    int64_t len = (int64_t)strlen(text);

    for (const char *c = text; *c; c++) {
        if (iscntrl((unsigned char)*c)) {
            fail(y, node, "has a control character in it");
            return false;
        }
    }
    if (f->max && (len < f->min || len > f->max)) {
        if (len == 0)
            fail(y, node, "is empty");
        else
            fail(y, node, "\"%.60s\" has %" PRId64 " characters; allowed: %" PRId64 " to %" PRId64,
                 text, len, f->min, f->max);
        return false;
    }
    if (f->kind == YT_WORD && !in_words(f->words, text)) {
        fail_word(y, node, f->words, text);
        return false;
    }
    if (f->kind == YT_NAME && !is_name(text)) {
        fail(y, node,
             "\"%.60s\" is no name; it may have a-z, 0-9 and '-', starts with a letter and does "
             "not end in '-'",
             text);
        return false;
    }
    if (f->kind == YT_PATH && text[0] != '/' && !(len == 0 && f->dflt && !*f->dflt)) {
        fail(y, node, "\"%.60s\" is not an absolute path; start it with a slash", text);
        return false;
    }
    free(*slot);
    *slot = xstrdup(text);
    if (f->kind == YT_PATH)
        for (char *e = *slot + strlen(*slot); e > *slot + 1 && e[-1] == '/'; e--)
            e[-1] = '\0';
    return true;
}

static bool set_scalar(struct yt *y, const yaml_node_t *node, const struct yt_field *f, void *base,
                       const char *text)
{
    switch (f->kind) {
    case YT_STR:
    case YT_NAME:
    case YT_PATH:
    case YT_WORD:
        return set_string(y, node, f, base, text);
    case YT_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            fail(y, node, "\"%.60s\" is neither true nor false", text);
            return false;
        }
        *(bool *)((char *)base + f->off) = text[0] == 't';
        return true;
    default:
        return set_number(y, node, f, base, text);
    }
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
        fail(y, node, "is a %s; a single value is expected here",
             node->type == YAML_SEQUENCE_NODE ? "list" : "block of keys");
        return NULL;
    }
    const char *text = (const char *)node->data.scalar.value;
    if (strlen(text) != node->data.scalar.length) {
        fail(y, node, "has a NUL character in it");
        return NULL;
    }
    return text;
}

// --- lists and blocks

static size_t list_length(const yaml_node_t *node)
{
    return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

static bool check_sequence(struct yt *y, const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        fail(y, node, "must be a list; write [a, b] or one \"- item\" a line");
        return false;
    }
    if (list_length(node) > MAX_ELEMENTS) {
        fail(y, node, "has more than %d elements", MAX_ELEMENTS);
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
        size_t old = place_push(y, "[%zu]", i);
        remember(y, item);
        const char *text = scalar_text(y, item);
        if (text && !*text)
            fail(y, item, "is empty");
        else if (text && f->words && !in_words(f->words, text))
            fail_word(y, item, f->words, text);
        else if (text)
            list_add(f, base, text);
        place_pop(y, old);
    }
}

static void default_list(const struct yt_field *f, void *base)
{
    char copy[256], *save = NULL;

    snprintf(copy, sizeof(copy), "%s", f->dflt);
    for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save))
        list_add(f, base, w);
}

static void read_table(struct yt *y, yaml_node_t *node, const struct yt_field *t, void *base);
static void set_defaults(struct yt *y, const yaml_node_t *around, const struct yt_field *t,
                         void *base, const bool *seen);

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
        size_t old = place_push(y, "[%zu]", i);
        remember(y, item);
        read_table(y, item, f->sub, array + i * f->size);
        place_pop(y, old);
    }
}

static void read_value(struct yt *y, yaml_node_t *node, const struct yt_field *f, void *base)
{
    if (is_null(node)) {
        fail(y, node, "has no value; %s",
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
            set_scalar(y, node, f, base, text);
    }
    }
}

static void read_dict(struct yt *y, yaml_node_t *node, const struct yt_field *f, void *base)
{
    if (node->type != YAML_MAPPING_NODE) {
        fail(y, node, "must be a block of keys (key: value)");
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
        size_t old = push_key(y, text);
        remember(y, key);
        for (size_t k = 0; k < i; k++) {
            const char *other = *(char **)(array + k * f->size + f->sub[0].off);
            if (other && strcmp(other, text) == 0)
                fail(y, key, "is given twice");
        }
        if (set_scalar(y, key, &f->sub[0], array + i * f->size, text))
            read_value(y, value, &f->sub[1], array + i * f->size);
        place_pop(y, old);
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
    size_t old = push_key(y, text);
    remember(y, key);
    if (!f) {
        fail_unknown_key(y, key, t, text);
    } else if (seen[f - t]) {
        fail(y, key, "is given twice");
    } else {
        seen[f - t] = true;
        if (f->kind == YT_DICT && !is_null(value))
            read_dict(y, value, f, base);
        else
            read_value(y, value, f, base);
    }
    place_pop(y, old);
}

static void read_table(struct yt *y, yaml_node_t *node, const struct yt_field *t, void *base)
{
    bool *seen = xcalloc(table_len(t), sizeof(*seen));

    if (node->type != YAML_MAPPING_NODE) {
        fail(y, node, "must be a block of keys (key: value)");
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
        size_t old = push_key(y, f->key);
        if (f->kind == YT_SECTION) {
            if (!given)
                set_defaults(y, around, f->sub, base, NULL);
        } else if (!given && !f->dflt) {
            remember(y, around);
            fail(y, around, "is missing; it has no default");
        } else if (!given && f->kind == YT_LIST) {
            default_list(f, base);
        } else if (!given && f->kind != YT_ARRAY && f->kind != YT_DICT) {
            // A default may be "" where the file must not be empty: it is not checked.
            if (f->kind <= YT_WORD)
                xstrset((char **)((char *)base + f->off), f->dflt);
            else
                set_scalar(y, around, f, base, f->dflt);
        }
        if (f->kind <= YT_WORD && !*(char **)((char *)base + f->off))
            xstrset((char **)((char *)base + f->off), "");
        place_pop(y, old);
    }
}

// --- the document

static void load_document(struct yt *y, yaml_parser_t *parser, const struct yt_field *table,
                          void *base)
{
    yaml_document_t second;
    char text[300];

    if (!yaml_parser_load(parser, &y->doc)) {
        snprintf(text, sizeof(text), "%s%s%s", parser->problem ? parser->problem : "not YAML",
                 parser->context ? " " : "", parser->context ? parser->context : "");
        memset(&y->doc, 0, sizeof(y->doc));
        report(y, parser->problem_mark.line + 1, "", text);
        return;
    }
    yaml_node_t *root = yaml_document_get_root_node(&y->doc);
    if (!root) {
        report(y, 1, "", "the file is empty");
        return;
    }
    read_table(y, root, table, base);
    if (!yaml_parser_load(parser, &second)) {
        report(y, parser->problem_mark.line + 1, "",
               parser->problem ? parser->problem : "not YAML");
        return;
    }
    if (yaml_document_get_root_node(&second))
        report(y, second.start_mark.line + 1, "", "a second document (\"---\") is not read");
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
        report(y, 0, "", "out of memory");
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
