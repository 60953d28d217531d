// SPDX-License-Identifier: GPL-3.0-or-later
// The RPC server on real sockets: order of answers, late answers, identity, limits, the socket
// file.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/conf.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "rpc/rpc_server.h"

#define NOBODY 65534
#define HOOKS_MAX 64

static uv_loop_t loop;
static uv_timer_t tick, bound;
static bool out_of_time;
static char dir[32], path[64];
static struct burst_conf conf;
static struct rpc_server *server;
static struct rpc_request *kept;
static int gone_calls;
static struct rpc_request *hooks[HOOKS_MAX];
static unsigned n_hooks, counted, parts;

static void on_gone(void *arg);

// --- methods

static void m_echo(void *arg, struct rpc_request *req)
{
    rpc_reply(req, cJSON_Duplicate(rpc_params(req), true));
}

static void m_who(void *arg, struct rpc_request *req)
{
    cJSON *o = cJSON_CreateObject();

    json_add_i64(o, "uid", rpc_uid(req));
    json_add_i64(o, "pid", rpc_pid(req));
    json_add_str(o, "user", rpc_user(req));
    cJSON_AddBoolToObject(o, "operator", rpc_is_operator(req));
    cJSON_AddBoolToObject(o, "sees_root", rpc_may_see(req, 0));
    cJSON_AddBoolToObject(o, "sees_nobody", rpc_may_see(req, NOBODY));
    rpc_reply(req, o);
}

static void m_keep(void *arg, struct rpc_request *req)
{
    kept = req;
}

static void m_fail(void *arg, struct rpc_request *req)
{
    rpc_fail(req, "not_found", "no job %d, \"really\"", 7);
}

static void m_big(void *arg, struct rpc_request *req)
{
    size_t n = 2 << 20;
    char *text = xmalloc(n + 1);

    memset(text, 'x', n);
    rpc_reply(req, cJSON_CreateString(text));
    free(text);
}

// A prolog's: waits for long.
static void m_hook(void *arg, struct rpc_request *req)
{
    assert_int_not_equal(n_hooks, HOOKS_MAX);
    hooks[n_hooks++] = req;
}

static void m_count(void *arg, struct rpc_request *req)
{
    counted++;
    rpc_reply(req, NULL);
}

static void go_on(void *arg, struct rpc_request *req)
{
    unsigned *left = arg;

    if (--*left > 0)
        rpc_go_on_later(req, go_on, left);
    else
        rpc_reply_text(req, xstrdup("[\"long\"]"), 8);
}

static void m_long(void *arg, struct rpc_request *req)
{
    static unsigned left;

    left = parts;
    rpc_on_gone(req, on_gone, req);
    kept = req;
    rpc_go_on_later(req, go_on, &left);
}

static const struct rpc_method methods[] = {
    {"echo", m_echo, false, false}, {"who", m_who, false, false},
    {"keep", m_keep, false, false}, {"fail", m_fail, false, false},
    {"big", m_big, false, false},   {"admin", m_echo, true, false},
    {"hook", m_hook, true, true},   {"count", m_count, false, false},
    {"long", m_long, false, false}, {NULL, NULL, false, false},
};

// --- a loop that ends, and clients

static void on_tick(uv_timer_t *t)
{
}

static void on_bound(uv_timer_t *t)
{
    out_of_time = true;
}

// One turn of the loop; false when 10 s have passed since the test began.
static bool turn(void)
{
    uv_run(&loop, UV_RUN_ONCE);
    return !out_of_time;
}

static int client(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void say(int fd, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n < 0) {
            assert_int_equal(errno, EAGAIN);
            assert_true(turn());
            continue;
        }
        text += n;
        len -= (size_t)n;
    }
}

// Bytes up to a line end; "" at the end of the connection. Valid until the next call.
static const char *hear(int fd)
{
    static char line[3 << 20];
    size_t n = 0;

    for (;;) {
        ssize_t r = recv(fd, line + n, sizeof(line) - n - 1, MSG_PEEK);
        char *nl = r > 0 ? memchr(line + n, '\n', (size_t)r) : NULL;
        if (r > 0)
            r = recv(fd, line + n, nl ? (size_t)(nl - line) + 1 - n : (size_t)r, 0);
        if (nl) {
            *nl = '\0';
            return line;
        }
        if (r > 0) {
            n += (size_t)r;
            continue;
        }
        if (r == 0 || errno != EAGAIN) {
            assert_int_equal(n, 0);
            return "";
        }
        assert_true(turn());
    }
}

static void wait_for_connections(unsigned n)
{
    while (rpc_server_connections(server) != n)
        assert_true(turn());
}

static int setup(void **state)
{
    burst_error_t err;

    out_of_time = false;
    gone_calls = 0;
    kept = NULL;
    n_hooks = counted = 0;
    snprintf(dir, sizeof(dir), "/tmp/burst-rpc-XXXXXX");
    if (!mkdtemp(dir) || chmod(dir, 0755) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/burstd.sock", dir);
    conf.slurm_user = (char *)"no-such-user";
    uv_loop_init(&loop);
    uv_timer_init(&loop, &tick);
    uv_timer_start(&tick, on_tick, 5, 5);
    uv_timer_init(&loop, &bound);
    uv_timer_start(&bound, on_bound, 10000, 0);
    server = rpc_server_create(&loop, path, methods, &conf, NULL, &err);
    return server ? 0 : -1;
}

static int teardown(void **state)
{
    rpc_server_destroy(server);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_close((uv_handle_t *)&bound, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&loop); // fails when a handle was forgotten
    unlink(path);
    rmdir(dir);
    return rc;
}

// --- tests

static void answers_come_in_the_order_of_the_requests(void **state)
{
    int fd = client();

    say(fd, "{\"method\":\"echo\",\"params\":{\"n\":1}}\n{\"method\":\"keep\"}\n"
            "{\"method\":\"echo\",\"params\":{\"n\":2}}\n");
    assert_string_equal(hear(fd), "{\"ok\":true,\"result\":{\"n\":1}}");
    while (!kept)
        assert_true(turn());
    for (int i = 0; i < 5; i++)
        turn();
    char c;
    assert_int_equal(recv(fd, &c, 1, 0), -1); // the third waits for the second
    rpc_reply(kept, NULL);
    assert_string_equal(hear(fd), "{\"ok\":true,\"result\":null}");
    assert_string_equal(hear(fd), "{\"ok\":true,\"result\":{\"n\":2}}");
    close(fd);
    wait_for_connections(0);
}

static void a_request_may_come_in_pieces_and_many_at_once(void **state)
{
    int fd = client();
    char text[64 * 200] = "";

    say(fd, "{\"method\":\"ec");
    for (int i = 0; i < 3; i++)
        turn();
    say(fd, "ho\"}\n");
    assert_string_equal(hear(fd), "{\"ok\":true,\"result\":{}}");
    for (int i = 0; i < 200; i++)
        snprintf(text + strlen(text), 64, "{\"method\":\"echo\",\"params\":{\"n\":%d}}\n", i);
    say(fd, text);
    for (int i = 0; i < 200; i++) {
        char want[64];
        snprintf(want, sizeof(want), "{\"ok\":true,\"result\":{\"n\":%d}}", i);
        assert_string_equal(hear(fd), want);
    }
    close(fd);
}

static void failures_say_what_is_wrong(void **state)
{
    int fd = client();

    say(fd,
        "{\"method\":\"fail\"}\n{\"method\":\"nosuch\"}\n{\"method\":\"echo\",\"params\":[]}\n");
    assert_string_equal(
        hear(fd), "{\"ok\":false,\"code\":\"not_found\",\"error\":\"no job 7, \\\"really\\\"\"}");
    assert_string_equal(
        hear(fd),
        "{\"ok\":false,\"code\":\"invalid\",\"error\":\"there is no method \\\"nosuch\\\"\"}");
    assert_string_equal(hear(fd), "{\"ok\":false,\"code\":\"invalid\",\"error\":\"echo: "
                                  "\\\"params\\\" must be an object\"}");
    close(fd);
}

static void what_is_no_request_ends_the_connection(void **state)
{
    static const char *const bad[] = {"GET / HTTP/1.1\r\n", "[]\n", "{\"method\":7}\n", "\n",
                                      "{\"method\":\"echo\"} x\n"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int fd = client();
        say(fd, bad[i]);
        const char *answer = hear(fd);
        assert_int_equal(strncmp(answer, "{\"ok\":false,\"code\":\"invalid\"", 28), 0);
        assert_string_equal(hear(fd), "");
        close(fd);
    }
}

static void a_request_has_a_ceiling(void **state)
{
    char chunk[65537];
    int fd = client();
    size_t sent = 0;

    memset(chunk, ' ', sizeof(chunk));
    chunk[65536] = '\0';
    while (sent < (1u << 20)) {
        say(fd, chunk);
        sent += 65536;
    }
    say(fd, " "); // one byte more than a request may have
    assert_string_equal(hear(fd), "{\"ok\":false,\"code\":\"invalid\",\"error\":\"a request may "
                                  "have at most 1 MiB\"}");
    assert_string_equal(hear(fd), "");
    close(fd);
}

static void on_gone(void *arg)
{
    gone_calls++;
    assert_true(rpc_client_gone(arg));
    rpc_reply(arg, NULL);
    kept = NULL;
}

static void who_waits_for_an_answer_may_go(void **state)
{
    int fd = client();

    say(fd, "{\"method\":\"keep\"}\n");
    while (!kept)
        assert_true(turn());
    assert_false(rpc_client_gone(kept));
    rpc_on_gone(kept, on_gone, kept);
    close(fd);
    while (gone_calls == 0)
        assert_true(turn());
    assert_int_equal(gone_calls, 1);
    // Without a callback the flag tells, and answering late does no harm.
    fd = client();
    say(fd, "{\"method\":\"keep\"}\n");
    while (!kept)
        assert_true(turn());
    close(fd);
    while (!rpc_client_gone(kept))
        assert_true(turn());
    rpc_fail(kept, "busy", "too late");
    wait_for_connections(0);
}

static void who_has_only_finished_talking_gets_the_answer(void **state)
{
    int fd = client();

    say(fd, "{\"method\":\"keep\"}\n{\"method\":\"echo\"}\n");
    shutdown(fd, SHUT_WR);
    while (!kept)
        assert_true(turn());
    for (int i = 0; i < 5; i++)
        turn();
    assert_false(rpc_client_gone(kept));
    rpc_reply(kept, cJSON_CreateString("late"));
    assert_string_equal(hear(fd), "{\"ok\":true,\"result\":\"late\"}");
    assert_string_equal(hear(fd), "{\"ok\":true,\"result\":{}}");
    assert_string_equal(hear(fd), "");
    close(fd);
}

static void who_never_reads_is_dropped(void **state)
{
    int fd = client();

    for (int i = 0; i < 8; i++)
        say(fd, "{\"method\":\"big\"}\n");
    wait_for_connections(1);
    wait_for_connections(0); // four answers of 2 MiB lie there, the fifth and sixth pass 8 MiB
    close(fd);
    // A single answer that is not read: by time.
    rpc_server_set_stall_ms(server, 20);
    fd = client();
    say(fd, "{\"method\":\"big\"}\n");
    wait_for_connections(1);
    wait_for_connections(0);
    close(fd);
    // One that is read, however large, is not dropped.
    rpc_server_set_stall_ms(server, 5000);
    fd = client();
    say(fd, "{\"method\":\"big\"}\n");
    assert_int_equal(strlen(hear(fd)), strlen("{\"ok\":true,\"result\":\"\"}") + (2 << 20));
    close(fd);
}

static void the_socket_is_open_to_all_and_stale_ones_go(void **state)
{
    struct stat st;
    burst_error_t err;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char other[sizeof(path) + 8];

    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0666);
    // A living one is not taken over.
    assert_null(rpc_server_create(&loop, path, methods, &conf, NULL, &err));
    assert_non_null(strstr(err.text, "another burstd answers there"));
    // A file that is no socket stays.
    snprintf(other, sizeof(other), "%s.file", path);
    close(open(other, O_CREAT | O_WRONLY, 0600));
    assert_null(rpc_server_create(&loop, other, methods, &conf, NULL, &err));
    assert_non_null(strstr(err.text, "is no socket"));
    assert_int_equal(unlink(other), 0);
    // That of a dead one goes.
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", other);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    close(fd);
    struct rpc_server *second = rpc_server_create(&loop, other, methods, &conf, NULL, &err);
    assert_non_null(second);
    rpc_server_destroy(second);
    assert_int_equal(access(other, F_OK), -1);
    assert_null(rpc_server_create(&loop, "/nonexistent/burstd.sock", methods, &conf, NULL, &err));
}

static void stopping_answers_those_who_wait(void **state)
{
    int fd = client();

    say(fd, "{\"method\":\"keep\"}\n");
    while (!kept)
        assert_true(turn());
    rpc_on_gone(kept, on_gone, kept);
    rpc_server_destroy(server);
    server = NULL;
    assert_string_equal(hear(fd),
                        "{\"ok\":false,\"code\":\"busy\",\"error\":\"burstd is stopping\"}");
    assert_string_equal(hear(fd), "");
    assert_int_equal(gone_calls, 0);
    assert_int_equal(access(path, F_OK), -1);
    close(fd);
}

// Asks as another user from a child process; the answers come through a pipe.
static void ask_as(uid_t uid, const char *text, int answers, char *out, size_t size)
{
    int pipefd[2];
    size_t n = 0;

    assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        char c;
        if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
            _exit(1);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
            _exit(2);
        // Whom the server has no room for it may have answered and closed before he asks.
        if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 && errno != EPIPE)
            _exit(2);
        while (answers > 0 && read(fd, &c, 1) == 1) {
            answers -= c == '\n';
            if (write(pipefd[1], &c, 1) != 1)
                _exit(3);
        }
        _exit(0);
    }
    close(pipefd[1]);
    fcntl(pipefd[0], F_SETFL, O_NONBLOCK);
    for (;;) {
        ssize_t r = read(pipefd[0], out + n, size - 1 - n);
        if (r == 0)
            break;
        if (r > 0)
            n += (size_t)r;
        else
            assert_true(turn());
    }
    out[n] = '\0';
    close(pipefd[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void the_kernel_says_who_asks(void **state)
{
    char out[2048];
    char *nogroup = (char *)"nogroup";

    if (getuid() != 0)
        skip();
    ask_as(NOBODY, "{\"method\":\"who\",\"params\":{\"uid\":0}}\n{\"method\":\"admin\"}\n", 2, out,
           sizeof(out));
    assert_non_null(strstr(out, "\"uid\":65534"));
    assert_non_null(strstr(out, "\"user\":\"nobody\",\"operator\":false,\"sees_root\":false,"
                                "\"sees_nobody\":true}}"));
    assert_non_null(strstr(out, "{\"ok\":false,\"code\":\"denied\",\"error\":\"admin is for "
                                "operators: root, no-such-user, and who is listed under "
                                "\\\"operators\\\" in burst.yaml\"}"));
    ask_as(0, "{\"method\":\"who\"}\n{\"method\":\"admin\"}\n", 2, out, sizeof(out));
    assert_non_null(strstr(out, "\"uid\":0"));
    assert_non_null(strstr(out, "\"operator\":true,\"sees_root\":true,\"sees_nobody\":true}}"));
    assert_non_null(strstr(out, "{\"ok\":true,\"result\":{}}"));
    // A reload may make somebody an operator, here through a group.
    conf.operator_groups = &nogroup;
    conf.n_operator_groups = 1;
    rpc_server_set_conf(server, &conf);
    ask_as(NOBODY, "{\"method\":\"admin\"}\n", 1, out, sizeof(out));
    assert_string_equal(out, "{\"ok\":true,\"result\":{}}\n");
    conf.n_operator_groups = 0;
}

#define BUSY                                                                                       \
    "{\"ok\":false,\"code\":\"busy\",\"error\":\"burstd has too many connections; try again "      \
    "later\"}"

static void is_sent_away(int fd)
{
    assert_string_equal(hear(fd), BUSY);
    assert_string_equal(hear(fd), "");
    close(fd);
}

static int client_with_answer(void)
{
    int fd = client();

    say(fd, "{\"method\":\"echo\"}\n");
    assert_string_equal(hear(fd), "{\"ok\":true,\"result\":{}}");
    return fd;
}

static int client_that_waits(void)
{
    unsigned before = n_hooks;
    int fd = client();

    say(fd, "{\"method\":\"hook\"}\n");
    while (n_hooks == before)
        assert_true(turn());
    return fd;
}

static void hooks_that_wait_take_no_room_from_operators(void **state)
{
    const struct rpc_limits few = {.hooks = 3, .operators = 2, .users = 4, .user = 2};
    int hook[3], people[2];

    if (getuid() != 0)
        skip();
    rpc_server_set_limits(server, &few);
    for (int i = 0; i < 3; i++)
        hook[i] = client_that_waits();
    int late = client();
    say(late, "{\"method\":\"hook\"}\n");
    is_sent_away(late);
    for (int i = 0; i < 2; i++)
        people[i] = client_with_answer();
    is_sent_away(client()); // all that there may be are there
    // A hook that has its answer makes room for a hook, not for an operator.
    rpc_reply(hooks[0], NULL);
    assert_string_equal(hear(hook[0]), "{\"ok\":true,\"result\":null}");
    close(hook[0]);
    wait_for_connections(4);
    late = client();
    say(late, "{\"method\":\"echo\"}\n");
    is_sent_away(late);
    wait_for_connections(4);
    hook[0] = client_that_waits();
    for (int i = 1; i < 4; i++)
        rpc_reply(hooks[i], NULL);
    for (int i = 0; i < 3; i++)
        close(hook[i]);
    for (int i = 0; i < 2; i++)
        close(people[i]);
    wait_for_connections(0);
}

static void a_few_descriptors_are_shared_out(void **state)
{
    static const unsigned long files[] = {16, 64, 256, 1024, 4096, 524288};
    struct rpc_limits last = {0};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct rpc_limits l = rpc_limits_for(files[i]);
        assert_true(l.hooks >= 2 && l.operators >= 2 && l.users >= 2 && l.user >= 1);
        assert_true(l.user < l.users);
        assert_true(l.hooks + l.operators + l.users <= files[i] / 2);
        assert_true(l.hooks >= last.hooks && l.operators >= last.operators);
        assert_true(l.users >= last.users && l.user >= last.user);
        last = l;
    }
    assert_int_equal(last.hooks, 2048); // and not as many as somebody may open
    assert_int_equal(last.user, 64);
}

static void a_user_has_one_request_in_a_turn(void **state)
{
    char text[32 * 20] = "";
    int fds[3];

    for (int i = 0; i < 20; i++)
        strcat(text, "{\"method\":\"count\"}\n");
    for (int i = 0; i < 3; i++) {
        fds[i] = client();
        say(fds[i], text);
    }
    for (unsigned before = 0; counted < 60; before = counted) {
        assert_true(turn());
        assert_in_range(counted, before, before + 1);
    }
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 20; k++)
            assert_string_equal(hear(fds[i]), "{\"ok\":true,\"result\":null}");
        close(fds[i]);
    }
}

// One that asks for much does not keep the user's others waiting until it has everything.
static void connections_of_a_user_take_turns(void **state)
{
    char text[32 * 40] = "";
    int much, little;

    for (int i = 0; i < 40; i++)
        strcat(text, "{\"method\":\"count\"}\n");
    much = client();
    say(much, text);
    little = client();
    say(little, "{\"method\":\"echo\"}\n");
    assert_string_equal(hear(little), "{\"ok\":true,\"result\":{}}");
    assert_in_range(counted, 0, 10);
    close(much);
    close(little);
    wait_for_connections(0);
}

static void operators_find_room_when_others_take_all_theirs(void **state)
{
    char out[1024], line[] = "{\"method\":\"echo\"}\n";
    const struct rpc_limits few = {.hooks = 2, .operators = 2, .users = 8, .user = 5};
    int ready[2], hold[2];
    char c;

    if (getuid() != 0)
        skip();
    rpc_server_set_limits(server, &few);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) { // nobody takes all that he may have and holds them
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        close(hold[1]);
        if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
            _exit(1);
        snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
        for (int i = 0; i < 5; i++)
            if (connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a)) < 0)
                _exit(2);
        if (write(ready[1], "x", 1) != 1)
            _exit(3);
        _exit(read(hold[0], &c, 1) == 0 ? 0 : 4);
    }
    fcntl(ready[0], F_SETFL, O_NONBLOCK);
    while (read(ready[0], &c, 1) != 1)
        assert_true(turn());
    wait_for_connections(5);
    ask_as(NOBODY, line, 1, out, sizeof(out));
    assert_non_null(strstr(out, "\"code\":\"busy\""));
    ask_as(0, line, 1, out, sizeof(out));
    assert_string_equal(out, "{\"ok\":true,\"result\":{}}\n");
    close(hold[1]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(ready[0]);
    close(ready[1]);
    close(hold[0]);
    wait_for_connections(0);
}

static void a_long_answer_shares_the_turns_of_its_user(void **state)
{
    int fd = client(), other = client();

    parts = 1000;
    say(fd, "{\"method\":\"long\"}\n{\"method\":\"echo\"}\n");
    while (!kept)
        assert_true(turn());
    say(other, "{\"method\":\"echo\"}\n");
    assert_string_equal(hear(other), "{\"ok\":true,\"result\":{}}");
    char c;
    assert_int_equal(recv(fd, &c, 1, 0), -1);
    assert_string_equal(hear(fd), "{\"ok\":true,\"result\":[\"long\"]}");
    assert_string_equal(hear(fd), "{\"ok\":true,\"result\":{}}");
    // Who goes in the middle of it is forgotten.
    parts = UINT_MAX;
    kept = NULL;
    say(fd, "{\"method\":\"long\"}\n");
    while (!kept)
        assert_true(turn());
    close(fd);
    while (gone_calls == 0)
        assert_true(turn());
    close(other);
    wait_for_connections(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(answers_come_in_the_order_of_the_requests),
        T(a_request_may_come_in_pieces_and_many_at_once),
        T(failures_say_what_is_wrong),
        T(what_is_no_request_ends_the_connection),
        T(a_request_has_a_ceiling),
        T(who_waits_for_an_answer_may_go),
        T(who_has_only_finished_talking_gets_the_answer),
        T(who_never_reads_is_dropped),
        T(the_socket_is_open_to_all_and_stale_ones_go),
        T(stopping_answers_those_who_wait),
        T(the_kernel_says_who_asks),
        T(hooks_that_wait_take_no_room_from_operators),
        T(a_few_descriptors_are_shared_out),
        T(a_user_has_one_request_in_a_turn),
        T(connections_of_a_user_take_turns),
        T(a_long_answer_shares_the_turns_of_its_user),
        T(operators_find_room_when_others_take_all_theirs),
    };
    signal(SIGPIPE, SIG_IGN); // as burstd does
    return cmocka_run_group_tests(tests, NULL, NULL);
}
