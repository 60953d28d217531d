// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_request.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"
#include "libburst/people.h"
#include "ssh/stage_keep.h"

// Two million files are the most that are staged at all.
#define SURVEY_ENTRIES 2000000
#define SURVEY_MS 60000

static int id(const cJSON *json, const char *key, uint32_t *out, burst_error_t *errp)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(json, key);
    double d = cJSON_IsNumber(v) ? v->valuedouble : -1;

    // -1 as an id would mean "leave it as it is" to the kernel.
    if (d < 0 || d >= UINT32_MAX || d != (double)(uint32_t)d)
        return errprintf(errp, "%s: a number between 0 and 4294967294 is needed", key);
    *out = (uint32_t)d;
    return 0;
}

static int parse_append(struct stage_request *r, burst_error_t *errp)
{
    r->append_path = json_str(r->json, "path", "");
    r->append_text = json_str(r->json, "text", NULL);
    if (r->append_path[0] != '/' || stage_has_control(r->append_path))
        return errprintf(errp, "path: an absolute path is needed");
    if (!r->append_text)
        return errprintf(errp, "text: a string is needed");
    return 0;
}

static int parse_survey(struct stage_request *r, burst_error_t *errp)
{
    r->named = cJSON_GetObjectItemCaseSensitive(r->json, "named");
    r->max_entries = json_i64(r->json, "max_entries", SURVEY_ENTRIES);
    r->max_ms = json_i64(r->json, "max_ms", SURVEY_MS);
    if (r->named && (!cJSON_IsArray(r->named) || cJSON_GetArraySize(r->named) > STAGE_MAX_PATHS))
        return errprintf(errp, "named: an array of at most %d paths", STAGE_MAX_PATHS);
    if (r->max_entries < 1 || r->max_entries > SURVEY_ENTRIES)
        return errprintf(errp, "max_entries: between 1 and %d", SURVEY_ENTRIES);
    if (r->max_ms < 1 || r->max_ms > SURVEY_MS)
        return errprintf(errp, "max_ms: between 1 and %d", SURVEY_MS);
    return 0;
}

static int parse_keep(struct stage_request *r, burst_error_t *errp)
{
    r->keep_dir = json_str(r->json, "dir", "");
    r->keep_name = json_str(r->json, "name", "");
    if (r->keep_dir[0] != '/' || stage_has_control(r->keep_dir))
        return errprintf(errp, "dir: an absolute path is needed");
    if (!stage_keep_name_ok(r->keep_name))
        return errprintf(errp, "name: letters, digits, _ - and . (not first), at most %d",
                         STAGE_KEEP_NAME_MAX);
    return 0;
}

int stage_request_parse(const cJSON *json, struct stage_request *out, burst_error_t *errp)
{
    static const char *const names[] = {
        [STAGE_PACK] = "pack",     [STAGE_UNPACK] = "unpack", [STAGE_APPEND] = "append",
        [STAGE_SURVEY] = "survey", [STAGE_KEEP] = "keep",
    };
    struct stage_request r = {.json = json};
    const char *op = json_str(json, "op", "");
    size_t k = 0, n = sizeof(names) / sizeof(names[0]);

    while (k < n && strcmp(op, names[k]) != 0)
        k++;
    if (k == n)
        return errprintf(errp, "op: \"%.32s\": it is pack, unpack, append, survey or keep", op);
    r.op = (enum stage_op)k;
    r.user = json_str(json, "user", "");
    if (!r.user[0])
        return errprintf(errp, "user: a name is needed");
    if (id(json, "uid", &r.uid, errp) < 0 || id(json, "gid", &r.gid, errp) < 0)
        return -1;
    r.max_bytes = json_i64(json, "max_bytes", 0);
    if (r.max_bytes < 0)
        return errprintf(errp, "max_bytes: not negative");
    r.exclude = cJSON_GetObjectItemCaseSensitive(json, "exclude");
    if (r.exclude && (!cJSON_IsArray(r.exclude) || cJSON_GetArraySize(r.exclude) > STAGE_MAX_PATHS))
        return errprintf(errp, "exclude: an array of at most %d patterns", STAGE_MAX_PATHS);
    if ((r.op == STAGE_APPEND && parse_append(&r, errp) < 0) ||
        (r.op == STAGE_SURVEY && parse_survey(&r, errp) < 0) ||
        (r.op == STAGE_KEEP && parse_keep(&r, errp) < 0))
        return -1;
    *out = r;
    return 0;
}

int stage_request_allowed(const struct stage_request *r, const struct stage_account *account,
                          uid_t uid_min, burst_error_t *errp)
{
    if (account->uid != r->uid)
        return errprintf(errp, "user %.64s has the uid %u here, not %u as the request says",
                         r->user, (unsigned)account->uid, (unsigned)r->uid);
    if (people_check(r->uid, r->gid, uid_min, errp) < 0)
        return -1;
    if (r->gid == account->gid)
        return 0;
    for (int i = 0; i < account->n_groups; i++)
        if (account->groups[i] == r->gid)
            return 0;
    return errprintf(errp, "user %.64s does not belong to the group with gid %u", r->user,
                     (unsigned)r->gid);
}
