// SPDX-License-Identifier: GPL-3.0-or-later
// What the programs that slurmctld starts have in common. Slurm gives them little: descriptors 0, 1
// and 2 may be closed, the environment may hold nothing but SLURM_CONF, nobody reads their output,
// and they may be killed. What they have to say goes to syslog (daemon).
#ifndef BURST_HOOK_H
#define BURST_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "slurm_plugin/hostconf.h"

#define HOOK_POLL_MS 500 // between attempts to reach a burstd that is down

struct hook {
    const char *name; // "burst-resume"
    struct hostconf conf;
};

// Makes descriptors 0-2 safe, opens syslog, reads burst.conf (a fault is logged, defaults are
// used).
void hook_start(struct hook *h, const char *name);

void hook_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// Tells burstd to look at once: one datagram, never waited for.
void hook_poke(const struct hook *h, const char *word);

// Is this partition (a comma list will do) elastic, as far as the last snapshot tells, whatever its
// age? Without a readable snapshot burstd has never run here: no.
bool hook_elastic(const struct hook *h, const char *partition);

// The job's number in $SLURM_JOB_ID, 0 when there is none.
uint32_t hook_job_id(void);

// Asks burstd about a job (`job_ready`, `job_done`) until it has answered, through restarts and
// absences of burstd, at most timeout_s seconds. 1: the bool `key` of the answer is true, 0: it is
// false, -1: no answer in time or refused. The reason is logged.
int hook_ask(const struct hook *h, const char *method, uint32_t job_id, const char *nodes,
             const char *key, int timeout_s);

#endif
