// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of the RPC client against a scripted server: what a burstd that is slow, gone, or
// talks nonsense does to its callers.
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/rpc_client.h"

static char dir[64], path[96];

// A server that accepts one connection, and for each request line sends the next of its answers.
struct script {
    int listener;
    pthread_t thread;
    const char **answers; // NULL-terminated; "" = say nothing and wait for the end
    char requests[1024];
};

static void *serve(void *arg)
{
    struct script *s = arg;
    char line[512];
    int fd = accept(s->listener, NULL, NULL);
    FILE *in = fdopen(dup(fd), "r");

    for (const char **a = s->answers; *a && fgets(line, sizeof(line), in); a++) {
        size_t n = strlen(s->requests);
        snprintf(s->requests + n, sizeof(s->requests) - n, "%s", line);
        if (**a)
            send(fd, *a, strlen(*a), MSG_NOSIGNAL);
        else
            (void)!fgets(line, sizeof(line), in); // until the client hangs up
    }
    fclose(in);
    close(fd);
    return NULL;
}

static int listen_at(const char *p)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", p);
    unlink(p);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void start(struct script *s, const char **answers)
{
    memset(s, 0, sizeof(*s));
    s->answers = answers;
    s->listener = listen_at(path);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void finish(struct script *s, struct rpc_client *c)
{
    rpc_close(c);
    pthread_join(s->thread, NULL);
    close(s->listener);
}

static void answers_in_turn(void **state)
{
    const char *answers[] = {"{\"ok\":true,\"result\":{\"ready\":true}}\n",
                             "{\"ok\":false,\"code\":\"denied\",\"error\":\"not your job\"}\n",
                             "{\"ok\":true}\n", NULL};
    struct script s;
    burst_error_t err = {""};

    start(&s, answers);
    struct rpc_client *c = rpc_connect(path, 1000, &err);
    assert_non_null(c);
    cJSON *params = cJSON_CreateObject();
    json_add_i64(params, "job_id", 7);
    cJSON *r = rpc_call(c, "job_ready", params, 5000, &err);
    assert_true(json_bool(r, "ready", false));
    assert_string_equal(rpc_code(c), "");
    cJSON_Delete(r);
    assert_null(rpc_call(c, "why", NULL, 5000, &err));
    assert_string_equal(rpc_code(c), "denied");
    assert_string_equal(err.text, "not your job");
    r = rpc_call(c, "ping", NULL, 5000, &err);
    assert_true(cJSON_IsNull(r));
    cJSON_Delete(r);
    finish(&s, c);
    assert_string_equal(s.requests, "{\"method\":\"job_ready\",\"params\":{\"job_id\":7}}\n"
                                    "{\"method\":\"why\"}\n{\"method\":\"ping\"}\n");
}

static void fails_with(const char *answer, int timeout_ms, const char *code, const char *words)
{
    const char *answers[] = {answer, NULL};
    struct script s;
    burst_error_t err = {""};

    start(&s, answers);
    struct rpc_client *c = rpc_connect(path, 1000, &err);
    assert_non_null(c);
    assert_null(rpc_call(c, "ping", NULL, timeout_ms, &err));
    assert_string_equal(rpc_code(c), code);
    assert_non_null(strstr(err.text, words));
    // What comes later on a broken connection would be the answer to another question.
    assert_null(rpc_call(c, "ping", NULL, timeout_ms, &err));
    assert_string_equal(rpc_code(c), "lost");
    finish(&s, c);
}

static void nonsense_and_silence(void **state)
{
    fails_with("hello\n", 5000, "lost", "does not understand");
    fails_with("[1]\n", 5000, "lost", "does not understand");
    fails_with("{\"result\":1}\n", 5000, "lost", "does not understand");
    fails_with("{\"ok\":true", 5000, "lost", "closed the connection before it answered");
    fails_with("", 50, "timeout", "not answered in time");
}

static void nobody_there(void **state)
{
    burst_error_t err = {""};
    char longer[200];

    unlink(path);
    assert_null(rpc_connect(path, 1000, &err));
    assert_int_equal(errno, ENOENT);
    assert_non_null(strstr(err.text, "burstd does not run here"));
    int fd = listen_at(path);
    close(fd);
    assert_null(rpc_connect(path, 1000, &err)); // the socket of a burstd that died
    assert_int_equal(errno, ECONNREFUSED);
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_null(rpc_connect(longer, 1000, &err));
    assert_int_equal(errno, ENAMETOOLONG);
}

// A daemon that hangs accepts nobody: the kernel's queue fills, and connect() must not block.
static void full_backlog(void **state)
{
    struct rpc_client *c[64];
    burst_error_t err = {""};
    int n = 0, listener = listen_at(path);
    int64_t before = clock_mono_ms();

    while (n < 64 && (c[n] = rpc_connect(path, 60, &err)))
        n++;
    assert_true(n > 0 && n < 64);
    assert_int_equal(errno, ETIMEDOUT);
    assert_true(clock_mono_ms() - before < 5000);
    while (n > 0)
        rpc_close(c[--n]);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_in_turn),
        cmocka_unit_test(nonsense_and_silence),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(full_backlog),
    };

    snprintf(dir, sizeof(dir), "/tmp/test_rpc_client.XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof(path), "%s/s", dir);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(dir);
    return rc;
}
