// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of the user's options and of the mark. Expected texts are the contract with users
// (each message of a wrong option) and with burstd (the mark, docs/design/internals.md).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "slurm_plugin/directive.h"

#define NOW INT64_C(1795000000) // 2026-11-18T11:06:40Z

static struct directive d;
static burst_error_t err;

static void set(const char *option, const char *value)
{
    if (directive_set(&d, option, value, NOW, &err) < 0)
        fail_msg("--%s=%s refused: %s", option, value, err.text);
}

// The whole sentence, and that nothing was changed.
static void refused(const char *option, const char *value, const char *sentence)
{
    struct directive before = d;

    err.text[0] = '\0';
    assert_int_equal(directive_set(&d, option, value, NOW, &err), -1);
    assert_string_equal(err.text, sentence);
    assert_memory_equal(&before, &d, sizeof(d));
}

static int fresh(void **state)
{
    memset(&d, 0, sizeof(d));
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    return 0;
}

static void mode(void **state)
{
    set("burst", "only");
    assert_int_equal(d.mode, DIRECTIVE_ONLY);
    assert_int_equal(d.given, DIRECTIVE_HAS_MODE);
    set("burst", "never");
    assert_int_equal(d.mode, DIRECTIVE_NEVER);
    set("burst", "auto");
    assert_int_equal(d.mode, DIRECTIVE_AUTO);
    refused("burst", "always", "--burst=always: must be auto, never or only");
    refused("burst", "Only", "--burst=Only: must be auto, never or only");
    refused("burst", "", "--burst=: must be auto, never or only");
    refused("burst", NULL, "--burst=: must be auto, never or only");
    refused("burst-speed", "1", "--burst-speed: there is no such option");
}

static void market(void **state)
{
    set("burst-market", "spot");
    assert_int_equal(d.market, DIRECTIVE_SPOT);
    set("burst-market", "on-demand");
    assert_int_equal(d.market, DIRECTIVE_ON_DEMAND);
    set("burst-market", "any");
    assert_int_equal(d.market, DIRECTIVE_ANY);
    refused("burst-market", "ondemand", "--burst-market=ondemand: must be any, spot or on-demand");
}

static void deadline(void **state)
{
    // 2026-12-01T10:00 CET is 09:00 UTC: 1796115600 (date -u -d 2026-12-01T09:00 +%s)
    set("burst-deadline", "2026-12-01T10:00");
    assert_int_equal(d.deadline, 1796115600);
    set("burst-deadline", "2026-12-01T10:00:30");
    assert_int_equal(d.deadline, 1796115630);
    set("burst-deadline", "2026-12-01T10:00:00Z");
    assert_int_equal(d.deadline, 1796119200);
    set("burst-deadline", "2027-07-01T00:00"); // summer time: 2026-06-30T22:00Z
    assert_int_equal(d.deadline, 1814392800);
    set("burst-deadline", "now+2hours");
    assert_int_equal(d.deadline, NOW + 7200);
    set("burst-deadline", "now+90");
    assert_int_equal(d.deadline, NOW + 90);
    set("burst-deadline", "now+1minute");
    assert_int_equal(d.deadline, NOW + 60);
    set("burst-deadline", "now+3days");
    assert_int_equal(d.deadline, NOW + 3 * 86400);
    set("burst-deadline", "now+1week");
    assert_int_equal(d.deadline, NOW + 7 * 86400);

    const char *bad[] = {"tomorrow",
                         "",
                         "now",
                         "now+",
                         "now+-5",
                         "now+2fortnights",
                         "now+2hours ",
                         "2026-12-01",
                         "2026-13-01T10:00",
                         "2026-02-30T10:00",
                         "2026-00-10T10:00",
                         "2026-12-00T10:00",
                         "2026-12-01T24:00",
                         "2026-12-01T10:60",
                         "2026-12-01T10:00:60",
                         "2026-12-01T10:00ZZ",
                         "2026-12-01 10:00",
                         "26-12-01T10:00",
                         "now+999999999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char want[256];
        snprintf(want, sizeof(want),
                 "--burst-deadline=%s: not a time; write it like 2026-12-01T10:00 or now+6hours "
                 "(seconds, minutes, hours, days, weeks)",
                 bad[i]);
        refused("burst-deadline", bad[i], want);
    }
    refused("burst-deadline", "2020-01-01T00:00",
            "--burst-deadline=2020-01-01T00:00: this time has passed; a deadline lies in the "
            "future");
    refused("burst-deadline", "now+0",
            "--burst-deadline=now+0: this time has passed; a deadline lies in the future");
    refused("burst-deadline", "9999-01-01T00:00",
            "--burst-deadline=9999-01-01T00:00: a deadline lies within the next ten years");
}

static void max_cost(void **state)
{
    set("burst-max-cost", "12");
    assert_int_equal(d.max_cost, 12000000);
    set("burst-max-cost", "0.25");
    assert_int_equal(d.max_cost, 250000);
    const char *bad[] = {"", "-1", "$5", "1e3", "ten", "5 USD", "1,50", "nan"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char want[256];
        snprintf(want, sizeof(want),
                 "--burst-max-cost=%s: not an amount of dollars; write it like 12 or 0.25", bad[i]);
        refused("burst-max-cost", bad[i], want);
    }
    refused("burst-max-cost", "0",
            "--burst-max-cost=0: must be more than 0; to rent nothing say --burst=never");
    refused("burst-max-cost", "1000000001",
            "--burst-max-cost=1000000001: more than a billion dollars");
}

static void clouds(void **state)
{
    set("burst-clouds", "aws,gcp-2,My_Cloud");
    assert_true(directive_allows_cloud(&d, "aws"));
    assert_true(directive_allows_cloud(&d, "gcp-2"));
    assert_true(directive_allows_cloud(&d, "My_Cloud"));
    assert_false(directive_allows_cloud(&d, "gcp"));
    assert_false(directive_allows_cloud(&d, "aw"));
    assert_false(directive_allows_cloud(&d, ""));
    const char *few = "must be up to 16 names of clouds with commas between, like aws,gcp";
    const char *bad[] = {"",
                         ",",
                         "aws,",
                         ",aws",
                         "a,,b",
                         "abcdefghijklmnopqrstuvwxyz1234567",
                         "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char want[256];
        snprintf(want, sizeof(want), "--burst-clouds=%s: %s", bad[i], few);
        refused("burst-clouds", bad[i], want);
    }
    refused("burst-clouds", "aws gcp",
            "--burst-clouds=aws gcp: a cloud's name has letters, digits, - and _ only; write names "
            "with commas between, like aws,gcp");
    refused(
        "burst-clouds", "a\nb\x1b[31m",
        "--burst-clouds=a?b?[31m: a cloud's name has letters, digits, - and _ only; write names "
        "with commas between, like aws,gcp");
    set("burst-clouds", "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a");
    memset(&d, 0, sizeof(d));
    assert_true(directive_allows_cloud(&d, "any"));
}

static void runtime(void **state)
{
    set("burst-runtime", "90");
    assert_int_equal(d.runtime_s, 5400);
    set("burst-runtime", "1:30:00");
    assert_int_equal(d.runtime_s, 5400);
    set("burst-runtime", "2-12");
    assert_int_equal(d.runtime_s, 216000);
    const char *bad[] = {"", "0", "long", "1h", "-5", "1:2:3:4", "99999-0"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char want[256];
        snprintf(want, sizeof(want),
                 "--burst-runtime=%s: not a duration; write it like --time: minutes, "
                 "hours:minutes:seconds or days-hours:minutes:seconds, up to ten years",
                 bad[i]);
        refused("burst-runtime", bad[i], want);
    }
}

static void data(void **state)
{
    struct directive_data item;

    set("burst-data", "aws/us-east-1:150,gcp/us-central1:2.5");
    const char *cursor = d.data;
    assert_true(directive_data_next(&cursor, &item));
    assert_string_equal(item.location, "aws/us-east-1");
    assert_true(item.size_gb == 150);
    assert_true(directive_data_next(&cursor, &item));
    assert_string_equal(item.location, "gcp/us-central1");
    assert_true(item.size_gb == 2.5);
    assert_false(directive_data_next(&cursor, &item));
    cursor = "";
    assert_false(directive_data_next(&cursor, &item));
    assert_null(directive_data_job(&item));
    set("burst-data", "job/123:50,job/123_4:0.5");
    cursor = d.data;
    assert_true(directive_data_next(&cursor, &item));
    assert_string_equal(directive_data_job(&item), "123");
    assert_true(directive_data_next(&cursor, &item));
    assert_string_equal(directive_data_job(&item), "123_4");
    assert_true(item.size_gb == 0.5);
    const char *bad[] = {"",
                         "150",
                         "aws/us-east-1",
                         "aws/us-east-1:",
                         "aws/us-east-1:x",
                         "aws/us-east-1:0",
                         "aws/us-east-1:-5",
                         "aws/us-east-1:1.",
                         "aws/us-east-1:1e3",
                         "aws/us-east-1:10GB",
                         "aws:5",
                         "/us-east-1:5",
                         "aws/:5",
                         "aws/a/b:5",
                         "s3://bucket:5",
                         "job/train:5",
                         "job/12_:5",
                         "job/12_a:5",
                         "job/12345678901:5",
                         "aws/us-east-1:5,",
                         "aws/us-east-1:9999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char want[256];
        snprintf(want, sizeof(want),
                 "--burst-data=%s: must be up to 16 items CLOUD/REGION:GB or job/ID:GB with commas "
                 "between, like aws/us-east-1:150",
                 bad[i]);
        refused("burst-data", bad[i], want);
    }
}

static void stage(void **state)
{
    char longer[6000];

    set("burst-stage-in", "data,/scratch/run1/x y,..hidden,a..b/c..");
    assert_string_equal(d.stage_in, "data,/scratch/run1/x y,..hidden,a..b/c..");
    set("burst-stage-out", "results");
    assert_string_equal(d.stage_out, "results");
    refused("burst-stage-in", "",
            "--burst-stage-in=: a path is empty; write paths with commas "
            "between, like data,/scratch/run1");
    refused("burst-stage-in", "a,,b",
            "--burst-stage-in=a,,b: a path is empty; write paths with "
            "commas between, like data,/scratch/run1");
    refused("burst-stage-out", "a,../b",
            "--burst-stage-out=a,../b: paths with .. are not taken; write the path in full");
    refused("burst-stage-out", "a/..",
            "--burst-stage-out=a/..: paths with .. are not taken; write the path in full");
    refused("burst-stage-out", "/a/../b",
            "--burst-stage-out=/a/../b: paths with .. are not taken; write the path in full");
    refused("burst-stage-in", "~/data",
            "--burst-stage-in=~/data: ~ is not known here; write the path in full");
    refused("burst-stage-in", "/",
            "--burst-stage-in=/: the whole file system cannot be copied; name a directory");
    refused("burst-stage-in", "a\nb",
            "--burst-stage-in=a?b: line ends and control characters cannot be part of a path here");
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    refused("burst-stage-in", longer,
            "--burst-stage-in=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: "
            "longer than the 4096 bytes that are read");
    longer[4096] = '\0'; // is read, and too long for the mark together with the others
    set("burst-stage-in", longer);
    assert_int_equal(directive_check_sum(&d, &err), -1);
    set("burst-stage-in", "data,/scratch/run1/x y,..hidden,a..b/c..");
    assert_int_equal(directive_check_sum(&d, &err), 0);
    longer[257] = '\0';
    for (const struct directive_option *o = directive_options; o->name; o++) // lists have 4096
        assert_int_equal(directive_set(&d, o->name, longer, NOW, &err),
                         strstr(o->arginfo, "PATHS") ? 0 : -1);
    refused("burst-max-cost", longer,
            "--burst-max-cost=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: "
            "longer than the 256 bytes that are read");
    set("burst-stage-in", "data,/scratch/run1/x y,..hidden,a..b/c..");
    for (size_t i = 0; i < 130; i++)
        longer[i] = i % 2 ? ',' : 'x';
    longer[129] = '\0';
    assert_int_equal(directive_set(&d, "burst-stage-in", longer, NOW, &err), -1);
    assert_non_null(strstr(err.text, ": names more than 64 paths; name a directory above them"));
}

static void options_have_the_names_of_the_manual(void **state)
{
    const char *names[] = {"burst",        "burst-deadline", "burst-max-cost",
                           "burst-clouds", "burst-market",   "burst-runtime",
                           "burst-data",   "burst-stage-in", "burst-stage-out"};
    size_t n = 0;

    while (directive_options[n].name)
        n++;
    assert_int_equal(n, sizeof(names) / sizeof(names[0]));
    for (size_t i = 0; i < n; i++)
        assert_string_equal(directive_options[i].name, names[i]);
}

static void environment(void **state)
{
    char *env[] = {
        (char *)"PATH=/bin",
        NULL,
        (char *)"_SLURM_SPANK_OPTION_other_burst=never",
        (char *)"_SLURM_SPANK_OPTION_burst_burst=only",
        (char *)"_SLURM_SPANK_OPTION_burst_burst_deadline=2026-12-01T09:00:00Z",
        (char *)"_SLURM_SPANK_OPTION_burst_burst_max_cost=1.5",
        (char *)"_SLURM_SPANK_OPTION_burst_burst_clouds=aws",
        (char *)"_SLURM_SPANK_OPTION_burst_burst_market=spot",
        (char *)"_SLURM_SPANK_OPTION_burst_burst_runtime=30",
        (char *)"_SLURM_SPANK_OPTION_burst_burst_data=aws/us-east-1:1",
        (char *)"_SLURM_SPANK_OPTION_burst_burst_stage_in=a=b",
        (char *)"_SLURM_SPANK_OPTION_burst_burst_stage_out=c",
    };

    assert_int_equal(directive_from_env(&d, env, sizeof(env) / sizeof(env[0]), NOW, &err), 0);
    assert_int_equal(d.given, 0x1ff);
    assert_int_equal(d.mode, DIRECTIVE_ONLY);
    assert_int_equal(d.deadline, 1796115600);
    assert_int_equal(d.max_cost, 1500000);
    assert_int_equal(d.market, DIRECTIVE_SPOT);
    assert_int_equal(d.runtime_s, 1800);
    assert_string_equal(d.stage_in, "a=b");
    assert_string_equal(d.stage_out, "c");
    assert_int_equal(directive_from_env(&d, NULL, 3, NOW, &err), 0);

    char *strange[] = {(char *)"_SLURM_SPANK_OPTION_burst_burst_moon=1"};
    assert_int_equal(directive_from_env(&d, strange, 1, NOW, &err), -1);
    assert_string_equal(err.text, "option burst_moon=1 is not known to the burst plugin of this "
                                  "cluster; the one on your machine is of another version");
    char *bad[] = {(char *)"_SLURM_SPANK_OPTION_burst_burst"};
    assert_int_equal(directive_from_env(&d, bad, 1, NOW, &err), -1);
    assert_string_equal(err.text, "--burst=: must be auto, never or only");
}

// Whoever may write AdminComment may write numbers that no JSON holds: such a mark is none.
static void absurd_numbers_in_a_mark(void **state)
{
    struct directive back;

    assert_int_equal(directive_from_mark("burst:1 eligible max_cost=1000000000000000", &back), 0);
    assert_int_equal(directive_from_mark("burst:1 eligible max_cost=1000000000000001", &back), -1);
    assert_int_equal(directive_from_mark("burst:1 eligible deadline=288230376151711743", &back),
                     -1);
    assert_int_equal(directive_from_mark("burst:1 eligible runtime=9007199254740993", &back), -1);
}

static void mark_as_in_the_contract(void **state)
{
    char mark[DIRECTIVE_MARK_MAX];
    struct directive back;

    d.cls = DIRECTIVE_ELIGIBLE;
    assert_int_equal(directive_to_mark(&d, mark, sizeof(mark)), 16);
    assert_string_equal(mark, "burst:1 eligible");
    set("burst", "only");
    set("burst-deadline", "2026-12-01T09:00:00Z");
    set("burst-max-cost", "1.5");
    set("burst-clouds", "aws,gcp");
    set("burst-market", "on-demand");
    set("burst-runtime", "30");
    set("burst-data", "aws/us-east-1:2.5");
    set("burst-stage-in", "a b,/c%=|ä");
    set("burst-stage-out", "out@1+2");
    d.cls = DIRECTIVE_HELD;
    d.user_hold = true;
    snprintf(d.part, sizeof(d.part), "main,long");
    snprintf(d.submit_dir, sizeof(d.submit_dir), "/home/a b");
    assert_true(directive_to_mark(&d, mark, sizeof(mark)) > 0);
    assert_string_equal(mark, "burst:1 held mode=only deadline=1796115600 max_cost=1500000 "
                              "clouds=aws,gcp market=on-demand runtime=1800 data=aws/us-east-1:2.5 "
                              "in=a%20b,/c%25%3D%7C%C3%A4 out=out@1+2 hold=user part=main,long "
                              "sub=/home/a%20b");
    assert_int_equal(directive_from_mark(mark, &back), 0);
    assert_memory_equal(&back, &d, sizeof(d));

    char comment[DIRECTIVE_MARK_MAX + 64];
    snprintf(comment, sizeof(comment), "aws us-east-1a p4d.24xlarge spot $1.2345 | %s", mark);
    assert_ptr_equal(directive_find_mark(comment), strstr(comment, "burst:1"));
    assert_int_equal(directive_from_mark(comment, &back), 0);
    assert_memory_equal(&back, &d, sizeof(d));
    for (size_t size = 0; size <= strlen(mark); size++)
        assert_int_equal(directive_to_mark(&d, comment, size), -1);
    d.cls = DIRECTIVE_UNMARKED;
    assert_int_equal(directive_to_mark(&d, mark, sizeof(mark)), -1);
}

static void marks_that_are_none(void **state)
{
    struct directive zero = {0};
    const char *bad[] = {"",
                         "hello",
                         "burst:1",
                         "burst:1 ",
                         "burst:2 eligible",
                         "burst:1 sold",
                         "xburst:1 eligible",
                         "my burst:1 eligible",
                         "burst:1 eligible ",
                         "burst:1 eligible mode",
                         "burst:1 eligible mode=",
                         "burst:1 eligible =x",
                         "burst:1 eligible mode=sometimes",
                         "burst:1 eligible deadline=soon",
                         "burst:1 eligible deadline=0",
                         "burst:1 eligible deadline=99999999999999999999",
                         "burst:1 eligible in=%",
                         "burst:1 eligible in=%4",
                         "burst:1 eligible in=%00",
                         "burst:1 eligible in=%zz",
                         "burst:1 eligible in=../x",
                         "burst:1 eligible  mode=only"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&d, 0x55, sizeof(d));
        if (directive_from_mark(bad[i], &d) != -1)
            fail_msg("taken as a mark: \"%s\"", bad[i]);
        assert_memory_equal(&d, &zero, sizeof(d));
    }
    assert_int_equal(directive_from_mark(NULL, &d), -1);
    assert_null(directive_find_mark(NULL));
    // What a later version adds is no obstacle.
    assert_int_equal(directive_from_mark("burst:1 held colour=red mode=only", &d), 0);
    assert_int_equal(d.mode, DIRECTIVE_ONLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(mode, fresh),
        cmocka_unit_test_setup(market, fresh),
        cmocka_unit_test_setup(deadline, fresh),
        cmocka_unit_test_setup(max_cost, fresh),
        cmocka_unit_test_setup(clouds, fresh),
        cmocka_unit_test_setup(runtime, fresh),
        cmocka_unit_test_setup(data, fresh),
        cmocka_unit_test_setup(stage, fresh),
        cmocka_unit_test_setup(options_have_the_names_of_the_manual, fresh),
        cmocka_unit_test_setup(environment, fresh),
        cmocka_unit_test_setup(absurd_numbers_in_a_mark, fresh),
        cmocka_unit_test_setup(mark_as_in_the_contract, fresh),
        cmocka_unit_test_setup(marks_that_are_none, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
