// SPDX-License-Identifier: GPL-3.0-or-later
// See request_parts.h.
#include "optimizer/request_parts.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

int request_location(const cJSON *v, const struct field_path *up, const char *key,
                     struct rq_location *out, burst_error_t *errp)
{
    char *text = NULL, *slash, buf[64];

    if (field_name(v, up, key, &text, errp) < 0)
        return -1;
    slash = strchr(text, '/');
    if (!slash || slash == text || !slash[1]) {
        free(text);
        return field_fail(errp, up, key, "must be like \"cloud/region\", is %s",
                          field_shown(v, buf));
    }
    *slash = '\0';
    out->cloud = text;
    out->region = xstrdup(slash + 1);
    return 0;
}

int request_market(const cJSON *o, const struct field_path *up, enum rq_market *out,
                   burst_error_t *errp)
{
    const cJSON *v = field_item(o, "market");
    char buf[64];

    *out = RQ_ANY;
    if (!v || (cJSON_IsString(v) && strcmp(v->valuestring, "any") == 0))
        return 0;
    if (cJSON_IsString(v) && strcmp(v->valuestring, "spot") == 0)
        *out = RQ_SPOT;
    else if (cJSON_IsString(v) && strcmp(v->valuestring, "on-demand") == 0)
        *out = RQ_ON_DEMAND;
    else
        return field_fail(errp, up, "market", "must be \"any\", \"spot\" or \"on-demand\", is %s",
                          field_shown(v, buf));
    return 0;
}

void request_free_location(struct rq_location *l)
{
    free(l->cloud);
    free(l->region);
}
