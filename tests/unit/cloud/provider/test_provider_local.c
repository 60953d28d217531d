// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of the local provider and its HTTP client against a scripted server: what is sent, and
// what each kind of answer means. Expected values come from docs/design/internals.md, section 9.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "cloud/provider/http.h"
#include "cloud/provider/provider.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define TOKEN "a-secret-token"

// ---- the server: answers each request with the scripted bytes ---------------------------------

enum script { ANSWER, CLOSE, HANG };

static uv_loop_t loop;
static uv_tcp_t server;
static int port;
static enum script script;
static char *answer; // bytes of the reply
static size_t answer_len;
static struct strbuf asked; // bytes of the last request
static unsigned requests;   // complete requests seen

struct client {
    uv_tcp_t tcp;
    uv_write_t write;
    struct strbuf in;
};

static void client_closed(uv_handle_t *h)
{
    struct client *c = h->data;

    strbuf_free(&c->in);
    free(c);
}

static void client_close(struct client *c)
{
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, client_closed);
}

static void on_written(uv_write_t *w, int status)
{
    client_close(w->data);
}

static bool complete(const struct strbuf *in)
{
    const char *end = strstr(in->data, "\r\n\r\n");
    const char *length = strstr(in->data, "Content-Length: ");

    if (!end)
        return false;
    size_t body = length && length < end ? strtoul(length + 16, NULL, 10) : 0;
    return in->len >= (size_t)(end + 4 - in->data) + body;
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    buf->base = xmalloc(65536);
    buf->len = 65536;
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = s->data;

    if (n > 0)
        strbuf_add(&c->in, buf->base, (size_t)n);
    free(buf->base);
    if (n < 0) {
        client_close(c);
        return;
    }
    if (!complete(&c->in))
        return;
    requests++;
    strbuf_reset(&asked);
    strbuf_add(&asked, c->in.data, c->in.len);
    if (script == CLOSE) {
        client_close(c);
    } else if (script == ANSWER) {
        uv_buf_t out = uv_buf_init(answer, (unsigned)answer_len);
        c->write.data = c;
        uv_write(&c->write, s, &out, 1, on_written);
    }
}

static void on_connection(uv_stream_t *s, int status)
{
    struct client *c = xmalloc(sizeof(*c));

    strbuf_init(&c->in, 1 << 20);
    uv_tcp_init(&loop, &c->tcp);
    c->tcp.data = c;
    uv_accept(s, (uv_stream_t *)&c->tcp);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static void reply_with(int status, const char *extra_headers, const char *body)
{
    free(answer);
    script = ANSWER;
    answer = xasprintf("HTTP/1.1 %d Something\r\nContent-Type: application/json\r\n%s"
                       "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                       status, extra_headers, strlen(body), body);
    answer_len = strlen(answer);
}

// ---- the provider under test ------------------------------------------------------------------

static struct http *http;
static struct provider *provider;
static char token_file[64];

static struct {
    bool called;
    enum provider_class error;
    char message[512];
    int64_t retry_after_ms;
    struct provider_instance instances[4];
    size_t n;
} got;

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
    assert_false(got.called); // never from inside the call
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(got.called);
}

static struct provider *make_provider(int timeout_ms, burst_error_t *err)
{
    char *endpoint = xasprintf("http://127.0.0.1:%d", port);
    const struct provider_config config = {.cloud = "aws",
                                           .endpoint = endpoint,
                                           .credentials_file = token_file,
                                           .cluster = "my cluster",
                                           .timeout_ms = timeout_ms};
    struct provider *p = provider_local.create(&loop, http, &config, err);

    free(endpoint);
    return p;
}

static int setup(void **state)
{
    struct sockaddr_in sa;
    struct sockaddr_storage bound;
    int len = sizeof(bound);
    burst_error_t err;

    memset(&got, 0, sizeof(got));
    requests = 0;
    script = HANG;
    strbuf_init(&asked, 1 << 20);
    uv_loop_init(&loop);
    uv_tcp_init(&loop, &server);
    uv_ip4_addr("127.0.0.1", 0, &sa);
    uv_tcp_bind(&server, (struct sockaddr *)&sa, 0);
    uv_listen((uv_stream_t *)&server, 16, on_connection);
    uv_tcp_getsockname(&server, (struct sockaddr *)&bound, &len);
    port = ntohs(((struct sockaddr_in *)&bound)->sin_port);

    snprintf(token_file, sizeof(token_file), "/tmp/test-token.XXXXXX");
    int fd = mkstemp(token_file);
    if (fd < 0 || write(fd, TOKEN "\n", sizeof(TOKEN)) != sizeof(TOKEN))
        return -1;
    close(fd);
    http = http_create(&loop, &err);
    provider = make_provider(5000, &err);
    return http && provider ? 0 : -1;
}

static void close_all(uv_handle_t *h, void *arg)
{
    if (!uv_is_closing(h))
        uv_close(h, h == (uv_handle_t *)&server ? NULL : client_closed);
}

static int teardown(void **state)
{
    provider_local.destroy(provider);
    http_destroy(http);
    uv_run(&loop, UV_RUN_NOWAIT);
    uv_walk(&loop, close_all, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&loop); // fails if a handle was forgotten
    strbuf_free(&asked);
    free(answer);
    answer = NULL;
    unlink(token_file);
    return rc;
}

#define INST(id, state, more)                                                                      \
    "{\"id\":\"" id "\",\"state\":\"" state "\",\"address\":\"10.88.1.7\",\"host_key\":"           \
    "\"ssh-ed25519 AAAAkey\",\"instance_type\":\"p4d.24xlarge\",\"region\":\"us-east-1\","         \
    "\"zone\":\"us-east-1b\",\"market\":\"spot\",\"price_usd_per_hour\":\"1.2300\","               \
    "\"launched_at\":1764000000,\"tags\":{\"burst-cluster\":\"my cluster\",\"burst-instance\":"    \
    "\"bi-1\"},\"token\":\"tok-1\"," more "}"
#define RUNNING(id) INST(id, "running", "\"ended_at\":null,\"reason\":null,\"notice_at\":null")

static const char *const two_names[] = {"bi-1", "bi-2"};
static const struct provider_launch two = {.token = "tok-1",
                                           .count = 2,
                                           .instance_type = "p4d.24xlarge",
                                           .region = "us-east-1",
                                           .zone = "us-east-1b",
                                           .spot = true,
                                           .image = "",
                                           .ssh_public_key = "ssh-ed25519 AAAA me",
                                           .tag_cluster = "my cluster",
                                           .tag_job = "123",
                                           .tag_instance = two_names};

static void launch_two(void)
{
    memset(&got, 0, sizeof(got));
    provider_local.launch(provider, &two, on_result, NULL);
    wait_result();
}

// ---- tests ------------------------------------------------------------------------------------

static void launch_says_what_the_contract_says(void **state)
{
    reply_with(200, "", "{\"instances\":[" RUNNING("i-1") "," RUNNING("i-2") "]}");
    launch_two();
    assert_int_equal(got.error, PROVIDER_OK);
    assert_int_equal(got.n, 2);
    assert_non_null(strstr(asked.data, "POST /v1/aws/instances HTTP/1.1\r\n"));
    assert_non_null(strstr(asked.data, "\r\nAuthorization: Bearer " TOKEN "\r\n"));
    const char *body = strstr(asked.data, "\r\n\r\n") + 4;
    cJSON *o = json_parse(body, strlen(body), NULL);
    assert_non_null(o);
    assert_string_equal(json_str(o, "token", ""), "tok-1");
    assert_int_equal(json_i64(o, "count", 0), 2);
    assert_string_equal(json_str(o, "instance_type", ""), "p4d.24xlarge");
    assert_string_equal(json_str(o, "region", ""), "us-east-1");
    assert_string_equal(json_str(o, "zone", ""), "us-east-1b");
    assert_string_equal(json_str(o, "market", ""), "spot");
    assert_string_equal(json_str(o, "ssh_public_key", ""), "ssh-ed25519 AAAA me");
    const cJSON *tags = cJSON_GetObjectItem(o, "tags");
    assert_string_equal(json_str(tags, "burst-cluster", ""), "my cluster");
    assert_string_equal(json_str(tags, "burst-job", ""), "123");
    const cJSON *own = cJSON_GetObjectItem(o, "instance_tags");
    assert_int_equal(cJSON_GetArraySize(own), 2);
    assert_string_equal(json_str(cJSON_GetArrayItem(own, 1), "burst-instance", ""), "bi-2");
    cJSON_Delete(o);
}

static void an_instance_is_understood(void **state)
{
    reply_with(200, "",
               INST("i-9", "terminated",
                    "\"ended_at\":1764003600,\"reason\":\"preempted\",\"notice_at\":1764003500,"
                    "\"something_new\":{}"));
    provider_local.describe(provider, "i-9", "us-east-1", on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_OK);
    assert_int_equal(got.n, 1);
    const struct provider_instance *i = &got.instances[0];
    assert_string_equal(i->id, "i-9");
    assert_int_equal(i->state, PROVIDER_TERMINATED);
    assert_string_equal(i->address, "10.88.1.7");
    assert_string_equal(i->host_key, "ssh-ed25519 AAAAkey");
    assert_string_equal(i->instance_type, "p4d.24xlarge");
    assert_string_equal(i->region, "us-east-1");
    assert_string_equal(i->zone, "us-east-1b");
    assert_true(i->spot);
    assert_int_equal(i->price, 1230000);
    assert_int_equal(i->launched_at, 1764000000);
    assert_int_equal(i->ended_at, 1764003600);
    assert_int_equal(i->notice_at, 1764003500);
    assert_true(i->preempted);
    assert_string_equal(i->tag_instance, "bi-1");
    assert_string_equal(i->tag_cluster, "my cluster");
    assert_string_equal(i->token, "tok-1");
    assert_non_null(strstr(asked.data, "GET /v1/aws/instances/i-9 HTTP/1.1\r\n"));
}

static void describe(const char *price)
{
    char *text =
        xasprintf("{\"id\":\"i-9\",\"state\":\"pending\",\"instance_type\":\"a\",\"region\":"
                  "\"r\",\"market\":\"spot\",\"launched_at\":5,\"tags\":{}%s}",
                  price);

    memset(&got, 0, sizeof(got));
    reply_with(200, "", text);
    provider_local.describe(provider, "i-9", "r", on_result, NULL);
    wait_result();
    free(text);
}

// A price that is not told is not 0; one that is not understood is no reply.
static void a_price_is_known_or_not(void **state)
{
    describe("");
    assert_int_equal(got.error, PROVIDER_OK);
    assert_true(got.instances[0].price == MONEY_UNKNOWN);
    describe(",\"price_usd_per_hour\":null");
    assert_int_equal(got.error, PROVIDER_OK);
    assert_true(got.instances[0].price == MONEY_UNKNOWN);
    describe(",\"price_usd_per_hour\":\"0.000001\"");
    assert_int_equal(got.instances[0].price, 1);
    describe(",\"price_usd_per_hour\":\"-1\"");
    assert_int_equal(got.error, PROVIDER_TRANSIENT);
    assert_non_null(strstr(got.message, "price_usd_per_hour"));
    describe(",\"price_usd_per_hour\":1.5");
    assert_int_equal(got.error, PROVIDER_TRANSIENT);
}

static void list_asks_for_our_tag(void **state)
{
    reply_with(200, "", "{\"instances\":[]}");
    provider_local.list_owned(provider, on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_OK);
    assert_int_equal(got.n, 0);
    assert_non_null(
        strstr(asked.data, "GET /v1/aws/instances?tag=burst-cluster:my%20cluster HTTP/1.1\r\n"));
}

static void terminate_names_one_instance(void **state)
{
    reply_with(200, "", INST("i-9", "shutting-down", "\"reason\":\"user\""));
    provider_local.terminate(provider, "../i 9", "us-east-1", on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_OK);
    assert_false(got.instances[0].preempted);
    assert_non_null(strstr(asked.data, "DELETE /v1/aws/instances/..%2Fi%209 HTTP/1.1\r\n"));
    // An empty id would be the whole list: it is never sent.
    memset(&got, 0, sizeof(got));
    provider_local.terminate(provider, "", "us-east-1", on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_INVALID);
    assert_int_equal(requests, 1);
}

static void each_error_has_its_class(void **state)
{
    static const struct {
        int status;
        const char *code;
        enum provider_class c;
    } table[] = {
        {503, "InsufficientCapacity", PROVIDER_CAPACITY},
        {403, "QuotaExceeded", PROVIDER_QUOTA},
        {429, "Throttled", PROVIDER_THROTTLE},
        {401, "Unauthorized", PROVIDER_AUTH},
        {400, "InvalidParameter", PROVIDER_INVALID},
        {409, "IdempotentParameterMismatch", PROVIDER_INVALID},
        {500, "Internal", PROVIDER_TRANSIENT},
        {404, "NotFound", PROVIDER_AUTH}, // no such cloud: the configuration is wrong
        // codes of a later version: by the status
        {403, "SomethingNew", PROVIDER_AUTH},
        {429, "SomethingNew", PROVIDER_THROTTLE},
        {422, "SomethingNew", PROVIDER_INVALID},
        {408, "SomethingNew", PROVIDER_TRANSIENT},
        {502, "SomethingNew", PROVIDER_TRANSIENT},
    };

    for (size_t k = 0; k < sizeof(table) / sizeof(table[0]); k++) {
        char *body = xasprintf("{\"error\":{\"code\":\"%s\",\"message\":\"words of the cloud\"}}",
                               table[k].code);
        reply_with(table[k].status, "Retry-After: 7\r\n", body);
        free(body);
        launch_two();
        assert_int_equal(got.error, table[k].c);
        assert_int_equal(got.n, 0);
        assert_non_null(strstr(got.message, "words of the cloud"));
        assert_int_equal(got.retry_after_ms, table[k].c == PROVIDER_THROTTLE ? 7000 : 0);
    }
}

static void a_missing_instance_is_not_found(void **state)
{
    reply_with(404, "", "{\"error\":{\"code\":\"NotFound\",\"message\":\"no such instance\"}}");
    provider_local.describe(provider, "i-9", "r", on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_NOT_FOUND);
    memset(&got, 0, sizeof(got));
    provider_local.terminate(provider, "i-9", "r", on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_NOT_FOUND);
}

static void a_lost_reply_is_transient_and_not_repeated(void **state)
{
    script = CLOSE;
    launch_two();
    assert_int_equal(got.error, PROVIDER_TRANSIENT);
    assert_non_null(strstr(got.message, "no reply"));
    assert_int_equal(requests, 1);
}

static void nobody_there_is_transient(void **state)
{
    uv_close((uv_handle_t *)&server, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    launch_two();
    assert_int_equal(got.error, PROVIDER_TRANSIENT);
    assert_non_null(strstr(got.message, "no reply"));
    uv_tcp_init(&loop, &server); // for the teardown
}

static void garbage_is_transient_with_a_clear_text(void **state)
{
    static const char *const bad[] = {
        "",
        "<html>oops</html>",
        "[]",
        "null",
        "{}",
        "{\"instances\":3}",
        "{\"instances\":[3,4]}",
        "{\"instances\":[" RUNNING("i-1") "," RUNNING("i-2") "]} and more",
        "{\"instances\":[" RUNNING("i-1") "]}", // one of two
        "{\"instances\":[" RUNNING("") "," RUNNING("i-2") "]}",
        "{\"instances\":[" INST("i-1", "sleeping", "\"x\":1") "," RUNNING("i-2") "]}",
        "{\"instances\":[" INST("i-1", "terminated", "\"ended_at\":null") "," RUNNING("i-2") "]}",
        "{\"instances\":[" INST("i-1", "running", "\"notice_at\":\"soon\"") "," RUNNING("i-2") "]}",
    };

    for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
        reply_with(200, "", bad[k]);
        launch_two();
        assert_int_equal(got.error, PROVIDER_TRANSIENT);
        assert_true(strlen(got.message) > 10);
        assert_int_equal(got.n, 0);
    }
    reply_with(500, "", "Internal Server Error");
    launch_two();
    assert_int_equal(got.error, PROVIDER_TRANSIENT);
    assert_non_null(strstr(got.message, "500"));
}

static void a_cut_reply_is_transient(void **state)
{
    reply_with(200, "", "{\"instances\":[" RUNNING("i-1") "," RUNNING("i-2") "]}");
    answer_len -= 20; // Content-Length promises more
    launch_two();
    assert_int_equal(got.error, PROVIDER_TRANSIENT);
    assert_int_equal(got.n, 0);
}

static void an_oversized_reply_is_transient(void **state)
{
    size_t size = (8u << 20) + 1;
    char *body = xmalloc(size + 1);

    memset(body, ' ', size);
    reply_with(200, "", body);
    free(body);
    launch_two();
    assert_int_equal(got.error, PROVIDER_TRANSIENT);
    assert_non_null(strstr(got.message, "larger than"));
}

static void silence_ends_with_the_timeout(void **state)
{
    burst_error_t err;
    struct provider *hasty = make_provider(200, &err);
    int64_t start = clock_mono_ms();

    assert_non_null(hasty);
    script = HANG;
    provider_local.list_owned(hasty, on_result, NULL);
    wait_result();
    int64_t took = clock_mono_ms() - start;
    assert_int_equal(got.error, PROVIDER_TRANSIENT);
    assert_true(took >= 190 && took < 2000); // sub-second timers work
    provider_local.destroy(hasty);
}

static void a_redirect_is_not_followed(void **state)
{
    char *location = xasprintf("Location: http://127.0.0.1:%d/elsewhere\r\n", port);

    reply_with(302, location, "{}");
    free(location);
    launch_two();
    assert_int_equal(got.error, PROVIDER_TRANSIENT);
    assert_int_equal(requests, 1);
}

static void control_characters_do_not_reach_the_message(void **state)
{
    reply_with(400, "",
               "{\"error\":{\"code\":\"InvalidParameter\",\"message\":\"a\\u001b[31mb\\nc\"}}");
    launch_two();
    assert_int_equal(got.error, PROVIDER_INVALID);
    assert_string_equal(got.message, "InvalidParameter: a?[31mb?c");
}

static void bad_launches_are_not_sent(void **state)
{
    struct provider_launch bad = two;

    bad.count = 0;
    provider_local.launch(provider, &bad, on_result, NULL);
    wait_result();
    assert_int_equal(got.error, PROVIDER_INVALID);
    assert_int_equal(requests, 0);
}

static void no_callback_after_destroy(void **state)
{
    burst_error_t err;
    struct provider *gone = make_provider(5000, &err);

    provider_local.list_owned(gone, on_result, NULL);
    provider_local.terminate(gone, "", "r", on_result, NULL);
    provider_local.destroy(gone);
    reply_with(200, "", "{\"instances\":[]}");
    provider_local.list_owned(provider, on_result, NULL); // runs the loop until it answers
    wait_result();
    assert_int_equal(requests, 1);
}

static void credentials_are_checked(void **state)
{
    burst_error_t err;

    assert_int_equal(chmod(token_file, 0644), 0);
    assert_null(make_provider(5000, &err));
    assert_non_null(strstr(err.text, token_file));
    assert_non_null(strstr(err.text, "chmod 600"));
    assert_null(strstr(err.text, TOKEN));
    assert_int_equal(chmod(token_file, 0600), 0);
    FILE *f = fopen(token_file, "w");
    fputs("two words\n", f);
    fclose(f);
    assert_null(make_provider(5000, &err));
    assert_non_null(strstr(err.text, "one word"));
}

static void write_token(const char *text)
{
    FILE *f = fopen(token_file, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

// A key that was replaced is used from now on; one that cannot be read replaces nothing.
static void credentials_are_read_again(void **state)
{
    burst_error_t err;

    assert_int_equal(provider_local.refresh(provider, &err), 0);
    write_token("another-token\n");
    assert_int_equal(provider_local.refresh(provider, &err), 1);
    assert_int_equal(provider_local.refresh(provider, &err), 0);
    write_token("two words\n");
    assert_int_equal(provider_local.refresh(provider, &err), -1);
    assert_non_null(strstr(err.text, "one word"));
    assert_int_equal(unlink(token_file), 0);
    assert_int_equal(provider_local.refresh(provider, &err), -1);
    reply_with(200, "", "{\"instances\":[]}");
    provider_local.list_owned(provider, on_result, NULL);
    wait_result();
    assert_non_null(strstr(asked.data, "\r\nAuthorization: Bearer another-token\r\n"));
}

static void drivers_are_found_by_name(void **state)
{
    burst_error_t err;

    assert_ptr_equal(provider_find("local", &err), &provider_local);
    assert_null(provider_find("lokal", &err));
    assert_non_null(strstr(err.text, "lokal"));
    assert_non_null(strstr(err.text, "local"));
    assert_string_equal(provider_class_name(PROVIDER_CAPACITY), "capacity");
    assert_string_equal(provider_class_name(PROVIDER_NOT_FOUND), "not_found");
}

static void headers_and_escapes(void **state)
{
    const struct http_reply reply = {.headers = "HTTP/1.1 200 OK\r\nX-Id:  abc \r\nx-id: def\r\n"};
    char buf[8];

    assert_string_equal(http_reply_header(&reply, "X-ID", buf, sizeof(buf)), "def");
    assert_null(http_reply_header(&reply, "X-I", buf, sizeof(buf)));
    char *e = http_escape("a/b ~ü");
    assert_string_equal(e, "a%2Fb%20~%C3%BC");
    free(e);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(launch_says_what_the_contract_says),
        T(an_instance_is_understood),
        T(a_price_is_known_or_not),
        T(list_asks_for_our_tag),
        T(terminate_names_one_instance),
        T(each_error_has_its_class),
        T(a_missing_instance_is_not_found),
        T(a_lost_reply_is_transient_and_not_repeated),
        T(nobody_there_is_transient),
        T(garbage_is_transient_with_a_clear_text),
        T(a_cut_reply_is_transient),
        T(an_oversized_reply_is_transient),
        T(silence_ends_with_the_timeout),
        T(a_redirect_is_not_followed),
        T(control_characters_do_not_reach_the_message),
        T(bad_launches_are_not_sent),
        T(no_callback_after_destroy),
        T(credentials_are_checked),
        T(credentials_are_read_again),
        cmocka_unit_test(drivers_are_found_by_name),
        cmocka_unit_test(headers_and_escapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
