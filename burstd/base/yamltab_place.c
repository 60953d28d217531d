// SPDX-License-Identifier: GPL-3.0-or-later
// Where in a file we are, what is wrong there, and the nearest word that would be right
// (yamltab.h).
#include "base/yamltab.h"
#include "base/yamltab_inside.h"

size_t yt_place_push(struct yt *y, const char *fmt, ...)
{
    size_t old = strlen(y->place);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(y->place + old, sizeof(y->place) - old, fmt, ap);
    va_end(ap);
    return old;
}

void yt_place_pop(struct yt *y, size_t old)
{
    y->place[old] = '\0';
}

size_t yt_push_key(struct yt *y, const char *key)
{
    return yt_place_push(y, "%s%s", *y->place ? "." : "", key);
}

void yt_remember(struct yt *y, const yaml_node_t *node)
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

void yt_report(struct yt *y, size_t line, const char *place, const char *text)
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

void yt_report_at(struct yt *y, const yaml_node_t *node, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    yt_report(y, node ? node->start_mark.line + 1 : 0, y->place, text);
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
    yt_report(y, line_of(y, place), place, text);
}

unsigned yt_failed(const struct yt *y)
{
    return y->failed;
}

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
