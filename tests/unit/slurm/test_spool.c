// SPDX-License-Identifier: GPL-3.0-or-later
// The hooks' spool: in the order of time, bad files are put aside, what cannot be handled now
// waits.
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
#include "libburst/json.h"
#include "slurm/spool.h"

static char dir[] = "/tmp/burst-spool-XXXXXX";
static struct burst_conf conf;
static struct burstd b;
static struct spool *spool;
static char seen[256];
static int refuse_from; // the handler fails from this call on

static int handler(struct burstd *who, const cJSON *msg)
{
    size_t len = strlen(seen);

    if (--refuse_from < 0)
        return -1;
    snprintf(seen + len, sizeof(seen) - len, "%s ", json_str(msg, "hosts", "?"));
    return 0;
}

static int begin(void **state)
{
    burst_error_t err;

    memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
    if (!mkdtemp(dir))
        return -1;
    conf.state_dir = dir;
    b.conf = &conf;
    seen[0] = '\0';
    refuse_from = 1000;
    spool = spool_create(&b, handler, &err);
    return spool ? 0 : -1;
}

static int exists(const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/spool/%s", dir, name);
    return access(path, F_OK) == 0;
}

static void put(const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/spool/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int end(void **state)
{
    static const char *const names[] = {
        "bad/suspend-1-1.json",
        "bad/resume-2-1.json",
        "bad/resume-3-1.json",
        "resume-1-1.json",
        "suspend-2-1.json",
        "resume-4-1.json",
        ".tmp-1.json",
        "resume-5-1.tmp",
        "bad",
        "",
    };
    char path[256];

    spool_destroy(spool);
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        snprintf(path, sizeof(path), "%s/spool/%s", dir, names[k]);
        remove(path);
    }
    return remove(dir);
}

static void order_is_that_of_time(void **state)
{
    // Of different kinds, and a time that gets a digit more.
    put("suspend-1000-7.json", "{\"kind\":\"suspend\",\"hosts\":\"third\"}");
    put("resume-999-8.json", "{\"kind\":\"resume\",\"hosts\":\"second\"}");
    put("resume_fail-98-9.json", "{\"kind\":\"resume_fail\",\"hosts\":\"first\"}");
    spool_scan(spool);
    assert_string_equal(seen, "first second third ");
    assert_false(exists("suspend-1000-7.json"));
    assert_int_equal(spool_waiting(spool), 0);
    spool_scan(spool);
    assert_string_equal(seen, "first second third ");
}

static void bad_files_are_put_aside(void **state)
{
    put("suspend-1-1.json", "{\"kind\":");
    put("resume-2-1.json", "");
    put("resume-3-1.json", "[1]");
    put("resume-4-1.json", "{\"hosts\":\"good\"}");
    spool_scan(spool);
    assert_string_equal(seen, "good ");
    assert_true(exists("bad/suspend-1-1.json"));
    assert_true(exists("bad/resume-2-1.json"));
    assert_true(exists("bad/resume-3-1.json"));
    assert_false(exists("suspend-1-1.json"));
    assert_int_equal(spool_waiting(spool), 0);
}

static void what_cannot_be_handled_waits(void **state)
{
    put("resume-1-1.json", "{\"hosts\":\"one\"}");
    put("suspend-2-1.json", "{\"hosts\":\"two\"}");
    refuse_from = 1;
    spool_scan(spool);
    assert_string_equal(seen, "one ");
    assert_int_equal(spool_waiting(spool), 1);
    assert_false(exists("resume-1-1.json"));
    assert_true(exists("suspend-2-1.json"));
    refuse_from = 1000;
    spool_scan(spool);
    assert_string_equal(seen, "one two ");
    assert_int_equal(spool_waiting(spool), 0);
}

static void unfinished_files_are_left_alone(void **state)
{
    put(".tmp-1.json", "{\"hosts\":\"half");
    put("resume-5-1.tmp", "{\"hosts\":\"half");
    spool_scan(spool);
    assert_string_equal(seen, "");
    assert_true(exists(".tmp-1.json"));
    assert_true(exists("resume-5-1.tmp"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        T(order_is_that_of_time),
        T(bad_files_are_put_aside),
        T(what_cannot_be_handled_waits),
        T(unfinished_files_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
