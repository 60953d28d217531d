// SPDX-License-Identifier: GPL-3.0-or-later
// Which shapes serve which jobs, and with how many nodes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "job/fit.h"
#include "slurm/slurm_link.h"

static char none[] = "";

// As Slurm reports a plain `sbatch job.sh`: one node, one CPU.
static struct sjob plain(void)
{
    struct sjob s;

    memset(&s, 0, sizeof(s));
    s.features = s.licenses = s.reservation = none;
    s.num_nodes_min = s.num_cpus = s.cpus_per_task = 1;
    return s;
}

static unsigned nodes_on(const struct sjob *s, const struct shape_size *z)
{
    struct demand d;
    char why[200];

    assert_int_equal(demand_of(s, &d, why, sizeof(why)), 0);
    return demand_nodes(&d, z);
}

static const struct shape_size a100x2 = {"a100", 2, 8, 16000};
static const struct shape_size cpu4 = {"", 0, 4, 8000};

static void gpu_and_cpu_jobs_keep_apart(void **state)
{
    struct sjob s = plain();

    assert_int_equal(nodes_on(&s, &cpu4), 1);
    assert_int_equal(nodes_on(&s, &a100x2), 0);
    s.gpus_per_job = 1;
    assert_int_equal(nodes_on(&s, &cpu4), 0);
    assert_int_equal(nodes_on(&s, &a100x2), 1);
}

static void gpu_type_and_count(void **state)
{
    struct sjob s = plain();

    s.gpus_per_node = 2;
    memcpy(s.gpu_type, "A100", 5); // names are equal without regard to case
    assert_int_equal(nodes_on(&s, &a100x2), 1);
    memcpy(s.gpu_type, "h100", 5);
    assert_int_equal(nodes_on(&s, &a100x2), 0);
    s.gpu_type[0] = '\0';
    s.gpus_per_node = 3;
    assert_int_equal(nodes_on(&s, &a100x2), 0);
}

static void gpus_of_the_whole_job_spread(void **state)
{
    struct sjob s = plain();

    s.gpus_per_job = 5; // --gpus=5 without -N: three nodes of two
    assert_int_equal(nodes_on(&s, &a100x2), 3);
    s.num_nodes_min = 2; // -N2 --gpus=5: Slurm would not take a third node
    assert_int_equal(nodes_on(&s, &a100x2), 0);
    s.gpus_per_job = 4;
    assert_int_equal(nodes_on(&s, &a100x2), 2);
}

static void gpus_per_task(void **state)
{
    struct sjob s = plain();

    s.num_nodes_min = 2;
    s.num_tasks = 4; // two a node
    s.num_cpus = 4;
    s.gpus_per_task = 1;
    assert_int_equal(nodes_on(&s, &a100x2), 2);
    s.gpus_per_task = 2; // four GPUs a node
    assert_int_equal(nodes_on(&s, &a100x2), 0);
}

static void cpus_and_memory(void **state)
{
    struct sjob s = plain();

    s.num_cpus = s.cpus_per_task = 4;
    assert_int_equal(nodes_on(&s, &cpu4), 1);
    s.mem_per_cpu_mib = 2000;
    assert_int_equal(nodes_on(&s, &cpu4), 1);
    s.mem_per_cpu_mib = 2001; // 4 x 2001 > 8000
    assert_int_equal(nodes_on(&s, &cpu4), 0);
    s.mem_per_cpu_mib = 0;
    s.mem_per_node_mib = 8001;
    assert_int_equal(nodes_on(&s, &cpu4), 0);
    s.mem_per_node_mib = 8000;
    assert_int_equal(nodes_on(&s, &cpu4), 1);
    s.cpus_per_task = 5;
    s.num_cpus = 5;
    assert_int_equal(nodes_on(&s, &cpu4), 0); // one task does not span nodes
}

static void tasks_spread_over_nodes(void **state)
{
    struct sjob s = plain();

    s.num_cpus = 10; // -n10
    assert_int_equal(nodes_on(&s, &cpu4), 3);
    s.num_nodes_min = 2;
    assert_int_equal(nodes_on(&s, &cpu4), 0);
}

static void what_no_rented_node_has(void **state)
{
    static char text[] = "something";
    struct demand d;
    char why[200];
    struct sjob s = plain();

    s.features = text;
    assert_int_equal(demand_of(&s, &d, why, sizeof(why)), -1);
    assert_non_null(strstr(why, "--constraint"));
    s = plain();
    s.licenses = text;
    assert_int_equal(demand_of(&s, &d, why, sizeof(why)), -1);
    s = plain();
    s.reservation = text;
    assert_int_equal(demand_of(&s, &d, why, sizeof(why)), -1);
    s = plain();
    s.het = true;
    assert_int_equal(demand_of(&s, &d, why, sizeof(why)), -1);
    s = plain();
    s.other_gres = true;
    assert_int_equal(demand_of(&s, &d, why, sizeof(why)), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpu_and_cpu_jobs_keep_apart),
        cmocka_unit_test(gpu_type_and_count),
        cmocka_unit_test(gpus_of_the_whole_job_spread),
        cmocka_unit_test(gpus_per_task),
        cmocka_unit_test(cpus_and_memory),
        cmocka_unit_test(tasks_spread_over_nodes),
        cmocka_unit_test(what_no_rented_node_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
