// SPDX-License-Identifier: GPL-3.0-or-later
// The local cloud's API and the provider that speaks it, against each other: both on one loop, only
// the machines are played. What one calls a field the other must call so too.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/log.h"
#include "cloud/provider/http.h"
#include "cloud/provider/provider.h"
#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "localcloud/api.h"

struct machine {
    int unused;
};

static int fake_create(void *ctx, struct instance *i, burst_error_t *errp)
{
    i->m = xmalloc(sizeof(*i->m));
    i->machine.pid = 4711;
    return 0;
}

static int fake_boot(void *ctx, struct instance *i, const char *key, burst_error_t *errp)
{
    return 0;
}

static bool fake_attach(void *ctx, struct instance *i)
{
    return false;
}

static void fake_signal(void *ctx, struct instance *i, int signum)
{
}

static int fake_cut(void *ctx, struct instance *i, bool cut, burst_error_t *errp)
{
    return 0;
}

static void fake_discard(void *ctx, struct instance *i)
{
    free(i->m);
    i->m = NULL;
}

static int64_t fake_now(void *ctx)
{
    return INT64_C(1764000000000);
}

static const struct machine_ops fake_ops = {.create = fake_create,
                                            .boot = fake_boot,
                                            .attach = fake_attach,
                                            .signal = fake_signal,
                                            .cut = fake_cut,
                                            .discard = fake_discard,
                                            .now_ms = fake_now};

static char dir[64];
static uv_loop_t loop;
static struct conf *conf;
static struct fleet *fleet;
static struct api api;
static struct httpd *httpd;
static struct http *http;
static struct provider *provider;
static char fetch_address[64]; // of the cloud, for the price fetcher

static struct {
    bool called;
    enum provider_class error;
    char message[512];
    int64_t retry_after_ms;
    struct provider_instance instances[4];
    size_t n;
} got;

static void nothing(void *arg)
{
}

static void put_file(const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", dir, name);

    assert_int_equal(fs_write_atomic(path, text, strlen(text), 0600, NULL), 0);
    free(path);
}

static int start_cloud(uint16_t *port)
{
    burst_error_t err;
    char *text = xasprintf("{\"listen\":\"127.0.0.1:0\",\"state_dir\":\"%s/state\",\"bridge\":"
                           "\"br0\",\"address_range\":\"10.88.1.1-10.88.1.9\",\"admin_token_file\":"
                           "\"%s/admin\",\"clouds\":[{\"name\":\"aws\",\"token_file\":\"%s/token\","
                           "\"catalog\":\"%s/aws.csv\",\"quota_nodes\":3}]}",
                           dir, dir, dir, dir);

    conf = conf_parse("test", text, strlen(text), &err);
    free(text);
    fleet = conf ? fleet_create(conf, &fake_ops, NULL, &err) : NULL;
    if (!fleet)
        return -1;
    fleet_attach(fleet, NULL);
    api = (struct api){.conf = conf, .fleet = fleet, .changed = nothing};
    *port = conf->listen_port;
    int fd = httpd_listen(conf->listen_host, port, false, &err);
    httpd = fd < 0 ? NULL : httpd_create(&loop, fd, api_handle, &api, &err);
    return httpd ? 0 : -1;
}

static int setup(void **state)
{
    uint16_t port;
    burst_error_t err;

    memset(&got, 0, sizeof(got));
    log_set_level(LOG_LEVEL_ERROR);
    snprintf(dir, sizeof(dir), "/tmp/test-localcloud-api.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    put_file("admin", "operator-token\n");
    put_file("token", "customer-token\n");
    put_file("aws.csv", "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,"
                        "SpotPrice,Region,AvailabilityZone\n"
                        "gpu,A100,2,8,61.5,3.60,1.20,r1,a\n"
                        "\"cpu, \"\"x\"\"\",,,2,4,0.0512345,,r2,\n");
    uv_loop_init(&loop);
    if (start_cloud(&port) < 0)
        return -1;
    char *endpoint = xasprintf("http://127.0.0.1:%u", port), *token = xasprintf("%s/token", dir);
    snprintf(fetch_address, sizeof(fetch_address), "%s", endpoint);
    const struct provider_config config = {.cloud = "aws",
                                           .endpoint = endpoint,
                                           .credentials_file = token,
                                           .cluster = "campus",
                                           .timeout_ms = 5000};
    http = http_create(&loop, &err);
    provider = provider_local.create(&loop, http, &config, &err);
    free(endpoint);
    free(token);
    return provider ? 0 : -1;
}

static int teardown(void **state)
{
    struct instance *i;
    size_t k = 0;

    provider_local.destroy(provider);
    http_destroy(http);
    httpd_destroy(httpd);
    uv_run(&loop, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&loop);
    while ((i = fleet_next(fleet, NULL, &k, true)))
        fake_discard(NULL, i);
    fleet_destroy(fleet);
    conf_free(conf);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", dir, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    return rc;
}

static void on_result(void *arg, const struct provider_result *r)
{
    got.called = true;
    got.error = r->error;
    memcpy(got.message, r->message, sizeof(got.message));
    got.retry_after_ms = r->retry_after_ms;
    got.n = r->n;
    for (size_t k = 0; k < r->n && k < 4; k++)
        got.instances[k] = r->instances[k];
    uv_stop(&loop);
}

static void wait_result(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(got.called);
    got.called = false;
}

static void launch(const char *token, unsigned count, const char *type)
{
    static const char *const names[] = {"bi-1", "bi-2", "bi-3", "bi-4"};
    const struct provider_launch req = {.token = token,
                                        .count = count,
                                        .instance_type = type,
                                        .region = "r1",
                                        .zone = "a",
                                        .spot = true,
                                        .ssh_public_key = "ssh-ed25519 AAAA me",
                                        .tag_cluster = "campus",
                                        .tag_job = "7",
                                        .tag_instance = names};

    provider_local.launch(provider, &req, on_result, NULL);
    wait_result();
}

static void set_faults(const char *text)
{
    cJSON *o = json_parse(text, strlen(text), NULL);

    assert_int_equal(faults_set(cloud_faults(fleet_cloud(fleet, "aws")), o, fake_now(NULL), NULL),
                     0);
    cJSON_Delete(o);
}

static void what_is_launched_comes_back(void **state)
{
    launch("t-1", 2, "gpu");
    assert_string_equal(got.message, "");
    assert_int_equal(got.error, PROVIDER_OK);
    assert_int_equal(got.n, 2);
    provider_local.list_owned(provider, on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_OK);
    assert_int_equal(got.n, 2);
    for (size_t k = 0; k < 2; k++) {
        const struct provider_instance *i = &got.instances[k];
        assert_int_equal(i->state, PROVIDER_PENDING);
        assert_string_equal(i->instance_type, "gpu");
        assert_string_equal(i->region, "r1");
        assert_string_equal(i->zone, "a");
        assert_true(i->spot);
        assert_int_equal(i->launched_at, 1764000000);
        assert_int_equal(i->ended_at, 0);
        assert_string_equal(i->tag_cluster, "campus");
        assert_string_equal(i->token, "t-1");
        assert_int_equal(strncmp(i->host_key, "ssh-ed25519 AAAA", 16), 0);
        assert_int_equal(strncmp(i->address, "10.88.1.", 8), 0);
    }
    assert_string_not_equal(got.instances[0].tag_instance, got.instances[1].tag_instance);
    // somebody else's instance is not ours
    struct instance *other = fleet_find(fleet, NULL, got.instances[0].id);
    cJSON_ReplaceItemInObject(other->tags, "burst-cluster", cJSON_CreateString("other"));
    provider_local.list_owned(provider, on_result, NULL);
    wait_result();
    assert_int_equal(got.n, 1);
    provider_local.probe(provider, on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_OK);
}

static void an_end_is_seen(void **state)
{
    char id[128];

    launch("t-1", 1, "gpu");
    snprintf(id, sizeof(id), "%s", got.instances[0].id);
    struct instance *i = fleet_find(fleet, NULL, id);
    fleet_event(fleet, i, MACHINE_UP, "");
    struct fleet_error err;
    assert_int_equal(fleet_preempt(fleet, i, 120, &err), 0);
    provider_local.describe(provider, id, "r1", on_result, NULL);
    wait_result();
    assert_int_equal(got.instances[0].state, PROVIDER_RUNNING);
    assert_int_equal(got.instances[0].notice_at, 1764000120);
    assert_true(got.instances[0].preempted);
    provider_local.terminate(provider, id, "r1", on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_OK);
    assert_int_equal(got.instances[0].state, PROVIDER_STOPPING);
    fleet_event(fleet, i, MACHINE_GONE, "");
    provider_local.terminate(provider, id, "r1", on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_OK);
    assert_int_equal(got.instances[0].state, PROVIDER_TERMINATED);
    assert_int_equal(got.instances[0].ended_at, 1764000000);
    assert_false(got.instances[0].preempted); // we ended it before the cloud did
    provider_local.describe(provider, "i-0000000000", "r1", on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_NOT_FOUND);
}

static void every_refusal_has_its_class(void **state)
{
    static const struct {
        const char *faults, *type;
        enum provider_class c;
    } table[] = {
        {"[{\"fault\":\"no_capacity\"}]", "gpu", PROVIDER_CAPACITY},
        {"[{\"fault\":\"quota\"}]", "gpu", PROVIDER_QUOTA},
        {"[{\"fault\":\"throttle\"}]", "gpu", PROVIDER_THROTTLE},
        {"[{\"fault\":\"unauthorized\"}]", "gpu", PROVIDER_AUTH},
        {"[{\"fault\":\"lose_reply\",\"tries\":1}]", "gpu", PROVIDER_TRANSIENT},
        {"[]", "unknown-type", PROVIDER_INVALID},
    };

    for (size_t k = 0; k < sizeof(table) / sizeof(table[0]); k++) {
        char token[16];
        snprintf(token, sizeof(token), "t-%zu", k);
        set_faults(table[k].faults);
        launch(token, 1, table[k].type);
        assert_int_equal(got.error, table[k].c);
        assert_int_equal(got.retry_after_ms, table[k].c == PROVIDER_THROTTLE ? 1000 : 0);
    }
    // the launch whose answer was lost did happen, and its token tells it
    assert_int_equal(fleet_alive(fleet), 1);
    launch("t-4", 1, "gpu");
    assert_int_equal(got.error, PROVIDER_OK);
    assert_int_equal(fleet_alive(fleet), 1);
    launch("t-4", 2, "gpu");
    assert_int_equal(got.error, PROVIDER_INVALID);
    launch("t-9", 3, "gpu"); // with the one that runs: over the quota of 3
    assert_int_equal(got.error, PROVIDER_QUOTA);
    set_faults("[{\"fault\":\"throttle\",\"call\":\"list\"}]");
    provider_local.list_owned(provider, on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_THROTTLE);
    launch("t-10", 1, "gpu"); // launches are not meant
    assert_int_equal(got.error, PROVIDER_OK);
}

static void wrong_credentials_and_names_are_configuration(void **state)
{
    put_file("token", "another-token\n");
    char *endpoint = xasprintf("http://127.0.0.1:%u", 1), *token = xasprintf("%s/token", dir);
    burst_error_t err;
    const struct provider_config config = {.cloud = "aws",
                                           .endpoint = endpoint,
                                           .credentials_file = token,
                                           .cluster = "campus",
                                           .timeout_ms = 5000};
    struct provider *stranger = provider_local.create(&loop, http, &config, &err);

    provider_local.probe(stranger, on_result, NULL); // nobody listens on port 1
    wait_result();
    assert_int_equal(got.error, PROVIDER_TRANSIENT);
    provider_local.destroy(stranger);
    // conf's copy of the token is what the cloud compares with
    fs_wipe(conf->clouds[0].token, conf->clouds[0].token_len);
    conf->clouds[0].token = xstrdup("changed-token");
    conf->clouds[0].token_len = strlen("changed-token");
    provider_local.probe(provider, on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_AUTH);
    free(endpoint);
    free(token);
}

// ---- the price fetcher ------------------------------------------------------------------------

static int64_t fetcher_status;

static void on_exit_of_fetcher(uv_process_t *process, int64_t status, int signal)
{
    fetcher_status = signal ? 128 + signal : status;
    uv_close((uv_handle_t *)process, NULL);
    uv_stop(&loop);
}

// Runs fetch-local; what it writes is in the files out and err afterwards.
static void fetch(void)
{
    const char *build = getenv("builddir");
    char *program = xasprintf("%s/fetch-local", build ? build : "."),
         *token = xasprintf("%s/token", dir), *out = xasprintf("%s/out", dir),
         *err = xasprintf("%s/err", dir), cloud_option[] = "--cloud", cloud[] = "aws",
         endpoint_option[] = "--endpoint", credentials_option[] = "--credentials";
    char *argv[] = {program,       cloud_option,       cloud, endpoint_option,
                    fetch_address, credentials_option, token, NULL};
    FILE *files[2] = {fopen(out, "w"), fopen(err, "w")};
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE},
                                     {.flags = UV_INHERIT_FD, .data.fd = fileno(files[0])},
                                     {.flags = UV_INHERIT_FD, .data.fd = fileno(files[1])}};
    uv_process_options_t options = {.exit_cb = on_exit_of_fetcher,
                                    .file = program,
                                    .args = argv,
                                    .stdio_count = 3,
                                    .stdio = stdio};
    uv_process_t process;

    assert_int_equal(uv_spawn(&loop, &process, &options), 0);
    uv_run(&loop, UV_RUN_DEFAULT); // until it ends
    uv_run(&loop, UV_RUN_NOWAIT);  // its handle is closed
    fclose(files[0]);
    fclose(files[1]);
    free(program);
    free(token);
    free(out);
    free(err);
}

static void assert_file(const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", dir, name), *got_text;
    burst_error_t err;

    assert_int_equal(fs_read(path, 1 << 20, &got_text, NULL, &err), 0);
    assert_string_equal(got_text, text);
    free(got_text);
    free(path);
}

static void offers_reach_the_fetcher(void **state)
{
    fetch();
    assert_file("err", "");
    assert_int_equal(fetcher_status, 0);
    // The price is the one that is billed: whole micro-dollars.
    assert_file("out", "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,"
                       "Price,SpotPrice,Region,AvailabilityZone\n"
                       "gpu,A100,2,8,61.5,,3.60,1.20,r1,a\n"
                       "\"cpu, \"\"x\"\"\",,,2,4,,0.051235,,r2,\n");
    set_faults("[{\"fault\":\"throttle\",\"call\":\"list\",\"tries\":1}]"); // asked again
    fetch();
    assert_int_equal(fetcher_status, 0);
    set_faults("[{\"fault\":\"unauthorized\",\"call\":\"list\"}]");
    fetch();
    assert_int_equal(fetcher_status, 1);
    assert_file("out", "");
    char *text = xasprintf("fetch-local: %s/v1/aws/offers: status 401\n", fetch_address);
    assert_file("err", text);
    free(text);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_launched_comes_back), T(an_end_is_seen),
        T(every_refusal_has_its_class), T(wrong_credentials_and_names_are_configuration),
        T(offers_reach_the_fetcher),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
