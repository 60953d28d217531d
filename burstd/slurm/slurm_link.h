// SPDX-License-Identifier: GPL-3.0-or-later
// burstd's side of burst-slurm: the latest tables of jobs and nodes, and commands to slurmctld.
// Both children are restarted with back-off when they die; commands that were under way then
// answer rc -1 (their outcome is unknown: callers are level-triggered and look at the tables).
#ifndef BURST_SLURM_LINK_H
#define BURST_SLURM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <uv.h>

#include "libburst/error.h"

// State bits of a job beside its base state.
enum {
    SJOB_COMPLETING = 1 << 0,
    SJOB_CONFIGURING = 1 << 1,
    SJOB_REQUEUED = 1 << 2,
    SJOB_STAGE_OUT = 1 << 3,
};

enum sjob_state { SJOB_PENDING, SJOB_RUNNING, SJOB_SUSPENDED, SJOB_ENDED };

// One job or one task of an array as Slurm sees it. Strings are "" when Slurm has none.
struct sjob {
    char job[40]; // "123" or "123_4": key, and what commands take
    uint32_t job_id;
    enum sjob_state state;
    char state_name[24]; // PENDING, RUNNING, COMPLETED, CANCELLED, NODE_FAIL, ...
    unsigned flags;      // SJOB_...
    char *reason;        // Resources, Priority, JobHeldUser, ...
    char *name, *user, *account, *qos, *partition, *nodes, *req_nodes, *exc_nodes, *features;
    char *licenses, *dependency, *work_dir, *std_in, *std_out, *std_err, *admin_comment;
    char *reservation;
    uint32_t uid, gid;
    int64_t submit, eligible, start, end, deadline; // epoch seconds, 0 = none
    int64_t time_limit_s;                           // 0 = none or unlimited
    uint32_t priority;                              // 0 = held
    uint32_t restarts;
    uint32_t num_nodes_min, num_nodes_max, num_cpus, cpus_per_task, num_tasks, ntasks_per_node;
    uint64_t mem_per_node_mib, mem_per_cpu_mib; // 0 = not given
    char gpu_type[32];                          // "" = any
    uint32_t gpus_per_node, gpus_per_job, gpus_per_task;
    bool other_gres, batch, requeue, exclusive, het;
};

enum {
    SNODE_IDLE = 1 << 0,
    SNODE_ALLOCATED = 1 << 1, // or mixed
    SNODE_DOWN = 1 << 2,
    SNODE_DRAIN = 1 << 3,
    SNODE_CLOUD = 1 << 4,
    SNODE_POWERED_DOWN = 1 << 5,
    SNODE_POWERING_UP = 1 << 6,
    SNODE_POWERING_DOWN = 1 << 7,
    SNODE_NOT_RESPONDING = 1 << 8,
    SNODE_COMPLETING = 1 << 9,
    SNODE_POWER_DOWN = 1 << 10, // asked for
    SNODE_INVALID_REG = 1 << 11,
    SNODE_FUTURE = 1 << 12,
};

struct snode {
    char name[64];
    unsigned flags; // SNODE_...
    char *reason, *addr, *partitions /* comma list */, *gres, *features;
    uint32_t cpus;
    uint64_t memory_mib;
    int64_t boot_time, slurmd_start;
};

struct spart {
    char name[64];
    bool is_default, up;
    char *nodes; // host list expression
    int64_t max_time_s;
    uint32_t max_nodes;
};

struct slurm_link;

struct slurm_link_ops {
    // The tables changed (jobs, nodes or partitions); called at most once per message.
    void (*changed)(void *arg);
    // Connection to slurmctld lost (ok=false, why) or back (ok=true).
    void (*status)(void *arg, bool ok, const char *why);
};

typedef void (*slurm_cmd_cb)(void *arg, int rc, const char *error);

// slurm_conf may be NULL (Slurm's default). Starts the children.
struct slurm_link *slurm_link_create(uv_loop_t *loop, const char *slurm_conf, int poll_ms,
                                     const struct slurm_link_ops *ops, void *arg,
                                     burst_error_t *errp);
// Ends the children; no callback is called any more, commands under way get no answer. Not from
// inside one of the link's own callbacks. Memory goes with the loop's next turns.
void slurm_link_destroy(struct slurm_link *l);

// How long a command (30 s) and the watcher's silence (90 s) may last. For tests.
void slurm_link_set_limits(struct slurm_link *l, int command_ms, int silence_ms);

// True once the first full tables have arrived and while slurmctld answers.
bool slurm_link_ready(const struct slurm_link *l);

// Borrowed until the next return to the loop. find: NULL when unknown.
const struct sjob *slurm_link_job(const struct slurm_link *l, const char *job);
// By id: tasks that wait inside an array have the array's id; one that has started goes before
// them.
const struct sjob *slurm_link_job_by_id(const struct slurm_link *l, uint32_t job_id);
const struct snode *slurm_link_node(const struct slurm_link *l, const char *name);
size_t slurm_link_jobs(const struct slurm_link *l, const struct sjob *const **jobs);
size_t slurm_link_nodes(const struct slurm_link *l, const struct snode *const **nodes);
size_t slurm_link_parts(const struct slurm_link *l, const struct spart *const **parts);
int64_t slurm_link_last_update(const struct slurm_link *l); // epoch seconds

void slurm_link_poke(struct slurm_link *l);
void slurm_link_fast(struct slurm_link *l, bool on);

// Queues a command of internals.md section 6 (`op` and fields, without id; taken over). cb may be
// NULL; it is called from the loop with rc 0, Slurm's errno, or -1 (link down).
void slurm_link_command(struct slurm_link *l, cJSON *cmd, slurm_cmd_cb cb, void *arg);

#endif
