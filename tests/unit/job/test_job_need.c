// SPDX-License-Identifier: GPL-3.0-or-later
// A job that its user changes after nodes were bought for it: what is seen of that in Slurm's
// record.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/conf.h"
#include "job/job_need.h"
#include "job/reasons.h"
#include "slurm/slurm_link.h"
#include "state/model.h"

static struct burstd b;
static char empty[] = "";

const struct spart *slurm_link_part(const struct slurm_link *l, const char *name)
{
    return NULL;
}

static int begin(void **state)
{
    static const char text[] =
        "cluster: test\n"
        "munge_key: /m\n"
        "ssh: {key: /k, user: root}\n"
        "shapes:\n"
        "  - {name: small, cpus: 2, memory: 2000MiB, nodes: 4}\n"
        "clouds:\n"
        "  - {name: aws, provider: local, endpoint: 'http://127.0.0.1:1', credentials: /x}\n";
    struct conf_errors errs;

    return conf_parse("test.yaml", text, strlen(text), &b.conf, &errs);
}

static int end(void **state)
{
    conf_free(b.conf);
    return 0;
}

// -n4, moved to two nodes: its maximum is theirs, its own one (none) is in the mark
static struct bjob moved_job(void)
{
    struct bjob j;

    memset(&j, 0, sizeof(j));
    snprintf(j.cloud, sizeof(j.cloud), "aws");
    snprintf(j.shape, sizeof(j.shape), "small");
    j.nodes = 2;
    j.node_names = "aws-small-001,aws-small-002";
    j.mark = "burst:1 eligible part=main max_nodes=none";
    return j;
}

static struct sjob record(void)
{
    struct sjob s;

    memset(&s, 0, sizeof(s));
    s.state = SJOB_PENDING;
    s.user = (char *)"alice";
    s.partition = (char *)"aws";
    s.req_nodes = (char *)"aws-small-[001-002]";
    s.account = s.qos = s.reason = s.admin_comment = s.exc_nodes = empty;
    s.features = s.licenses = s.reservation = s.special = s.dependency = empty;
    s.tres_per_job = s.tres_per_node = s.tres_per_socket = s.tres_per_task = empty;
    s.cpus_per_tres = s.mem_per_tres = empty;
    s.num_nodes_min = s.cpus_per_task = 1;
    s.num_nodes_max = 2;
    s.num_tasks = s.num_cpus = 4;
    s.tasks_given = true;
    return s;
}

static void larger_or_smaller_when_it_has_been_moved(void **state)
{
    struct bjob j = moved_job();
    struct sjob s = record();

    assert_true(job_still_fits(&b, &j, &s));
    assert_false(job_outgrown(&b, &j, &s));
    s.num_nodes_min = s.num_nodes_max = 3; // numnodes=3-3
    assert_true(job_outgrown(&b, &j, &s));
    s = record();
    s.num_nodes_min = 3; // numnodes=3, which Slurm refuses and keeps
    assert_true(job_outgrown(&b, &j, &s));
    s = record();
    s.num_tasks = s.num_cpus = 6;
    assert_true(job_outgrown(&b, &j, &s));
    s = record();
    s.cpus_per_node = 3; // no node of the shape has them
    assert_true(job_outgrown(&b, &j, &s));
    s = record();
    s.features = (char *)"[a|b]";
    assert_true(job_outgrown(&b, &j, &s));
    s = record();
    s.num_tasks = s.num_cpus = 2; // planned anew while nothing is moved, left alone afterwards
    assert_false(job_still_fits(&b, &j, &s));
    assert_false(job_outgrown(&b, &j, &s));
    snprintf(j.shape, sizeof(j.shape), "gone"); // the configuration has changed, not the job
    assert_false(job_outgrown(&b, &j, &s));
}

static void sent_to_other_nodes(void **state)
{
    const struct {
        const char *asked;
        bool other;
    } cases[] = {
        {"aws-small-[001-002]", false},
        {"aws-small-001,aws-small-002", false},
        {"aws-small-002,aws-small-001", false},
        {"aws-small-001", true},
        {"aws-small-[001-003]", true},
        {"aws-small-[002-003]", true},
        {"node1,node2", true},
        {"aws-small-[001", true},
        {"", true},
    };
    struct bjob j = moved_job();
    struct sjob s = record();

    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        s.req_nodes = (char *)cases[k].asked;
        assert_int_equal(job_other_nodes(&j, &s), cases[k].other);
    }
}

static void limits_of_memory_are_the_jobs_own_affair(void **state)
{
    assert_int_equal(reason_kind("MaxMemPerLimit"), REASON_JOB);
    assert_int_equal(reason_kind("ReqNodeNotAvail, Reserved for maintenance"), REASON_PARTITION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(larger_or_smaller_when_it_has_been_moved),
        cmocka_unit_test(sent_to_other_nodes),
        cmocka_unit_test(limits_of_memory_are_the_jobs_own_affair),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
