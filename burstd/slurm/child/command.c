// SPDX-License-Identifier: GPL-3.0-or-later
// burst-slurm command: one request line, one answer line, in order. Fields that a request does not
// name are left as they are; an unknown op or a field of the wrong type is refused (EINVAL) before
// Slurm sees anything.
#include "slurm/child/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "slurm/child/compat_slurm.h"
#include "slurm/child/dbd.h"
#include "slurm/child/lineio.h"

// Takes Slurm's return value of a call: 0, or the error number.
static int slurm_rc(int rc)
{
    if (rc == SLURM_SUCCESS)
        return 0;
    // Some calls return the number itself, some -1 and errno.
    int e = rc > 0 ? rc : slurm_get_errno();
    return e ? e : SLURM_ERROR;
}

static int invalid(burst_error_t *errp, const char *what)
{
    errprintf(errp, "%s", what);
    return EINVAL;
}

// ---- access to fields; *bad is set when a field is there with another type

static bool has(const cJSON *m, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(m, key);

    return v && !cJSON_IsNull(v);
}

static char *text_field(const cJSON *m, const char *key, const char **bad)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(m, key);

    if (!has(m, key))
        return NULL;
    if (!cJSON_IsString(v))
        *bad = key;
    return cJSON_IsString(v) ? v->valuestring : NULL; // libslurm only reads it
}

static bool number_field(const cJSON *m, const char *key, int64_t min, int64_t max, int64_t *v,
                         const char **bad)
{
    if (!has(m, key))
        return false;
    *v = json_i64(m, key, INT64_MIN);
    if (*v < min || *v > max)
        *bad = key;
    return *v >= min && *v <= max;
}

static int bad_field(burst_error_t *errp, const char *key)
{
    errprintf(errp, "\"%s\" has a wrong type or is out of range", key);
    return EINVAL;
}

// "123" or "123_4", nothing else: libslurm would take "123_[1-9]" and more.
static bool job_name_ok(const char *s)
{
    size_t n = s ? strspn(s, "0123456789") : 0;

    if (n == 0 || n > 10)
        return false;
    if (s[n] == '_') {
        size_t t = strspn(s + n + 1, "0123456789");
        return t > 0 && t <= 10 && s[n + 1 + t] == '\0';
    }
    return s[n] == '\0';
}

// The first error of an array answer, 0 if none; frees it.
static int array_error(job_array_resp_msg_t *resp)
{
    int rc = 0;

    if (!resp)
        return 0;
    for (uint32_t i = 0; i < resp->job_array_count && rc == 0; i++)
        rc = (int)resp->error_code[i];
    slurm_free_job_array_resp(resp);
    return rc;
}

// ---- the commands: 0, or an error number with an optional text

static const char *fill_job(const cJSON *m, job_desc_msg_t *d)
{
    const char *bad = NULL;
    int64_t v = 0;

    d->partition = text_field(m, "partition", &bad);
    d->req_nodes = text_field(m, "req_nodes", &bad); // "" clears
    d->features = text_field(m, "features", &bad);   // "" clears
    d->admin_comment = text_field(m, "admin_comment", &bad);
    d->comment = text_field(m, "comment", &bad);
    if (number_field(m, "priority", -1, NO_VAL - 1, &v, &bad))
        d->priority = v < 0 ? INFINITE : (uint32_t)v; // INFINITE: released, Slurm computes it
    if (number_field(m, "begin", 0, INT64_C(1) << 40, &v, &bad))
        d->begin_time = v ? (time_t)v : (time_t)clock_now_s();
    if (number_field(m, "min_nodes", 1, 65535, &v, &bad))
        d->min_nodes = (uint32_t)v;
    if (number_field(m, "max_nodes", 0, 65535, &v, &bad))
        d->max_nodes = (uint32_t)v; // 0: no limit
    if (number_field(m, "time_limit_s", 1, INT64_C(365) * 86400 * 10, &v, &bad))
        d->time_limit = (uint32_t)((v + 59) / 60);
    if (number_field(m, "nice", -1000000000, 1000000000, &v, &bad))
        d->nice = (uint32_t)(NICE_OFFSET + v);
    if (has(m, "requeue")) {
        if (!cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(m, "requeue")))
            bad = "requeue";
        d->requeue = json_bool(m, "requeue", false);
    }
    return bad;
}

static int update_job(const cJSON *m, burst_error_t *errp)
{
    job_desc_msg_t d;
    job_array_resp_msg_t *resp = NULL;
    const char *job = json_str(m, "job", NULL);

    if (!job_name_ok(job))
        return bad_field(errp, "job");
    slurm_init_job_desc_msg(&d);
    const char *bad = fill_job(m, &d);
    if (bad)
        return bad_field(errp, bad);
    d.job_id_str = (char *)job;
    int rc = slurm_rc(slurm_update_job2(&d, &resp));
    int first = array_error(resp);
    return rc ? rc : first;
}

static bool node_state_of(const char *name, uint32_t *state)
{
    static const struct {
        const char *name;
        uint32_t state;
    } states[] = {
        {"down", NODE_STATE_DOWN},
        {"drain", NODE_STATE_DRAIN},
        {"resume", NODE_RESUME},
        {"idle", NODE_STATE_IDLE},
        {"power_down", NODE_STATE_POWER_DOWN},
        {"power_down_force", NODE_STATE_POWER_DOWN | NODE_STATE_POWERED_DOWN},
        {"power_down_asap", NODE_STATE_POWER_DOWN | NODE_STATE_POWER_DRAIN},
        {"power_up", NODE_STATE_POWER_UP},
    };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(name, states[i].name) == 0) {
            *state = states[i].state;
            return true;
        }
    }
    return false;
}

static int update_node(const cJSON *m, burst_error_t *errp)
{
    update_node_msg_t u;
    const char *bad = NULL;

    slurm_init_update_node_msg(&u);
    u.node_names = text_field(m, "nodes", &bad);
    if (!u.node_names || !u.node_names[0])
        return bad_field(errp, "nodes");
    char *state = text_field(m, "state", &bad);
    if (state && !node_state_of(state, &u.node_state))
        return invalid(errp, "\"state\" is none of down, drain, resume, idle, power_down, "
                             "power_down_force, power_down_asap, power_up");
    u.reason = text_field(m, "reason", &bad);
    u.node_addr = text_field(m, "addr", &bad);
    u.node_hostname = text_field(m, "hostname", &bad);
    u.comment = text_field(m, "comment", &bad);
    u.extra = text_field(m, "extra", &bad);
    if (bad)
        return bad_field(errp, bad);
    COMPAT_SET_REASON_UID(&u, getuid());
    return slurm_rc(slurm_update_node(&u));
}

static int send_signal(const cJSON *m, int64_t dflt, uint16_t flags, burst_error_t *errp)
{
    const char *job = json_str(m, "job", NULL), *bad = NULL;
    int64_t sig = dflt;

    if (!job_name_ok(job))
        return bad_field(errp, "job");
    number_field(m, "signal", 1, 64, &sig, &bad);
    if (bad || sig < 1)
        return bad_field(errp, "signal");
    return slurm_rc(slurm_kill_job2(job, (uint16_t)sig, flags, NULL));
}

static int signal_job(const cJSON *m, burst_error_t *errp)
{
    uint16_t flags = 0;

    if (json_bool(m, "full", false))
        flags = KILL_FULL_JOB; // steps and batch script
    else if (json_bool(m, "batch", false))
        flags = KILL_JOB_BATCH; // batch shell only
    return send_signal(m, 0, flags, errp);
}

static int kill_job(const cJSON *m, burst_error_t *errp)
{
    return send_signal(m, SIGKILL, 0, errp);
}

static int requeue_job(const cJSON *m, burst_error_t *errp)
{
    job_array_resp_msg_t *resp = NULL;
    const char *job = json_str(m, "job", NULL);

    if (!job_name_ok(job))
        return bad_field(errp, "job");
    int rc = slurm_rc(slurm_requeue2((char *)job, 0, &resp));
    int first = array_error(resp);
    return rc ? rc : first;
}

static int notify_job(const cJSON *m, burst_error_t *errp)
{
    const char *bad = NULL;
    char *text = text_field(m, "text", &bad);
    int64_t id = 0;

    if (!number_field(m, "job_id", 1, NO_VAL - 1, &id, &bad))
        return bad_field(errp, "job_id");
    if (!text)
        return bad_field(errp, "text");
    return slurm_rc(slurm_notify_job((uint32_t)id, text));
}

// Asked of slurmctld once: libslurm has no other public way to tell.
static const char *cluster_name(int *rc)
{
    static char *name;
    slurm_conf_t *conf = NULL;

    if (!name) {
        *rc = slurm_rc(slurm_load_ctl_conf(0, &conf));
        if (*rc)
            return NULL;
        name = xstrdup(conf->cluster_name);
        compat_free_conf(conf);
    }
    return name;
}

static int db_comment(const cJSON *m, burst_error_t *errp)
{
    struct dbd_job job = {0};
    const char *bad = NULL, *name = text_field(m, "job", &bad);
    char *comment = text_field(m, "admin_comment", &bad);
    int64_t id = 0;
    int rc = 0;

    if (!number_field(m, "job_id", 1, NO_VAL - 1, &id, &bad))
        return bad_field(errp, "job_id");
    if (!number_field(m, "submit", 1, INT64_C(1) << 40, &job.submit, &bad))
        return bad_field(errp, "submit");
    if (!comment || bad || (name && !job_name_ok(name)))
        return bad_field(errp, !comment ? "admin_comment" : bad ? bad : "job");
    job.job_id = (uint32_t)id;
    const char *task = name ? strchr(name, '_') : NULL;
    if (task) {
        job.array_job_id = (uint32_t)strtoul(name, NULL, 10);
        job.array_task_id = (uint32_t)strtoul(task + 1, NULL, 10);
    }
    const char *cluster = cluster_name(&rc);
    return cluster ? dbd_set_admin_comment(cluster, &job, comment, errp) : rc;
}

static int ping(const cJSON *m, burst_error_t *errp)
{
    return 0;
}

static const struct {
    const char *op;
    int (*run)(const cJSON *m, burst_error_t *errp);
} ops[] = {
    {"update_job", update_job}, {"update_node", update_node},
    {"signal_job", signal_job}, {"requeue_job", requeue_job},
    {"kill_job", kill_job},     {"notify_job", notify_job},
    {"db_comment", db_comment}, {"ping", ping},
};

static int run(const cJSON *m, burst_error_t *errp)
{
    const char *op = json_str(m, "op", "");

    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        if (strcmp(op, ops[i].op) == 0)
            return ops[i].run(m, errp);
    return invalid(errp, "unknown \"op\"");
}

static void answer(const cJSON *m)
{
    burst_error_t err = {""};
    int rc = run(m, &err);
    cJSON *a = cJSON_CreateObject();

    json_add_i64(a, "id", json_i64(m, "id", -1));
    json_add_i64(a, "rc", rc);
    if (rc)
        cJSON_AddStringToObject(a, "error", err.text[0] ? err.text : slurm_strerror(rc));
    lineio_write_json(a);
    cJSON_Delete(a);
}

int command_run(void)
{
    cJSON *msg;

    while (lineio_read(-1, &msg) == LINEIO_LINE) {
        answer(msg);
        cJSON_Delete(msg);
    }
    return 0;
}
