// SPDX-License-Identifier: GPL-3.0-or-later
// A small world in which the core of burstd lives through years in seconds: a Slurm, clouds, SSH,
// an optimizer and a clock that are all simulated behind the real headers, with faults drawn from a
// seed, and a daemon that is killed and started again at any moment.
#ifndef BURST_SIM_WORLD_H
#define BURST_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "libburst/money.h"
#include "state/model.h"

struct world {
    int64_t now_ms; // virtual; starts at EPOCH
    uint64_t seed;
    struct burstd *b;    // the daemon that lives now, NULL while it is down
    unsigned generation; // of the daemon: answers to a dead one are dropped
    // how bad the world is, in per mille
    unsigned capacity, lost_reply, throttle, boot_fails, ssh_fails, dies, preempts, crashes;
    unsigned dear;            // per mille of launches: sold at another price than planned
    money_t dear_by;          // by so much; 0: by up to 20,000 more or less
    unsigned cuts;            // a network fails for minutes, the instance lives on
    unsigned crash_points;    // per 100,000 writes and commands: killed right before or after it
    unsigned full, outages;   // per 100,000 steps: the disk is full, slurmctld is down for a while
    int64_t full_ms, down_ms; // until then
    unsigned unreadable;      // so many stage-ins fail by an I/O error
    int64_t slow_copy_ms;     // that a copy home takes, 0 = a second
    bool no_suspend;          // Slurm powers no node down by itself
    int64_t empty_ms;         // until then listings say that nothing exists
    int64_t unheard_ms;       // until then no region lists what it has, or describes it
    unsigned helper_dies;     // so many operations of burst-ssh end without a word
    bool not_ready;           // something at home is missing that each node needs
    const char *boot_error;   // class of error of every preparation, NULL = none
    const char *stage_error;  // class of error of every stage-in, NULL = none
    const char *data_error;   // the same of every look at a job's data; "" = burst-stagerd is down
    bool no_stagerd;          // burst-stagerd does not run
    bool home_full;           // results cannot be written to their places
    bool keeps_full;          // nor can they be kept
    unsigned kept;            // so many times they were
    unsigned registrations_lost; // so many starts of slurmd are not heard of by Slurm
    bool no_join;                // slurmd starts, and never registers
    bool no_launch;              // slurmd launches no job on rented nodes (Prolog)
    bool no_start;               // Slurm never starts a job on rented nodes
    const char *start_reason;    // and says so; NULL: Resources
    unsigned limit;              // so many jobs of its user may run on rented nodes, 0 = any number
    bool limit_told;             // slurmctld tells that limit to who asks
    int refused_rc;              // Slurm's answer to each update that places a job, 0 = done
    int bad_job;                 // the optimizer refuses all requests with this job, 0 = none
    bool bad_kills;              // or dies of them
    int64_t solver_ms;           // that it thinks for, 0 = 2
    bool trace;
};
extern struct world world;

#define EPOCH_S INT64_C(1700000000)
#define EGRESS INT64_C(700) // what the way of a job's data to any cloud costs

// The directory of this process below $TMPDIR (without it: /dev/shm or /tmp), gone when it exits.
// Those of processes that were killed go with the next one.
const char *sim_dir(void);
void sim_dir_sweep(void);

unsigned draw(unsigned n);       // 0 .. n-1
bool chance(unsigned per_mille); // true that often

// Calls f(arg) at now + delay, or drop(arg) if that never comes. only_for_daemon: dropped when the
// daemon that lives now has died.
void after(int64_t delay_ms, void (*f)(void *arg), void (*drop)(void *arg), void *arg,
           bool only_for_daemon);
// Moves time on by ms and calls what is due.
void run_events(int64_t ms);
void forget_events(void);
// Here the daemon may be killed in the middle of its work (goes back to the loop of the test).
void crash_point(void);
// How many transactions wrote instances in that state.
unsigned journal_changes(enum inst_state state);

// Slurm
void slurm_reset(void);
int slurm_submit(int64_t duration_s, unsigned nodes, bool held); // job id
void slurm_ask(int job, const char *options);                    // of its mark, before it is seen
void slurm_user(int job, unsigned user);                         // whose it is, 0 without
void slurm_priority(int job, unsigned priority);
void slurm_cancel(int job);
void slurm_depend(int job, bool on); // on another job that does not end
void slurm_begin(int job, int64_t in_s);
void slurm_move_here(int job); // while it waits, by hand
void slurm_replace(int job);   // its number is given to another user's job, without a mark
unsigned slurm_drained(void);  // names that Slurm has drained
// An operator drains the names of a cloud (NULL: of all), or takes that back.
void slurm_drain(const char *cloud, bool on);
void slurm_requeue(int job);   // as its user does it
bool slurm_release(int job);   // as its user does it; false: he may not
unsigned slurm_holds(int job); // that burstd asked for
void slurm_step(void);         // scheduler, power saving; every 100 ms
bool slurm_all_over(void);
const char *slurm_job_text(int job); // "COMPLETED"
bool slurm_started(int job);
// Attempts that began although what the one before had written was left on a node that lives.
unsigned slurm_lost_checkpoints(void);
// Starts on other nodes than those that were named, or at home with another range than its own.
unsigned slurm_wrong_ranges(void);
unsigned slurm_shared_instances(void); // that had one user's files when another's came
unsigned slurm_jobs(void);
unsigned slurm_restarts(int job);
unsigned slurm_attempts(int job); // on rented nodes
bool slurm_runs_elsewhere(void);  // some job, on rented nodes
unsigned slurm_starts(void);      // of all jobs on rented nodes, each node counted
bool slurm_results_home(int job);
const char *slurm_node_reason(void); // of the first node that has one
const char *slurm_record(int job);   // AdminComment of its record in accounting
void slurm_node_joined(const char *node, int instance);
void slurm_staged_in(const char *job, int instance);
void slurm_staged_out(const char *job, int instance);
unsigned slurm_spooled(void); // files that wait for burstd
bool slurm_instance_runs_job(int instance);
int slurm_instance_of(int job, unsigned k); // on which it runs, -1 = none

// clouds
void cloud_reset(void);
void cloud_step(void);
unsigned cloud_running(void);
int cloud_by_address(const char *address);
bool cloud_alive(int instance);
void cloud_kill(int instance);
void cloud_notice(int instance, int64_t in_s); // it will be taken back then
void cloud_cut(int instance, int64_t ms);      // from the network
money_t cloud_bill(const char *cloud);
unsigned ssh_signals(void);                   // of notices that reached a job's node
double cloud_spot_hours(const char *cloud);   // of all spot instances that ended
unsigned cloud_taken_back(const char *cloud); // spot instances that got a notice
unsigned cloud_launches_of(const char *token);
unsigned cloud_launched(void);    // instances that came to exist
unsigned cloud_asked(void);       // launches that were asked for, whatever came of them
unsigned cloud_worst_token(void); // most instances beyond a launch's count under one token
bool cloud_exists(int instance);  // it is paid for

// money: launches that no start came of, and hours that nobody had something of (vain.c)
void vain_reset(void);
void vain_step(bool something_runs);                // on rented nodes
void vain_instance(const struct instance *i);       // its row is written
void vain_bound(const char *key, const cJSON *row); // likewise, of state/bounds.h
void vain_launched(int instance, const char *id);   // it came to exist
void vain_served(int instance);                     // a job started on it
void vain_hit(int instance);                        // the world had its hands in it
// Its user, Slurm or the site took the job away: what was rented for it may be in vain once.
void vain_excuse_job(int job);
// A scenario may have so many more, and instances that run for nobody: say there why.
void vain_allow(unsigned launches);
void vain_allow_idle(void);
bool vain_sound(void); // false: says on stderr what is wrong

#endif
