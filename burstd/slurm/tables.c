// SPDX-License-Identifier: GPL-3.0-or-later
// See tables.h. A full message does not empty the table: what it does not name goes at its end, so
// that nobody ever sees a table that is half there.
#include "slurm/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

struct job_entry {
    struct sjob j; // first: a sjob is its entry
    unsigned round;
    UT_hash_handle hh;
    struct same_id *same; // those with its job_id
    struct job_entry *prev_same, *next_same;
};

struct same_id {
    uint32_t job_id;
    struct job_entry *first;
    UT_hash_handle hh;
};

struct node_entry {
    struct snode n; // first
    unsigned round;
    UT_hash_handle hh;
};

struct tables {
    struct job_entry *jobs;
    struct same_id *ids;
    struct node_entry *nodes;
    struct spart **parts;
    size_t n_parts;
    unsigned jobs_round, nodes_round; // counts full messages
    bool jobs_full, nodes_full;       // in the middle of one
    // Arrays handed out, made when asked for.
    struct sjob **job_list;
    struct snode **node_list;
    bool jobs_dirty, nodes_dirty;
};

// ---- single records

static uint32_t u32(const cJSON *o, const char *key)
{
    int64_t v = json_i64(o, key, 0);

    return v < 0 || v > UINT32_MAX ? 0 : (uint32_t)v;
}

static uint64_t u64(const cJSON *o, const char *key)
{
    int64_t v = json_i64(o, key, 0);

    return v < 0 ? 0 : (uint64_t)v;
}

static void set(char **field, const cJSON *o, const char *key)
{
    xstrset(field, json_str(o, key, ""));
}

struct bit_name {
    const char *name;
    unsigned bit;
};

static unsigned bits_of(const cJSON *array, const struct bit_name *names, size_t n)
{
    const cJSON *v;
    unsigned bits = 0;

    cJSON_ArrayForEach(v, array)
    {
        for (size_t i = 0; i < n; i++)
            if (cJSON_IsString(v) && strcmp(v->valuestring, names[i].name) == 0)
                bits |= names[i].bit;
    }
    return bits;
}

static enum sjob_state job_state(const char *name)
{
    if (strcmp(name, "PENDING") == 0)
        return SJOB_PENDING;
    if (strcmp(name, "RUNNING") == 0)
        return SJOB_RUNNING;
    if (strcmp(name, "SUSPENDED") == 0)
        return SJOB_SUSPENDED;
    return SJOB_ENDED;
}

static void set_job_numbers(struct sjob *j, const cJSON *o)
{
    j->job_id = u32(o, "job_id");
    j->uid = u32(o, "uid");
    j->gid = u32(o, "gid");
    j->submit = json_i64(o, "submit", 0);
    j->eligible = json_i64(o, "eligible", 0);
    j->start = json_i64(o, "start", 0);
    j->end = json_i64(o, "end", 0);
    j->deadline = json_i64(o, "deadline", 0);
    j->time_limit_s = json_i64(o, "time_limit_s", 0);
    j->priority = u32(o, "priority");
    j->restarts = u32(o, "restarts");
    j->num_nodes_min = u32(o, "num_nodes_min");
    j->num_nodes_max = u32(o, "num_nodes_max");
    j->num_cpus = u32(o, "num_cpus");
    j->cpus_per_task = u32(o, "cpus_per_task");
    j->num_tasks = u32(o, "num_tasks");
    j->ntasks_per_node = u32(o, "ntasks_per_node");
    j->mem_per_node_mib = u64(o, "mem_per_node_mib");
    j->mem_per_cpu_mib = u64(o, "mem_per_cpu_mib");
    j->ntasks_per_gpu = u32(o, "ntasks_per_gpu");
    j->cpus_per_node = u32(o, "cpus_per_node");
    j->sockets_per_node = u32(o, "sockets_per_node");
    j->tmp_disk_mib = u64(o, "tmp_disk_mib");
    j->mem_given = json_bool(o, "mem_given", false);
    j->cpus_given = json_bool(o, "cpus_given", false);
    j->tasks_given = json_bool(o, "tasks_given", false);
    j->batch = json_bool(o, "batch", false);
    j->requeue = json_bool(o, "requeue", false);
    j->exclusive = json_bool(o, "exclusive", false);
    j->array_max_tasks = (uint32_t)json_i64(o, "array_max_tasks", 0);
    j->het = json_i64(o, "het_job_id", 0) != 0;
}

static void set_job_tres(struct sjob *j, const cJSON *o)
{
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(o, "tres");

    set(&j->tres_per_job, t, "per_job");
    set(&j->tres_per_node, t, "per_node");
    set(&j->tres_per_socket, t, "per_socket");
    set(&j->tres_per_task, t, "per_task");
    set(&j->cpus_per_tres, t, "cpus_per");
    set(&j->mem_per_tres, t, "mem_per");
    set(&j->takes, o, "takes");
    set(&j->special, o, "special");
}

static void set_job(struct sjob *j, const cJSON *o)
{
    static const struct bit_name flags[] = {
        {"COMPLETING", SJOB_COMPLETING},
        {"CONFIGURING", SJOB_CONFIGURING},
        {"REQUEUED", SJOB_REQUEUED},
        {"STAGE_OUT", SJOB_STAGE_OUT},
    };

    snprintf(j->state_name, sizeof(j->state_name), "%s", json_str(o, "state", "UNKNOWN"));
    j->state = job_state(j->state_name);
    j->flags = bits_of(cJSON_GetObjectItemCaseSensitive(o, "flags"), flags,
                       sizeof(flags) / sizeof(flags[0]));
    set_job_numbers(j, o);
    set_job_tres(j, o);
    set(&j->reason, o, "reason");
    set(&j->name, o, "name");
    set(&j->user, o, "user");
    set(&j->account, o, "account");
    set(&j->qos, o, "qos");
    set(&j->partition, o, "partition");
    set(&j->nodes, o, "nodes");
    set(&j->req_nodes, o, "req_nodes");
    set(&j->exc_nodes, o, "exc_nodes");
    set(&j->features, o, "features");
    set(&j->licenses, o, "licenses");
    set(&j->dependency, o, "dependency");
    set(&j->work_dir, o, "work_dir");
    set(&j->std_in, o, "std_in");
    set(&j->std_out, o, "std_out");
    set(&j->std_err, o, "std_err");
    set(&j->admin_comment, o, "admin_comment");
    set(&j->reservation, o, "reservation");
}

static void job_free(struct job_entry *e)
{
    char **texts[] = {&e->j.reason,          &e->j.name,          &e->j.user,
                      &e->j.account,         &e->j.qos,           &e->j.partition,
                      &e->j.nodes,           &e->j.req_nodes,     &e->j.exc_nodes,
                      &e->j.features,        &e->j.licenses,      &e->j.dependency,
                      &e->j.work_dir,        &e->j.std_in,        &e->j.std_out,
                      &e->j.std_err,         &e->j.admin_comment, &e->j.reservation,
                      &e->j.special,         &e->j.tres_per_job,  &e->j.tres_per_node,
                      &e->j.tres_per_socket, &e->j.tres_per_task, &e->j.cpus_per_tres,
                      &e->j.mem_per_tres,    &e->j.takes};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(*texts[i]);
    free(e);
}

// ["aws","gcp"] -> "aws,gcp"
static char *joined(const cJSON *array)
{
    struct strbuf b;
    const cJSON *v;

    strbuf_init(&b, 65536);
    cJSON_ArrayForEach(v, array)
    {
        if (cJSON_IsString(v))
            strbuf_addf(&b, "%s%s", b.len ? "," : "", v->valuestring);
    }
    char *text = xstrdup(b.len ? b.data : "");
    strbuf_free(&b);
    return text;
}

static void set_node(struct snode *n, const cJSON *o)
{
    static const struct bit_name flags[] = {
        {"IDLE", SNODE_IDLE},
        {"ALLOCATED", SNODE_ALLOCATED},
        {"MIXED", SNODE_ALLOCATED},
        {"DOWN", SNODE_DOWN},
        {"DRAIN", SNODE_DRAIN},
        {"CLOUD", SNODE_CLOUD},
        {"POWERED_DOWN", SNODE_POWERED_DOWN},
        {"POWERING_UP", SNODE_POWERING_UP},
        {"POWERING_DOWN", SNODE_POWERING_DOWN},
        {"NOT_RESPONDING", SNODE_NOT_RESPONDING},
        {"COMPLETING", SNODE_COMPLETING},
        {"POWER_DOWN", SNODE_POWER_DOWN},
        {"INVALID_REG", SNODE_INVALID_REG},
        {"FUTURE", SNODE_FUTURE},
        {"RESERVED", SNODE_RESERVED},
        {"MAINT", SNODE_MAINT},
        {"FAIL", SNODE_FAIL},
    };

    n->flags = bits_of(cJSON_GetObjectItemCaseSensitive(o, "state"), flags,
                       sizeof(flags) / sizeof(flags[0]));
    set(&n->reason, o, "reason");
    set(&n->addr, o, "addr");
    free(n->partitions);
    n->partitions = joined(cJSON_GetObjectItemCaseSensitive(o, "partitions"));
    set(&n->gres, o, "gres");
    set(&n->features, o, "features");
    n->cpus = u32(o, "cpus");
    n->memory_mib = u64(o, "memory_mib");
    n->tmp_disk_mib = u64(o, "tmp_disk_mib");
    n->boot_time = json_i64(o, "boot_time", 0);
    n->slurmd_start = json_i64(o, "slurmd_start", 0);
}

static void node_free(struct node_entry *e)
{
    free(e->n.reason);
    free(e->n.addr);
    free(e->n.partitions);
    free(e->n.gres);
    free(e->n.features);
    free(e);
}

// ---- whole tables

static void enter_id(struct tables *t, struct job_entry *e)
{
    struct same_id *s;

    HASH_FIND(hh, t->ids, &e->j.job_id, sizeof(e->j.job_id), s);
    if (!s) {
        s = xmalloc(sizeof(*s));
        s->job_id = e->j.job_id;
        HASH_ADD(hh, t->ids, job_id, sizeof(s->job_id), s);
    }
    e->same = s;
    DL_APPEND2(s->first, e, prev_same, next_same);
}

static void leave_id(struct tables *t, struct job_entry *e)
{
    struct same_id *s = e->same;

    DL_DELETE2(s->first, e, prev_same, next_same);
    if (s->first)
        return;
    HASH_DEL(t->ids, s);
    free(s);
}

static void drop_job(struct tables *t, struct job_entry *e)
{
    leave_id(t, e);
    HASH_DEL(t->jobs, e);
    job_free(e);
    t->jobs_dirty = true;
}

static void drop_node(struct tables *t, struct node_entry *e)
{
    HASH_DEL(t->nodes, e);
    node_free(e);
    t->nodes_dirty = true;
}

static void take_job(struct tables *t, const cJSON *o)
{
    const char *key = json_str(o, "job", "");
    struct job_entry *e;

    if (!key[0] || strlen(key) >= sizeof(e->j.job))
        return;
    HASH_FIND_STR(t->jobs, key, e);
    if (!e) {
        e = xmalloc(sizeof(*e));
        snprintf(e->j.job, sizeof(e->j.job), "%s", key);
        HASH_ADD_STR(t->jobs, j.job, e);
        t->jobs_dirty = true;
    }
    e->round = t->jobs_round;
    if (e->same && e->j.job_id != u32(o, "job_id")) {
        leave_id(t, e);
        e->same = NULL;
    }
    set_job(&e->j, o);
    if (!e->same)
        enter_id(t, e);
}

static enum tables_result take_jobs(struct tables *t, const cJSON *msg)
{
    struct job_entry *e, *tmp;
    const cJSON *v;

    if (json_bool(msg, "full", false)) {
        t->jobs_full = true;
        t->jobs_round++;
    }
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(msg, "jobs")) take_job(t, v);
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(msg, "removed"))
    {
        HASH_FIND_STR(t->jobs, cJSON_IsString(v) ? v->valuestring : "", e);
        if (e)
            drop_job(t, e);
    }
    if (json_bool(msg, "more", false))
        return TABLES_MORE;
    if (t->jobs_full) {
        HASH_ITER(hh, t->jobs, e, tmp)
        if (e->round != t->jobs_round)
            drop_job(t, e);
        t->jobs_full = false;
    }
    return TABLES_JOBS;
}

static void take_node(struct tables *t, const cJSON *o)
{
    const char *key = json_str(o, "name", "");
    struct node_entry *e;

    if (!key[0] || strlen(key) >= sizeof(e->n.name))
        return;
    HASH_FIND_STR(t->nodes, key, e);
    if (!e) {
        e = xmalloc(sizeof(*e));
        snprintf(e->n.name, sizeof(e->n.name), "%s", key);
        HASH_ADD_STR(t->nodes, n.name, e);
        t->nodes_dirty = true;
    }
    e->round = t->nodes_round;
    set_node(&e->n, o);
}

static enum tables_result take_nodes(struct tables *t, const cJSON *msg)
{
    struct node_entry *e, *tmp;
    const cJSON *v;

    if (json_bool(msg, "full", false)) {
        t->nodes_full = true;
        t->nodes_round++;
    }
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(msg, "nodes")) take_node(t, v);
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(msg, "removed"))
    {
        HASH_FIND_STR(t->nodes, cJSON_IsString(v) ? v->valuestring : "", e);
        if (e)
            drop_node(t, e);
    }
    if (json_bool(msg, "more", false))
        return TABLES_MORE;
    if (t->nodes_full) {
        HASH_ITER(hh, t->nodes, e, tmp)
        if (e->round != t->nodes_round)
            drop_node(t, e);
        t->nodes_full = false;
    }
    return TABLES_NODES;
}

static void free_parts(struct tables *t)
{
    for (size_t i = 0; i < t->n_parts; i++) {
        free(t->parts[i]->nodes);
        free(t->parts[i]);
    }
    free(t->parts);
    t->parts = NULL;
    t->n_parts = 0;
}

static enum tables_result take_parts(struct tables *t, const cJSON *msg)
{
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(msg, "partitions"), *v;

    free_parts(t);
    t->parts = xcalloc((size_t)cJSON_GetArraySize(a) + 1, sizeof(*t->parts));
    cJSON_ArrayForEach(v, a)
    {
        const char *name = json_str(v, "name", "");
        struct spart *p;
        if (!name[0] || strlen(name) >= sizeof(p->name))
            continue;
        p = xmalloc(sizeof(*p));
        snprintf(p->name, sizeof(p->name), "%s", name);
        p->is_default = json_bool(v, "default", false);
        p->up = strcmp(json_str(v, "state", ""), "UP") == 0;
        set(&p->nodes, v, "nodes");
        p->max_time_s = json_i64(v, "max_time_min", 0) * 60;
        p->max_nodes = u32(v, "max_nodes");
        p->def_mem_per_node_mib = u64(v, "def_mem_per_node_mib");
        p->def_mem_per_cpu_mib = u64(v, "def_mem_per_cpu_mib");
        p->def_mem_per_gpu_mib = u64(v, "def_mem_per_gpu_mib");
        p->def_cpus_per_gpu = u32(v, "def_cpus_per_gpu");
        p->max_mem_per_node_mib = u64(v, "max_mem_per_node_mib");
        p->exclusive = json_bool(v, "exclusive", false);
        t->parts[t->n_parts++] = p;
    }
    return TABLES_PARTS;
}

enum tables_result tables_take(struct tables *t, const cJSON *msg)
{
    const char *type = json_str(msg, "type", "");

    if (strcmp(type, "jobs") == 0)
        return take_jobs(t, msg);
    if (strcmp(type, "nodes") == 0)
        return take_nodes(t, msg);
    if (strcmp(type, "partitions") == 0)
        return take_parts(t, msg);
    return TABLES_NOT_MINE;
}

struct tables *tables_create(void)
{
    return xmalloc(sizeof(struct tables));
}

void tables_destroy(struct tables *t)
{
    struct job_entry *j, *jt;
    struct node_entry *n, *nt;

    if (!t)
        return;
    HASH_ITER(hh, t->jobs, j, jt)
    drop_job(t, j);
    HASH_ITER(hh, t->nodes, n, nt)
    drop_node(t, n);
    free_parts(t);
    free(t->job_list);
    free(t->node_list);
    free(t);
}

// ---- looking

const struct sjob *tables_job(const struct tables *t, const char *job)
{
    struct job_entry *e;

    HASH_FIND_STR(t->jobs, job, e);
    return e ? &e->j : NULL;
}

// Tasks of an array that have no record of their own yet share the array's job id: the one that
// has started is meant, if there is one.
const struct sjob *tables_job_by_id(struct tables *t, uint32_t job_id)
{
    const struct sjob *found = NULL;
    struct same_id *s;

    HASH_FIND(hh, t->ids, &job_id, sizeof(job_id), s);
    for (struct job_entry *e = s ? s->first : NULL; e; e = e->next_same)
        if (!found || (found->state == SJOB_PENDING && e->j.state != SJOB_PENDING))
            found = &e->j;
    return found;
}

const struct snode *tables_node(const struct tables *t, const char *name)
{
    struct node_entry *e;

    HASH_FIND_STR(t->nodes, name, e);
    return e ? &e->n : NULL;
}

size_t tables_jobs(struct tables *t, const struct sjob *const **jobs)
{
    size_t n = HASH_COUNT(t->jobs), i = 0;

    if (t->jobs_dirty || !t->job_list) {
        t->job_list = xrealloc(t->job_list, (n + 1) * sizeof(t->job_list[0]));
        for (struct job_entry *e = t->jobs; e; e = e->hh.next)
            t->job_list[i++] = &e->j;
        t->jobs_dirty = false;
    }
    *jobs = (const struct sjob *const *)t->job_list;
    return n;
}

size_t tables_nodes(struct tables *t, const struct snode *const **nodes)
{
    size_t n = HASH_COUNT(t->nodes), i = 0;

    if (t->nodes_dirty || !t->node_list) {
        t->node_list = xrealloc(t->node_list, (n + 1) * sizeof(t->node_list[0]));
        for (struct node_entry *e = t->nodes; e; e = e->hh.next)
            t->node_list[i++] = &e->n;
        t->nodes_dirty = false;
    }
    *nodes = (const struct snode *const *)t->node_list;
    return n;
}

size_t tables_parts(struct tables *t, const struct spart *const **parts)
{
    *parts = (const struct spart *const *)t->parts;
    return t->n_parts;
}
