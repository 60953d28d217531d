// SPDX-License-Identifier: GPL-3.0-or-later
#include "slurm/child/node_json.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"

static const char *const base_names[] = {"UNKNOWN", "DOWN",  "IDLE",  "ALLOCATED",
                                         "ERROR",   "MIXED", "FUTURE"};

static const struct {
    uint32_t bit;
    const char *name;
} flag_names[] = {
    {NODE_STATE_RES, "RESERVED"},
    {NODE_STATE_CLOUD, "CLOUD"},
    {NODE_STATE_DRAIN, "DRAIN"},
    {NODE_STATE_COMPLETING, "COMPLETING"},
    {NODE_STATE_NO_RESPOND, "NOT_RESPONDING"},
    {NODE_STATE_POWERED_DOWN, "POWERED_DOWN"},
    {NODE_STATE_FAIL, "FAIL"},
    {NODE_STATE_POWERING_UP, "POWERING_UP"},
    {NODE_STATE_MAINT, "MAINT"},
    {NODE_STATE_REBOOT_REQUESTED, "REBOOT_REQUESTED"},
    {NODE_STATE_REBOOT_ISSUED, "REBOOT_ISSUED"},
    {NODE_STATE_POWERING_DOWN, "POWERING_DOWN"},
    {NODE_STATE_DYNAMIC_FUTURE, "DYNAMIC_FUTURE"},
    {NODE_STATE_PLANNED, "PLANNED"},
    {NODE_STATE_INVALID_REG, "INVALID_REG"},
    {NODE_STATE_POWER_DOWN, "POWER_DOWN"},
    {NODE_STATE_POWER_UP, "POWER_UP"},
    {NODE_STATE_POWER_DRAIN, "POWER_DRAIN"},
    {NODE_STATE_DYNAMIC_NORM, "DYNAMIC_NORM"},
};

static void add_text(cJSON *o, const char *key, const char *s)
{
    json_add_str(o, key, s && s[0] && strcmp(s, "(null)") != 0 ? s : NULL);
}

static cJSON *state_array(uint32_t state)
{
    uint32_t base = state & NODE_STATE_BASE;
    cJSON *a = cJSON_CreateArray();

    if (base >= sizeof(base_names) / sizeof(base_names[0]))
        base = 0;
    cJSON_AddItemToArray(a, cJSON_CreateString(base_names[base]));
    for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
        if (state & flag_names[i].bit)
            cJSON_AddItemToArray(a, cJSON_CreateString(flag_names[i].name));
    return a;
}

// "aws,gcp" -> ["aws","gcp"]
static cJSON *list_array(const char *s)
{
    cJSON *a = cJSON_CreateArray();
    char *copy = strdup(s ? s : ""), *save = NULL;

    for (char *p = copy ? strtok_r(copy, ",", &save) : NULL; p; p = strtok_r(NULL, ",", &save))
        cJSON_AddItemToArray(a, cJSON_CreateString(p));
    free(copy);
    return a;
}

cJSON *node_json(const node_info_t *n)
{
    if (!n->name)
        return NULL;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", n->name);
    cJSON_AddItemToObject(o, "state", state_array(n->node_state));
    add_text(o, "reason", n->reason);
    add_text(o, "addr", n->node_addr);
    cJSON_AddItemToObject(o, "partitions", list_array(n->partitions));
    json_add_i64(o, "cpus", n->cpus);
    json_add_i64(o, "memory_mib", (int64_t)(n->real_memory & 0xffffffffffff));
    json_add_i64(o, "tmp_disk_mib", n->tmp_disk);
    add_text(o, "gres", n->gres);
    add_text(o, "features", n->features);
    json_add_i64(o, "boot_time", n->boot_time);
    json_add_i64(o, "slurmd_start", n->slurmd_start_time);
    return o;
}

static const char *partition_state(uint16_t up)
{
    switch (up) {
    case PARTITION_UP:
        return "UP";
    case PARTITION_DOWN:
        return "DOWN";
    case PARTITION_DRAIN:
        return "DRAIN";
    default:
        return "INACTIVE";
    }
}

cJSON *partition_json(const partition_info_t *p, const struct partition_defaults *d)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "name", p->name ? p->name : "");
    cJSON_AddBoolToObject(o, "default", (p->flags & PART_FLAG_DEFAULT) != 0);
    add_text(o, "nodes", p->nodes);
    cJSON_AddStringToObject(o, "state", partition_state(p->state_up));
    json_add_i64(o, "max_time_min",
                 p->max_time == INFINITE || p->max_time == NO_VAL ? 0 : p->max_time);
    json_add_i64(o, "max_nodes",
                 p->max_nodes == INFINITE || p->max_nodes == NO_VAL ? 0 : p->max_nodes);
    int64_t memory = (int64_t)(d->memory & ~MEM_PER_CPU & 0xffffffffffff);
    json_add_i64(o, "def_mem_per_node_mib", d->memory & MEM_PER_CPU ? 0 : memory);
    json_add_i64(o, "def_mem_per_cpu_mib", d->memory & MEM_PER_CPU ? memory : 0);
    json_add_i64(o, "def_mem_per_gpu_mib", (int64_t)(d->mem_per_gpu & 0xffffffffffff));
    json_add_i64(o, "def_cpus_per_gpu", (int64_t)(d->cpus_per_gpu & 0xffffffff));
    bool per_node = !(d->max_memory & MEM_PER_CPU) && d->max_memory != INFINITE64;
    json_add_i64(o, "max_mem_per_node_mib",
                 per_node ? (int64_t)(d->max_memory & 0xffffffffffff) : 0);
    cJSON_AddBoolToObject(o, "exclusive", p->max_share == 0);
    return o;
}
