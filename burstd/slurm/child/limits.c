// SPDX-License-Identifier: GPL-3.0-or-later
// See limits.h. slurmctld's answer may be large (one record for each user, account and partition):
// it is asked for rarely, and what concerns nobody who waits goes no further than here.
#include "slurm/child/limits.h"

#include <string.h>

#include "libburst/json.h"
#include "slurm/child/limits_json.h"

static bool among(const cJSON *users, const char *name)
{
    const cJSON *u;

    cJSON_ArrayForEach(u, users)
    {
        if (cJSON_IsString(u) && strcmp(u->valuestring, name) == 0)
            return true;
    }
    return false;
}

static void add_assocs(cJSON *m, compat_list_t *list, const cJSON *users,
                       const struct tres_names *t)
{
    cJSON *a = cJSON_AddArrayToObject(m, "assocs");
    const slurmdb_assoc_rec_t *r;

    if (!list)
        return;
    compat_list_itr_t *it = slurm_list_iterator_create(list);
    while ((r = slurm_list_next(it)))
        if (!r->user || !r->user[0] || among(users, r->user))
            cJSON_AddItemToArray(a, assoc_json(r, t));
    slurm_list_iterator_destroy(it);
}

static void add_qos(cJSON *m, compat_list_t *list, const struct tres_names *t)
{
    cJSON *a = cJSON_AddArrayToObject(m, "qos");
    const slurmdb_qos_rec_t *r;

    if (!list)
        return;
    compat_list_itr_t *it = slurm_list_iterator_create(list);
    while ((r = slurm_list_next(it))) {
        cJSON *o = qos_json(r, t);
        if (o)
            cJSON_AddItemToArray(a, o);
    }
    slurm_list_iterator_destroy(it);
}

// The QOS of partitions: their limits are those of all jobs in them.
static void add_partitions(cJSON *m, const partition_info_msg_t *p)
{
    cJSON *o = cJSON_AddObjectToObject(m, "partition_qos");

    for (uint32_t k = 0; p && k < p->record_count; k++) {
        const partition_info_t *r = &p->partition_array[k];
        if (r->name && r->qos_char && r->qos_char[0])
            cJSON_AddStringToObject(o, r->name, r->qos_char);
    }
}

// -1: not known.
static int enforced(void)
{
    slurm_conf_t *conf = NULL;

    if (slurm_load_ctl_conf(0, &conf) != SLURM_SUCCESS)
        return -1;
    int yes = (conf->accounting_storage_enforce & COMPAT_ENFORCE_LIMITS) != 0;
    compat_free_conf(conf);
    return yes;
}

cJSON *limits_load(const cJSON *users, const partition_info_msg_t *partitions)
{
    assoc_mgr_info_request_msg_t req;
    assoc_mgr_info_msg_t *msg = NULL;
    cJSON *m = cJSON_CreateObject();
    int limits = enforced();

    memset(&req, 0, sizeof(req));
    req.flags = ASSOC_MGR_INFO_FLAG_ASSOC | ASSOC_MGR_INFO_FLAG_QOS;
    cJSON_AddStringToObject(m, "type", "limits");
    cJSON_AddItemToObject(m, "users", users ? cJSON_Duplicate(users, true) : cJSON_CreateArray());
    if (limits < 0 || (limits && slurm_load_assoc_mgr_info(&req, &msg) != SLURM_SUCCESS)) {
        cJSON_AddStringToObject(m, "error", slurm_strerror(slurm_get_errno()));
    } else if (limits) {
        struct tres_names t = {msg->tres_names, msg->tres_cnt};
        add_assocs(m, msg->assoc_list, users, &t);
        add_qos(m, msg->qos_list, &t);
        add_partitions(m, partitions);
        slurm_free_assoc_mgr_info_msg(msg);
    }
    return m;
}
