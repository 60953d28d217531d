// SPDX-License-Identifier: GPL-3.0-or-later
// What is read of the journal off the loop: what was committed when it was asked for, by users in
// turns, and no longer than it may take.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "libburst/json.h"
#include "state/reader.h"
#include "state/store.h"

static char dir[] = "/tmp/burst-reader-XXXXXX";
static char path[64];
static uv_loop_t loop;
static struct store *store;
static struct reader *reader;
static char order[64]; // of what was answered, and of what was dropped in brackets

static int setup(void **state)
{
    burst_error_t err;

    memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/journal.db", dir);
    order[0] = '\0';
    uv_loop_init(&loop);
    store = store_open(path, &err);
    reader = store ? reader_create(&loop, path, &err) : NULL;
    return reader ? 0 : -1;
}

static int teardown(void **state)
{
    const char *tails[] = {"", "-wal", "-shm"};
    char name[80];

    reader_destroy(reader);
    uv_run(&loop, UV_RUN_DEFAULT);
    store_close(store);
    for (size_t k = 0; k < 3; k++) {
        snprintf(name, sizeof(name), "%s%s", path, tails[k]);
        unlink(name);
    }
    return rmdir(dir) < 0 || uv_loop_close(&loop) < 0;
}

static void charge(const char *job, const char *user, int64_t from, int64_t to, money_t amount)
{
    burst_error_t err;
    struct charge c = {.instance = "demo-1",
                       .job = job,
                       .cloud = "aws",
                       .partition = "aws",
                       .user = user,
                       .account = "",
                       .kind = "busy",
                       .from = from,
                       .to = to,
                       .amount = amount};

    assert_int_equal(store_put_charge(store, &c, &err), 0);
}

// ---- questions

struct ask {
    const char *name;
    struct cost_query q;
    cJSON *rows;
    char error[128];
};

static void read_cost(struct store *view, void *arg)
{
    struct ask *a = arg;

    a->rows = store_cost_rows(view, &a->q);
}

static void done(void *arg, const char *error)
{
    struct ask *a = arg;

    snprintf(a->error, sizeof(a->error), "%s", error ? error : "");
    strcat(order, a->name);
}

static void drop(void *arg)
{
    struct ask *a = arg;

    snprintf(order + strlen(order), sizeof(order) - strlen(order), "[%s]", a->name);
}

static const struct reader_ops ops = {read_cost, done, drop};

static struct ask an_ask(const char *name)
{
    return (struct ask){.name = name,
                        .q = {.by = "user", .end = INT64_C(1) << 40, .until = INT64_MAX}};
}

static money_t total(struct ask *a, const char *key, const char *what)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, a->rows)
    {
        if (strcmp(json_str(row, "key", ""), key) == 0)
            return json_i64(row, what, -1);
    }
    return -1;
}

// ---- tests

static void what_was_committed_is_read_and_nothing_else(void **state)
{
    struct ask a = an_ask("a"), later = an_ask("b");
    burst_error_t err;

    charge("7", "alice", 100, 110, 10);
    a.q.until = store_charges_until(store);
    charge("7", "alice", 110, 120, 100); // after the question, before it is read
    assert_int_equal(store_begin(store, &err), 0);
    charge("7", "alice", 120, 130, 1000);
    reader_ask(reader, 1, &ops, &a);
    reader_ask(reader, 1, &ops, &later);
    uv_run(&loop, UV_RUN_DEFAULT); // in the middle of a transaction that goes on
    assert_int_equal(total(&a, "alice", "total_uusd"), 10);
    assert_int_equal(total(&later, "alice", "total_uusd"), 110);
    assert_int_equal(store_commit(store, &err), 0);
    cJSON_Delete(a.rows);
    reader_ask(reader, 1, &ops, &a);
    cJSON_Delete(later.rows);
    reader_ask(reader, 1, &ops, &later);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(total(&a, "alice", "total_uusd"), 10);
    assert_int_equal(total(&later, "alice", "total_uusd"), 1110);
    cJSON_Delete(a.rows);
    cJSON_Delete(later.rows);
}

static void what_runs_counts_beside_the_journal(void **state)
{
    const struct charge more[] = {
        {"demo-1", "7", "aws", "aws", "alice", "", false, "busy", 110, 125, 15},
        {"demo-2", "", "aws", "aws", "", "", true, "boot", 100, 130, 30},
        {"demo-3", "9", "gcp", "gcp", "bob", "", true, "busy", 10, 20, 10}, // before the start
    };
    struct ask a = an_ask("a");

    charge("7", "alice", 100, 110, 10);
    a.q.start = 90;
    a.q.until = INT64_MAX;
    a.q.more = more;
    a.q.n_more = 3;
    for (int k = 0; k < 2; k++) { // and does not stay there
        reader_ask(reader, 1, &ops, &a);
        uv_run(&loop, UV_RUN_DEFAULT);
        assert_int_equal(total(&a, "alice", "total_uusd"), 25);
        assert_int_equal(total(&a, "alice", "nodes"), 1); // the same one
        assert_int_equal(total(&a, "alice", "seconds"), 25);
        assert_int_equal(total(&a, "", "overhead_uusd"), 30);
        assert_int_equal(total(&a, "bob", "total_uusd"), -1);
        cJSON_Delete(a.rows);
    }
    a.q.user = "alice";
    reader_ask(reader, 1, &ops, &a);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(cJSON_GetArraySize(a.rows), 1);
    cJSON_Delete(a.rows);
}

static void users_take_turns(void **state)
{
    struct ask a[] = {an_ask("a"), an_ask("b"), an_ask("c"), an_ask("X"), an_ask("Y"), an_ask("1")};
    const uint32_t uid[] = {1, 1, 1, 2, 2, 3};

    for (int k = 0; k < 6; k++)
        reader_ask(reader, uid[k], &ops, &a[k]);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(order, "aX1bYc");
    for (int k = 0; k < 6; k++)
        cJSON_Delete(a[k].rows);
}

static void who_has_gone_is_not_answered(void **state)
{
    struct ask a = an_ask("a"), w = an_ask("b"), c = an_ask("c");

    struct question *first = reader_ask(reader, 1, &ops, &a);
    struct question *second = reader_ask(reader, 1, &ops, &w);
    reader_ask(reader, 1, &ops, &c);
    reader_cancel(second); // was not begun
    assert_string_equal(order, "[b]");
    reader_cancel(first);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(order, "[b][a]c");
    cJSON_Delete(a.rows);
    cJSON_Delete(c.rows);
}

static void what_takes_too_long_is_not_all(void **state)
{
    struct ask a = an_ask("a");
    burst_error_t err;

    assert_int_equal(store_begin(store, &err), 0);
    for (int k = 0; k < 3000; k++)
        charge("7", "alice", 100, 110, 10);
    assert_int_equal(store_commit(store, &err), 0);
    reader_set_limit_ms(reader, 0);
    reader_ask(reader, 1, &ops, &a);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_null(a.rows);
    assert_non_null(strstr(a.error, "in time"));
    reader_set_limit_ms(reader, 100000);
    reader_ask(reader, 1, &ops, &a);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(a.error, "");
    assert_int_equal(total(&a, "alice", "total_uusd"), 30000);
    cJSON_Delete(a.rows);
}

static void its_end_drops_what_was_asked(void **state)
{
    struct ask a = an_ask("a"), w = an_ask("b");

    reader_ask(reader, 1, &ops, &a);
    reader_ask(reader, 1, &ops, &w);
    reader_destroy(reader);
    reader = NULL;
    assert_string_equal(order, "[b]");
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(order, "[b][a]");
    cJSON_Delete(a.rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(what_was_committed_is_read_and_nothing_else),
        T(what_runs_counts_beside_the_journal),
        T(users_take_turns),
        T(who_has_gone_is_not_answered),
        T(what_takes_too_long_is_not_all),
        T(its_end_drops_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
