// SPDX-License-Identifier: GPL-3.0-or-later
// `burst catalog update`: what is taken, what is refused with which words, that the file in use is
// whole at every end, and who is told. Prices come from files, from fetchers that are scripts, and
// from a web server on the loopback.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_burstd.h"
#include "libburst/fsutil.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define HEADER                                                                                     \
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"       \
    "Region,AvailabilityZone\n"
// Five prices: three on demand, two spot.
#define AWS                                                                                        \
    HEADER "p3.2xlarge,V100,1,8,61,,3.06,0.91,us-east-1,us-east-1a\n"                              \
           "p3.2xlarge,V100,1,8,61,,3.06,,us-west-2,\n"                                            \
           "m5.large,,,2,8,,0.096,0.035,us-east-1,\n"

static char dir[64], catalog[96], sock[96], program[512];
static pid_t web;

static char *in_dir(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

static void put(const char *name, const char *text, mode_t mode)
{
    char *path = in_dir(name);
    burst_error_t err = {""};

    if (fs_write_atomic(path, text, strlen(text), mode, &err) < 0)
        fail_msg("%s", err.text);
    free(path);
}

// NULL when there is no such file.
static char *get(const char *name)
{
    char *path = in_dir(name), *text = NULL;

    if (fs_read(path, 1 << 20, &text, NULL, NULL) < 0)
        text = NULL;
    free(path);
    return text;
}

static void assert_file(const char *name, const char *want)
{
    char *text = get(name);

    if (want && (!text || strcmp(text, want) != 0))
        fail_msg("%s is\n%s--- expected\n%s", name, text ? text : "(missing)\n", want);
    if (!want && text)
        fail_msg("%s exists", name);
    free(text);
}

// `burst catalog update --dir CATALOG` and the words.
static struct ran update(const char *a, ...)
{
    const char *argv[20] = {program, "catalog", "update", "--dir", catalog, a};
    va_list ap;

    va_start(ap, a);
    for (int i = 6; i < 19 && argv[i - 1]; i++)
        argv[i] = va_arg(ap, const char *);
    va_end(ap);
    return run(argv);
}

static void expect(struct ran r, int status, const char *out, const char *err)
{
    char *want_out = NULL, *want_err = NULL;

    if (out)
        want_out = xasprintf(out, dir);
    if (err)
        want_err = xasprintf(err, dir, dir);
    if (r.status != status || (out && strcmp(r.out, want_out) != 0) ||
        (err && strcmp(r.err, want_err) != 0))
        fail_msg("status %d\n--- stdout\n%s--- expected\n%s--- stderr\n%s--- expected\n%s",
                 r.status, r.out, out ? want_out : "(anything)\n", r.err,
                 err ? want_err : "(anything)\n");
    free(want_out);
    free(want_err);
    ran_free(&r);
}

static void expect_part(struct ran r, int status, const char *part)
{
    if (r.status != status || (!strstr(r.out, part) && !strstr(r.err, part)))
        fail_msg("status %d\n--- stdout\n%s--- stderr\n%s--- expected: %s", r.status, r.out, r.err,
                 part);
    ran_free(&r);
}

static int setup(void **state)
{
    const char *build = getenv("builddir");

    snprintf(dir, sizeof(dir), "/tmp/test-update-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(catalog, sizeof(catalog), "%s/catalog", dir);
    snprintf(sock, sizeof(sock), "%s/burstd.sock", dir);
    snprintf(program, sizeof(program), "%s/burst", build ? build : ".");
    setenv("BURST_SOCKET", sock, 1);
    setenv("BURST_CONF", "/nonexistent/burst.yaml", 1);
    setenv("no_proxy", "127.0.0.1", 1);
    unsetenv("BURST_LIBEXECDIR");
    char *libexec = in_dir("libexec");
    if (mkdir(catalog, 0755) < 0 || mkdir(libexec, 0755) < 0)
        return -1;
    free(libexec);
    put("catalog/egress.csv", "SrcCloud,SrcRegion,DstCloud,DstRegion,UpToGB,USDPerGB\n", 0644);
    return 0;
}

static int teardown(void **state)
{
    const char *const argv[] = {"/bin/rm", "-rf", dir, NULL};
    struct ran r = run(argv);

    ran_free(&r);
    free(fake_burstd_stop());
    if (web > 0) {
        kill(web, SIGKILL);
        waitpid(web, NULL, 0);
        web = 0;
    }
    return 0;
}

static void put_conf_of(const char *slurm_user)
{
    char *path = in_dir("burst.yaml");
    char *text = xasprintf(
        "cluster: demo\nslurm_user: %s\ncatalog_dir: %s\neligibility: {partitions: [main]}\n"
        "ssh: {key: /k}\nmunge_key: /m\ncontroller_address: 10.0.0.1\n"
        "shapes:\n  - {name: cpu2, cpus: 2, memory: 1000MiB, nodes: 4}\n"
        "clouds:\n  - {name: aws, provider: local, endpoint: "
        "\"http://127.0.0.1:8700\", credentials: %s/aws.token}\n"
        "  - {name: gcp, provider: local, endpoint: \"http://127.0.0.1:8701\", "
        "credentials: %s/gcp.token}\n",
        slurm_user, catalog, dir, dir);

    put("burst.yaml", text, 0644);
    setenv("BURST_CONF", path, 1);
    free(text);
    free(path);
}

static void put_conf(void)
{
    put_conf_of(getpwuid(geteuid())->pw_name);
}

// --- taking a file

static void prices_are_compared_and_replaced(void **state)
{
    put("new.csv", AWS, 0644);
    char *from = in_dir("new.csv");
    expect(update("--clouds", "aws", "--from", from, NULL), 0,
           "aws: 5 prices (%s/new.csv)\n    written\n", "");
    assert_file("catalog/aws.csv", AWS);
    assert_file("catalog/aws.csv.old", NULL);
    expect(update("--clouds", "aws", "--from", from, NULL), 0,
           "aws: nothing has changed (%s/new.csv)\n", "");
    // One gone, two new, three others: 0.91 -> 1.00 (+9.9 %), 3.06 -> 1.53 (half), 0.035 -> 0.0875.
#define AWS2                                                                                       \
    HEADER "p3.2xlarge,V100,1,8,61,,3.06,1.00,us-east-1,us-east-1a\n"                              \
           "p3.2xlarge,V100,1,8,61,,2.50,,us-west-2,\n"                                            \
           "m5.large,,,2,8,,,0.0875,us-east-1,\n"                                                  \
           "m5.xlarge,,,4,16,,0.192,0.07,us-east-1,\n"
    put("new.csv", AWS2, 0644);
    expect(update("--clouds", "aws", "--from", from, NULL), 0,
           "aws: 6 prices (%s/new.csv): 2 new, 1 gone, 3 changed\n"
           "    m5.large us-east-1 spot: $0.0350 -> $0.0875 an hour (2.5 times)\n"
           "    p3.2xlarge us-west-2 on-demand: $3.0600 -> $2.5000 an hour (-18.3 %%)\n"
           "    p3.2xlarge us-east-1a spot: $0.9100 -> $1.0000 an hour (+9.9 %%)\n"
           "    replaced; the prices before are in aws.csv.old\n",
           "");
    assert_file("catalog/aws.csv", AWS2);
    assert_file("catalog/aws.csv.old", AWS);
    assert_file("catalog/.update/aws.csv", NULL);
    free(from);
}

static void the_file_keeps_its_mode(void **state)
{
    struct stat st;
    char *from = in_dir("new.csv"), *path = in_dir("catalog/aws.csv");

    put("new.csv", AWS2, 0600);
    put("catalog/aws.csv", AWS, 0640);
    expect_part(update("--clouds", "aws", "--from", from, NULL), 0, "replaced;");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    free(from);
    free(path);
}

static void suspicious_prices_wait_for_a_person(void **state)
{
    static const struct {
        const char *text, *words;
        bool accepted; // by --accept
    } cases[] = {
        {HEADER, "no row of it can be used", false},
        {HEADER "p3.2xlarge,V100,1,8,61,,x,,us-east-1,us-east-1a\n", "no row of it can be used",
         false},
        {"", "aws.csv is not a catalog", false},
        {"<html>not found</html>\n", "aws.csv is not a catalog", false},
        // 2 of 5 are less than half, 3 would not be.
        {HEADER "p3.2xlarge,V100,1,8,61,,3.06,0.91,us-east-1,us-east-1a\n",
         "2 prices where there are 5 now", true},
        {HEADER "p3.2xlarge,V100,1,8,61,,3.06,0.91,us-east-1,us-east-1a\n"
                "p3.2xlarge,V100,1,8,61,,3.06,,us-west-2,\n"
                "m5.large,,,2,8,,0.096,0.0069,us-east-1,\n",
         "the spot price of m5.large in us-east-1 goes from $0.0350 to $0.0069", true},
        {HEADER "p3.2xlarge,V100,1,8,61,,3.06,0.91,us-east-1,us-east-1a\n"
                "p3.2xlarge,V100,1,8,61,,15.4,,us-west-2,\n"
                "m5.large,,,2,8,,0.096,0.035,us-east-1,\n",
         "the on-demand price of p3.2xlarge in us-west-2 goes from $3.0600 to $15.4000", true},
    };
    char *from = in_dir("new.csv");

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        put("catalog/aws.csv", AWS, 0644);
        put("new.csv", cases[i].text, 0644);
        expect_part(update("--clouds", "aws", "--from", from, NULL), 1, cases[i].words);
        assert_file("catalog/aws.csv", AWS);
        expect_part(update("--clouds", "aws", "--accept", "--from", from, NULL),
                    cases[i].accepted ? 0 : 1, cases[i].accepted ? "replaced;" : cases[i].words);
        assert_file("catalog/aws.csv", cases[i].accepted ? cases[i].text : AWS);
    }
    // Exactly half, and exactly 5 times: not suspicious.
    put("catalog/aws.csv", HEADER "a,,,2,8,,1,,r,\nb,,,2,8,,1,,r,\n", 0644);
    put("new.csv", HEADER "a,,,2,8,,5,,r,\n", 0644);
    expect_part(update("--clouds", "aws", "--from", from, NULL), 0, "(5 times)");
    free(from);
}

static void rows_left_out_are_named(void **state)
{
    char *from = in_dir("new.csv");

    // 3.06 3.06 0.6: the last is under 0.6 of the median.
    put("new.csv", AWS "p3.2xlarge,V100,1,8,61,,0.60,,eu-west-1,\nbad,,,2,8,,-1,,us-east-1,\n",
        0644);
    expect(update("--clouds", "aws", "--from", from, NULL), 0,
           "aws: 5 prices (%s/new.csv)\n"
           "    2 rows are left out:\n"
           "      aws.csv:6: refused: Price \"-1\" is negative\n"
           "      aws.csv:5: quarantined: on-demand price of $0.6000 per V100 is under 0.6 of this "
           "cloud's median of $3.0600; not used\n"
           "    written\n",
           "");
    // The site's list of accepted rows counts for the new file, too.
    put("catalog/accepted.txt", "aws/p3.2xlarge\n", 0644);
    put("catalog/aws.csv", AWS, 0644);
    expect_part(update("--clouds", "aws", "--from", from, NULL), 0, "1 new, 0 gone, 0 changed");
    free(from);
}

static void a_dry_run_changes_nothing(void **state)
{
    char *from = in_dir("new.csv");

    put_conf();
    put("catalog/aws.csv", AWS, 0644);
    put("new.csv", AWS2, 0644);
    expect_part(update("--dry-run", "--clouds", "aws", "--from", from, NULL), 0,
                "    aws.csv would be replaced\n");
    assert_file("catalog/aws.csv", AWS);
    assert_file("catalog/aws.csv.old", NULL);
    struct ran r = update("--dry-run", "--json", "--clouds", "aws", "--from", from, NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "\"result\":\t\"replaced\""));
    assert_non_null(strstr(r.out, "\"gone\":\t1"));
    assert_non_null(strstr(r.out, "\"usd_per_hour\":\t0.0875"));
    assert_non_null(strstr(r.out, "\"burstd\":\tnull"));
    ran_free(&r);
    free(from);
}

// --- where prices come from

static void one_source_for_several_clouds(void **state)
{
    char *tree = in_dir("tree"), *aws = in_dir("tree/aws"), *pattern = in_dir("{cloud}-new.csv"),
         *one = in_dir("aws-new.csv"), *pair = xasprintf("gcp=%s", one);

    mkdir(tree, 0755);
    mkdir(aws, 0755);
    put("tree/aws/vms.csv", AWS, 0644);
    put("tree/gcp.csv", AWS2, 0644);
    put("aws-new.csv", AWS2, 0644);
    put("gcp-new.csv", AWS, 0644);
    expect(update("--clouds", "aws,gcp", "--from", tree, NULL), 0,
           "aws: 5 prices (%1$s/tree/aws/vms.csv)\n    written\n"
           "gcp: 6 prices (%1$s/tree/gcp.csv)\n    written\n",
           "");
    expect_part(update("--clouds", "aws,gcp", "--from", pattern, NULL), 0, "gcp-new.csv");
    assert_file("catalog/aws.csv", AWS2);
    assert_file("catalog/gcp.csv", AWS);
    // Names before = say which clouds.
    expect_part(update("--from", pair, NULL), 0, "gcp: 6 prices");
    expect_part(update("--clouds", "aws,gcp", "--from", one, NULL), 2, "is for one cloud");
    expect(update("--clouds", "azure", "--from", tree, NULL), 1, "",
           "azure: not updated: %s/tree has neither azure.csv nor azure/vms.csv\n");
    free(tree);
    free(aws);
    free(pattern);
    free(one);
    free(pair);
}

// A fetcher gets cloud, address and the name of the file with the secret; what it writes is taken.
static void fetchers_are_found_and_asked(void **state)
{
    char *libexec = in_dir("libexec"), *log = in_dir("log");
    char *fetcher = xasprintf("#!/bin/sh\necho \"$@\" >>%s\ncat <<'END'\n%sEND\n", log, AWS);

    put_conf();
    setenv("BURST_LIBEXECDIR", libexec, 1);
    put("libexec/fetch-local", fetcher, 0755);
    put("libexec/fetch-gcp", "#!/bin/sh\necho starting >&2\necho no route to it >&2\nexit 1\n",
        0755);
    expect(update(NULL), 1, NULL, "gcp: not updated: %s/libexec/fetch-gcp: no route to it\n");
    assert_file("catalog/aws.csv", AWS);
    assert_file("catalog/gcp.csv", NULL);
    char *args = xasprintf("--cloud aws --endpoint http://127.0.0.1:8700 --credentials "
                           "%s/aws.token\n",
                           dir);
    assert_file("log", args);
    // By name, for a cloud that burst.yaml does not have.
    put("log", "", 0644);
    expect_part(update("--clouds", "oci", "--from", "local", NULL), 0,
                "oci: 5 prices (fetch-local)");
    assert_file("log", "--cloud oci\n");
    expect(update("--clouds", "oci", NULL), 1, "",
           "oci: not updated: there is no program fetch-oci in %s/libexec/; --from takes a file, a "
           "directory or an address\n");
    // A program anywhere.
    char *own = in_dir("own-fetcher");
    put("own-fetcher", fetcher, 0755);
    expect_part(update("--clouds", "oci", "--from", own, NULL), 0, "nothing has changed (own-");
    free(own);
    free(args);
    free(fetcher);
    free(log);
    free(libexec);
}

static void root_does_not_fetch(void **state)
{
    char *libexec = in_dir("libexec");

    if (geteuid() != 0) {
        print_message("skipped: not root\n");
        skip();
    }
    put_conf_of("nobody");
    assert_int_equal(chmod(dir, 0755), 0);
    setenv("BURST_LIBEXECDIR", libexec, 1);
    put("libexec/fetch-local",
        "#!/bin/sh\n[ \"$(id -un) $(id -Gn)\" = 'nobody nogroup' ] || { id >&2; exit 1; }\n"
        "cat <<'END'\n" AWS "END\n",
        0755);
    expect_part(update("--clouds", "aws", NULL), 0, "aws: 5 prices");
    free(libexec);
}

// Serves answers in turn, one for each connection; the last for ever.
static uint16_t start_web(const char *const *answers)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    web = fork();
    assert_true(web >= 0);
    if (web == 0) {
        char request[4096];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            int c = accept(fd, NULL, NULL);
            if (c < 0 || read(c, request, sizeof(request)) < 0 ||
                send(c, *answers, strlen(*answers), MSG_NOSIGNAL) < 0)
                _exit(1);
            close(c);
            if (answers[1])
                answers++;
        }
    }
    close(fd);
    return ntohs(a.sin_port);
}

#define REPLY(status, more) "HTTP/1.1 " status "\r\nConnection: close\r\n" more "\r\n"

static void published_catalogs_are_fetched(void **state)
{
    static const char *const answers[] = {REPLY("200 OK", "") AWS,
                                          REPLY("404 Not Found", ""),
                                          REPLY("302 Found", "Location: https://else.where/x\r\n"),
                                          REPLY("503 Busy", ""),
                                          REPLY("200 OK", "") AWS2,
                                          NULL};
    uint16_t port = start_web(answers);
    char *from = xasprintf("http://127.0.0.1:%u/v1/{cloud}/vms.csv", port), *out, *err;

    out = xasprintf("aws: 5 prices (http://127.0.0.1:%u/v1/aws/vms.csv)\n    written\n", port);
    expect(update("--clouds", "aws", "--from", from, NULL), 0, out, "");
    err = xasprintf("aws: not updated: fetch-url: http://127.0.0.1:%u/v1/aws/vms.csv: status 404\n",
                    port);
    expect(update("--clouds", "aws", "--from", from, NULL), 1, "", err);
    expect_part(update("--clouds", "aws", "--from", from, NULL), 1,
                "status 302, the answer is at https://else.where/x");
    assert_file("catalog/aws.csv", AWS);
    // A server that is busy is asked again.
    expect_part(update("--clouds", "aws", "--from", from, NULL), 0, "2 new, 1 gone, 3 changed");
    assert_file("catalog/aws.csv", AWS2);
    free(from);
    free(out);
    free(err);
}

// --- who is told

static void burstd_reads_the_new_prices(void **state)
{
    const struct fake_answer yes[] = {{"reload", "{\"ok\":true,\"result\":{\"reloaded\":true}}"},
                                      {0}},
                             no[] = {{"reload", "{\"ok\":false,\"code\":\"denied\",\"error\":"
                                                "\"only operators may do that\"}"},
                                     {0}};
    char *from = in_dir("new.csv"), *other = in_dir("other"), *requests;

    put_conf();
    put("new.csv", AWS, 0644);
    fake_burstd_start(sock, yes);
    expect_part(update("--clouds", "aws", "--from", from, NULL), 0,
                "burstd plans with the new prices\n");
    expect_part(update("--clouds", "aws", "--from", from, NULL), 0, "nothing has changed");
    requests = fake_burstd_stop();
    assert_string_equal(requests, "{\"method\":\"reload\"}\n"); // once: nothing new, nothing told
    free(requests);
    put("new.csv", AWS2, 0644);
    fake_burstd_start(sock, no);
    expect_part(update("--clouds", "aws", "--from", from, NULL), 1,
                "burstd still plans with the former prices: only operators may do that");
    free(fake_burstd_stop());
    unlink(sock);
    put("new.csv", AWS, 0644);
    expect_part(update("--clouds", "aws", "--from", from, NULL), 0,
                "burstd does not run; it reads the new prices when it starts\n");
    // Another directory than burstd's.
    const char *const argv[] = {program,    "catalog", "update", "--dir", other,
                                "--clouds", "aws",     "--from", from,    NULL};
    struct ran r = run(argv);
    assert_int_equal(r.status, 0);
    assert_null(strstr(r.out, "burstd"));
    assert_non_null(strstr(r.err, "has no egress.csv: without it no data can be moved"));
    ran_free(&r);
    free(from);
    free(other);
}

static void one_update_at_a_time(void **state)
{
    char *from = in_dir("new.csv");
    int fd = open(catalog, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    put("new.csv", AWS, 0644);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    expect_part(update("--clouds", "aws", "--from", from, NULL), 1, "is under way");
    assert_file("catalog/aws.csv", NULL);
    close(fd);
    expect_part(update("--clouds", "aws", "--from", from, NULL), 0, "written");
    free(from);
}

static void wrong_command_lines(void **state)
{
    expect_part(update("aws", NULL), 2, "\"aws\" is one word too many");
    expect_part(update("--clouds", "AWS", NULL), 2, "\"AWS\" is no name of a cloud");
    expect_part(update("--clouds", "egress", NULL), 2, "\"egress\" is no name of a cloud");
    expect_part(update("--clouds", "../x", NULL), 2, "\"../x\" is no name of a cloud");
    expect_part(update(NULL), 2, "name them with --clouds");
    const char *const no_dir[] = {program, "catalog", "update", "--clouds", "aws", NULL};
    expect_part(run(no_dir), 2, "Name its directory with --dir");
    expect_part(update("--help", NULL), 0, "usage: burst catalog update");
}

static void the_script_is_the_command(void **state)
{
    const char *src = getenv("srcdir"), *build = getenv("builddir");
    char *script = xasprintf("%s/scripts/update-catalog", src ? src : "."),
         *from = in_dir("new.csv");
    const char *const argv[] = {script, "--dir", catalog, "--clouds", "aws", "--from", from, NULL};

    put("new.csv", AWS, 0644);
    setenv("BURST_BUILD", build ? build : ".", 1);
    expect(run(argv), 0, "aws: 5 prices (%s/new.csv)\n    written\n", "");
    unsetenv("BURST_BUILD");
    free(script);
    free(from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(prices_are_compared_and_replaced),
        T(the_file_keeps_its_mode),
        T(suspicious_prices_wait_for_a_person),
        T(rows_left_out_are_named),
        T(a_dry_run_changes_nothing),
        T(one_source_for_several_clouds),
        T(fetchers_are_found_and_asked),
        T(root_does_not_fetch),
        T(published_catalogs_are_fetched),
        T(burstd_reads_the_new_prices),
        T(one_update_at_a_time),
        T(wrong_command_lines),
        T(the_script_is_the_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
