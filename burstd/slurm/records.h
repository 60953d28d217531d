// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm's jobs, nodes and partitions as burstd sees them.
#ifndef BURST_RECORDS_H
#define BURST_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

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
    uint32_t array_max_tasks; // of its array at a time (--array=...%N), 0 = no limit
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

#endif
