// SPDX-License-Identifier: GPL-3.0-or-later
#include "slurm/child/job_json.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "libburst/json.h"
#include "slurm/child/array_tasks.h"

// By number; the order has been the same since 17.02, later releases append.
static const char *const state_names[] = {
    "PENDING", "RUNNING",   "SUSPENDED", "COMPLETED", "CANCELLED", "FAILED",
    "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE",  "OUT_OF_MEMORY",
};

static const struct {
    uint32_t bit;
    const char *name;
} flag_names[] = {
    {JOB_LAUNCH_FAILED, "LAUNCH_FAILED"}, {JOB_REQUEUE, "REQUEUED"},
    {JOB_REQUEUE_HOLD, "REQUEUE_HOLD"},   {JOB_SPECIAL_EXIT, "SPECIAL_EXIT"},
    {JOB_RESIZING, "RESIZING"},           {JOB_CONFIGURING, "CONFIGURING"},
    {JOB_COMPLETING, "COMPLETING"},       {JOB_STOPPED, "STOPPED"},
    {JOB_POWER_UP_NODE, "POWER_UP_NODE"}, {JOB_REVOKED, "REVOKED"},
    {JOB_RESV_DEL_HOLD, "RESV_DEL_HOLD"}, {JOB_SIGNALING, "SIGNALING"},
    {JOB_STAGE_OUT, "STAGE_OUT"},
};

static void add_text(cJSON *o, const char *key, const char *s)
{
    json_add_str(o, key, s && s[0] && strcmp(s, "(null)") != 0 ? s : NULL);
}

static uint32_t known16(uint16_t v)
{
    return v == NO_VAL16 || v == INFINITE16 ? 0 : v;
}

static uint32_t known32(uint32_t v)
{
    return v == NO_VAL || v == INFINITE ? 0 : v;
}

static void add_state(cJSON *o, uint32_t state)
{
    uint32_t base = state & 0xff;
    cJSON *flags = cJSON_CreateArray();

    if (base < sizeof(state_names) / sizeof(state_names[0]))
        cJSON_AddStringToObject(o, "state", state_names[base]);
    else
        cJSON_AddStringToObject(o, "state", "UNKNOWN");
    for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
        if (state & flag_names[i].bit)
            cJSON_AddItemToArray(flags, cJSON_CreateString(flag_names[i].name));
    cJSON_AddItemToObject(o, "flags", flags);
}

// "cpu=4,mem=2000M,node=2,billing=4": the number behind node=. num_nodes is Slurm's guess of what
// the job will take, this is what it must have.
static uint32_t least_nodes(const slurm_job_info_t *j)
{
    const char *p = j->tres_req_str ? strstr(j->tres_req_str, "node=") : NULL;
    unsigned n = 0;

    if (p && (p == j->tres_req_str || p[-1] == ',') && sscanf(p, "node=%u", &n) == 1 && n > 0)
        return n;
    return known32(j->num_nodes);
}

// First thing that it asks for and that no rented node is known to have, in words; NULL = nothing.
// job_submit_burst.c asks the same of a submission.
static const char *special(const slurm_job_info_t *j)
{
    if (j->burst_buffer && j->burst_buffer[0])
        return "a burst buffer";
    if (j->network && j->network[0])
        return "a network (--network)";
    if (j->mcs_label && j->mcs_label[0])
        return "an MCS label";
    if ((j->cluster_features && j->cluster_features[0]) ||
        (j->batch_features && j->batch_features[0]))
        return "a feature of the cluster or of the batch host";
    if (known16(j->core_spec))
        return "specialized cores";
    if (known16(j->sockets_per_node) > 1 || known16(j->cores_per_socket) ||
        known16(j->sockets_per_board) > 1 || known16(j->boards_per_node) > 1 ||
        known16(j->threads_per_core) > 1)
        return "a certain make of processors (sockets, cores, threads)";
    return NULL;
}

static void add_tres(cJSON *o, const slurm_job_info_t *j)
{
    cJSON *t = cJSON_AddObjectToObject(o, "tres");

    add_text(t, "per_job", j->tres_per_job);
    add_text(t, "per_node", j->tres_per_node);
    add_text(t, "per_socket", j->tres_per_socket);
    add_text(t, "per_task", j->tres_per_task);
    add_text(t, "cpus_per", j->cpus_per_tres);
    add_text(t, "mem_per", j->mem_per_tres);
}

static void add_resources(cJSON *o, const slurm_job_info_t *j)
{
    uint64_t per_node = 0, per_cpu = 0;

    if (j->pn_min_memory != NO_VAL64 && j->pn_min_memory & MEM_PER_CPU)
        per_cpu = j->pn_min_memory & ~MEM_PER_CPU;
    else if (j->pn_min_memory != NO_VAL64)
        per_node = j->pn_min_memory;
    json_add_i64(o, "num_nodes_min", least_nodes(j));
    json_add_i64(o, "num_nodes_max", known32(j->max_nodes));
    json_add_i64(o, "num_cpus", known32(j->num_cpus));
    json_add_i64(o, "cpus_per_task", known16(j->cpus_per_task));
    json_add_i64(o, "num_tasks", known32(j->num_tasks));
    json_add_i64(o, "ntasks_per_node", known16(j->ntasks_per_node));
    json_add_i64(o, "ntasks_per_gpu", known16(j->ntasks_per_tres));
    json_add_i64(o, "cpus_per_node", known16(j->pn_min_cpus));
    json_add_i64(o, "sockets_per_node", known16(j->sockets_per_node));
    json_add_i64(o, "mem_per_node_mib", (int64_t)(per_node & 0xffffffffffff));
    json_add_i64(o, "mem_per_cpu_mib", (int64_t)(per_cpu & 0xffffffffffff));
    cJSON_AddBoolToObject(o, "mem_given", (j->bitflags & JOB_MEM_SET) != 0);
    cJSON_AddBoolToObject(o, "cpus_given", (j->bitflags & JOB_CPUS_SET) != 0);
    cJSON_AddBoolToObject(o, "tasks_given", (j->bitflags & JOB_NTASKS_SET) != 0);
    json_add_i64(o, "tmp_disk_mib", known32(j->pn_min_tmp_disk));
    add_tres(o, j);
    bool pending = (j->job_state & 0xff) == JOB_PENDING;
    add_text(o, "takes", pending ? j->tres_req_str : j->tres_alloc_str);
    add_text(o, "special", special(j));
}

static void add_times(cJSON *o, const slurm_job_info_t *j)
{
    json_add_i64(o, "submit", j->submit_time);
    json_add_i64(o, "eligible", j->eligible_time);
    json_add_i64(o, "start", j->start_time);
    json_add_i64(o, "end", j->end_time);
    json_add_i64(o, "time_limit_s", INT64_C(60) * known32(j->time_limit));
    json_add_i64(o, "deadline", j->deadline);
}

static void add_exit(cJSON *o, uint32_t status)
{
    int st = (int)known32(status);

    json_add_i64(o, "exit_code", WIFEXITED(st) ? WEXITSTATUS(st) : 0);
    json_add_i64(o, "signal", WIFSIGNALED(st) ? WTERMSIG(st) : 0);
}

// The patterns of a batch job as its user wrote them: libslurm would fill in some of them, with
// what a waiting job does not have yet (22.05) or with what it is not told (the node).
static void add_files(cJSON *o, const slurm_job_info_t *j)
{
    bool batch = j->batch_flag != 0, given = j->std_out && j->std_out[0];
    const char *usual = j->array_job_id ? "slurm-%A_%a.out" : "slurm-%j.out";

    add_text(o, "std_in", batch ? j->std_in : NULL);
    add_text(o, "std_out", !batch ? NULL : given ? j->std_out : usual);
    add_text(o, "std_err", batch ? j->std_err : NULL);
}

void job_key(const slurm_job_info_t *j, char key[JOB_KEY_MAX])
{
    if (j->array_job_id && j->array_task_id != NO_VAL)
        snprintf(key, JOB_KEY_MAX, "%u_%u", j->array_job_id, j->array_task_id);
    else
        snprintf(key, JOB_KEY_MAX, "%u", j->job_id);
}

// slurmd could not launch it, so Slurm holds it: only this text tells it from other holds.
static const char *reason_of(const struct job_lookup *lk, const slurm_job_info_t *j)
{
    if (j->state_desc && strncmp(j->state_desc, "launch failed", 13) == 0)
        return "launch_failed_requeued_held";
    return lk->reason(j->state_reason);
}

cJSON *job_json(const slurm_job_info_t *j, const struct job_lookup *lk)
{
    cJSON *o = cJSON_CreateObject();
    char key[JOB_KEY_MAX];
    bool task = j->array_job_id && j->array_task_id != NO_VAL;

    job_key(j, key);
    cJSON_AddStringToObject(o, "job", key);
    json_add_i64(o, "job_id", j->job_id);
    json_add_i64(o, "array_job_id", j->array_job_id);
    if (task)
        json_add_i64(o, "array_task_id", j->array_task_id);
    else
        cJSON_AddNullToObject(o, "array_task_id");
    json_add_i64(o, "array_max_tasks", known32(j->array_max_tasks));
    json_add_i64(o, "het_job_id", known32(j->het_job_id));
    add_text(o, "name", j->name);
    json_add_i64(o, "uid", j->user_id);
    json_add_i64(o, "gid", j->group_id);
    add_text(o, "user", j->user_name && j->user_name[0] ? j->user_name : lk->user(j->user_id));
    add_text(o, "account", j->account);
    add_text(o, "qos", j->qos);
    add_text(o, "partition", j->partition);
    add_state(o, j->job_state);
    add_text(o, "reason", reason_of(lk, j));
    add_times(o, j);
    json_add_i64(o, "priority", j->priority);
    json_add_i64(o, "restarts", known16(j->restart_cnt));
    add_text(o, "nodes", j->nodes);
    add_resources(o, j);
    add_text(o, "req_nodes", j->req_nodes);
    add_text(o, "exc_nodes", j->exc_nodes);
    add_text(o, "features", j->features);
    add_text(o, "licenses", j->licenses);
    add_text(o, "dependency", j->dependency);
    add_text(o, "work_dir", j->work_dir);
    add_files(o, j);
    cJSON_AddBoolToObject(o, "batch", j->batch_flag != 0);
    cJSON_AddBoolToObject(o, "requeue", known16(j->requeue) != 0);
    cJSON_AddBoolToObject(o, "exclusive", j->shared == JOB_SHARED_NONE);
    add_text(o, "admin_comment", j->admin_comment);
    add_text(o, "comment", j->comment);
    add_text(o, "reservation", j->resv_name);
    add_exit(o, j->exit_code);
    return o;
}

void job_each(const slurm_job_info_t *j, void (*fn)(void *arg, const slurm_job_info_t *j),
              void *arg)
{
    uint32_t ids[ARRAY_TASKS_MAX];

    if (!j->array_job_id || j->array_task_id != NO_VAL) {
        fn(arg, j);
        return;
    }
    int n = array_tasks_parse(j->array_task_str, ids, ARRAY_TASKS_MAX);
    slurm_job_info_t task = *j; // shallow: only read
    task.array_task_str = NULL;
    for (int i = 0; i < n; i++) {
        task.array_task_id = ids[i];
        fn(arg, &task);
    }
}
