// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of what burst-slurm makes of Slurm's records: array tasks, GPUs, jobs, nodes,
// partitions, changes, expected starts. Records are filled by hand; libslurm is not linked. The
// expected values are those of docs/design/internals.md, section 6, and of Slurm's manual pages.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "slurm/child/array_tasks.h"
#include "slurm/child/delta.h"
#include "slurm/child/estimate.h"
#include "slurm/child/job_json.h"
#include "slurm/child/limits_json.h"
#include "slurm/child/node_json.h"

// ---- array tasks

static void tasks_are(const char *text, const char *expected)
{
    uint32_t ids[ARRAY_TASKS_MAX];
    char got[4096] = "";
    int n = array_tasks_parse(text, ids, ARRAY_TASKS_MAX);

    assert_true(n >= 0);
    for (int i = 0; i < n; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%u", i ? " " : "", ids[i]);
    assert_string_equal(got, expected);
}

static void array_notation(void **state)
{
    static const char *const bad[] = {"x",    "1-",  "-1",         "3-1", "1,,2", "1-5:0",
                                      "1-5:", "1;2", "4294967295", "1 2", "1.5"};
    uint32_t ids[ARRAY_TASKS_MAX];

    tasks_are("0-4%2", "0 1 2 3 4");
    tasks_are("7", "7");
    tasks_are("1,3,5-7", "1 3 5 6 7");
    tasks_are("0-10:5", "0 5 10");
    tasks_are("1-8:3,20", "1 4 7 20");
    tasks_are("[2-3]", "2 3");
    tasks_are("1,2,...", "1 2");
    tasks_are("1-3,...%5", "1 2 3");
    tasks_are("", "");
    tasks_are(NULL, "");
    tasks_are("4294967294", "4294967294");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (array_tasks_parse(bad[i], ids, ARRAY_TASKS_MAX) != -1)
            fail_msg("\"%s\" was accepted", bad[i]);
    // A large array: the first ones only, and no time lost on the rest.
    assert_int_equal(array_tasks_parse("0-4000000000", ids, ARRAY_TASKS_MAX), 256);
    assert_int_equal(ids[255], 255);
}

// ---- jobs

static const char *test_reason(uint32_t reason)
{
    return reason == WAIT_RESOURCES ? "Resources" : "None";
}

static const char *test_user(uint32_t uid)
{
    return uid == 2001 ? "alice" : NULL;
}

static const struct job_lookup lookup = {test_reason, test_user};

// What slurmctld sends for a plain `sbatch` of a user, pending.
static slurm_job_info_t pending_job(void)
{
    slurm_job_info_t j;

    memset(&j, 0, sizeof(j));
    j.job_id = 9;
    j.array_task_id = NO_VAL;
    j.user_id = 2001;
    j.group_id = 2001;
    j.partition = (char *)"main";
    j.name = (char *)"job.sh";
    j.job_state = JOB_PENDING;
    j.state_reason = WAIT_RESOURCES;
    j.submit_time = j.eligible_time = 1764000000;
    j.time_limit = NO_VAL;
    j.priority = 4294901750u;
    j.num_nodes = j.num_cpus = j.num_tasks = 1;
    j.cpus_per_task = 1;
    j.ntasks_per_node = NO_VAL16;
    j.batch_flag = 1;
    j.requeue = 1;
    j.shared = NO_VAL16;
    j.qos = (char *)"normal";
    j.features = (char *)"";
    j.nodes = (char *)"";
    j.work_dir = (char *)"/home/alice";
    return j;
}

static bool is_null(const cJSON *o, const char *key)
{
    return cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(o, key));
}

static void plain_job(void **state)
{
    slurm_job_info_t j = pending_job();
    cJSON *o = job_json(&j, &lookup);

    assert_string_equal(json_str(o, "job", ""), "9");
    assert_int_equal(json_i64(o, "job_id", -1), 9);
    assert_true(is_null(o, "array_task_id"));
    assert_string_equal(json_str(o, "user", ""), "alice");
    assert_string_equal(json_str(o, "state", ""), "PENDING");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "flags")), 0);
    assert_string_equal(json_str(o, "reason", ""), "Resources");
    assert_int_equal(json_i64(o, "submit", -1), 1764000000);
    assert_int_equal(json_i64(o, "start", -1), 0);
    assert_int_equal(json_i64(o, "time_limit_s", -1), 0); // none given
    assert_int_equal(json_i64(o, "priority", -1), 4294901750);
    assert_int_equal(json_i64(o, "num_nodes_max", -1), 0);
    assert_int_equal(json_i64(o, "ntasks_per_node", -1), 0);
    assert_int_equal(json_i64(o, "mem_per_node_mib", -1), 0);
    assert_true(json_bool(o, "batch", false));
    assert_true(json_bool(o, "requeue", false));
    assert_false(json_bool(o, "exclusive", true));
    assert_true(is_null(o, "special"));
    assert_false(json_bool(o, "mem_given", true));
    assert_string_equal(json_str(o, "std_out", ""), "slurm-%j.out");
    assert_string_equal(json_str(o, "work_dir", ""), "/home/alice");
    static const char *const nulls[] = {"nodes",  "features",  "account",  "admin_comment",
                                        "std_in", "req_nodes", "licenses", "reservation"};
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
        assert_true(is_null(o, nulls[i]));
    cJSON_Delete(o);
}

// As their user wrote them: burstd fills them in when it knows the node.
static void files_of_a_batch_job(void **state)
{
    slurm_job_info_t j = pending_job();

    j.array_job_id = 9;
    j.array_task_id = 3;
    cJSON *o = job_json(&j, &lookup);
    assert_string_equal(json_str(o, "std_out", ""), "slurm-%A_%a.out");
    assert_true(is_null(o, "std_err"));
    cJSON_Delete(o);
    j.std_in = (char *)"in-%a";
    j.std_out = (char *)"../out/%5j-%N";
    j.std_err = (char *)"/scratch/\\%x";
    o = job_json(&j, &lookup);
    assert_string_equal(json_str(o, "std_in", ""), "in-%a");
    assert_string_equal(json_str(o, "std_out", ""), "../out/%5j-%N");
    assert_string_equal(json_str(o, "std_err", ""), "/scratch/\\%x");
    cJSON_Delete(o);
    j.batch_flag = 0; // srun's own: none of them is written by Slurm on the node
    o = job_json(&j, &lookup);
    assert_true(is_null(o, "std_in") && is_null(o, "std_out") && is_null(o, "std_err"));
    cJSON_Delete(o);
}

static void job_with_everything(void **state)
{
    slurm_job_info_t j = pending_job();

    j.array_job_id = 120;
    j.array_task_id = 4;
    j.het_job_id = 7;
    j.user_name = (char *)"bob";
    j.job_state = JOB_RUNNING | JOB_CONFIGURING | JOB_REQUEUE;
    j.time_limit = 90;
    j.pn_min_memory = 500 | MEM_PER_CPU;
    j.tres_per_node = (char *)"gres:gpu:a100:2";
    j.mem_per_tres = (char *)"gpu:600";
    j.bitflags = JOB_MEM_SET | JOB_NTASKS_SET;
    j.num_nodes = 5; // Slurm's guess
    j.tres_req_str = (char *)"cpu=4,mem=2000M,node=2,billing=4";
    j.max_nodes = 3;
    j.pn_min_cpus = 3;
    j.core_spec = 1;
    j.ntasks_per_node = 4;
    j.shared = JOB_SHARED_NONE;
    j.restart_cnt = 1;
    j.admin_comment = (char *)"burst:1 held \"x\"\n";
    j.exit_code = 3 << 8 | 0;
    j.deadline = 1764003600;
    cJSON *o = job_json(&j, &lookup);
    assert_string_equal(json_str(o, "job", ""), "120_4");
    assert_int_equal(json_i64(o, "array_task_id", -1), 4);
    assert_int_equal(json_i64(o, "het_job_id", -1), 7);
    assert_string_equal(json_str(o, "user", ""), "bob");
    assert_string_equal(json_str(o, "state", ""), "RUNNING");
    char *flags = json_line(cJSON_GetObjectItem(o, "flags"));
    assert_string_equal(flags, "[\"REQUEUED\",\"CONFIGURING\"]");
    free(flags);
    assert_int_equal(json_i64(o, "time_limit_s", -1), 5400);
    assert_int_equal(json_i64(o, "mem_per_cpu_mib", -1), 500);
    assert_int_equal(json_i64(o, "mem_per_node_mib", -1), 0);
    const cJSON *tres = cJSON_GetObjectItem(o, "tres");
    assert_string_equal(json_str(tres, "per_node", ""), "gres:gpu:a100:2");
    assert_string_equal(json_str(tres, "mem_per", ""), "gpu:600");
    assert_true(is_null(tres, "per_job"));
    assert_true(json_bool(o, "mem_given", false) && json_bool(o, "tasks_given", false));
    assert_false(json_bool(o, "cpus_given", true));
    assert_int_equal(json_i64(o, "cpus_per_node", -1), 3);
    assert_string_equal(json_str(o, "special", ""), "specialized cores");
    assert_int_equal(json_i64(o, "num_nodes_min", -1), 2);
    assert_int_equal(json_i64(o, "num_nodes_max", -1), 3);
    assert_int_equal(json_i64(o, "ntasks_per_node", -1), 4);
    assert_true(json_bool(o, "exclusive", false));
    assert_int_equal(json_i64(o, "restarts", -1), 1);
    assert_int_equal(json_i64(o, "exit_code", -1), 3);
    assert_int_equal(json_i64(o, "signal", -1), 0);
    assert_string_equal(json_str(o, "admin_comment", ""), "burst:1 held \"x\"\n");
    char *line = json_line(o);
    assert_null(strchr(line, '\n')); // stays one line
    free(line);
    cJSON_Delete(o);
}

static void job_memory_and_ends(void **state)
{
    slurm_job_info_t j = pending_job();

    j.pn_min_memory = 2000;
    j.time_limit = INFINITE;
    j.job_state = JOB_NODE_FAIL | JOB_COMPLETING;
    j.exit_code = 9; // killed by signal 9
    cJSON *o = job_json(&j, &lookup);
    assert_int_equal(json_i64(o, "mem_per_node_mib", -1), 2000);
    assert_int_equal(json_i64(o, "time_limit_s", -1), 0);
    assert_string_equal(json_str(o, "state", ""), "NODE_FAIL");
    assert_int_equal(json_i64(o, "signal", -1), 9);
    cJSON_Delete(o);
}

static void collect_keys(void *arg, const slurm_job_info_t *j)
{
    char key[JOB_KEY_MAX], *all = arg;

    job_key(j, key);
    snprintf(all + strlen(all), 512 - strlen(all), "%s(%u) ", key, j->job_id);
}

static void arrays_come_as_tasks(void **state)
{
    slurm_job_info_t j = pending_job();
    char keys[512] = "";

    j.job_id = j.array_job_id = 50;
    j.array_task_str = (char *)"1-2,5%2";
    job_each(&j, collect_keys, keys);
    assert_string_equal(keys, "50_1(50) 50_2(50) 50_5(50) ");
    // A task that has its own record.
    keys[0] = '\0';
    j.job_id = 51;
    j.array_task_id = 3;
    j.array_task_str = NULL;
    job_each(&j, collect_keys, keys);
    assert_string_equal(keys, "50_3(51) ");
    // A plain job, and an array of which nothing waits any more.
    keys[0] = '\0';
    j = pending_job();
    job_each(&j, collect_keys, keys);
    assert_string_equal(keys, "9(9) ");
    keys[0] = '\0';
    j.array_job_id = 9;
    job_each(&j, collect_keys, keys);
    assert_string_equal(keys, "");
}

// ---- nodes and partitions

static void nodes_and_partitions(void **state)
{
    node_info_t n;
    partition_info_t p;

    memset(&n, 0, sizeof(n));
    assert_null(node_json(&n)); // an empty slot
    n.name = (char *)"aws-1";
    n.node_state = NODE_STATE_IDLE | NODE_STATE_CLOUD | NODE_STATE_POWERED_DOWN;
    n.partitions = (char *)"aws,all";
    n.cpus = 8;
    n.real_memory = 16000;
    n.gres = (char *)"gpu:a100:2";
    n.node_addr = (char *)"10.0.0.9";
    n.boot_time = 5;
    cJSON *o = node_json(&n);
    char *line = json_line(o);
    assert_string_equal(
        line, "{\"name\":\"aws-1\",\"state\":[\"IDLE\",\"CLOUD\",\"POWERED_DOWN\"],\"reason\":null,"
              "\"addr\":\"10.0.0.9\",\"partitions\":[\"aws\",\"all\"],\"cpus\":8,"
              "\"memory_mib\":16000,\"tmp_disk_mib\":0,\"gres\":\"gpu:a100:2\",\"features\":null,"
              "\"boot_time\":5,"
              "\"slurmd_start\":0}");
    free(line);
    cJSON_Delete(o);
    n.node_state = NODE_STATE_DOWN | NODE_STATE_DRAIN | NODE_STATE_NO_RESPOND |
                   NODE_STATE_POWERING_DOWN | NODE_STATE_INVALID_REG | NODE_STATE_POWER_DOWN;
    n.reason = (char *)"spot notice";
    n.partitions = NULL;
    o = node_json(&n);
    line = json_line(cJSON_GetObjectItem(o, "state"));
    assert_string_equal(line, "[\"DOWN\",\"DRAIN\",\"NOT_RESPONDING\",\"POWERING_DOWN\","
                              "\"INVALID_REG\",\"POWER_DOWN\"]");
    assert_string_equal(json_str(o, "reason", ""), "spot notice");
    free(line);
    cJSON_Delete(o);

    memset(&p, 0, sizeof(p));
    p.name = (char *)"main";
    p.flags = PART_FLAG_DEFAULT;
    p.state_up = PARTITION_UP;
    p.nodes = (char *)"node[1-2]";
    p.max_time = INFINITE;
    p.max_nodes = 4;
    p.max_share = 1;
    const struct partition_defaults d = {500 | MEM_PER_CPU, 4, 9000, 64000};
    o = partition_json(&p, &d);
    line = json_line(o);
    assert_string_equal(line, "{\"name\":\"main\",\"default\":true,\"nodes\":\"node[1-2]\","
                              "\"state\":\"UP\",\"max_time_min\":0,\"max_nodes\":4,"
                              "\"def_mem_per_node_mib\":0,\"def_mem_per_cpu_mib\":500,"
                              "\"def_mem_per_gpu_mib\":9000,\"def_cpus_per_gpu\":4,"
                              "\"max_mem_per_node_mib\":64000,\"exclusive\":false}");
    free(line);
    cJSON_Delete(o);
    // A limit per CPU is none per node: Slurm gives such a job more CPUs.
    const struct partition_defaults none[] = {
        {.max_memory = 0}, {.max_memory = INFINITE64}, {.max_memory = 2000 | MEM_PER_CPU}};
    for (size_t k = 0; k < sizeof(none) / sizeof(none[0]); k++) {
        o = partition_json(&p, &none[k]);
        assert_int_equal(json_i64(o, "max_mem_per_node_mib", -1), 0);
        cJSON_Delete(o);
    }
}

// ---- changes

struct lines {
    int n;
    char *text[8];
};

static void on_message(void *arg, const char *line)
{
    struct lines *l = arg;

    assert_true(l->n < 8);
    l->text[l->n++] = xstrdup(line);
}

static void forget(struct lines *l)
{
    while (l->n > 0)
        free(l->text[--l->n]);
}

static void only_changes_are_sent(void **state)
{
    struct lines l = {0};
    struct delta *d = delta_create("jobs", on_message, &l);

    delta_begin(d, true, 7);
    assert_true(delta_end(d)); // an empty table is news too
    assert_string_equal(l.text[0], "{\"type\":\"jobs\",\"full\":true,\"time\":7,\"jobs\":[],"
                                   "\"removed\":[]}");
    delta_begin(d, false, 8);
    delta_item(d, "1", "{\"job\":\"1\"}");
    delta_item(d, "2", "{\"job\":\"2\"}");
    assert_true(delta_end(d));
    assert_string_equal(l.text[1], "{\"type\":\"jobs\",\"full\":false,\"time\":8,\"jobs\":["
                                   "{\"job\":\"1\"},{\"job\":\"2\"}],\"removed\":[]}");
    delta_begin(d, false, 9);
    delta_item(d, "2", "{\"job\":\"2\"}");
    delta_item(d, "1", "{\"job\":\"1\"}");
    assert_false(delta_end(d));
    assert_int_equal(l.n, 2);
    delta_begin(d, false, 10);
    delta_item(d, "2", "{\"job\":\"2\",\"x\":1}");
    assert_true(delta_end(d));
    assert_string_equal(l.text[2], "{\"type\":\"jobs\",\"full\":false,\"time\":10,\"jobs\":["
                                   "{\"job\":\"2\",\"x\":1}],\"removed\":[\"1\"]}");
    delta_begin(d, true, 11);
    delta_item(d, "2", "{\"job\":\"2\",\"x\":1}");
    assert_true(delta_end(d)); // unchanged, but all was asked for
    assert_string_equal(l.text[3], "{\"type\":\"jobs\",\"full\":true,\"time\":11,\"jobs\":["
                                   "{\"job\":\"2\",\"x\":1}],\"removed\":[]}");
    forget(&l);
    delta_destroy(d);
}

static void long_tables_come_in_parts(void **state)
{
    struct lines l = {0};
    struct delta *d = delta_create("jobs", on_message, &l);
    int items = 0;
    burst_error_t err;

    char *pad = malloc(100001);
    memset(pad, 'x', 100000);
    pad[100000] = '\0';
    delta_begin(d, true, 1);
    for (int i = 0; i < 25; i++) { // 2.5 MB
        char key[16];
        snprintf(key, sizeof(key), "%d", i);
        char *item = xasprintf("{\"job\":\"%d\",\"pad\":\"%s\"}", i, pad);
        delta_item(d, key, item);
        free(item);
    }
    delta_end(d);
    assert_int_equal(l.n, 3);
    for (int i = 0; i < l.n; i++) {
        assert_true(strlen(l.text[i]) < 4u << 20);
        cJSON *m = json_parse(l.text[i], strlen(l.text[i]), &err);
        assert_non_null(m);
        assert_int_equal(json_bool(m, "full", false), i == 0);
        assert_int_equal(json_bool(m, "more", false), i < 2);
        items += cJSON_GetArraySize(cJSON_GetObjectItem(m, "jobs"));
        cJSON_Delete(m);
    }
    assert_int_equal(items, 25);
    forget(&l);
    free(pad);
    delta_destroy(d);
}

// ---- expected starts

static void estimates_outlive_a_backfill_cycle(void **state)
{
    struct estimates *e = estimates_create();

    assert_int_equal(estimates_of(e, "1", 0, 100, 1000), 0); // never known
    assert_int_equal(estimates_of(e, "1", 5000, 100, 1000), 5000);
    assert_int_equal(estimates_of(e, "1", 0, 130, 1030), 5000); // zeroed by the cycle at 130
    assert_int_equal(estimates_of(e, "1", 0, 130, 1031), 5000);
    assert_int_equal(estimates_of(e, "1", 5100, 130, 1032), 5100); // said again
    assert_int_equal(estimates_of(e, "1", 0, 160, 1060), 5100);
    assert_int_equal(estimates_of(e, "1", 0, 190, 1090), 0); // two cycles without it
    assert_int_equal(estimates_of(e, "1", 0, 190, 1090), 0);
    // A time that has passed says nothing.
    assert_int_equal(estimates_of(e, "2", 2000, 190, 1090), 2000);
    assert_int_equal(estimates_of(e, "2", 0, 190, 2000), 0);
    // Jobs that have gone are forgotten.
    assert_int_equal(estimates_of(e, "3", 9000, 190, 1090), 9000);
    estimates_sweep(e);
    assert_int_equal(estimates_of(e, "3", 0, 190, 1090), 9000);
    estimates_sweep(e);
    estimates_sweep(e);
    assert_int_equal(estimates_of(e, "3", 0, 190, 1090), 0);
    estimates_destroy(e);
}

// ---- limits

static void json_is(cJSON *o, const char *wanted)
{
    char *text = cJSON_PrintUnformatted(o);

    assert_string_equal(text, wanted);
    cJSON_free(text);
    cJSON_Delete(o);
}

static void limits_of_associations_and_qos(void **state)
{
    char cpu[] = "cpu", mem[] = "mem", gpu[] = "gres/gpu", lab[] = "lab", alice[] = "alice";
    char few[] = "few", normal[] = "normal";
    char *names[] = {cpu, mem, gpu};
    struct tres_names t = {names, 3};
    uint64_t some[] = {40, INFINITE64, 4}, none[] = {INFINITE64, NO_VAL64, INFINITE64};
    slurmdb_assoc_rec_t a = {.id = 3, .parent_id = 2, .acct = lab, .grp_tres_ctld = some};
    slurmdb_qos_rec_t q = {.name = few, .flags = QOS_FLAG_OVER_PART_QOS};

    a.grp_jobs = NO_VAL;
    a.max_jobs = 7; // of an account: what its users inherit
    json_is(assoc_json(&a, &t), "{\"id\":3,\"parent\":2,\"account\":\"lab\","
                                "\"grp_tres\":\"cpu=40,gres/gpu=4\"}");
    a.user = alice;
    a.grp_jobs = 0; // nothing may run
    a.grp_tres_ctld = none;
    json_is(assoc_json(&a, &t), "{\"id\":3,\"parent\":2,\"account\":\"lab\",\"user\":\"alice\","
                                "\"grp_jobs\":0,\"max_jobs\":7}");
    q.grp_jobs = q.max_jobs_pa = INFINITE;
    q.max_jobs_pu = 1;
    q.max_tres_pu_ctld = some;
    json_is(qos_json(&q, &t), "{\"max_jobs_pu\":1,\"max_tres_pu\":\"cpu=40,gres/gpu=4\","
                              "\"name\":\"few\",\"over_partition\":true}");
    q.name = normal;
    q.max_jobs_pu = INFINITE;
    q.max_tres_pu_ctld = NULL;
    assert_null(qos_json(&q, &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(array_notation),
        cmocka_unit_test(plain_job),
        cmocka_unit_test(files_of_a_batch_job),
        cmocka_unit_test(job_with_everything),
        cmocka_unit_test(job_memory_and_ends),
        cmocka_unit_test(arrays_come_as_tasks),
        cmocka_unit_test(nodes_and_partitions),
        cmocka_unit_test(only_changes_are_sent),
        cmocka_unit_test(long_tables_come_in_parts),
        cmocka_unit_test(estimates_outlive_a_backfill_cycle),
        cmocka_unit_test(limits_of_associations_and_qos),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
