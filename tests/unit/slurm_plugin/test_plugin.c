// SPDX-License-Identifier: GPL-3.0-or-later
// Tests of job_submit_burst.so itself, loaded as slurmctld loads it: what it changes in a job and
// what not, hostile input, many threads, and that it allocates nothing for a job that it leaves
// alone.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugin_host.h"
#include "site.h"

#define ALICE 54321u
#define MODE_ONLY "_SLURM_SPANK_OPTION_burst_burst=only"

static char dir[64], path[96], conf[96], poke[96];
static struct plugin_host host;
static struct snapshot site;
static struct snapshot_writer *writer;
static int poke_fd;
static burst_error_t err;
static job_desc_msg_t d;
static char *msg;

// Every allocation of this process is counted. The sanitizers have their own malloc().
static atomic_long allocations;
#ifndef __SANITIZE_ADDRESS__
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void *malloc(size_t n)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_malloc(n);
}
void *calloc(size_t n, size_t m)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_calloc(n, m);
}
void *realloc(void *p, size_t n)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_realloc(p, n);
}
#endif

static int start(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    FILE *f = fopen(conf, "w");

    fprintf(f, "RunDir=%s\n", dir);
    fclose(f);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", poke);
    poke_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(poke_fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        return -1;
    site_fill(&site);
    writer = snapshot_writer_create(path, &err);
    if (!writer || snapshot_publish(writer, &site, &err) < 0)
        return -1;
    host_sbatch(&d, ALICE);
    msg = NULL;
    return host.init();
}

static int stop(void **state)
{
    host_done(&d, &msg);
    host.fini();
    snapshot_writer_destroy(writer);
    close(poke_fd);
    unlink(poke);
    unlink(path);
    unlink(conf);
    if (host_blocks != 0)
        fprintf(stderr, "blocks left: %ld\n", (long)host_blocks);
    return host_blocks != 0;
}

static int poked(void)
{
    char text[16] = "";
    int n = 0;

    while (recv(poke_fd, text, sizeof(text) - 1, 0) == 6 && strcmp(text, "submit") == 0)
        n++;
    return n;
}

static char *owned(const char *text)
{
    return slurm_xstrdup(text);
}

static void told(const char *want)
{
    assert_string_equal(msg ? msg : "", want);
}

// The job goes through and is as it was before.
static void left_alone(const char *want)
{
    job_desc_msg_t before = d;

    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_memory_equal(&before, &d, sizeof(d));
    told(want);
    assert_int_equal(poked(), 0);
    slurm_xfree((void **)&msg);
}

static void as_slurmctld_looks_it_up(void **state)
{
    assert_string_equal(dlsym(host.handle, "plugin_type"), "job_submit/burst");
    assert_non_null(dlsym(host.handle, "plugin_name"));
    assert_int_equal(*(uint32_t *)dlsym(host.handle, "plugin_version"), SLURM_VERSION_NUMBER);
    assert_null(dlsym(host.handle, "snapshot_acquire")); // nothing else is visible
    assert_null(dlsym(host.handle, "errprintf"));
}

static void plain_job_is_marked(void **state)
{
    job_desc_msg_t before = d;

    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "burst:1 eligible part=main");
    told("");
    assert_int_equal(poked(), 1);
    before.admin_comment = d.admin_comment; // nothing else has changed
    assert_memory_equal(&before, &d, sizeof(d));
}

static void impossible_job_is_held(void **state)
{
    job_desc_msg_t before = d;

    before.tres_per_node = d.tres_per_node = (char *)"gres:gpu:h100:1";
    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "burst:1 held part=main");
    assert_string_equal(d.partition, "aws");
    assert_int_equal(d.priority, 0);
    told("burst: no node here has gpu:h100; the job waits for a rented node (see: burst why "
         "JOBID)");
    assert_int_equal(poked(), 1);
    before.admin_comment = d.admin_comment;
    before.partition = d.partition;
    before.priority = d.priority;
    assert_memory_equal(&before, &d, sizeof(d));
}

static void options_come_in_the_spank_environment(void **state)
{
    char *env[] = {(char *)MODE_ONLY, (char *)"_SLURM_SPANK_OPTION_burst_burst_max_cost=2.5", NULL};

    d.spank_job_env = env;
    d.spank_job_env_size = 3;
    d.partition = owned("main");
    d.priority = 0; // the user's own hold
    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment,
                        "burst:1 held mode=only max_cost=2500000 hold=user part=main");
    assert_string_equal(d.partition, "aws");
    told("burst: the job waits for a rented node (see: burst why JOBID)");
    host_done(&d, &msg);

    env[1] = (char *)"_SLURM_SPANK_OPTION_burst_burst_max_cost=0.09"; // 0.10 an hour is cheapest
    assert_int_equal(host.submit(&d, ALICE, &msg), ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE);
    told("burst: this job may run on rented nodes only, but at the cheapest place (aws) it would "
         "cost $0.1000, more than its --burst-max-cost of $0.0900");
    assert_null(d.admin_comment);
    host_done(&d, &msg);

    env[1] = (char *)"_SLURM_SPANK_OPTION_burst_burst_market=cheap";
    assert_int_equal(host.submit(&d, ALICE, &msg), EINVAL);
    told("burst: --burst-market=cheap: must be any, spot or on-demand");
    assert_int_equal(host.submit(&d, ALICE, NULL), EINVAL);
}

// sbatch --chdir: what the job finds there and leaves there counts, too.
static void another_submit_directory(void **state)
{
    static char *env[] = {(char *)"HOME=/home/alice", (char *)"SLURM_SUBMIT_DIR=/home/alice/my sub",
                          (char *)"SLURM_JOB_NAME=x"};

    d.environment = env;
    d.env_size = 3;
    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "burst:1 eligible part=main sub=/home/alice/my%20sub");
    told("");
}

static void the_same_submit_directory(void **state)
{
    static char *env[] = {(char *)"SLURM_SUBMIT_DIR=/home/alice"};

    d.environment = env;
    d.env_size = 1;
    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "burst:1 eligible part=main");
    told("");
}

static void a_submit_directory_with_a_long_name(void **state)
{
    static char entry[2500] = "SLURM_SUBMIT_DIR=/";
    static char *env[] = {entry};

    memset(entry + strlen(entry), 'd', sizeof(entry) - 1 - strlen(entry));
    d.environment = env;
    d.env_size = 1;
    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "burst:1 eligible part=main");
    told("burst: the name of the submit directory is too long to be kept: if a node is rented, "
         "only the working directory is copied there");
}

static void values_too_long_for_the_mark(void **state)
{
    char in[1100], out[1100];
    char *env[] = {in, out};

    snprintf(in, sizeof(in), "_SLURM_SPANK_OPTION_burst_burst_stage_in=");
    snprintf(out, sizeof(out), "_SLURM_SPANK_OPTION_burst_burst_stage_out=");
    while (strlen(in) < 1000)
        strncat(in, "%", sizeof(in) - strlen(in) - 1); // three characters each in the mark
    strncat(out, "x", sizeof(out) - strlen(out) - 1);
    d.spank_job_env = env;
    d.spank_job_env_size = 2;
    assert_int_equal(host.submit(&d, ALICE, &msg), EINVAL);
    // 959 characters of three each, "burst:1 eligible in=", " out=x", " part=main"
    told("burst: the values of the --burst options are too long together (2937 bytes of 2047; a "
         "character other than a letter, digit or one of ./:,+@-_ takes three); name directories "
         "instead of many files");
    assert_null(d.admin_comment);
}

static void other_jobs_are_left_alone(void **state)
{
    d.script = NULL; // salloc, srun
    left_alone("");
    host_sbatch(&d, ALICE);
    d.het_job_offset = 1;
    left_alone("");
    host_sbatch(&d, ALICE);
    COMPAT_DESC_JOB_ID(&d) = 5; // a will-run test of an existing job
    left_alone("");
    host_sbatch(&d, ALICE);
    d.tres_per_node = (char *)"gres:fpga:1";
    left_alone("");
    host_sbatch(&d, ALICE);
    d.user_id = 0;
    left_alone("");
}

// Whoever named an option can read later why his job stays; burstd does not look after it.
static void a_job_whose_user_asked_says_why_it_stays(void **state)
{
    char *never[] = {(char *)"_SLURM_SPANK_OPTION_burst_burst=never"};
    char *automatic[] = {(char *)"_SLURM_SPANK_OPTION_burst_burst=auto"};

    d.spank_job_env = never;
    d.spank_job_env_size = 1;
    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "burst: stays here: --burst=never was asked for");
    assert_null(strstr(d.admin_comment, "burst:1"));
    assert_null(msg);
    host_done(&d, &msg);
    d.spank_job_env = never;
    d.spank_job_env_size = 1;
    d.admin_comment = owned("VIP");
    assert_int_equal(host.submit(&d, 0, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "VIP | burst: stays here: --burst=never was asked for");
    host_done(&d, &msg);
    d.spank_job_env = automatic;
    d.spank_job_env_size = 1;
    d.account = (char *)"course\033[2J";
    d.tres_per_node = (char *)"gres:fpga:1";
    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment,
                        "burst: stays here: it asks for the resource gres:fpga:1, which rented "
                        "nodes do not have");
}

static void what_rented_nodes_do_not_have(void **state)
{
    char *only[] = {(char *)MODE_ONLY};
    char text[256];
    static const struct {
        size_t offset;
        const char *but;
    } strings[] = {
        {offsetof(job_desc_msg_t, features),
         "no rented node has what it asks for (nodes, CPUs, memory, GPUs, features, local disk)"},
        {offsetof(job_desc_msg_t, licenses),
         "it asks for license x, which this site does not use on rented nodes"},
#define HAVE_NOT(what) "it asks for " what ", which rented nodes do not have"
        {offsetof(job_desc_msg_t, cluster_features),
         HAVE_NOT("a feature of the cluster or of the batch host")},
        {offsetof(job_desc_msg_t, req_nodes), HAVE_NOT("certain nodes (--nodelist)")},
        {offsetof(job_desc_msg_t, reservation), HAVE_NOT("a reservation")},
        {offsetof(job_desc_msg_t, burst_buffer), HAVE_NOT("a burst buffer")},
        {offsetof(job_desc_msg_t, network), HAVE_NOT("a network (--network)")},
    };
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        host_sbatch(&d, ALICE);
        char **field = (char **)((char *)&d + strings[i].offset);
        *field = (char *)"";
        assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS); // empty is nothing
        assert_non_null(d.admin_comment);
        host_done(&d, &msg);
        poked();
        *field = (char *)"x";
        left_alone("");
        d.spank_job_env = only;
        d.spank_job_env_size = 1;
        assert_int_equal(host.submit(&d, ALICE, &msg), ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE);
        snprintf(text, sizeof(text), "burst: this job may run on rented nodes only, but %s",
                 strings[i].but);
        told(text);
        slurm_xfree((void **)&msg);
    }
    host_sbatch(&d, ALICE);
    d.threads_per_core = 2;
    left_alone("");
    d.threads_per_core = 1;
    d.pn_min_tmp_disk = 1000;
    left_alone("");
    d.pn_min_tmp_disk = 0;
    d.core_spec = 1;
    left_alone("");
    d.core_spec = NO_VAL16;
    d.cores_per_socket = 8;
    left_alone("");
}

static void admin_comment_is_not_the_users(void **state)
{
    d.admin_comment = owned("burst:1 held mode=only part=main");
    assert_int_equal(host.submit(&d, ALICE, &msg), ESLURM_ACCESS_DENIED);
    told("burst: only operators may set AdminComment");
    host_done(&d, &msg);
    // An operator's own words are kept, and a mark of his is his.
    d.admin_comment = owned("for the review");
    assert_int_equal(host.submit(&d, 0, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "for the review | burst:1 eligible part=main");
    host_done(&d, &msg);
    d.admin_comment = owned("burst:1 eligible part=elsewhere");
    assert_int_equal(host.submit(&d, 0, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "burst:1 eligible part=elsewhere");
}

static void straight_to_rented_nodes(void **state)
{
    d.partition = owned("aws");
    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "burst:1 held mode=only clouds=aws part=aws");
    assert_int_equal(d.priority, 0);
    host_done(&d, &msg);
    host_sbatch(&d, ALICE);
    d.partition = owned("aws");
    assert_int_equal(host.submit(&d, 0, &msg), SLURM_SUCCESS); // SlurmUser or root
    assert_null(d.admin_comment);
    assert_int_equal(d.priority, NO_VAL);
    // The end of burstd does not open that way.
    snapshot_writer_destroy(writer);
    writer = NULL;
    assert_int_equal(host.submit(&d, ALICE, &msg), ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE);
    told("burst: burstd is not running now, so nobody rents nodes for partition aws");
}

static void changes(void **state)
{
    slurm_init_job_desc_msg(&d);
    assert_int_equal(host_modify(&host, NULL, ALICE, &msg), SLURM_SUCCESS);
    assert_int_equal(host_modify(&host, &d, ALICE, &msg), SLURM_SUCCESS);
    d.partition = owned("main");
    d.priority = 0;
    d.comment = (char *)"burst:1 eligible";
    assert_int_equal(host_modify(&host, &d, ALICE, &msg), SLURM_SUCCESS);
    slurm_xfree((void **)&d.partition);
    d.partition = owned("main,aws");
    assert_int_equal(host_modify(&host, &d, ALICE, &msg), ESLURM_ACCESS_DENIED);
    slurm_xfree((void **)&msg);
    assert_int_equal(host_modify(&host, &d, 0, &msg), SLURM_SUCCESS);
    assert_int_equal(host_modify(&host, &d, (uint32_t)geteuid(), &msg), SLURM_SUCCESS); // burstd
    slurm_xfree((void **)&d.partition);
    d.admin_comment = owned("");
    assert_int_equal(host_modify(&host, &d, ALICE, &msg), ESLURM_ACCESS_DENIED);
    slurm_xfree((void **)&msg);
    assert_int_equal(host_modify(&host, &d, 0, &msg), SLURM_SUCCESS);
    // An operator of burst.yaml's.
    site.body.n_users = 1;
    site.body.user[0].uid = ALICE;
    site.body.user[0].flags = SNAPSHOT_USER_OPERATOR;
    assert_int_equal(snapshot_publish(writer, &site, &err), 0);
    assert_int_equal(host_modify(&host, &d, ALICE, &msg), SLURM_SUCCESS);
    site.body.n_users = 0;
    assert_int_equal(snapshot_publish(writer, &site, &err), 0);
    assert_int_equal(host_modify(&host, &d, ALICE, &msg), ESLURM_ACCESS_DENIED);
    slurm_xfree((void **)&msg);
    // An old snapshot still tells which partitions are elastic.
    snapshot_writer_destroy(writer);
    writer = NULL;
    slurm_xfree((void **)&d.admin_comment);
    d.partition = owned("aws");
    assert_int_equal(host_modify(&host, &d, ALICE, &msg), ESLURM_ACCESS_DENIED);
}

// A job on its way to nodes that cost money, when nothing is known of the site: the last snapshot
// of this slurmctld counts, then burst.conf. Jobs for the cluster's own nodes go their way.
static void straight_to_rented_nodes_without_a_snapshot(void **state)
{
    static const char sentence[] = "burst: burstd is not running now, so nobody rents nodes for "
                                   "partition aws";

    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS); // the snapshot is read
    host_done(&d, &msg);
    host_sbatch(&d, ALICE);
    poked();
    assert_int_equal(truncate(path, 0), 0);
    unlink(path);
    left_alone("");
    d.partition = owned("aws");
    assert_int_equal(host.submit(&d, ALICE, &msg), ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE);
    told(sentence);
    assert_int_equal(host_modify(&host, &d, ALICE, &msg), ESLURM_ACCESS_DENIED);
    host.fini(); // slurmctld starts, and there is none
    FILE *f = fopen(conf, "a");
    fprintf(f, "ElasticPartitions=gcp,aws\n");
    fclose(f);
    host.init();
    assert_int_equal(host.submit(&d, ALICE, &msg), ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE);
    told("burst: burstd is not running now, so nobody rents nodes; name the cluster's own "
         "partitions only");
    assert_int_equal(host_modify(&host, &d, ALICE, &msg), ESLURM_ACCESS_DENIED);
    slurm_xfree((void **)&msg);
    assert_int_equal(host.submit(&d, 0, &msg), SLURM_SUCCESS);
    slurm_xfree((void **)&d.partition);
    d.partition = owned("aws2,main");
    left_alone("");
}

static void without_a_usable_snapshot(void **state)
{
    int fd;

    d.tres_per_node = (char *)"gres:gpu:h100:1";
    assert_int_equal(truncate(path, 1000), 0);
    left_alone("");
    fd = open(path, O_WRONLY);
    for (int i = 0; i < 100; i++)
        assert_int_equal(write(fd, "garbage garbage ", 16), 16);
    close(fd);
    left_alone("");
    assert_int_equal(truncate(path, 0), 0);
    left_alone("");
    unlink(path);
    left_alone("");
}

static void after_the_end_of_burstd(void **state)
{
    snapshot_writer_destroy(writer);
    writer = NULL;
    left_alone("");
    d.tres_per_node = (char *)"gres:gpu:h100:1";
    left_alone("burst: no node here has gpu:h100, and burstd, which would rent one, is not running "
               "now");
    d.tres_per_node = NULL;
}

// A restart of burstd, or a storm of submissions that keeps it busy.
static void while_burstd_is_silent(void **state)
{
    site.body.accept_s = 900;
    assert_int_equal(snapshot_publish(writer, &site, &err), 0);
    snapshot_writer_destroy(writer);
    writer = NULL;
    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "burst:1 eligible part=main");
    told("");
    host_done(&d, &msg);
    host_sbatch(&d, ALICE);
    d.tres_per_node = (char *)"gres:gpu:h100:1";
    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_string_equal(d.admin_comment, "burst:1 held part=main");
    assert_int_equal(d.priority, 0);
    told("burst: no node here has gpu:h100; burstd is not running just now; the job waits until it "
         "is back and has rented a node");
    d.tres_per_node = NULL;
}

static void nothing_is_allocated_for_a_job_left_alone(void **state)
{
    long before = atomic_load(&allocations);

    d.script = NULL;
    d.tres_per_node = (char *)"gres:gpu:a100:1";
    for (int i = 0; i < 100; i++)
        assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    host_sbatch(&d, ALICE);
    d.features = (char *)"infiniband";
    d.account = (char *)"lab";
    for (int i = 0; i < 100; i++)
        assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
    assert_int_equal(atomic_load(&allocations), before);
    assert_null(msg);
    host_sbatch(&d, ALICE); // the count works: one string for a mark
    assert_int_equal(host.submit(&d, ALICE, &msg), SLURM_SUCCESS);
#ifndef __SANITIZE_ADDRESS__
    assert_int_equal(atomic_load(&allocations), before + 1);
#endif
}

// ---- hostile input

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t dice(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static char *nasty(void)
{
    static char longer[70000];
    static const char *texts[] = {"",
                                  "%s%n%x",
                                  "aws",
                                  "main,aws",
                                  ",,,,",
                                  "main",
                                  "gres:gpu:h100:1",
                                  "gres:gpu:99999999999999999999",
                                  "gres:gpu:h100:1,gres:gpu:a100:2",
                                  "\xff\xfe\x01",
                                  "burst:1 held",
                                  "gres:gpu:::::",
                                  "gres/gpu=",
                                  "[*?",
                                  "_SLURM_SPANK_OPTION_burst_burst",
                                  "_SLURM_SPANK_OPTION_burst_",
                                  "_SLURM_SPANK_OPTION_burst_burst=only",
                                  "_SLURM_SPANK_OPTION_burst_burst_clouds=aws,aws",
                                  "_SLURM_SPANK_OPTION_burst_burst_max_cost=1000000000",
                                  "_SLURM_SPANK_OPTION_burst_burst_runtime=3650-0",
                                  "_SLURM_SPANK_OPTION_burst_burst_stage_in=%%%%"};
    size_t n = sizeof(texts) / sizeof(texts[0]), i = dice() % (n + 2);

    if (i == n)
        return NULL;
    if (i > n) {
        memset(longer, "a,:=/%"[dice() % 6], sizeof(longer) - 1);
        return longer;
    }
    return (char *)texts[i];
}

// A description whose numbers are noise and whose strings come from the table above. Pointers to
// other things stay NULL: slurmctld makes those itself.
static void hostile_descriptions(void **state)
{
    static const size_t strings[] = {
        offsetof(job_desc_msg_t, account),         offsetof(job_desc_msg_t, batch_features),
        offsetof(job_desc_msg_t, burst_buffer),    offsetof(job_desc_msg_t, cluster_features),
        offsetof(job_desc_msg_t, cpus_per_tres),   offsetof(job_desc_msg_t, features),
        offsetof(job_desc_msg_t, licenses),        offsetof(job_desc_msg_t, mem_per_tres),
        offsetof(job_desc_msg_t, network),         offsetof(job_desc_msg_t, req_nodes),
        offsetof(job_desc_msg_t, reservation),     offsetof(job_desc_msg_t, script),
        offsetof(job_desc_msg_t, tres_per_job),    offsetof(job_desc_msg_t, tres_per_node),
        offsetof(job_desc_msg_t, tres_per_socket), offsetof(job_desc_msg_t, tres_per_task),
    };
    char *env[6];
    int rcs[3] = {0};

    assert_int_equal(host.submit(NULL, ALICE, &msg), SLURM_SUCCESS);
    for (int round = 0; round < 30000; round++) {
        job_desc_msg_t h;
        host_sbatch(&h, ALICE);
        for (int i = 0; i < 6; i++)
            env[i] = nasty();
        h.spank_job_env = dice() % 4 ? env : NULL;
        h.spank_job_env_size = dice() % 7 % 7 < 6 ? (uint32_t)(dice() % 7) : 6;
        for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
            if (dice() % 4 == 0)
                *(char **)((char *)&h + strings[i]) = nasty();
        h.partition = owned(nasty());
        h.admin_comment = dice() % 8 ? NULL : owned(nasty());
        if (dice() % 2) {
            uint32_t *numbers[] = {&h.min_nodes, &h.max_nodes,      &h.num_tasks,
                                   &h.min_cpus,  &h.time_limit,     &h.priority,
                                   &h.user_id,   &h.het_job_offset, &h.pn_min_tmp_disk};
            for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
                if (dice() % 3 == 0)
                    *numbers[i] = (uint32_t)dice() >> dice() % 32;
            h.cpus_per_task = (uint16_t)dice();
            h.ntasks_per_node = (uint16_t)dice();
            h.ntasks_per_tres = (uint16_t)dice();
            h.pn_min_cpus = (uint16_t)dice();
            h.sockets_per_node = (uint16_t)dice();
            h.pn_min_memory = dice();
            h.overcommit = (uint8_t)dice();
            h.immediate = (uint16_t)(dice() % 3);
        }
        char *m = NULL;
        int rc = host.submit(&h, dice() % 8 ? ALICE : 0, dice() % 8 ? &m : NULL);
        rcs[rc == SLURM_SUCCESS ? 0 : rc == EINVAL ? 1 : 2]++;
        if (rc == SLURM_SUCCESS)
            host_modify(&host, &h, ALICE, &m);
        host_done(&h, &m);
    }
    for (int i = 0; i < 3; i++) // all ways were taken
        assert_true(rcs[i] > 100);
    poked();
}

// ---- threads

static atomic_bool running;

// arg: NULL, or anything for a single submission
static void *submit_on(void *arg)
{
    long wrong = 0;

    for (int i = 0; i < (arg ? 1 : 3000); i++) {
        job_desc_msg_t j;
        char *m = NULL;
        host_sbatch(&j, ALICE);
        bool h100 = i % 2;
        if (h100)
            j.tres_per_node = (char *)"gres/gpu:h100=1";
        wrong += host.submit(&j, ALICE, &m) != SLURM_SUCCESS;
        // While the snapshot changes its max_nodes, the decision stays the same.
        wrong += !j.admin_comment || strcmp(j.admin_comment, h100 ? "burst:1 held part=main"
                                                                  : "burst:1 eligible part=main");
        wrong += h100 != (m != NULL);
        host_done(&j, &m);
    }
    return (void *)wrong;
}

static void *publish_on(void *arg)
{
    while (atomic_load(&running)) {
        site.body.max_nodes = site.body.max_nodes % 100 + 8;
        if (snapshot_publish(writer, &site, &err) < 0)
            return (void *)1L;
    }
    return NULL;
}

static void many_threads(void **state)
{
    pthread_t t[8], p;
    void *wrong;
    long sum = 0;

    // A writer that never pauses may keep a reader that holds nothing yet from its first body.
    assert_true(submit_on((void *)1) == (void *)0);
    atomic_store(&running, true);
    assert_int_equal(pthread_create(&p, NULL, publish_on, NULL), 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&t[i], NULL, submit_on, NULL), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(t[i], &wrong);
        sum += (long)wrong;
    }
    atomic_store(&running, false); // before anything fails: it writes what stop() takes away
    pthread_join(p, &wrong);
    assert_null(wrong);
    assert_int_equal(sum, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_slurmctld_looks_it_up, start, stop),
        cmocka_unit_test_setup_teardown(plain_job_is_marked, start, stop),
        cmocka_unit_test_setup_teardown(impossible_job_is_held, start, stop),
        cmocka_unit_test_setup_teardown(options_come_in_the_spank_environment, start, stop),
        cmocka_unit_test_setup_teardown(another_submit_directory, start, stop),
        cmocka_unit_test_setup_teardown(the_same_submit_directory, start, stop),
        cmocka_unit_test_setup_teardown(a_submit_directory_with_a_long_name, start, stop),
        cmocka_unit_test_setup_teardown(values_too_long_for_the_mark, start, stop),
        cmocka_unit_test_setup_teardown(other_jobs_are_left_alone, start, stop),
        cmocka_unit_test_setup_teardown(a_job_whose_user_asked_says_why_it_stays, start, stop),
        cmocka_unit_test_setup_teardown(what_rented_nodes_do_not_have, start, stop),
        cmocka_unit_test_setup_teardown(admin_comment_is_not_the_users, start, stop),
        cmocka_unit_test_setup_teardown(straight_to_rented_nodes, start, stop),
        cmocka_unit_test_setup_teardown(changes, start, stop),
        cmocka_unit_test_setup_teardown(straight_to_rented_nodes_without_a_snapshot, start, stop),
        cmocka_unit_test_setup_teardown(without_a_usable_snapshot, start, stop),
        cmocka_unit_test_setup_teardown(after_the_end_of_burstd, start, stop),
        cmocka_unit_test_setup_teardown(while_burstd_is_silent, start, stop),
        cmocka_unit_test_setup_teardown(nothing_is_allocated_for_a_job_left_alone, start, stop),
        cmocka_unit_test_setup_teardown(hostile_descriptions, start, stop),
        cmocka_unit_test_setup_teardown(many_threads, start, stop),
    };
    char var[128];

    umask(022);
    snprintf(dir, sizeof(dir), "/tmp/test_plugin.XXXXXX");
    if (!mkdtemp(dir) || !host_load(&host))
        return 1;
    snprintf(path, sizeof(path), "%s/snapshot", dir);
    snprintf(conf, sizeof(conf), "%s/burst.conf", dir);
    snprintf(poke, sizeof(poke), "%s/poke.sock", dir);
    snprintf(var, sizeof(var), "%s/slurm.conf", dir);
    setenv("SLURM_CONF", var, 1);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return rc;
}
