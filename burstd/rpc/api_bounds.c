// SPDX-License-Identifier: GPL-3.0-or-later
// See api_bounds.h.
#include "rpc/api_bounds.h"

#include <string.h>

#include "base/log.h"
#include "job/bounds_of.h"
#include "libburst/json.h"
#include "state/bounds.h"
#include "state/jobs.h"

// PARTITION/USER/ACCOUNT/QOS: is the second of them this user?
static bool limit_of(const char *key, const char *user)
{
    const char *owner = strchr(key, '/');
    size_t len = strlen(user);

    return owner && len > 0 && strncmp(owner + 1, user, len) == 0 && owner[1 + len] == '/';
}

static bool may_see(struct burstd *b, struct rpc_request *req, const cJSON *row)
{
    const char *kind = json_str(row, "kind", ""), *key = json_str(row, "key", "");

    if (rpc_is_operator(req))
        return true;
    if (strcmp(kind, "job") == 0) {
        const struct bjob *j = jobs_find(b->jobs, key);
        return j && rpc_may_see(req, j->uid);
    }
    return strcmp(kind, "limit") != 0 || limit_of(key, rpc_user(req));
}

cJSON *bounds_seen(struct burstd *b, struct rpc_request *req)
{
    cJSON *list = bounds_json(b->bounds), *row = list->child, *next;

    for (; row; row = next) {
        next = row->next;
        if (!may_see(b, req, row))
            cJSON_Delete(cJSON_DetachItemViaPointer(list, row));
    }
    return list;
}

void bounds_list(void *arg, struct rpc_request *req)
{
    rpc_reply(req, bounds_seen(arg, req));
}

void bounds_open(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const char *pattern = json_str(rpc_params(req), "bound", NULL);
    cJSON *opened, *answer, *names;
    const cJSON *o;
    burst_error_t err;

    if (!pattern == !json_bool(rpc_params(req), "all", false)) {
        rpc_fail(req, "invalid", "which bound? one of `burst bounds`, a pattern, or --all");
        return;
    }
    opened = cJSON_CreateArray();
    answer = cJSON_CreateObject();
    names = cJSON_AddArrayToObject(answer, "opened");
    int rc = bounds_mended(b, pattern, opened, &err);
    cJSON_ArrayForEach(o, opened)
    {
        cJSON_AddItemToArray(names, cJSON_CreateString(json_str(o, "bound", "")));
        log_info("%s is opened again by operator %s", json_str(o, "bound", ""), rpc_user(req));
    }
    if (rc < 0)
        rpc_fail(req, "internal", "%s", err.text);
    else if (pattern && cJSON_GetArraySize(names) == 0)
        rpc_fail(req, "not_found", "nothing that failed is called %s (see burst bounds --all)",
                 pattern);
    else
        rpc_reply(req, cJSON_Duplicate(answer, true));
    cJSON_Delete(answer);
    cJSON_Delete(opened);
}
