// SPDX-License-Identifier: GPL-3.0-or-later
// Which of Slurm's limits hold for a job: associations, their parents, QOS of jobs and partitions.
// The order is that of Slurm's "Resource Limits" page: what a QOS sets is not looked for in the
// association, and the QOS of the partition comes first unless the job's has OverPartQOS.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slurm/limits.h"

static const char table[] =
    "{\"type\":\"limits\",\"users\":[\"alice\",\"bob\"],\"assocs\":["
    "{\"id\":1,\"parent\":0,\"account\":\"root\",\"grp_jobs\":50},"
    "{\"id\":2,\"parent\":1,\"account\":\"lab\",\"grp_tres\":\"cpu=40,gres/gpu=4\"},"
    "{\"id\":3,\"parent\":2,\"account\":\"lab\",\"user\":\"alice\",\"max_jobs\":4},"
    "{\"id\":4,\"parent\":2,\"account\":\"lab\",\"user\":\"alice\",\"partition\":\"aws\","
    "\"max_jobs\":1},"
    "{\"id\":5,\"parent\":2,\"account\":\"lab\",\"user\":\"bob\"}],"
    "\"qos\":["
    "{\"name\":\"few\",\"grp_jobs\":2,\"max_tres_pu\":\"cpu=8\",\"over_partition\":false},"
    "{\"name\":\"gpus\",\"grp_tres\":\"gres/gpu=1\",\"max_jobs_pu\":3,\"over_partition\":false},"
    "{\"name\":\"mine\",\"grp_jobs\":9,\"over_partition\":true}],"
    "\"partition_qos\":{\"gcp\":\"few\"}}";

static struct limits *l;

static int create(void **state)
{
    cJSON *msg = cJSON_Parse(table);

    l = limits_create();
    limits_take(l, msg);
    cJSON_Delete(msg);
    return 0;
}

static int destroy(void **state)
{
    limits_destroy(l);
    return 0;
}

// "GrpJobs 2 of QOS few; ..." as one text
static void holds(const char *user, const char *account, const char *qos, const char *partition,
                  const char *wanted)
{
    struct limit_scope scope[LIMIT_SCOPES];
    struct limited job = {user, account, qos, partition};
    size_t n = limits_of(l, &job, scope);
    char got[2048] = "", *p = got;

    for (size_t k = 0; k < n; k++) {
        if (scope[k].jobs != LIMIT_NONE)
            p += sprintf(p, "%s %u of %.200s; ", scope[k].jobs_name, scope[k].jobs, scope[k].who);
        if (scope[k].tres[0])
            p += sprintf(p, "%s %.200s of %.200s; ", scope[k].tres_name, scope[k].tres,
                         scope[k].who);
    }
    assert_string_equal(got, wanted);
}

#define LAB "GrpTRES cpu=40,gres/gpu=4 of account lab; "
#define ROOT "GrpJobs 50 of account root; "

static void associations_and_their_parents(void **state)
{
    holds("alice", "lab", "normal", "azure", "MaxJobs 4 of user alice in account lab; " LAB ROOT);
    holds("alice", "lab", "normal", "aws", "MaxJobs 1 of user alice in account lab; " LAB ROOT);
    holds("bob", "lab", "normal", "aws", LAB ROOT);
    holds("carol", "lab", "normal", "aws", LAB ROOT); // who was not asked for
    holds("carol", "other", "normal", "aws", "");
}

static void a_qos_comes_before_the_association(void **state)
{
    holds("bob", "lab", "few", "aws",
          "GrpJobs 2 of QOS few; MaxTRESPerUser cpu=8 of QOS few (user bob); " LAB);
    holds("alice", "lab", "gpus", "aws",
          "GrpTRES gres/gpu=1 of QOS gpus; MaxJobsPerUser 3 of QOS gpus (user alice); "
          "GrpTRES cpu=40 of account lab; " ROOT);
}

static void a_partitions_qos_comes_first(void **state)
{
    holds("bob", "lab", "normal", "gcp",
          "GrpJobs 2 of QOS few; MaxTRESPerUser cpu=8 of QOS few (user bob); " LAB);
    holds("bob", "lab", "mine", "gcp",
          "GrpJobs 9 of QOS mine; MaxTRESPerUser cpu=8 of QOS few (user bob); " LAB);
    holds("bob", "lab", "few", "gcp", // once
          "GrpJobs 2 of QOS few; MaxTRESPerUser cpu=8 of QOS few (user bob); " LAB);
}

static void what_cannot_be_read_limits_nothing(void **state)
{
    cJSON *msg = cJSON_Parse("{\"type\":\"limits\",\"users\":[\"alice\"],\"error\":\"no\"}");

    assert_true(limits_any(l));
    limits_take(l, msg);
    cJSON_Delete(msg);
    holds("alice", "lab", "few", "gcp", "");
    assert_false(limits_any(l));
    assert_true(limits_cover(l, "alice")); // and is not asked for again at once
    assert_false(limits_cover(l, "bob"));
}

static double amount(const char *tres, const char *name)
{
    return limit_amount(tres, name, strlen(name));
}

static void amounts(void **state)
{
    const char *t = "cpu=4,mem=2000M,node=1,billing=4,gres/gpu=2,gres/gpu:h100=1";

    assert_true(amount(t, "cpu") == 4);
    assert_true(amount(t, "mem") == 2000);
    assert_true(amount("mem=1.50G", "mem") == 1536);
    assert_true(amount("mem=512K", "mem") == 0.5);
    assert_true(amount("mem=1T", "mem") == 1048576);
    assert_true(amount(t, "gres/gpu") == 2);
    assert_true(amount(t, "gres/gpu:h100") == 1);
    assert_true(amount(t, "gres") == 0);
    assert_true(amount("", "cpu") == 0);
}

// slurmctld's data are not ours: parents may be a circle.
static void a_circle_of_accounts_ends(void **state)
{
    cJSON *msg = cJSON_Parse("{\"users\":[],\"assocs\":[{\"id\":1,\"parent\":2,\"account\":\"a\","
                             "\"grp_jobs\":1},{\"id\":2,\"parent\":1,\"account\":\"b\"}]}");
    struct limit_scope scope[LIMIT_SCOPES];
    struct limited job = {"alice", "a", "", ""};

    limits_take(l, msg);
    cJSON_Delete(msg);
    assert_in_range(limits_of(l, &job, scope), 1, LIMIT_SCOPES);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, create, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(associations_and_their_parents),
        TEST(a_qos_comes_before_the_association),
        TEST(a_partitions_qos_comes_first),
        TEST(what_cannot_be_read_limits_nothing),
        TEST(amounts),
        TEST(a_circle_of_accounts_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
