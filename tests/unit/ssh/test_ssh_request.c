// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of what burst-ssh decides without a network: requests, parameter lines, host keys,
// the bundle for a node and which files of Slurm go into it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "ssh/bundle.h"
#include "ssh/host_key.h"
#include "ssh/request.h"
#include "ssh/slurm_files.h"

#define COMMON "\"address\":\"10.88.1.1\",\"key_file\":\"/etc/burst/id\""
#define STAGE                                                                                      \
    COMMON ",\"op\":\"stage_in\",\"job_id\":7,\"uid\":2001,\"gid\":2001,\"user\":\"alice\","       \
           "\"home\":\"/home/alice\",\"stage_socket\":\"/run/burst/stage.sock\""

static cJSON *json(const char *text)
{
    burst_error_t err;
    cJSON *j = json_parse(text, strlen(text), &err);

    if (!j)
        fail_msg("%s: %s", text, err.text);
    return j;
}

// 0 when the request is accepted, else the text of the error in err.
static int parse(const char *text, burst_error_t *err)
{
    cJSON *j = json(text);
    struct ssh_request r;
    int rc = ssh_request_parse(j, &r, err);

    cJSON_Delete(j);
    return rc;
}

static void refused(const char *text, const char *begins)
{
    burst_error_t err = {""};

    assert_int_equal(parse(text, &err), -1);
    if (strncmp(err.text, begins, strlen(begins)) != 0)
        fail_msg("%s: the error \"%s\" does not begin with \"%s\"", text, err.text, begins);
}

static void test_defaults(void **state)
{
    burst_error_t err;
    struct ssh_request r;
    cJSON *j = json("{\"op\":\"poweroff\"," COMMON ",\"host_key\":null}");

    assert_int_equal(ssh_request_parse(j, &r, &err), 0);
    assert_int_equal(r.op, SSH_OP_POWEROFF);
    assert_int_equal(r.port, 22);
    assert_string_equal(r.user, "root");
    assert_null(r.host_key);
    assert_int_equal(r.timeout_s, 120);
    cJSON_Delete(j);
}

static void test_refusals(void **state)
{
    refused("{\"op\":\"format\"," COMMON "}", "op:");
    refused("{" COMMON "}", "op:");
    refused("{\"op\":\"poweroff\",\"key_file\":\"/k\"}", "address:");
    refused("{\"op\":\"poweroff\",\"key_file\":\"/k\",\"address\":\"-oProxyCommand=x\"}",
            "address:");
    refused("{\"op\":\"poweroff\",\"address\":\"10.0.0.1\",\"key_file\":\"id\"}", "key_file:");
    refused("{\"op\":\"poweroff\"," COMMON ",\"port\":70000}", "port:");
    refused("{\"op\":\"poweroff\"," COMMON ",\"timeout_s\":0}", "timeout_s:");
    refused("{\"op\":\"poweroff\"," COMMON ",\"ssh_user\":\"a b\"}", "ssh_user:");
    refused("{\"op\":\"poweroff\"," COMMON ",\"user\":\"root\"}", "user:");
    refused("{\"op\":\"poweroff\"," COMMON ",\"slurm_conf_on_node\":\"/etc/$(x)\"}",
            "slurm_conf_on_node:");
    refused("{\"op\":\"join\"," COMMON "}", "node_name:");
    refused("{\"op\":\"join\"," COMMON ",\"node_name\":\"a;b\"}", "node_name:");
    refused("{\"op\":\"join\"," COMMON ",\"node_name\":\"a\\nend\"}", "node_name:");
    refused("{\"op\":\"join\"," COMMON ",\"node_name\":\"n\",\"hosts\":[{\"address\":\"x\"}]}",
            "hosts:");
    refused("{\"op\":\"join\"," COMMON ",\"node_name\":\"n\",\"hosts\":[{\"address\":\"10.0.0.1\","
            "\"names\":[\"a\\nb\"]}]}",
            "hosts:");
    refused("{\"op\":\"prepare\"," COMMON ",\"munge_key_file\":\"key\"}", "munge_key_file:");
    refused("{\"op\":\"prepare\"," COMMON ",\"munge_key_file\":\"/k\",\"slurm_conf_dir\":\"/e\","
            "\"agent\":{\"controller\":\"h:1\",\"instance\":\"i \\\"x\"}}",
            "agent: instance");
    refused("{\"op\":\"prepare\"," COMMON ",\"munge_key_file\":\"/k\",\"slurm_conf_dir\":\"/e\","
            "\"agent\":{\"controller\":\"h:1\",\"instance\":\"i\",\"metadata\":\"ibm\"}}",
            "agent: metadata");
}

static void test_stage_refusals(void **state)
{
    burst_error_t err;

    assert_int_equal(parse("{" STAGE ",\"paths\":[\"/home/alice/x\"]}", &err), 0);
    refused("{" STAGE ",\"paths\":[\"relative\"]}", "paths:");
    refused("{" STAGE ",\"paths\":[\"/home/alice/../bob\"]}", "paths:");
    refused("{" STAGE ",\"paths\":[\"/home/a\\nb\"]}", "paths:");
    refused("{" STAGE ",\"paths\":\"/home/alice\"}", "paths:");
    refused("{" STAGE ",\"exclude\":[\"a\\nend\"]}", "exclude:");
    refused("{" STAGE ",\"groups\":[{\"gid\":3000,\"name\":\"a:b\"}]}", "groups:");
    refused("{" STAGE ",\"wait_job_s\":-1}", "wait_job_s:");
    refused("{" COMMON ",\"op\":\"stage_in\",\"job_id\":7,\"uid\":0,\"gid\":0,\"user\":\"root\","
            "\"home\":\"/root\"}",
            "uid, gid:");
    refused("{" COMMON ",\"op\":\"stage_in\",\"job_id\":7,\"uid\":4294967295,\"gid\":1,"
            "\"user\":\"x\",\"home\":\"/home/x\"}",
            "uid, gid:");
    refused("{" COMMON ",\"op\":\"stage_in\",\"job_id\":7,\"uid\":2001,\"gid\":2001,"
            "\"user\":\"a b\",\"home\":\"/home/x\"}",
            "user:");
    refused("{" COMMON ",\"op\":\"stage_in\",\"job_id\":7,\"uid\":2001,\"gid\":2001,"
            "\"user\":\"a\",\"home\":\"/home/*\"}",
            "home:");
}

static char *params(const char *text, const struct ssh_slurm_user *su, const char *places)
{
    burst_error_t err;
    struct ssh_request r;
    struct strbuf b;
    cJSON *j = json(text), *t = places ? json(places) : NULL;

    strbuf_init(&b, 65536);
    if (ssh_request_parse(j, &r, &err) < 0 ||
        ssh_request_params(&r, su, t, places != NULL, &b, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    cJSON_Delete(t);
    cJSON_Delete(j);
    char *lines = strbuf_take(&b);
    strbuf_free(&b);
    return lines;
}

static void test_params(void **state)
{
    struct ssh_slurm_user su = {"slurm", 64030, 64030};
    char *p = params("{\"op\":\"prepare\"," COMMON ",\"munge_key_file\":\"/k\","
                     "\"slurm_conf_dir\":\"/etc/slurm\",\"hosts\":[{\"address\":\"10.88.0.1\","
                     "\"names\":[\"controller\",\"ctl\"]},{\"address\":\"10.88.0.2\","
                     "\"names\":\"backup\"}],\"agent\":{\"controller\":\"10.88.0.1:8899\","
                     "\"instance\":\"i-1\",\"metadata\":\"gcp\",\"deadman_s\":60}}",
                     &su, NULL);

    assert_string_equal(
        p, "host 10.88.0.1 controller ctl\nhost 10.88.0.2 backup\n"
           "slurm_user slurm 64030 64030\ninstance i-1\n"
           "controller 10.88.0.1:8899\nmetadata gcp\ndeadman_s 60\ndeadman_max_s 691200\nend\n");
    free(p);
    p = params("{\"op\":\"join\"," COMMON ",\"node_name\":\"aws-1\",\"boot\":false,"
               "\"slurm_conf_on_node\":\"/opt/slurm/etc\"}",
               NULL, NULL);
    assert_string_equal(p, "conf_dir /opt/slurm/etc\nnode_name aws-1\nboot 0\nend\n");
    free(p);
    // Places of the system are never told to a node.
    p = params("{" STAGE ",\"paths\":[\"/home/alice/a b/\",\"/dev/null\",\"/data/x\",\"/s/out\"],"
               "\"groups\":[{\"gid\":2003,\"name\":\"project\"}],\"work_dir\":\"/home/alice/w\"}",
               NULL, "[\"own /home/alice/a b/\",\"shared /data\",\"new /s/new\",\"own /etc/x\"]");
    assert_string_equal(p, "job 7\nuser alice\nuid 2001\ngid 2001\nhome /home/alice\n"
                           "own /home/alice/a b\nshared /data\nnew /s/new\n"
                           "group 2003 project\narchive 1\nend\n");
    free(p);
    p = params("{" COMMON ",\"op\":\"stage_out\",\"job_id\":7,\"uid\":2001,\"gid\":2001,"
               "\"user\":\"alice\",\"home\":\"/home/alice\",\"stage_socket\":\"/s\","
               "\"paths\":[\"/home/alice/w\"],\"exclude\":[\"*.tmp\"],\"wait_job_s\":40}",
               NULL, NULL);
    assert_string_equal(p, "job 7\nuser alice\nuid 2001\ngid 2001\nhome /home/alice\n"
                           "path /home/alice/w\nexclude *.tmp\nwait 40\nend\n");
    free(p);
}

static void test_places(void **state)
{
    static const char *const bad[] = {"[\"own /a\\nend\"]", "[\"own\"]",   "[\"root /a\"]",
                                      "[\"own /a/../b\"]",  "[\"own a\"]", "[7]"};
    burst_error_t err;
    struct ssh_request r;
    struct strbuf b;
    cJSON *j = json("{" STAGE ",\"paths\":[\"/home/alice/a\"]}");

    assert_int_equal(ssh_request_parse(j, &r, &err), 0);
    for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
        cJSON *t = json(bad[k]);
        strbuf_init(&b, 65536);
        err.text[0] = '\0';
        assert_int_equal(ssh_request_params(&r, NULL, t, true, &b, &err), -1);
        assert_non_null(strstr(err.text, "places"));
        strbuf_free(&b);
        cJSON_Delete(t);
    }
    cJSON_Delete(j);
}

// The key that github.com publishes for its SSH servers, as text and as the wire encoding of RFC
// 8709: the string "ssh-ed25519", then a string of 32 bytes.
#define GITHUB "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
static const unsigned char github[] = {
    0,    0,    0,    11,   's',  's',  'h',  '-',  'e',  'd',  '2',  '5',  '5',
    '1',  '9',  0,    0,    0,    32,   0xe3, 0x2a, 0xaa, 0x79, 0x15, 0xce, 0xb9,
    0xb4, 0x49, 0xd1, 0xba, 0x50, 0xea, 0x2a, 0x28, 0xbb, 0x1a, 0x6e, 0x01, 0xf9,
    0x0b, 0xda, 0x24, 0x5a, 0x2d, 0x1d, 0x87, 0x69, 0x7d, 0x18, 0xa2, 0x65};

static void test_host_key(void **state)
{
    unsigned char other[sizeof(github)];
    char *text = ssh_host_key_text(github, sizeof(github));

    assert_string_equal(text, GITHUB);
    free(text);
    assert_true(ssh_host_key_equal(GITHUB, github, sizeof(github)));
    assert_true(ssh_host_key_equal(GITHUB " root@vm\n", github, sizeof(github)));
    assert_false(ssh_host_key_equal(NULL, github, sizeof(github)));
    assert_false(ssh_host_key_equal("", github, sizeof(github)));
    assert_false(ssh_host_key_equal("ssh-ed25519", github, sizeof(github)));
    assert_false(ssh_host_key_equal(GITHUB "A", github, sizeof(github)));
    assert_false(ssh_host_key_equal(GITHUB, github, sizeof(github) - 1));
    memcpy(other, github, sizeof(github));
    other[sizeof(other) - 1] ^= 1;
    assert_false(ssh_host_key_equal(GITHUB, other, sizeof(other)));
    other[3] = 200; // a type that would reach beyond the end
    assert_null(ssh_host_key_text(other, sizeof(other)));
    assert_null(ssh_host_key_text(other, 3));
}

static void test_bundle(void **state)
{
    struct strbuf b;
    burst_error_t err;
    struct archive *a = archive_read_new();
    struct archive_entry *e;
    char data[1000], name[120];

    strbuf_init(&b, 65536);
    assert_int_equal(bundle_file(&b, "munge.key", 0600, "secret", 6, &err), 0);
    assert_int_equal(bundle_dir(&b, "slurm", &err), 0);
    assert_int_equal(bundle_file(&b, "slurm/empty", 0644, "", 0, &err), 0);
    memset(data, 'x', sizeof(data));
    assert_int_equal(bundle_file(&b, "big", 0644, data, sizeof(data), &err), 0);
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(bundle_file(&b, name, 0644, "", 0, &err), -1);
    assert_int_equal(bundle_end(&b, &err), 0);

    archive_read_support_format_tar(a);
    assert_int_equal(archive_read_open_memory(a, b.data, b.len), ARCHIVE_OK);
    assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
    assert_string_equal(archive_entry_pathname(e), "munge.key");
    assert_int_equal(archive_entry_mode(e), S_IFREG | 0600);
    assert_int_equal(archive_entry_uid(e), 0);
    assert_int_equal(archive_read_data(a, data, sizeof(data)), 6);
    assert_memory_equal(data, "secret", 6);
    assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
    assert_int_equal(archive_entry_mode(e), S_IFDIR | 0700);
    assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
    assert_string_equal(archive_entry_pathname(e), "slurm/empty");
    assert_int_equal(archive_entry_size(e), 0);
    assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
    assert_int_equal(archive_entry_size(e), 1000);
    assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_EOF);
    archive_read_free(a);
    strbuf_free(&b);
}

static void test_slurm_files(void **state)
{
    struct strbuf out;
    char user[16];

    assert_true(slurm_file_wanted("slurm.conf", 0600));
    assert_true(slurm_file_wanted("gres.conf", 0640));
    assert_true(slurm_file_wanted("burst.conf", 0644));
    assert_false(slurm_file_wanted("secrets.conf", 0640));
    assert_false(slurm_file_wanted("slurmdbd.conf", 0644));
    assert_false(slurm_file_wanted("plugstack.conf", 0644));
    assert_false(slurm_file_wanted("slurm.conf.bak", 0644));
    assert_false(slurm_file_wanted(".conf", 0644));

    strbuf_init(&out, 4096);
    assert_int_equal(slurm_file_rewrite("Include /opt/etc/a.conf\n include=/opt/etc/b.conf # c\n"
                                        "Include /opt/etcetera/c.conf\nInclude d.conf\n"
                                        "IncludeX /opt/etc/e.conf",
                                        "/opt/etc/", "/etc/slurm", &out),
                     0);
    assert_string_equal(out.data, "Include /etc/slurm/a.conf\nInclude /etc/slurm/b.conf # c\n"
                                  "Include /opt/etcetera/c.conf\nInclude d.conf\n"
                                  "IncludeX /opt/etc/e.conf");
    strbuf_free(&out);

    // No node needs a database's password, wherever it stands in its line.
    strbuf_init(&out, 4096);
    assert_int_equal(slurm_file_rewrite(
                         "JobCompPass=secret\nJobCompUser=u jobcomppass = secret JobCompLoc=l\n"
                         "#AccountingStoragePass=\"se cret\"\nBypass=no\nPassword=p SlurmUser=s\n",
                         "/opt/etc/", "/etc/slurm", &out),
                     0);
    assert_string_equal(out.data, "\nJobCompUser=u  JobCompLoc=l\n#\n\nPassword=p SlurmUser=s\n");
    strbuf_free(&out);

    slurm_file_user("ClusterName=x\n#SlurmUser=no\n slurmuser = hpc # the user\n", user,
                    sizeof(user));
    assert_string_equal(user, "hpc");
    slurm_file_user("SlurmdUser=x\n", user, sizeof(user));
    assert_string_equal(user, "root");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),       cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_params),         cmocka_unit_test(test_places),
        cmocka_unit_test(test_stage_refusals), cmocka_unit_test(test_host_key),
        cmocka_unit_test(test_bundle),         cmocka_unit_test(test_slurm_files)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
