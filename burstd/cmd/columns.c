// SPDX-License-Identifier: GPL-3.0-or-later
// See columns.h. A format is read into fields first, so that a wrong one prints nothing.
#include "cmd/columns.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/text.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define LONG_WIDTH 20 // of -O without a width, as in squeue
#define WIDTH_MAX 1000
#define FIELDS_MAX 64

enum width_kind { WIDTH_FREE, WIDTH_FIXED, WIDTH_AUTO };

struct field {
    const struct column *column; // NULL: only the literal
    enum width_kind width_kind;
    int width;
    bool right;
    char literal[64]; // printed after the column
};

struct fields {
    struct field v[FIELDS_MAX];
    unsigned n;
};

const struct column *column_find(const struct column *columns, const char *name)
{
    for (; columns->name; columns++)
        if (strcasecmp(columns->name, name) == 0)
            return columns;
    return NULL;
}

static const struct column *find_letter(const struct column *columns, char letter)
{
    for (; columns->name; columns++)
        if (columns->letter == letter)
            return columns;
    return NULL;
}

static void join(const cJSON *list, char *buf, size_t size)
{
    size_t n = 0;
    const cJSON *item;

    buf[0] = '\0';
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item) || n >= size)
            continue;
        int w = snprintf(buf + n, size - n, "%s%s", n ? "," : "", item->valuestring);
        n += w > 0 ? (size_t)w : 0;
    }
}

const char *column_text(const struct column *c, const cJSON *row, char *buf, size_t size)
{
    char text[TEXT_MAX], raw[CELL_MAX];
    const cJSON *value = c->key ? cJSON_GetObjectItemCaseSensitive(row, c->key) : NULL;
    int64_t n = c->key ? json_i64(row, c->key, 0) : 0;

    raw[0] = '\0';
    switch (c->kind) {
    case COLUMN_TEXT:
        snprintf(raw, sizeof(raw), "%s", json_str(row, c->key, ""));
        break;
    case COLUMN_NUMBER:
        if (cJSON_IsNumber(value))
            snprintf(raw, sizeof(raw), "%" PRId64, n);
        break;
    case COLUMN_MONEY:
        snprintf(raw, sizeof(raw), "%s", text_money(json_money(row, c->key), text));
        break;
    case COLUMN_TIME:
        if (n > 0)
            snprintf(raw, sizeof(raw), "%s", clock_local(n, text));
        break;
    case COLUMN_DURATION:
        if (cJSON_IsNumber(value))
            snprintf(raw, sizeof(raw), "%s", clock_duration(n, text));
        break;
    case COLUMN_LIST:
        join(value, raw, sizeof(raw));
        break;
    case COLUMN_LENGTH:
        snprintf(raw, sizeof(raw), "%d", cJSON_GetArraySize(value));
        break;
    case COLUMN_AMOUNT:
        if (json_dbl(row, c->key, 0) > 0)
            snprintf(raw, sizeof(raw), "%g", json_dbl(row, c->key, 0));
        break;
    case COLUMN_OWN:
        c->text(row, raw, sizeof(raw));
        break;
    }
    return text_safe(raw[0] ? raw : "-", buf, size);
}

// --- formats

static struct field *add_field(struct fields *f, const struct column *c, burst_error_t *errp)
{
    if (f->n == FIELDS_MAX) {
        errprintf(errp, "the format has more than %d columns", FIELDS_MAX);
        return NULL;
    }
    struct field *field = &f->v[f->n++];
    field->column = c;
    return field;
}

static int parse_width(const char **p, int *width, burst_error_t *errp)
{
    long n = 0;

    while (isdigit((unsigned char)**p) && n <= WIDTH_MAX)
        n = 10 * n + (*(*p)++ - '0');
    if (n > WIDTH_MAX)
        return errprintf(errp, "a column may be at most %d wide", WIDTH_MAX);
    *width = (int)n;
    return 0;
}

static int add_literal(struct fields *f, char c, burst_error_t *errp)
{
    if (f->n == 0 && !add_field(f, NULL, errp))
        return -1;
    char *literal = f->v[f->n - 1].literal;
    size_t len = strlen(literal);
    if (len + 1 >= sizeof(f->v[0].literal))
        return errprintf(errp, "the format has too much text between its columns");
    literal[len] = c;
    literal[len + 1] = '\0';
    return 0;
}

static int fail_letter(const struct column *columns, char letter, burst_error_t *errp)
{
    struct strbuf known;

    strbuf_init(&known, 400);
    for (const struct column *k = columns; k->name; k++)
        if (k->letter)
            strbuf_addf(&known, " %%%c", k->letter);
    if (letter)
        errprintf(errp, "there is no column %%%c; there are%s", letter, known.data);
    else
        errprintf(errp, "the format ends inside a column; there are%s", known.data);
    strbuf_free(&known);
    return -1;
}

// "%.18i %j": an optional '.' (right-aligned), an optional width, a letter.
static int parse_letters(const struct column *columns, const char *p, struct fields *f,
                         burst_error_t *errp)
{
    while (*p) {
        if (*p != '%' || p[1] == '%') {
            p += *p == '%';
            if (add_literal(f, *p++, errp) < 0)
                return -1;
            continue;
        }
        bool right = *++p == '.';
        int width = 0;
        p += right;
        if (parse_width(&p, &width, errp) < 0)
            return -1;
        const struct column *c = *p ? find_letter(columns, *p) : NULL;
        if (!c)
            return fail_letter(columns, *p, errp);
        struct field *field = add_field(f, c, errp);
        if (!field)
            return -1;
        field->right = right;
        field->width = width;
        field->width_kind = width ? WIDTH_FIXED : WIDTH_FREE;
        p++;
    }
    return 0;
}

static void fail_name(const struct column *columns, const char *name, burst_error_t *errp)
{
    struct strbuf known;

    strbuf_init(&known, 400);
    for (const struct column *k = columns; k->name; k++)
        strbuf_addf(&known, " %s", k->name);
    errprintf(errp, "there is no column \"%.40s\"; there are%s", name, known.data);
    strbuf_free(&known);
}

// "jobid:10,cloud:.8,market": a name, then ':' with an optional '.', a width and text that follows.
static int parse_names(const struct column *columns, const char *p, enum width_kind kind,
                       struct fields *f, burst_error_t *errp)
{
    while (*p) {
        size_t len = strcspn(p, ",");
        char item[128];
        if (len >= sizeof(item))
            return errprintf(errp, "\"%.40s\" is no column", p);
        memcpy(item, p, len);
        item[len] = '\0';
        p += len + (p[len] == ',');
        char *colon = strchr(item, ':');
        if (colon)
            *colon++ = '\0';
        const struct column *c = column_find(columns, item);
        struct field *field = c ? add_field(f, c, errp) : NULL;
        if (!c)
            fail_name(columns, item, errp);
        if (!field)
            return -1;
        field->width_kind = kind;
        field->width = LONG_WIDTH;
        if (!colon)
            continue;
        const char *w = colon + (*colon == '.');
        field->right = *colon == '.';
        if (parse_width(&w, &field->width, errp) < 0)
            return -1;
        if (!field->width)
            field->width = LONG_WIDTH;
        snprintf(field->literal, sizeof(field->literal), "%s", w);
    }
    return 0;
}

// --- output

// Characters, not bytes: UTF-8 continuation bytes take no room.
static int shown_width(const char *s)
{
    int n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

// Cuts s to at most width characters.
static void cut(char *s, int width)
{
    int n = 0;

    for (; *s; s++) {
        if (((unsigned char)*s & 0xc0) != 0x80 && n++ == width) {
            *s = '\0';
            return;
        }
    }
}

static void add_cell(struct strbuf *line, const struct field *f, const char *text)
{
    char copy[CELL_MAX];
    int pad = 0;

    snprintf(copy, sizeof(copy), "%s", text);
    if (f->width_kind == WIDTH_FIXED)
        cut(copy, f->width);
    if (f->width_kind != WIDTH_FREE)
        pad = f->width - shown_width(copy);
    if (pad < 0)
        pad = 0;
    strbuf_addf(line, "%*s%s%*s", f->right ? pad : 0, "", copy, f->right ? 0 : pad, "");
}

static void print_line(FILE *out, const struct fields *f, const cJSON *row)
{
    struct strbuf line;
    char cell[CELL_MAX];

    strbuf_init(&line, FIELDS_MAX * (CELL_MAX + WIDTH_MAX));
    for (unsigned i = 0; i < f->n; i++) {
        const struct field *field = &f->v[i];
        if (field->column)
            add_cell(&line, field,
                     row ? column_text(field->column, row, cell, sizeof(cell))
                         : field->column->title);
        strbuf_adds(&line, field->literal);
    }
    while (line.len > 0 && line.data[line.len - 1] == ' ')
        line.data[--line.len] = '\0';
    fprintf(out, "%s\n", line.len ? line.data : "");
    strbuf_free(&line);
}

static bool is_right(const struct column *c)
{
    return c->kind == COLUMN_NUMBER || c->kind == COLUMN_MONEY || c->kind == COLUMN_LENGTH ||
           c->kind == COLUMN_DURATION;
}

// Every column as wide as its widest cell, two blanks between.
static void fit(struct fields *f, const cJSON *rows, bool noheader)
{
    char cell[CELL_MAX];

    for (unsigned i = 0; i < f->n; i++) {
        struct field *field = &f->v[i];
        const cJSON *row;
        if (field->width_kind != WIDTH_AUTO)
            continue;
        field->width = noheader ? 0 : shown_width(field->column->title);
        cJSON_ArrayForEach(row, rows)
        {
            int w = shown_width(column_text(field->column, row, cell, sizeof(cell)));
            if (w > field->width)
                field->width = w;
        }
        field->right = is_right(field->column);
        if (i + 1 < f->n)
            memcpy(field->literal, "  ", 3);
    }
}

int columns_print(const struct column *columns, const struct columns_how *how, const cJSON *rows,
                  FILE *out, burst_error_t *errp)
{
    struct fields *f = xmalloc(sizeof(*f));
    const cJSON *row;
    int rc;

    if (how->letters)
        rc = parse_letters(columns, how->letters, f, errp);
    else if (how->names)
        rc = parse_names(columns, how->names, WIDTH_FIXED, f, errp);
    else
        rc = parse_names(columns, how->dflt, WIDTH_AUTO, f, errp);
    if (rc == 0) {
        fit(f, rows, how->noheader);
        if (!how->noheader)
            print_line(out, f, NULL);
        cJSON_ArrayForEach(row, rows) print_line(out, f, row);
    }
    free(f);
    return rc;
}

void columns_help(const struct column *columns, FILE *out)
{
    for (; columns->name; columns++)
        fprintf(out, "  %s%c  %-14s %s\n", columns->letter ? "%" : " ",
                columns->letter ? columns->letter : ' ', columns->name, columns->title);
}
