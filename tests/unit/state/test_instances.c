// SPDX-License-Identifier: GPL-3.0-or-later
// The tables of instances and jobs: what an index finds is what a walk over the table would find,
// whatever was changed before, and a walk over those alike bears that they change.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libburst/xalloc.h"
#include "ssh/port_wait.h"
#include "ssh/ssh_op.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/journal.h"
#include "state/store.h"

void ssh_op_cancel(struct ssh_op *op)
{
    fail_msg("no SSH here");
}

void port_wait_cancel(struct port_wait *w)
{
    fail_msg("no SSH here");
}

static struct burstd b;
static uint64_t seed;

static unsigned draw(unsigned n)
{
    // splitmix64
    uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ (z >> 31)) % n);
}

static int setup(void **state)
{
    memset(&b, 0, sizeof(b));
    seed = 42;
    b.instances = instances_create(&b);
    b.jobs = jobs_create(&b);
    return 0;
}

static int teardown(void **state)
{
    instances_destroy(b.instances);
    jobs_destroy(b.jobs);
    return 0;
}

static const char *name(const char *what, unsigned n)
{
    static char text[4][32];
    static unsigned at;

    at = (at + 1) % 4;
    snprintf(text[at], sizeof(text[at]), n ? "%s-%u" : "", what, n);
    return text[at];
}

static struct instance *add(unsigned n)
{
    struct instance *i = xmalloc(sizeof(*i));

    snprintf(i->id, sizeof(i->id), "demo-%u", n);
    snprintf(i->cloud, sizeof(i->cloud), "%s", draw(2) ? "aws" : "gcp");
    i->state = INST_READY;
    instance_set_job(b.instances, i, name("job", draw(5))); // also before it is in the table
    instances_add(b.instances, i);
    return i;
}

static void change(struct instance *i)
{
    switch (draw(5)) {
    case 0:
        instance_set_node(b.instances, i, name("node", draw(8)));
        break;
    case 1:
        instance_set_job(b.instances, i, name("job", draw(5)));
        break;
    case 2:
        instance_set_cloud_id(b.instances, i, name("i", draw(8)));
        break;
    case 3:
        i->state = draw(4) ? (enum inst_state)draw(INST_GONE) : INST_TERMINATING;
        break;
    default:
        i->state = INST_GONE;
        instances_sweep(b.instances);
    }
}

static unsigned count_walk(enum instance_index index, const char *text)
{
    unsigned n = 0;

    INSTANCES_EACH(b.instances, i)
    n += strcmp(index == BY_NODE ? i->node : index == BY_JOB ? i->job : i->cloud_id, text) == 0;
    return n;
}

static unsigned count_index(enum instance_index index, const char *text)
{
    unsigned n = 0;

    INSTANCES_OF(b.instances, index, text, i)
    {
        assert_ptr_equal(instances_find(b.instances, i->id), i);
        assert_string_equal(index == BY_NODE  ? i->node
                            : index == BY_JOB ? i->job
                                              : i->cloud_id,
                            text);
        n++;
    }
    return n;
}

static void check_finds(const char *node, const char *id)
{
    struct instance *at = instances_by_node(b.instances, node);
    bool live = false, there = false;

    INSTANCES_EACH(b.instances, i)
    {
        live = live || (i->state < INST_TERMINATING && strcmp(i->node, node) == 0);
        there = there || (strcmp(i->cloud, "aws") == 0 && strcmp(i->cloud_id, id) == 0);
    }
    assert_int_equal(at != NULL, live);
    assert_true(!at || (strcmp(at->node, node) == 0 && at->state < INST_TERMINATING));
    at = instances_by_cloud_id(b.instances, "aws", id);
    assert_int_equal(at != NULL, there);
    assert_true(!at || strcmp(at->cloud_id, id) == 0);
}

static void an_index_finds_what_a_walk_finds(void **state)
{
    static const char *const what[] = {"node", "job", "i"};

    for (unsigned k = 0; k < 4000; k++) {
        struct instance *i = instances_find(b.instances, name("demo", 1 + draw(60)));
        if (i)
            change(i);
        else
            add(k % 60 + 1 + 60 * (k / 60));
        if (instances_count(b.instances) < 40)
            add(100000 + k);
        INSTANCES_EACH(b.instances, any)
        if (draw(8) == 0) {
            change(any);
            break; // it may have gone
        }
        assert_true(instances_sound(b.instances));
        for (unsigned n = 0; n < 8; n++) {
            for (int index = 0; index < INSTANCE_INDEXES; index++)
                assert_int_equal(count_index((enum instance_index)index, name(what[index], n)),
                                 count_walk((enum instance_index)index, name(what[index], n)));
            check_finds(name("node", n), name("i", n));
        }
    }
}

static void those_alike_may_change_while_they_are_walked(void **state)
{
    unsigned seen = 0;

    for (unsigned k = 1; k <= 10; k++)
        instance_set_job(b.instances, add(k), "7");
    INSTANCES_OF(b.instances, BY_JOB, "7", i)
    {
        instance_set_job(b.instances, i, seen % 2 ? "" : "8");
        seen++;
    }
    assert_int_equal(seen, 10);
    assert_int_equal(count_index(BY_JOB, "7"), 0);
    assert_int_equal(count_index(BY_JOB, "8"), 5);
    // In the order in which they came.
    struct instance *first = instances_first_of(b.instances, BY_JOB, "8");
    assert_string_equal(first->id, "demo-1");
    assert_string_equal(first->in[BY_JOB].next->id, "demo-3");
}

static struct bjob *add_job(const char *key, uint32_t id, enum job_state state)
{
    struct bjob *j = bjob_create();

    snprintf(j->key, sizeof(j->key), "%s", key);
    j->state = state;
    jobs_set_id(b.jobs, j, id);
    jobs_add(b.jobs, j);
    return j;
}

static void a_job_is_found_by_the_id_that_it_has_now(void **state)
{
    struct bjob *waits = add_job("100_1", 100, JOB_WATCHING);
    struct bjob *placed = add_job("100_2", 100, JOB_PLACED);
    struct bjob *runs = add_job("100_3", 100, JOB_RUNNING);

    assert_ptr_equal(jobs_by_id(b.jobs, 100), runs); // before those that wait
    jobs_set_id(b.jobs, runs, 103);                  // its own, when it starts
    assert_ptr_equal(jobs_by_id(b.jobs, 103), runs);
    assert_ptr_equal(jobs_by_id(b.jobs, 100), placed);
    jobs_remove(b.jobs, placed);
    assert_ptr_equal(jobs_by_id(b.jobs, 100), waits);
    jobs_remove(b.jobs, waits);
    assert_null(jobs_by_id(b.jobs, 100));
    assert_null(jobs_by_id(b.jobs, 0));
}

// Thousands may be met at once: a look writes some of them and asks for the next look.
static unsigned pokes;

static void count_poke(struct burstd *at)
{
    pokes++;
}

static void many_new_jobs_are_written_over_several_looks(void **state)
{
    char path[] = "/tmp/burst-jobs-XXXXXX", tail[64];
    burst_error_t err;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    b.poke = count_poke;
    b.store = store_open(path, &err);
    assert_non_null(b.store);
    for (unsigned k = 0; k < 1200; k++) {
        struct bjob *j = add_job(name("j", k + 1), k, JOB_WATCHING);
        assert_int_equal(job_state(&b, j, JOB_CANDIDATE, "the local nodes are full"), 0);
    }
    unsigned looks = 0;
    for (unsigned left = 1200; left > 0; looks++) {
        unsigned before = left;
        pokes = left = 0;
        jobs_flush(&b);
        JOBS_EACH(b.jobs, j)
        left += j->unsaved;
        assert_in_range(before - left, 1, 500);
        assert_int_equal(pokes > 0, left > 0);
    }
    assert_in_range(looks, 3, 12);
    struct bjob *found = store_find_job(b.store, "j-1200");
    assert_non_null(found);
    assert_int_equal(found->state, JOB_CANDIDATE);
    bjob_destroy(found);
    store_close(b.store);
    for (int k = 0; k < 3; k++) {
        static const char *const tails[] = {"", "-wal", "-shm"};
        snprintf(tail, sizeof(tail), "%s%s", path, tails[k]);
        remove(tail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(an_index_finds_what_a_walk_finds),
        T(those_alike_may_change_while_they_are_walked),
        T(a_job_is_found_by_the_id_that_it_has_now),
        T(many_new_jobs_are_written_over_several_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
