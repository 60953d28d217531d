// SPDX-License-Identifier: GPL-3.0-or-later
// The journal: what is written is there after a crash, what failed is not there at all.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "libburst/json.h"
#include "state/store.h"

static char dir[] = "/tmp/burst-store-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
    memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/journal.db", dir);
    return 0;
}

static int remove_dir(void **state)
{
    const char *tails[] = {"", "-wal", "-shm", "-journal"};
    char name[80];

    for (size_t k = 0; k < 4; k++) {
        snprintf(name, sizeof(name), "%s%s", path, tails[k]);
        unlink(name);
    }
    return rmdir(dir);
}

static struct instance an_instance(const char *id)
{
    struct instance i;

    memset(&i, 0, sizeof(i));
    snprintf(i.id, sizeof(i.id), "%s", id);
    snprintf(i.group, sizeof(i.group), "demo-1");
    snprintf(i.cloud, sizeof(i.cloud), "aws");
    i.spot = true;
    i.price = 1234567;
    i.state = INST_LAUNCHED;
    i.launched = 1000;
    i.served = 4294967293u;
    return i;
}

static struct bjob a_job(const char *key)
{
    struct bjob j;

    memset(&j, 0, sizeof(j));
    snprintf(j.key, sizeof(j.key), "%s", key);
    snprintf(j.user, sizeof(j.user), "alice");
    j.mark = "burst:1 eligible part=it's%20\"quoted\"";
    j.node_names = j.history = j.stage = "";
    j.job_id = 130;
    j.uid = 4294967294u;
    j.state = JOB_SECURING;
    return j;
}

struct seen {
    struct instance *i;
    struct bjob *j;
    int n_instances, n_jobs;
};

static void see_instance(void *arg, struct instance *i)
{
    struct seen *s = arg;

    free(s->i);
    s->i = i;
    s->n_instances++;
}

static void see_job(void *arg, struct bjob *j)
{
    struct seen *s = arg;

    bjob_destroy(s->j);
    s->j = j;
    s->n_jobs++;
}

static void comes_back_after_a_kill(void **state)
{
    burst_error_t err;
    struct seen seen;
    int status;

    memset(&seen, 0, sizeof(seen));
    pid_t pid = fork();
    if (pid == 0) { // a daemon that dies at once after its writes
        struct store *s = store_open(path, &err);
        struct instance i = an_instance("demo-1-0");
        struct bjob j = a_job("12_3");
        if (!s || store_put_instance(s, &i, &err) < 0 || store_put_job(s, &j, &err) < 0 ||
            store_begin(s, &err) < 0)
            _exit(1);
        i.state = INST_UP; // in a transaction that is never committed
        store_put_instance(s, &i, &err);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    struct store *s = store_open(path, &err);
    assert_non_null(s);
    assert_int_equal(store_load(s, see_instance, see_job, &seen, &err), 0);
    assert_int_equal(seen.n_instances, 1);
    assert_int_equal(seen.n_jobs, 1);
    assert_int_equal(seen.i->state, INST_LAUNCHED);
    assert_int_equal(seen.i->price, 1234567);
    assert_true(seen.i->spot);
    assert_string_equal(seen.i->group, "demo-1");
    assert_int_equal(seen.i->served, 4294967293u);
    assert_int_equal(seen.j->uid, 4294967294u);
    assert_string_equal(seen.j->mark, "burst:1 eligible part=it's%20\"quoted\"");
    assert_int_equal(seen.j->state, JOB_SECURING);
    free(seen.i);
    bjob_destroy(seen.j);
    store_close(s);
}

static void one_daemon_at_a_time(void **state)
{
    burst_error_t err;
    int status, opened[2];
    char c;

    assert_int_equal(pipe(opened), 0);
    pid_t pid = fork(); // before, as SQLite remembers in a process what it has locked
    if (pid == 0) {
        close(opened[1]);
        if (read(opened[0], &c, 1) != 0)
            _exit(2);
        struct store *second = store_open(path, &err);
        _exit(!second && strstr(err.text, "another burstd") ? 0 : 1);
    }
    close(opened[0]);
    struct store *s = store_open(path, &err);
    assert_non_null(s);
    struct store *view = store_open_view(path, &err);
    assert_non_null(view);
    store_close(view); // does not let go of the lock
    close(opened[1]);
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    store_close(s);
}

static void what_is_over_is_not_loaded_but_found(void **state)
{
    burst_error_t err;
    struct seen seen;
    struct store *s = store_open(path, &err);
    struct instance i = an_instance("demo-1-0");
    struct bjob j = a_job("12_3");

    memset(&seen, 0, sizeof(seen));
    i.state = INST_GONE;
    j.state = JOB_DONE;
    assert_int_equal(store_put_instance(s, &i, &err), 0);
    assert_int_equal(store_put_job(s, &j, &err), 0);
    assert_int_equal(store_load(s, see_instance, see_job, &seen, &err), 0);
    assert_int_equal(seen.n_instances + seen.n_jobs, 0);
    struct bjob *found = store_find_job(s, "12_3");
    assert_non_null(found);
    bjob_destroy(found);
    found = store_find_job(s, "130"); // the id that the task got when it started
    assert_non_null(found);
    assert_string_equal(found->key, "12_3");
    bjob_destroy(found);
    assert_null(store_find_job(s, "13"));
    assert_null(store_find_job(s, "1 OR 1=1"));
    struct instance *old = store_find_instance(s, "demo-1-0");
    assert_non_null(old);
    assert_int_equal(old->price, 1234567);
    free(old);
    store_close(s);
}

static void charge(struct store *s, const char *inst, const char *job, const char *cloud,
                   const char *kind, int64_t from, int64_t to, money_t amount)
{
    struct charge c = {inst, job,  cloud, cloud, job[0] ? "alice" : "", "", true,
                       kind, from, to,    amount};
    burst_error_t err;

    assert_int_equal(store_put_charge(s, &c, &err), 0);
}

static int64_t cell(const cJSON *rows, int row, const char *key)
{
    return json_i64(cJSON_GetArrayItem(rows, row), key, -1);
}

// The sums for the caps are kept; what they are asked for between charges must make no difference.
static void sums_for_the_caps_follow_each_charge(void **state)
{
    burst_error_t err;
    struct store *s = store_open(path, &err);

    charge(s, "a", "", "aws", "busy", 0, 10, 1);
    assert_int_equal(store_spend_since(s, 10, NULL), 0); // it ended then
    charge(s, "a", "", "aws", "busy", 0, 10, 2);         // so did this
    charge(s, "", "7", "aws", "transfer", 10, 10, 4);
    charge(s, "a", "", "aws", "busy", 5, 11, 8);
    charge(s, "b", "", "gcp", "busy", 20, 30, 16);
    assert_int_equal(store_spend_since(s, 10, "aws"), 12);
    assert_int_equal(store_spend_since(s, 10, "gcp"), 16);
    assert_int_equal(store_spend_since(s, 10, "azure"), 0);
    assert_int_equal(store_spend_since(s, 10, NULL), 28);
    assert_int_equal(store_begin(s, &err), 0);
    charge(s, "b", "", "gcp", "busy", 30, 40, 100);
    assert_int_equal(store_spend_since(s, 10, "gcp"), 116);
    store_rollback(s);
    assert_int_equal(store_spend_since(s, 10, "gcp"), 16);
    assert_int_equal(store_spend_since(s, 10, NULL), 28);
    assert_int_equal(store_spend_since(s, 0, NULL), 31); // another day
    charge(s, "b", "", "gcp", "adjust", 40, 40, -6);
    assert_int_equal(store_spend_since(s, 0, NULL), 25);
    for (int k = 0; k < 100; k++) { // more clouds than sums are kept for
        char cloud[8];
        snprintf(cloud, sizeof(cloud), "c%d", k);
        charge(s, "c", "", cloud, "busy", 40, 50, 1);
        assert_int_equal(store_spend_since(s, 0, NULL), 26 + k);
    }
    assert_int_equal(store_spend_since(s, 0, "c99"), 1);
    assert_int_equal(store_spend_since(s, 0, "gcp"), 10);
    store_close(s);
}

static void charges_add_up_by_key(void **state)
{
    burst_error_t err;
    struct store *s = store_open(path, &err);

    charge(s, "a", "", "aws", "boot", 0, 10, 5);
    charge(s, "a", "7", "aws", "busy", 10, 40, 100);
    charge(s, "b", "7", "aws", "busy", 10, 40, 200);
    charge(s, "c", "8", "gcp", "busy", 0, 5, 1);
    charge(s, "", "8", "gcp", "transfer", 5, 5, 70);
    charge(s, "a", "", "aws", "adjust", 40, 40, -2);
    assert_int_equal(store_job_cost(s, "7", 0), 300);
    assert_int_equal(store_instance_cost(s, "a"), 103);
    assert_int_equal(store_spend_since(s, 0, NULL), 374);
    assert_int_equal(store_spend_since(s, 0, "gcp"), 71);
    assert_int_equal(store_spend_since(s, 39, NULL), 298);
    assert_int_equal(store_spend_since(s, 40, NULL), -2); // what ended then was before
    assert_int_equal(store_spend_since(s, 0, "azure"), 0);
    cJSON *rows = store_cost(s, "cloud", 0, 100, NULL);
    assert_int_equal(cJSON_GetArraySize(rows), 2);
    assert_string_equal(json_str(cJSON_GetArrayItem(rows, 0), "key", ""), "aws"); // dearest first
    assert_int_equal(cell(rows, 0, "busy_uusd"), 300);
    assert_int_equal(cell(rows, 0, "overhead_uusd"), 3);
    assert_int_equal(cell(rows, 0, "total_uusd"), 303);
    assert_int_equal(cell(rows, 0, "seconds"), 70);
    assert_int_equal(cell(rows, 1, "transfer_uusd"), 70);
    assert_int_equal(cell(rows, 1, "nodes"), 1); // a transfer is no node
    cJSON_Delete(rows);
    rows = store_cost(s, "cloud", 40, 100, NULL);
    assert_int_equal(cJSON_GetArraySize(rows), 1);
    assert_int_equal(cell(rows, 0, "total_uusd"), -2);
    cJSON_Delete(rows);
    rows = store_cost(s, "job", 0, 100, "alice"); // a user sees his own only
    assert_int_equal(cJSON_GetArraySize(rows), 2);
    cJSON_Delete(rows);
    rows = store_cost(s, "job", 0, 100, "bob");
    assert_int_equal(cJSON_GetArraySize(rows), 0);
    cJSON_Delete(rows);
    assert_null(store_cost(s, "uusd; DROP TABLE charge", 0, 100, NULL));
    store_close(s);
}

static void old_stories_go_and_charges_stay(void **state)
{
    burst_error_t err;
    struct store *s = store_open(path, &err);
    struct instance i = an_instance("demo-1-0");
    struct bjob j = a_job("7"), live = a_job("8");

    i.state = INST_GONE;
    i.since = j.since = live.since = 1000;
    j.state = JOB_DONE;
    assert_int_equal(store_put_instance(s, &i, &err), 0);
    assert_int_equal(store_put_job(s, &j, &err), 0);
    assert_int_equal(store_put_job(s, &live, &err), 0);
    charge(s, "demo-1-0", "7", "aws", "busy", 900, 1000, 42);
    store_prune(s, 1000); // not older than that
    free(store_find_instance(s, "demo-1-0"));
    struct bjob *found = store_find_job(s, "7");
    assert_non_null(found);
    bjob_destroy(found);
    store_prune(s, 1001);
    assert_null(store_find_instance(s, "demo-1-0"));
    assert_null(store_find_job(s, "7"));
    found = store_find_job(s, "8"); // under way, however old
    assert_non_null(found);
    bjob_destroy(found);
    assert_int_equal(store_job_cost(s, "7", 0), 42);
    store_close(s);
}

// Steps of SQLite's machine, in hundreds, that a call makes it take.
static unsigned hundreds;

static int count_hundred(void *arg)
{
    hundreds++;
    return 0;
}

static int see_connection(sqlite3 *db, const char **error, const struct sqlite3_api_routines *api)
{
    sqlite3_progress_handler(db, 100, count_hundred, NULL);
    return SQLITE_OK;
}

static void fill(struct store *s, unsigned rows)
{
    burst_error_t err;

    assert_int_equal(store_begin(s, &err), 0);
    for (unsigned k = 0; k < rows; k++) {
        struct instance i = an_instance("");
        struct bjob j = a_job("");
        snprintf(i.id, sizeof(i.id), "demo-%u", k);
        snprintf(j.key, sizeof(j.key), "%u", k);
        i.state = INST_GONE;
        j.state = JOB_DONE;
        i.since = j.since = 2000 + k;
        assert_int_equal(store_put_instance(s, &i, &err), 0);
        assert_int_equal(store_put_job(s, &j, &err), 0);
        assert_int_equal(store_add_event(s, j.key, "it ended"), 0);
    }
    assert_int_equal(store_commit(s, &err), 0);
}

// The loop of burstd forgets and shows what ended: neither may read the whole journal for it.
static void the_size_of_the_journal_costs_nothing(void **state)
{
    burst_error_t err;
    unsigned prune[2], recent[2];

    sqlite3_auto_extension((void (*)(void))see_connection);
    struct store *s = store_open(path, &err);
    assert_non_null(s);
    for (unsigned k = 0; k < 2; k++) {
        struct seen seen = {0};
        fill(s, k ? 8000 : 1000);
        hundreds = 0;
        store_prune(s, 1000); // none is so old
        prune[k] = hundreds;
        hundreds = 0;
        assert_int_equal(store_recent(s, 20, see_instance, see_job, &seen), 0);
        recent[k] = hundreds;
        assert_int_equal(seen.n_jobs, 20);
        assert_string_equal(seen.j->key, k ? "7980" : "980"); // the last one shown
        free(seen.i);
        bjob_destroy(seen.j);
    }
    sqlite3_cancel_auto_extension((void (*)(void))see_connection);
    assert_in_range(prune[1], 0, prune[0] + 5);
    assert_in_range(recent[1], 0, recent[0] + 5);
    // All that is old goes, a part with each call.
    for (unsigned k = 0; k < 200; k++)
        store_prune(s, 100000);
    assert_null(store_find_job(s, "0"));
    assert_null(store_find_job(s, "7999"));
    assert_null(store_find_instance(s, "demo-7999"));
    store_close(s);
}

static void refuses_what_it_cannot_read(void **state)
{
    burst_error_t err;
    FILE *f = fopen(path, "w");
    sqlite3 *db;

    fputs("this is no database, and long enough that it cannot pass for an empty one.........."
          "..............................................................................",
          f);
    fclose(f);
    assert_null(store_open(path, &err));
    assert_non_null(strstr(err.text, "is damaged"));
    assert_null(strstr(err.text, "another burstd"));
    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
    sqlite3_close(db);
    assert_null(store_open(path, &err));
    assert_non_null(strstr(err.text, "newer burstd"));
}

// Each page in turn is overwritten in part: whatever it held, the start ends with a sentence, or
// nothing that anybody reads was hit.
static void a_damaged_page_is_found_at_the_start(void **state)
{
    char nonsense[512];
    burst_error_t err;
    struct store *s = store_open(path, &err);
    unsigned found = 0, pages;

    assert_non_null(s);
    for (int k = 0; k < 2000; k++)
        assert_int_equal(store_add_event(s, "7", "a sentence about the job"), 0);
    store_close(s);
    FILE *f = fopen(path, "r+");
    fseek(f, 0, SEEK_END);
    pages = (unsigned)(ftell(f) / 4096);
    assert_in_range(pages, 10, 1000); // not in a file beside it
    memset(nonsense, 0xa5, sizeof(nonsense));
    for (unsigned k = 1; k < pages; k++) {
        char good[sizeof(nonsense)];
        fseek(f, 4096L * k, SEEK_SET);
        assert_int_equal(fread(good, 1, sizeof(good), f), sizeof(good));
        fseek(f, 4096L * k, SEEK_SET);
        fwrite(nonsense, 1, sizeof(nonsense), f);
        fflush(f);
        s = store_open(path, &err);
        found += !s;
        if (!s)
            assert_non_null(strstr(err.text, "is damaged"));
        store_close(s);
        fseek(f, 4096L * k, SEEK_SET);
        fwrite(good, 1, sizeof(good), f);
        fflush(f);
    }
    fclose(f);
    assert_in_range(found, pages * 9 / 10, pages);
    s = store_open(path, &err);
    assert_non_null(s);
    assert_false(store_fresh(s));
    store_close(s);
}

// Columns that came later get their neutral value.
static void an_older_journal_is_gone_on_with(void **state)
{
    burst_error_t err;
    struct seen seen;
    sqlite3 *db;

    memset(&seen, 0, sizeof(seen));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TABLE job (key TEXT NOT NULL PRIMARY KEY,"
                                  " state TEXT NOT NULL, transfer INTEGER NOT NULL);"
                                  "INSERT INTO job VALUES ('7', 'running', 42);"
                                  "PRAGMA user_version = 1",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    for (int k = 0; k < 2; k++) { // the second time they are there
        struct store *s = store_open(path, &err);
        assert_non_null(s);
        assert_int_equal(store_load(s, see_instance, see_job, &seen, &err), 0);
        assert_int_equal(seen.n_jobs, k + 1);
        assert_int_equal(seen.j->state, JOB_RUNNING);
        assert_int_equal(seen.j->transfer, 42);
        assert_int_equal(seen.j->started, 0);
        assert_string_equal(seen.j->mark, "");
        assert_int_equal(store_put_job(s, seen.j, &err), 0);
        store_close(s);
    }
    bjob_destroy(seen.j);
}

struct places {
    int n;
    char text[64];
};

static void see_place(void *arg, const cJSON *row)
{
    struct places *p = arg;

    p->n++;
    snprintf(p->text, sizeof(p->text), "%s", json_str(row, "reason", "none"));
}

static void observed_places_are_kept_by_key(void **state)
{
    struct places seen = {0};
    burst_error_t err;
    struct store *s = store_open(path, &err);
    cJSON *row = cJSON_CreateObject();

    json_add_str(row, "reason", "it's \"full\"");
    assert_int_equal(store_put_observed(s, "aws a", row, &err), 0);
    assert_int_equal(store_put_observed(s,
                                        "aws\x1f"
                                        "b",
                                        row, &err),
                     0);
    assert_int_equal(store_put_observed(s, "aws a", row, &err), 0);
    assert_int_equal(store_put_observed(s,
                                        "aws\x1f"
                                        "b",
                                        NULL, &err),
                     0);
    assert_int_equal(store_put_observed(s, "never there", NULL, &err), 0);
    store_close(s);
    cJSON_Delete(row);
    s = store_open(path, &err);
    assert_int_equal(store_load_observed(s, see_place, &seen, &err), 0);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.text, "it's \"full\"");
    store_close(s);
}

static bool has_table(sqlite3 *db, const char *name)
{
    return sqlite3_table_column_metadata(db, NULL, name, NULL, NULL, NULL, NULL, NULL, NULL) ==
           SQLITE_OK;
}

// What an older burstd called blocked is gone; what cannot be read of the new table is handed over
// as such.
static void the_table_of_blocked_places_goes(void **state)
{
    struct places seen = {0};
    burst_error_t err;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TABLE blocked (cloud TEXT, until INTEGER);"
                                  "INSERT INTO blocked VALUES ('aws', 5);"
                                  "CREATE TABLE observed (place TEXT PRIMARY KEY, row TEXT);"
                                  "INSERT INTO observed VALUES ('x', '{no JSON')",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_true(has_table(db, "blocked"));
    sqlite3_close(db);
    struct store *s = store_open(path, &err);
    assert_non_null(s);
    assert_int_equal(store_load_observed(s, see_place, &seen, &err), 0);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.text, "none");
    store_close(s);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_false(has_table(db, "blocked"));
    sqlite3_close(db);
}

// Going on without it would leave a rented instance to nobody.
static void a_state_that_is_not_known_stops_the_start(void **state)
{
    struct seen seen = {0};
    burst_error_t err;
    struct store *s = store_open(path, &err);
    struct instance i = an_instance("demo-1-0"), k = an_instance("demo-1-1");
    sqlite3 *db;

    assert_int_equal(store_put_instance(s, &i, &err), 0);
    assert_int_equal(store_put_instance(s, &k, &err), 0);
    store_close(s);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "UPDATE instance SET state = 'dreaming' WHERE id = 'demo-1-1'", NULL, NULL,
                 NULL);
    sqlite3_close(db);
    s = store_open(path, &err);
    assert_int_equal(store_load(s, see_instance, see_job, &seen, &err), -1);
    assert_non_null(strstr(err.text, "instance demo-1-1 is in a state"));
    assert_null(store_find_instance(s, "demo-1-1"));
    free(seen.i);
    seen.i = store_find_instance(s, "demo-1-0");
    assert_non_null(seen.i);
    free(seen.i);
    store_close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(comes_back_after_a_kill),
        TEST(one_daemon_at_a_time),
        TEST(what_is_over_is_not_loaded_but_found),
        TEST(sums_for_the_caps_follow_each_charge),
        TEST(charges_add_up_by_key),
        TEST(old_stories_go_and_charges_stay),
        TEST(the_size_of_the_journal_costs_nothing),
        TEST(refuses_what_it_cannot_read),
        TEST(a_damaged_page_is_found_at_the_start),
        TEST(an_older_journal_is_gone_on_with),
        TEST(observed_places_are_kept_by_key),
        TEST(the_table_of_blocked_places_goes),
        TEST(a_state_that_is_not_known_stops_the_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
