// SPDX-License-Identifier: GPL-3.0-or-later
// fakecloud: EC2's Query API on a loopback port, for drivers, and for clients that others wrote.
//
//   fakecloud --world FILE --access-key ID --secret-file FILE [--port-file FILE]
//
// Requests are signed or refused. For the test itself, unsigned: PUT /control (ec2.h), GET /bill.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uv.h>

#include "fakecloud/ec2.h"
#include "fakecloud/form.h"
#include "fakecloud/sigv4.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "localcloud/httpd.h"

#define MAX_SIGNED 32

struct cloud {
    struct ec2 *ec2;
    const char *access_key;
    char *secret;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void error_xml(struct httpd_reply *reply, int status, const char *code, const char *text)
{
    reply->status = status;
    reply->type = "text/xml;charset=UTF-8";
    reply->body = xasprintf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>"
                            "<Code>%s</Code><Message>%s</Message></Error></Errors>"
                            "<RequestID>fake</RequestID></Response>",
                            code, text);
}

// The headers that the signature speaks of, and those that carry it.
static size_t signed_headers(const struct httpd_request *r, struct sigv4_header *out, char *names)
{
    static const char *const others[] = {"authorization", "x-amz-date", "x-amz-security-token",
                                         "x-amz-content-sha256"};
    const char *authorization = httpd_header(r, "authorization");
    const char *list = authorization ? strstr(authorization, "SignedHeaders=") : NULL;
    size_t n = 0;
    char *save = NULL;

    snprintf(names, 1024, "%.*s", list ? (int)strcspn(list + 14, ", ") : 0, list ? list + 14 : "");
    for (char *p = strtok_r(names, ";", &save); p && n < MAX_SIGNED; p = strtok_r(NULL, ";", &save))
        if (httpd_header(r, p))
            out[n++] = (struct sigv4_header){p, httpd_header(r, p)};
    for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
        bool have = false;
        for (size_t m = 0; m < n; m++)
            have = have || strcmp(out[m].name, others[k]) == 0;
        if (!have && httpd_header(r, others[k]))
            out[n++] = (struct sigv4_header){others[k], httpd_header(r, others[k])};
    }
    return n;
}

static bool is_signed(struct cloud *c, const struct httpd_request *r, struct httpd_reply *reply,
                      struct sigv4_authorization *said)
{
    struct sigv4_header headers[MAX_SIGNED + 4];
    char names[1024];
    struct sigv4_request q = {.method = httpd_method(r), .target = httpd_path(r), headers};
    const struct sigv4_key key = {c->access_key, c->secret, NULL};
    burst_error_t err = {""};

    q.n_headers = signed_headers(r, headers, names);
    q.body = httpd_body(r, &q.body_len);
    switch (sigv4_verify(&q, &key, true, now_ms() / 1000, said, &err)) {
    case SIGV4_GOOD:
        return true;
    case SIGV4_NONE:
        error_xml(reply, 401, "MissingAuthenticationToken", err.text);
        break;
    case SIGV4_MALFORMED:
        error_xml(reply, 400, "IncompleteSignature", err.text);
        break;
    case SIGV4_SKEWED:
        error_xml(reply, 400, "RequestExpired", err.text);
        break;
    case SIGV4_WRONG:
        error_xml(reply, 401, "AuthFailure", err.text);
        break;
    }
    return false;
}

static void ec2(struct cloud *c, const struct httpd_request *r, struct httpd_reply *reply)
{
    struct sigv4_authorization said;
    size_t len;
    bool lost;

    if (!is_signed(c, r, reply, &said))
        return;
    if (strcmp(said.service, "ec2") != 0) {
        error_xml(reply, 400, "SignatureDoesNotMatch", "the credential is not for ec2");
        return;
    }
    const char *body = httpd_body(r, &len);
    struct form *f = form_parse(body ? body : "", len);
    if (!f) {
        error_xml(reply, 400, "MalformedQueryString", "the body is no form");
        return;
    }
    reply->type = "text/xml;charset=UTF-8";
    reply->status = ec2_answer(c->ec2, said.region, f, now_ms(), &reply->body, &lost);
    reply->drop = lost;
    form_free(f);
}

static void control(struct cloud *c, const struct httpd_request *r, struct httpd_reply *reply)
{
    burst_error_t err = {""};
    size_t len;
    const char *body = httpd_body(r, &len);
    cJSON *order = json_parse(body ? body : "", len, &err);

    reply->status = order && ec2_control(c->ec2, order, now_ms(), &err) == 0 ? 200 : 400;
    reply->body = xasprintf("{\"error\":\"%s\"}\n", err.text);
    cJSON_Delete(order);
}

static void on_request(void *arg, const struct httpd_request *r, struct httpd_reply *reply)
{
    struct cloud *c = arg;
    const char *path = httpd_path(r);

    if (strcmp(path, "/control") == 0) {
        control(c, r, reply);
    } else if (strcmp(path, "/bill") == 0) {
        cJSON *bill = ec2_bill(c->ec2, now_ms());
        reply->status = 200;
        reply->body = json_line(bill);
        cJSON_Delete(bill);
    } else {
        ec2(c, r, reply);
    }
}

static cJSON *read_world(const char *path, burst_error_t *errp)
{
    char *text;
    size_t len;

    if (fs_read(path, 16 << 20, &text, &len, errp) < 0)
        return NULL;
    cJSON *world = json_parse(text, len, errp);
    free(text);
    return world;
}

static void on_signal(uv_signal_t *s, int signum)
{
    uv_stop(s->loop);
}

static int serve(struct cloud *c, const char *port_file, burst_error_t *errp)
{
    uv_loop_t *loop = uv_default_loop();
    uint16_t port = 0;
    uv_signal_t term;
    char text[16];
    int fd = httpd_listen("127.0.0.1", &port, false, errp);
    struct httpd *h = fd < 0 ? NULL : httpd_create(loop, fd, on_request, c, errp);

    if (!h)
        return -1;
    uv_signal_init(loop, &term);
    uv_signal_start(&term, on_signal, SIGTERM);
    snprintf(text, sizeof(text), "%u\n", port);
    // Whole or not at all: who waits for the file finds the port in it.
    if (port_file && fs_write_atomic(port_file, text, strlen(text), 0644, errp) < 0)
        return -1;
    uv_run(loop, UV_RUN_DEFAULT);
    httpd_destroy(h);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"world", required_argument, NULL, 'w'},
                                            {"access-key", required_argument, NULL, 'a'},
                                            {"secret-file", required_argument, NULL, 's'},
                                            {"port-file", required_argument, NULL, 'p'},
                                            {NULL, 0, NULL, 0}};
    const char *world_file = NULL, *secret_file = NULL, *port_file = NULL;
    struct cloud c = {NULL, NULL, NULL};
    burst_error_t err = {""};
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (o == 'w')
            world_file = optarg;
        else if (o == 'a')
            c.access_key = optarg;
        else if (o == 's')
            secret_file = optarg;
        else if (o == 'p')
            port_file = optarg;
        else
            return 2;
    if (!world_file || !c.access_key || !secret_file) {
        fputs("usage: fakecloud --world FILE --access-key ID --secret-file FILE [--port-file "
              "FILE]\n",
              stderr);
        return 2;
    }
    cJSON *world = read_world(world_file, &err);
    c.ec2 = world ? ec2_create(world, &err) : NULL;
    cJSON_Delete(world);
    if (c.ec2 && fs_read(secret_file, 4096, &c.secret, NULL, &err) == 0) {
        c.secret[strcspn(c.secret, "\n")] = '\0';
        signal(SIGPIPE, SIG_IGN);
        if (serve(&c, port_file, &err) == 0)
            err.text[0] = '\0';
    }
    if (err.text[0])
        fprintf(stderr, "fakecloud: %s\n", err.text);
    free(c.secret);
    ec2_destroy(c.ec2);
    return err.text[0] ? 1 : 0;
}
