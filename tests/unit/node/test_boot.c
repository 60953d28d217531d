// SPDX-License-Identifier: GPL-3.0-or-later
// Who gets a helper process: what waits for a node's SSH needs none, joins and notices never wait
// behind boots or copies, and one user's copies leave room for another's.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/observed.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "node/boot.h"
#include "node/instance_call.h"
#include "node/join.h"
#include "node/provision.h"
#include "node/stage.h"
#include "slurm/slurm_link.h"
#include "ssh/port_wait.h"
#include "ssh/ssh_op.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

// ---- time, SSH and Slurm

static int64_t mono_ms;
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
    return mono_ms;
}

struct ssh_op {
    char op[16], address[32];
    int64_t timeout_s;
    const struct ssh_op_callbacks *cb;
    void *arg;
};

static struct ssh_op *running[128];
static unsigned n_running;

struct ssh_op *ssh_op_start(uv_loop_t *loop, cJSON *request, const struct ssh_op_callbacks *cb,
                            void *arg, burst_error_t *errp)
{
    struct ssh_op *op = xmalloc(sizeof(*op));

    snprintf(op->op, sizeof(op->op), "%s", json_str(request, "op", ""));
    snprintf(op->address, sizeof(op->address), "%s", json_str(request, "address", ""));
    op->timeout_s = json_i64(request, "timeout_s", 0);
    op->cb = cb;
    op->arg = arg;
    cJSON_Delete(request);
    assert_int_not_equal(n_running, 128);
    running[n_running++] = op;
    return op;
}

static void forget(struct ssh_op *op)
{
    for (unsigned k = 0; k < n_running; k++)
        if (running[k] == op)
            running[k] = running[--n_running];
    free(op);
}

void ssh_op_cancel(struct ssh_op *op)
{
    if (op)
        forget(op);
}

static unsigned count(const char *op)
{
    unsigned n = 0;

    for (unsigned k = 0; k < n_running; k++)
        n += strcmp(running[k]->op, op) == 0;
    return n;
}

static void end_one(const char *op)
{
    for (unsigned k = 0; k < n_running; k++) {
        struct ssh_op *o = running[k];
        if (strcmp(o->op, op) != 0)
            continue;
        cJSON *last = cJSON_CreateObject();
        o->cb->done(o->arg, true, NULL, NULL, last);
        cJSON_Delete(last);
        forget(o);
        return;
    }
    fail_msg("no %s runs", op);
}

struct port_wait {
    char address[32];
    port_wait_cb done;
    void *arg;
};

static struct port_wait *waits[256];
static unsigned n_waits;

struct port_wait *port_wait_start(uv_loop_t *loop, const char *address, int port, int64_t limit_ms,
                                  port_wait_cb done, void *arg)
{
    struct port_wait *w = xmalloc(sizeof(*w));

    assert_int_equal(port, 22);
    assert_true(limit_ms > 0);
    snprintf(w->address, sizeof(w->address), "%s", address);
    w->done = done;
    w->arg = arg;
    assert_int_not_equal(n_waits, 256);
    waits[n_waits++] = w;
    return w;
}

void port_wait_cancel(struct port_wait *w)
{
    for (unsigned k = 0; k < n_waits; k++)
        if (waits[k] == w)
            waits[k] = waits[--n_waits];
    free(w);
}

// The first one is answered.
static void answer_wait(bool open)
{
    struct port_wait *w = waits[0];

    assert_true(n_waits > 0);
    w->done(w->arg, open, open ? "" : "connection refused");
    port_wait_cancel(w);
}

static const struct snode up = {.flags = SNODE_POWERING_UP};

bool slurm_link_ready(const struct slurm_link *l)
{
    return true;
}

const struct snode *slurm_link_node(const struct slurm_link *l, const char *name)
{
    return &up;
}

void slurm_link_command(struct slurm_link *l, cJSON *cmd, slurm_cmd_cb cb, void *arg)
{
    cJSON_Delete(cmd);
}

void slurm_link_poke(struct slurm_link *l)
{
}

const struct sjob *slurm_link_job(const struct slurm_link *l, const char *job)
{
    return NULL;
}

size_t slurm_link_jobs(const struct slurm_link *l, const struct sjob *const **jobs)
{
    return 0;
}

size_t slurm_link_nodes(const struct slurm_link *l, const struct snode *const **nodes)
{
    return 0;
}

const struct spart *slurm_link_part(const struct slurm_link *l, const char *name)
{
    return NULL;
}

// ---- a daemon

static struct burst_conf conf;
static struct burstd b;
static char path[] = "/tmp/burst-boot-XXXXXX";

static void poke(struct burstd *at)
{
}

static int setup(void **state)
{
    burst_error_t err;
    int fd;

    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    if ((fd = mkstemp(path)) < 0)
        return -1;
    close(fd);
    memset(&b, 0, sizeof(b));
    memset(&conf, 0, sizeof(conf));
    conf.ssh_timeout_s = 180;
    conf.join_timeout_s = 60;
    conf.slurm_conf = (char *)"/etc/slurm/slurm.conf";
    conf.ssh_user = (char *)"root";
    conf.run_dir = (char *)"/run/burst";
    b.conf = &conf;
    b.poke = poke;
    mono_ms = 1000000;
    n_running = n_waits = 0;
    b.instances = instances_create(&b);
    b.jobs = jobs_create(&b);
    b.store = store_open(path, &err);
    b.observed = b.store ? observed_create(&b) : NULL;
    return b.observed ? 0 : -1;
}

static int teardown(void **state)
{
    const char *tails[] = {"", "-wal", "-shm"};
    char name[80];

    instances_destroy(b.instances);
    jobs_destroy(b.jobs);
    observed_destroy(b.observed);
    store_close(b.store);
    for (size_t k = 0; k < 3; k++) {
        snprintf(name, sizeof(name), "%s%s", path, tails[k]);
        unlink(name);
    }
    return n_running + n_waits; // all was cancelled
}

static struct instance *add(unsigned k, enum inst_state state)
{
    struct instance *i = xmalloc(sizeof(*i));

    snprintf(i->id, sizeof(i->id), "demo-%u", k);
    snprintf(i->cloud, sizeof(i->cloud), "aws");
    snprintf(i->address, sizeof(i->address), "10.0.%u.%u", k / 200, k % 200 + 1);
    i->price = 3600000;
    i->state = state;
    instances_add(b.instances, i);
    return i;
}

static struct bjob *serve(struct instance *i, unsigned k, uint32_t uid)
{
    struct bjob *j = bjob_create();

    snprintf(j->key, sizeof(j->key), "%u", k);
    j->uid = uid;
    j->state = JOB_SECURING;
    bjob_set(&j->stage, "{\"work_dir\":\"/home/alice\"}");
    jobs_add(b.jobs, j);
    instance_set_job(b.instances, i, j->key);
    return j;
}

// ---- tests

static void a_node_without_ssh_takes_no_helper(void **state)
{
    for (unsigned k = 0; k < 40; k++)
        add(k, INST_UP);
    provision_step(&b);
    provision_step(&b);
    assert_int_equal(n_waits, 40);
    assert_int_equal(n_running, 0);
    // The one whose SSH answers is prepared at once, the others go on waiting.
    mono_ms += 30000;
    answer_wait(true);
    answer_wait(false);
    provision_step(&b);
    assert_int_equal(count("prepare"), 1);
    assert_in_range(running[0]->timeout_s, 149, 150); // what is left of its time
    assert_int_equal(n_waits, 38);
    // None waits for longer than a boot may take, and it is said why.
    mono_ms += 151000;
    while (n_waits > 0)
        answer_wait(false);
    mono_ms += 1000;
    provision_step(&b);
    assert_int_equal(n_waits, 0);
    INSTANCES_EACH(b.instances, i)
    {
        if (i->ssh)
            continue;
        assert_int_equal(i->state, INST_TERMINATING);
        assert_non_null(strstr(i->reason, "port 22 within 180 s: connection refused"));
    }
}

static void very_many_that_boot_have_their_turns(void **state)
{
    for (unsigned k = 0; k < 200; k++)
        add(k, INST_UP);
    provision_step(&b);
    assert_int_equal(n_waits, 128);
    for (unsigned k = 0; k < 128; k++)
        answer_wait(false);
    provision_step(&b);
    bool waited[200] = {false};
    for (unsigned k = 0; k < n_waits; k++)
        for (unsigned n = 0; n < 200; n++) {
            char address[32];
            snprintf(address, sizeof(address), "10.0.%u.%u", n / 200, n % 200 + 1);
            waited[n] = waited[n] || strcmp(waits[k]->address, address) == 0;
        }
    for (unsigned n = 128; n < 200; n++)
        assert_true(waited[n]); // those that had no turn yet
}

static void who_ends_is_waited_for_no_more(void **state)
{
    struct instance *i = add(1, INST_UP);

    provision_step(&b);
    assert_int_equal(n_waits, 1);
    instance_ssh_cancel(&b, i);
    assert_int_equal(n_waits, 0);
    assert_int_equal(instances_waited_for(b.instances), 0);
}

static void joins_do_not_wait_behind_boots_and_copies(void **state)
{
    for (unsigned k = 0; k < 40; k++)
        add(k, INST_UP)->port_open = true;
    for (unsigned k = 100; k < 140; k++)
        serve(add(k, INST_READY), k, 1000 + k);
    provision_step(&b);
    stage_step(&b);
    assert_int_equal(count("prepare"), 16);
    assert_int_equal(count("stage_in"), 16);
    struct instance *i = add(200, INST_BOUND);
    serve(i, 200, 1000)->state = JOB_PLACED;
    instance_set_node(b.instances, i, "aws-a-001");
    i->flags = INST_F_RESUMED;
    i->addr_set = true;
    join_step(&b);
    assert_int_equal(count("join"), 1);
    // A slot that is given back is taken by the next of its kind.
    end_one("prepare");
    provision_step(&b);
    assert_int_equal(count("prepare"), 16);
    assert_int_equal(count("stage_in"), 16);
}

static void a_user_leaves_a_quarter_of_the_copies_to_others(void **state)
{
    for (unsigned k = 0; k < 40; k++)
        serve(add(k, INST_READY), k, 1000);
    stage_step(&b);
    assert_int_equal(count("stage_in"), 12);
    serve(add(50, INST_READY), 50, 2000);
    stage_step(&b);
    assert_int_equal(count("stage_in"), 13);
    end_one("stage_in"); // one of either
    stage_step(&b);
    assert_in_range(count("stage_in"), 12, 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(a_node_without_ssh_takes_no_helper),
        T(very_many_that_boot_have_their_turns),
        T(who_ends_is_waited_for_no_more),
        T(joins_do_not_wait_behind_boots_and_copies),
        T(a_user_leaves_a_quarter_of_the_copies_to_others),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
