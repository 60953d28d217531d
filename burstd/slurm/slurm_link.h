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
#include "slurm/records.h"

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

// Slurm's limits on what may run at a time, of all accounts and QOS and of these users' (borrowed
// texts). Has them read when they are a minute old or somebody's are missing; the tables change
// when they come. False: wait for them, it is a matter of moments. True also when they do not come.
bool slurm_link_limits_ready(struct slurm_link *l, const char *const *users, size_t n);
struct limits;
const struct limits *slurm_link_limits(const struct slurm_link *l); // never NULL

// Borrowed until the next return to the loop. find: NULL when unknown.
const struct sjob *slurm_link_job(const struct slurm_link *l, const char *job);
// By id: tasks that wait inside an array have the array's id; one that has started goes before
// them.
const struct sjob *slurm_link_job_by_id(const struct slurm_link *l, uint32_t job_id);
const struct snode *slurm_link_node(const struct slurm_link *l, const char *name);
size_t slurm_link_jobs(const struct slurm_link *l, const struct sjob *const **jobs);
size_t slurm_link_nodes(const struct slurm_link *l, const struct snode *const **nodes);
size_t slurm_link_parts(const struct slurm_link *l, const struct spart *const **parts);
// NULL when unknown. name may be a comma list: the first of them.
const struct spart *slurm_link_part(const struct slurm_link *l, const char *name);
int64_t slurm_link_last_update(const struct slurm_link *l); // epoch seconds

void slurm_link_poke(struct slurm_link *l);
void slurm_link_fast(struct slurm_link *l, bool on);

// Queues a command of internals.md section 6 (`op` and fields, without id; taken over). cb may be
// NULL; it is called from the loop with rc 0, Slurm's errno, or -1 (link down).
void slurm_link_command(struct slurm_link *l, cJSON *cmd, slurm_cmd_cb cb, void *arg);

#endif
