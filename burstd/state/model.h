// SPDX-License-Identifier: GPL-3.0-or-later
// The two things that burstd remembers across a restart: instances (what it rented) and jobs (what
// it rents them for). Plain data; store.h makes them durable, instances.h and jobs.h keep the
// tables.
#ifndef BURST_MODEL_H
#define BURST_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "libburst/money.h"
#include "state/ssh_slots.h"

struct ssh_op;
struct port_wait;

const char *market_text(bool spot); // "spot" or "on-demand"

// Order matters: everything below INST_TERMINATING may cost money and serve a job.
enum inst_state {
    INST_LAUNCHING,   // the launch request may be under way; its token is in the journal
    INST_LAUNCHED,    // the cloud has accepted it and named it
    INST_UP,          // it has an address; being prepared over SSH
    INST_READY,       // prepared; results of earlier jobs are home; no node name yet
    INST_BOUND,       // stands behind a node name; slurmd not yet registered
    INST_JOINED,      // its slurmd is registered, its job has not started yet
    INST_BUSY,        // runs its job, or that job's results are being brought home
    INST_IDLE,        // registered, no job
    INST_DRAINING,    // the cloud wants it back, or an operator: no new work
    INST_TERMINATING, // asked to end until the cloud confirms
    INST_GONE,        // ended, its bill is final
};
const char *inst_state_name(enum inst_state s);
int inst_state_parse(const char *name, enum inst_state *out);

enum {
    INST_F_RESUMED = 1 << 0,      // Slurm has asked for its node (ResumeProgram)
    INST_F_STAGED_IN = 1 << 1,    // the job's data are on it
    INST_F_STAGE_OUT = 1 << 2,    // it holds results that are not home yet: never terminated
    INST_F_LOST = 1 << 3,         // it vanished or died; nothing can be asked of it
    INST_F_SIGNALLED = 1 << 4,    // its job was told of the notice
    INST_F_OPDRAIN = 1 << 5,      // an operator drains it
    INST_F_SUSPENDED = 1 << 6,    // Slurm has given the node back (SuspendProgram)
    INST_F_NODE_DOWN = 1 << 7,    // its node must be set down, then powered down in Slurm
    INST_F_PREEMPTED = 1 << 8,    // the cloud took it back
    INST_F_BOOT_FAILED = 1 << 9,  // it never became ready
    INST_F_CHECKPOINTED = 1 << 10 // under notice: what the job had written is home (or was tried)
};

// What went wrong with an instance that was to serve a job: written down by the room that saw it,
// read by the job's room at its next look (job/securing.h). Failures of a launch bear the names
// that the cloud's answer has (provider.h).
enum failure_class {
    FAILURE_NONE,
    FAILURE_CAPACITY,
    FAILURE_QUOTA,
    FAILURE_THROTTLE,
    FAILURE_AUTH,
    FAILURE_INVALID,
    FAILURE_TRANSIENT,
    FAILURE_BOOT,      // it did not come up or could not be prepared
    FAILURE_STAGE_IN,  // its job's data could not be brought to it
    FAILURE_JOIN,      // its slurmd did not register
    FAILURE_LOST,      // it vanished or ended by itself
    FAILURE_RECLAIMED, // the cloud takes it back
    FAILURE_SUSPENDED, // Slurm gave its idle node back
    FAILURE_START,     // Slurm did not start the job on it, or refused to move the job there
    FAILURE_DRAINED,   // an operator drains it
    FAILURE_LAST = FAILURE_DRAINED
};
const char *failure_class_name(enum failure_class c);

// How far it reaches, as far as that is known.
enum failure_scope {
    FAILURE_OF_INSTANCE, // another one would do
    FAILURE_OF_PLACE,    // this region or zone, type and market
    FAILURE_OF_CLOUD,
    FAILURE_OF_JOB, // no other node would cure it
    FAILURE_OF_SITE,
};
const char *failure_scope_name(enum failure_scope s);

struct failure {
    enum failure_class cls; // FAILURE_NONE = nothing is recorded
    enum failure_scope scope;
    char job[40];  // whom it served then
    char why[256]; // a sentence for people
    bool read;     // the job's room knows it; of this process only
};

// The sum of what the journal has charged, as far as this process knows it (money/ledger.c).
struct charged {
    money_t sum;
    unsigned rollbacks; // of the journal, when it was read
    bool known;
};

// By what instances are found (state/instances.h).
enum instance_index { BY_NODE, BY_JOB, BY_CLOUD_ID, INSTANCE_INDEXES };

struct instance {
    // journalled; job, node and cloud_id of one that is in the table only by its setters
    char id[48];    // ours: <cluster>-<16 hex>-<n>; a tag in the cloud
    char group[48]; // all instances of one launch; also its idempotency token
    char job[40];   // whom it serves; "" = nobody
    char cloud[33], region[64], zone[64], itype[128], shape[33], partition[64];
    bool spot;
    money_t price; // micro-dollars per hour at purchase
    enum inst_state state;
    unsigned flags;
    char cloud_id[128], address[64], host_key[256], node[64];
    int64_t created, launched, ended, since, idle_since, notice_at; // epoch seconds, 0 = not yet
    int64_t charged_to;                                             // ledger: accounted until then
    char reason[256];
    unsigned boot_failures;
    int64_t observed_to;    // its spot hours are counted until then (observed.h), 0 = none yet
    struct failure failure; // why it serves its job no more
    uint32_t served; // uid of the user whose files and processes may be on it; 0 = nobody's yet

    // of this process only
    bool calling;         // a provider call is under way
    struct ssh_op *ssh;   // an SSH operation is under way
    void *ssh_arg;        // its callback's argument, owned; freed with a cancel
    enum ssh_use ssh_use; // what for, in whose slot
    uint32_t ssh_uid;
    struct port_wait *port; // it is waited for until its SSH answers
    void *port_arg;         // likewise
    bool port_open;         // it did
    char port_why[128];     // why not, lately
    int64_t since_ms;       // monotonic: in this state since then, as far as this process knows
    int64_t missing_ms;     // monotonic: no listing has it since then, 0 = the last one had it
    bool absent;            // and the cloud, asked for it alone, does not know it
    int64_t next_ms;        // monotonic: nothing to do before this
    int64_t sync_ms;        // monotonic: what its job wrote comes home again then
    char unhomed[200]; // why home does not take its job's results, "" = as far as is known it does
    bool keep_next;    // at the next try they may be kept (keep.h)
    bool keeping;      // the stage-out that is under way keeps them
    unsigned keeps_failed;  // so often that did not work either
    bool untold;            // its job is to be told of a notice, and was not yet
    int64_t grace_ms;       // monotonic: under notice, its job may go on until then
    unsigned tries, misses; // of the present state; descriptions that did not find it
    bool node_cmd;          // a node command is under way
    bool addr_set;          // Slurm knows its address
    bool join_done;         // slurmd was started
    unsigned rejoins;       // and started anew, because Slurm had not heard of it
    int64_t join_ms;        // monotonic: when it was started last
    struct charged charged;
    struct {
        struct instances_alike *alike; // those with the same text; NULL: it is in no table
        struct instance *prev, *next;
    } in[INSTANCE_INDEXES];
    UT_hash_handle hh;
};

enum job_state {
    JOB_WATCHING,  // may burst, local for now
    JOB_CANDIDATE, // wants capacity now
    JOB_SECURING,  // its instances are being launched and prepared
    JOB_PLACED,    // pointed at its nodes; Slurm starts it
    JOB_RUNNING,
    JOB_STAGEOUT, // ended; results on their way home
    JOB_DONE,
    JOB_LOCAL,   // started or ended on the site's own nodes
    JOB_REFUSED, // cannot be burst (limits, errors); stays where Slurm has it
};
const char *job_state_name(enum job_state s);
int job_state_parse(const char *name, enum job_state *out);

#define GANG_MAX 256             // nodes of a job
#define BJOB_NODE_NAMES_MAX 4096 // the list of their names, with its end

// Most jobs only wait: texts that are long and mostly empty are pointers, never NULL, to be set
// with bjob_set() alone.
struct bjob {
    // journalled
    char key[40];              // "123" or "123_4"
    uint32_t job_id, uid, gid; // job_id of one that is in the table only by jobs_set_id()
    char name[128], user[64], account[64], origin[256]; // origin: partition it was submitted to
    const char *mark;                                   // as the plugin wrote it
    enum job_state state;
    char group[48]; // launch that serves it now, "" = none (idle instances may serve it)
    char cloud[33], region[64], zone[64], itype[128], shape[33], partition[64];
    bool spot;
    unsigned nodes;
    const char *node_names; // comma list, in order; batch host first
    int64_t submit, since, placed_at, started, ended;
    uint32_t restarts, placed_restarts; // as Slurm counts them: now, and when it was placed
    money_t price;                      // per hour, all nodes of the present attempt
    money_t settled;                    // cost of what is charged so far
    money_t reserved;                   // what its present attempt may cost at most, for the caps
    const char *history;                // places of earlier attempts
    char reason[256];                   // why it is in this state, for people
    const char
        *stage;      // JSON: {"work_dir","in":[...],"out":[...],"log":path}, kept for after its end
    int64_t limit_s; // time limit, 0 = none
    money_t transfer; // egress planned for the present attempt and not charged yet
    money_t egress;   // what was charged for it when the last attempt began
    int64_t deadline;
    bool our_hold;            // priority 0 is ours, not the user's: we may release it
    bool requeue_wanted;      // after the stage-out it is planned again, not done
    unsigned missing;         // nodes whose results of this attempt did not come home
    unsigned kept;            // nodes whose results wait for their owner (node/keep.h)
    uint32_t submit_restarts; // as counted when `submit` became what it is
    int64_t met;              // epoch seconds: known since then; its charges are later
    bool comment_due;         // it has cost money, and its record does not say how much in the end

    // of this process only
    bool unsaved, untold; // its row, and its reason in its story, are to be written (jobs_flush())
    bool stored;          // it is in the journal: it has wanted capacity at least once
    bool cmd;             // a Slurm command for it is under way
    struct {
        bool due;           // not looked at yet
        bool placing, home; // to a command that places it, or sends it home
        int rc;             // Slurm's error, 0 = done, -1 = nobody knows
        const char *error;  // never NULL
    } answer;               // to that command
    bool planning;          // part of the request at the solver
    bool proven;            // its attempt runs: what was tried for it works (bounds.h)
    bool release;           // Slurm holds it because of its nodes: released on its way home
    bool ask_alone;         // the next request that it is part of is about it alone
    uint64_t avoid;         // clouds, by number, that the caps have refused it
    int64_t avoid_ms;       // monotonic: until then
    int64_t since_ms;       // monotonic: in this state since then, as far as this process knows
    int64_t next_ms;        // monotonic: not considered before this
    int64_t explained_ms;   // monotonic: what keeps it from a place is not asked for before this
    int64_t placed_ms;      // monotonic: Slurm was told of its nodes then
    int64_t fits_ms;        // monotonic: its data can be staged, as far as is known until then
    bool hopeless;          // its data cannot, and nobody but its user can change that
    bool stays;             // a candidate for which waiting here costs less than renting
    money_t stay_recorded;  // price of staying in the last decision to stay, 0 = none
    unsigned tries;         // failed attempts to find a place
    unsigned refusals;      // by Slurm, of the update that places it
    int64_t home_ms;        // monotonic: not sent home again before this
    int64_t hold_ms;        // monotonic: not held for good again before this
    int64_t note_ms;        // monotonic: its record does not get another sentence before this
    const char *pull_why;   // why it is being pulled back
    int64_t comment_at_ms;  // last AdminComment
    const char *comment;
    struct charged charged; // since it was met
    struct {
        struct jobs_alike *alike; // those with the same job_id; NULL: it is in no table
        struct bjob *prev, *next;
    } id;
    UT_hash_handle hh;
};

struct bjob *bjob_create(void);
void bjob_destroy(struct bjob *j);
// Puts a copy of text into one of the job's texts, in place of what was there.
void bjob_set(const char **at, const char *text);

#endif
