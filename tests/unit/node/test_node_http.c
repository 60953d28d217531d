// SPDX-License-Identifier: GPL-3.0-or-later
// Node reports: who may speak, how often, and that a munged that hangs stops nothing. The clients
// are threads of this process; munge's decoding and the table of instances are ours.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <munge.h>

#include "base/conf.h"
#include "node/node_http.h"
#include "node/preempt.h"
#include "state/instances.h"

static struct instance one; // at 127.0.0.1; nobody is at 127.0.0.2
static atomic_int decoded, in_decode, hang, notices, most_at_once;

struct instance *instances_first(struct instances *t)
{
    return &one;
}

struct instance *instances_find(struct instances *t, const char *id)
{
    return strcmp(id, one.id) == 0 ? &one : NULL;
}

bool instance_live(const struct instance *i)
{
    return i->state < INST_GONE;
}

void preempt_notice(struct burstd *b, struct instance *i, int64_t deadline)
{
    notices++;
}

munge_err_t munge_decode(const char *cred, munge_ctx_t ctx, void **buf, int *len, uid_t *uid,
                         gid_t *gid)
{
    int now = ++in_decode;

    if (now > most_at_once)
        most_at_once = now;
    while (hang)
        usleep(1000);
    in_decode--;
    decoded++;
    *buf = strdup(cred);
    *len = (int)strlen(cred);
    *uid = 0;
    return EMUNGE_SUCCESS;
}

const char *munge_strerror(munge_err_t e)
{
    return "";
}

static struct burstd b;
static struct burst_conf conf;
static char host[] = "127.0.0.1", listens[] = "127.0.0.1";

static int start(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    burst_error_t err;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&a, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        return -1;
    close(fd);
    conf.listen = listens;
    conf.listen_host = host;
    conf.listen_port = ntohs(a.sin_port);
    b.conf = &conf;
    b.loop = uv_default_loop();
    memset(&one, 0, sizeof(one));
    snprintf(one.id, sizeof(one.id), "i-1");
    snprintf(one.address, sizeof(one.address), "127.0.0.1");
    one.state = INST_BUSY;
    decoded = notices = hang = most_at_once = 0;
    b.node_http = node_http_create(&b, &err);
    return b.node_http ? 0 : -1;
}

static int stop(void **state)
{
    node_http_destroy(b.node_http);
    return uv_run(b.loop, UV_RUN_DEFAULT);
}

// A client: from an address, so many bytes of body announced, so many sent. The status it gets, 0 =
// the connection was closed without one.
struct client {
    const char *from, *body, *path;
    size_t announced;
    int status;
    atomic_int over;
    pthread_t thread;
};

static void *speak(void *arg)
{
    struct client *c = arg;
    struct sockaddr_in a = {.sin_family = AF_INET};
    char text[4096];
    struct timeval wait = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t n = 0;

    inet_pton(AF_INET, c->from, &a.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        a.sin_port = htons((uint16_t)conf.listen_port);
        int len = snprintf(text, sizeof(text),
                           "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                           "Content-Length: %zu\r\n\r\n%s",
                           c->path ? c->path : "/v1/node",
                           c->announced ? c->announced : strlen(c->body), c->body);
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
            send(fd, text, (size_t)len, MSG_NOSIGNAL) == len)
            for (ssize_t r;
                 n < sizeof(text) - 1 && (r = read(fd, text + n, sizeof(text) - 1 - n)) > 0;)
                n += (size_t)r;
    }
    text[n] = '\0';
    c->status = strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
    close(fd);
    c->over = 1;
    return NULL;
}

static void begin(struct client *c)
{
    c->over = 0;
    assert_int_equal(pthread_create(&c->thread, NULL, speak, c), 0);
}

static void wake(uv_timer_t *t)
{
}

// Runs the loop until a condition holds.
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        uv_timer_t t;                                                                              \
        uv_timer_init(b.loop, &t);                                                                 \
        uv_timer_start(&t, wake, 5, 5);                                                            \
        while (!(condition))                                                                       \
            uv_run(b.loop, UV_RUN_ONCE);                                                           \
        uv_close((uv_handle_t *)&t, NULL);                                                         \
        uv_run(b.loop, UV_RUN_NOWAIT);                                                             \
    } while (0)

static int status_of(struct client c)
{
    begin(&c);
    UNTIL(c.over);
    pthread_join(c.thread, NULL);
    return c.status;
}

#define ALIVE "{\"instance\":\"i-1\",\"event\":\"alive\"}"
#define NOTICE "{\"instance\":\"i-1\",\"event\":\"notice\",\"deadline\":99999999999}"

static void a_node_is_heard(void **state)
{
    assert_int_equal(status_of((struct client){.from = "127.0.0.1", .body = ALIVE}), 200);
    assert_int_equal(status_of((struct client){.from = "127.0.0.1", .body = NOTICE}), 200);
    assert_int_equal(notices, 1);
    assert_int_equal(
        status_of((struct client){.from = "127.0.0.1", .body = "{\"instance\":\"i-2\"}"}), 403);
    assert_int_equal(status_of((struct client){.from = "127.0.0.1", .body = "no JSON"}), 403);
    assert_int_equal(status_of((struct client){.from = "127.0.0.1", .body = ALIVE, .path = "/"}),
                     404);
}

// The answer comes although the body never does.
static void a_stranger_is_not_read(void **state)
{
    assert_int_equal(
        status_of((struct client){.from = "127.0.0.2", .body = "x", .announced = 5000}), 403);
    assert_int_equal(status_of((struct client){.from = "127.0.0.2", .body = ALIVE}), 403);
    one.state = INST_GONE; // nor one that was a node
    assert_int_equal(status_of((struct client){.from = "127.0.0.1", .body = ALIVE}), 403);
    assert_int_equal(decoded, 0);
}

static void a_node_that_says_too_much(void **state)
{
    int good = 0, later = 0;

    for (int k = 0; k < 40; k++) {
        int s = status_of((struct client){.from = "127.0.0.1", .body = ALIVE});
        good += s == 200;
        later += s == 429;
    }
    assert_int_equal(good + later, 40);
    assert_true(good >= 10 && later > 0);
    assert_int_equal(decoded, good);
}

// munged hangs: the loop goes on, strangers get their answers, and when munged comes back all do.
static void munged_hangs(void **state)
{
    struct client c[4] = {{NULL}};

    hang = 1;
    for (int k = 0; k < 4; k++) {
        c[k] = (struct client){.from = "127.0.0.1", .body = ALIVE};
        begin(&c[k]);
    }
    UNTIL(in_decode == 2);
    assert_int_equal(status_of((struct client){.from = "127.0.0.2", .body = ALIVE}), 403);
    // A fifth connection of one address is one too many.
    assert_int_equal(status_of((struct client){.from = "127.0.0.1", .body = ALIVE}), 0);
    hang = 0;
    for (int k = 0; k < 4; k++) {
        UNTIL(c[k].over);
        pthread_join(c[k].thread, NULL);
        assert_int_equal(c[k].status, 200);
    }
    assert_int_equal(most_at_once, 2);
}

// burstd stops while posts wait for munged.
static void an_end_in_the_middle(void **state)
{
    struct client c[3] = {{NULL}};

    hang = 1;
    for (int k = 0; k < 3; k++) {
        c[k] = (struct client){.from = "127.0.0.1", .body = ALIVE};
        begin(&c[k]);
    }
    UNTIL(in_decode == 2);
    node_http_destroy(b.node_http);
    b.node_http = NULL;
    hang = 0;
    uv_run(b.loop, UV_RUN_DEFAULT);
    for (int k = 0; k < 3; k++)
        pthread_join(c[k].thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_node_is_heard, start, stop),
        cmocka_unit_test_setup_teardown(a_stranger_is_not_read, start, stop),
        cmocka_unit_test_setup_teardown(a_node_that_says_too_much, start, stop),
        cmocka_unit_test_setup_teardown(munged_hangs, start, stop),
        cmocka_unit_test_setup_teardown(an_end_in_the_middle, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
