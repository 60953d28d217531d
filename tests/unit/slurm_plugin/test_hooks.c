// SPDX-License-Identifier: GPL-3.0-or-later
// Tests of the programs that slurmctld starts, run as it runs them: standard descriptors closed,
// next to nothing in the environment, burstd there, not there, or dying.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "slurm_plugin/hostconf.h"
#include "slurm_plugin/snapshot.h"

static char *bindir, dir[64], conf[96], slurm_conf[128];
static burst_error_t err;

// ---- helpers

static const char *in_dir(const char *name)
{
    static char path[4][160];
    static int next;

    next = (next + 1) % 4;
    snprintf(path[next], sizeof(path[next]), "%s/%s", dir, name);
    return path[next];
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void configure(const char *extra)
{
    char text[512];

    snprintf(text, sizeof(text), "# test\nRunDir=%s\n StateDir = %s/state/ \n%s", dir, dir, extra);
    write_text(conf, text);
}

// Starts a hook as slurmctld 22.05 does: no descriptor below 3, nothing in the environment but what
// is given and SLURM_CONF.
static pid_t start(const char *program, const char *arg, char *const *env)
{
    char path[4200];
    char *argv[] = {(char *)program, (char *)arg, NULL}, *envp[8] = {slurm_conf};
    pid_t pid;

    for (int i = 0; env && env[i]; i++)
        envp[i + 1] = env[i];
    snprintf(path, sizeof(path), "%s/%s", bindir, program);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int fd = 0; fd < 64; fd++)
            close(fd);
        execve(path, argv, envp);
        _exit(127);
    }
    return pid;
}

static int status_of(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int run(const char *program, const char *arg, char *const *env)
{
    return status_of(start(program, arg, env));
}

// The one file in the spool: its name and content; it is removed.
static cJSON *take_spooled(char name[128])
{
    char path[400], *text;
    size_t len;
    struct stat st;
    DIR *d = opendir(in_dir("state/spool"));
    int n = 0;

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, 128, "%.127s", e->d_name);
        n++;
    }
    closedir(d);
    assert_int_equal(n, 1);
    snprintf(path, sizeof(path), "%s/state/spool/%s", dir, name);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(fs_read(path, 1 << 20, &text, &len, &err), 0);
    cJSON *j = json_parse(text, len, &err);
    assert_non_null(j);
    free(text);
    unlink(path);
    return j;
}

// Checks that the message is this one, whatever its time, which must be now.
static void spooled(const char *kind, const char *hosts, const char *jobs)
{
    char name[128], text[256], want[256];
    long long ns, pid;
    int end = 0;
    cJSON *j = take_spooled(name);

    assert_true(llabs(json_i64(j, "time", 0) - clock_now_s()) < 60);
    cJSON_DeleteItemFromObject(j, "time");
    char *line = json_line(j);
    snprintf(text, sizeof(text), "%s", line);
    free(line);
    cJSON_Delete(j);
    snprintf(want, sizeof(want), "{\"kind\":\"%s\",\"hosts\":\"%s\",\"jobs\":%s}", kind, hosts,
             jobs);
    assert_string_equal(text, want);
    assert_memory_equal(name, kind, strlen(kind));
    assert_int_equal(sscanf(name + strlen(kind), "-%lld-%lld.json%n", &ns, &pid, &end), 2);
    assert_true(end > 0 && name[strlen(kind) + (size_t)end] == '\0');
    assert_true(llabs(ns / 1000000 - clock_mono_ms()) < 60000);
}

static int fresh(void **state)
{
    configure("");
    return 0;
}

static void remove_snapshot(void)
{
    unlink(in_dir("snapshot"));
}

// A site with partition main and elastic aws; withdrawn, as after the end of burstd.
static void publish(void)
{
    static struct snapshot s;
    struct snapshot_writer *w = snapshot_writer_create(in_dir("snapshot"), &err);

    assert_non_null(w);
    snapshot_init(&s);
    s.body.n_partitions = 2;
    snapshot_set(s.body.partition[0].name, SNAPSHOT_NAME, "main");
    snapshot_set(s.body.partition[1].name, SNAPSHOT_NAME, "aws");
    s.body.partition[1].elastic = 1;
    assert_int_equal(snapshot_publish(w, &s, &err), 0);
    snapshot_writer_destroy(w);
}

// ---- burst-resume, burst-resume-fail, burst-suspend

static void resume_in_the_spelling_of_22_05(void **state)
{
    char var[200];
    char *env[] = {var, NULL};

    snprintf(var, sizeof(var), "SLURM_RESUME_FILE=%s", in_dir("resume"));
    write_text(in_dir("resume"), "{\"jobs\":[{\"job_id\":3,\"nodes\":\"aws-a100x2-[01-02]\"},"
                                 "{\"job_id\":4,\"nodes\":\"aws-a100x2-03\"}],"
                                 "\"all_nodes\":\"aws-a100x2-[01-03]\"}");
    assert_int_equal(run("burst-resume", "aws-a100x2-[01-03]", env), 0);
    spooled("resume", "aws-a100x2-[01-03]",
            "[{\"job_id\":3,\"nodes\":\"aws-a100x2-[01-02]\"},"
            "{\"job_id\":4,\"nodes\":\"aws-a100x2-03\"}]");
}

static void resume_in_the_spelling_of_23_02(void **state)
{
    char var[200];
    char *env[] = {var, NULL};

    snprintf(var, sizeof(var), "SLURM_RESUME_FILE=%s", in_dir("resume"));
    write_text(
        in_dir("resume"),
        "{\"all_nodes_resume\":\"aws-1\",\"jobs\":[{\"extra\":null,\"job_id\":140814,"
        "\"features\":\"c1,c2\",\"nodes_alloc\":\"aws-[1-4]\",\"nodes_resume\":\"aws-[1,3]\","
        "\"oversubscribe\":\"OK\",\"partition\":\"aws\",\"reservation\":null},"
        "{\"job_id\":7,\"nodes_resume\":\"aws-2\"}]}");
    assert_int_equal(run("burst-resume", "aws-[1,3]", env), 0);
    spooled("resume", "aws-[1,3]",
            "[{\"job_id\":140814,\"nodes\":\"aws-[1-4]\"},{\"job_id\":7,\"nodes\":\"aws-2\"}]");
}

// Whatever is wrong with the resume file, the nodes are handed over.
static void resume_file_of_any_kind(void **state)
{
    const char *texts[] = {"",
                           "{",
                           "null",
                           "[]",
                           "{\"jobs\":7}",
                           "{\"jobs\":[7,null,{},[],{\"job_id\":\"x\",\"nodes\":\"n\"},"
                           "{\"job_id\":-1,\"nodes\":\"n\"},{\"job_id\":1e99,\"nodes\":\"n\"},"
                           "{\"job_id\":1.5,\"nodes\":\"n\"},{\"job_id\":8}]}",
                           "{\"jobs\":[]}",
                           "\xff\xfe garbage \x01"};
    char var[200];
    char *env[] = {var, NULL};

    snprintf(var, sizeof(var), "SLURM_RESUME_FILE=%s", in_dir("resume"));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_text(in_dir("resume"), texts[i]);
        assert_int_equal(run("burst-resume", "n1", env), 0);
        spooled("resume", "n1", "[]");
    }
    unlink(in_dir("resume"));
    assert_int_equal(run("burst-resume", "n1", env), 0);
    spooled("resume", "n1", "[]");
    assert_int_equal(mkfifo(in_dir("resume"), 0600), 0);
    assert_int_equal(run("burst-resume", "n1", env), 0);
    spooled("resume", "n1", "[]");
    unlink(in_dir("resume"));
    snprintf(var, sizeof(var), "SLURM_RESUME_FILE=%s", dir);
    assert_int_equal(run("burst-resume", "n1", env), 0);
    spooled("resume", "n1", "[]");
    assert_int_equal(run("burst-resume", "n1", NULL), 0);
    spooled("resume", "n1", "[]");
}

// More jobs than burstd reads in one file: the nodes still arrive.
static void resume_file_that_is_huge(void **state)
{
    char var[200];
    char *env[] = {var, NULL};
    FILE *f = fopen(in_dir("resume"), "w");

    fprintf(f, "{\"jobs\":[");
    for (int i = 1; i < 120000; i++)
        fprintf(f, "{\"job_id\":%d,\"nodes\":\"aws-a100x2-[0001-0100]\"},", i);
    fprintf(f, "{\"job_id\":1,\"nodes\":\"x\"}]}");
    fclose(f);
    snprintf(var, sizeof(var), "SLURM_RESUME_FILE=%s", in_dir("resume"));
    assert_int_equal(run("burst-resume", "n1", env), 0);
    spooled("resume", "n1", "[]");
    unlink(in_dir("resume"));
}

static void other_kinds(void **state)
{
    char var[200];
    char *env[] = {var, NULL};

    snprintf(var, sizeof(var), "SLURM_RESUME_FILE=%s", in_dir("resume"));
    write_text(in_dir("resume"), "{\"jobs\":[{\"job_id\":3,\"nodes\":\"n1\"}]}");
    assert_int_equal(run("burst-suspend", "aws-[1-2],gcp-7", env), 0);
    spooled("suspend", "aws-[1-2],gcp-7", "[]");
    assert_int_equal(run("burst-resume-fail", "aws-1", env), 0);
    spooled("resume_fail", "aws-1", "[]");
    unlink(in_dir("resume"));
}

static void without_nodes_or_spool(void **state)
{
    assert_int_equal(run("burst-resume", NULL, NULL), 1);
    assert_int_equal(run("burst-suspend", "", NULL), 1);
    char text[256];
    snprintf(text, sizeof(text), "RunDir=%s\nStateDir=/proc/1/nothing\n", dir);
    write_text(conf, text);
    assert_int_equal(run("burst-resume", "n1", NULL), 1);
}

static void burstd_is_told(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char got[32] = "";

    snprintf(a.sun_path, sizeof(a.sun_path), "%s/poke.sock", dir);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(run("burst-suspend", "n1", NULL), 0);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 5);
    assert_string_equal(got, "spool");
    spooled("suspend", "n1", "[]");
    close(fd);
    unlink(a.sun_path);
}

// ---- burst-prolog, burst-epilog

// A burstd that answers each connection with the next of its lines; "" hangs up.
struct server {
    int listener;
    pthread_t thread;
    const char **answers;
    char requests[1024];
};

static void *serve(void *arg)
{
    struct server *s = arg;

    for (const char **a = s->answers; *a; a++) {
        char line[512] = "";
        int fd = accept(s->listener, NULL, NULL);
        FILE *in = fdopen(fd, "r+");
        if (fgets(line, sizeof(line), in)) {
            size_t n = strlen(s->requests);
            snprintf(s->requests + n, sizeof(s->requests) - n, "%s", line);
            send(fd, *a, strlen(*a), MSG_NOSIGNAL);
        }
        fclose(in);
    }
    return NULL;
}

static void start_server(struct server *s, const char **answers)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    memset(s, 0, sizeof(*s));
    s->answers = answers;
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/burstd.sock", dir);
    unlink(a.sun_path);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop_server(struct server *s)
{
    pthread_join(s->thread, NULL);
    close(s->listener);
    unlink(in_dir("burstd.sock"));
}

static char job_id[] = "SLURM_JOB_ID=7", nodes[] = "SLURM_JOB_NODELIST=aws-[1-2]",
            aws[] = "SLURM_JOB_PARTITION=aws", local[] = "SLURM_JOB_PARTITION=main";
static char *aws_job[] = {job_id, nodes, aws, NULL}, *local_job[] = {job_id, nodes, local, NULL};

static int ask(const char *program, const char **answers, char requests[1024])
{
    struct server s;

    start_server(&s, answers);
    int rc = run(program, NULL, aws_job);
    stop_server(&s);
    memcpy(requests, s.requests, 1024);
    return rc;
}

static void not_our_business(void **state)
{
    // burstd is down in all of these: a hook that asked would wait for 900 s
    remove_snapshot();
    assert_int_equal(run("burst-prolog", NULL, aws_job), 0);
    assert_int_equal(run("burst-epilog", NULL, aws_job), 0);
    publish();
    assert_int_equal(run("burst-prolog", NULL, local_job), 0);
    assert_int_equal(run("burst-epilog", NULL, local_job), 0);
    char *nothing[] = {NULL};
    assert_int_equal(run("burst-prolog", NULL, nothing), 0);
    assert_int_equal(run("burst-epilog", NULL, nothing), 0);
}

static void prolog_waits_for_the_answer(void **state)
{
    char requests[1024];
    const char *ready[] = {"{\"ok\":true,\"result\":{\"ready\":true}}\n", NULL};
    const char *never[] = {"{\"ok\":true,\"result\":{\"ready\":false,\"reason\":\"requeued\"}}\n",
                           NULL};
    const char *denied[] = {"{\"ok\":false,\"code\":\"denied\",\"error\":\"who are you\"}\n", NULL};
    const char *dying[] = {"",
                           "{\"ok\":true,",
                           "garbage\n",
                           "{\"ok\":false,\"code\":\"busy\",\"error\":\"later\"}\n",
                           "{\"ok\":true,\"result\":{\"ready\":true}}\n",
                           NULL};

    publish();
    assert_int_equal(ask("burst-prolog", ready, requests), 0);
    assert_string_equal(
        requests, "{\"method\":\"job_ready\",\"params\":{\"job_id\":7,\"nodes\":\"aws-[1-2]\"}}\n");
    assert_int_equal(ask("burst-prolog", never, requests), 1);
    assert_int_equal(ask("burst-prolog", denied, requests), 1);
    assert_int_equal(ask("burst-prolog", dying, requests), 0);
    char *no_nodes[] = {job_id, aws, NULL}, *no_job[] = {nodes, aws, NULL};
    assert_int_equal(run("burst-prolog", NULL, no_nodes), 1);
    assert_int_equal(run("burst-prolog", NULL, no_job), 1);
}

static void prolog_outlives_an_absence_of_burstd(void **state)
{
    const char *ready[] = {"{\"ok\":true,\"result\":{\"ready\":true}}\n", NULL};
    struct server s;

    publish();
    pid_t pid = start("burst-prolog", NULL, aws_job); // nobody listens yet
    start_server(&s, ready);
    assert_int_equal(status_of(pid), 0);
    stop_server(&s);
}

static void patience_is_bounded(void **state)
{
    int64_t before = clock_mono_ms();

    publish();
    configure("PrologTimeout=1\nEpilogTimeout=1\n");
    assert_int_equal(run("burst-prolog", NULL, aws_job), 1);
    assert_true(clock_mono_ms() - before >= 1000);
    assert_int_equal(run("burst-epilog", NULL, aws_job), 0);
    assert_true(clock_mono_ms() - before >= 2000);
    assert_true(clock_mono_ms() - before < 60000); // and not the 900 s without burst.conf
}

static void epilog_waits_until_results_are_home(void **state)
{
    char requests[1024];
    const char *done[] = {"", "{\"ok\":true,\"result\":{\"done\":true}}\n", NULL};
    const char *refused[] = {"{\"ok\":false,\"code\":\"invalid\",\"error\":\"no\"}\n", NULL};

    publish();
    assert_int_equal(ask("burst-epilog", done, requests), 0);
    assert_string_equal(
        requests, "{\"method\":\"job_done\",\"params\":{\"job_id\":7,\"nodes\":\"aws-[1-2]\"}}\n"
                  "{\"method\":\"job_done\",\"params\":{\"job_id\":7,\"nodes\":\"aws-[1-2]\"}}\n");
    assert_int_equal(ask("burst-epilog", refused, requests), 0);
}

// ---- burst.conf

static void fault(const char *text, const char *want)
{
    struct hostconf c;
    char line[700];

    configure(text);
    assert_int_equal(hostconf_load(&c, in_dir("slurm.conf"), &err), -1);
    snprintf(line, sizeof(line), "%s:4: %s", conf, want);
    assert_string_equal(err.text, line);
    assert_string_equal(c.run_dir, dir); // the rest counts
}

static void burst_conf(void **state)
{
    struct hostconf c;
    char want[160];

    configure("PrologTimeout=30 # seconds\n\n#\nEpilogTimeout=\t40");
    assert_int_equal(hostconf_load(&c, in_dir("slurm.conf"), &err), 0);
    snprintf(want, sizeof(want), "%s/state", dir);
    assert_string_equal(c.run_dir, dir);
    assert_string_equal(c.state_dir, want);
    assert_int_equal(c.prolog_timeout_s, 30);
    assert_int_equal(c.epilog_timeout_s, 40);
    fault("PrologTimeout=0", "PrologTimeout=0: must be seconds from 1 to 86400");
    fault("EpilogTimeout=5m", "EpilogTimeout=5m: must be seconds from 1 to 86400");
    fault("RunDir=run", "RunDir=run: must be an absolute path of at most 90 characters");
    fault("StateDir=", "StateDir=: must be an absolute path of at most 127 characters");
    fault("Rundir=/x", "Rundir: unknown key; known are RunDir, StateDir, PrologTimeout, "
                       "EpilogTimeout and ElasticPartitions");
    fault("hello", "\"hello\" is not key=value");
    unlink(conf);
    assert_int_equal(hostconf_load(&c, in_dir("slurm.conf"), &err), 0);
    assert_string_equal(c.run_dir, "/run/burst");
    assert_int_equal(c.prolog_timeout_s, 900);
    assert_int_equal(c.epilog_timeout_s, 600);
    assert_int_equal(hostconf_load(&c, "", &err), 0);
    assert_int_equal(hostconf_load(&c, "slurm.conf", &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(resume_in_the_spelling_of_22_05, fresh),
        cmocka_unit_test_setup(resume_in_the_spelling_of_23_02, fresh),
        cmocka_unit_test_setup(resume_file_of_any_kind, fresh),
        cmocka_unit_test_setup(resume_file_that_is_huge, fresh),
        cmocka_unit_test_setup(other_kinds, fresh),
        cmocka_unit_test_setup(without_nodes_or_spool, fresh),
        cmocka_unit_test_setup(burstd_is_told, fresh),
        cmocka_unit_test_setup(not_our_business, fresh),
        cmocka_unit_test_setup(prolog_waits_for_the_answer, fresh),
        cmocka_unit_test_setup(prolog_outlives_an_absence_of_burstd, fresh),
        cmocka_unit_test_setup(patience_is_bounded, fresh),
        cmocka_unit_test_setup(epilog_waits_until_results_are_home, fresh),
        cmocka_unit_test_setup(burst_conf, fresh),
    };
    const char *build = getenv("builddir");

    umask(022);
    signal(SIGPIPE, SIG_IGN);
    bindir = realpath(build && *build ? build : ".", NULL);
    if (!bindir)
        return 1;
    snprintf(dir, sizeof(dir), "/tmp/test_hooks.XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(conf, sizeof(conf), "%s/burst.conf", dir);
    snprintf(slurm_conf, sizeof(slurm_conf), "SLURM_CONF=%s/slurm.conf", dir);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    remove_snapshot();
    unlink(conf);
    rmdir(in_dir("state/spool"));
    rmdir(in_dir("state"));
    rmdir(dir);
    free(bindir);
    return rc;
}
