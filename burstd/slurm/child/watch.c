// SPDX-License-Identifier: GPL-3.0-or-later
// burst-slurm watch: polls slurmctld (which answers "no change" cheaply) and writes what changed.
// Calls to slurmctld block for MessageTimeout and more when it does not answer; nothing else goes
// on meanwhile, burstd judges by the silence.
#include "slurm/child/watch.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "slurm/child/compat_slurm.h"
#include "slurm/child/delta.h"
#include "slurm/child/estimate.h"
#include "slurm/child/job_json.h"
#include "slurm/child/limits.h"
#include "slurm/child/lineio.h"
#include "slurm/child/node_json.h"

#define TICK_MS 4000 // the contract says 5 s
#define PARTITIONS_MS 5000
#define FAST_MS 100
// slurmctld counts neither a new reason nor a new estimate of a start as a change of its table. So
// while a job waits without a reason the whole table is read at each poll (for at most 5 % of the
// time), and while jobs wait at all every 5 s (for at most 1 %). Nor does it count that it suspends
// an idle node: the same holds for the nodes while a cloud node is awake.
#define REASONS_SHARE 20
#define ESTIMATES_SHARE 100
#define ESTIMATES_MS 5000

// After a hint that something happened: Slurm needs a moment to act on it.
static const int poke_ms[] = {0, 50, 150, 300, 600, 1000};
#define POKE_REST_MS 100
#define POKE_SHARE 20
#define POKES (int)(sizeof(poke_ms) / sizeof(poke_ms[0]))

struct watch {
    int poll_ms;
    bool fast;
    int64_t next_poll;  // clock_mono_ms
    int64_t poked;      // when, 0 = not
    int poke_next;      // index of the next poll after it
    int64_t rest_until; // no poll for a poke before
    int64_t last_wrote; // tick or error
    int64_t next_partitions;
    bool said_hello, failing;
    bool full_jobs, full_nodes, full_partitions; // to be sent in full next time
    time_t jobs_time, nodes_time, partitions_time;
    int64_t last_backfill;
    bool nodes_awake;                     // a cloud node is not powered down
    int64_t next_nodes;                   // clock_mono_ms
    bool reasons_wanted;                  // a job waits and Slurm has not said why
    bool estimates_wanted;                // a job waits and is not held
    int64_t next_reasons, next_estimates; // clock_mono_ms
    bool limits_wanted;                   // burstd has asked for them
    cJSON *limits_users;                  // of these users
    struct delta *jobs, *nodes;
    struct estimates *estimates;
    partition_info_msg_t *partitions; // the latest, for the nodes' lists of partitions
};

struct user {
    uint32_t uid;
    char *name;
    UT_hash_handle hh;
};

// ---- what job_json() asks

static const char *reason_text(uint32_t reason)
{
    if (slurm_job_reason_string)
        return slurm_job_reason_string((enum job_state_reason)reason);
    if (slurm_job_state_reason_string)
        return slurm_job_state_reason_string((enum job_state_reason)reason);
    switch (reason) {
    case WAIT_NO_REASON:
        return "None";
    case WAIT_PRIORITY:
        return "Priority";
    case WAIT_RESOURCES:
        return "Resources";
    case WAIT_DEPENDENCY:
        return "Dependency";
    case WAIT_HELD:
        return "JobHeldAdmin";
    case WAIT_HELD_USER:
        return "JobHeldUser";
    case WAIT_TIME:
        return "BeginTime";
    default:
        return "Other";
    }
}

// Asking the name service for each job each second would be heavy; names do not change while a job
// waits. Restarting burst-slurm forgets them.
static const char *user_name(uint32_t uid)
{
    static struct user *known;
    struct user *u;

    HASH_FIND_INT(known, &uid, u);
    if (!u) {
        struct passwd *pw = getpwuid(uid);
        u = xmalloc(sizeof(*u));
        u->uid = uid;
        u->name = pw ? xstrdup(pw->pw_name) : xasprintf("%u", uid);
        HASH_ADD_INT(known, uid, u);
    }
    return u->name;
}

static const struct job_lookup lookup = {reason_text, user_name};

// ---- messages

static void write_out(void *arg, const char *line)
{
    lineio_write(line);
}

static void write_tick(struct watch *w)
{
    lineio_write("{\"type\":\"tick\"}");
    w->last_wrote = clock_mono_ms();
}

static void write_error(struct watch *w, const char *what, int e)
{
    int64_t now = clock_mono_ms();

    if (w->failing && now - w->last_wrote < TICK_MS)
        return;
    cJSON *m = cJSON_CreateObject();
    char *text = xasprintf("%s: %s", what, slurm_strerror(e));
    cJSON_AddStringToObject(m, "type", "error");
    cJSON_AddStringToObject(m, "error", text);
    lineio_write_json(m);
    free(text);
    cJSON_Delete(m);
    w->failing = true;
    w->last_wrote = now;
}

// 0 = new data, 1 = nothing new, -1 = error (written).
static int outcome(struct watch *w, const char *what, int rc)
{
    if (rc == SLURM_SUCCESS)
        return 0;
    // Some calls return the error itself, some -1 and errno.
    int e = rc > 0 ? rc : slurm_get_errno();
    if (e == SLURM_NO_CHANGE_IN_DATA)
        return 1;
    write_error(w, what, e);
    return -1;
}

static int say_hello(struct watch *w)
{
    slurm_conf_t *conf = NULL;

    if (w->said_hello)
        return 0;
    if (outcome(w, "asking slurmctld for its configuration", slurm_load_ctl_conf(0, &conf)) != 0)
        return -1;
    cJSON *m = cJSON_CreateObject();
    cJSON_AddStringToObject(m, "type", "hello");
    json_add_str(m, "slurm", conf->version);
    json_add_str(m, "cluster", conf->cluster_name);
    lineio_write_json(m);
    cJSON_Delete(m);
    compat_free_conf(conf);
    w->said_hello = true;
    w->last_wrote = clock_mono_ms();
    return 0;
}

// ---- the three tables

static void add_gpu_defaults(struct partition_defaults *d, compat_list_t *list)
{
    const job_defaults_t *item;

    if (!list)
        return;
    compat_list_itr_t *it = slurm_list_iterator_create(list);
    while ((item = slurm_list_next(it))) {
        if (item->type == JOB_DEF_CPU_PER_GPU)
            d->cpus_per_gpu = item->value;
        else if (item->type == JOB_DEF_MEM_PER_GPU)
            d->mem_per_gpu = item->value;
    }
    slurm_list_iterator_destroy(it);
}

// Where the partition says nothing what slurm.conf says for all counts.
static cJSON *one_partition(const partition_info_t *p, const slurm_conf_t *conf)
{
    struct partition_defaults d = {
        .memory = p->def_mem_per_cpu ? p->def_mem_per_cpu : conf->def_mem_per_cpu,
        .max_memory = p->max_mem_per_cpu ? p->max_mem_per_cpu : conf->max_mem_per_cpu};

    add_gpu_defaults(&d, conf->job_defaults_list);
    add_gpu_defaults(&d, p->job_defaults_list);
    return partition_json(p, &d);
}

static int poll_partitions(struct watch *w)
{
    partition_info_msg_t *msg = NULL;
    int64_t now = clock_mono_ms();

    if (now < w->next_partitions && !w->full_partitions)
        return 0;
    int r = outcome(w, "asking slurmctld for the partitions",
                    slurm_load_partitions(w->full_partitions ? 0 : w->partitions_time, &msg,
                                          SHOW_ALL | SHOW_LOCAL));
    if (r < 0)
        return -1;
    w->next_partitions = now + PARTITIONS_MS;
    if (r > 0)
        return 0;
    slurm_conf_t *conf = NULL; // `scontrol reconfigure` may have changed it with the partitions
    if (outcome(w, "asking slurmctld for its configuration", slurm_load_ctl_conf(0, &conf)) != 0) {
        slurm_free_partition_info_msg(msg);
        return -1;
    }
    cJSON *m = cJSON_CreateObject();
    cJSON_AddStringToObject(m, "type", "partitions");
    cJSON *a = cJSON_AddArrayToObject(m, "partitions");
    for (uint32_t i = 0; i < msg->record_count; i++)
        cJSON_AddItemToArray(a, one_partition(&msg->partition_array[i], conf));
    compat_free_conf(conf);
    lineio_write_json(m);
    cJSON_Delete(m);
    if (w->partitions)
        slurm_free_partition_info_msg(w->partitions);
    w->partitions = msg;
    w->partitions_time = msg->last_update;
    w->full_partitions = false;
    w->nodes_time = 0; // which partitions a node is in may have changed with them
    return 0;
}

static int poll_nodes(struct watch *w)
{
    node_info_msg_t *msg = NULL;

    int64_t begun = clock_mono_ms();
    bool all = w->full_nodes || (w->nodes_awake && begun >= w->next_nodes);

    int r = outcome(w, "asking slurmctld for the nodes",
                    slurm_load_node(all ? 0 : w->nodes_time, &msg, SHOW_ALL | SHOW_LOCAL));
    if (r != 0)
        return r < 0 ? -1 : 0;
    w->nodes_awake = false;
    if (w->partitions)
        slurm_populate_node_partitions(msg, w->partitions);
    delta_begin(w->nodes, w->full_nodes, msg->last_update);
    for (uint32_t i = 0; i < msg->record_count; i++) {
        uint32_t state = msg->node_array[i].node_state;
        w->nodes_awake |= (state & NODE_STATE_CLOUD) && !(state & NODE_STATE_POWERED_DOWN);
        cJSON *o = node_json(&msg->node_array[i]);
        if (!o)
            continue;
        char *text = json_line(o);
        delta_item(w->nodes, msg->node_array[i].name, text);
        cJSON_free(text);
        cJSON_Delete(o);
    }
    delta_end(w->nodes);
    w->nodes_time = msg->last_update;
    w->full_nodes = false;
    slurm_free_node_info_msg(msg);
    int64_t now = clock_mono_ms();
    w->next_nodes = now + (now - begun) * REASONS_SHARE;
    return 0;
}

static void one_job(void *arg, const slurm_job_info_t *j)
{
    struct watch *w = arg;
    char key[JOB_KEY_MAX];
    cJSON *o = job_json(j, &lookup);

    job_key(j, key);
    if ((j->job_state & 0xff) == JOB_PENDING) {
        int64_t start = 0; // of a held job, whatever was computed before the hold
        if (j->priority != 0) {
            start = estimates_of(w->estimates, key, j->start_time, w->last_backfill, clock_now_s());
            w->estimates_wanted = true;
            w->reasons_wanted |= j->state_reason == WAIT_NO_REASON;
        }
        cJSON_SetNumberValue(cJSON_GetObjectItemCaseSensitive(o, "start"), (double)start);
    }
    char *text = json_line(o);
    delta_item(w->jobs, key, text);
    cJSON_free(text);
    cJSON_Delete(o);
}

static int poll_jobs(struct watch *w)
{
    job_info_msg_t *msg = NULL;
    int64_t begun = clock_mono_ms();
    bool all = w->full_jobs || (w->reasons_wanted && begun >= w->next_reasons) ||
               (w->estimates_wanted && begun >= w->next_estimates);

    int r = outcome(w, "asking slurmctld for the jobs",
                    slurm_load_jobs(all ? 0 : w->jobs_time, &msg, SHOW_ALL | SHOW_LOCAL));
    if (r != 0)
        return r < 0 ? -1 : 0;
    w->estimates_wanted = w->reasons_wanted = false;
    w->last_backfill = msg->last_backfill;
    delta_begin(w->jobs, w->full_jobs, msg->last_update);
    for (uint32_t i = 0; i < msg->record_count; i++)
        job_each(&msg->job_array[i], one_job, w);
    delta_end(w->jobs);
    estimates_sweep(w->estimates);
    w->jobs_time = msg->last_update;
    w->full_jobs = false;
    slurm_free_job_info_msg(msg);
    int64_t now = clock_mono_ms(), took = now - begun, pause = took * ESTIMATES_SHARE;
    w->next_reasons = now + took * REASONS_SHARE;
    w->next_estimates = now + (pause > ESTIMATES_MS ? pause : ESTIMATES_MS);
    return 0;
}

static void send_limits(struct watch *w)
{
    if (!w->limits_wanted)
        return;
    cJSON *m = limits_load(w->limits_users, w->partitions);
    lineio_write_json(m);
    cJSON_Delete(m);
    w->limits_wanted = false;
}

// Partitions before nodes before jobs: whoever sees a job knows the place it names.
static void poll_all(struct watch *w)
{
    if (say_hello(w) < 0 || poll_partitions(w) < 0 || poll_nodes(w) < 0 || poll_jobs(w) < 0)
        return;
    send_limits(w);
    if (w->failing || clock_mono_ms() - w->last_wrote >= TICK_MS) {
        w->failing = false;
        write_tick(w);
    }
}

// ---- the loop

static void take_command(struct watch *w, const cJSON *msg)
{
    const char *cmd = json_str(msg, "cmd", "");

    if (strcmp(cmd, "poke") == 0) {
        w->poked = clock_mono_ms();
        w->poke_next = 0;
    } else if (strcmp(cmd, "fast") == 0) {
        w->fast = json_bool(msg, "on", false);
        w->next_poll = clock_mono_ms();
    } else if (strcmp(cmd, "full") == 0) {
        w->full_jobs = w->full_nodes = w->full_partitions = true;
        w->next_poll = clock_mono_ms();
    } else if (strcmp(cmd, "limits") == 0) {
        cJSON_Delete(w->limits_users);
        w->limits_users = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(msg, "users"), true);
        w->limits_wanted = true;
        w->next_poll = clock_mono_ms();
    } else
        fprintf(stderr, "warning: unknown command \"%.40s\"\n", cmd);
}

static int64_t next_deadline(const struct watch *w)
{
    int64_t t = w->next_poll;

    if (w->poked) {
        int64_t at = w->poked + poke_ms[w->poke_next];
        // A stream of submissions pokes without end: slurmctld is asked a small share of the time.
        if (at < w->rest_until)
            at = w->rest_until;
        if (at < t)
            t = at;
    }
    return t;
}

static void poll_when_due(struct watch *w)
{
    int64_t now = clock_mono_ms();

    if (now < next_deadline(w))
        return;
    // One poll serves all the pokes that are due.
    while (w->poked && w->poked + poke_ms[w->poke_next] <= now)
        if (++w->poke_next == POKES)
            w->poked = 0;
    poll_all(w);
    int64_t end = clock_mono_ms();
    w->rest_until = end + POKE_REST_MS + (end - now) * POKE_SHARE;
    w->next_poll = end + (w->fast && !w->failing ? FAST_MS : w->poll_ms);
}

int watch_run(int poll_ms)
{
    struct watch w = {
        .poll_ms = poll_ms, .full_jobs = true, .full_nodes = true, .full_partitions = true};
    cJSON *msg;

    w.jobs = delta_create("jobs", write_out, NULL);
    w.nodes = delta_create("nodes", write_out, NULL);
    w.estimates = estimates_create();
    w.next_poll = clock_mono_ms();
    for (;;) {
        poll_when_due(&w);
        switch (lineio_read(next_deadline(&w), &msg)) {
        case LINEIO_LINE:
            take_command(&w, msg);
            cJSON_Delete(msg);
            break;
        case LINEIO_TIMEOUT:
            break;
        case LINEIO_EOF:
            return 0;
        }
    }
}
