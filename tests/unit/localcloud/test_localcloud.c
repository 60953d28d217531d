// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of the local cloud's rules: offers, faults, records, bill, launches. The machines are
// played by a vtable that only counts, and time stands still unless a test moves it.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "localcloud/conf.h"
#include "localcloud/faults.h"
#include "localcloud/fleet.h"
#include "localcloud/guest.h"
#include "localcloud/guest_spec.h"
#include "localcloud/hostkey.h"
#include "localcloud/instance.h"
#include "localcloud/metadata.h"
#include "localcloud/offers.h"

#define HEADER                                                                                     \
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"       \
    "Region,AvailabilityZone\n"
#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me@here"

// ---- offers -----------------------------------------------------------------------------------

static unsigned complaint_lines[16];
static size_t complaints;

static void note(void *arg, unsigned line, const char *text)
{
    assert_true(complaints < 16);
    complaint_lines[complaints++] = line;
}

static struct offers *parse_offers(const char *text)
{
    burst_error_t err;

    complaints = 0;
    struct offers *o = offers_parse("test.csv", text, strlen(text), note, NULL, &err);
    assert_non_null(o);
    return o;
}

static void offers_are_read(void **state)
{
    struct offers *o = parse_offers(
        HEADER
        "p3.8xlarge,V100,4,32,244,,13.22,3.9437,eu-west-1,euw1-az3\r\n"
        "\"g5 \"\"big\"\", extra\",A10G,8,192,768,\"{'Gpus': [{'Name': 'A10G', 'x': 2}]}\",16.288,,"
        "us-east-2,use2-az1\n"
        "c5.large,,,2,4,,0.085,0,us-east-1,\n"
        "\n"
        "m5.large,,0,2,8,\"two\nlines\",,0.0350,us-east-1,a");
    const struct offer *a = offers_at(o, 0), *b = offers_at(o, 1), *c = offers_at(o, 2),
                       *d = offers_at(o, 3);

    assert_int_equal(offers_count(o), 4);
    assert_int_equal(complaints, 0);
    assert_string_equal(a->instance_type, "p3.8xlarge");
    assert_int_equal(a->accelerators, 4);
    assert_string_equal(a->accelerator, "V100");
    assert_true(a->count == 4 && a->vcpus == 32 && a->memory_gib == 244);
    assert_int_equal(a->on_demand, 13220000);
    assert_int_equal(a->spot, 3943700);
    assert_string_equal(a->region, "eu-west-1");
    assert_string_equal(a->zone, "euw1-az3"); // without the carriage return
    assert_string_equal(b->instance_type, "g5 \"big\", extra");
    assert_int_equal(b->spot, MONEY_UNKNOWN);
    assert_int_equal(b->on_demand, 16288000);
    assert_string_equal(c->zone, "");
    assert_int_equal(c->spot, MONEY_UNKNOWN); // 0 = not on this market
    assert_int_equal(c->accelerators, 0);
    assert_int_equal(d->on_demand, MONEY_UNKNOWN);
    assert_int_equal(d->spot, 35000);
    assert_string_equal(d->zone, "a");
    offers_free(o);
}

static void impossible_lines_are_left_out(void **state)
{
    struct offers *o = parse_offers(HEADER "good,,,2,4,,1,0.5,r,z\n"    // 2
                                           "nan,,,2,4,,NaN,0.5,r,z\n"   // 3
                                           "negative,,,2,4,,-1,,r,z\n"  // 4
                                           "noprice,,,2,4,,,,r,z\n"     // 5
                                           "short,,,2\n"                // 6
                                           ",,,2,4,,1,,r,z\n"           // 7
                                           "gpus,T4,many,2,4,,1,,r,z\n" // 8
                                           "quote,\"T4,1,2,4,,1,,r,z\n" // 9: the quote never ends
    );

    assert_int_equal(offers_count(o), 1);
    assert_int_equal(complaints, 7);
    for (unsigned k = 0; k < 7; k++)
        assert_int_equal(complaint_lines[k], k + 3);
    offers_free(o);
}

static void a_catalog_without_prices_is_refused(void **state)
{
    burst_error_t err;
    static const char text[] = "InstanceType,AcceleratorCount,SpotPrice,Region,AvailabilityZone\n";

    assert_null(offers_parse("x.csv", text, strlen(text), NULL, NULL, &err));
    assert_non_null(strstr(err.text, "x.csv: line 1: no column Price"));
}

static void places_are_found(void **state)
{
    struct offers *o = parse_offers(HEADER "t,,,2,4,,2,1,r1,a\n"
                                           "t,,,2,4,,2,,r1,b\n"
                                           "t,,,2,4,,3,1.5,r1,c\n"
                                           "t,,,2,4,,4,,r2,\n");
    size_t i = 0;

    assert_string_equal(offers_next(o, &i, "t", "r1", "", true)->zone, "a");
    assert_string_equal(offers_next(o, &i, "t", "r1", "", true)->zone, "c"); // b has no spot
    assert_null(offers_next(o, &i, "t", "r1", "", true));
    i = 0;
    assert_int_equal(offers_next(o, &i, "t", "r1", "c", false)->on_demand, 3000000);
    i = 0;
    assert_int_equal(offers_next(o, &i, "t", "r2", "any", false)->on_demand, 4000000);
    i = 0;
    assert_null(offers_next(o, &i, "t", "r3", "", false));
    offers_free(o);
}

// ---- faults -----------------------------------------------------------------------------------

static struct faults *set_faults(const char *text)
{
    struct faults *f = faults_create();
    burst_error_t err = {""};
    cJSON *o = json_parse(text, strlen(text), &err);

    if (faults_set(f, o, 1000000, &err) < 0)
        fail_msg("%s", err.text);
    cJSON_Delete(o);
    return f;
}

#define HIT(kind, zone, type, spot, now)                                                           \
    faults_hit(f, FAULT_##kind, FAULT_CALL_LAUNCH, zone, type, spot, now, NULL)

static void faults_match_place_type_and_market(void **state)
{
    struct faults *f = set_faults("[{\"fault\":\"no_capacity\",\"zone\":\"us-east-1?\","
                                  "\"instance_type\":\"p4d.*\",\"market\":\"spot\"}]");

    assert_true(HIT(NO_CAPACITY, "us-east-1a", "p4d.24xlarge", true, 1000000));
    assert_false(HIT(NO_CAPACITY, "us-east-1a", "p4d.24xlarge", false, 1000000));
    assert_false(HIT(NO_CAPACITY, "us-east-2a", "p4d.24xlarge", true, 1000000));
    assert_false(HIT(NO_CAPACITY, "us-east-1a", "p3.2xlarge", true, 1000000));
    assert_false(HIT(QUOTA, "us-east-1a", "p4d.24xlarge", true, 1000000));
    assert_false(
        faults_hit(f, FAULT_NO_CAPACITY, FAULT_CALL_LIST, "us-east-1a", "p4d.x", true, 1, NULL));
    faults_free(f);
}

static void faults_are_used_up(void **state)
{
    struct faults *f = set_faults("{\"faults\":[{\"fault\":\"quota\",\"tries\":2},"
                                  "{\"fault\":\"throttle\",\"seconds\":10},"
                                  "{\"fault\":\"die\",\"tries\":0}]}");

    assert_true(faults_dirty(f));
    assert_false(faults_dirty(f));
    assert_true(HIT(QUOTA, "z", "t", true, 1000000));
    assert_true(faults_dirty(f));
    assert_true(HIT(QUOTA, "z", "t", true, 1000000));
    assert_false(HIT(QUOTA, "z", "t", true, 1000000));
    assert_true(HIT(THROTTLE, "z", "t", true, 1009999));
    assert_false(HIT(THROTTLE, "z", "t", true, 1010000));
    assert_false(HIT(DIE, "z", "t", true, 1000000));
    cJSON *left = faults_json(f, 1004000);
    assert_int_equal(cJSON_GetArraySize(left), 1);
    assert_string_equal(json_str(left->child, "fault", ""), "throttle");
    assert_int_equal(json_i64(left->child, "seconds", 0), 6);
    cJSON_Delete(left);
    faults_free(f);
}

static void faults_survive_a_restart(void **state)
{
    struct faults *f = set_faults("[{\"fault\":\"throttle\",\"seconds\":10,\"tries\":5},"
                                  "{\"fault\":\"slow_boot\",\"delay_ms\":1500}]");
    int64_t delay = 0;

    assert_true(HIT(THROTTLE, "z", "t", true, 1000000));
    cJSON *saved = faults_save(f);
    faults_free(f);
    f = faults_create();
    assert_int_equal(faults_set(f, saved, 1005000, NULL), 0); // five seconds later
    cJSON_Delete(saved);
    for (int k = 0; k < 4; k++)
        assert_true(HIT(THROTTLE, "z", "t", true, 1009000));
    assert_false(HIT(THROTTLE, "z", "t", true, 1009000));
    assert_true(
        faults_hit(f, FAULT_SLOW_BOOT, FAULT_CALL_LAUNCH, "z", "t", false, 1009000, &delay));
    assert_int_equal(delay, 1500);
    faults_free(f);
}

static void faults_meet_the_calls_they_name(void **state)
{
    struct faults *f = set_faults("[{\"fault\":\"unauthorized\",\"tries\":2},"
                                  "{\"fault\":\"lose_reply\",\"call\":\"terminate\"}]");

    assert_true(faults_hit(f, FAULT_UNAUTHORIZED, FAULT_CALL_LIST, "", "", false, 1, NULL));
    assert_true(faults_hit(f, FAULT_UNAUTHORIZED, FAULT_CALL_LAUNCH, "z", "t", true, 1, NULL));
    assert_false(faults_hit(f, FAULT_LOSE_REPLY, FAULT_CALL_LAUNCH, "z", "t", true, 1, NULL));
    assert_true(faults_hit(f, FAULT_LOSE_REPLY, FAULT_CALL_TERMINATE, "", "", false, 1, NULL));
    faults_free(f);
}

static void wrong_faults_change_nothing(void **state)
{
    static const char *const wrong[] = {
        "3",
        "[3]",
        "[{\"fault\":\"earthquake\"}]",
        "[{\"fault\":\"die\",\"tries\":-1}]",
        "[{\"fault\":\"die\",\"tries\":\"two\"}]",
        "[{\"fault\":\"die\",\"zones\":\"*\"}]",
        "[{\"fault\":\"die\"},{\"fault\":\"quota\",\"call\":\"delete\"}]"};
    struct faults *f = set_faults("[{\"fault\":\"quota\"}]");

    for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
        cJSON *o = json_parse(wrong[k], strlen(wrong[k]), NULL);
        burst_error_t err = {""};
        assert_int_equal(faults_set(f, o, 1, &err), -1);
        assert_true(strlen(err.text) > 10);
        cJSON_Delete(o);
        assert_true(HIT(QUOTA, "z", "t", true, 1));
        assert_false(HIT(DIE, "z", "t", true, 1));
    }
    faults_free(f);
}

// ---- records and money ------------------------------------------------------------------------

static struct instance *sample(void)
{
    struct instance *i = instance_create();

    snprintf(i->id, sizeof(i->id), "i-0123456789");
    i->cloud = xstrdup("aws");
    i->state = INSTANCE_RUNNING;
    instance_set_address(i, (10u << 24) | (88u << 16) | (1u << 8) | 7u);
    i->host_key = xstrdup("ssh-ed25519 AAAA");
    i->instance_type = xstrdup("p4d.24xlarge");
    i->region = xstrdup("us-east-1");
    i->zone = xstrdup("us-east-1b");
    i->spot = true;
    i->price = 1230001;
    i->launched_at = 1764000000;
    i->tags = cJSON_CreateObject();
    cJSON_AddStringToObject(i->tags, "burst-instance", "bi \"1\"");
    i->token = xstrdup("tok-1");
    i->params = xstrdup("{\"count\":2}");
    i->count = 2;
    i->accelerators = 8;
    i->die_at_ms = INT64_C(1764000005123);
    i->cut = true;
    i->machine.pid = 4711;
    i->machine.start_ticks = UINT64_C(123456789012);
    snprintf(i->machine.boot_id, sizeof(i->machine.boot_id), "0c5a-boot");
    return i;
}

static void a_record_comes_back_from_its_file(void **state)
{
    struct instance *i = sample();
    char *text = instance_print(i);
    burst_error_t err = {""};
    struct instance *j = instance_parse(text, strlen(text), &err);

    if (!j)
        fail_msg("%s", err.text);
    assert_string_equal(j->id, "i-0123456789");
    assert_string_equal(j->address_text, "10.88.1.7");
    assert_int_equal(j->state, INSTANCE_RUNNING);
    assert_true(j->spot);
    assert_int_equal(j->price, 1230001);
    assert_int_equal(j->launched_at, 1764000000);
    assert_int_equal(j->ended_at, 0);
    assert_int_equal(j->notice_at, 0);
    assert_null(j->reason);
    assert_string_equal(json_str(j->tags, "burst-instance", ""), "bi \"1\"");
    assert_string_equal(j->token, "tok-1");
    assert_string_equal(j->params, "{\"count\":2}");
    assert_int_equal(j->count, 2);
    assert_int_equal(j->accelerators, 8);
    assert_true(j->die_at_ms == INT64_C(1764000005123));
    assert_true(j->cut);
    assert_int_equal(j->machine.pid, 4711);
    assert_true(j->machine.start_ticks == UINT64_C(123456789012));
    assert_string_equal(j->machine.boot_id, "0c5a-boot");
    instance_destroy(j);
    instance_destroy(i);
    free(text);
}

static void a_damaged_record_is_refused(void **state)
{
    static const char *const keys[] = {"id",    "state",   "address", "price_uusd", "launched_at",
                                       "count", "machine", "token",   "cloud",      "tags"};
    struct instance *i = sample();
    char *text = instance_print(i);

    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        cJSON *o = json_parse(text, strlen(text), NULL);
        burst_error_t err = {""};
        cJSON_DeleteItemFromObject(o, keys[k]);
        char *broken = json_line(o);
        assert_null(instance_parse(broken, strlen(broken), &err));
        assert_non_null(strstr(err.text, keys[k]));
        free(broken);
        cJSON_Delete(o);
    }
    assert_null(instance_parse(text, strlen(text) / 2, NULL)); // cut off
    free(text);
    instance_destroy(i);
}

static void the_bill_is_price_times_seconds_over_3600(void **state)
{
    struct instance *i = sample();

    i->price = 3600000; // $3.60 an hour = 1000 micro-dollars a second
    assert_int_equal(instance_cost(i, i->launched_at), 0);
    assert_int_equal(instance_cost(i, i->launched_at + 17), 17000);
    i->price = 1234567;
    assert_int_equal(instance_cost(i, i->launched_at + 1), 342); // 342.93 rounded down
    assert_int_equal(instance_cost(i, i->launched_at + 3600), 1234567);
    i->ended_at = i->launched_at + 7;
    assert_int_equal(instance_seconds(i, i->launched_at + 100), 7);
    assert_int_equal(instance_cost(i, i->launched_at + 100), 2400); // 2400.54
    assert_int_equal(instance_seconds(i, i->launched_at - 100), 7);
    i->ended_at = 0;
    assert_int_equal(instance_seconds(i, i->launched_at - 100), 0); // the clock was set back
    instance_destroy(i);
}

static void metadata_has_the_form_of_aws(void **state)
{
    struct instance *i = sample();
    char *v;

    v = metadata_value(i, "instance-id");
    assert_string_equal(v, "i-0123456789");
    free(v);
    assert_null(metadata_value(i, "spot/instance-action"));
    assert_null(metadata_value(i, "no-such-thing"));
    i->notice_at = 1764000120;
    v = metadata_value(i, "spot/instance-action");
    cJSON *o = json_parse(v, strlen(v), NULL);
    assert_string_equal(json_str(o, "action", ""), "terminate");
    assert_string_equal(json_str(o, "time", ""), "2025-11-24T16:02:00Z"); // date -u -d @1764000120
    cJSON_Delete(o);
    free(v);
    instance_destroy(i);
}

// ---- the fleet, with machines that are only counted -------------------------------------------

struct machine {
    bool booted;
};

static struct {
    int64_t now_ms;
    int created, booted, discarded, terms, kills, cuts;
    int fail_create_at; // the n-th create fails; 0 = none
    bool all_dead;      // attach finds nothing
} world;

static int fake_create(void *ctx, struct instance *i, burst_error_t *errp)
{
    if (world.fail_create_at && world.created + 1 == world.fail_create_at)
        return errprintf(errp, "no more processes");
    world.created++;
    i->m = xmalloc(sizeof(*i->m));
    i->machine.pid = 1000 + world.created;
    i->machine.start_ticks = 5;
    return 0;
}

static int fake_boot(void *ctx, struct instance *i, const char *key, burst_error_t *errp)
{
    assert_non_null(strstr(key, "OPENSSH PRIVATE KEY"));
    assert_string_equal(i->ssh_key, KEY);
    world.booted++;
    return 0;
}

static bool fake_attach(void *ctx, struct instance *i)
{
    if (world.all_dead || i->machine.pid == 0)
        return false;
    i->m = xmalloc(sizeof(*i->m));
    return true;
}

static void fake_signal(void *ctx, struct instance *i, int signum)
{
    if (signum == SIGKILL)
        world.kills++;
    else
        world.terms++;
}

static int fake_cut(void *ctx, struct instance *i, bool cut, burst_error_t *errp)
{
    world.cuts += cut ? 1 : -1;
    return 0;
}

static void fake_discard(void *ctx, struct instance *i)
{
    world.discarded++;
    free(i->m);
    i->m = NULL;
}

static int64_t fake_now(void *ctx)
{
    return world.now_ms;
}

static const struct machine_ops fake_ops = {.create = fake_create,
                                            .boot = fake_boot,
                                            .attach = fake_attach,
                                            .signal = fake_signal,
                                            .cut = fake_cut,
                                            .discard = fake_discard,
                                            .now_ms = fake_now};

static char dir[64];
static struct conf *conf;
static struct fleet *fleet;
static struct cloud *aws, *gcp;
static struct instance *out[FLEET_COUNT_MAX];
static size_t n_out;
static struct fleet_error error;

static char *put_file(const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", dir, name);
    burst_error_t err;

    assert_int_equal(fs_write_atomic(path, text, strlen(text), 0600, &err), 0);
    return path;
}

static char *conf_text(const char *extra)
{
    return xasprintf(
        "{\"listen\":\"127.0.0.1:8700\",\"state_dir\":\"%s/state\",\"bridge\":\"br0\","
        "\"address_range\":\"10.88.1.1-10.88.1.5\",\"prefix\":16,\"gateway\":\"10.88.0.1\","
        "\"admin_token_file\":\"%s/token\",%s\"clouds\":["
        "{\"name\":\"aws\",\"token_file\":\"%s/token\",\"catalog\":\"%s/aws.csv\","
        "\"quota_nodes\":4},"
        "{\"name\":\"gcp\",\"token_file\":\"%s/token\",\"catalog\":\"%s/aws.csv\"}]}",
        dir, dir, extra, dir, dir, dir, dir);
}

static void open_fleet(void)
{
    burst_error_t err = {""};

    fleet = fleet_create(conf, &fake_ops, NULL, &err);
    if (!fleet)
        fail_msg("%s", err.text);
    fleet_attach(fleet, NULL);
    aws = fleet_cloud(fleet, "aws");
    gcp = fleet_cloud(fleet, "gcp");
    assert_null(fleet_cloud(fleet, "azure"));
}

// As after kill -9: no good-bye, only the files are left.
static void restart_fleet(void)
{
    struct instance *i;
    size_t k = 0;

    while ((i = fleet_next(fleet, NULL, &k, true))) {
        free(i->m);
        i->m = NULL;
    }
    fleet_destroy(fleet);
    open_fleet();
}

static int fleet_setup(void **state)
{
    burst_error_t err;

    snprintf(dir, sizeof(dir), "/tmp/test-localcloud.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    memset(&world, 0, sizeof(world));
    world.now_ms = INT64_C(1764000000000);
    log_set_level(LOG_LEVEL_ERROR);
    free(put_file("token", "secret-token\n"));
    free(put_file("aws.csv", HEADER "gpu,A100,2,8,32,,3.60,1.20,r1,a\n"
                                    "gpu,A100,2,8,32,,3.60,1.30,r1,b\n"
                                    "cpu,,,2,4,,0.10,,r1,\n"));
    char *text = conf_text("");
    conf = conf_parse("test", text, strlen(text), &err);
    free(text);
    if (!conf)
        return -1;
    open_fleet();
    return 0;
}

static int fleet_teardown(void **state)
{
    struct instance *i;
    size_t k = 0;

    while ((i = fleet_next(fleet, NULL, &k, true)))
        free(i->m);
    fleet_destroy(fleet);
    conf_free(conf);
    char *command[] = {(char *)"rm", (char *)"-rf", dir, NULL};
    pid_t pid = fork();
    if (pid == 0) {
        execvp(command[0], command);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    return 0;
}

static int launch(struct cloud *c, const char *token, int count, const char *type, const char *zone,
                  bool spot)
{
    const struct fleet_launch req = {.token = token,
                                     .count = count,
                                     .instance_type = type,
                                     .region = "r1",
                                     .zone = zone,
                                     .spot = spot,
                                     .ssh_public_key = KEY};

    memset(&error, 0, sizeof(error));
    return fleet_launch(fleet, c, &req, out, &n_out, &error);
}

static void set_fleet_faults(const char *text)
{
    cJSON *o = json_parse(text, strlen(text), NULL);

    assert_int_equal(faults_set(cloud_faults(aws), o, world.now_ms, NULL), 0);
    cJSON_Delete(o);
    fleet_save_faults(fleet);
}

static void a_launch_makes_its_instances(void **state)
{
    assert_int_equal(launch(aws, "t1", 2, "gpu", "b", true), 0);
    assert_int_equal(n_out, 2);
    assert_int_equal(world.booted, 2);
    assert_int_equal(out[0]->state, INSTANCE_PENDING);
    assert_string_equal(out[0]->address_text, "10.88.1.1");
    assert_string_equal(out[1]->address_text, "10.88.1.2");
    assert_string_equal(out[0]->zone, "b");
    assert_int_equal(out[0]->price, 1300000);
    assert_int_equal(out[0]->accelerators, 2);
    assert_int_equal(out[0]->launched_at, 1764000000);
    assert_int_equal(strncmp(out[0]->host_key, "ssh-ed25519 ", 12), 0);
    assert_string_not_equal(out[0]->id, out[1]->id);
    assert_string_not_equal(out[0]->host_key, out[1]->host_key);
    fleet_event(fleet, out[0], MACHINE_UP, "");
    assert_int_equal(out[0]->state, INSTANCE_RUNNING);
    // without a zone: the first that has a price on the market
    assert_int_equal(launch(aws, "t2", 1, "gpu", "", false), 0);
    assert_string_equal(out[0]->zone, "a");
    assert_int_equal(out[0]->price, 3600000);
}

static void the_same_token_is_the_same_launch(void **state)
{
    assert_int_equal(launch(aws, "t1", 2, "gpu", "a", true), 0);
    char *first = xstrdup(out[0]->id);
    assert_int_equal(launch(aws, "t1", 2, "gpu", "a", true), 0);
    assert_int_equal(n_out, 2);
    assert_string_equal(out[0]->id, first);
    assert_int_equal(world.created, 2);
    restart_fleet();
    assert_int_equal(launch(aws, "t1", 2, "gpu", "a", true), 0);
    assert_int_equal(world.created, 2);
    assert_int_equal(launch(aws, "t1", 1, "gpu", "a", true), -1);
    assert_int_equal(error.status, 409);
    assert_string_equal(error.code, "IdempotentParameterMismatch");
    assert_int_equal(launch(gcp, "t1", 1, "gpu", "a", true), 0); // another cloud, another customer
    free(first);
}

static void only_what_is_offered_can_be_had(void **state)
{
    assert_int_equal(launch(aws, "t1", 1, "quantum", "", false), -1);
    assert_string_equal(error.code, "InvalidParameter");
    assert_int_equal(launch(aws, "t1", 1, "cpu", "", true), -1); // no spot price
    assert_string_equal(error.code, "InvalidParameter");
    assert_int_equal(launch(aws, "t1", 1, "gpu", "c", false), -1); // no such zone
    assert_string_equal(error.code, "InvalidParameter");
    assert_int_equal(launch(aws, "t 1", 1, "cpu", "", false), -1);
    assert_non_null(strstr(error.message, "token"));
    assert_int_equal(launch(aws, "t1", 0, "cpu", "", false), -1);
    assert_non_null(strstr(error.message, "count"));
    assert_int_equal(world.created, 0);
}

static void a_key_cannot_carry_options(void **state)
{
    static const char *const bad[] = {"", "command=\"x\" ssh-ed25519 AAAA", "AAAA",
                                      "ssh-ed25519 AAAA\nssh-rsa BBBB", "ssh-ed25519\tAAAA"};

    for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
        const struct fleet_launch req = {.token = "t1",
                                         .count = 1,
                                         .instance_type = "cpu",
                                         .region = "r1",
                                         .zone = "",
                                         .ssh_public_key = bad[k]};
        assert_int_equal(fleet_launch(fleet, aws, &req, out, &n_out, &error), -1);
        assert_non_null(strstr(error.message, "ssh_public_key"));
    }
}

static void tags_are_merged(void **state)
{
    static const char common[] = "{\"burst-cluster\":\"c\",\"x\":\"1\"}";
    static const char own[] =
        "[{\"burst-instance\":\"b1\"},{\"burst-instance\":\"b2\",\"x\":\"2\"}]";
    cJSON *tags = json_parse(common, strlen(common), NULL);
    cJSON *instance_tags = json_parse(own, strlen(own), NULL);
    struct fleet_launch req = {.token = "t1",
                               .count = 2,
                               .instance_type = "cpu",
                               .region = "r1",
                               .zone = "",
                               .tags = tags,
                               .instance_tags = instance_tags,
                               .ssh_public_key = KEY};

    assert_int_equal(fleet_launch(fleet, aws, &req, out, &n_out, &error), 0);
    assert_string_equal(json_str(out[0]->tags, "burst-cluster", ""), "c");
    assert_string_equal(json_str(out[0]->tags, "x", ""), "1");
    assert_string_equal(json_str(out[1]->tags, "burst-instance", ""), "b2");
    assert_string_equal(json_str(out[1]->tags, "x", ""), "2");
    req.token = "t2";
    req.count = 1; // two objects for one instance
    assert_int_equal(fleet_launch(fleet, aws, &req, out, &n_out, &error), -1);
    assert_non_null(strstr(error.message, "instance_tags"));
    cJSON_Delete(tags);
    cJSON_Delete(instance_tags);
}

static void quota_counts_the_living(void **state)
{
    assert_int_equal(launch(aws, "t1", 3, "cpu", "", false), 0);
    struct instance *first = out[0];
    assert_int_equal(launch(aws, "t2", 2, "cpu", "", false), -1);
    assert_int_equal(error.status, 403);
    assert_string_equal(error.code, "QuotaExceeded");
    assert_int_equal(launch(aws, "t2", 1, "cpu", "", false), 0);
    fleet_event(fleet, first, MACHINE_GONE, "");
    assert_int_equal(launch(aws, "t3", 1, "cpu", "", false), 0);
}

static void addresses_run_out_and_come_back(void **state)
{
    assert_int_equal(launch(gcp, "t1", 6, "cpu", "", false), -1); // the range has five
    assert_string_equal(error.code, "InsufficientCapacity");
    assert_int_equal(fleet_alive(fleet), 0); // all or nothing
    assert_int_equal(launch(gcp, "t2", 4, "cpu", "", false), 0);
    struct instance *first = out[0];
    fleet_event(fleet, first, MACHINE_GONE, "");
    assert_int_equal(launch(gcp, "t3", 2, "cpu", "", false), 0);
    for (size_t k = 0; k < 2; k++)
        assert_true(out[k]->address >= conf->range_first && out[k]->address <= conf->range_last);
    assert_int_not_equal(out[0]->address, out[1]->address);
}

static void a_failed_launch_leaves_nothing(void **state)
{
    world.fail_create_at = 3;
    assert_int_equal(launch(aws, "t1", 3, "cpu", "", false), -1);
    assert_string_equal(error.code, "Internal");
    assert_int_equal(world.created, 2);
    assert_int_equal(world.discarded, 3);
    assert_int_equal(world.booted, 0);
    size_t k = 0;
    assert_null(fleet_next(fleet, NULL, &k, true));
    world.fail_create_at = 0;
    assert_int_equal(launch(aws, "t1", 3, "cpu", "", false), 0); // the token was not used up
}

static void capacity_faults_close_zones(void **state)
{
    set_fleet_faults("[{\"fault\":\"no_capacity\",\"zone\":\"a\",\"market\":\"spot\"}]");
    assert_int_equal(launch(aws, "t1", 1, "gpu", "a", true), -1);
    assert_int_equal(error.status, 503);
    assert_string_equal(error.code, "InsufficientCapacity");
    assert_int_equal(launch(aws, "t2", 1, "gpu", "", true), 0); // goes to the open zone
    assert_string_equal(out[0]->zone, "b");
    assert_int_equal(launch(aws, "t3", 1, "gpu", "a", false), 0); // on-demand is not meant
    set_fleet_faults("[{\"fault\":\"no_capacity\"}]");
    assert_int_equal(launch(aws, "t4", 1, "gpu", "", true), -1);
    assert_string_equal(error.code, "InsufficientCapacity");
    assert_int_equal(launch(aws, "t2", 1, "gpu", "", true), 0); // a known token needs no capacity
}

static void faults_are_still_set_after_a_restart(void **state)
{
    set_fleet_faults("[{\"fault\":\"no_capacity\",\"tries\":2}]");
    assert_int_equal(launch(aws, "t1", 1, "cpu", "", false), -1);
    fleet_save_faults(fleet);
    restart_fleet();
    assert_int_equal(launch(aws, "t1", 1, "cpu", "", false), -1);
    assert_int_equal(launch(aws, "t1", 1, "cpu", "", false), 0);
}

static void boot_faults_reach_the_machine(void **state)
{
    set_fleet_faults("[{\"fault\":\"slow_boot\",\"delay_ms\":2500,\"tries\":1},"
                     "{\"fault\":\"never_boot\",\"instance_type\":\"cpu\"},"
                     "{\"fault\":\"die\",\"instance_type\":\"gpu\",\"delay_ms\":4000}]");
    assert_int_equal(launch(aws, "t1", 1, "gpu", "a", false), 0);
    assert_int_equal(out[0]->boot_delay, 2500);
    assert_true(out[0]->die_at_ms == world.now_ms + 4000);
    assert_int_equal(launch(aws, "t2", 1, "cpu", "", false), 0);
    assert_int_equal(out[0]->boot_delay, -1);
    assert_true(out[0]->die_at_ms == 0);
    assert_int_equal(fleet_run_due(fleet), 4000);
    world.now_ms += 3999;
    assert_int_equal(fleet_run_due(fleet), 1);
    assert_int_equal(world.kills, 0);
    world.now_ms += 1;
    assert_int_equal(fleet_run_due(fleet), -1);
    assert_int_equal(world.kills, 1);
}

static void termination_is_polite_first(void **state)
{
    assert_int_equal(launch(aws, "t1", 1, "gpu", "a", true), 0);
    struct instance *i = out[0];
    world.now_ms += 5000;
    fleet_terminate(fleet, i);
    fleet_terminate(fleet, i);
    assert_int_equal(i->state, INSTANCE_STOPPING);
    assert_int_equal(world.terms, 1);
    assert_int_equal(world.kills, 0);
    int64_t wait = fleet_run_due(fleet);
    assert_true(wait > 0 && wait <= 2000);
    world.now_ms += wait;
    assert_int_equal(fleet_run_due(fleet), -1);
    assert_int_equal(world.kills, 1);
    world.now_ms = INT64_C(1764000010999);
    fleet_event(fleet, i, MACHINE_GONE, "");
    assert_int_equal(i->state, INSTANCE_TERMINATED);
    assert_string_equal(i->reason, "user");
    assert_int_equal(i->ended_at, 1764000010);
    fleet_terminate(fleet, i); // idempotent, also afterwards
    assert_int_equal(i->state, INSTANCE_TERMINATED);
    assert_ptr_equal(fleet_find(fleet, aws, i->id), i);
    assert_null(fleet_find(fleet, gcp, i->id));
    world.now_ms += 3600 * 1000; // not listed any more, but still on the bill
    assert_null(fleet_find(fleet, aws, i->id));
    cJSON *bill = fleet_bill(fleet, aws);
    assert_int_equal(json_i64(bill, "total_usd_micro", 0), 3333); // 1.20 * 10 / 3600 = 0.0033333
    const cJSON *row = cJSON_GetObjectItem(bill, "rows")->child;
    assert_int_equal(json_i64(row, "seconds", 0), 10);
    assert_int_equal(json_i64(row, "usd_micro", 0), 3333);
    assert_string_equal(json_str(row, "market", ""), "spot");
    cJSON_Delete(bill);
}

static void spot_is_taken_back_when_its_time_comes(void **state)
{
    assert_int_equal(launch(aws, "t1", 1, "gpu", "a", false), 0);
    assert_int_equal(fleet_preempt(fleet, out[0], 30, &error), -1); // on-demand is not
    assert_int_equal(launch(aws, "t2", 1, "gpu", "a", true), 0);
    struct instance *i = out[0];
    fleet_event(fleet, i, MACHINE_UP, "");
    assert_int_equal(fleet_preempt(fleet, i, 30, &error), 0);
    assert_int_equal(i->notice_at, 1764000030);
    assert_int_equal(i->state, INSTANCE_RUNNING);
    restart_fleet(); // the notice is kept
    size_t k = 0;
    while ((i = fleet_next(fleet, aws, &k, false)) && !i->spot)
        ;
    assert_int_equal(i->notice_at, 1764000030);
    world.now_ms = INT64_C(1764000029999);
    assert_int_equal(fleet_run_due(fleet), 1);
    assert_int_equal(i->state, INSTANCE_RUNNING);
    world.now_ms++;
    fleet_run_due(fleet);
    assert_int_equal(i->state, INSTANCE_STOPPING);
    fleet_event(fleet, i, MACHINE_GONE, "");
    assert_string_equal(i->reason, "preempted");
    // without notice: at once
    assert_int_equal(launch(aws, "t3", 1, "gpu", "a", true), 0);
    assert_int_equal(fleet_preempt(fleet, out[0], 0, &error), 0);
    assert_int_equal(out[0]->state, INSTANCE_STOPPING);
}

static void an_instance_that_ends_by_itself_has_died(void **state)
{
    assert_int_equal(launch(aws, "t1", 1, "gpu", "a", true), 0);
    assert_int_equal(fleet_cut(fleet, out[0], true, &error), 0);
    assert_int_equal(world.cuts, 1);
    assert_int_equal(fleet_cut(fleet, out[0], false, &error), 0);
    assert_int_equal(world.cuts, 0);
    assert_int_equal(fleet_kill(fleet, out[0], &error), 0);
    assert_int_equal(world.kills, 1);
    fleet_event(fleet, out[0], MACHINE_GONE, "");
    assert_string_equal(out[0]->reason, "died");
    assert_int_equal(fleet_kill(fleet, out[0], &error), -1);
    assert_int_equal(fleet_preempt(fleet, out[0], 0, &error), -1);
}

static void a_restart_finds_the_living_and_buries_the_dead(void **state)
{
    assert_int_equal(launch(aws, "t1", 2, "gpu", "a", true), 0);
    char *id = xstrdup(out[0]->id);
    world.now_ms += 60000;
    restart_fleet();
    struct instance *i = fleet_find(fleet, aws, id);
    assert_non_null(i);
    assert_int_equal(i->state, INSTANCE_RUNNING);
    assert_non_null(i->m);
    world.all_dead = true;
    restart_fleet();
    i = fleet_find(fleet, aws, id);
    assert_int_equal(i->state, INSTANCE_TERMINATED);
    assert_string_equal(i->reason, "died");
    assert_int_equal(i->ended_at, 1764000060);
    restart_fleet(); // the end stays as it was
    assert_int_equal(fleet_find(fleet, aws, id)->ended_at, 1764000060);
    free(id);
}

static void an_interrupted_launch_is_forgotten(void **state)
{
    assert_int_equal(launch(aws, "t1", 1, "cpu", "", false), 0);
    assert_int_equal(launch(aws, "t2", 2, "gpu", "a", true), 0);
    // The program was killed before it had written that the launch is done.
    char *instances = xasprintf("%s/state/instances", dir);
    assert_true(out[0]->committed);
    out[0]->committed = false;
    assert_int_equal(instance_save(out[0], instances, NULL), 0);
    free(instances);
    int before = world.discarded;
    restart_fleet();
    assert_int_equal(fleet_alive(fleet), 1);
    assert_int_equal(world.discarded - before, 2); // both are ended
    assert_int_equal(launch(aws, "t2", 2, "gpu", "a", true), 0);
    assert_int_equal(world.created, 5);
}

static void an_unreadable_record_stops_the_start(void **state)
{
    burst_error_t err = {""};

    free(put_file("state/instances/i-ffffffffff.json", "{\"id\":"));
    assert_null(fleet_create(conf, &fake_ops, NULL, &err));
    assert_non_null(strstr(err.text, "i-ffffffffff.json"));
}

// ---- configuration, keys, specification -------------------------------------------------------

static void wrong_configurations_are_explained(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } table[] = {
        {"\"prefix\"", "\"prefx\"", "unknown key \"prefx\""},
        {"127.0.0.1:8700", "localhost:8700", "listen"},
        {"127.0.0.1:8700", "127.0.0.1:99999", "listen"},
        {"10.88.1.1-10.88.1.5", "10.88.1.9-10.88.1.5", "address_range"},
        {"10.88.1.1-10.88.1.5", "10.88.1.1", "address_range"},
        {"\"gateway\":\"10.88.0.1\"", "\"gateway\":\"10.88.1.3\"", "gateway"},
        {"\"name\":\"gcp\"", "\"name\":\"aws\"", "twice"},
        {"\"name\":\"gcp\"", "\"name\":\"G/CP\"", "clouds[1]"},
        {"\"quota_nodes\":4", "\"quota_nodes\":-4", "quota_nodes"},
        {"\"bridge\":\"br0\"", "\"bridge\":\"a-very-long-bridge\"", "bridge"},
    };
    char *good = conf_text("");

    for (size_t k = 0; k < sizeof(table) / sizeof(table[0]); k++) {
        char *at = strstr(good, table[k].from);
        burst_error_t err = {""};
        assert_non_null(at);
        char *bad =
            xasprintf("%.*s%s%s", (int)(at - good), good, table[k].to, at + strlen(table[k].from));
        assert_null(conf_parse("lc.json", bad, strlen(bad), &err));
        if (!strstr(err.text, table[k].says) || !strstr(err.text, "lc.json"))
            fail_msg("for %s: %s", table[k].to, err.text);
        free(bad);
    }
    free(good);
}

static void tokens_must_be_secret(void **state)
{
    char *path = xasprintf("%s/token", dir), *text = conf_text("");
    burst_error_t err = {""};

    assert_int_equal(chmod(path, 0640), 0);
    assert_null(conf_parse("lc.json", text, strlen(text), &err));
    assert_non_null(strstr(err.text, "admin_token_file"));
    assert_null(strstr(err.text, "secret-token"));
    free(text);
    free(path);
}

// What ssh-keygen derives from the private file must be the public key that the API tells.
static void host_keys_are_what_openssh_takes(void **state)
{
    char public_line[HOSTKEY_PUBLIC_MAX], derived[512] = "";
    char *private_text;
    burst_error_t err;
    int p[2];

    if (access("/usr/bin/ssh-keygen", X_OK) < 0)
        skip();
    assert_int_equal(hostkey_make(public_line, &private_text, &err), 0);
    char *path = put_file("hostkey", private_text);
    free(private_text);
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(p[1], 1);
        execl("/usr/bin/ssh-keygen", "ssh-keygen", "-y", "-f", path, (char *)NULL);
        _exit(127);
    }
    close(p[1]);
    assert_true(read(p[0], derived, sizeof(derived) - 1) > 0);
    close(p[0]);
    derived[strcspn(derived, "\n")] = '\0';
    size_t len = strlen(public_line);
    assert_int_equal(strncmp(derived, public_line, len), 0);
    assert_true(derived[len] == '\0' || derived[len] == ' '); // a comment may follow
    free(path);
}

static void the_specification_arrives_whole(void **state)
{
    const struct guest_spec s = {.id = (char *)"i-1",
                                 .mountpoint = (char *)"/x y/\"mnt\"",
                                 .address = 0x0a580107,
                                 .prefix = 16,
                                 .gateway = 0x0a580001,
                                 .accelerators = 8,
                                 .boot_delay_ms = -1,
                                 .disk_mib = 512,
                                 .ssh_public_key = (char *)KEY,
                                 .host_private_key = (char *)"-----BEGIN\nline\n"};
    struct guest_spec t;
    char *line = guest_spec_print(&s);

    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1); // one line
    assert_int_equal(guest_spec_parse(line, strlen(line), &t, NULL), 0);
    assert_string_equal(t.id, "i-1");
    assert_string_equal(t.mountpoint, "/x y/\"mnt\"");
    assert_int_equal(t.address, 0x0a580107);
    assert_int_equal(t.prefix, 16);
    assert_int_equal(t.gateway, 0x0a580001);
    assert_int_equal(t.accelerators, 8);
    assert_int_equal(t.boot_delay_ms, -1);
    assert_int_equal(t.disk_mib, 512);
    assert_string_equal(t.ssh_public_key, KEY);
    assert_string_equal(t.host_private_key, "-----BEGIN\nline\n");
    guest_spec_clear(&t);
    free(line);
    assert_int_equal(guest_spec_parse("{\"id\":\"x\"}", 10, &t, NULL), -1);
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
#define F(f) cmocka_unit_test_setup_teardown(f, fleet_setup, fleet_teardown)
    const struct CMUnitTest tests[] = {
        T(offers_are_read),
        T(impossible_lines_are_left_out),
        T(a_catalog_without_prices_is_refused),
        T(places_are_found),
        T(faults_match_place_type_and_market),
        T(faults_are_used_up),
        T(faults_survive_a_restart),
        T(faults_meet_the_calls_they_name),
        T(wrong_faults_change_nothing),
        T(a_record_comes_back_from_its_file),
        T(a_damaged_record_is_refused),
        T(the_bill_is_price_times_seconds_over_3600),
        T(metadata_has_the_form_of_aws),
        F(a_launch_makes_its_instances),
        F(the_same_token_is_the_same_launch),
        F(only_what_is_offered_can_be_had),
        F(a_key_cannot_carry_options),
        F(tags_are_merged),
        F(quota_counts_the_living),
        F(addresses_run_out_and_come_back),
        F(a_failed_launch_leaves_nothing),
        F(capacity_faults_close_zones),
        F(faults_are_still_set_after_a_restart),
        F(boot_faults_reach_the_machine),
        F(termination_is_polite_first),
        F(spot_is_taken_back_when_its_time_comes),
        F(an_instance_that_ends_by_itself_has_died),
        F(a_restart_finds_the_living_and_buries_the_dead),
        F(an_interrupted_launch_is_forgotten),
        F(an_unreadable_record_stops_the_start),
        F(wrong_configurations_are_explained),
        F(tokens_must_be_secret),
        F(host_keys_are_what_openssh_takes),
        T(the_specification_arrives_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
