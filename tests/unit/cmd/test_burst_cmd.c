// SPDX-License-Identifier: GPL-3.0-or-later
// The command `burst` itself, run against a socket with scripted answers. The answers are written
// by hand from docs/design/internals.md, section 5; what the command must print is, too.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_burstd.h"
#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/xalloc.h"

#define OK(result) "{\"ok\":true,\"result\":" result "}"

static char dir[64], sock[96], program[512];

static char *in_dir(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

static void put(const char *name, const char *text, mode_t mode)
{
    char *path = in_dir(name);
    burst_error_t err;

    if (fs_write_atomic(path, text, strlen(text), mode, &err) < 0)
        fail_msg("%s", err.text);
    free(path);
}

static struct ran burst(const char *a, ...)
{
    const char *argv[16] = {program, a};
    va_list ap;

    va_start(ap, a);
    for (int i = 2; i < 15 && argv[i - 1]; i++)
        argv[i] = va_arg(ap, const char *);
    va_end(ap);
    return run(argv);
}

static void expect(struct ran r, int status, const char *out, const char *err)
{
    if (r.status != status || (out && strcmp(r.out, out) != 0) || (err && strcmp(r.err, err) != 0))
        fail_msg("status %d\n--- stdout\n%s--- expected\n%s--- stderr\n%s--- expected\n%s",
                 r.status, r.out, out ? out : "(anything)\n", r.err, err ? err : "(anything)\n");
    ran_free(&r);
}

static void expect_part(struct ran r, int status, const char *part)
{
    if (r.status != status || (!strstr(r.out, part) && !strstr(r.err, part)))
        fail_msg("status %d\n--- stdout\n%s--- stderr\n%s--- expected: %s", r.status, r.out, r.err,
                 part);
    ran_free(&r);
}

static void expect_requests(const char *lines)
{
    char *got = fake_burstd_stop();

    if (strcmp(got, lines) != 0)
        fail_msg("requests:\n%s--- expected:\n%s", got, lines);
    free(got);
}

static int setup(void **state)
{
    const char *build = getenv("builddir");

    snprintf(dir, sizeof(dir), "/tmp/burst-cmd-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(sock, sizeof(sock), "%s/burstd.sock", dir);
    snprintf(program, sizeof(program), "%s/burst", build ? build : ".");
    setenv("BURST_SOCKET", sock, 1);
    setenv("BURST_CONF", "/nonexistent/burst.yaml", 1);
    setenv("TZ", "UTC", 1);
    unsetenv("BURST_LIBEXECDIR");
    return 0;
}

static int teardown(void **state)
{
    const char *const argv[] = {"/bin/rm", "-rf", dir, NULL};
    struct ran r = run(argv);

    ran_free(&r);
    free(fake_burstd_stop());
    return 0;
}

// --- jobs and nodes

// 1764583331 = 2025-12-01T10:02:11Z.
#define JOB_7                                                                                      \
    "{\"job\":\"7\",\"job_id\":7,\"name\":\"train\",\"user\":\"alice\",\"uid\":1000,\"account\":"  \
    "\"lab\",\"partition\":\"aws\",\"origin\":\"main\",\"state\":\"running\",\"reason\":\"the "    \
    "local nodes are full\",\"submit\":1764583331,\"started\":1764583391,\"ended\":0,\"cloud\":"   \
    "\"aws\",\"region\":\"us-east-1\",\"zone\":\"us-east-1a\",\"instance_type\":\"p4d.24xlarge\"," \
    "\"market\":\"spot\",\"nodes\":[\"aws-a100x2-001\",\"aws-a100x2-002\"],"                       \
    "\"price_uusd_per_hour\":12345600,\"cost_uusd\":42100,\"max_cost_uusd\":5000000,"              \
    "\"deadline\":0,\"restarts\":1,\"mode\":\"auto\",\"shape\":\"a100x2\",\"history\":null}"
#define JOB_123_4                                                                                  \
    "{\"job\":\"123_4\",\"job_id\":130,\"name\":\"e\\u001b[2Jvil\",\"user\":\"bob\",\"uid\":1001," \
    "\"account\":\"lab\",\"partition\":null,\"origin\":\"main\",\"state\":\"watching\","           \
    "\"reason\":"                                                                                  \
    "\"\",\"submit\":1764583331,\"cloud\":null,\"region\":null,\"zone\":null,\"instance_type\":"   \
    "null,\"market\":null,\"nodes\":[],\"price_uusd_per_hour\":0,\"cost_uusd\":0,"                 \
    "\"max_cost_uusd\":null,\"deadline\":0,\"restarts\":0,\"mode\":\"auto\",\"shape\":null}"

static void jobs_are_a_table(void **state)
{
    const struct fake_answer script[] = {{"jobs", OK("[" JOB_123_4 "," JOB_7 "]")}, {0}};

    fake_burstd_start(sock, script);
    expect(
        burst("jobs", NULL), 0,
        "JOBID  NAME      USER   STATE     PLACE           TYPE          MARKET  NODES     COST  "
        "REASON\n"
        "7      train     alice  running   aws us-east-1a  p4d.24xlarge  spot        2  "
        "$0.0421  the local nodes are full\n"
        "123_4  e?[2Jvil  bob    watching  -               -             -           0  "
        "  $0.00  -\n",
        "");
    expect_requests("{\"method\":\"jobs\",\"params\":{\"all\":false}}\n");
}

static void formats_are_those_of_squeue(void **state)
{
    const struct fake_answer script[] = {{"jobs", OK("[" JOB_123_4 "," JOB_7 "]")}, {0}};

    fake_burstd_start(sock, script);
    expect(burst("jobs", "-o", "%.6i|%4j|%T|%%", NULL), 0,
           " JOBID|NAME|STATE|%\n     7|trai|running|%\n 123_4|e?[2|watching|%\n", "");
    expect(
        burst("jobs", "-h", "--states=RUNNING,done", "-O", "jobid:6,CLOUD:.5|,nodelist:40", NULL),
        0, "7       aws|aws-a100x2-001,aws-a100x2-002\n", "");
    expect(burst("jobs", "-h", "-u", "bob,carol", "-o", "%i", NULL), 0, "123_4\n", "");
    expect(burst("jobs", "-h", "-c", "gcp", "-o", "%i", NULL), 0, "", "");
    expect(burst("jobs", "-h", "-O", "submittime,starttime:19", "--states", "running", NULL), 0,
           "2025-12-01T10:02:11 2025-12-01T10:03:11\n", "");
    expect_part(burst("jobs", "-o", "%q", NULL), 2, "there is no column %q; there are %i %A");
    expect_part(burst("jobs", "-o", "%8", NULL), 2, "the format ends inside a column");
    expect_part(burst("jobs", "-O", "colour", NULL), 2,
                "there is no column \"colour\"; there are "
                "jobid rawjobid");
    free(fake_burstd_stop());
}

static void one_job_and_json(void **state)
{
    const struct fake_answer script[] = {{"jobs", OK("[" JOB_7 "]")}, {"jobs", OK("[]")}, {0}};

    fake_burstd_start(sock, script);
    struct ran r = burst("jobs", "--json", "--all", "7", NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "\"cost_uusd\":\t42100"));
    ran_free(&r);
    expect(burst("jobs", "-h", "8", NULL), 1, "", "burst: burstd knows no job 8 of yours\n");
    expect_requests("{\"method\":\"jobs\",\"params\":{\"all\":true,\"job\":\"7\"}}\n"
                    "{\"method\":\"jobs\",\"params\":{\"all\":false,\"job\":\"8\"}}\n");
}

static void nodes_are_a_table(void **state)
{
    const struct fake_answer script[] = {
        {"nodes",
         OK("[{\"node\":null,\"instance\":\"demo-2\",\"cloud\":\"gcp\",\"region\":\"us-central1\","
            "\"zone\":\"b\",\"instance_type\":\"n1\",\"market\":\"on-demand\",\"state\":"
            "\"launching\",\"job\":null,\"shape\":\"cpu2\",\"address\":null,"
            "\"price_uusd_per_hour\":500000,\"cost_uusd\":0,\"launched\":0,\"ended\":0,"
            "\"idle_since\":0,\"notice_at\":0,\"reason\":\"\"},"
            "{\"node\":\"aws-cpu2-001\",\"instance\":\"demo-1\",\"cloud\":\"aws\",\"region\":"
            "\"us-east-1\",\"zone\":null,\"instance_type\":\"c5\",\"market\":\"spot\",\"state\":"
            "\"idle\",\"job\":null,\"shape\":\"cpu2\",\"address\":\"10.0.0.9\","
            "\"price_uusd_per_hour\":1230000,\"cost_uusd\":2460000,\"launched\":1764583331,"
            "\"ended\":1764590531,\"idle_since\":1764583391,\"notice_at\":0,\"reason\":\"\"}]")},
        {0}};

    fake_burstd_start(sock, script);
    expect(burst("nodes", NULL), 0,
           "NODE          INSTANCE  STATE      JOB  PLACE              TYPE  MARKET      $/HOUR   "
           "COST  UPTIME    REASON\n"
           "aws-cpu2-001  demo-1    idle       -    aws us-east-1      c5    spot         $1.23  "
           "$2.46  02:00:00  -\n"
           "-             demo-2    launching  -    gcp us-central1/b  n1    on-demand  $0.5000  "
           "$0.00  -         -\n",
           "");
    expect(burst("nodes", "-h", "-c", "aws", "-o", "%N %o %C", NULL), 0,
           "aws-cpu2-001 10.0.0.9 $2.46\n", "");
    expect_part(burst("nodes", "aws", NULL), 2, "\"aws\" is one word too many");
    free(fake_burstd_stop());
}

static void nodes_that_failed(void **state)
{
    const struct fake_answer script[] = {
        {"nodes",
         OK("[{\"node\":null,\"instance\":\"demo-2\",\"cloud\":\"gcp\",\"region\":\"us\","
            "\"zone\":\"b\",\"instance_type\":\"n1\",\"market\":\"spot\",\"state\":\"gone\","
            "\"job\":null,\"shape\":\"cpu2\",\"address\":null,\"price_uusd_per_hour\":500000,"
            "\"cost_uusd\":9000,\"launched\":1764583331,\"ended\":1764583391,"
            "\"idle_since\":0,\"notice_at\":0,\"reason\":\"SSH does not answer\","
            "\"failure\":\"boot\"}]")},
        {0}};

    fake_burstd_start(sock, script);
    expect(burst("nodes", "--failed", NULL), 0,
           "ENDED                FAILURE  NODE  INSTANCE  PLACE     TYPE  MARKET  SHAPE     COST  "
           "UPTIME    REASON\n"
           "2025-12-01T10:03:11  boot     -     demo-2    gcp us/b  n1    spot    cpu2   $0.0090  "
           "00:01:00  SSH does not answer\n",
           "");
    expect_requests("{\"method\":\"nodes\",\"params\":{\"all\":false,\"failed\":true}}\n");
}

// --- status

static void status_is_one_screen(void **state)
{
    int64_t now = clock_now_s();
    // 2 h 3 min and half a minute: the test may take its time.
    char *answer = xasprintf(
        OK("{\"cluster\":\"demo\",\"version\":\"0.1.0\",\"started\":%" PRId64
           ",\"slurm\":{\"connected\":true,\"last_update\":%" PRId64 "},"
           "\"jobs\":{\"running\":1,\"watching\":12},\"instances\":{\"busy\":2,\"idle\":1},"
           "\"clouds\":[{\"cloud\":\"aws\",\"provider\":\"local\",\"ok\":true,\"message\":\"\","
           "\"nodes\":3,\"spend_today_uusd\":12300000,\"cap_day_uusd\":200000000,"
           "\"rate_uusd_per_hour\":37036800},{\"cloud\":\"gcp\",\"provider\":\"local\",\"ok\":"
           "false,\"message\":\"credentials refused\",\"nodes\":0,\"spend_today_uusd\":0,"
           "\"cap_day_uusd\":null,\"rate_uusd_per_hour\":0}],\"spool\":0,"
           "\"blocked\":[{\"cloud\":\"aws\",\"region\":\"us-east-1\",\"zone\":\"us-east-1b\","
           "\"instance_type\":\"p4d.24xlarge\",\"market\":\"spot\",\"until\":%" PRId64
           ",\"reason\":\"no capacity\"},{\"cloud\":\"gcp\",\"region\":null,\"zone\":null,"
           "\"instance_type\":\"a2\",\"market\":null,\"state\":\"half-open\",\"until\":%" PRId64
           ",\"reason\":\"quota\"},{\"cloud\":\"gcp\",\"region\":\"eu\",\"zone\":null,"
           "\"instance_type\":\"a2\",\"market\":\"spot\",\"state\":\"probing\",\"until\":%" PRId64
           ",\"reason\":\"quota\"}],\"rates\":[{\"cloud\":\"aws\",\"region\":\"us-east-1\","
           "\"zone\":\"us-east-1a\",\"instance_type\":\"p4d\",\"market\":\"spot\","
           "\"preemptions_per_hour\":0.0833333,\"preemptions\":2.0,\"hours\":12.04}],"
           "\"spend_today_uusd\":12300000,\"cap_day_uusd\":"
           "500000000,\"rate_uusd_per_hour\":37036800}"),
        now - 7410, now, now + 150, now + 90, now + 30);
    const struct fake_answer script[] = {
        {"status", answer}, {"jobs", OK("[" JOB_7 "," JOB_123_4 "]")}, {0}};

    fake_burstd_start(sock, script);
    expect(burst("status", NULL), 0,
           "Cluster demo, burstd 0.1.0 up for 2 h 3 min. Slurm answers.\n"
           "Jobs    1 running on rented nodes, 12 at home, may burst\n"
           "Nodes   2 busy, 1 idle\n"
           "Money   $37.04 an hour now, $12.30 today of at most $500.00\n"
           "\n"
           "CLOUD  NODES  $/HOUR   TODAY  CAP/DAY  HEALTH\n"
           "aws        3  $37.04  $12.30  $200.00  ok\n"
           "gcp        0   $0.00   $0.00        -  OUT: credentials refused\n"
           "\n"
           "Left alone for a while:\n"
           "  aws us-east-1b p4d.24xlarge spot for 2 min: no capacity\n"
           "  gcp a2 on any market, one node may try it, all in 1 min: quota\n"
           "  gcp eu a2 spot, one node tries it now: quota\n"
           "\n"
           "Spot nodes are taken back (where nothing was seen: every day is assumed):\n"
           "  aws us-east-1a p4d spot every 12 h (2.0 times in 12.0 h)\n"
           "\n"
           "JOBID  NAME   USER   STATE    PLACE           TYPE          MARKET  NODES  $/HOUR     "
           "COST  REASON\n"
           "7      train  alice  running  aws us-east-1a  p4d.24xlarge  spot        2  $12.35  "
           "$0.0421  the local nodes are full\n"
           "\n"
           "`burst why JOBID` tells more about a job.\n",
           "");
    free(fake_burstd_stop());
    free(answer);
}

static void status_says_what_is_in_the_way(void **state)
{
    const struct fake_answer script[] = {
        {"status",
         OK("{\"cluster\":\"demo\",\"version\":\"0.1.0\",\"started\":1764583331,\"slurm\":{"
            "\"connected\":true},\"jobs\":{},\"instances\":{},\"clouds\":[],\"spool\":0,"
            "\"spend_today_uusd\":0,\"rate_uusd_per_hour\":0,\"trouble\":[{\"kind\":\"stagerd\","
            "\"text\":\"burst-stagerd does not run\",\"mend\":\"systemctl start burst-stagerd\","
            "\"until\":0,\"fails\":true},{\"kind\":\"cap\",\"text\":\"cloud aws's cap of $5.00 a "
            "day is used up\",\"mend\":\"\",\"until\":1764583331,\"fails\":false}]}")},
        {"jobs", OK("[]")},
        {0}};

    fake_burstd_start(sock, script);
    expect_part(burst("status", NULL), 0,
                "Slurm answers.\n"
                "NOTHING NEW IS RENTED: burst-stagerd does not run.\n"
                "        systemctl start burst-stagerd\n"
                "Attention: cloud aws's cap of $5.00 a day is used up.\n"
                "Jobs    none that may burst\n");
    free(fake_burstd_stop());
}

static void status_shouts_when_slurm_is_silent(void **state)
{
    const struct fake_answer script[] = {
        {"status", OK("{\"cluster\":\"demo\",\"version\":\"0.1.0\",\"started\":1764583331,"
                      "\"slurm\":{\"connected\":false,\"last_update\":1764583331},\"jobs\":{},"
                      "\"instances\":{},\"clouds\":[],\"spool\":3,\"blocked\":[],"
                      "\"spend_today_uusd\":0,\"rate_uusd_per_hour\":0}")},
        {"jobs", OK("[]")},
        {0}};

    fake_burstd_start(sock, script);
    struct ran r = burst("status", NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "SLURM DOES NOT ANSWER since 2025-12-01 10:02:11: nothing new is "
                                  "rented.\n"
                                  "Jobs    none that may burst\n"
                                  "Nodes   none rented\n"
                                  "Money   $0.00 an hour now, $0.00 today\n"
                                  "Spool   3 calls of Slurm not worked on yet\n"));
    ran_free(&r);
    free(fake_burstd_stop());
}

// --- why

static void why_reads_like_a_colleague(void **state)
{
    const struct fake_answer script[] = {
        {"why",
         OK("{\"job\":" JOB_7 ",\"decisions\":[{\"time\":1764583332,\"objective\":\"cost\","
            "\"chosen\":{\"cloud\":\"aws\",\"region\":\"us-east-1\",\"zone\":\"us-east-1a\","
            "\"instance_type\":\"p4d.24xlarge\",\"market\":\"spot\",\"nodes\":2,\"hours\":1.5,"
            "\"compute_uusd\":37036800,\"transfer_uusd\":300000,\"total_uusd\":37336800},"
            "\"runners_up\":[{\"cloud\":\"gcp\",\"region\":\"us-central1\",\"zone\":"
            "\"us-central1-a\",\"instance_type\":\"a2-highgpu-2g\",\"market\":\"on-demand\","
            "\"nodes\":2,\"total_uusd\":44100000,\"more_uusd\":6763200,\"why\":\"dearer\"},{"
            "\"cloud\":\"azure\",\"region\":\"eastus\","
            "\"zone\":null,\"instance_type\":\"nd\",\"market\":\"spot\",\"total_uusd\":47336800,"
            "\"more_uusd\":10000000,\"why\":\"$10.00 more\"}],"
            "\"reason\":\"the local nodes are full\"}],"
            "\"attempts\":[{\"time\":1764583333,\"cloud\":\"aws\",\"region\":\"us-east-1\","
            "\"zone\":\"us-east-1b\",\"instance_type\":\"p4d.24xlarge\",\"market\":\"spot\","
            "\"result\":\"capacity\",\"message\":\"InsufficientCapacity\"},{\"time\":1764583334,"
            "\"cloud\":\"aws\",\"region\":\"us-east-1\",\"zone\":\"us-east-1a\","
            "\"instance_type\":\"p4d.24xlarge\",\"market\":\"spot\",\"result\":\"ok\","
            "\"message\":\"\"}],\"events\":[{\"time\":1764583391,\"text\":\"started\"}]}")},
        {0}};

    fake_burstd_start(sock, script);
    expect(burst("why", "7", NULL), 0,
           "Job 7 (train, alice) runs at aws us-east-1a p4d.24xlarge on the spot market "
           "(aws-a100x2-001, aws-a100x2-002) since 2025-12-01 10:03:11.\n"
           "Reason: the local nodes are full.\n"
           "It was submitted to partition main at 2025-12-01 10:02:11.\n"
           "It has cost $0.0421 so far, at $12.35 an hour; it may cost at most $5.00.\n"
           "It was restarted 1 time.\n"
           "\n"
           "What was decided:\n"
           "  2025-12-01 10:02:12  aws us-east-1a p4d.24xlarge on the spot market, 2 nodes for 1 h "
           "30 min: $37.34 (compute $37.04, moving data $0.3000)\n"
           "    Reason: the local nodes are full.\n"
           "    What lost:\n"
           "      gcp us-central1-a a2-highgpu-2g on demand: $44.10, $6.76 more - dearer\n"
           "      azure eastus nd on the spot market: $47.34 - $10.00 more\n"
           "\n"
           "What was tried:\n"
           "  2025-12-01 10:02:13  aws us-east-1b p4d.24xlarge on the spot market: the cloud has "
           "none left (InsufficientCapacity)\n"
           "  2025-12-01 10:02:14  aws us-east-1a p4d.24xlarge on the spot market: got it\n"
           "\n"
           "What happened:\n"
           "  2025-12-01 10:03:11  started\n",
           "");
    expect_requests("{\"method\":\"why\",\"params\":{\"job\":\"7\"}}\n");
}

// What a plan weighs against a purchase: nodes that are rented already, staying, repeated work.
#define WHY_ALTERNATIVES                                                                           \
    "{\"job\":" JOB_123_4 ",\"decisions\":[{\"time\":1764583332,\"objective\":\"cost\","           \
    "\"chosen\":{\"alternative\":\"local\",\"cloud\":null,\"nodes\":1,\"hours\":2,"                \
    "\"compute_uusd\":0,\"transfer_uusd\":0,\"waiting_uusd\":1500000,\"total_uusd\":1500000},"     \
    "\"runners_up\":[{\"alternative\":\"idle aws-a100x2\",\"cloud\":\"aws\",\"region\":"           \
    "\"us-east-1\",\"zone\":\"us-east-1a\",\"instance_type\":\"p4d.24xlarge\",\"market\":"         \
    "\"spot\",\"nodes\":2,\"compute_uusd\":1500000,\"transfer_uusd\":0,\"total_uusd\":1500000,"    \
    "\"more_uusd\":0,\"why\":\"same cost, later by name\"},{\"alternative\":\"idle gcp-cpu2\","    \
    "\"nodes\":1,\"compute_uusd\":1400000,\"total_uusd\":1400000,\"more_uusd\":-100000,\"why\":"   \
    "\"would be late by 2 h\"},{\"cloud\":\"gcp\",\"region\":\"us-central1\",\"zone\":"            \
    "\"us-central1-a\",\"instance_type\":\"a2\",\"market\":\"spot\",\"nodes\":1,"                  \
    "\"compute_uusd\":3000000,\"transfer_uusd\":1350000,\"restart_uusd\":250000,"                  \
    "\"total_uusd\":4600000,\"more_uusd\":3100000,\"why\":\"$3.10 more: data\"}],"                 \
    "\"reason\":\"waiting here costs less than renting\"},"                                        \
    "{\"time\":1764583392,\"chosen\":{\"cloud\":\"gcp\",\"region\":\"us-central1\",\"zone\":"      \
    "\"us-central1-a\",\"instance_type\":\"a2\",\"market\":\"spot\",\"nodes\":1,\"hours\":1,"      \
    "\"compute_uusd\":3000000,\"transfer_uusd\":1350000,\"restart_uusd\":250000,"                  \
    "\"total_uusd\":4600000},\"runners_up\":[{\"alternative\":\"local\",\"waiting_uusd\":"         \
    "9000000,\"total_uusd\":9000000,\"more_uusd\":4400000,\"why\":\"starts in 6 h\"}],"            \
    "\"reason\":\"the local cluster is full until tomorrow\"},"                                    \
    "{\"time\":1764583452,\"chosen\":null,\"runners_up\":[],\"reason\":\"every place is left "     \
    "alone "                                                                                       \
    "for a while\"}],\"attempts\":[],\"events\":[]}"

static void why_weighs_what_is_there_already(void **state)
{
    const struct fake_answer script[] = {{"why", OK(WHY_ALTERNATIVES)}, {0}};

    fake_burstd_start(sock, script);
    expect(burst("why", "123_4", NULL), 0,
           "Job 123_4 (e?[2Jvil, bob) is at home: it may leave the local cluster, but has no need "
           "to.\n"
           "It was submitted to partition main at 2025-12-01 10:02:11.\n"
           "\n"
           "What was decided:\n"
           "  2025-12-01 10:02:12  waiting for the site's own nodes: $1.50 (waiting $1.50)\n"
           "    Reason: waiting here costs less than renting.\n"
           "    What lost:\n"
           "      idle nodes that are rented already, aws us-east-1a p4d.24xlarge on the spot "
           "market: $1.50, the same - same cost, later by name\n"
           "      idle nodes that are rented already, gcp-cpu2: $1.40, $0.1000 less - would be "
           "late by 2 h\n"
           "      gcp us-central1-a a2 on the spot market: $4.60 (compute $3.00, moving data "
           "$1.35, expected restarts $0.2500) - $3.10 more: data\n"
           "  2025-12-01 10:03:12  gcp us-central1-a a2 on the spot market, 1 node for 1 h: $4.60 "
           "(compute $3.00, moving data $1.35, expected restarts $0.2500)\n"
           "    Reason: the local cluster is full until tomorrow.\n"
           "    What lost:\n"
           "      waiting for the site's own nodes: $9.00, $4.40 more (waiting $9.00) - starts in "
           "6 h\n"
           "  2025-12-01 10:04:12  no place\n"
           "    Reason: every place is left alone for a while.\n",
           "");
    struct ran r = burst("why", "--json", "123_4", NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "\"alternative\":\t\"idle aws-a100x2\""));
    assert_non_null(strstr(r.out, "\"waiting_uusd\":\t9000000"));
    assert_non_null(strstr(r.out, "\"restart_uusd\":\t250000"));
    ran_free(&r);
    free(fake_burstd_stop());
}

static void why_not_is_answered_too(void **state)
{
    const struct fake_answer script[] = {
        {"why", OK("{\"job\":" JOB_123_4 ",\"decisions\":[],\"attempts\":[],\"events\":[]}")},
        {"why", "{\"ok\":false,\"code\":\"not_found\",\"error\":\"burstd knows no job 9\"}"},
        {0}};

    fake_burstd_start(sock, script);
    expect(burst("why", "123_4", NULL), 0,
           "Job 123_4 (e?[2Jvil, bob) is at home: it may leave the local cluster, but has no need "
           "to.\n"
           "It was submitted to partition main at 2025-12-01 10:02:11.\n",
           "");
    expect(burst("why", "9", NULL), 1, "", "burst: burstd knows no job 9\n");
    expect(burst("why", NULL), 2, "", "burst why: which job?\nTry `burst why --help`.\n");
    free(fake_burstd_stop());
}

#define ATTEMPT(time, zone, result)                                                                \
    "{\"time\":17645" time ",\"cloud\":\"aws\",\"region\":\"us-east-1\",\"zone\":\"us-east-1" zone \
    "\",\"instance_type\":\"p4d\",\"market\":\"spot\",\"result\":\"" result                        \
    "\",\"message\":\"none\"}"
#define EVENT(time, text) "{\"time\":17645" time ",\"text\":\"" text "\"}"
#define NO_PLACE(time)                                                                             \
    "{\"time\":17645" time ",\"chosen\":null,\"runners_up\":[],\"reason\":\"all is full\"}"

static const char *const rounds[] = {
    "{\"ok\":true,\"result\":{\"job\":" JOB_123_4,
    ",\"decisions\":[" NO_PLACE("83332"),
    "," NO_PLACE("83392"),
    "],\"attempts\":[" ATTEMPT("83333", "a", "capacity"),
    "," ATTEMPT("83334", "b", "quota"),
    "," ATTEMPT("83393", "a", "capacity"),
    "," ATTEMPT("83394", "b", "quota"),
    "," ATTEMPT("83453", "a", "capacity"),
    "," ATTEMPT("83454", "a", "boot"),
    "],\"events\":[" EVENT("83333", "renting"),
    "," EVENT("83334", "full"),
    "," EVENT("83393", "renting"),
    "],\"array\":{\"array\":\"123\",\"tasks\":5,\"states\":{\"running\":2,\"watching\":3}}}}"};

// Three rounds in which two places refuse are told as one.
static void why_folds_rounds(void **state)
{
    char answer[8192] = "";
    const struct fake_answer script[] = {{"why", answer}, {0}};

    for (size_t k = 0; k < sizeof(rounds) / sizeof(rounds[0]); k++)
        strncat(answer, rounds[k], sizeof(answer) - strlen(answer) - 1);
    fake_burstd_start(sock, script);
    expect(
        burst("why", "123_4", NULL), 0,
        "Job 123_4 (e?[2Jvil, bob) is at home: it may leave the local cluster, but has no need "
        "to.\n"
        "It was submitted to partition main at 2025-12-01 10:02:11.\n"
        "It is a task of array 123; of its tasks burstd knows 5: 2 running, 3 watching (burst why "
        "123_N tells about each).\n"
        "\n"
        "What was decided:\n"
        "  2025-12-01 10:03:12  no place, 2 times since 2025-12-01 10:02:12\n"
        "    Reason: all is full.\n"
        "\n"
        "What was tried:\n"
        "  2025-12-01 10:03:14  aws us-east-1b p4d on the spot market: our quota there is used up "
        "(none), 2 times since 2025-12-01 10:02:14\n"
        "  2025-12-01 10:04:13  aws us-east-1a p4d on the spot market: the cloud has none left "
        "(none), 3 times since 2025-12-01 10:02:13\n"
        "  2025-12-01 10:04:14  aws us-east-1a p4d on the spot market: rented, but it never became "
        "ready (none)\n"
        "\n"
        "What happened:\n"
        "  2025-12-01 10:02:14  full\n"
        "  2025-12-01 10:03:13  renting, 2 times since 2025-12-01 10:02:13\n",
        "");
    struct ran r = burst("why", "--all", "123_4", NULL);
    assert_int_equal(r.status, 0);
    assert_null(strstr(r.out, " times since "));
    assert_non_null(strstr(r.out, "  2025-12-01 10:02:13  renting\n"));
    ran_free(&r);
    free(fake_burstd_stop());
}

#define UNMARKED(state, times)                                                                     \
    "{\"job\":{\"job\":\"26\",\"job_id\":26,\"name\":\"sim\",\"user\":\"bob\",\"uid\":1001,"       \
    "\"account\":\"\",\"partition\":\"main\",\"origin\":\"main\",\"state\":\"unmarked\","          \
    "\"slurm_state\":\"" state                                                                     \
    "\",\"reason\":\"--burst=never was asked for\",\"submit\":1764583331," times                   \
    ",\"node_list\":\"node[1-2]\",\"nodes\":[],\"cost_uusd\":0,\"restarts\":0},\"decisions\":[],"  \
    "\"attempts\":[],\"events\":[]}"

static void why_tells_of_jobs_that_nobody_marked(void **state)
{
    const struct fake_answer script[] = {
        {"why", OK(UNMARKED("PENDING", "\"started\":0,\"ended\":0"))},
        {"why", OK(UNMARKED("RUNNING", "\"started\":1764583391,\"ended\":0"))},
        {"why", OK(UNMARKED("COMPLETED", "\"started\":1764583391,\"ended\":1764583451"))},
        {0}};
    static const char more[] = "Reason: --burst=never was asked for.\n"
                               "It was submitted to partition main at 2025-12-01 10:02:11.\n";
    static const char *const first[] = {
        "Job 26 (sim, bob) waits for the site's own nodes; burstd does not look after it.\n",
        "Job 26 (sim, bob) runs on node[1-2] since 2025-12-01 10:03:11; burstd does not look after "
        "it.\n",
        "Job 26 (sim, bob) has ended (COMPLETED) at 2025-12-01 10:04:11; burstd did not look after "
        "it.\n"};

    fake_burstd_start(sock, script);
    for (size_t k = 0; k < 3; k++) {
        char *text = xasprintf("%s%s", first[k], more);
        expect(burst("why", "26", NULL), 0, text, "");
        free(text);
    }
    for (const char *const *word = (const char *const[]){"abc", "12a", "_4", "123_", "1+0", NULL};
         *word; word++)
        expect_part(burst("why", *word, NULL), 2,
                    "is no job number; write it as squeue does: 123, or 123_4 for a task");
    free(fake_burstd_stop());
}

// --- cost

static void cost_adds_up(void **state)
{
    const struct fake_answer script[] = {
        {"cost",
         OK("{\"rows\":[{\"key\":\"aws\",\"nodes\":2,\"seconds\":7200,\"busy_uusd\":2000000,"
            "\"overhead_uusd\":460000,\"transfer_uusd\":90000,\"total_uusd\":2550000},"
            "{\"key\":\"gcp\",\"nodes\":1,\"seconds\":60,\"busy_uusd\":0,"
            "\"overhead_uusd\":10000,\"transfer_uusd\":0,\"total_uusd\":10000}],"
            "\"total_uusd\":2560000}")},
        {0}};

    fake_burstd_start(sock, script);
    // 2026-12-01T00:00:00Z and 2026-12-02T06:30:00Z.
    expect(burst("cost", "-S", "2026-12-01", "--end=2026-12-02T06:30", NULL), 0,
           "CLOUD  NODES  NODE_TIME   JOBS  BOOT+IDLE  TRANSFER    TOTAL\n"
           "aws        2   02:00:00  $2.00    $0.4600   $0.0900    $2.55\n"
           "gcp        1   00:01:00  $0.00    $0.0100     $0.00  $0.0100\n"
           "all        3   02:01:00  $2.00    $0.4700   $0.0900    $2.56\n",
           "");
    expect(burst("cost", "-h", "--by", "user", "-S", "2026-12-01", "-o", "%k=%C", NULL), 0,
           "aws=$2.55\ngcp=$0.0100\n", "");
    expect_part(burst("cost", "--by", "colour", NULL), 2, "cannot sum by \"colour\"");
    expect_part(burst("cost", "-S", "yesterday", NULL), 2, "\"yesterday\" is no time");
    expect_part(burst("cost", "-S", "2026-12-02", "-E", "2026-12-01", NULL), 2,
                "the end lies before the start");
    expect_requests("{\"method\":\"cost\",\"params\":{\"by\":\"cloud\",\"start\":1796083200,"
                    "\"end\":1796193000}}\n"
                    "{\"method\":\"cost\",\"params\":{\"by\":\"user\",\"start\":1796083200}}\n");
}

// --- what operators change

static void operators_change_things(void **state)
{
    const struct fake_answer script[] = {
        {"drain", OK("{\"drained\":[\"aws-cpu2-001\"]}")},
        {"drain", OK("{\"drained\":[\"aws-cpu2-002\"]}")},
        {"drain", OK("{\"drained\":[]}")},
        {"drain", OK("{\"drained\":[\"gcp-cpu2-001\",\"gcp-cpu2-002\"]}")},
        {"drain", "{\"ok\":false,\"code\":\"denied\",\"error\":\"drain is for operators\"}"},
        {0}};

    fake_burstd_start(sock, script);
    expect(burst("drain", "aws-cpu2-[001-002]", NULL), 0,
           "no new jobs on: aws-cpu2-001 (ends when idle)\n"
           "no new jobs on: aws-cpu2-002 (ends when idle)\n",
           "");
    expect(burst("drain", "--cloud=aws", NULL), 0, "cloud aws has no rented nodes now\n", "");
    expect(burst("undrain", "-c", "gcp", NULL), 0, "takes jobs again: gcp-cpu2-001, gcp-cpu2-002\n",
           "");
    expect(burst("drain", "x", NULL), 1, "", "burst: drain is for operators\n");
    expect_part(burst("drain", "x[", NULL), 2, "burst: ");
    expect_part(burst("drain", NULL), 2, "which node?");
    expect_requests("{\"method\":\"drain\",\"params\":{\"node\":\"aws-cpu2-001\",\"undo\":false}}\n"
                    "{\"method\":\"drain\",\"params\":{\"node\":\"aws-cpu2-002\",\"undo\":false}}\n"
                    "{\"method\":\"drain\",\"params\":{\"cloud\":\"aws\",\"undo\":false}}\n"
                    "{\"method\":\"drain\",\"params\":{\"cloud\":\"gcp\",\"undo\":true}}\n"
                    "{\"method\":\"drain\",\"params\":{\"node\":\"x\",\"undo\":false}}\n");
}

static void terminate_takes_nodes_and_instances(void **state)
{
    static const char no[] =
        "{\"ok\":false,\"code\":\"not_found\",\"error\":\"no rented node of that name\"}";
    const struct fake_answer script[] = {
        {"terminate", OK("{\"terminating\":[\"demo-1\"]}")},
        {"terminate", no},
        {"terminate", OK("{\"terminating\":[\"demo-2\"]}")},
        {"terminate", "{\"ok\":false,\"code\":\"busy\",\"error\":\"it serves job 7\"}"},
        {"terminate", no},
        {"giveup", OK("{}")},
        {"reload", "{\"ok\":false,\"code\":\"invalid\",\"error\":\"burst.yaml:3: spil: unknown "
                   "key\\nburst.yaml:4: x\"}"},
        {0}};

    fake_burstd_start(sock, script);
    expect(burst("terminate", "aws-cpu2-001", "demo-2", NULL), 0,
           "terminating: demo-1\nterminating: demo-2\n", "");
    expect(burst("terminate", "aws-cpu2-003", NULL), 1, "",
           "burst: aws-cpu2-003: it serves job 7\n");
    expect(burst("terminate", "--force", "nosuch", NULL), 1, "",
           "burst: nosuch: no rented node of that name\n");
    expect(burst("giveup", "7", NULL), 0, "job 7: its results are no longer waited for\n", "");
    expect(burst("reload", NULL), 1, "",
           "burst: burst.yaml:3: spil: unknown key\nburst.yaml:4: x\n");
    expect_requests(
        "{\"method\":\"terminate\",\"params\":{\"node\":\"aws-cpu2-001\",\"force\":false}}\n"
        "{\"method\":\"terminate\",\"params\":{\"node\":\"demo-2\",\"force\":false}}\n"
        "{\"method\":\"terminate\",\"params\":{\"instance\":\"demo-2\",\"force\":false}}\n"
        "{\"method\":\"terminate\",\"params\":{\"node\":\"aws-cpu2-003\",\"force\":false}}\n"
        "{\"method\":\"terminate\",\"params\":{\"node\":\"nosuch\",\"force\":true}}\n"
        "{\"method\":\"terminate\",\"params\":{\"instance\":\"nosuch\",\"force\":true}}\n"
        "{\"method\":\"giveup\",\"params\":{\"job\":\"7\"}}\n"
        "{\"method\":\"reload\"}\n");
}

// --- bounds

#define BOUND_PLACE                                                                                \
    "{\"bound\":\"place:aws/us-east-1/us-east-1a/c6i.large/spot\",\"kind\":\"place\",\"key\":"     \
    "\"aws|us-east-1|us-east-1a|c6i.large|spot\",\"failures\":3,\"cause\":\"boot\",\"state\":"     \
    "\"closed\",\"since\":1764583331,\"until\":1764590531,\"reason\":\"no SSH in time\","          \
    "\"sentence\":\"place aws ... failed 3 times\"}"
#define BOUND_SHAPE                                                                                \
    "{\"bound\":\"shape:aws/cpu2\",\"kind\":\"shape\",\"key\":\"aws/cpu2\",\"failures\":1,"        \
    "\"cause\":\"join\",\"state\":\"probing\",\"since\":1764583331,\"until\":1764583331,"          \
    "\"reason\":\"slurmd is silent\",\"sentence\":\"x\"}"

static void bounds_are_listed(void **state)
{
    const struct fake_answer script[] = {{"bounds", OK("[" BOUND_SHAPE "," BOUND_PLACE "]")}, {0}};

    fake_burstd_start(sock, script);
    expect(
        burst("bounds", NULL), 0,
        "BOUND                                          STATE   CAUSE  FAILURES  SINCE           "
        "     UNTIL                REASON\n"
        "place:aws/us-east-1/us-east-1a/c6i.large/spot  closed  boot          3  "
        "2025-12-01T10:02:11  2025-12-01T12:02:11  no SSH in time\n",
        "");
    expect(burst("bounds", "-a", "-h", "-o", "%k %c %f %r", NULL), 0,
           "place boot 3 no SSH in time\nshape join 1 slurmd is silent\n", "");
    struct ran r = burst("bounds", "--json", NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "\"bound\":\t\"place:aws/us-east-1/us-east-1a/c6i.large/spot\""));
    assert_null(strstr(r.out, "shape:aws/cpu2")); // it is not closed
    ran_free(&r);
    expect_part(burst("bounds", "open", NULL), 2, "\"open\" is one word too many");
    free(fake_burstd_stop());
}

static void operators_reopen_bounds(void **state)
{
    const struct fake_answer script[] = {
        {"bounds_reopen", OK("{\"opened\":[\"shape:aws/cpu2\",\"shape:aws/big\"]}")},
        {"bounds_reopen", OK("{\"opened\":[\"site:staging\"]}")},
        {"bounds_reopen", "{\"ok\":false,\"code\":\"not_found\",\"error\":\"nothing that failed is "
                          "called x (see burst bounds --all)\"}"},
        {"bounds_reopen", OK("{\"opened\":[]}")},
        {0}};

    fake_burstd_start(sock, script);
    expect(burst("bounds", "reopen", "shape:aws/*", "site:staging", NULL), 0,
           "open again: shape:aws/cpu2\nopen again: shape:aws/big\nopen again: site:staging\n", "");
    expect(burst("bounds", "reopen", "x", NULL), 1, "",
           "burst: nothing that failed is called x (see burst bounds --all)\n");
    expect(burst("bounds", "reopen", "--all", NULL), 0, "nothing is closed\n", "");
    expect_part(burst("bounds", "reopen", NULL), 2, "burst bounds reopen: what? one of");
    expect_part(burst("bounds", "reopen", "--all", "x", NULL), 2, "\"x\" is one word too many");
    expect_requests("{\"method\":\"bounds_reopen\",\"params\":{\"bound\":\"shape:aws/*\"}}\n"
                    "{\"method\":\"bounds_reopen\",\"params\":{\"bound\":\"site:staging\"}}\n"
                    "{\"method\":\"bounds_reopen\",\"params\":{\"bound\":\"x\"}}\n"
                    "{\"method\":\"bounds_reopen\",\"params\":{\"all\":true}}\n");
}

// --- the frame

static void exit_codes_tell_what_went_wrong(void **state)
{
    expect_part(burst("status", NULL), 3, "burstd does not run here: nobody listens at ");
    expect_part(burst("stauts", NULL), 2, "did you mean \"status\"?");
    expect_part(burst("xyzzy", NULL), 2, "`burst help` lists them");
    expect_part(burst(NULL), 2, "usage: burst COMMAND");
    expect_part(burst("--json", "jobs", NULL), 2, "the command comes first");
    expect_part(burst("jobs", "--colour", NULL), 2, "burst jobs: unrecognized option '--colour'");
    expect_part(burst("help", NULL), 0, "usage: burst COMMAND");
    expect_part(burst("help", "why", NULL), 0, "usage: burst why");
    expect_part(burst("cost", "--help", NULL), 0, "usage: burst cost");
    expect_part(burst("version", NULL), 0, "slurm-burst ");
}

// --- slurm-conf

static const char two_clouds[] =
    "cluster: campus\n"
    "slurm: {conf: %s/slurm.conf}\n"
    "node_idle: 10m\n"
    "boot: {launch_timeout: 100s, ssh_timeout: 200s, join_timeout: 50s}\n"
    "shapes:\n"
    "  - {name: a100x2, gpu: a100, gpus: 2, cpus: 2, memory: 1000MiB, nodes: 16}\n"
    "  - {name: cpu2, cpus: 2, memory: 4GiB, nodes: 1}\n"
    "clouds:\n"
    "  - {name: aws, provider: local, endpoint: \"http://x\", credentials: /t}\n"
    "  - {name: gcp, provider: local, endpoint: \"http://x\", credentials: /t, partition: aws,\n"
    "     shapes: [cpu2]}\n"
    "  - {name: az, provider: local, endpoint: \"http://x\", credentials: /t, shapes: [cpu*]}\n";

static void put_conf(const char *slurm_conf)
{
    char *yaml = xasprintf(two_clouds, dir), *path = in_dir("burst.yaml");

    put("burst.yaml", yaml, 0644);
    setenv("BURST_CONF", path, 1);
    if (slurm_conf)
        put("slurm.conf", slurm_conf, 0644);
    free(yaml);
    free(path);
}

static void has_line(const char *text, const char *line)
{
    char *with_ends = xasprintf("\n%s\n", line);

    if (!strstr(text, with_ends))
        fail_msg("no line \"%s\" in:\n%s", line, text);
    free(with_ends);
}

static void slurm_conf_has_nodes_partitions_and_hooks(void **state)
{
    put_conf("ClusterName=campus\n");
    setenv("BURST_LIBEXECDIR", "/opt/burst", 1);
    struct ran r = burst("slurm-conf", "--slurm=22.05.8", NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    has_line(r.out, "ResumeProgram=/opt/burst/burst-resume");
    has_line(r.out, "ResumeFailProgram=/opt/burst/burst-resume-fail");
    has_line(r.out, "SuspendProgram=/opt/burst/burst-suspend");
    has_line(r.out, "PrologSlurmctld=/opt/burst/burst-prolog");
    has_line(r.out, "EpilogSlurmctld=/opt/burst/burst-epilog");
    has_line(r.out, "SuspendTime=INFINITE");
    has_line(r.out, "SlurmctldParameters=idle_on_node_suspend,cloud_reg_addrs,"
                    "power_save_interval=1,power_save_min_interval=0");
    has_line(r.out, "TreeWidth=65533");
    has_line(r.out, "PrivateData=cloud");
    has_line(r.out, "#JobSubmitPlugins=burst");
    // 95 % of 1000 and of 4096 MiB, rounded down.
    has_line(r.out, "NodeName=aws-a100x2-[001-016] CPUs=2 RealMemory=950 Gres=gpu:a100:2 "
                    "Feature=burst,aws,a100x2 Weight=1202 State=CLOUD");
    has_line(r.out, "NodeName=az-cpu2-001 CPUs=2 RealMemory=3891 Feature=burst,az,cpu2 "
                    "Weight=1002 State=CLOUD");
    // ResumeTimeout = 2 * (100 + 200 + 50); the shared partition has the nodes of both clouds.
    has_line(
        r.out,
        "PartitionName=aws Nodes=aws-a100x2-[001-016],aws-cpu2-001,gcp-cpu2-001 "
        "ExclusiveUser=YES Default=NO State=UP MaxTime=7-00:00:00 SuspendTime=600 SuspendTimeout=5 "
        "ResumeTimeout=700");
    has_line(r.out, "PartitionName=az Nodes=az-cpu2-001 ExclusiveUser=YES Default=NO State=UP "
                    "MaxTime=7-00:00:00 "
                    "SuspendTime=600 SuspendTimeout=5 ResumeTimeout=700");
    assert_non_null(strstr(r.out, "\n#     ElasticPartitions=aws,az\n"));
    ran_free(&r);
    // What later releases do by themselves is not asked of them.
    r = burst("slurm-conf", "--slurm=24.05.1", NULL);
    assert_null(strstr(r.out, "TreeWidth"));
    assert_null(strstr(r.out, "PrivateData"));
    assert_null(strstr(r.out, "cloud_reg_addrs"));
    ran_free(&r);
    expect_part(burst("slurm-conf", "--slurm=new", NULL), 2, "is no release of Slurm");
    r = burst("slurm-conf", "--gres", NULL);
    has_line(r.out, "NodeName=aws-a100x2-[001-016] Name=gpu Type=a100 File=/dev/nvidia[0-1]");
    assert_null(strstr(r.out, "cpu2"));
    ran_free(&r);
}

static void slurm_conf_respects_what_the_site_has(void **state)
{
    put("more.conf", "SlurmctldParameters=enable_configless # comment\nGresTypes=gpu,mps\n", 0644);
    put("ours.conf", "# slurm-burst: written by burst slurm-conf 0\nTreeWidth=7\n", 0644);
    put_conf("ClusterName=campus\n"
             "#PrologSlurmctld=/no/comment\n"
             "PrologSlurmctld=/site/prolog EpilogSlurmctld = \"/site/epilog\"\n"
             "JobSubmitPlugins=\\\nlua\n"
             "suspendtime=300\n"
             "CommunicationParameters=NoAddrCache\n"
             "NodeName=n1 SuspendProgram=/x\n"
             "PartitionName=main SuspendTime=20 SuspendRate=7\n"
             "Include more.conf\n"
             "Include ours.conf\n");
    setenv("BURST_LIBEXECDIR", "/opt/burst", 1);
    struct ran r = burst("slurm-conf", "--slurm=22.05", NULL);
    assert_int_equal(r.status, 0);
    has_line(r.out, "SlurmctldParameters=enable_configless,idle_on_node_suspend,cloud_reg_addrs,"
                    "power_save_interval=1,power_save_min_interval=0");
    has_line(r.out, "# slurm.conf has it: GresTypes=gpu,mps");
    has_line(r.out, "# slurm.conf has it: CommunicationParameters=NoAddrCache");
    has_line(r.out, "#PrologSlurmctld=/opt/burst/burst-prolog");
    has_line(r.out, "# ATTENTION: slurm.conf has PrologSlurmctld=/site/prolog already. Call from "
                    "it, with the same");
    has_line(r.out, "#EpilogSlurmctld=/opt/burst/burst-epilog");
    has_line(r.out, "#JobSubmitPlugins=lua,burst");
    has_line(r.out, "SuspendTime=INFINITE");
    has_line(r.out, "SuspendProgram=/opt/burst/burst-suspend");
    has_line(r.out, "SuspendRate=0");
    has_line(r.out, "TreeWidth=65533"); // our own include is not the site's wish
    ran_free(&r);
    setenv("BURST_CONF", "/nonexistent/burst.yaml", 1);
    expect(burst("slurm-conf", NULL), 1, "",
           "/nonexistent/burst.yaml: No such file or directory\n");
}

// --- check

static const char *const hooks[] = {"burst-resume", "burst-resume-fail", "burst-suspend",
                                    "burst-prolog", "burst-epilog",      "burst-slurm",
                                    "burst-solve",  "burst-ssh"};

// A site where everything is right but the plugin, which is no plugin.
static void put_site(void)
{
    const struct passwd *pw = getpwuid(geteuid());
    char *libexec = in_dir("libexec"), *path = in_dir("burst.yaml");
    burst_error_t err;
    char *yaml = xasprintf(
        "cluster: demo\n"
        "run_dir: %s/run\nstate_dir: %s/state\ncatalog_dir: %s/catalog\nslurm_user: %s\n"
        "slurm: {conf: %s/slurm.conf}\n"
        "ssh: {key: %s/id}\nmunge_key: %s/munge.key\n"
        "shapes: [{name: cpu2, cpus: 2, memory: 1GiB, nodes: 2}]\n"
        "clouds: [{name: aws, provider: local, endpoint: \"http://x\", credentials: %s/token}]\n",
        dir, dir, dir, pw->pw_name, dir, dir, dir, dir);

    for (const char *const *d =
             (const char *const[]){"run", "state", "catalog", "libexec", "plugins", "bin", NULL};
         *d; d++) {
        char *sub = in_dir(*d);
        assert_int_equal(fs_mkdirs(sub, 0755, &err), 0);
        free(sub);
    }
    put("burst.yaml", yaml, 0644);
    put("id", "key", 0600);
    put("id.pub", "key", 0644);
    put("munge.key", "key", 0600);
    put("token", "key", 0600);
    put("catalog/aws.csv",
        "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"
        "Region,AvailabilityZone\nc5.large,,,2,4,,0.085,0.03,us-east-1,us-east-1a\n",
        0644);
    put("catalog/egress.csv", "SrcCloud,SrcRegion,DstCloud,DstRegion,UpToGB,USDPerGB\n", 0644);
    put("plugins/job_submit_burst.so", "no ELF", 0644);
    for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
        char *hook = xasprintf("libexec/%s", hooks[i]);
        put(hook, "#!/bin/sh\n", 0755);
        free(hook);
    }
    setenv("BURST_CONF", path, 1);
    setenv("BURST_LIBEXECDIR", libexec, 1);
    char *slurm = xasprintf("SlurmUser=%s\nPluginDir=%s/plugins\nInclude slurm-burst.conf\n",
                            pw->pw_name, dir);
    put("slurm.conf", slurm, 0644);
    put("slurm-burst.conf", "", 0644);
    char *hostconf = xasprintf("RunDir=%s/run\nStateDir=%s/state\n", dir, dir);
    put("burst.conf", hostconf, 0644);
    free(hostconf);
    struct ran r = burst("slurm-conf", NULL);
    assert_int_equal(r.status, 0);
    char *include = xasprintf("%sJobSubmitPlugins=burst\n", r.out);
    put("slurm-burst.conf", include, 0644);
    ran_free(&r);
    free(include);
    free(slurm);
    free(yaml);
    free(libexec);
    free(path);
}

static void check_finds_a_sound_site_sound(void **state)
{
    put_site();
    struct ran r = burst("check", "--offline", NULL);
    if (r.status != 0)
        fail_msg("%s%s", r.out, r.err);
    has_line(r.out, "ok    cloud aws, shape cpu2: 1 instance type");
    has_line(r.out, "ok    slurm.conf has all settings");
    assert_null(strstr(r.out, "FAIL"));
    assert_non_null(strstr(r.out, "\nwarn  cannot look into "));
    ran_free(&r);
    r = burst("check", "--offline", "--json", NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "\"level\":\t\"ok\""));
    ran_free(&r);
}

static void check_names_what_is_wrong(void **state)
{
    static const struct {
        const char *file, *text;
        mode_t mode;
        const char *line;
    } cases[] = {
        {"munge.key", "key", 0644, "others may read it (mode 0644)"},
        {"token", "", 0600, "is empty - put the secret into it"},
        {"libexec/burst-prolog", "#!/bin/sh\n", 0775,
         "burst-prolog: others may write to it; Slurm refuses such programs - chmod go-w"},
        {"libexec/burst-ssh", "#!/bin/sh\n", 0644, "burst-ssh cannot be executed - chmod 755"},
        {"slurm-burst.conf", "TreeWidth=50\n", 0644,
         "FAIL  slurm.conf: SlurmctldParameters is not set."},
        {"slurm-burst.conf", "TreeWidth=50\n", 0644,
         "FAIL  slurm.conf: TreeWidth is 50. The controller speaks to rented nodes itself: they "
         "cannot resolve each other's names. - TreeWidth=65533"},
        {"catalog/aws.csv",
         "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"
         "Region,AvailabilityZone\nc5.small,,,1,4,,0.085,0.03,us-east-1,us-east-1a\n",
         0644, "warn  cloud aws offers nothing for shape cpu2"},
        {"burst.conf", "", 0644,
         "FAIL  plugin and hooks look for burstd in /run/burst, not in /tmp/"},
        {"burst.conf", "Rundir=/x\n", 0644, "FAIL  "},
        {"slurm.conf", "SlurmUser=somebody\n", 0644, "FAIL  Slurm runs as somebody, burst.yaml"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put_site();
        put(cases[i].file, cases[i].text, cases[i].mode);
        int status = strncmp(cases[i].line, "warn", 4) == 0 ? 0 : 1;
        expect_part(burst("check", "--offline", NULL), status, cases[i].line);
    }
    put_site();
    char *plugin = in_dir("plugins/job_submit_burst.so"), *state_dir = in_dir("state");
    assert_int_equal(unlink(plugin), 0);
    expect_part(burst("check", "--offline", NULL), 1, "FAIL  job_submit_burst.so is not in ");
    put_site();
    assert_int_equal(rmdir(state_dir), 0);
    expect_part(burst("check", "--offline", NULL), 1, " - install -d -o ");
    put("burst.yaml", "cluster: x\n", 0644);
    expect_part(burst("check", "--offline", NULL), 1, "clouds: is missing; it has no default");
    free(plugin);
    free(state_dir);
}

// What scontrol of 22.05.8 printed for a site set up by `burst slurm-conf`, shortened.
static void check_asks_slurm_and_burstd(void **state)
{
    const struct fake_answer script[] = {
        {"ping", OK("{\"version\":\"0.0.1\",\"pid\":1,\"started\":1,\"cluster\":\"other\"}")},
        {"status",
         OK("{\"slurm\":{\"connected\":true},\"clouds\":[{\"cloud\":\"aws\",\"ok\":"
            "false,\"message\":\"auth: 401\"}],\"trouble\":[{\"kind\":\"cap\",\"text\":"
            "\"the site's cap of $5.00 a day is used up\",\"mend\":\"wait\",\"until\":1,"
            "\"fails\":true},{\"kind\":\"site\",\"text\":\"site staging failed\","
            "\"mend\":\"burst bounds reopen site:staging\",\"until\":1,\"fails\":true}]}")},
        {0}};
    char *path = xasprintf("%s/bin:/usr/bin:/bin", dir), *old = xstrdup(getenv("PATH"));

    put_site();
    char *fake = xasprintf(
        "#!/bin/sh\n"
        "case \"$*\" in\n"
        "'show config') cat <<END\n"
        "Configuration data as of 2026-11-21T08:23:41\n"
        "CommunicationParameters = NoAddrCache\n"
        "EpilogSlurmctld         = %s/libexec/burst-epilog\n"
        "GresTypes               = gpu\n"
        "JobSubmitPlugins        = (null)\n"
        "PluginDir               = %s/plugins\n"
        "PrivateData             = accounts\n"
        "PrologSlurmctld         = %s/libexec/burst-prolog\n"
        "ResumeFailProgram       = %s/libexec/burst-resume-fail\n"
        "ResumeProgram           = %s/libexec/burst-resume\n"
        "ResumeRate              = 300 nodes/min\n"
        "SLURM_VERSION           = 22.05.8\n"
        "SlurmUser               = %s(64030)\n"
        "SlurmctldParameters     = idle_on_node_suspend,cloud_reg_addrs,power_save_interval=1,"
        "power_save_min_interval=0\n"
        "SuspendProgram          = %s/libexec/burst-suspend\n"
        "SuspendRate             = 0 nodes/min\n"
        "SuspendTime             = INFINITE\n"
        "TreeWidth               = 65533\n"
        "\n"
        "Slurmctld(primary) at controller is UP\n"
        "END\n"
        ";;\n"
        "'-o show partitions') echo 'PartitionName=main AllowGroups=ALL Nodes=node[1-2] X=Y'\n"
        "  echo 'PartitionName=aws AllowGroups=ALL Nodes=aws-cpu2-001 State=UP' ;;\n"
        "*) exit 9 ;;\n"
        "esac\n",
        dir, dir, dir, dir, dir, getpwuid(geteuid())->pw_name, dir);
    put("bin/scontrol", fake, 0755);
    setenv("PATH", path, 1);
    fake_burstd_start(sock, script);
    struct ran r = burst("check", NULL);
    assert_int_equal(r.status, 1);
    has_line(r.out, "ok    Slurm 22.05.8 answers");
    has_line(r.out, "warn  slurm.conf: ResumeRate is 300 nodes/min. No limit: burstd has capacity "
                    "in hand before Slurm asks for it. - ResumeRate=0");
    has_line(r.out, "warn  slurm.conf: PrivateData is accounts. Rented node names are shown while "
                    "they are powered down, too. - PrivateData=accounts,cloud");
    has_line(r.out, "FAIL  slurm.conf: JobSubmitPlugins is not set. Decides at submission which "
                    "jobs may leave. - JobSubmitPlugins=burst");
    has_line(r.out,
             "warn  Slurm's partition aws has ExclusiveUser=(nothing), burst.yaml says YES - "
             "write the include again (burst slurm-conf), scontrol reconfigure");
    has_line(r.out, "FAIL  Slurm's partition aws lacks node aws-cpu2-002 - write the include again "
                    "(burst slurm-conf), restart slurmctld");
    assert_non_null(strstr(r.out, "\nwarn  burstd is 0.0.1, this command is "));
    assert_non_null(strstr(r.out, "\nwarn  burstd runs with another burst.yaml (cluster other, not "
                                  "demo)"));
    char *mend =
        xasprintf("FAIL  burstd does not reach cloud aws: auth: 401 - put the right secret "
                  "into %s/token, then burst reload",
                  dir);
    has_line(r.out, mend);
    free(mend);
    has_line(r.out, "warn  the site's cap of $5.00 a day is used up - wait");
    has_line(r.out, "FAIL  site staging failed - burst bounds reopen site:staging");
    assert_non_null(strstr(r.out, "\nFAIL  burst-stagerd does not run"));
    ran_free(&r);
    put("bin/scontrol",
        "#!/bin/sh\necho 'slurm_load_ctl_conf error: Unable to contact slurm "
        "controller (connect failure)' >&2\nexit 1\n",
        0755);
    expect_part(burst("check", NULL), 1,
                "FAIL  Slurm: scontrol: slurm_load_ctl_conf error: Unable to contact slurm "
                "controller (connect failure) - start slurmctld");
    free(fake_burstd_stop());
    setenv("PATH", old, 1);
    free(fake);
    free(path);
    free(old);
}

// --- catalog

#define CATALOG_HEADER                                                                             \
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"       \
    "Region,AvailabilityZone\n"

static char *put_catalog(void)
{
    char *path = in_dir("catalog");
    burst_error_t err;

    assert_int_equal(fs_mkdirs(path, 0755, &err), 0);
    put("catalog/aws.csv",
        CATALOG_HEADER "p4d.24xlarge,A100,8,96,1152,,32.80,9.84,us-east-1,us-east-1a\n"
                       "p4de.24xlarge,A100-80GB,8,96,1152,,40.96,,us-east-1,us-east-1a\n"
                       "g4dn.xlarge,T4,1,4,16,,0.526,0.16,us-west-2,\n"
                       "m5.large,,,2,8,,0.096,0.035,eu-west-1,\n",
        0644);
    put("catalog/gcp.csv",
        CATALOG_HEADER "a2-highgpu-8g,A100,8,96,680,,29.36,8.8,us-central1,us-central1-a\n"
                       "n1-t4,T4,1,8,30,,0.73,0.25,europe-west4,\n",
        0644);
    return path;
}

static void catalog_lists_the_cheapest_first(void **state)
{
    char *path = put_catalog();

    expect(burst("catalog", "list", "--catalog", path, "-a", "A100-40GB", NULL), 0,
           "CLOUD  REGION       ZONE           INSTANCE       ACCELERATOR  COUNT  VCPUS  GIB   "
           "MARKET     $/HOUR   $/ACC/HOUR\n"
           "gcp    us-central1  us-central1-a  a2-highgpu-8g  A100         8      96     680   "
           "spot       8.8000   1.1000\n"
           "aws    us-east-1    us-east-1a     p4d.24xlarge   A100         8      96     1152  "
           "spot       9.8400   1.2300\n"
           "gcp    us-central1  us-central1-a  a2-highgpu-8g  A100         8      96     680   "
           "on-demand  29.3600  3.6700\n"
           "aws    us-east-1    us-east-1a     p4d.24xlarge   A100         8      96     1152  "
           "on-demand  32.8000  4.1000\n",
           "");
    free(path);
}

// Instance and market of each line, in order.
static char *listed(const char *path, const char *const *args)
{
    const char *argv[20] = {program, "catalog", "--catalog", path, "--noheader"};
    char type[64], market[32], words[4000] = "";

    for (int i = 0; args[i]; i++)
        argv[5 + i] = args[i];
    struct ran r = run(argv);
    if (r.status != 0)
        fail_msg("status %d: %s", r.status, r.err);
    for (const char *p = r.out; *p; p = strchr(p, '\n') + 1) {
        size_t len = strlen(words);
        assert_int_equal(sscanf(p, "%*s %*s %*s %63s %*s %*s %*s %*s %31s", type, market), 2);
        snprintf(words + len, sizeof(words) - len, "%s%s %s", len ? ", " : "", type, market);
    }
    ran_free(&r);
    return xstrdup(words);
}

static void catalog_filters(void **state)
{
    static const struct {
        const char *args[8], *lines;
    } cases[] = {
        {{"list", "-a", "t4"},
         "g4dn.xlarge spot, n1-t4 spot, g4dn.xlarge on-demand, n1-t4 on-demand"},
        {{"list", "-a", "nvidia-tesla-t4", "-m", "spot"}, "g4dn.xlarge spot, n1-t4 spot"},
        {{"list", "-a", "a100*", "-m", "on-demand"},
         "a2-highgpu-8g on-demand, p4d.24xlarge on-demand, p4de.24xlarge on-demand"},
        {{"list", "-a", "a100-80g"}, "p4de.24xlarge on-demand"},
        {{"list", "-a", "none"}, "m5.large spot, m5.large on-demand"},
        {{"list", "-n", "2", "-m", "spot"}, "a2-highgpu-8g spot, p4d.24xlarge spot"},
        {{"list", "--vcpus", "8", "--max-price", "1"}, "n1-t4 spot, n1-t4 on-demand"},
        {{"list", "--memory", "681", "-m", "on-demand"},
         "p4d.24xlarge on-demand, p4de.24xlarge on-demand"},
        {{"list", "--region", "us-*", "-m", "spot"},
         "g4dn.xlarge spot, a2-highgpu-8g spot, p4d.24xlarge spot"},
        {{"list", "--region", "EU*"},
         "m5.large spot, m5.large on-demand, n1-t4 spot, n1-t4 on-demand"},
        {{"list", "--cloud", "gcp", "--zone", "us-central1-?"},
         "a2-highgpu-8g spot, a2-highgpu-8g on-demand"},
        {{"list", "--max-price", "0.16"}, "m5.large spot, m5.large on-demand, g4dn.xlarge spot"},
        {{"list", "--sort", "per", "-n", "1", "--limit", "3"},
         "g4dn.xlarge spot, n1-t4 spot, g4dn.xlarge on-demand"},
        {{"list", "--sort", "memory", "--limit", "2"}, "p4d.24xlarge on-demand, p4d.24xlarge spot"},
        {{"list", "--sort", "vcpus", "--cloud", "gcp", "-m", "spot"},
         "a2-highgpu-8g spot, n1-t4 spot"},
        {{"show", "p4d*"}, "p4d.24xlarge spot, p4d.24xlarge on-demand, p4de.24xlarge on-demand"},
        {{"show", "m5.large", "-m", "spot"}, "m5.large spot"},
    };
    char *path = put_catalog();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *got = listed(path, cases[i].args);
        if (strcmp(got, cases[i].lines) != 0)
            fail_msg("case %zu: %s; expected %s", i, got, cases[i].lines);
        free(got);
    }
    struct ran r = burst("catalog", "show", "--catalog", path, "--json", "p4de.24xlarge", NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "\"accelerator\":\t\"A100-80GB\""));
    assert_non_null(strstr(r.out, "\"accelerator_count\":\t8"));
    assert_non_null(strstr(r.out, "\"price_uusd_per_hour\":\t40960000"));
    ran_free(&r);
    expect_part(burst("catalog", "list", "--catalog", path, "-a", "H100", NULL), 1, "nothing in ");
    expect_part(burst("catalog", "list", "--catalog", path, "--sort", "age", NULL), 2,
                "--sort takes price, per, cloud, type, memory or vcpus");
    expect_part(burst("catalog", "list", "--catalog", path, "--vcpus", "-1", NULL), 2,
                "--vcpus takes a number of at least 0, not \"-1\"");
    expect_part(burst("catalog", "show", "--catalog", path, NULL), 2, "show needs an instance");
    expect_part(burst("catalog", "lst", NULL), 2, "the verbs are list, show, check and update");
    expect_part(burst("catalog", "list", "--catalog", "/nonexistent", NULL), 1,
                "catalog directory /nonexistent: No such file or directory");
    free(path);
}

static void catalog_check_names_file_and_line(void **state)
{
    char *path = put_catalog();

    expect(burst("catalog", "check", "--catalog", path, NULL), 0,
           "2 clouds, 6 offers in use; 0 rows refused, 0 quarantined\n", "");
    put("catalog/gcp.csv",
        CATALOG_HEADER "a,T4,1,8,30,,0.70,0.25,r,\nb,T4,1,8,30,,0.1,0.25,r,\n"
                       "c,T4,1,8,30,,nan,,r,\nd,T4,1,8,30,,0.71,,r,\ne,T4,1,8,30,,0.3,,r,\n",
        0644);
    put("catalog/notes.csv", "a,b\n", 0644);
    expect(burst("catalog", "check", "--catalog", path, NULL), 1,
           "gcp.csv:3: refused: on-demand price 0.1 is below the spot price 0.25\n"
           "gcp.csv:4: refused: Price \"nan\" is not a number\n"
           "gcp.csv:6: quarantined: on-demand price of $0.3000 per T4 is under 0.6 of this cloud's "
           "median of $0.7000; not used\n"
           "notes.csv: skipped: not read: the header has no column InstanceType\n"
           "2 clouds, 6 offers in use; 2 rows refused, 1 quarantined\n",
           "");
    struct ran r = burst("catalog", "check", "--json", "--catalog", path, NULL);
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.out, "\"file\":\t\"gcp.csv\""));
    assert_non_null(strstr(r.out, "\"line\":\t4"));
    assert_non_null(strstr(r.out, "\"quarantined\":\t1"));
    ran_free(&r);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(jobs_are_a_table),
        T(formats_are_those_of_squeue),
        T(one_job_and_json),
        T(nodes_are_a_table),
        T(nodes_that_failed),
        T(status_is_one_screen),
        T(status_says_what_is_in_the_way),
        T(status_shouts_when_slurm_is_silent),
        T(why_reads_like_a_colleague),
        T(why_weighs_what_is_there_already),
        T(why_not_is_answered_too),
        T(why_folds_rounds),
        T(why_tells_of_jobs_that_nobody_marked),
        T(cost_adds_up),
        T(operators_change_things),
        T(terminate_takes_nodes_and_instances),
        T(bounds_are_listed),
        T(operators_reopen_bounds),
        T(exit_codes_tell_what_went_wrong),
        T(slurm_conf_has_nodes_partitions_and_hooks),
        T(slurm_conf_respects_what_the_site_has),
        T(check_finds_a_sound_site_sound),
        T(check_names_what_is_wrong),
        T(check_asks_slurm_and_burstd),
        T(catalog_lists_the_cheapest_first),
        T(catalog_filters),
        T(catalog_check_names_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
