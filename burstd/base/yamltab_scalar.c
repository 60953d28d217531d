// SPDX-License-Identifier: GPL-3.0-or-later
// Values: each function returns false after it has reported (yamltab.h).
#include "base/yamltab.h"
#include "base/yamltab_inside.h"

bool yt_in_words(const char *words, const char *text)
{
    size_t len = strlen(text);

    for (const char *w = words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL) {
        size_t n = strcspn(w, "|");
        if (n == len && strncmp(w, text, n) == 0)
            return true;
    }
    return false;
}

void yt_fail_word(struct yt *y, const yaml_node_t *node, const char *words, const char *text)
{
    char copy[256], *save = NULL;
    const char *list[32];
    size_t n = 0;

    snprintf(copy, sizeof(copy), "%s", words);
    for (char *w = strtok_r(copy, "|", &save); w && n < 32; w = strtok_r(NULL, "|", &save))
        list[n++] = w;
    const char *near = yt_nearest(text, list, n);
    if (near)
        yt_report_at(y, node, "\"%.60s\" is not known; did you mean \"%s\"?", text, near);
    else
        yt_report_at(y, node, "\"%.60s\" is not known; possible: %s", text, words);
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
    yt_report_at(y, node, "%.40s is out of range; allowed: %s to %s", text, lo, hi);
    return false;
}

static bool set_number(struct yt *y, const yaml_node_t *node, const struct yt_field *f, void *base,
                       const char *text)
{
    int64_t v = 0;
    const char *end;
    burst_error_t e;

    if (text[0] == '-' && isdigit((unsigned char)text[1])) {
        yt_report_at(y, node, "%.40s is negative; that makes no sense here", text);
        return false;
    }
    switch (f->kind) {
    case YT_UINT:
        if (!parse_digits(text, &end, &v) || *end) {
            yt_report_at(y, node, "\"%.60s\" is not a whole number", text);
            return false;
        }
        break;
    case YT_DURATION:
        if (!parse_duration(text, &v)) {
            yt_report_at(y, node, "\"%.60s\" is not a duration; write it like 300s, 5m, 2h or 7d",
                         text);
            return false;
        }
        break;
    case YT_MONEY:
        if (strcmp(text, "none") == 0) {
            *(int64_t *)((char *)base + f->off) = INT64_MAX;
            return true;
        }
        if (money_parse(text, &v, &e) < 0) {
            yt_report_at(y, node,
                         "\"%.60s\" is not an amount; write dollars like 100 or 0.25, or none",
                         text);
            return false;
        }
        break;
    default:
        if (!parse_size(text, &v)) {
            yt_report_at(y, node,
                         "\"%.60s\" is not a size; write it with its unit like 512MiB or 10GiB",
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
            yt_report_at(y, node, "has a control character in it");
            return false;
        }
    }
    if (f->max && (len < f->min || len > f->max)) {
        if (len == 0)
            yt_report_at(y, node, "is empty");
        else
            yt_report_at(y, node,
                         "\"%.60s\" has %" PRId64 " characters; allowed: %" PRId64 " to %" PRId64,
                         text, len, f->min, f->max);
        return false;
    }
    if (f->kind == YT_WORD && !yt_in_words(f->words, text)) {
        yt_fail_word(y, node, f->words, text);
        return false;
    }
    if (f->kind == YT_NAME && !is_name(text)) {
        yt_report_at(
            y, node,
            "\"%.60s\" is no name; it may have a-z, 0-9 and '-', starts with a letter and does "
            "not end in '-'",
            text);
        return false;
    }
    if (f->kind == YT_PATH && text[0] != '/' && !(len == 0 && f->dflt && !*f->dflt)) {
        yt_report_at(y, node, "\"%.60s\" is not an absolute path; start it with a slash", text);
        return false;
    }
    free(*slot);
    *slot = xstrdup(text);
    if (f->kind == YT_PATH)
        for (char *e = *slot + strlen(*slot); e > *slot + 1 && e[-1] == '/'; e--)
            e[-1] = '\0';
    return true;
}

bool yt_set_scalar(struct yt *y, const yaml_node_t *node, const struct yt_field *f, void *base,
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
            yt_report_at(y, node, "\"%.60s\" is neither true nor false", text);
            return false;
        }
        *(bool *)((char *)base + f->off) = text[0] == 't';
        return true;
    default:
        return set_number(y, node, f, base, text);
    }
}
