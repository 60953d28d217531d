// SPDX-License-Identifier: GPL-3.0-or-later
// What people ask, over the socket: long lists leave others their turns, what is read of the
// journal and what runs add up, whoever goes before his answer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/burstd.h"
#include "base/conf.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/ledger.h"
#include "rpc/api.h"
#include "rpc/rpc_server.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/reader.h"
#include "state/store.h"

#define MANY 5000

static uv_loop_t loop;
static uv_timer_t tick, bound;
static bool out_of_time;
static char dir[32], socket_path[64], journal[64];
static struct burst_conf conf;
static struct burstd b;

static void on_tick(uv_timer_t *t)
{
}

static void on_bound(uv_timer_t *t)
{
    out_of_time = true;
}

static bool turn(void)
{
    uv_run(&loop, UV_RUN_ONCE);
    return !out_of_time;
}

static int setup(void **state)
{
    burst_error_t err;

    out_of_time = false;
    snprintf(dir, sizeof(dir), "/tmp/burst-api-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(socket_path, sizeof(socket_path), "%s/burstd.sock", dir);
    snprintf(journal, sizeof(journal), "%s/journal.db", dir);
    uv_loop_init(&loop);
    uv_timer_init(&loop, &tick);
    uv_timer_start(&tick, on_tick, 5, 5);
    uv_timer_init(&loop, &bound);
    uv_timer_start(&bound, on_bound, 60000, 0);
    memset(&b, 0, sizeof(b));
    memset(&conf, 0, sizeof(conf));
    conf.slurm_user = (char *)"no-such-user";
    conf.cluster = (char *)"demo";
    conf.run_dir = dir;
    b.conf = &conf;
    b.loop = &loop;
    b.instances = instances_create(&b);
    b.jobs = jobs_create(&b);
    b.store = store_open(journal, &err);
    b.reader = b.store ? reader_create(&loop, journal, &err) : NULL;
    return b.reader ? api_start(&b, &err) : -1;
}

static int teardown(void **state)
{
    const char *tails[] = {"", "-wal", "-shm"};
    char name[80];

    rpc_server_destroy(b.rpc);
    b.rpc = NULL;
    reader_destroy(b.reader);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_close((uv_handle_t *)&bound, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    instances_destroy(b.instances);
    jobs_destroy(b.jobs);
    store_close(b.store);
    for (size_t k = 0; k < 3; k++) {
        snprintf(name, sizeof(name), "%s%s", journal, tails[k]);
        unlink(name);
    }
    return rmdir(dir) < 0 || uv_loop_close(&loop) < 0;
}

static int client(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

// The next answer; the caller's.
static cJSON *hear(int fd)
{
    static char line[8 << 20];
    size_t n = 0;

    for (;;) {
        ssize_t r = recv(fd, line + n, sizeof(line) - n - 1, 0);
        if (r > 0)
            n += (size_t)r;
        if (n > 0 && line[n - 1] == '\n')
            return json_parse(line, n, NULL);
        if (r <= 0)
            assert_true((r < 0 && errno == EAGAIN) && turn());
    }
}

static const cJSON *result(const cJSON *answer)
{
    assert_true(json_bool(answer, "ok", false));
    return cJSON_GetObjectItemCaseSensitive(answer, "result");
}

static struct bjob *job(const char *key, uid_t uid)
{
    struct bjob *j = bjob_create();

    snprintf(j->key, sizeof(j->key), "%s", key);
    snprintf(j->user, sizeof(j->user), "alice");
    j->job_id = (uint32_t)strtoul(key, NULL, 10);
    j->uid = uid;
    bjob_set(&j->mark, "burst:1 eligible");
    return j;
}

static void add_many(void)
{
    for (int k = 0; k < MANY; k++) {
        char key[16];
        snprintf(key, sizeof(key), "%d", k + 1);
        jobs_add(b.jobs, job(key, getuid()));
    }
}

// ---- lists

static void a_long_list_is_whole_and_leaves_turns_to_others(void **state)
{
    int fd = client(), other = client();
    char c;

    add_many();
    say(fd, "{\"method\":\"jobs\"}\n");
    for (int k = 0; k < 3; k++)
        assert_true(turn());
    say(other, "{\"method\":\"ping\"}\n");
    cJSON *pong = hear(other);
    assert_int_equal(recv(fd, &c, 1, 0), -1); // not yet
    assert_string_equal(json_str(result(pong), "cluster", ""), "demo");
    // What is over meanwhile is left out.
    jobs_remove(b.jobs, jobs_find(b.jobs, "5000"));
    cJSON *list = hear(fd);
    assert_int_equal(cJSON_GetArraySize(result(list)), MANY - 1);
    const cJSON *last = cJSON_GetArrayItem(result(list), MANY - 2);
    assert_string_equal(json_str(last, "job", ""), "4999");
    cJSON_Delete(pong);
    cJSON_Delete(list);
    close(fd);
    close(other);
}

static void who_goes_in_the_middle_of_a_list_is_forgotten(void **state)
{
    int fd = client(), other = client();

    add_many();
    say(fd, "{\"method\":\"jobs\",\"params\":{\"all\":true}}\n");
    for (int k = 0; k < 3; k++)
        assert_true(turn());
    close(fd);
    while (rpc_server_connections(b.rpc) != 1)
        assert_true(turn());
    say(other, "{\"method\":\"ping\"}\n");
    cJSON_Delete(hear(other));
    close(other);
}

static void what_ended_comes_from_the_journal(void **state)
{
    burst_error_t err;
    struct bjob *old = job("7", getuid()), *live = job("8", getuid());
    int fd = client();

    old->state = JOB_DONE;
    assert_int_equal(store_put_job(b.store, old, &err), 0);
    assert_int_equal(store_put_job(b.store, live, &err), 0);
    store_add_event(b.store, "7", "it ended");
    bjob_destroy(old);
    jobs_add(b.jobs, live);
    static const struct {
        const char *ask;
        int n;
        const char *first;
    } lists[] = {
        {"{\"method\":\"jobs\"}\n", 1, "8"},
        {"{\"method\":\"jobs\",\"params\":{\"all\":true}}\n", 2, "8"},
        {"{\"method\":\"jobs\",\"params\":{\"job\":\"7\"}}\n", 1, "7"},
        {"{\"method\":\"jobs\",\"params\":{\"job\":\"8\"}}\n", 1, "8"},
        {"{\"method\":\"jobs\",\"params\":{\"job\":\"9\"}}\n", 0, ""},
    };
    for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
        say(fd, lists[k].ask);
        cJSON *a = hear(fd);
        assert_int_equal(cJSON_GetArraySize(result(a)), lists[k].n);
        assert_string_equal(json_str(cJSON_GetArrayItem(result(a), 0), "job", ""), lists[k].first);
        cJSON_Delete(a);
    }
    close(fd);
}

// ---- money

static void what_is_charged_while_it_is_summed_counts_once(void **state)
{
    struct instance *i = xmalloc(sizeof(*i));
    burst_error_t err;
    int fd = client();

    snprintf(i->id, sizeof(i->id), "i-0");
    snprintf(i->cloud, sizeof(i->cloud), "aws");
    i->price = 3600000; // 1000 a second
    i->state = INST_LAUNCHED;
    i->created = i->launched = i->charged_to = clock_now_s() - 1000000;
    instances_add(b.instances, i);
    if (getuid() != 0)
        skip(); // sees no overhead
    say(fd, "{\"method\":\"cost\"}\n");
    cJSON *a = hear(fd);
    money_t before = json_i64(result(a), "total_uusd", 0);
    assert_in_range(before, INT64_C(1000000000), INT64_C(1000100000));
    assert_int_equal(store_charges_until(b.store), 0); // asking writes nothing
    cJSON_Delete(a);
    // Charged between the question and its answer, again and again.
    say(fd, "{\"method\":\"cost\",\"params\":{\"by\":\"partition\"}}\n");
    for (int64_t at = i->charged_to + 1000; at < i->launched + 100000; at += 1000) {
        assert_int_equal(ledger_cut(&b, i, at, &err), 0);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    a = hear(fd);
    assert_in_range(json_i64(result(a), "total_uusd", 0), before, before + 100000);
    cJSON_Delete(a);
    say(fd, "{\"method\":\"cost\",\"params\":{\"by\":\"moon\"}}\n");
    a = hear(fd);
    assert_string_equal(json_str(a, "code", ""), "invalid");
    cJSON_Delete(a);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(a_long_list_is_whole_and_leaves_turns_to_others),
        T(who_goes_in_the_middle_of_a_list_is_forgotten),
        T(what_ended_comes_from_the_journal),
        T(what_is_charged_while_it_is_summed_counts_once),
    };
    signal(SIGPIPE, SIG_IGN); // as burstd does
    return cmocka_run_group_tests(tests, NULL, NULL);
}
