// SPDX-License-Identifier: GPL-3.0-or-later
// From Slurm's record of a job to its demand. Records are as slurmctld 22.05.8 sends them for the
// command in `what`, and numbers of nodes are those on which it ran the job (tests/t/26-need.t asks
// it for hundreds more).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "job/fit.h"
#include "slurm/records.h"

#define TEXT(s) ((char *)(s))

// As Slurm reports a plain `sbatch job.sh`: one node, one CPU.
static struct sjob plain(void)
{
    struct sjob s;

    memset(&s, 0, sizeof(s));
    s.features = s.licenses = s.reservation = s.special = s.partition = TEXT("");
    s.tres_per_job = s.tres_per_node = s.tres_per_socket = s.tres_per_task = TEXT("");
    s.cpus_per_tres = s.mem_per_tres = TEXT("");
    s.num_nodes_min = s.num_cpus = s.cpus_per_task = s.cpus_per_node = s.num_tasks = 1;
    return s;
}

static const struct shape_size a100x2 = {"a100", 2, 8, 8000, 0, NULL},
                               h100x4 = {"h100", 4, 16, 32000, 0, NULL};
static const struct shape_size cpu8 = {"", 0, 8, 4000, 0, "burst,aws,cpu8,fast"},
                               cpu2 = {"", 0, 2, 900, 500, "burst,aws,cpu2"};
static const struct spart no_defaults = {.name = "main"};

static unsigned nodes_in(const struct sjob *s, const struct spart *home, const struct spart *part,
                         const struct shape_size *z)
{
    struct demand d;
    char why[200];

    assert_int_equal(demand_of(s, home, &d, why, sizeof(why)), 0);
    return demand_nodes(&d, part, z);
}

static unsigned nodes_on(const struct sjob *s, const struct shape_size *z)
{
    return nodes_in(s, &no_defaults, &no_defaults, z);
}

static void gpu_and_cpu_jobs_keep_apart(void **state)
{
    struct sjob s = plain();

    assert_int_equal(nodes_on(&s, &cpu8), 1);
    assert_int_equal(nodes_on(&s, &a100x2), 0);
    s.tres_per_job = TEXT("gres:gpu:1");
    assert_int_equal(nodes_on(&s, &cpu8), 0);
    assert_int_equal(nodes_on(&s, &a100x2), 1);
    s.tres_per_job = TEXT("gres:gpu:h100:1");
    assert_int_equal(nodes_on(&s, &a100x2), 0);
    assert_int_equal(nodes_on(&s, &h100x4), 1);
}

static void ranges_and_tasks(void **state)
{
    struct sjob s = plain(); // -N1-3 -n20

    s.num_nodes_max = 3;
    s.num_tasks = s.num_cpus = 20;
    s.tasks_given = true;
    assert_int_equal(nodes_on(&s, &cpu8), 3);
    assert_int_equal(nodes_on(&s, &cpu2), 0); // 10
    s.num_tasks = s.num_cpus = 3;             // the least that works, not what Slurm would like
    assert_int_equal(nodes_on(&s, &cpu8), 1);
    s = plain(); // -n3 -c5: a task does not span nodes
    s.num_tasks = 3;
    s.cpus_per_task = s.cpus_per_node = 5;
    s.num_cpus = 15;
    s.tasks_given = s.cpus_given = true;
    assert_int_equal(nodes_on(&s, &cpu8), 3);
    s = plain(); // -n1 --gpus=4: no node without a task, so never on nodes with fewer GPUs
    s.tasks_given = true;
    s.tres_per_job = TEXT("gres:gpu:4");
    assert_int_equal(nodes_on(&s, &a100x2), 0);
    assert_int_equal(nodes_on(&s, &h100x4), 1);
    s.tasks_given = false; // --gpus=4
    assert_int_equal(nodes_on(&s, &a100x2), 2);
}

static void memory_that_its_user_did_not_ask_for(void **state)
{
    const struct spart per_gpu = {
        .name = "gpu", .def_mem_per_gpu_mib = 9000, .def_cpus_per_gpu = 5};
    const struct spart other = {.name = "other", .def_cpus_per_gpu = 8};
    struct sjob s = plain(); // --gpus=4 in a cluster with DefMemPerCPU=500

    s.tres_per_job = TEXT("gres:gpu:4");
    s.mem_per_cpu_mib = 500;
    assert_int_equal(nodes_on(&s, &h100x4), 1);
    // 4 x 9000 MiB do not fit into 32000, and memory per GPU takes the place of that per CPU
    assert_int_equal(nodes_in(&s, &no_defaults, &per_gpu, &h100x4), 2);
    // the record shows the defaults of the partition that it is in: elsewhere they do not count
    s.cpus_per_tres = TEXT("gpu:5");
    s.mem_per_tres = TEXT("gpu:9000");
    assert_int_equal(nodes_in(&s, &per_gpu, &no_defaults, &h100x4), 1);
    assert_int_equal(nodes_in(&s, &per_gpu, &other, &h100x4), 2);       // 8 CPUs a GPU
    s.cpus_per_tres = TEXT("gres:gpu:5");                               // its user's
    assert_int_equal(nodes_in(&s, &per_gpu, &no_defaults, &h100x4), 2); // 3 GPUs for 16 CPUs
}

static void more_memory_than_the_partition_lets_a_job_have(void **state)
{
    const struct spart limited = {.name = "limited", .max_mem_per_node_mib = 3000};
    struct sjob s = plain();

    s.mem_given = true;
    s.mem_per_node_mib = 3000;
    assert_int_equal(nodes_in(&s, &no_defaults, &limited, &cpu8), 1);
    s.mem_per_node_mib = 3001;
    assert_int_equal(nodes_in(&s, &no_defaults, &limited, &cpu8), 0);
    assert_int_equal(nodes_on(&s, &cpu8), 1); // where there is no limit
}

static void whole_nodes(void **state)
{
    const struct spart whole = {.name = "whole", .exclusive = true};
    struct sjob s = plain(); // --exclusive, DefMemPerCPU=500: all CPUs count

    s.mem_per_cpu_mib = 500;
    assert_int_equal(nodes_on(&s, &cpu2), 1);
    s.exclusive = true;
    assert_int_equal(nodes_on(&s, &cpu2), 0);
    assert_int_equal(nodes_on(&s, &cpu8), 1);
    s.exclusive = false;
    assert_int_equal(nodes_in(&s, &no_defaults, &whole, &cpu2), 0);
}

static void more_tasks_than_cpus(void **state)
{
    struct sjob s = plain(); // -n10 -O

    s.num_tasks = 10;
    s.tasks_given = true;
    assert_int_equal(nodes_on(&s, &cpu2), 1);
    struct demand d;
    char why[200];
    s.tres_per_node = TEXT("gres:gpu:1");
    assert_int_equal(demand_of(&s, &no_defaults, &d, why, sizeof(why)), -1);
    assert_non_null(strstr(why, "--overcommit"));
}

static void features_and_local_disk(void **state)
{
    const struct {
        const char *constraint;
        unsigned cpu8, cpu2;
    } cases[] = {
        {"fast", 1, 0},
        {"aws", 1, 1},
        {"aws&fast", 1, 0},
        {"fast|slow", 1, 0},
        {"aws&(fast|cpu2)", 1, 1},
        {"aws&(slow|hot)", 0, 0},
        {"fas", 0, 0},
        {"cpu8|cpu2", 1, 1},
    };
    const char *const only_slurm[] = {"fast*2", "[fast|slow]", "aws&fast|slow",
                                      "(aws",   "aws&",        "!a"};
    struct demand d;
    char why[200];
    struct sjob s = plain();

    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        s.features = TEXT(cases[k].constraint);
        assert_int_equal(nodes_on(&s, &cpu8), cases[k].cpu8);
        assert_int_equal(nodes_on(&s, &cpu2), cases[k].cpu2);
    }
    for (size_t k = 0; k < sizeof(only_slurm) / sizeof(only_slurm[0]); k++) {
        s.features = TEXT(only_slurm[k]);
        assert_int_equal(demand_of(&s, NULL, &d, why, sizeof(why)), -1);
        assert_non_null(strstr(why, "--constraint"));
    }
    s = plain();
    s.tmp_disk_mib = 500;
    assert_int_equal(nodes_on(&s, &cpu8), 0);
    assert_int_equal(nodes_on(&s, &cpu2), 1);
    s.tmp_disk_mib = 501;
    assert_int_equal(nodes_on(&s, &cpu2), 0);
}

static void what_no_rented_node_has(void **state)
{
    struct sjob s;
    const struct {
        char **text;
        const char *value, *why;
    } cases[] = {
        {&s.reservation, "r", "reservation"},
        {&s.special, "a burst buffer", "a burst buffer"},
        {&s.tres_per_node, "gres:shard:1", "gres:shard:1"},
        {&s.tres_per_node, "gres:gpu:a100:1,gres:gpu:t4:1", "several types"},
    };
    struct demand d;
    char why[200];

    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        s = plain();
        *cases[k].text = TEXT(cases[k].value);
        assert_int_equal(demand_of(&s, NULL, &d, why, sizeof(why)), -1);
        assert_non_null(strstr(why, cases[k].why));
    }
    s = plain();
    s.het = true;
    assert_int_equal(demand_of(&s, NULL, &d, why, sizeof(why)), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpu_and_cpu_jobs_keep_apart),
        cmocka_unit_test(ranges_and_tasks),
        cmocka_unit_test(memory_that_its_user_did_not_ask_for),
        cmocka_unit_test(more_memory_than_the_partition_lets_a_job_have),
        cmocka_unit_test(whole_nodes),
        cmocka_unit_test(more_tasks_than_cpus),
        cmocka_unit_test(features_and_local_disk),
        cmocka_unit_test(what_no_rented_node_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
