// SPDX-License-Identifier: GPL-3.0-or-later
// What a job at its submission asks of nodes, and how many nodes of a given size it takes. Pure: no
// Slurm header, no allocation. All values come from clients: any number, any text.
#ifndef BURST_NEED_H
#define BURST_NEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEED_GPU 32 // buffer for a GPU type, as SNAPSHOT_GPU

// A job as submitted. Numbers are 0 when not given, strings NULL; strings are borrowed.
struct job_request {
    uint32_t uid;          // the job's owner
    bool privileged;       // submitted by root or SlurmUser
    bool batch;            // has a script: sbatch
    bool immediate;        // must start at once or fail
    bool het;              // component of a het job
    bool held;             // the user holds it himself
    const char *partition; // comma list
    const char *account;   // NULL: the user's default, which is not known here
    const char *special;   // what it asks for that rented nodes do not have ("a reservation")
    uint32_t minutes;      // time limit
    uint32_t min_nodes, max_nodes;
    uint32_t tasks, tasks_per_node, cpus_per_task;
    uint32_t min_cpus;      // of the whole job
    uint32_t cpus_per_node; // --mincpus
    uint32_t sockets_per_node;
    uint32_t tasks_per_gpu;
    bool overcommit;
    bool exclusive; // whole nodes
    bool mem_given; // what follows is the user's own; --mem=0 is memory, too
    bool cpus_given;
    uint64_t mem_per_node_mib, mem_per_cpu_mib;
    // Slurm's TRES texts: "gres:gpu:2" (to 23.02), "gres/gpu:a100:2", "gres/gpu:a100=2", "cpu:4"
    const char *tres_per_job, *tres_per_node, *tres_per_socket, *tres_per_task;
    const char *cpus_per_tres, *mem_per_tres;
    const char *constraint; // --constraint
    const char *licenses;   // whether they may be used from rented nodes is not counted here
    uint64_t tmp_disk_mib;  // per node
};

// The same, added up.
struct need {
    uint64_t nodes;     // at least; at least 1
    uint64_t max_nodes; // UINT64_MAX = no limit
    uint64_t tasks;     // at least 1
    uint64_t tasks_per_node;
    uint64_t cpus_per_node, cpus_per_task, cpus_total, cpus_per_gpu;
    uint64_t gpus_per_node, gpus_per_task, gpus_total;
    uint64_t mem_per_node, mem_per_cpu, mem_per_gpu; // MiB
    bool overcommit, exclusive;
    bool mem_given, cpus_given; // by the user, not by a default
    bool per_gpu;               // somebody says what goes with each GPU; need_settle() sets it
    char gpu_type[NEED_GPU];    // "" = any
    uint64_t tmp_disk;          // MiB per node
    const char *constraint;     // borrowed from the request; NULL or "" = none
};

// What Slurm adds to a job that does not say it itself (DefMemPerCPU, DefMemPerNode, DefCpuPerGPU,
// DefMemPerGPU of a partition or of all); 0 = nothing.
struct need_defaults {
    uint64_t mem_per_node, mem_per_cpu, mem_per_gpu, cpus_per_gpu;
    bool exclusive; // OverSubscribe=EXCLUSIVE
};

// A node.
struct node_size {
    uint64_t cpus, memory_mib;
    uint64_t gpus; // of the type asked for
    uint64_t tmp_disk_mib;
    const char *features; // comma list; NULL = not known, they are taken to be what is wanted
};

// -1 with a few words in why ("the GRES shard") when it asks for what only Slurm can judge.
int need_of(const struct job_request *j, struct need *n, char *why, size_t size);

// CPUs that its user wants for each task.
uint64_t need_cpus_of_task(const struct job_request *j);

// Adds the defaults. Memory is that of the partition that the job is submitted to and stays when it
// is moved; NULL: it is in the request already. What depends on GPUs is that of the partition in
// which it runs, and takes the place of memory that its user did not give.
void need_settle(struct need *n, const struct need_defaults *submitted,
                 const struct need_defaults *runs);

bool need_wants_gpu(const struct need *n);

// What one node can take of the job; false when a node of this size cannot take part at all.
struct node_share {
    uint64_t tasks, cpus, gpus; // at most
};
bool need_share(const struct need *n, const struct node_size *size, struct node_share *share);

// Nodes of this one size that the job takes, 0 = it cannot run on them.
uint64_t need_count(const struct need *n, const struct node_size *size);

#endif
