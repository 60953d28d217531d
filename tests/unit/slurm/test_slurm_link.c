// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of slurm_link.c against scripted stand-ins for burst-slurm (sh programs that speak the
// messages of docs/design/internals.md, section 6).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "slurm/slurm_link.h"

#define ANSWERS 16

struct world {
    uv_loop_t loop;
    struct slurm_link *link;
    char dir[64];
    int changes, oks, bads;
    size_t jobs_at_change[64];
    char why[256];
    int answers, rc[ANSWERS], order[ANSWERS];
    char error[ANSWERS][128];
};

static void on_changed(void *arg)
{
    struct world *w = arg;
    const struct sjob *const *jobs;

    assert_true(slurm_link_ready(w->link));
    if (w->changes < 64)
        w->jobs_at_change[w->changes] = slurm_link_jobs(w->link, &jobs);
    w->changes++;
}

static void on_status(void *arg, bool ok, const char *why)
{
    struct world *w = arg;

    if (ok)
        w->oks++;
    else
        w->bads++;
    snprintf(w->why, sizeof(w->why), "%s", why);
}

static const struct slurm_link_ops ops = {on_changed, on_status};

struct ticket {
    struct world *w;
    int number;
};

static void on_answer(void *arg, int rc, const char *error)
{
    struct ticket *t = arg;
    struct world *w = t->w;

    assert_true(w->answers < ANSWERS);
    w->order[w->answers] = t->number;
    w->rc[w->answers] = rc;
    snprintf(w->error[w->answers], sizeof(w->error[0]), "%s", error ? error : "");
    w->answers++;
    free(t);
}

static struct ticket *ask(struct world *w, int number, const char *op)
{
    struct ticket *t = xmalloc(sizeof(*t));
    cJSON *cmd = cJSON_CreateObject();

    t->w = w;
    t->number = number;
    cJSON_AddStringToObject(cmd, "op", op);
    slurm_link_command(w->link, cmd, on_answer, t);
    return t;
}

static void write_file(const struct world *w, const char *name, const char *text, mode_t mode)
{
    char path[128];
    burst_error_t err = {""};

    snprintf(path, sizeof(path), "%s/%s", w->dir, name);
    if (fs_write_atomic(path, text, strlen(text), mode, &err) < 0)
        fail_msg("%s", err.text);
}

static char *read_file(const struct world *w, const char *name)
{
    char path[128], *text;
    burst_error_t err = {""};
    size_t len;

    snprintf(path, sizeof(path), "%s/%s", w->dir, name);
    if (fs_read(path, 65536, &text, &len, &err) < 0)
        fail_msg("%s", err.text);
    return text;
}

// What the scripts share: run N of this mode (from 1), and answering a command.
#define PRELUDE                                                                                    \
    "#!/bin/sh\n"                                                                                  \
    "D=${0%/*}; echo \"$*\" >>$D/args; for MODE; do :; done\n"                                     \
    "echo x >>$D/runs.$MODE; RUN=$(wc -l <$D/runs.$MODE)\n"                                        \
    "answer() { id=${L##*\\\"id\\\":}; echo \"{\\\"id\\\":${id%%[,\\}]*},$1}\"; }\n"               \
    "hello() { echo '{\"type\":\"hello\",\"slurm\":\"22.05.8\",\"cluster\":\"campus\"}'; }\n"      \
    "empty() { echo '{\"type\":\"partitions\",\"partitions\":[]}';"                                \
    " echo '{\"type\":\"nodes\",\"full\":true,\"nodes\":[]}'; }\n"                                 \
    "jobs() { s=; o=; for j in $2; do o=\"$o$s{\\\"job\\\":\\\"$j\\\",\\\"state\\\":"              \
    "\\\"PENDING\\\",\\\"job_id\\\":${j%%_*}}\"; s=,; done;"                                       \
    " echo \"{\\\"type\\\":\\\"jobs\\\",\\\"full\\\":$1,\\\"jobs\\\":[$o]$3}\"; }\n"               \
    "watch() { hello; empty; jobs true ''; cat >/dev/null; }\n"                                    \
    "command() { while read -r L; do answer '\"rc\":0'; done; }\n"

static void start(struct world *w, const char *script)
{
    burst_error_t err = {""};
    char *text = xasprintf("%s%s\n$MODE\n", PRELUDE, script);

    memset(w, 0, sizeof(*w));
    snprintf(w->dir, sizeof(w->dir), "/tmp/test_slurm_link.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    write_file(w, "burst-slurm", text, 0755);
    free(text);
    setenv("BURST_LIBEXECDIR", w->dir, 1);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    w->link = slurm_link_create(&w->loop, NULL, 1000, &ops, w, &err);
    if (!w->link)
        fail_msg("%s", err.text);
}

// Turns the loop until cond holds; the alarm makes a hang a failure.
#define UNTIL(w, cond)                                                                             \
    do {                                                                                           \
        alarm(60);                                                                                 \
        while (!(cond))                                                                            \
            uv_run(&(w)->loop, UV_RUN_ONCE);                                                       \
        alarm(0);                                                                                  \
    } while (0)

static void finish(struct world *w)
{
    static const char *const names[] = {"burst-slurm",  "args",  "runs.watch",
                                        "runs.command", "asked", "fast"};
    char path[128];

    slurm_link_destroy(w->link);
    alarm(60);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    alarm(0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", w->dir, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(w->dir), 0);
}

static void tables_carry_every_field(void **state)
{
    struct world w;
    const struct sjob *const *jobs;
    const struct snode *const *nodes;
    const struct spart *const *parts;

    start(&w, "watch() { hello\n"
              "cat <<'END'\n"
              "{\"type\":\"partitions\",\"partitions\":[{\"name\":\"main\",\"default\":true,"
              "\"nodes\":\"node[1-2]\",\"state\":\"UP\",\"max_time_min\":60,\"max_nodes\":4,"
              "\"def_mem_per_node_mib\":1,\"def_mem_per_cpu_mib\":2,\"def_mem_per_gpu_mib\":3,"
              "\"def_cpus_per_gpu\":4,\"max_mem_per_node_mib\":5,\"exclusive\":true},"
              "{\"name\":\"aws\",\"default\":false,\"nodes\":null,\"state\":\"DRAIN\","
              "\"max_time_min\":0,\"max_nodes\":0}]}\n"
              "{\"type\":\"nodes\",\"full\":true,\"time\":7,\"nodes\":[{\"name\":\"aws-1\","
              "\"state\":[\"MIXED\",\"CLOUD\",\"POWERING_UP\",\"NEW_IN_99\"],\"reason\":\"r\","
              "\"addr\":\"10.0.0.9\",\"partitions\":[\"aws\",\"all\"],\"cpus\":8,"
              "\"memory_mib\":16000,\"gres\":\"gpu:a100:2\",\"features\":\"f\",\"boot_time\":11,"
              "\"slurmd_start\":12}]}\n"
              "{\"type\":\"jobs\",\"full\":true,\"time\":7,\"jobs\":[{\"job\":\"123_4\","
              "\"job_id\":130,\"array_job_id\":123,\"array_task_id\":4,\"het_job_id\":9,"
              "\"name\":\"n\",\"uid\":2001,\"gid\":2002,\"user\":\"alice\",\"account\":\"acc\","
              "\"qos\":\"q\",\"partition\":\"main\",\"state\":\"RUNNING\",\"flags\":"
              "[\"CONFIGURING\",\"REQUEUED\",\"OTHER\"],\"reason\":\"None\",\"submit\":1,"
              "\"eligible\":2,\"start\":3,\"end\":4,\"time_limit_s\":5,\"deadline\":6,"
              "\"priority\":4294901750,\"restarts\":8,\"nodes\":\"aws-1\",\"num_nodes_min\":9,"
              "\"num_nodes_max\":10,\"num_cpus\":11,\"cpus_per_task\":12,\"num_tasks\":13,"
              "\"ntasks_per_node\":14,\"mem_per_node_mib\":15,\"mem_per_cpu_mib\":16,\"tres\":"
              "{\"per_job\":\"tj\",\"per_node\":\"tn\",\"per_socket\":\"ts\",\"per_task\":\"tt\","
              "\"cpus_per\":\"tc\",\"mem_per\":\"tm\"},\"special\":\"sp\",\"mem_given\":true,"
              "\"cpus_given\":true,\"tasks_given\":true,\"ntasks_per_gpu\":17,"
              "\"cpus_per_node\":18,\"sockets_per_node\":19,\"tmp_disk_mib\":20,"
              "\"req_nodes\":\"rn\",\"exc_nodes\":\"xn\",\"features\":\"ft\",\"licenses\":\"l\","
              "\"dependency\":\"d\",\"work_dir\":\"/w\",\"std_in\":\"/i\",\"std_out\":\"/o\","
              "\"std_err\":\"/e\",\"batch\":true,\"requeue\":true,\"exclusive\":true,"
              "\"admin_comment\":\"burst:1 held\",\"comment\":null,\"reservation\":\"rv\","
              "\"exit_code\":0,\"signal\":0},"
              "{\"job\":\"7\",\"job_id\":7,\"state\":\"NODE_FAIL\",\"flags\":[],\"tres\":"
              "{\"per_job\":null}},{\"no\":\"key\"}]}\n"
              "END\n"
              "cat >/dev/null; }");
    assert_false(slurm_link_ready(w.link));
    UNTIL(&w, w.changes > 0);
    assert_int_equal(w.oks, 1);
    assert_int_equal(slurm_link_jobs(w.link, &jobs), 2);
    const struct sjob *j = slurm_link_job(w.link, "123_4");
    assert_non_null(j);
    assert_ptr_equal(slurm_link_job_by_id(w.link, 130), j);
    assert_null(slurm_link_job(w.link, "123"));
    assert_null(slurm_link_job_by_id(w.link, 123));
    assert_int_equal(j->state, SJOB_RUNNING);
    assert_string_equal(j->state_name, "RUNNING");
    assert_int_equal(j->flags, SJOB_CONFIGURING | SJOB_REQUEUED);
    assert_true(j->submit == 1 && j->eligible == 2 && j->start == 3 && j->end == 4);
    assert_true(j->time_limit_s == 5 && j->deadline == 6 && j->priority == 4294901750u);
    assert_true(j->restarts == 8 && j->num_nodes_min == 9 && j->num_nodes_max == 10);
    assert_true(j->num_cpus == 11 && j->cpus_per_task == 12 && j->num_tasks == 13);
    assert_true(j->ntasks_per_node == 14 && j->mem_per_node_mib == 15 && j->mem_per_cpu_mib == 16);
    assert_true(j->ntasks_per_gpu == 17 && j->cpus_per_node == 18 && j->sockets_per_node == 19);
    assert_true(j->tmp_disk_mib == 20 && j->mem_given && j->cpus_given && j->tasks_given);
    assert_true(j->uid == 2001 && j->gid == 2002);
    assert_true(j->batch && j->requeue && j->exclusive && j->het);
    const char *texts[][2] = {
        {j->tres_per_job, "tj"},
        {j->tres_per_node, "tn"},
        {j->tres_per_socket, "ts"},
        {j->tres_per_task, "tt"},
        {j->cpus_per_tres, "tc"},
        {j->mem_per_tres, "tm"},
        {j->special, "sp"},
        {j->name, "n"},
        {j->user, "alice"},
        {j->account, "acc"},
        {j->qos, "q"},
        {j->partition, "main"},
        {j->reason, "None"},
        {j->nodes, "aws-1"},
        {j->req_nodes, "rn"},
        {j->exc_nodes, "xn"},
        {j->features, "ft"},
        {j->licenses, "l"},
        {j->dependency, "d"},
        {j->work_dir, "/w"},
        {j->std_in, "/i"},
        {j->std_out, "/o"},
        {j->std_err, "/e"},
        {j->admin_comment, "burst:1 held"},
        {j->reservation, "rv"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_string_equal(texts[i][0], texts[i][1]);
    j = slurm_link_job(w.link, "7");
    assert_int_equal(j->state, SJOB_ENDED);
    assert_string_equal(j->state_name, "NODE_FAIL");
    assert_string_equal(j->tres_per_job, "");
    assert_string_equal(j->std_out, "");
    assert_false(j->het);

    assert_int_equal(slurm_link_nodes(w.link, &nodes), 1);
    const struct snode *n = slurm_link_node(w.link, "aws-1");
    assert_ptr_equal(n, nodes[0]);
    assert_int_equal(n->flags, SNODE_ALLOCATED | SNODE_CLOUD | SNODE_POWERING_UP);
    assert_string_equal(n->partitions, "aws,all");
    assert_string_equal(n->addr, "10.0.0.9");
    assert_string_equal(n->gres, "gpu:a100:2");
    assert_true(n->cpus == 8 && n->memory_mib == 16000 && n->boot_time == 11);
    assert_int_equal(n->slurmd_start, 12);
    assert_int_equal(slurm_link_parts(w.link, &parts), 2);
    assert_string_equal(parts[0]->name, "main");
    assert_true(parts[0]->is_default && parts[0]->up);
    assert_true(parts[0]->max_time_s == 3600 && parts[0]->max_nodes == 4);
    assert_string_equal(parts[0]->nodes, "node[1-2]");
    assert_true(parts[0]->def_mem_per_node_mib == 1 && parts[0]->def_mem_per_cpu_mib == 2);
    assert_true(parts[0]->def_mem_per_gpu_mib == 3 && parts[0]->def_cpus_per_gpu == 4);
    assert_int_equal(parts[0]->max_mem_per_node_mib, 5);
    assert_true(parts[0]->exclusive && !parts[1]->exclusive);
    assert_ptr_equal(slurm_link_part(w.link, "main,aws"), parts[0]);
    assert_null(slurm_link_part(w.link, "mai"));
    assert_false(parts[1]->is_default || parts[1]->up);
    assert_string_equal(parts[1]->nodes, "");
    assert_true(slurm_link_last_update(w.link) > 1700000000);
    finish(&w);
}

static void changes_come_whole(void **state)
{
    struct world w;
    const struct sjob *const *jobs;

    // A full table in two messages, a change, a removal; then a second full table in two.
    start(&w, "watch() { hello; empty; jobs true '1 2' ',\"more\":true'; jobs false '3';\n"
              "jobs false '4 2'; jobs false '' ',\"removed\":[\"1\",\"99\"]';\n"
              "jobs true '3' ',\"more\":true'; jobs false '5_1'; cat >/dev/null; }");
    UNTIL(&w, w.changes == 4);
    assert_int_equal(w.jobs_at_change[0], 3); // never seen: the table after the first part
    assert_int_equal(w.jobs_at_change[1], 4);
    assert_int_equal(w.jobs_at_change[2], 3);
    assert_int_equal(w.jobs_at_change[3], 2);
    assert_int_equal(slurm_link_jobs(w.link, &jobs), 2);
    assert_non_null(slurm_link_job(w.link, "3"));
    assert_non_null(slurm_link_job(w.link, "5_1"));
    assert_int_equal(w.oks, 1);
    finish(&w);
}

static void not_ready_before_all_tables(void **state)
{
    struct world w;

    // The jobs come only when asked for: ticks alone do not make it ready.
    start(&w, "watch() { hello; empty; echo '{\"type\":\"tick\"}'; read -r L; jobs true 1;"
              " cat >/dev/null; }");
    UNTIL(&w, slurm_link_last_update(w.link) > 0);
    assert_false(slurm_link_ready(w.link));
    assert_int_equal(w.changes, 0);
    slurm_link_poke(w.link);
    UNTIL(&w, w.changes == 1);
    assert_true(slurm_link_ready(w.link));
    finish(&w);
}

static void lost_controller_is_told_once(void **state)
{
    struct world w;

    start(&w, "watch() { hello; empty; jobs true 1; read -r L;\n"
              "for i in 1 2 3; do echo '{\"type\":\"error\",\"error\":\"no answer\"}'; done;\n"
              "read -r L; echo '{\"type\":\"tick\"}'; cat >/dev/null; }");
    UNTIL(&w, w.oks == 1);
    slurm_link_poke(w.link);
    UNTIL(&w, w.bads == 1);
    assert_string_equal(w.why, "no answer");
    assert_false(slurm_link_ready(w.link));
    assert_non_null(slurm_link_job(w.link, "1")); // still readable
    slurm_link_poke(w.link);
    UNTIL(&w, w.oks == 2);
    assert_int_equal(w.bads, 1);
    assert_true(slurm_link_ready(w.link));
    finish(&w);
}

static void a_dead_watcher_is_replaced(void **state)
{
    struct world w;

    start(&w, "watch() { hello; empty;\n"
              "if [ $RUN = 1 ]; then jobs true '1 2'; read -r L; exit 9; fi\n"
              "jobs true '2 3'; cat >/dev/null; }");
    UNTIL(&w, w.oks == 1);
    slurm_link_poke(w.link);
    UNTIL(&w, w.bads == 1);
    assert_false(slurm_link_ready(w.link));
    assert_non_null(strstr(w.why, "status 9"));
    assert_non_null(slurm_link_job(w.link, "1"));
    UNTIL(&w, w.oks == 2);
    assert_null(slurm_link_job(w.link, "1")); // went while nobody looked
    assert_non_null(slurm_link_job(w.link, "3"));
    finish(&w);
}

static void a_babbling_watcher_is_replaced(void **state)
{
    struct world w;

    start(&w, "watch() { hello; empty; jobs true 1; [ $RUN = 1 ] && echo 'slurm_load: oops';\n"
              "cat >/dev/null; }");
    UNTIL(&w, w.oks == 2);
    assert_int_equal(w.bads, 1);
    finish(&w);
}

static void a_silent_watcher_is_replaced(void **state)
{
    struct world w;

    start(&w, "watch() { hello; empty; jobs true $RUN; exec sleep 1000; }");
    UNTIL(&w, w.oks == 1);
    slurm_link_set_limits(w.link, 30000, 3000); // the next one has that much to start
    UNTIL(&w, w.oks == 2);
    assert_non_null(slurm_link_job(w.link, "2"));
    finish(&w);
}

static void commands_are_answered_in_order(void **state)
{
    struct world w;

    start(&w, "command() { while read -r L; do case $L in\n"
              "*update_job*) answer '\"rc\":2073,\"error\":\"Job is not pending\"';;\n"
              "*) answer '\"rc\":0';; esac; done; }");
    ask(&w, 1, "ping");
    ask(&w, 2, "update_job");
    ask(&w, 3, "ping");
    assert_int_equal(w.answers, 0); // never from inside the call
    UNTIL(&w, w.answers == 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(w.order[i], i + 1);
    assert_true(w.rc[0] == 0 && w.rc[1] == 2073 && w.rc[2] == 0);
    assert_string_equal(w.error[1], "Job is not pending");
    // Without a callback it is carried out just the same.
    cJSON *cmd = cJSON_CreateObject();
    cJSON_AddStringToObject(cmd, "op", "ping");
    slurm_link_command(w.link, cmd, NULL, NULL);
    ask(&w, 4, "ping");
    UNTIL(&w, w.answers == 4);
    assert_int_equal(w.rc[3], 0);
    finish(&w);
}

static void a_dying_child_answers_what_was_under_way(void **state)
{
    struct world w;

    start(&w, "command() { read -r L; answer '\"rc\":0'; [ $RUN = 1 ] && exit 3;\n"
              "while read -r L; do answer '\"rc\":0'; done; }");
    for (int i = 1; i <= 4; i++)
        ask(&w, i, "ping");
    UNTIL(&w, w.answers == 4);
    assert_int_equal(w.rc[0], 0);
    for (int i = 1; i < 4; i++) {
        assert_int_equal(w.order[i], i + 1);
        assert_int_equal(w.rc[i], -1);
        assert_non_null(strstr(w.error[i], "status 3"));
    }
    // While none runs, the answer comes from the loop at once.
    ask(&w, 5, "ping");
    assert_int_equal(w.answers, 4);
    UNTIL(&w, w.answers == 5);
    assert_int_equal(w.rc[4], -1);
    assert_non_null(strstr(w.error[4], "not running"));
    // Later it is there again: asked until then, each refusal is one turn of the loop.
    do {
        w.answers = 5;
        ask(&w, 6, "ping");
        UNTIL(&w, w.answers == 6);
    } while (w.rc[5] != 0);
    finish(&w);
}

static void a_command_without_answer_has_a_limit(void **state)
{
    struct world w;

    // The first is answered after the second is queued; the limit counts from then.
    start(&w, "command() { read -r L; answer '\"rc\":0'; exec sleep 1000; }");
    slurm_link_set_limits(w.link, 3000, 90000); // the first is answered in that
    ask(&w, 1, "ping");
    ask(&w, 2, "ping");
    ask(&w, 3, "ping");
    UNTIL(&w, w.answers == 3);
    assert_true(w.rc[0] == 0 && w.rc[1] == -1 && w.rc[2] == -1);
    assert_non_null(strstr(w.error[1], "signal 9"));
    finish(&w);
}

static void a_wrong_answer_ends_the_child(void **state)
{
    struct world w;

    start(&w, "command() { read -r L; echo '{\"id\":77,\"rc\":0}'; exec sleep 1000; }");
    ask(&w, 1, "ping");
    UNTIL(&w, w.answers == 1);
    assert_int_equal(w.rc[0], -1);
    finish(&w);
}

static void accounting_does_not_delay_the_rest(void **state)
{
    struct world w;

    start(&w, "command() { while read -r L; do case $L in\n"
              "*db_comment*) exec sleep 1000;;\n"
              "*) answer '\"rc\":0';; esac; done; }");
    struct ticket *waiting = ask(&w, 1, "db_comment");
    ask(&w, 2, "ping");
    UNTIL(&w, w.answers == 1);
    assert_int_equal(w.order[0], 2);
    assert_int_equal(w.rc[0], 0);
    finish(&w); // with a command under way: not answered, nothing left behind
    assert_int_equal(w.answers, 1);
    free(waiting);
}

static void fast_is_said_again_to_the_next_child(void **state)
{
    struct world w;

    start(&w, "watch() { hello; empty; read -r L; echo \"$L\" >>$D/fast; jobs true $RUN;\n"
              "read -r L; exit 1; }");
    slurm_link_fast(w.link, true);
    slurm_link_fast(w.link, true); // no change: not sent
    UNTIL(&w, w.oks == 1);
    slurm_link_poke(w.link);
    UNTIL(&w, w.oks == 2);
    char *text = read_file(&w, "fast");
    assert_string_equal(text, "{\"cmd\":\"fast\",\"on\":true}\n{\"cmd\":\"fast\",\"on\":true}\n");
    free(text);
    finish(&w);
}

static void arguments_reach_the_children(void **state)
{
    struct world w;
    burst_error_t err = {""};

    start(&w, "");
    UNTIL(&w, w.oks == 1);
    slurm_link_destroy(w.link);
    w.link = slurm_link_create(&w.loop, "/etc/slurm/other.conf", 250, &ops, &w, &err);
    assert_non_null(w.link);
    ask(&w, 1, "ping"); // both have started then
    UNTIL(&w, w.oks == 2 && w.answers == 1);
    char *text = read_file(&w, "args");
    assert_non_null(strstr(text, "--poll-ms 1000 watch\n"));
    assert_non_null(strstr(text, "--conf /etc/slurm/other.conf --poll-ms 250 watch\n"));
    assert_non_null(strstr(text, "--conf /etc/slurm/other.conf command\n"));
    free(text);
    finish(&w);
}

static void a_missing_program_is_an_error(void **state)
{
    uv_loop_t loop;
    burst_error_t err = {""};

    setenv("BURST_LIBEXECDIR", "/nonexistent", 1);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_null(slurm_link_create(&loop, NULL, 1000, &ops, NULL, &err));
    assert_non_null(strstr(err.text, "/nonexistent/burst-slurm"));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_task_that_started_goes_before_waiting_ones(void **state)
{
    struct world w;

    start(&w, "watch() { hello; empty\n"
              "echo '{\"type\":\"jobs\",\"full\":true,\"jobs\":["
              "{\"job\":\"5_1\",\"job_id\":5,\"state\":\"PENDING\"},"
              "{\"job\":\"5_3\",\"job_id\":5,\"state\":\"RUNNING\"},"
              "{\"job\":\"5_2\",\"job_id\":5,\"state\":\"PENDING\"}]}'\n"
              "cat >/dev/null; }");
    UNTIL(&w, w.oks == 1);
    assert_string_equal(slurm_link_job_by_id(w.link, 5)->job, "5_3");
    assert_null(slurm_link_job_by_id(w.link, 6));
    finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_carry_every_field),
        cmocka_unit_test(changes_come_whole),
        cmocka_unit_test(not_ready_before_all_tables),
        cmocka_unit_test(lost_controller_is_told_once),
        cmocka_unit_test(a_dead_watcher_is_replaced),
        cmocka_unit_test(a_babbling_watcher_is_replaced),
        cmocka_unit_test(a_silent_watcher_is_replaced),
        cmocka_unit_test(commands_are_answered_in_order),
        cmocka_unit_test(a_dying_child_answers_what_was_under_way),
        cmocka_unit_test(a_command_without_answer_has_a_limit),
        cmocka_unit_test(a_wrong_answer_ends_the_child),
        cmocka_unit_test(accounting_does_not_delay_the_rest),
        cmocka_unit_test(fast_is_said_again_to_the_next_child),
        cmocka_unit_test(arguments_reach_the_children),
        cmocka_unit_test(a_missing_program_is_an_error),
        cmocka_unit_test(a_task_that_started_goes_before_waiting_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
