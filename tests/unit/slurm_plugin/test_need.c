// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of what a job needs: every spelling of Slurm's TRES texts, and node counts worked out
// by hand from Slurm's definitions of the options.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slurm_plugin/need.h"

static void tres_spellings(void **state)
{
    static const struct {
        const char *text, *type;
        uint64_t count;
    } good[] = {
        {"gres:gpu:2", "", 2},
        {"gres:gpu", "", 1},
        {"gres:gpu:a100", "a100", 1},
        {"gres:gpu:a100:2", "a100", 2},
        {"gres/gpu:1", "", 1},
        {"gres/gpu=2", "", 2},
        {"gres/gpu:a100:2", "a100", 2},
        {"gres/gpu:a100=2", "a100", 2},
        {"gpu:3", "", 3},
        {"gpu:h100:4", "h100", 4},
        {"gres:gpu:1g.5gb:2", "1g.5gb", 2},
        {"gres:gpu:1k", "", 1024},
        {"gres:gpu:a100:1,gres:gpu:a100:2", "a100", 3},
        {"gres:gpu:2;gres:gpu:a100:1", "a100", 3},
        {"gres:none", "", 0},
        {"gres:gpu:0", "", 0},
        {"", "", 0},
        {",,", "", 0},
        {"gres:gpu:99999999999999999999999", "", UINT64_C(1) << 32},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct job_request j = {.tres_per_node = good[i].text};
        struct need n;
        char why[64];
        assert_int_equal(need_of(&j, &n, why, sizeof(why)), 0);
        if (n.gpus_per_node != good[i].count || strcmp(n.gpu_type, good[i].type) != 0)
            fail_msg("%s: %llu of \"%s\"", good[i].text, (unsigned long long)n.gpus_per_node,
                     n.gpu_type);
    }
}

static void what_only_slurm_can_judge(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"gres:shard:1", "the resource gres:shard:1"},
        {"gres/mps=50", "the resource gres/mps=50"},
        {"license/matlab=1", "the resource license/matlab=1"},
        {"cpu:4", "the resource cpu:4"}, // a count per node has no business here
        {"gres:gpu:1,gres:fpga:1", "the resource gres:fpga:1"},
        {"gres:gpu:a100:1,gres:gpu:v100:1", "GPUs of several types"},
        {"gres:gpu:a_type_whose_name_is_very_long_indeed:1", "a GPU type with a very long name"},
        {"x\x1b[2J", "the resource x?[2J"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct job_request j = {.tres_per_node = bad[i].text};
        struct need n;
        char why[64] = "";
        assert_int_equal(need_of(&j, &n, why, sizeof(why)), -1);
        assert_string_equal(why, bad[i].why);
    }
    struct job_request j = {.tres_per_job = "gres:gpu:a100:1", .tres_per_task = "gres:gpu:t4:1"};
    struct need n;
    char why[64];
    assert_int_equal(need_of(&j, &n, why, sizeof(why)), -1);
}

static void counts(void **state)
{
    const struct node_size n8 = {.cpus = 8, .memory_mib = 16000, .gpus = 2};
    static const struct {
        const char *what;
        struct job_request j;
        uint64_t nodes; // of n8
    } cases[] = {
        {"sbatch job.sh", {.min_cpus = 1}, 1},
        {"-N3", {.min_nodes = 3, .min_cpus = 3}, 3},
        {"-n20", {.tasks = 20, .min_cpus = 20}, 3},
        {"-n4 -c4", {.tasks = 4, .cpus_per_task = 4, .min_cpus = 16}, 2},
        {"-n3 -c5: one task a node", {.tasks = 3, .cpus_per_task = 5, .min_cpus = 15}, 3},
        {"-c9", {.cpus_per_task = 9, .min_cpus = 9}, 0},
        {"-c9 -O", {.cpus_per_task = 9, .min_cpus = 1, .overcommit = true}, 0},
        {"-n10 -O", {.tasks = 10, .min_cpus = 1, .overcommit = true}, 1},
        {"-n2 -c9 -O: a node has the CPUs of a task all the same",
         {.tasks = 2, .cpus_per_task = 9, .min_cpus = 1, .overcommit = true, .cpus_given = true},
         0},
        {"-n1 --gpus=4: no node without a task",
         {.tasks = 1, .min_cpus = 1, .tres_per_job = "gres:gpu:4"},
         0},
        {"-n5 --ntasks-per-node=2 --gpus-per-task=2: nor with fewer than that",
         {.tasks = 5, .tasks_per_node = 2, .min_cpus = 5, .tres_per_task = "gres:gpu:2"},
         0},
        {"--exclusive --mem-per-cpu=2001: for all CPUs",
         {.min_cpus = 1, .exclusive = true, .mem_per_cpu_mib = 2001, .mem_given = true},
         0},
        {"--exclusive --mem-per-cpu=2000",
         {.min_cpus = 1, .exclusive = true, .mem_per_cpu_mib = 2000, .mem_given = true},
         1},
        {"--exclusive --gpus-per-node=1 --cpus-per-gpu=5: for all GPUs",
         {.exclusive = true, .tres_per_node = "gres:gpu:1", .cpus_per_tres = "gres:gpu:5"},
         0},
        {"-n1 --ntasks-per-node=3 --mem-per-cpu=6000",
         {.tasks = 1, .tasks_per_node = 3, .min_cpus = 1, .mem_per_cpu_mib = 6000},
         0},
        {"-n8 --gpus=2 --cpus-per-gpu=1: Slurm takes more than can be said",
         {.tasks = 8, .min_cpus = 8, .tres_per_job = "gres:gpu:2", .cpus_per_tres = "gres:gpu:1"},
         0},
        {"--mincpus=8", {.cpus_per_node = 8}, 1},
        {"--mincpus=9", {.cpus_per_node = 9}, 0},
        {"-N2 --ntasks-per-node=8", {.min_nodes = 2, .tasks_per_node = 8}, 2},
        {"-N2 --ntasks-per-node=9", {.min_nodes = 2, .tasks_per_node = 9}, 0},
        {"-n6 --ntasks-per-node=2", {.tasks = 6, .tasks_per_node = 2, .min_cpus = 6}, 3},
        {"-N1-2 -n20", {.min_nodes = 1, .max_nodes = 2, .tasks = 20, .min_cpus = 20}, 0},
        {"-N1-3 -n20", {.min_nodes = 1, .max_nodes = 3, .tasks = 20, .min_cpus = 20}, 3},
        {"--mem=16000", {.mem_per_node_mib = 16000}, 1},
        {"--mem=16001", {.mem_per_node_mib = 16001}, 0},
        {"-n8 --mem-per-cpu=4000: 4 a node",
         {.tasks = 8, .min_cpus = 8, .mem_per_cpu_mib = 4000},
         2},
        {"--mem-per-cpu=16001", {.min_cpus = 1, .mem_per_cpu_mib = 16001}, 0},
        {"--gres=gpu:2", {.tres_per_node = "gres:gpu:2"}, 1},
        {"--gres=gpu:3", {.tres_per_node = "gres:gpu:3"}, 0},
        {"-N2 --gres=gpu:1", {.min_nodes = 2, .tres_per_node = "gres:gpu:1"}, 2},
        {"--gpus=5", {.tres_per_job = "gres:gpu:5"}, 3},
        {"--gpus=4 --gpus-per-node=1",
         {.tres_per_job = "gres:gpu:4", .tres_per_node = "gres:gpu:1"},
         4},
        {"-n4 --gpus-per-task=1", {.tasks = 4, .min_cpus = 4, .tres_per_task = "gres/gpu=1"}, 2},
        {"--gpus=4 --gpus-per-task=1",
         {.tres_per_job = "gres:gpu:4", .tres_per_task = "gres:gpu:1"},
         2},
        {"--gpus-per-task=3", {.tasks = 1, .tres_per_task = "gres:gpu:3"}, 0},
        {"-n2 --tres-per-task=cpu:6", {.tasks = 2, .tres_per_task = "cpu:6"}, 2},
        {"--tres-per-task=cpu=6,gres/gpu=1", {.tasks = 2, .tres_per_task = "cpu=6,gres/gpu=1"}, 2},
        {"--gpus-per-socket=1 --sockets-per-node=2",
         {.tres_per_socket = "gres:gpu:1", .sockets_per_node = 2},
         1},
        {"--gpus-per-socket=2 --sockets-per-node=2",
         {.tres_per_socket = "gres:gpu:2", .sockets_per_node = 2},
         0},
        {"--gpus=2 --cpus-per-gpu=8",
         {.tres_per_job = "gres:gpu:2", .cpus_per_tres = "gres:gpu:8"},
         2},
        {"--gpus=1 --cpus-per-gpu=9",
         {.tres_per_job = "gres:gpu:1", .cpus_per_tres = "gres:gpu:9"},
         0},
        {"--gpus=2 --mem-per-gpu=16000",
         {.tres_per_job = "gres:gpu:2", .mem_per_tres = "gres:gpu:16000"},
         2},
        {"--gpus=1 --mem-per-gpu=16001",
         {.tres_per_job = "gres:gpu:1", .mem_per_tres = "gres:gpu:16001"},
         0},
        {"--gpus=2 --ntasks-per-gpu=8", {.tres_per_job = "gres:gpu:2", .tasks_per_gpu = 8}, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct need n;
        char why[64];
        assert_int_equal(need_of(&cases[i].j, &n, why, sizeof(why)), 0);
        uint64_t got = need_count(&n, &n8);
        if (got != cases[i].nodes)
            fail_msg("%s takes %llu nodes, not %llu", cases[i].what, (unsigned long long)got,
                     (unsigned long long)cases[i].nodes);
    }
}

// The largest numbers that a client can send must neither trap nor come out small.
static void hostile_numbers(void **state)
{
    struct job_request j = {
        .min_nodes = UINT32_MAX,
        .max_nodes = 1,
        .tasks_per_node = UINT32_MAX,
        .cpus_per_task = UINT32_MAX,
        .min_cpus = UINT32_MAX,
        .cpus_per_node = UINT32_MAX,
        .sockets_per_node = UINT32_MAX,
        .tasks_per_gpu = UINT32_MAX,
        .mem_per_node_mib = UINT64_MAX,
        .mem_per_cpu_mib = UINT64_MAX,
        .tres_per_job = "gres:gpu:99999999999G",
        .tres_per_socket = "gres:gpu:99999999999G",
        .tres_per_task = "gres:gpu:99999999999G",
        .cpus_per_tres = "gres:gpu:99999999999G",
        .mem_per_tres = "gres:gpu:99999999999G",
    };
    const struct node_size sizes[] = {
        {0},
        {.cpus = 1, .memory_mib = 1, .gpus = 1},
        {.cpus = UINT64_MAX, .memory_mib = UINT64_MAX, .gpus = UINT64_MAX}};
    struct need n;
    char why[64];

    assert_int_equal(need_of(&j, &n, why, sizeof(why)), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(need_count(&n, &sizes[i]), 0);
    need_count(&n, &sizes[2]);
    struct job_request plain = {0};
    assert_int_equal(need_of(&plain, &n, why, sizeof(why)), 0);
    assert_int_equal(need_count(&n, &sizes[0]), 0);
    assert_int_equal(need_count(&n, &sizes[1]), 1);
    assert_false(need_wants_gpu(&n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tres_spellings),
        cmocka_unit_test(what_only_slurm_can_judge),
        cmocka_unit_test(counts),
        cmocka_unit_test(hostile_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
