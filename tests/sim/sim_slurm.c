// SPDX-License-Identifier: GPL-3.0-or-later
// A simulated Slurm behind slurm_link.h and spool.h: local slots, elastic partitions with power
// saving, requeue, hooks. It follows what docs/design/slurm-behaviour.md reports. What the core
// sees is a copy that is up to a second old.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "job/jobflow.h"
#include "libburst/clock.h"
#include "libburst/hostlist.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "node/bind.h"
#include "slurm/limits.h"
#include "slurm/slurm_link.h"
#include "slurm/spool.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "world.h"

#define MAX_JOBS 400
#define MAX_NODES 64
#define MAX_INSTANCES 20000 // see sim_cloud.c
#define LOCAL_SLOTS 2
#define IDLE_S 60
#define SUSPEND_TIMEOUT_S 5
#define RESUME_TIMEOUT_S 90
#define SLURMD_TIMEOUT_S 40
#define CRED_EXPIRE_S 6

enum state { PENDING, RUNNING, COMPLETED, CANCELLED, NODE_FAIL };
static const char *const state_names[] = {"PENDING", "RUNNING", "COMPLETED", "CANCELLED",
                                          "NODE_FAIL"};

struct job {
    int id;
    enum state state;
    unsigned uid;
    bool launch_failed; // that is why it is held
    bool resubmit, configuring, local, held_class, home, held_by_admin, depends, seen_to_depend;
    int64_t completing_until_ms;
    int64_t submit, begin, start, end, duration_s, alloc_s;
    int owes[4]; // instances that hold what its last attempt has written
    unsigned n_owes;
    int staged_vm; // came home last from there
    int64_t staged_ms;
    unsigned priority, restarts, nodes, attempts, holds;
    unsigned max_nodes, own_max; // what Slurm has now, what its user asked for; 0 = no limit
    char partition[64], req_nodes[512], alloc[512], comment[2200], record[2200];
};

struct node {
    char name[64];
    int vm; // behind it, -1 = none
    bool powered_down, powering_up, powering_down, down, drain;
    bool drained_by_slurm; // stays when it is powered down
    int job;               // -1 = idle
    int64_t since_s;       // idle, powering down, powering up
    int64_t dead_s;        // its vm is dead since
    bool resumed;
    char reason[200]; // kept while it is powered down
};

static struct job jobs[MAX_JOBS];
static struct node nodes[MAX_NODES];
static unsigned n_jobs, n_nodes, lost_checkpoints, starts, wrong_ranges, shared;
static unsigned had[MAX_INSTANCES]; // user who had files on it, and 1; 0 = nobody

// what the core sees
static struct sjob seen[MAX_JOBS];
static const struct sjob *seen_jobs[MAX_JOBS];
static struct job shadow[MAX_JOBS];
static struct snode seen_node[MAX_NODES];
static const struct snode *seen_nodes[MAX_NODES];
static unsigned n_seen;
static int64_t next_look_ms;

static char empty[] = "", prolog[] = "Prolog error";

// ---- the hooks' spool; survives the daemon

struct spooled {
    cJSON *msg;
    struct spooled *next;
};
static struct spooled *spooled;

static void spool_put(const char *kind, const char *hosts)
{
    struct spooled **at = &spooled, *s = xmalloc(sizeof(*s));

    s->msg = cJSON_CreateObject();
    json_add_str(s->msg, "kind", kind);
    json_add_str(s->msg, "hosts", hosts);
    json_add_i64(s->msg, "time", clock_now_s());
    while (*at)
        at = &(*at)->next;
    *at = s;
}

void spool_scan(struct spool *s)
{
    while (spooled) {
        struct spooled *f = spooled;
        if (bind_spooled(world.b, f->msg) < 0)
            return;
        spooled = f->next;
        cJSON_Delete(f->msg);
        free(f);
    }
}

unsigned slurm_spooled(void)
{
    unsigned n = 0;

    for (const struct spooled *s = spooled; s; s = s->next)
        n++;
    return n;
}

// ---- nodes and jobs

static struct node *find_node(const char *name)
{
    for (unsigned k = 0; k < n_nodes; k++)
        if (strcmp(nodes[k].name, name) == 0)
            return &nodes[k];
    return NULL;
}

static void add_nodes(const char *cloud, unsigned n)
{
    for (unsigned k = 1; k <= n; k++) {
        struct node *d = &nodes[n_nodes++];
        memset(d, 0, sizeof(*d));
        snprintf(d->name, sizeof(d->name), "%.20s-cpu-%03u", cloud, k);
        d->vm = d->job = -1;
        d->powered_down = true;
    }
}

void slurm_reset(void)
{
    while (spooled) {
        struct spooled *f = spooled;
        spooled = f->next;
        cJSON_Delete(f->msg);
        free(f);
    }
    n_jobs = n_nodes = n_seen = lost_checkpoints = starts = wrong_ranges = shared = 0;
    memset(had, 0, sizeof(had));
    next_look_ms = 0;
    add_nodes("c1", 6);
    add_nodes("c2", 6);
    add_nodes("c3", 6);
}

int slurm_submit(int64_t duration_s, unsigned count, bool held)
{
    struct job *j = &jobs[n_jobs];

    memset(j, 0, sizeof(*j));
    j->id = (int)n_jobs + 1;
    j->submit = j->begin = clock_now_s();
    j->duration_s = duration_s;
    j->nodes = count;
    j->own_max = j->max_nodes = j->id % 3 == 0 ? 0 : count + (unsigned)j->id % 3; // -N count-max
    j->held_class = held;
    j->priority = held ? 0 : 100;
    snprintf(j->partition, sizeof(j->partition), "%s", held ? "c1" : "main");
    snprintf(j->comment, sizeof(j->comment), "burst:1 %s part=main data=home/here:0.007",
             held ? "held" : "eligible");
    n_jobs++;
    return j->id;
}

void slurm_ask(int id, const char *options)
{
    struct job *j = &jobs[id - 1];

    snprintf(j->comment, sizeof(j->comment), "burst:1 %s part=main %s",
             j->held_class ? "held" : "eligible", options);
}

void slurm_priority(int id, unsigned priority)
{
    jobs[id - 1].priority = priority;
}

const char *slurm_job_text(int id)
{
    return state_names[jobs[id - 1].state];
}

unsigned slurm_restarts(int id)
{
    return jobs[id - 1].restarts;
}

unsigned slurm_attempts(int id)
{
    return jobs[id - 1].attempts;
}

bool slurm_runs_elsewhere(void)
{
    for (unsigned k = 0; k < n_jobs; k++)
        if (jobs[k].state == RUNNING && !jobs[k].configuring && !jobs[k].local)
            return true;
    return false;
}

unsigned slurm_starts(void)
{
    return starts;
}

unsigned slurm_jobs(void)
{
    return n_jobs;
}

bool slurm_results_home(int id)
{
    return jobs[id - 1].local || jobs[id - 1].home;
}

const char *slurm_record(int id)
{
    return jobs[id - 1].record;
}

bool slurm_all_over(void)
{
    for (unsigned k = 0; k < n_jobs; k++)
        if (jobs[k].state == PENDING || jobs[k].state == RUNNING)
            return false;
    return true;
}

static void leave_nodes(struct job *j)
{
    for (unsigned k = 0; k < n_nodes; k++) {
        if (nodes[k].job != j->id)
            continue;
        nodes[k].job = -1;
        if (!nodes[k].powering_up)
            nodes[k].since_s = clock_now_s();
    }
}

static void finish(struct job *j, enum state state)
{
    j->state = state;
    j->end = clock_now_s();
    if (j->configuring || !j->start)
        j->start = j->end;
    j->configuring = false;
    j->completing_until_ms = world.now_ms + 200 + draw(1000);
    leave_nodes(j);
}

bool slurm_started(int id)
{
    return jobs[id - 1].state == RUNNING && !jobs[id - 1].configuring;
}

unsigned slurm_lost_checkpoints(void)
{
    return lost_checkpoints;
}

unsigned slurm_wrong_ranges(void)
{
    return wrong_ranges;
}

unsigned slurm_shared_instances(void)
{
    return shared;
}

void slurm_user(int id, unsigned user)
{
    jobs[id - 1].uid = user;
}

static void has_written(struct job *j)
{
    for (unsigned k = 0; k < n_nodes && !j->configuring && j->n_owes < 4; k++) {
        bool just_home = nodes[k].vm == j->staged_vm && world.now_ms - j->staged_ms < 2000;
        if (nodes[k].job == j->id && nodes[k].vm >= 0 && !just_home)
            j->owes[j->n_owes++] = nodes[k].vm;
    }
}

static void look_for_checkpoint(struct job *j)
{
    for (unsigned m = 0; m < j->n_owes; m++) {
        bool same = false;
        for (unsigned k = 0; k < n_nodes; k++)
            same = same || (nodes[k].job == j->id && nodes[k].vm == j->owes[m]);
        if (!same && cloud_alive(j->owes[m])) {
            lost_checkpoints++;
            log_debug("sim: job %d starts anew, what it wrote is on vm-%d", j->id, j->owes[m]);
        }
    }
    j->n_owes = 0;
}

static void requeue(struct job *j)
{
    log_debug("sim: job %d is requeued", j->id);
    has_written(j);
    finish(j, PENDING);
    j->restarts++;
    j->home = false;
    j->resubmit = true;
    j->begin = clock_now_s() + CRED_EXPIRE_S;
    j->start = 0;
}

// As slurmctld does it: the restart is counted at once, the time of submission changes when the job
// has left its nodes ("Requeuing JobId=...").
static void end_requeue(struct job *j)
{
    j->resubmit = false;
    j->submit = clock_now_s();
}

void slurm_cancel(int id)
{
    struct job *j = &jobs[id - 1];

    vain_excuse_job(id);
    if (j->state == PENDING || j->state == RUNNING)
        finish(j, CANCELLED);
}

// As after the loss of slurmctld's state.
void slurm_replace(int id)
{
    struct job *j = &jobs[id - 1];

    vain_excuse_job(id);
    leave_nodes(j);
    memset(j, 0, sizeof(*j));
    j->id = id;
    j->uid = 1;
    j->submit = j->begin = clock_now_s();
    j->duration_s = 60;
    j->nodes = 1;
    j->priority = 100;
    snprintf(j->partition, sizeof(j->partition), "main");
}

void slurm_drain(const char *cloud, bool on)
{
    size_t len = cloud ? strlen(cloud) : 0;

    for (unsigned k = 0; k < n_nodes; k++)
        if (!cloud || (strncmp(nodes[k].name, cloud, len) == 0 && nodes[k].name[len] == '-'))
            nodes[k].drain = on;
}

unsigned slurm_drained(void)
{
    unsigned n = 0;

    for (unsigned k = 0; k < n_nodes; k++)
        n += nodes[k].drained_by_slurm;
    return n;
}

void slurm_requeue(int id)
{
    struct job *j = &jobs[id - 1];

    if (j->state == RUNNING && !j->configuring && !j->local) {
        vain_excuse_job(id);
        requeue(j);
    }
}

// As the real one it shows a held job's dependencies as they were when it was held.
void slurm_depend(int id, bool on)
{
    if (on)
        vain_excuse_job(id);
    jobs[id - 1].depends = on;
    jobs[id - 1].seen_to_depend |= on;
}

void slurm_begin(int id, int64_t in_s)
{
    vain_excuse_job(id);
    jobs[id - 1].begin = clock_now_s() + in_s;
}

void slurm_move_here(int id)
{
    snprintf(jobs[id - 1].partition, sizeof(jobs[id - 1].partition), "main");
    jobs[id - 1].req_nodes[0] = '\0';
    jobs[id - 1].max_nodes = jobs[id - 1].own_max; // who does it by hand does all of it
}

bool slurm_release(int id)
{
    struct job *j = &jobs[id - 1];

    if (j->priority == 0 && j->held_by_admin)
        return false;
    j->priority = 100;
    return true;
}

unsigned slurm_holds(int id)
{
    return jobs[id - 1].holds;
}

void slurm_node_joined(const char *name, int vm)
{
    struct node *d = find_node(name);

    if (!d || d->powering_down)
        return;
    d->vm = vm;
    d->dead_s = 0;
    if (d->powering_up) {
        d->powering_up = false;
        d->reason[0] = '\0';
        d->since_s = clock_now_s();
    }
}

const char *slurm_node_reason(void)
{
    for (unsigned k = 0; k < n_nodes; k++)
        if (nodes[k].reason[0])
            return nodes[k].reason;
    return "";
}

// What is at home replaces what the attempt before has written there.
void slurm_staged_in(const char *id, int vm)
{
    unsigned k = (unsigned)strtoul(id, NULL, 10);

    if (k < 1 || k > n_jobs)
        return;
    struct job *j = &jobs[k - 1];
    if (had[vm] && had[vm] != j->uid + 1) {
        shared++;
        log_debug("sim: vm-%d has had user %u and gets user %u", vm, had[vm] - 1, j->uid);
    }
    had[vm] = j->uid + 1;
    for (unsigned m = 0; m < j->n_owes; m++)
        if (j->owes[m] == vm) {
            lost_checkpoints++;
            log_debug("sim: job %d: what it wrote on vm-%d is replaced", j->id, vm);
            j->owes[m] = -1;
        }
}

void slurm_staged_out(const char *id, int vm)
{
    unsigned k = (unsigned)strtoul(id, NULL, 10);

    if (k < 1 || k > n_jobs)
        return;
    struct job *j = &jobs[k - 1];
    // Home only if nothing could be written after it.
    if (j->state != RUNNING)
        j->home = true;
    j->staged_vm = vm;
    j->staged_ms = world.now_ms;
    for (unsigned m = 0; m < j->n_owes; m++)
        if (j->owes[m] == vm)
            j->owes[m] = -1;
}

int slurm_instance_of(int id, unsigned n)
{
    for (unsigned k = 0; k < n_nodes; k++)
        if (nodes[k].job == id && n-- == 0)
            return nodes[k].vm;
    return -1;
}

bool slurm_instance_runs_job(int vm)
{
    for (unsigned k = 0; k < n_nodes; k++)
        if (nodes[k].vm == vm && nodes[k].job >= 0)
            return true;
    return false;
}

// ---- scheduler

static bool may_start_on(const struct node *d)
{
    return d && d->job < 0 && !d->down && !d->drain && !d->drained_by_slurm && !d->powering_down &&
           !d->powering_up;
}

static void allocate(struct job *j, char **names, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        struct node *d = find_node(names[k]);
        d->job = j->id;
        if (d->powered_down) {
            d->powered_down = false;
            d->powering_up = true;
            d->resumed = false;
            d->vm = -1;
            d->since_s = clock_now_s();
        }
    }
    j->state = RUNNING;
    j->attempts++;
    j->configuring = true;
    j->alloc_s = clock_now_s();
    _Static_assert(sizeof(j->alloc) == sizeof(j->req_nodes), "one list, copied as it is");
    memcpy(j->alloc, j->req_nodes, sizeof(j->alloc));
}

static void try_elastic(struct job *j)
{
    char **names;
    size_t n;
    bool ok = true;

    if (!j->req_nodes[0] || hostlist_expand(j->req_nodes, &names, &n, NULL) < 0)
        return;
    for (size_t k = 0; k < n; k++)
        ok = ok && may_start_on(find_node(names[k]));
    if (j->max_nodes != n) // Slurm would take other nodes besides
        wrong_ranges++;
    if (ok && n >= j->nodes)
        allocate(j, names, n);
    hostlist_free(names);
}

static unsigned local_running(void)
{
    unsigned n = 0;

    for (unsigned k = 0; k < n_jobs; k++)
        n += jobs[k].state == RUNNING && jobs[k].local;
    return n;
}

static unsigned elastic_running(void)
{
    unsigned n = 0;

    for (unsigned k = 0; k < n_jobs; k++)
        n += jobs[k].state == RUNNING && !jobs[k].local;
    return n;
}

// What keeps it from its rented nodes, NULL = nothing.
static const char *in_the_way(void)
{
    if (world.no_start)
        return world.start_reason ? world.start_reason : "Resources";
    return world.limit && elastic_running() >= world.limit ? "QOSMaxJobsPerUserLimit" : NULL;
}

static void schedule(struct job *j)
{
    if (j->priority == 0 || clock_now_s() < j->begin || world.now_ms < j->completing_until_ms ||
        j->depends)
        return;
    if (strcmp(j->partition, "main") != 0) {
        if (!in_the_way())
            try_elastic(j);
    } else if (local_running() < LOCAL_SLOTS && j->nodes == 1) {
        j->local = true;
        vain_excuse_job(j->id);
        j->state = RUNNING;
        wrong_ranges += j->max_nodes != j->own_max; // burstd has not given it back
        j->start = clock_now_s();
        snprintf(j->alloc, sizeof(j->alloc), "node1");
    }
}

// The prolog: all nodes registered, and burstd says that they are ready.
static void configure(struct job *j)
{
    for (unsigned k = 0; k < n_nodes; k++) {
        if (nodes[k].job != j->id)
            continue;
        struct instance *i = world.b ? instances_by_node(world.b->instances, nodes[k].name) : NULL;
        if (nodes[k].powering_up || !i || i->state < INST_JOINED)
            return;
    }
    j->configuring = false;
    j->start = clock_now_s();
    j->local = false;
    starts += j->nodes;
    for (unsigned k = 0; k < n_nodes && !world.no_launch; k++)
        if (nodes[k].job == j->id && nodes[k].vm >= 0)
            vain_served(nodes[k].vm);
    look_for_checkpoint(j);
}

static void epilog(struct job *j)
{
    struct bjob *b = world.b && chance(500) ? jobs_by_id(world.b->jobs, (uint32_t)j->id) : NULL;

    if (b)
        jobflow_ended(world.b, b);
}

// As slurmctld does it when slurmd says that a launch failed: the nodes are drained, the job is
// requeued and held.
static void launch_fails(struct job *j)
{
    for (unsigned k = 0; k < n_nodes; k++)
        if (nodes[k].job == j->id)
            nodes[k].drained_by_slurm = true;
    requeue(j);
    j->priority = 0;
    j->held_by_admin = j->launch_failed = true;
}

static void step_job(struct job *j)
{
    if (j->resubmit && world.now_ms >= j->completing_until_ms)
        end_requeue(j);
    if (j->state == PENDING)
        schedule(j);
    else if (j->state == RUNNING && j->configuring)
        configure(j);
    else if (j->state == RUNNING && world.no_launch && !j->local)
        launch_fails(j);
    else if (j->state == RUNNING && clock_now_s() >= j->start + j->duration_s) {
        finish(j, COMPLETED);
        epilog(j);
    }
}

static void node_down(struct node *d)
{
    d->down = true;
    if (d->job >= 0)
        requeue(&jobs[d->job - 1]);
}

static void power_down(struct node *d)
{
    if (d->powering_down || (d->powered_down && !d->down))
        return;
    d->powering_down = true;
    d->powering_up = d->powered_down = d->down = d->drain = false;
    d->since_s = clock_now_s();
    spool_put("suspend", d->name);
}

static void step_node(struct node *d)
{
    int64_t now = clock_now_s(), age = now - d->since_s;

    if (d->powering_up && !d->resumed && age >= 1) {
        d->resumed = true;
        spool_put("resume", d->name);
    }
    if (d->powering_up && age >= RESUME_TIMEOUT_S) {
        d->powering_up = false;
        d->powered_down = true;
        spool_put("resume_fail", d->name);
        node_down(d);
    }
    if (d->powering_down && age >= SUSPEND_TIMEOUT_S) {
        d->powering_down = false;
        d->powered_down = true;
        d->vm = -1;
    }
    bool up = !d->powered_down && !d->powering_up && !d->powering_down;
    if (up && !cloud_alive(d->vm)) {
        if (!d->dead_s)
            d->dead_s = now;
        if (now - d->dead_s >= SLURMD_TIMEOUT_S && !d->down)
            node_down(d);
    }
    if (up && d->job < 0 && age >= IDLE_S && !world.no_suspend)
        power_down(d);
}

static void look_again(void);

void slurm_step(void)
{
    if (world.now_ms < world.down_ms)
        return;
    for (unsigned k = 0; k < n_jobs; k++)
        step_job(&jobs[k]);
    for (unsigned k = 0; k < n_nodes; k++)
        step_node(&nodes[k]);
    if (world.now_ms >= next_look_ms) {
        look_again();
        next_look_ms = world.now_ms + 100 + draw(900);
    }
}

// ---- commands

struct command {
    cJSON *cmd;
    slurm_cmd_cb cb;
    void *arg;
    unsigned generation;
};

static int update_job(struct job *j, const cJSON *c)
{
    const char *part = json_str(c, "partition", NULL), *req = json_str(c, "req_nodes", NULL);
    const char *comment = json_str(c, "admin_comment", NULL);
    int64_t priority = json_i64(c, "priority", -99), begin = json_i64(c, "begin", 0);

    if (j->state != PENDING && (part || req || priority != -99))
        return j->state == RUNNING ? 2073 : 2017;
    if (world.refused_rc && req && req[0])
        return world.refused_rc;
    if (part)
        snprintf(j->partition, sizeof(j->partition), "%s", part);
    if (req)
        snprintf(j->req_nodes, sizeof(j->req_nodes), "%s", req);
    if (cJSON_HasObjectItem(c, "max_nodes"))
        j->max_nodes = (unsigned)json_i64(c, "max_nodes", 0);
    if (comment)
        snprintf(j->comment, sizeof(j->comment), "%s", comment);
    if (priority == 0 || priority == -1)
        j->launch_failed = false;
    if (priority == 0) {
        j->priority = 0;
        j->held_by_admin = true;
        j->holds++;
    }
    if (priority == -1)
        j->priority = 100;
    if (begin)
        j->begin = begin;
    return 0;
}

static int update_node(const cJSON *c)
{
    const char *state = json_str(c, "state", "");
    struct node *d = find_node(json_str(c, "nodes", ""));

    if (!d)
        return 2010;
    if (json_str(c, "reason", NULL))
        snprintf(d->reason, sizeof(d->reason), "%s", json_str(c, "reason", ""));
    if (strcmp(state, "down") == 0) {
        node_down(d);
    } else if (strcmp(state, "drain") == 0) {
        d->drain = true;
    } else if (strcmp(state, "resume") == 0) {
        d->drain = d->drained_by_slurm = false;
    } else if (strcmp(state, "power_down") == 0) {
        if (d->job < 0 || d->down)
            power_down(d);
    } else if (strcmp(state, "power_down_force") == 0) {
        if (d->job >= 0)
            requeue(&jobs[d->job - 1]);
        power_down(d);
    }
    return 0;
}

static int execute(const cJSON *c)
{
    const char *op = json_str(c, "op", "");
    int id = atoi(json_str(c, "job", "0"));
    struct job *j = id >= 1 && id <= (int)n_jobs ? &jobs[id - 1] : NULL;

    if (strcmp(op, "update_job") == 0)
        return j ? update_job(j, c) : 2017;
    if (strcmp(op, "update_node") == 0)
        return update_node(c);
    if (strcmp(op, "db_comment") == 0 && j) {
        if (j->state <= RUNNING || chance(100)) // the record comes a little later than the end
            return 1;
        snprintf(j->record, sizeof(j->record), "%s", json_str(c, "admin_comment", ""));
    }
    if (strcmp(op, "kill_job") == 0 && j)
        slurm_cancel(id);
    return 0;
}

static void free_command(void *arg)
{
    cJSON_Delete(((struct command *)arg)->cmd);
    free(arg);
}

static void run_command(void *arg)
{
    struct command *c = arg;
    int rc = world.now_ms < world.down_ms ? -1 : execute(c->cmd);
    bool alive = world.b && c->generation == world.generation;

    if (c->cb && alive)
        c->cb(c->arg, rc, rc ? "simulated refusal" : NULL);
    else if (c->cb)
        free(c->arg);
    free_command(c);
}

void slurm_link_command(struct slurm_link *l, cJSON *cmd, slurm_cmd_cb cb, void *arg)
{
    struct command *c = xmalloc(sizeof(*c));

    crash_point();
    c->cmd = cmd;
    c->cb = cb;
    c->arg = arg;
    c->generation = world.generation;
    // what was sent is carried out, also after a crash
    after(1 + draw(60), run_command, free_command, c, false);
    crash_point();
}

// ---- what the core sees

static void show_job(unsigned k)
{
    struct sjob *s = &seen[k];
    struct job *j = &shadow[k];

    *j = jobs[k];
    memset(s, 0, sizeof(*s));
    snprintf(s->job, sizeof(s->job), "%d", j->id);
    s->job_id = (uint32_t)j->id;
    s->state = j->state == PENDING ? SJOB_PENDING : j->state == RUNNING ? SJOB_RUNNING : SJOB_ENDED;
    snprintf(s->state_name, sizeof(s->state_name), "%.20s", state_names[j->state]);
    if (world.now_ms < j->completing_until_ms)
        s->flags |= SJOB_COMPLETING;
    if (j->configuring)
        s->flags |= SJOB_CONFIGURING;
    static char resources[] = "Resources", begin[] = "BeginTime";
    const char *way = j->req_nodes[0] ? in_the_way() : NULL;
    char *other_reason = way ? (char *)way : resources; // read only
    static char by_user[] = "JobHeldUser", by_admin[] = "JobHeldAdmin";
    static char launch[] = "launch_failed_requeued_held";
    s->reason = j->state != PENDING                    ? empty
                : j->priority == 0 && j->launch_failed ? launch
                : j->priority == 0                     ? (j->held_by_admin ? by_admin : by_user)
                : clock_now_s() < j->begin             ? begin
                : strcmp(j->partition, "main") != 0    ? other_reason
                                                       : resources;
    static char user[] = "alice", account[] = "lab", dir[] = "/home/alice";
    s->user = user;
    s->work_dir = dir;
    s->account = account;
    s->name = s->qos = s->exc_nodes = s->features = s->licenses = empty;
    s->takes = s->tres_per_job = s->tres_per_node = s->tres_per_socket = s->tres_per_task = empty;
    s->cpus_per_tres = s->mem_per_tres = s->special = empty;
    s->std_in = s->std_out = s->std_err = s->reservation = empty;
    static char other[] = "afterany:99(unfulfilled)";
    if (j->priority != 0)
        j->seen_to_depend = j->depends;
    s->dependency = j->seen_to_depend ? other : empty;
    s->partition = j->partition;
    s->nodes = j->state == PENDING ? empty : j->alloc;
    s->req_nodes = j->req_nodes;
    s->admin_comment = j->comment;
    s->uid = s->gid = 2001 + j->uid;
    s->submit = j->submit;
    s->eligible = j->begin;
    s->start = j->state == PENDING ? 0 : j->start;
    s->end = j->state > RUNNING ? j->end : 0;
    s->time_limit_s = 2 * j->duration_s + 60;
    s->priority = j->priority;
    s->restarts = j->restarts;
    s->num_nodes_min = s->num_cpus = j->nodes;
    s->num_nodes_max = j->max_nodes;
    s->cpus_per_task = 1;
    s->batch = s->requeue = true;
}

static void show_node(unsigned k)
{
    const struct node *d = &nodes[k];
    struct snode *s = &seen_node[k];

    memset(s, 0, sizeof(*s));
    snprintf(s->name, sizeof(s->name), "%.60s", d->name);
    s->flags = SNODE_CLOUD;
    s->flags |= d->down ? SNODE_DOWN : d->job >= 0 ? SNODE_ALLOCATED : SNODE_IDLE;
    if (d->powered_down)
        s->flags |= SNODE_POWERED_DOWN;
    if (d->powering_up)
        s->flags |= SNODE_POWERING_UP | SNODE_NOT_RESPONDING;
    if (d->powering_down)
        s->flags |= SNODE_POWERING_DOWN;
    if (d->drain || d->drained_by_slurm)
        s->flags |= SNODE_DRAIN;
    s->addr = s->gres = s->features = s->partitions = empty;
    s->reason = d->drained_by_slurm ? prolog : empty;
}

static void look_again(void)
{
    n_seen = 0;
    for (unsigned k = 0; k < n_jobs; k++) {
        show_job(k);
        // Slurm forgets ended jobs after MinJobAge (300 s).
        if (jobs[k].state <= RUNNING || world.now_ms < jobs[k].completing_until_ms + 300000)
            seen_jobs[n_seen++] = &seen[k];
    }
    for (unsigned k = 0; k < n_nodes; k++) {
        show_node(k);
        seen_nodes[k] = &seen_node[k];
    }
}

bool slurm_link_ready(const struct slurm_link *l)
{
    return world.now_ms >= world.down_ms;
}

const struct sjob *slurm_link_job(const struct slurm_link *l, const char *job)
{
    for (unsigned k = 0; k < n_seen; k++)
        if (strcmp(seen_jobs[k]->job, job) == 0)
            return seen_jobs[k];
    return NULL;
}

const struct sjob *slurm_link_job_by_id(const struct slurm_link *l, uint32_t job_id)
{
    for (unsigned k = 0; k < n_seen; k++)
        if (seen_jobs[k]->job_id == job_id)
            return seen_jobs[k];
    return NULL;
}

const struct snode *slurm_link_node(const struct slurm_link *l, const char *name)
{
    for (unsigned k = 0; k < n_nodes; k++)
        if (seen_nodes[k] && strcmp(seen_nodes[k]->name, name) == 0)
            return seen_nodes[k];
    return NULL;
}

size_t slurm_link_jobs(const struct slurm_link *l, const struct sjob *const **out)
{
    *out = seen_jobs;
    return n_seen;
}

size_t slurm_link_nodes(const struct slurm_link *l, const struct snode *const **out)
{
    *out = seen_nodes;
    return seen_nodes[0] ? n_nodes : 0;
}

void slurm_link_poke(struct slurm_link *l)
{
}

void slurm_link_fast(struct slurm_link *l, bool on)
{
}

const struct spart *slurm_link_part(const struct slurm_link *l, const char *name)
{
    return NULL;
}

size_t slurm_link_parts(const struct slurm_link *l, const struct spart *const **out)
{
    *out = NULL;
    return 0;
}

// Those that Slurm would tell, if it tells its limits.
static const struct limits *sim_limits(void)
{
    static struct limits *l;

    if (!l)
        l = limits_create();
    cJSON *msg = cJSON_CreateObject();
    cJSON *assocs = cJSON_AddArrayToObject(msg, "assocs");
    if (world.limit_told && world.limit) {
        cJSON *a = cJSON_CreateObject();
        json_add_i64(a, "id", 1);
        json_add_str(a, "user", "alice");
        json_add_str(a, "account", "lab");
        json_add_i64(a, "max_jobs", world.limit);
        cJSON_AddItemToArray(assocs, a);
    }
    limits_take(l, msg);
    cJSON_Delete(msg);
    return l;
}

bool slurm_link_limits_ready(struct slurm_link *l, const char *const *users, size_t n)
{
    return true;
}

const struct limits *slurm_link_limits(const struct slurm_link *l)
{
    return sim_limits();
}
