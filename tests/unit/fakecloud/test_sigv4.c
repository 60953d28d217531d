// SPDX-License-Identifier: GPL-3.0-or-later
// The fake cloud's check of signatures against the vectors that AWS publishes (aws-c-auth,
// aws-signing-test-suite): each of them is good, and nothing else is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fakecloud/sigv4.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "tests/unit/reference.h"

#define MAX_HEADERS 32

static char *vectors;

struct message {
    char *text;
    struct sigv4_header headers[MAX_HEADERS];
    struct sigv4_request r;
};

// A file of an HTTP request. A line that begins with a blank goes on with the header before it.
static void parse(struct message *m, char *text)
{
    char *target = strchr(text, ' '), *end = strstr(text, " HTTP/1.1\n"),
         *p = strchr(text, '\n') + 1;

    memset(m, 0, sizeof(*m));
    m->text = text;
    *target++ = *end = '\0';
    m->r = (struct sigv4_request){.method = text, .target = target, .headers = m->headers};
    while (*p && *p != '\n') {
        char *colon = strchr(p, ':'), *line = strchr(p, '\n');
        assert_non_null(colon);
        assert_true(m->r.n_headers < MAX_HEADERS);
        while (line && (line[1] == ' ' || line[1] == '\t')) {
            *line = ' ';
            line = strchr(line, '\n');
        }
        *colon = '\0';
        m->headers[m->r.n_headers++] = (struct sigv4_header){p, colon + 1};
        if (!line)
            break;
        *line = '\0';
        p = line + 1;
    }
    if (*p == '\n') {
        m->r.body = p + 1;
        m->r.body_len = strlen(p + 1);
    }
}

static char *file_of(const char *name, const char *file)
{
    char *path = xasprintf("%s/%s/%s", vectors, name, file), *text = NULL;
    burst_error_t err;

    if (fs_read(path, 1 << 20, &text, NULL, &err) < 0)
        fail_msg("%s", err.text);
    free(path);
    return text;
}

static void same(const char *name, const char *file, char *got)
{
    char *want = file_of(name, file);

    if (strcmp(want, got) != 0)
        fail_msg("%s/%s\n--- want\n%s\n--- got\n%s", name, file, want, got);
    free(want);
    free(got);
}

static int64_t epoch(const char *text)
{
    struct tm tm = {0};

    assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm));
    return timegm(&tm);
}

static enum sigv4_verdict verdict(const struct sigv4_request *r, const struct sigv4_key *key,
                                  bool normalize, int64_t now)
{
    burst_error_t err = {""};
    enum sigv4_verdict v = sigv4_verify(r, key, normalize, now, NULL, &err);

    assert_int_equal(!err.text[0], v == SIGV4_GOOD);
    return v;
}

// What was signed is that request, by that key, at that time.
static void changed(struct message *m, const struct sigv4_key *key, bool normalize, int64_t now)
{
    struct sigv4_key other = *key, session = *key;
    struct sigv4_request r = m->r;

    other.secret = "another";
    assert_int_equal(verdict(&m->r, &other, normalize, now), SIGV4_WRONG);
    other = *key;
    other.access_key = "AKIDANOTHER";
    assert_int_equal(verdict(&m->r, &other, normalize, now), SIGV4_WRONG);
    session.token = "another";
    assert_int_equal(verdict(&m->r, &session, normalize, now), SIGV4_WRONG);
    r.method = "PUT";
    assert_int_equal(verdict(&r, key, normalize, now), SIGV4_WRONG);
    r = m->r;
    r.target = "/another";
    assert_int_equal(verdict(&r, key, normalize, now), SIGV4_WRONG);
    r = m->r;
    r.body = "another";
    r.body_len = 7;
    assert_int_equal(verdict(&r, key, normalize, now), SIGV4_WRONG);
    assert_int_equal(verdict(&m->r, key, normalize, now + 901), SIGV4_SKEWED);
    assert_int_equal(verdict(&m->r, key, normalize, now - 901), SIGV4_SKEWED);
    assert_int_equal(verdict(&m->r, key, normalize, now + 899), SIGV4_GOOD);
    for (size_t k = 0; k < m->r.n_headers; k++)
        if (strcmp(m->headers[k].name, "Host") == 0)
            m->headers[k].value = "another.amazonaws.com";
    assert_int_equal(verdict(&m->r, key, normalize, now), SIGV4_WRONG);
    m->r.n_headers = 1;
    assert_int_equal(verdict(&m->r, key, normalize, now), SIGV4_NONE);
}

static void vector(const char *name)
{
    struct message m;
    struct sigv4_authorization a;
    burst_error_t err = {""};
    char *text = file_of(name, "context.json");
    cJSON *context = json_parse(text, strlen(text), &err);
    const cJSON *c = cJSON_GetObjectItem(context, "credentials");
    const struct sigv4_key key = {json_str(c, "access_key_id", ""),
                                  json_str(c, "secret_access_key", ""), json_str(c, "token", NULL)};
    bool normalize = json_bool(context, "normalize", true);
    int64_t now = epoch(json_str(context, "timestamp", ""));

    parse(&m, file_of(name, "header-signed-request.txt"));
    if (sigv4_verify(&m.r, &key, normalize, now, &a, &err) != SIGV4_GOOD) {
        char *got = sigv4_canonical(&m.r, &a, normalize);
        fail_msg("%s: %s\n%s", name, err.text, got);
    }
    assert_string_equal(a.region, json_str(context, "region", ""));
    assert_string_equal(a.service, json_str(context, "service", ""));
    char *canonical = sigv4_canonical(&m.r, &a, normalize);
    same(name, "header-string-to-sign.txt", sigv4_to_sign(&m.r, &a, canonical));
    same(name, "header-canonical-request.txt", canonical);
    changed(&m, &key, normalize, now);
    free(m.text);
    free(text);
    cJSON_Delete(context);
}

static void published_vectors(void **state)
{
    DIR *d = vectors ? opendir(vectors) : NULL;
    const struct dirent *e;
    unsigned n = 0;

    if (!d) {
        print_message("skipped: no reference data\n");
        skip();
    }
    while ((e = readdir(d)))
        if (e->d_name[0] != '.') {
            vector(e->d_name);
            n++;
        }
    closedir(d);
    assert_in_range(n, 30, 100);
}

static void not_a_signature(void **state)
{
    static const char *const bad[] = {
        "Bearer x",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=a/20150830/r/s, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/20150831/r/s/aws4_request, SignedHeaders=host;x-amz-date, "
        "Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request, SignedHeaders=x-amz-date, "
        "Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request, SignedHeaders=host, Signature=0",
    };
    const struct sigv4_key key = {"a", "b", NULL};

    for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
        const struct sigv4_header headers[] = {
            {"Host", "x"}, {"X-Amz-Date", "20150830T123600Z"}, {"Authorization", bad[k]}};
        const struct sigv4_request r = {.method = "GET", .target = "/", headers, 3, NULL, 0};
        if (verdict(&r, &key, true, epoch("2015-08-30T12:36:00Z")) != SIGV4_MALFORMED)
            fail_msg("%s", bad[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(not_a_signature),
    };

    vectors = reference("contracts/aws-sigv4-vectors");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
