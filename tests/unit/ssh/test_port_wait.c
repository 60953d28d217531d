// SPDX-License-Identifier: GPL-3.0-or-later
// Waiting for a port on the loop, on real sockets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "ssh/port_wait.h"

static uv_loop_t loop;
static unsigned told;
static bool was_open;
static char said[128];

static void done(void *arg, bool open, const char *why)
{
    assert_ptr_equal(arg, &loop);
    told++;
    was_open = open;
    snprintf(said, sizeof(said), "%s", why);
}

static int setup(void **state)
{
    told = 0;
    was_open = false;
    said[0] = '\0';
    return uv_loop_init(&loop);
}

static int teardown(void **state)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop); // fails when a handle was forgotten
}

// A bound socket that does not listen: its port refuses, and is nobody else's.
static int bound(int family, int *port)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = family == AF_INET ? sizeof(a4) : sizeof(a6);

    if (bind(fd, family == AF_INET ? (struct sockaddr *)&a4 : (struct sockaddr *)&a6, len) < 0) {
        close(fd);
        return -1;
    }
    getsockname(fd, family == AF_INET ? (struct sockaddr *)&a4 : (struct sockaddr *)&a6, &len);
    *port = ntohs(family == AF_INET ? a4.sin_port : a6.sin6_port);
    return fd;
}

static void until_told(void)
{
    while (told == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(told, 1);
}

static void an_open_port_is_told_once_and_later(void **state)
{
    int port, fd = bound(AF_INET, &port);

    assert_int_equal(listen(fd, 5), 0);
    port_wait_start(&loop, "127.0.0.1", port, 1000, done, &loop);
    assert_int_equal(told, 0); // never from inside
    until_told();
    assert_true(was_open);
    assert_string_equal(said, "");
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(told, 1);
    close(fd);
    fd = bound(AF_INET6, &port);
    if (fd < 0)
        return; // no IPv6 here
    assert_int_equal(listen(fd, 5), 0);
    told = 0;
    port_wait_start(&loop, "::1", port, 1000, done, &loop);
    until_told();
    assert_true(was_open);
    close(fd);
}

static int listens_later;

static void on_later(uv_timer_t *t)
{
    assert_int_equal(told, 0);
    assert_int_equal(listen(listens_later, 5), 0);
    uv_close((uv_handle_t *)t, NULL);
}

static void one_that_opens_later_is_waited_for(void **state)
{
    uv_timer_t later;
    int port;

    listens_later = bound(AF_INET, &port);
    port_wait_start(&loop, "127.0.0.1", port, 60000, done, &loop);
    uv_timer_init(&loop, &later);
    uv_timer_start(&later, on_later, 50, 0);
    until_told();
    assert_true(was_open);
    close(listens_later);
}

static void one_that_stays_closed_says_why(void **state)
{
    int port, fd = bound(AF_INET, &port);

    port_wait_start(&loop, "127.0.0.1", port, 0, done, &loop);
    until_told();
    assert_false(was_open);
    assert_string_equal(said, "connection refused");
    close(fd);
}

static void a_name_is_left_to_who_connects(void **state)
{
    port_wait_start(&loop, "node.example", 22, 1000, done, &loop);
    until_told();
    assert_true(was_open);
}

static void who_cancels_hears_nothing(void **state)
{
    int port, fd = bound(AF_INET, &port);

    port_wait_cancel(NULL);
    port_wait_cancel(port_wait_start(&loop, "127.0.0.1", port, 1000, done, &loop));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(listen(fd, 5), 0);
    struct port_wait *w = port_wait_start(&loop, "127.0.0.1", port, 1000, done, &loop);
    uv_run(&loop, UV_RUN_NOWAIT); // its first try is under way
    if (told == 0) {
        port_wait_cancel(w);
        uv_run(&loop, UV_RUN_DEFAULT);
        assert_int_equal(told, 0);
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(an_open_port_is_told_once_and_later), T(one_that_opens_later_is_waited_for),
        T(one_that_stays_closed_says_why),      T(a_name_is_left_to_who_connects),
        T(who_cancels_hears_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
