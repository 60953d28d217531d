// SPDX-License-Identifier: GPL-3.0-or-later
// See limits_json.h. Only what keeps a job from starting while others run: limits of a job's own
// size, of what may be submitted and of hours used are not here; Slurm's reason tells of them.
#include "slurm/child/limits_json.h"

#include <inttypes.h>

#include "libburst/json.h"
#include "libburst/strbuf.h"

#define TEXT_MAX 4096

static void add_count(cJSON *o, const char *key, uint32_t n)
{
    if (n != INFINITE && n != NO_VAL)
        json_add_i64(o, key, n);
}

static void add_text(cJSON *o, const char *key, const char *text)
{
    if (text && text[0])
        cJSON_AddStringToObject(o, key, text);
}

// "cpu=4,gres/gpu=2"
static void add_tres(cJSON *o, const char *key, const uint64_t *limits, const struct tres_names *t)
{
    struct strbuf b;

    strbuf_init(&b, TEXT_MAX);
    for (uint32_t k = 0; limits && k < t->n; k++)
        if (limits[k] != INFINITE64 && limits[k] != NO_VAL64 && t->names[k])
            strbuf_addf(&b, "%s%s=%" PRIu64, b.len ? "," : "", t->names[k], limits[k]);
    add_text(o, key, b.len ? b.data : NULL);
    strbuf_free(&b);
}

cJSON *assoc_json(const slurmdb_assoc_rec_t *a, const struct tres_names *t)
{
    cJSON *o = cJSON_CreateObject();

    json_add_i64(o, "id", a->id);
    json_add_i64(o, "parent", a->parent_id);
    add_text(o, "account", a->acct);
    add_text(o, "user", a->user);
    add_text(o, "partition", a->partition);
    add_count(o, "grp_jobs", a->grp_jobs);
    if (a->user && a->user[0])
        add_count(o, "max_jobs", a->max_jobs);
    add_tres(o, "grp_tres", a->grp_tres_ctld, t);
    return o;
}

cJSON *qos_json(const slurmdb_qos_rec_t *q, const struct tres_names *t)
{
    cJSON *o = cJSON_CreateObject();

    add_count(o, "grp_jobs", q->grp_jobs);
    add_count(o, "max_jobs_pu", q->max_jobs_pu);
    add_count(o, "max_jobs_pa", q->max_jobs_pa);
    add_tres(o, "grp_tres", q->grp_tres_ctld, t);
    add_tres(o, "max_tres_pu", q->max_tres_pu_ctld, t);
    add_tres(o, "max_tres_pa", q->max_tres_pa_ctld, t);
    if (!o->child || !q->name) {
        cJSON_Delete(o);
        return NULL;
    }
    cJSON_AddStringToObject(o, "name", q->name);
    cJSON_AddBoolToObject(o, "over_partition", (q->flags & QOS_FLAG_OVER_PART_QOS) != 0);
    return o;
}
