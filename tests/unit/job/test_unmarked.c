// SPDX-License-Identifier: GPL-3.0-or-later
// Why jobs without a mark stay: each rule and each need has its own words.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/conf.h"
#include "job/unmarked.h"
#include "slurm/slurm_link.h"

static struct burstd b;
static char why[256], empty[] = "";

const struct spart *slurm_link_part(const struct slurm_link *l, const char *name)
{
    return NULL;
}

static void begin(const char *eligibility)
{
    struct conf_errors errs;
    char text[2048];

    snprintf(text, sizeof(text),
             "cluster: test\n"
             "munge_key: /m\n"
             "ssh: {key: /k, user: root}\n"
             "eligibility: {%s}\n"
             "shapes:\n"
             "  - {name: small, cpus: 8, memory: 2000MiB, nodes: 4, features: [avx]}\n"
             "  - {name: gpu, gpu: a100, gpus: 2, cpus: 4, memory: 4000MiB, nodes: 2}\n"
             "clouds:\n"
             "  - {name: aws, provider: local, endpoint: 'http://127.0.0.1:1', credentials: /x}\n",
             eligibility);
    if (conf_parse("test.yaml", text, strlen(text), &b.conf, &errs) < 0)
        fail_msg("%s", errs.text[0].text);
    b.uid_min = 1000;
}

static struct sjob job(void)
{
    struct sjob s;

    memset(&s, 0, sizeof(s));
    s.state = SJOB_PENDING;
    s.user = (char *)"alice";
    s.partition = (char *)"main";
    s.account = s.qos = s.reason = s.admin_comment = s.req_nodes = s.exc_nodes = empty;
    s.features = s.licenses = s.reservation = s.special = s.dependency = empty;
    s.tres_per_job = s.tres_per_node = s.tres_per_socket = s.tres_per_task = empty;
    s.cpus_per_tres = s.mem_per_tres = empty;
    s.uid = s.gid = 2001;
    s.num_nodes_min = s.num_cpus = 1;
    s.batch = true;
    return s;
}

static void says(const struct sjob *s, const char *text)
{
    unmarked_why(&b, s, why, sizeof(why));
    if (!strstr(why, text))
        fail_msg("\"%s\", expected \"%s\"", why, text);
}

static void end(void)
{
    conf_free(b.conf);
    b.conf = NULL;
}

static void the_plugins_words_come_first(void **state)
{
    struct sjob s = job();

    begin("deny_users: [alice]");
    s.admin_comment = (char *)"VIP | burst: stays here: --burst=never was asked for";
    says(&s, "--burst=never was asked for");
    assert_string_equal(why, "--burst=never was asked for");
    end();
}

static void rules_say_why(void **state)
{
    struct sjob s = job();

    begin("deny_users: [alice]");
    says(&s, "this site does not let user alice use rented nodes");
    end();
    begin("deny_accounts: [course]");
    s.account = (char *)"course";
    says(&s, "this site does not let account course use rented nodes");
    end();
    begin("partitions: [gpu]");
    says(&s, "jobs of partition main do not leave this cluster");
    end();
    begin("default: never");
    says(&s, "at this site only jobs with a --burst option leave the cluster");
    end();
    begin("");
    s = job();
    s.batch = false;
    says(&s, "here only batch jobs (sbatch) use rented nodes");
    s = job();
    s.partition = (char *)"aws";
    says(&s, "an operator sent it to partition aws itself");
    end();
}

// Whether it runs by now or not.
static void needs_say_which_of_them_no_shape_has(void **state)
{
    struct sjob s = job();

    begin("");
    s.req_nodes = (char *)"node1";
    says(&s, "it asks for certain nodes (--nodelist)");
    s = job();
    s.licenses = (char *)"matlab:1";
    says(&s, "it asks for license matlab, which is not used on rented nodes");
    s = job();
    s.reservation = (char *)"school";
    says(&s, "it belongs to a reservation; such jobs do not run on rented nodes");
    s = job();
    s.special = (char *)"a burst buffer";
    says(&s, "it asks for a burst buffer, which rented nodes do not have");
    s = job();
    s.tres_per_node = (char *)"gres:gpu:h100:1";
    s.state = SJOB_RUNNING;
    says(&s, "no rented node has gpu:h100");
    s.tres_per_node = (char *)"gres:gpu:a100:4";
    says(&s, "it asks for 4 of gpu:a100 on a node and rented ones have 2 at most");
    s = job();
    s.cpus_per_task = 16;
    s.num_cpus = 16;
    says(&s, "it asks for 16 CPUs on a node and rented ones have 8 at most");
    s = job();
    s.mem_per_node_mib = 8000;
    s.mem_given = true;
    says(&s, "it asks for 8000 MiB of memory on a node and rented ones have 3800 at most");
    s = job();
    s.tmp_disk_mib = 500;
    says(&s, "it asks for 500 MiB of local disk and rented nodes promise 0");
    s = job();
    s.num_nodes_min = s.num_cpus = 6;
    says(&s, "it takes more nodes than there are of any kind that it could use (4)");
    s = job();
    s.features = (char *)"infiniband";
    says(&s, "(--constraint=infiniband with its CPUs, memory and GPUs)");
    s = job();
    s.features = (char *)"avx";
    says(&s, "it bears no mark of the submit plugin: it was submitted before burstd was");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plugins_words_come_first),
        cmocka_unit_test(rules_say_why),
        cmocka_unit_test(needs_say_which_of_them_no_shape_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
