// SPDX-License-Identifier: GPL-3.0-or-later
#include "localcloud/faults.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"

#define MAX_FAULTS 256
#define MAX_SECONDS (INT64_C(86400) * 365)

static const char *const kind_names[FAULT_KINDS] = {
    [FAULT_NO_CAPACITY] = "no_capacity", [FAULT_QUOTA] = "quota",
    [FAULT_THROTTLE] = "throttle",       [FAULT_UNAUTHORIZED] = "unauthorized",
    [FAULT_LOSE_REPLY] = "lose_reply",   [FAULT_SLOW_BOOT] = "slow_boot",
    [FAULT_NEVER_BOOT] = "never_boot",   [FAULT_DIE] = "die",
};

static const char *const call_names[] = {
    [FAULT_CALL_LAUNCH] = "launch",
    [FAULT_CALL_LIST] = "list",
    [FAULT_CALL_DESCRIBE] = "describe",
    [FAULT_CALL_TERMINATE] = "terminate",
};
#define CALLS ((int)(sizeof(call_names) / sizeof(call_names[0])))

struct fault {
    enum fault_kind kind;
    int call; // enum fault_call, -1 = every call
    char *zone, *instance_type, *market;
    int64_t tries;    // left, -1 = no limit
    int64_t until_ms; // epoch, 0 = no limit
    int64_t delay_ms;
};

struct faults {
    struct fault *list;
    size_t n;
    bool dirty;
};

struct faults *faults_create(void)
{
    return xmalloc(sizeof(struct faults));
}

static void clear(struct fault *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(list[i].zone);
        free(list[i].instance_type);
        free(list[i].market);
    }
    free(list);
}

void faults_free(struct faults *f)
{
    if (!f)
        return;
    clear(f->list, f->n);
    free(f);
}

// A number from 0 to max, or null or missing: -1.
static int optional_number(const cJSON *o, const char *key, int64_t max, int64_t *out,
                           burst_error_t *errp)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    *out = -1;
    if (!v || cJSON_IsNull(v))
        return 0;
    *out = json_i64(o, key, -1);
    if (*out < 0 || *out > max)
        return errprintf(errp, "%s: a whole number from 0 to %lld, or null", key, (long long)max);
    return 0;
}

static int parse_call(const cJSON *o, struct fault *f, burst_error_t *errp)
{
    // Bad credentials are bad for every call; everything else is about launches unless told.
    const char *call = json_str(o, "call", f->kind == FAULT_UNAUTHORIZED ? "*" : "launch");

    f->call = -1;
    if (strcmp(call, "*") == 0)
        return 0;
    for (int c = 0; c < CALLS; c++)
        if (strcmp(call, call_names[c]) == 0)
            f->call = c;
    if (f->call < 0)
        return errprintf(errp, "call \"%.40s\": one of launch, list, describe, terminate, *", call);
    return 0;
}

static int check_keys(const cJSON *o, burst_error_t *errp)
{
    static const char *const known[] = {"fault",   "zone",     "instance_type", "market",  "tries",
                                        "seconds", "delay_ms", "call",          "until_ms"};

    for (const cJSON *v = o->child; v; v = v->next) {
        bool found = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            found = found || strcmp(v->string, known[i]) == 0;
        if (!found)
            return errprintf(errp, "\"%.40s\" is not a key of a fault", v->string);
    }
    return 0;
}

static int parse_fault(const cJSON *o, struct fault *f, int64_t now_ms, burst_error_t *errp)
{
    if (!cJSON_IsObject(o))
        return errprintf(errp, "a fault is an object such as {\"fault\":\"no_capacity\"}");
    if (check_keys(o, errp) < 0)
        return -1;
    const char *kind = json_str(o, "fault", "");
    for (f->kind = 0; f->kind < FAULT_KINDS; f->kind++)
        if (strcmp(kind, kind_names[f->kind]) == 0)
            break;
    if (f->kind == FAULT_KINDS)
        return errprintf(errp,
                         "fault \"%.40s\": one of no_capacity, quota, throttle, unauthorized, "
                         "lose_reply, slow_boot, never_boot, die",
                         kind);
    int64_t seconds;
    if (parse_call(o, f, errp) < 0 || optional_number(o, "tries", 1000000, &f->tries, errp) < 0 ||
        optional_number(o, "seconds", MAX_SECONDS, &seconds, errp) < 0 ||
        optional_number(o, "delay_ms", MAX_SECONDS * 1000, &f->delay_ms, errp) < 0)
        return -1;
    f->until_ms = seconds >= 0 ? now_ms + seconds * 1000 : json_i64(o, "until_ms", 0);
    if (f->delay_ms < 0)
        f->delay_ms = 0;
    f->zone = xstrdup(json_str(o, "zone", "*"));
    f->instance_type = xstrdup(json_str(o, "instance_type", "*"));
    f->market = xstrdup(json_str(o, "market", "*"));
    return 0;
}

int faults_set(struct faults *f, const cJSON *list, int64_t now_ms, burst_error_t *errp)
{
    if (cJSON_IsObject(list))
        list = cJSON_GetObjectItemCaseSensitive(list, "faults");
    if (!cJSON_IsArray(list))
        return errprintf(errp, "faults are a list: [{\"fault\":\"no_capacity\",\"tries\":2}]");
    size_t n = (size_t)cJSON_GetArraySize(list), done = 0;
    if (n > MAX_FAULTS)
        return errprintf(errp, "%zu faults; at most %d are kept", n, MAX_FAULTS);
    struct fault *fresh = xcalloc(n ? n : 1, sizeof(*fresh));
    const cJSON *o;
    cJSON_ArrayForEach(o, list)
    {
        if (parse_fault(o, &fresh[done], now_ms, errp) < 0) {
            clear(fresh, done);
            return errprefix(errp, "fault %zu", done + 1);
        }
        done++;
    }
    clear(f->list, f->n);
    f->list = fresh;
    f->n = n;
    f->dirty = true;
    return 0;
}

static cJSON *fault_json(const struct fault *f)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "fault", kind_names[f->kind]);
    json_add_str(o, "call", f->call < 0 ? "*" : call_names[f->call]);
    json_add_str(o, "zone", f->zone);
    json_add_str(o, "instance_type", f->instance_type);
    json_add_str(o, "market", f->market);
    if (f->tries < 0)
        cJSON_AddNullToObject(o, "tries");
    else
        json_add_i64(o, "tries", f->tries);
    json_add_i64(o, "delay_ms", f->delay_ms);
    return o;
}

static bool spent(const struct fault *f, int64_t now_ms)
{
    return f->tries == 0 || (f->until_ms && now_ms >= f->until_ms);
}

cJSON *faults_json(const struct faults *f, int64_t now_ms)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < f->n; i++) {
        if (spent(&f->list[i], now_ms))
            continue;
        cJSON *o = fault_json(&f->list[i]);
        if (f->list[i].until_ms)
            json_add_i64(o, "seconds", (f->list[i].until_ms - now_ms + 999) / 1000);
        else
            cJSON_AddNullToObject(o, "seconds");
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

cJSON *faults_save(const struct faults *f)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < f->n; i++) {
        cJSON *o = fault_json(&f->list[i]);
        json_add_i64(o, "until_ms", f->list[i].until_ms);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

bool faults_hit(struct faults *f, enum fault_kind kind, enum fault_call call, const char *zone,
                const char *instance_type, bool spot, int64_t now_ms, int64_t *delay_ms)
{
    const char *market = call != FAULT_CALL_LAUNCH ? "" : spot ? "spot" : "on-demand";

    for (size_t i = 0; i < f->n; i++) {
        struct fault *x = &f->list[i];
        if (x->kind != kind || (x->call >= 0 && x->call != (int)call) || spent(x, now_ms))
            continue;
        if (fnmatch(x->zone, zone, 0) != 0 || fnmatch(x->instance_type, instance_type, 0) != 0 ||
            fnmatch(x->market, market, 0) != 0)
            continue;
        if (x->tries > 0) {
            x->tries--;
            f->dirty = true;
        }
        if (delay_ms)
            *delay_ms = x->delay_ms;
        return true;
    }
    return false;
}

bool faults_dirty(struct faults *f)
{
    bool was = f->dirty;

    f->dirty = false;
    return was;
}
