// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of child.c with real processes (/bin/sh).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/log.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"

struct seen {
    struct child *c;
    int lines, exits;
    int status, signal;
    int64_t last; // "n" of the last line
    size_t text_len;
    bool destroy_at_line, close_at_line;
};

static void on_line(void *arg, const cJSON *msg)
{
    struct seen *s = arg;

    s->lines++;
    s->last = json_i64(msg, "n", -1);
    s->text_len = strlen(json_str(msg, "text", ""));
    if (s->destroy_at_line)
        child_destroy(s->c);
    if (s->close_at_line)
        child_close_stdin(s->c);
}

static void on_exited(void *arg, int status, int signal)
{
    struct seen *s = arg;

    s->exits++;
    s->status = status;
    s->signal = signal;
}

static const struct child_ops ops = {on_line, on_exited};

static struct child *start(uv_loop_t *loop, struct seen *s, const char *script)
{
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};
    burst_error_t err = {""};

    assert_int_equal(uv_loop_init(loop), 0);
    s->c = child_create(loop, "helper", argv, &ops, s, &err);
    if (!s->c)
        fail_msg("%s", err.text);
    return s->c;
}

static void finish(uv_loop_t *loop)
{
    alarm(60); // a hang is a failure
    uv_run(loop, UV_RUN_DEFAULT);
    alarm(0);
    assert_int_equal(uv_loop_close(loop), 0); // every handle was closed
}

static void send_n(struct child *c, int64_t n)
{
    burst_error_t err = {""};
    cJSON *m = cJSON_CreateObject();

    json_add_i64(m, "n", n);
    assert_int_equal(child_send(c, m, &err), 0);
    cJSON_Delete(m);
}

static void lines_go_there_and_back(void **state)
{
    uv_loop_t loop;
    struct seen s = {0};

    start(&loop, &s, "while read -r l; do echo \"$l\"; done; exit 7");
    for (int i = 1; i <= 100; i++)
        send_n(s.c, i);
    child_close_stdin(s.c);
    finish(&loop);
    assert_int_equal(s.lines, 100);
    assert_int_equal(s.last, 100);
    assert_int_equal(s.exits, 1);
    assert_int_equal(s.status, 7);
    assert_int_equal(s.signal, 0);
}

static void a_line_in_two_pieces_is_one(void **state)
{
    uv_loop_t loop;
    struct seen s = {.close_at_line = true};

    // The second half is written after a round trip, so it cannot come in the same read.
    start(&loop, &s, "printf '{\"n\":1}\\n{\"n\":'; cat >/dev/null; printf '2}\\n'");
    finish(&loop);
    assert_int_equal(s.lines, 2);
    assert_int_equal(s.last, 2);
    assert_int_equal(s.status, 0);
}

// Holds the loop up for longer than a grandchild may (500 ms), while the child says its last word
// and dies.
static void hold_up(uv_poll_t *h, int status, int events)
{
    struct seen *s = h->data;
    siginfo_t info;

    send_n(s->c, 1);
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
    for (uint64_t began = uv_hrtime(); uv_hrtime() - began < 700000000u;)
        poll(NULL, 0, 50);
    uv_close((uv_handle_t *)h, NULL);
}

static void last_words_are_heard_by_a_loop_that_was_held_up(void **state)
{
    uv_loop_t loop;
    uv_poll_t held;
    struct seen s = {0};
    int fds[2];

    start(&loop, &s, "read -r l; echo \"$l\"; exit 3");
    // Ready in the same round: a signal, which libuv looks at last, and what takes long.
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    uv_poll_init(&loop, &held, fds[0]);
    held.data = &s;
    uv_poll_start(&held, UV_READABLE, hold_up);
    raise(SIGCHLD);
    finish(&loop);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(s.lines, 1);
    assert_int_equal(s.last, 1);
    assert_int_equal(s.status, 3);
}

static void what_is_not_an_object_ends_it(void **state)
{
    static const char *const bad[] = {"hello", "[1]", "1", "{\"n\":1} x", "", "{\"n\":"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uv_loop_t loop;
        struct seen s = {0};
        char script[200];
        snprintf(script, sizeof(script),
                 "echo '{\"n\":5}'; echo '%s'; echo '{\"n\":6}'; exec sleep 1000", bad[i]);
        start(&loop, &s, script);
        finish(&loop);
        assert_int_equal(s.lines, 1);
        assert_int_equal(s.last, 5);
        assert_int_equal(s.exits, 1);
        assert_int_equal(s.signal, SIGKILL);
        assert_int_equal(s.status, -1);
    }
}

// A line {"n":1,"text":"xxx..."} of exactly `total` bytes without its end.
static void long_line(int total, struct seen *s)
{
    uv_loop_t loop;
    char script[300];

    snprintf(script, sizeof(script),
             "printf '{\"n\":1,\"text\":\"'; head -c %d /dev/zero | tr '\\0' x; echo '\"}';"
             "cat >/dev/null",
             total - (int)strlen("{\"n\":1,\"text\":\"\"}"));
    s->close_at_line = true;
    start(&loop, s, script);
    finish(&loop);
}

static void a_line_has_a_ceiling(void **state)
{
    struct seen good = {0}, bad = {0}, huge = {0};

    long_line(4 << 20, &good);
    assert_int_equal(good.lines, 1);
    assert_int_equal(good.text_len, (4 << 20) - 17);
    assert_int_equal(good.status, 0);
    long_line((4 << 20) + 1, &bad);
    assert_int_equal(bad.lines, 0);
    assert_int_equal(bad.signal, SIGKILL);
    long_line(9 << 20, &huge);
    assert_int_equal(huge.lines, 0);
    assert_int_equal(huge.signal, SIGKILL);
}

static void a_missing_program_is_an_error(void **state)
{
    uv_loop_t loop;
    struct seen s = {0};
    char *argv[] = {(char *)"/nonexistent/burst-helper", NULL};
    burst_error_t err = {""};

    assert_int_equal(uv_loop_init(&loop), 0);
    assert_null(child_create(&loop, "helper", argv, &ops, &s, &err));
    assert_non_null(strstr(err.text, "/nonexistent/burst-helper"));
    assert_non_null(strstr(err.text, strerror(ENOENT)));
    finish(&loop);
    assert_int_equal(s.exits, 0);
}

static void it_gets_three_descriptors(void **state)
{
    uv_loop_t loop;
    struct seen s = {0};
    int leak = open("/dev/null", O_RDONLY); // on purpose without O_CLOEXEC
    int high = fcntl(leak, F_DUPFD, 300);

    assert_true(leak > 2 && high >= 300);
    // "set --" counts in the shell itself: ls would count its own descriptor.
    start(&loop, &s, "set -- /proc/$$/fd/*; echo \"{\\\"n\\\":$#}\"");
    finish(&loop);
    close(leak);
    close(high);
    // The shell's glob holds the directory itself open: 0, 1, 2 and that one.
    assert_int_equal(s.last, 4);
}

static void signals_are_as_usual_in_it(void **state)
{
    uv_loop_t loop;
    struct seen s = {0};
    sigset_t block, old;

    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, &old);
    // burstd ignores SIGPIPE; the helper must not inherit that, nor blocked signals. 32 and 33 are
    // glibc's own: no program can set them, and what posix_spawn() starts (as make does) ignores
    // them.
    start(
        &loop, &s,
        "while read -r k v; do case $k in SigBlk:|SigIgn:) x=$x,$v;; esac; done </proc/self/status;"
        " case $x in ,0000000000000000,0000000[01][08]0000000) ;; *) exit 1;; esac");
    finish(&loop);
    sigprocmask(SIG_SETMASK, &old, NULL);
    assert_int_equal(s.status, 0);
}

static void destroy_is_silent_and_final(void **state)
{
    uv_loop_t loop;
    struct seen s = {0};

    start(&loop, &s, "echo '{\"n\":1}'; exec sleep 1000");
    int pid = child_pid(s.c);
    child_destroy(s.c);
    finish(&loop);
    assert_int_equal(s.lines + s.exits, 0);
    assert_int_equal(kill(pid, 0), -1); // reaped

    struct seen in_line = {.destroy_at_line = true};
    start(&loop, &in_line, "echo '{\"n\":1}'; echo '{\"n\":2}'; exec sleep 1000");
    finish(&loop);
    assert_int_equal(in_line.lines, 1);
    assert_int_equal(in_line.exits, 0);
    child_destroy(NULL);
}

static void a_grandchild_cannot_hide_the_end(void **state)
{
    uv_loop_t loop;
    struct seen s = {0};

    start(&loop, &s, "sleep 1000 & echo \"{\\\"n\\\":$!}\"; exit 3");
    finish(&loop);
    assert_int_equal(s.exits, 1);
    assert_int_equal(s.status, 3);
    kill((pid_t)s.last, SIGKILL);
}

static void what_it_does_not_read_has_a_ceiling(void **state)
{
    uv_loop_t loop;
    struct seen s = {0};
    burst_error_t err = {""};
    int sent = 0;

    start(&loop, &s, "exec sleep 1000");
    char *text = malloc((1 << 20) + 1);
    memset(text, 'x', 1 << 20);
    text[1 << 20] = '\0';
    cJSON *m = cJSON_CreateObject();
    cJSON_AddStringToObject(m, "text", text);
    while (sent < 20 && child_send(s.c, m, &err) == 0)
        sent++;
    assert_int_equal(sent, 15); // each a few bytes over 1 MiB, 16 MiB in all; a pipe takes 64 KiB
    assert_non_null(strstr(err.text, "helper"));
    child_kill(s.c, SIGTERM);
    finish(&loop);
    assert_int_equal(s.signal, SIGTERM);
    cJSON_Delete(m);
    free(text);
}

static void stderr_goes_to_the_log(void **state)
{
    uv_loop_t loop;
    struct seen s = {0};
    char path[] = "/tmp/test_child.XXXXXX", *text;
    size_t len;
    burst_error_t err;

    close(mkstemp(path));
    assert_int_equal(log_open(path), 0);
    start(&loop, &s, "echo all is well >&2; echo 'error: it burns' >&2; printf end >&2");
    finish(&loop);
    assert_int_equal(log_open("/dev/stderr"), 0);
    assert_int_equal(fs_read(path, 65536, &text, &len, &err), 0);
    unlink(path);
    assert_non_null(strstr(text, "info: helper: all is well\n"));
    assert_non_null(strstr(text, "warning: helper: error: it burns\n"));
    assert_non_null(strstr(text, "info: helper: end\n"));
    free(text);
}

static void it_dies_with_its_parent(void **state)
{
    int p[2], pid = 0;

    assert_int_equal(pipe(p), 0);
    pid_t parent = fork();
    if (parent == 0) {
        uv_loop_t loop;
        struct seen s = {0};
        start(&loop, &s, "exec sleep 1000"); // does not read its stdin
        int child = child_pid(s.c);
        if (write(p[1], &child, sizeof(child)) < 0)
            _exit(1);
        uv_run(&loop, UV_RUN_DEFAULT);
        _exit(0);
    }
    assert_int_equal(read(p[0], &pid, sizeof(pid)), sizeof(pid));
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0 && errno == ENOSYS)
        skip();
    assert_true(pidfd >= 0);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    struct pollfd pf = {.fd = pidfd, .events = POLLIN};
    assert_int_equal(poll(&pf, 1, 10000), 1);
    close(pidfd);
    close(p[0]);
    close(p[1]);
}

static void helpers_are_found_in_a_build_tree(void **state)
{
    setenv("BURST_LIBEXECDIR", "/build/here", 1);
    char *p = child_path("burst-slurm");
    assert_string_equal(p, "/build/here/burst-slurm");
    free(p);
    unsetenv("BURST_LIBEXECDIR");
    p = child_path("burst-slurm");
    assert_string_equal(p, BURST_LIBEXECDIR "/burst-slurm");
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_go_there_and_back),
        cmocka_unit_test(a_line_in_two_pieces_is_one),
        cmocka_unit_test(last_words_are_heard_by_a_loop_that_was_held_up),
        cmocka_unit_test(what_is_not_an_object_ends_it),
        cmocka_unit_test(a_line_has_a_ceiling),
        cmocka_unit_test(a_missing_program_is_an_error),
        cmocka_unit_test(it_gets_three_descriptors),
        cmocka_unit_test(signals_are_as_usual_in_it),
        cmocka_unit_test(destroy_is_silent_and_final),
        cmocka_unit_test(a_grandchild_cannot_hide_the_end),
        cmocka_unit_test(what_it_does_not_read_has_a_ceiling),
        cmocka_unit_test(stderr_goes_to_the_log),
        cmocka_unit_test(it_dies_with_its_parent),
        cmocka_unit_test(helpers_are_found_in_a_build_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
