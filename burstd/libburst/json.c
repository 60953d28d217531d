// SPDX-License-Identifier: GPL-3.0-or-later
#include "libburst/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

// cJSON recurses per level (its own limit is 1000); refuse deep input before it.
static bool too_deep(const char *text, size_t len)
{
    int depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"')
            in_string = true;
        else if (c == '{' || c == '[') {
            if (++depth > MAX_DEPTH)
                return true;
        } else if (c == '}' || c == ']')
            depth--;
    }
    return false;
}

cJSON *json_parse(const char *text, size_t len, burst_error_t *errp)
{
    const char *end = NULL;

    if (memchr(text, '\0', len)) {
        errprintf(errp, "not JSON: it has a NUL byte");
        return NULL;
    }
    if (too_deep(text, len)) {
        errprintf(errp, "not accepted as JSON: nested more than %d levels deep", MAX_DEPTH);
        return NULL;
    }
    cJSON *j = cJSON_ParseWithLengthOpts(text, len, &end, false);
    if (!j) {
        size_t at = end && end >= text && (size_t)(end - text) <= len ? (size_t)(end - text) : 0;
        int line = 1;
        for (size_t i = 0; i < at; i++)
            line += text[i] == '\n';
        errprintf(errp, "not JSON: line %d, near \"%.*s\"", line,
                  (int)(len - at < 20 ? len - at : 20), text + at);
        return NULL;
    }
    for (size_t i = (size_t)(end - text); i < len; i++) {
        if (!strchr(" \t\r\n", text[i])) {
            errprintf(errp, "not JSON: more text after the end of the value");
            cJSON_Delete(j);
            return NULL;
        }
    }
    return j;
}

char *json_line(const cJSON *j)
{
    return cJSON_PrintUnformatted(j);
}

const char *json_str(const cJSON *o, const char *key, const char *dflt)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsString(v) ? v->valuestring : dflt;
}

int64_t json_i64(const cJSON *o, const char *key, int64_t dflt)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    if (!cJSON_IsNumber(v) || v->valuedouble != floor(v->valuedouble) ||
        fabs(v->valuedouble) > 9007199254740992.0)
        return dflt;
    return (int64_t)v->valuedouble;
}

double json_dbl(const cJSON *o, const char *key, double dflt)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsNumber(v) ? v->valuedouble : dflt;
}

bool json_bool(const cJSON *o, const char *key, bool dflt)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsBool(v) ? cJSON_IsTrue(v) : dflt;
}

money_t json_money(const cJSON *o, const char *key)
{
    return json_i64(o, key, MONEY_UNKNOWN);
}

void json_add_i64(cJSON *o, const char *key, int64_t v)
{
    const int64_t most = INT64_C(1) << 53;

    // Beyond it a double is another number. Such values come from marks, prices and times that
    // others wrote: the nearest that can be said is no reason to end.
    if (v > most)
        v = most;
    else if (v < -most)
        v = -most;
    cJSON_AddNumberToObject(o, key, (double)v);
}

void json_add_str(cJSON *o, const char *key, const char *v)
{
    if (v)
        cJSON_AddStringToObject(o, key, v);
    else
        cJSON_AddNullToObject(o, key);
}

void json_add_money(cJSON *o, const char *key, money_t v)
{
    if (v == MONEY_UNKNOWN)
        cJSON_AddNullToObject(o, key);
    else
        json_add_i64(o, key, v);
}
