// SPDX-License-Identifier: GPL-3.0-or-later
// Time, chance and events of the simulated world; stand-ins for what the core does not need here.
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "node/bind.h"
#include "node/stagerd_client.h"
#include "node/stagerd_probe.h"
#include "rpc/ready.h"
#include "slurm/spool.h"
#include "state/store.h"

struct world world;

unsigned draw(unsigned n)
{
    // splitmix64
    uint64_t z = (world.seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ (z >> 31)) % n);
}

bool chance(unsigned per_mille)
{
    return draw(1000) < per_mille;
}

// ---- files

static char dir[4096];

// Memory where there is some to be had: the journal syncs each write, and years of a small world
// are many writes.
static const char *parent_dir(void)
{
    const char *tmp = getenv("TMPDIR");

    return tmp && *tmp ? tmp : access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

static void remove_dir(const char *path)
{
    DIR *d = opendir(path);

    for (struct dirent *e; d && (e = readdir(d));)
        unlinkat(dirfd(d), e->d_name, 0); // there are files only
    if (d)
        closedir(d);
    rmdir(path);
}

static void remove_own(void)
{
    remove_dir(dir);
}

void sim_dir_sweep(void)
{
    DIR *d = opendir(parent_dir());
    char path[4096];
    int pid, end;

    for (struct dirent *e; d && (e = readdir(d));) {
        if (sscanf(e->d_name, "burst-sim-%d%n", &pid, &end) != 1 || e->d_name[end] || pid < 1 ||
            kill(pid, 0) == 0 || errno != ESRCH)
            continue;
        snprintf(path, sizeof(path), "%s/%s", parent_dir(), e->d_name);
        remove_dir(path);
    }
    if (d)
        closedir(d);
}

const char *sim_dir(void)
{
    if (!dir[0]) {
        snprintf(dir, sizeof(dir), "%s/burst-sim-%d", parent_dir(), (int)getpid());
        if (mkdir(dir, 0700) < 0) {
            perror(dir);
            exit(1);
        }
        atexit(remove_own);
    }
    return dir;
}

// ---- time

struct event {
    int64_t at;
    uint64_t order;
    void (*f)(void *arg);
    void (*drop)(void *arg);
    void *arg;
    unsigned generation; // 0 = whoever lives
};

static struct event *events;
static size_t n_events, cap_events;
static uint64_t order;

void after(int64_t delay_ms, void (*f)(void *arg), void (*drop)(void *arg), void *arg,
           bool only_for_daemon)
{
    if (n_events == cap_events) {
        cap_events = cap_events ? 2 * cap_events : 64;
        events = xrealloc(events, cap_events * sizeof(*events));
    }
    events[n_events++] = (struct event){
        world.now_ms + delay_ms, order++, f, drop, arg, only_for_daemon ? world.generation : 0};
}

static size_t first_event(void)
{
    size_t best = 0;

    for (size_t k = 1; k < n_events; k++)
        if (events[k].at < events[best].at ||
            (events[k].at == events[best].at && events[k].order < events[best].order))
            best = k;
    return best;
}

void run_events(int64_t ms)
{
    int64_t until = world.now_ms + ms;

    while (n_events) {
        size_t k = first_event();
        struct event e = events[k];
        if (e.at > until)
            break;
        events[k] = events[--n_events];
        if (e.at > world.now_ms)
            world.now_ms = e.at;
        if (e.generation == 0 || (world.b && e.generation == world.generation))
            e.f(e.arg);
        else
            e.drop(e.arg);
    }
    world.now_ms = until;
}

void forget_events(void)
{
    for (size_t k = 0; k < n_events; k++)
        events[k].drop(events[k].arg);
    free(events);
    events = NULL;
    n_events = cap_events = 0;
}

// The linker sends the core's writes here (--wrap): a full disk, a kill at any of them.

int __real_store_put_instance(struct store *s, const struct instance *i, burst_error_t *errp);
int __wrap_store_put_instance(struct store *s, const struct instance *i, burst_error_t *errp);
int __real_store_put_job(struct store *s, const struct bjob *j, burst_error_t *errp);
int __wrap_store_put_job(struct store *s, const struct bjob *j, burst_error_t *errp);
int __real_store_put_charge(struct store *s, const struct charge *c, burst_error_t *errp);
int __wrap_store_put_charge(struct store *s, const struct charge *c, burst_error_t *errp);
int __real_store_begin(struct store *s, burst_error_t *errp);
int __wrap_store_begin(struct store *s, burst_error_t *errp);
int __real_store_put_bound(struct store *s, const char *key, const cJSON *row, burst_error_t *errp);
int __wrap_store_put_bound(struct store *s, const char *key, const cJSON *row, burst_error_t *errp);
int __real_store_commit(struct store *s, burst_error_t *errp);
int __wrap_store_commit(struct store *s, burst_error_t *errp);

// Transactions that brought an instance to a state. One that is written outside of a transaction is
// one by itself.
static unsigned changes[INST_GONE + 1];
static bool in_transaction, written[INST_GONE + 1];

unsigned journal_changes(enum inst_state state)
{
    return changes[state];
}

static void count_transaction(void)
{
    for (int k = 0; k <= INST_GONE; k++)
        changes[k] += written[k];
    memset(written, 0, sizeof(written));
    in_transaction = false;
}

static bool disk_full(burst_error_t *errp)
{
    if (world.now_ms >= world.full_ms)
        return false;
    errprintf(errp, "simulated full disk");
    return true;
}

int __wrap_store_put_instance(struct store *s, const struct instance *i, burst_error_t *errp)
{
    crash_point();
    int rc = disk_full(errp) ? -1 : __real_store_put_instance(s, i, errp);
    vain_instance(i);
    written[i->state] = true;
    if (!in_transaction)
        count_transaction();
    crash_point();
    return rc;
}

int __wrap_store_put_job(struct store *s, const struct bjob *j, burst_error_t *errp)
{
    crash_point();
    int rc = disk_full(errp) ? -1 : __real_store_put_job(s, j, errp);
    crash_point();
    return rc;
}

int __wrap_store_put_charge(struct store *s, const struct charge *c, burst_error_t *errp)
{
    crash_point();
    return disk_full(errp) ? -1 : __real_store_put_charge(s, c, errp);
}

int __wrap_store_put_bound(struct store *s, const char *key, const cJSON *row, burst_error_t *errp)
{
    vain_bound(key, row);
    return disk_full(errp) ? -1 : __real_store_put_bound(s, key, row, errp);
}

int __wrap_store_begin(struct store *s, burst_error_t *errp)
{
    in_transaction = true;
    return __real_store_begin(s, errp);
}

int __wrap_store_commit(struct store *s, burst_error_t *errp)
{
    int rc = -1;

    count_transaction();
    crash_point();
    if (disk_full(errp))
        store_rollback(s);
    else
        rc = __real_store_commit(s, errp);
    crash_point();
    return rc;
}

// The linker sends the core's clock here (--wrap).
int64_t __wrap_clock_now_s(void);
int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_mono_ms(void);

int64_t __wrap_clock_now_s(void)
{
    return EPOCH_S + world.now_ms / 1000;
}

int64_t __wrap_clock_now_ms(void)
{
    return EPOCH_S * 1000 + world.now_ms;
}

int64_t __wrap_clock_mono_ms(void)
{
    return 1000000 + world.now_ms;
}

// ready.h: PrologSlurmctld and EpilogSlurmctld are part of the simulated Slurm.
bool ready_waiting(const struct ready *r)
{
    return false;
}

void ready_step(struct burstd *b)
{
}

bool stagerd_runs(struct burstd *b, char *why, size_t size)
{
    if (world.no_stagerd)
        snprintf(why, size, "burst-stagerd does not run");
    return !world.no_stagerd;
}

// stagerd_client.h
#define LOOK_MS 250 // later than the first listings of all clouds: they are the dearer wait

struct look {
    stagerd_answer *cb;
    void *arg;
};

static void look_done(void *arg)
{
    struct look l = *(struct look *)arg;
    cJSON *answer = cJSON_CreateObject();

    free(arg);
    cJSON_AddBoolToObject(answer, "ok", !world.data_error);
    cJSON_AddStringToObject(answer, "class", world.data_error ? world.data_error : "");
    cJSON_AddStringToObject(answer, "error", "simulated trouble with its data");
    if (world.data_error && !world.data_error[0])
        l.cb(l.arg, NULL, true, "connection refused");
    else
        l.cb(l.arg, answer, false, NULL);
    cJSON_Delete(answer);
}

// burstd was killed meanwhile: what belongs to it is given back.
static void look_dropped(void *arg)
{
    struct look l = *(struct look *)arg;

    free(arg);
    l.cb(l.arg, NULL, false, "nobody listens");
}

void stagerd_ask(struct burstd *b, cJSON *request, stagerd_answer *cb, void *arg)
{
    struct look *l = xmalloc(sizeof(*l));

    cJSON_Delete(request);
    *l = (struct look){cb, arg};
    after(LOOK_MS, look_done, look_dropped, l, true);
}

void stagerd_append(struct burstd *b, uint32_t uid, uint32_t gid, const char *user,
                    const char *path, const char *text)
{
}
