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
    char *licenses, *dependency, *work_dir, *admin_comment;
    char *std_in, *std_out, *std_err; // of a batch job: sbatch(1)'s patterns; "" = none of its own
    char *reservation;
    uint32_t uid, gid;
    int64_t submit, eligible, start, end, deadline; // epoch seconds, 0 = none
    int64_t time_limit_s;                           // 0 = none or unlimited
    uint32_t priority;                              // 0 = held
    uint32_t restarts;
    // What it must have, 0 = not given; need.h says what each of them means.
    uint32_t num_nodes_min, num_nodes_max, num_cpus, cpus_per_task, num_tasks, ntasks_per_node;
    uint32_t ntasks_per_gpu, cpus_per_node, sockets_per_node;
    uint64_t mem_per_node_mib, mem_per_cpu_mib, tmp_disk_mib;
    bool mem_given;  // by its user; else the default of the partition that it was submitted to
    bool cpus_given; // -c; else a default of GPUs may have raised it
    bool tasks_given;
    char *tres_per_job, *tres_per_node, *tres_per_socket, *tres_per_task; // Slurm's texts
    char *cpus_per_tres, *mem_per_tres; // its user's, or defaults of the partition it is in
    char *takes;   // what it has, or waits for, as limits count it: "cpu=4,mem=2000M,node=2"
    char *special; // what no rented node is known to have, in words
    uint32_t array_max_tasks; // of its array at a time (--array=...%N), 0 = no limit
    bool batch, requeue, exclusive, het;
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
    SNODE_RESERVED = 1 << 13, // for a reservation
    SNODE_MAINT = 1 << 14,    // likewise, of the kind that is for maintenance
    SNODE_FAIL = 1 << 15,
};

struct snode {
    char name[64];
    unsigned flags; // SNODE_...
    char *reason, *addr, *partitions /* comma list */, *gres, *features;
    uint32_t cpus;
    uint64_t memory_mib, tmp_disk_mib;
    int64_t boot_time, slurmd_start;
};

struct spart {
    char name[64];
    bool is_default, up;
    char *nodes; // host list expression
    int64_t max_time_s;
    uint32_t max_nodes;
    // What a job gets that does not say (those of slurm.conf where the partition has none), 0 =
    // none
    uint64_t def_mem_per_node_mib, def_mem_per_cpu_mib, def_mem_per_gpu_mib;
    uint32_t def_cpus_per_gpu;
    uint64_t max_mem_per_node_mib; // 0 = no limit
    bool exclusive;                // its jobs take whole nodes
};

#endif
