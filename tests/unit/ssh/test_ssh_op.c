// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of ssh_op.c with a helper of our own: a shell script in the place of burst-ssh.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "ssh/ssh_op.h"

static char dir[] = "/tmp/test-ssh-op.XXXXXX";

struct seen {
    struct ssh_op *op;
    uv_loop_t *loop;
    int events, dones;
    bool ok, cancel_at_event, again;
    char errclass[32], error[256], last[256];
};

static void on_event(void *arg, const cJSON *msg)
{
    struct seen *s = arg;

    s->events++;
    if (s->cancel_at_event)
        ssh_op_cancel(s->op);
}

static void on_done(void *arg, bool ok, const char *errclass, const char *error, const cJSON *last);
static const struct ssh_op_callbacks callbacks = {on_event, on_done};

static cJSON *request(int64_t limit_s)
{
    cJSON *r = cJSON_CreateObject();

    json_add_str(r, "op", "prepare");
    json_add_i64(r, "limit_s", limit_s);
    return r;
}

static void on_done(void *arg, bool ok, const char *errclass, const char *error, const cJSON *last)
{
    struct seen *s = arg;
    char *text = json_line(last);

    s->dones++;
    s->ok = ok;
    snprintf(s->errclass, sizeof(s->errclass), "%s", errclass ? errclass : "");
    snprintf(s->error, sizeof(s->error), "%s", error ? error : "");
    snprintf(s->last, sizeof(s->last), "%s", last ? text : "");
    free(text);
    ssh_op_cancel(s->op); // harmless: it is ending
    if (s->again) {
        s->again = false;
        s->op = ssh_op_start(s->loop, request(10), &callbacks, s, NULL);
        assert_non_null(s->op);
    }
}

// Runs the script as burst-ssh until nothing is left to do.
static void run(struct seen *s, const char *script, int64_t limit_s)
{
    char *path = xasprintf("%s/burst-ssh", dir), *text = xasprintf("#!/bin/sh\n%s\n", script);
    burst_error_t err;
    uv_loop_t loop;

    assert_int_equal(fs_write_atomic(path, text, strlen(text), 0755, &err), 0);
    uv_loop_init(&loop);
    s->loop = &loop;
    s->op = ssh_op_start(&loop, request(limit_s), &callbacks, s, &err);
    if (!s->op)
        fail_msg("%s", err.text);
    assert_int_equal(s->dones, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    free(text);
    free(path);
}

static void test_done(void **state)
{
    struct seen s = {.again = true};

    run(&s,
        "read -r l; echo '{\"event\":\"ssh_up\"}'; echo "
        "\"{\\\"event\\\":\\\"done\\\",\\\"got\\\":$l}\"",
        10);
    assert_int_equal(s.events, 2);
    assert_int_equal(s.dones, 2); // the second was started from done() of the first
    assert_true(s.ok);
    assert_non_null(strstr(s.last, "\"got\":{\"op\":\"prepare\""));
    assert_string_equal(s.errclass, "");
}

static void test_error(void **state)
{
    struct seen s = {0};

    run(&s, "echo '{\"event\":\"error\",\"class\":\"auth\",\"error\":\"no\"}'; exit 1", 10);
    assert_false(s.ok);
    assert_string_equal(s.errclass, "auth");
    assert_string_equal(s.error, "no");
}

static void test_died(void **state)
{
    struct seen s = {0}, t = {0};

    run(&s, "kill -9 $$", 10);
    assert_int_equal(s.dones, 1);
    assert_string_equal(s.errclass, SSH_OP_HELPER_DIED);
    run(&t, "echo '{\"event\":\"done\"}'; exit 1", 10); // said done, but failed
    assert_int_equal(t.dones, 1);
    assert_false(t.ok);
}

static void test_limit(void **state)
{
    struct seen s = {0};
    int64_t began = clock_mono_ms();

    run(&s, "exec sleep 30", 1);
    assert_string_equal(s.errclass, "timeout");
    assert_true(clock_mono_ms() - began < 10000);
}

static void test_cancel(void **state)
{
    struct seen s = {.cancel_at_event = true};

    run(&s, "echo '{\"event\":\"ssh_up\"}'; exec sleep 30", 60);
    assert_int_equal(s.events, 1);
    assert_int_equal(s.dones, 0);
    ssh_op_cancel(NULL);
}

static void test_no_start(void **state)
{
    burst_error_t err = {""};
    cJSON *r = cJSON_CreateObject();
    uv_loop_t loop;

    uv_loop_init(&loop);
    json_add_str(r, "op", "dance");
    assert_null(ssh_op_start(&loop, r, &callbacks, NULL, &err));
    assert_non_null(strstr(err.text, "dance"));
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_done),   cmocka_unit_test(test_error),
        cmocka_unit_test(test_died),   cmocka_unit_test(test_limit),
        cmocka_unit_test(test_cancel), cmocka_unit_test(test_no_start)};

    if (!mkdtemp(dir))
        return 1;
    setenv("BURST_LIBEXECDIR", dir, 1);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    char *path = xasprintf("%s/burst-ssh", dir);
    unlink(path);
    rmdir(dir);
    free(path);
    return rc;
}
