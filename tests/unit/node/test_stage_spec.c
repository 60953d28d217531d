// SPDX-License-Identifier: GPL-3.0-or-later
// Which paths of a job are staged, and the names of its files: sbatch(1)'s patterns. The names in
// the table with OLD are those that Slurm 22.05.8 made on a real cluster.
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
#include "node/io_name.h"
#include "node/stage_spec.h"
#include "slurm/records.h"

static const struct io_name plain = {
    .work_dir = "/home/alice/w", .job_id = 1, .node = "node1", .user = "alice", .job_name = "nam"};
static const struct io_name task = {.work_dir = "/home/alice/w",
                                    .job_id = 13,
                                    .array_id = 7,
                                    .task = 12,
                                    .node = "aws-a100x2-001",
                                    .user = "alice",
                                    .job_name = "nam"};
static const struct io_name waiting = {
    .work_dir = "/home/alice/w", .array_id = 7, .task = 1, .user = "alice", .job_name = "nam"};

static void patterns(void **state)
{
    static const struct {
        const struct io_name *x;
        const char *pattern, *name, *since_24_05;
    } cases[] = {
        {&plain, "slurm-%j.out", "/home/alice/w/slurm-1.out", NULL},
        {&plain, "/var/tmp/%x-%u", "/var/tmp/nam-alice", NULL},
        {&plain, "a-%s-%J-%a-%A-%n-%t-%N-%u-%x-%5j-%12j-%04j",
         "/home/alice/w/a-batch-1-4294967294-1-0-0-node1-alice-nam-00001-0000000001-0001", NULL},
        {&plain, "b-%%j-%q-%5q-%12q-%5%-%", "/home/alice/w/b-%j-%q-5q-2q-5%-%", NULL},
        {&plain, "%3n-%2t", "/home/alice/w/000-00", "/home/alice/w/0-0"},
        {&plain, "%99999999999999999999j", "/home/alice/w/0000000001", NULL},
        {&plain, "%10j-%0j-%1j", "/home/alice/w/0000000001-1-1", NULL},
        {&plain, "%3", "/home/alice/w/3", NULL},
        {&plain, "%%%j%%", "/home/alice/w/%1%", NULL},
        {&plain, "", "/home/alice/w", NULL},
        {&plain, "../q/h-%3x-%j", "/home/alice/q/h-nam-1", NULL},
        {&plain, "/home/alice/w/../logs//./%j", "/home/alice/logs/1", NULL},
        {&plain, "../../../../../x", "/x", NULL},
        // A backslash: nothing is filled in.
        {&plain, "e\\\\%j-x", "/home/alice/w/e\\%j-x", "/home/alice/w/e%j-x"},
        {&plain, "g\\%j-\\\\z", "/home/alice/w/g%j-\\z", "/home/alice/w/g%j-z"},
        {&plain, "\\%j", "/home/alice/w/%j", NULL},
        {&task, "i-%3s-%3J-%3a-%3N-%3u", "/home/alice/w/i-batch-013-012-aws-a100x2-001-alice",
         NULL},
        {&task, "arr-%A_%4a.txt", "/home/alice/w/arr-7_0012.txt", NULL},
        {&task, "%A/%j/%a", "/home/alice/w/7/13/12", NULL},
        {&task, "%b", "/home/alice/w/%b", "/home/alice/w/2"},
        // Not known yet: as it is written.
        {&waiting, "logs/%A_%a-%5j-%J-%N", "/home/alice/w/logs/7_1-%5j-%J-%N", NULL},
        {&waiting, "logs/%x", "/home/alice/w/logs/nam", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *got[IO_NAMES_MAX];
        size_t n = io_names(cases[i].x, cases[i].pattern, got);
        assert_string_equal(got[0], cases[i].name);
        assert_int_equal(n, cases[i].since_24_05 ? 2 : 1);
        if (n == 2)
            assert_string_equal(got[1], cases[i].since_24_05);
        while (n > 0)
            free(got[--n]);
    }
}

// A job that works in /home/alice/w; the fields that a test does not set are "".
static char empty[] = "";
static struct sjob record(void)
{
    return (struct sjob){.job = "7",
                         .name = (char *)"nam",
                         .work_dir = (char *)"/home/alice/w",
                         .std_in = empty,
                         .std_out = (char *)"slurm-%j.out",
                         .std_err = empty};
}

static void row(struct bjob *j, const char *key, uint32_t id, const struct sjob *s,
                const char *mark)
{
    memset(j, 0, sizeof(*j));
    snprintf(j->key, sizeof(j->key), "%s", key);
    snprintf(j->user, sizeof(j->user), "alice");
    j->job_id = id;
    j->node_names = "";
    j->stage = stage_spec_describe(s, mark);
}

static void done(struct bjob *j)
{
    free((char *)j->stage);
}

// Its members, with blanks between them; freed.
static void list_is(cJSON *list, const char *expected)
{
    const cJSON *e;
    char *text = xstrdup("");

    cJSON_ArrayForEach(e, list)
    {
        char *longer = xasprintf("%s%s%s", text, text[0] ? " " : "", e->valuestring);
        free(text);
        text = longer;
    }
    assert_string_equal(text, expected);
    free(text);
    cJSON_Delete(list);
}

static void paths_are(const struct bjob *j, bool in, const char *expected)
{
    list_is(stage_spec_paths(j, in), expected);
}

static void log_is(const struct bjob *j, const char *expected)
{
    char *log = stage_spec_log(j);

    if (expected)
        assert_string_equal(log, expected);
    else
        assert_null(log);
    free(log);
}

#define MARK "burst:1 eligible"

static void working_directory(void **state)
{
    struct sjob s = record();
    struct bjob j;

    row(&j, "7", 7, &s, MARK);
    paths_are(&j, true, "/home/alice/w");
    paths_are(&j, false, "/home/alice/w");
    log_is(&j, "/home/alice/w/slurm-7.out");
    done(&j);
}

static void submit_directory(void **state)
{
    struct sjob s = record();
    struct bjob j;

    row(&j, "7", 7, &s, MARK " sub=/home/alice/sub");
    paths_are(&j, true, "/home/alice/w /home/alice/sub");
    paths_are(&j, false, "/home/alice/w /home/alice/sub");
    done(&j);
    // What is below the other came with it.
    row(&j, "7", 7, &s, MARK " sub=/home/alice/w/deep");
    paths_are(&j, true, "/home/alice/w");
    done(&j);
    // Lists count from where sbatch was called.
    row(&j, "7", 7, &s, MARK " in=data,./x/,/abs out=res sub=/home/alice/sub");
    paths_are(&j, true, "/home/alice/sub/data /home/alice/sub/x /abs /home/alice/w/slurm-7.out");
    paths_are(&j, false, "/home/alice/sub/res /home/alice/w/slurm-7.out");
    done(&j);
}

// What is looked at before a node is rented: the same for all tasks of an array.
static void what_must_be_there(void **state)
{
    struct sjob s = record();
    struct bjob j;

    s.std_in = (char *)"/data/in";
    s.std_out = (char *)"/home/alice/logs/%a-%j.txt";
    row(&j, "7_3", 7, &s, MARK);
    list_is(stage_spec_needs(&j), "/home/alice/w /data/in");
    list_is(stage_spec_named(&j), "");
    done(&j);
    row(&j, "7_3", 7, &s, MARK " in=data,/abs");
    list_is(stage_spec_needs(&j), "/home/alice/w/data /abs /data/in");
    list_is(stage_spec_named(&j), "/home/alice/w/data /abs");
    done(&j);
}

static void files_outside(void **state)
{
    struct sjob s = record();
    struct bjob j;

    s.std_in = (char *)"/data/in-%j";
    s.std_out = (char *)"../logs/%x-%j.txt";
    s.std_err = (char *)"/dev/null";
    row(&j, "7", 7, &s, MARK);
    paths_are(&j, true, "/home/alice/w /data/in-7 /home/alice/logs/nam-7.txt");
    paths_are(&j, false, "/home/alice/w /home/alice/logs/nam-7.txt");
    done(&j);
    // A directory that only begins with the same letters is another one.
    s.std_in = empty;
    s.std_err = (char *)"/home/alice/w2/%j.err";
    s.std_out = (char *)"/home/alice/w/../w/%j.out";
    row(&j, "7", 7, &s, MARK);
    paths_are(&j, false, "/home/alice/w /home/alice/w2/7.err");
    done(&j);
}

static void tasks_of_an_array(void **state)
{
    struct sjob s = record();
    struct bjob j;

    s.std_out = (char *)"/home/alice/logs/%A_%4a-%j-%N.txt";
    row(&j, "7_3", 7, &s, MARK);
    paths_are(&j, true, "/home/alice/w /home/alice/logs/7_0003-%j-%N.txt");
    log_is(&j, NULL);
    // It has run under a number of its own, on these nodes.
    j.job_id = 12;
    j.node_names = "aws-cpu2-004,aws-cpu2-001";
    paths_are(&j, false, "/home/alice/w /home/alice/logs/7_0003-12-aws-cpu2-004.txt");
    // The last task keeps the array's number.
    j.job_id = 7;
    paths_are(&j, false, "/home/alice/w /home/alice/logs/7_0003-7-aws-cpu2-004.txt");
    // Queued again it appends to what is there: its number is known by now.
    j.restarts = 1;
    paths_are(&j, true, "/home/alice/w /home/alice/logs/7_0003-7-%N.txt");
    done(&j);
    s.std_out = (char *)"out-%a";
    row(&j, "7_3", 7, &s, MARK);
    log_is(&j, "/home/alice/w/out-3");
    done(&j);
}

// 64 files in a directory with a long name were too many for the journal.
static void long_lists(void **state)
{
    char dir[1000], list[1500] = "", mark[2048];
    struct sjob s = record();
    struct bjob j;

    memset(dir, 'd', sizeof(dir));
    dir[0] = '/';
    dir[sizeof(dir) - 1] = '\0';
    s.work_dir = dir;
    for (int k = 0; k < 64; k++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%sf%d", k ? "," : "", k);
    snprintf(mark, sizeof(mark), MARK " in=%s", list);
    row(&j, "7", 7, &s, mark);
    cJSON *paths = stage_spec_paths(&j, true);
    assert_int_equal(cJSON_GetArraySize(paths), 64 + 1);
    assert_int_equal(strlen(cJSON_GetArrayItem(paths, 63)->valuestring), 999 + strlen("/f63"));
    cJSON_Delete(paths);
    done(&j);
}

// Rows of an older burstd have the names in their lists.
static void older_rows(void **state)
{
    struct bjob j = {.job_id = 7, .node_names = "", .key = "7"};

    j.stage = "{\"work_dir\":\"/w\",\"in\":[\"/w\",\"/l/7.out\"],\"out\":[\"/w\",\"/l/7.out\"],"
              "\"log\":\"/l/7.out\"}";
    paths_are(&j, true, "/w /l/7.out");
    log_is(&j, "/l/7.out");
    j.stage = "";
    paths_are(&j, true, "");
    char *dir = stage_spec_work_dir(&j);
    assert_string_equal(dir, "/");
    free(dir);
    log_is(&j, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),          cmocka_unit_test(working_directory),
        cmocka_unit_test(submit_directory),  cmocka_unit_test(files_outside),
        cmocka_unit_test(tasks_of_an_array), cmocka_unit_test(long_lists),
        cmocka_unit_test(older_rows),        cmocka_unit_test(what_must_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
