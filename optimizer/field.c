// SPDX-License-Identifier: GPL-3.0-or-later
// See field.h.
#include "optimizer/field.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

#define NAME_MAX_LEN 256

static void put_path(const struct field_path *w, char *buf, size_t size)
{
    size_t len;

    if (!w)
        return;
    put_path(w->up, buf, size);
    len = strlen(buf);
    if (w->key)
        snprintf(buf + len, size - len, "%s%s", len ? "." : "", w->key);
    else
        snprintf(buf + len, size - len, "[%zu]", w->index);
}

int field_fail(burst_error_t *errp, const struct field_path *up, const char *key, const char *fmt,
               ...)
{
    struct field_path w = {.up = up, .key = key};
    char path[256] = "", text[256];
    va_list ap;

    put_path(key ? &w : up, path, sizeof(path));
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return errprintf(errp, "%s: %s", *path ? path : "request", text);
}

// A value as it stands in the request, short enough for a message.
const char *field_shown(const cJSON *v, char buf[64])
{
    char *text = v ? cJSON_PrintUnformatted(v) : NULL;

    snprintf(buf, 64, "%.60s", text ? text : "nothing");
    cJSON_free(text);
    return buf;
}

const cJSON *field_item(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return v && !cJSON_IsNull(v) ? v : NULL;
}

static size_t distance(const char *a, const char *b)
{
    size_t row[64], la = strlen(a), lb = strlen(b);

    if (la > 60 || lb > 60)
        return 99;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[lb];
}

static const char *nearest(const char *const *keys, const char *word)
{
    const char *best = keys[0];

    for (int k = 1; keys[k]; k++)
        if (distance(keys[k], word) < distance(best, word))
            best = keys[k];
    return best;
}

// keys ends with NULL.
int field_keys(const cJSON *o, const struct field_path *up, const char *const *keys,
               burst_error_t *errp)
{
    const cJSON *v;
    uint64_t seen = 0;

    if (!cJSON_IsObject(o)) {
        char buf[64];
        return field_fail(errp, up, NULL, "must be an object, is %s", field_shown(o, buf));
    }
    cJSON_ArrayForEach(v, o)
    {
        int k = 0;
        if (strncmp(v->string, "x-", 2) == 0)
            continue;
        while (keys[k] && strcmp(keys[k], v->string) != 0)
            k++;
        if (!keys[k])
            return field_fail(errp, up, NULL,
                              "unknown key \"%.60s\"; the nearest known one is \"%s\"", v->string,
                              nearest(keys, v->string));
        if (seen & (UINT64_C(1) << k))
            return field_fail(errp, up, keys[k], "is there twice");
        seen |= UINT64_C(1) << k;
    }
    return 0;
}

int field_number(const cJSON *o, const struct field_path *up, const char *key, double min,
                 double max, double dflt, double *out, burst_error_t *errp)
{
    const cJSON *v = field_item(o, key);
    char buf[64];

    *out = dflt;
    if (!v)
        return 0;
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= min && v->valuedouble <= max))
        return field_fail(errp, up, key, "must be a number from %g to %g, is %s", min, max,
                          field_shown(v, buf));
    *out = v->valuedouble;
    return 0;
}

int field_bool(const cJSON *o, const struct field_path *up, const char *key, bool *out,
               burst_error_t *errp)
{
    const cJSON *v = field_item(o, key);
    char buf[64];

    if (v && !cJSON_IsBool(v))
        return field_fail(errp, up, key, "must be true or false, is %s", field_shown(v, buf));
    *out = cJSON_IsTrue(v);
    return 0;
}

int field_name(const cJSON *v, const struct field_path *up, const char *key, char **out,
               burst_error_t *errp)
{
    char buf[64];

    if (!cJSON_IsString(v) || !*v->valuestring)
        return field_fail(errp, up, key, "must be a text that is not empty, is %s",
                          field_shown(v, buf));
    if (strlen(v->valuestring) > NAME_MAX_LEN)
        return field_fail(errp, up, key, "must have at most %d bytes, has %zu", NAME_MAX_LEN,
                          strlen(v->valuestring));
    for (const char *p = v->valuestring; *p; p++)
        if ((unsigned char)*p < 32)
            return field_fail(errp, up, key, "must have no control characters");
    *out = xstrdup(v->valuestring);
    return 0;
}

int field_text(const cJSON *o, const struct field_path *up, const char *key, char **out,
               burst_error_t *errp)
{
    const cJSON *v = field_item(o, key);

    return v ? field_name(v, up, key, out, errp) : 0;
}

// An array or nothing; *n = its length.
int field_array(const cJSON *o, const struct field_path *up, const char *key, size_t max,
                const cJSON **out, size_t *n, burst_error_t *errp)
{
    char buf[64];

    *out = field_item(o, key);
    *n = 0;
    if (!*out)
        return 0;
    if (!cJSON_IsArray(*out))
        return field_fail(errp, up, key, "must be a list, is %s", field_shown(*out, buf));
    *n = (size_t)cJSON_GetArraySize(*out);
    if (*n > max)
        return field_fail(errp, up, key, "has %zu entries; at most %zu are accepted", *n, max);
    return 0;
}

int field_list(const cJSON *o, const struct field_path *up, const char *key, struct rq_list *out,
               burst_error_t *errp)
{
    struct field_path w = {.up = up, .key = key}, at = {.up = &w};
    const cJSON *a, *v;
    size_t n;

    if (field_array(o, up, key, FIELD_LIST_MAX, &a, &n, errp) < 0)
        return -1;
    out->item = xcalloc(n + 1, sizeof(*out->item));
    cJSON_ArrayForEach(v, a)
    {
        if (field_name(v, &at, NULL, &out->item[out->n], errp) < 0)
            return -1;
        at.index = ++out->n;
    }
    return 0;
}
