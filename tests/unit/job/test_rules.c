// SPDX-License-Identifier: GPL-3.0-or-later
// Who may use rented nodes: burst.yaml's eligibility against jobs as Slurm reports them, in cases
// that the plugin cannot decide.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "job/rules.h"

static struct burst_conf *conf_of(const char *section, const char *keys)
{
    struct burst_conf *c = NULL;
    struct conf_errors errs;
    char text[2048];

    snprintf(text, sizeof(text),
             "cluster: test\n"
             "munge_key: /m\n"
             "ssh: {key: /k, user: root}\n"
             "%s {%s}\n"
             "shapes:\n"
             "  - {name: small, cpus: 2, memory: 2000MiB, nodes: 4}\n"
             "clouds:\n"
             "  - {name: aws, provider: local, endpoint: 'http://127.0.0.1:1', credentials: /x}\n",
             section, keys);
    if (conf_parse("test.yaml", text, strlen(text), &c, &errs) < 0)
        fail_msg("%s", errs.text[0].text);
    return c;
}

static struct burst_conf *conf(const char *eligibility)
{
    return conf_of("eligibility:", eligibility);
}

static struct sjob job(const char *user, const char *account)
{
    struct sjob s;

    memset(&s, 0, sizeof(s));
    s.user = (char *)user;
    s.account = (char *)account;
    s.qos = (char *)"normal";
    s.partition = (char *)"main";
    s.uid = s.gid = 2001;
    s.num_nodes_min = 1;
    s.batch = true;
    s.time_limit_s = 3600;
    return s;
}

static char why[256];

static bool admits(const struct burst_conf *c, const struct sjob *s)
{
    why[0] = '\0';
    bool yes = rules_admit(c, s, s->partition, 0, 1000, why, sizeof(why));

    assert_int_equal(yes, !why[0]);
    return yes;
}

static bool user(const char *eligibility, const char *name)
{
    struct burst_conf *c = conf(eligibility);
    struct sjob s = job(name, "physics");
    bool yes = admits(c, &s);

    conf_free(c);
    return yes;
}

static bool account(const char *eligibility, const char *name)
{
    struct burst_conf *c = conf(eligibility);
    struct sjob s = job("alice", name);
    bool yes = admits(c, &s);

    conf_free(c);
    return yes;
}

static void users_by_patterns(void **state)
{
    assert_true(user("", "alice"));
    assert_true(user("deny_users: ['student*']", "alice"));
    assert_false(user("deny_users: ['student*']", "student7"));
    assert_string_equal(why, "this site does not let user student7 use rented nodes");
    assert_false(user("users: ['ml-*']", "alice"));
    assert_true(user("users: ['ml-*']", "ml-alice"));
    assert_false(user("users: ['ml-*'], deny_users: [ml-bob]", "ml-bob")); // this wins
    assert_false(user("users: []", "alice"));
    // Slurm does not know the name: nobody can say that it is not a student's.
    assert_true(user("", ""));
    assert_false(user("deny_users: ['student*']", ""));
    assert_false(user("users: ['ml-*']", ""));
}

// The account is the job's real one: the default where its user named none, or what an update made
// of it after the submission.
static void accounts_by_patterns(void **state)
{
    assert_true(account("", ""));
    assert_true(account("deny_accounts: [course]", "physics"));
    assert_false(account("deny_accounts: [course]", "course"));
    assert_string_equal(why, "this site does not let account course use rented nodes");
    assert_false(account("deny_accounts: ['course-*']", "course-17"));
    assert_false(account("accounts: ['ml*']", "physics"));
    assert_true(account("accounts: ['ml*']", "ml2"));
    assert_false(account("accounts: ['ml*']", ""));
}

static void the_rest_of_eligibility(void **state)
{
    struct burst_conf *c = conf("partitions: [main, 'gpu*'], max_nodes: 4, max_time: 2h");
    struct sjob s = job("alice", "");

    assert_true(admits(c, &s));
    s.partition = (char *)"debug";
    assert_false(admits(c, &s));
    s.partition = (char *)"debug,gpu2"; // alternatives
    assert_true(admits(c, &s));
    s.partition = (char *)"aws"; // let in by the plugin
    assert_true(admits(c, &s));
    s.partition = (char *)"main";
    s.num_nodes_min = 5;
    assert_false(admits(c, &s));
    s.num_nodes_min = 1;
    assert_false(rules_admit(c, &s, "main", 5, 1000, why, sizeof(why))); // as it was placed
    s.time_limit_s = 7201;
    assert_false(admits(c, &s));
    assert_non_null(strstr(why, "02:00:00"));
    s.time_limit_s = 0; // default_runtime counts
    assert_true(admits(c, &s));
    s.batch = false;
    assert_false(admits(c, &s));
    conf_free(c);
    c = conf("interactive: true");
    assert_true(admits(c, &s));
    conf_free(c);
    s.batch = true;
    c = conf_of("slurm:", "allow_qos: [high, normal]");
    assert_true(admits(c, &s));
    s.qos = (char *)"low";
    assert_false(admits(c, &s));
    conf_free(c);
}

// Whom burst-stagerd and the nodes refuse is known before anything is rented; group 100 is not
// among them.
static void people_only(void **state)
{
    static const struct {
        uint32_t uid, gid;
        bool person;
    } cases[] = {{1000, 1000, true}, {1000, 100, true}, {1000, 1, true},      {999, 1000, false},
                 {0, 0, false},      {1000, 0, false},  {65534, 1000, false}, {65535, 100, true}};
    struct burst_conf *c = conf("");
    struct sjob s = job("alice", "");

    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        s.uid = cases[k].uid;
        s.gid = cases[k].gid;
        assert_int_equal(admits(c, &s), cases[k].person);
    }
    conf_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_by_patterns),
        cmocka_unit_test(accounts_by_patterns),
        cmocka_unit_test(the_rest_of_eligibility),
        cmocka_unit_test(people_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
