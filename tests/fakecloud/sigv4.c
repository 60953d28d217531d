// SPDX-License-Identifier: GPL-3.0-or-later
// See sigv4.h. After "Signature Version 4 signing process" of the AWS General Reference.
#include "fakecloud/sigv4.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define TEXT_CEILING (1u << 22)
#define SKEW_S 900
#define DIGEST 32
#define MAX_PARTS 1024

const char *sigv4_header_of(const struct sigv4_request *r, const char *name)
{
    for (size_t k = 0; k < r->n_headers; k++)
        if (strcasecmp(r->headers[k].name, name) == 0)
            return r->headers[k].value;
    return NULL;
}

static void hex(const unsigned char *bytes, char out[2 * DIGEST + 1])
{
    for (size_t k = 0; k < DIGEST; k++)
        snprintf(out + 2 * k, 3, "%02x", bytes[k]);
}

static void sha256_hex(const void *data, size_t len, char out[2 * DIGEST + 1])
{
    unsigned char d[DIGEST];

    EVP_Digest(data, len, d, NULL, EVP_sha256(), NULL);
    hex(d, out);
}

static void hmac(const void *key, size_t key_len, const char *text, unsigned char out[DIGEST])
{
    HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, strlen(text), out, NULL);
}

// ---- the canonical request

static int from_hex(const char *p)
{
    char two[3] = {p[0], p[0] ? p[1] : '\0', '\0'};

    return isxdigit((unsigned char)two[0]) && isxdigit((unsigned char)two[1])
               ? (int)strtol(two, NULL, 16)
               : -1;
}

// Percent-encoded anew: what came encoded one way or the other becomes the same. (Paths that come
// encoded are to be encoded twice by the letter; the paths here have nothing to encode.)
static void add_encoded(struct strbuf *out, const char *text, size_t len, const char *also_plain)
{
    for (size_t k = 0; k < len; k++) {
        int c = (unsigned char)text[k],
            coded = c == '%' && k + 2 < len ? from_hex(text + k + 1) : -1;
        if (coded >= 0) {
            c = coded;
            k += 2;
        }
        if (isalnum(c) || strchr("-_.~", c) || strchr(also_plain, c))
            strbuf_addf(out, "%c", c);
        else
            strbuf_addf(out, "%%%02X", (unsigned)c);
    }
}

// RFC 3986, 5.2.4, and no empty segments. Caller frees.
static char *without_dots(const char *path, size_t len)
{
    const char *segment[MAX_PARTS];
    size_t length[MAX_PARTS], n = 0;
    bool slash = true;
    struct strbuf out;

    for (size_t k = 0; k < len;) {
        size_t end = k;
        while (end < len && path[end] != '/')
            end++;
        size_t l = end - k;
        bool dot = l == 1 && path[k] == '.', up = l == 2 && path[k] == '.' && path[k + 1] == '.';
        if (up && n > 0)
            n--;
        if (l > 0 && !dot && !up && n < MAX_PARTS) {
            segment[n] = path + k;
            length[n++] = l;
        }
        slash = end < len || dot || up;
        k = end + 1;
    }
    strbuf_init(&out, TEXT_CEILING);
    for (size_t k = 0; k < n; k++) {
        strbuf_adds(&out, "/");
        strbuf_add(&out, segment[k], length[k]);
    }
    if (slash || n == 0)
        strbuf_adds(&out, "/");
    return strbuf_take(&out);
}

static void add_path(struct strbuf *out, const char *target, bool normalize)
{
    size_t len = strcspn(target, "?");
    char *path = normalize ? without_dots(target, len) : xasprintf("%.*s", (int)len, target);

    add_encoded(out, path, strlen(path), "/");
    free(path);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// "NAME=VALUE" each, encoded; a byte below all others stands for '=' while they are sorted, so that
// names come before values.
static void add_query(struct strbuf *out, const char *target)
{
    const char *p = strchr(target, '?');
    char *part[MAX_PARTS];
    size_t n = 0;

    while (p && *++p && n < MAX_PARTS) {
        size_t len = strcspn(p, "&"), name = strcspn(p, "=&");
        struct strbuf b;
        strbuf_init(&b, TEXT_CEILING);
        add_encoded(&b, p, name, "");
        strbuf_adds(&b, "\x01");
        if (name < len)
            add_encoded(&b, p + name + 1, len - name - 1, "");
        part[n++] = strbuf_take(&b);
        p += len;
        if (!*p)
            break;
    }
    qsort(part, n, sizeof(part[0]), compare);
    for (size_t k = 0; k < n; k++) {
        *strchr(part[k], '\x01') = '=';
        strbuf_addf(out, "%s%s", k ? "&" : "", part[k]);
        free(part[k]);
    }
}

// Blanks at its ends go, several within it are one.
static void add_value(struct strbuf *out, const char *value)
{
    bool blank = false, begun = false;

    for (const char *p = value; *p; p++) {
        if (isspace((unsigned char)*p)) {
            blank = true;
            continue;
        }
        if (blank && begun)
            strbuf_adds(out, " ");
        blank = false;
        begun = true;
        strbuf_addf(out, "%c", *p);
    }
}

static void add_headers(struct strbuf *out, const struct sigv4_request *r, const char *names)
{
    for (const char *p = names; *p;) {
        size_t len = strcspn(p, ";");
        bool first = true;
        strbuf_addf(out, "%.*s:", (int)len, p);
        for (size_t k = 0; k < r->n_headers; k++) {
            const char *name = r->headers[k].name;
            if (strlen(name) != len || strncasecmp(name, p, len) != 0)
                continue;
            if (!first)
                strbuf_adds(out, ",");
            first = false;
            add_value(out, r->headers[k].value);
        }
        strbuf_adds(out, "\n");
        p += len + (p[len] == ';');
    }
}

char *sigv4_canonical(const struct sigv4_request *r, const struct sigv4_authorization *a,
                      bool normalize)
{
    const char *payload = sigv4_header_of(r, "x-amz-content-sha256");
    char digest[2 * DIGEST + 1];
    struct strbuf b;

    sha256_hex(r->body ? r->body : "", r->body_len, digest);
    strbuf_init(&b, TEXT_CEILING);
    strbuf_addf(&b, "%s\n", r->method);
    add_path(&b, r->target, normalize);
    strbuf_adds(&b, "\n");
    add_query(&b, r->target);
    strbuf_adds(&b, "\n");
    add_headers(&b, r, a->signed_headers);
    // What the sender says of the body's digest; sigv4_verify() looks whether it is true.
    strbuf_addf(&b, "\n%s\n%s", a->signed_headers, payload ? payload : digest);
    return strbuf_take(&b);
}

char *sigv4_to_sign(const struct sigv4_request *r, const struct sigv4_authorization *a,
                    const char *canonical)
{
    const char *date = sigv4_header_of(r, "x-amz-date");
    char digest[2 * DIGEST + 1];

    sha256_hex(canonical, strlen(canonical), digest);
    return xasprintf("AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", date ? date : "", a->date,
                     a->region, a->service, digest);
}

static void signature(const struct sigv4_authorization *a, const char *secret, const char *to_sign,
                      char out[2 * DIGEST + 1])
{
    char *first = xasprintf("AWS4%s", secret);
    unsigned char k[DIGEST];

    hmac(first, strlen(first), a->date, k);
    hmac(k, DIGEST, a->region, k);
    hmac(k, DIGEST, a->service, k);
    hmac(k, DIGEST, "aws4_request", k);
    hmac(k, DIGEST, to_sign, k);
    hex(k, out);
    free(first);
}

// ---- what the request says of its signature

static int take(const char **p, const char *ends, char *out, size_t size)
{
    size_t len = strcspn(*p, ends);

    if (len == 0 || len >= size)
        return -1;
    memcpy(out, *p, len);
    out[len] = '\0';
    *p += len + ((*p)[len] != '\0');
    return 0;
}

static int parse(const char *text, struct sigv4_authorization *a)
{
    static const char algorithm[] = "AWS4-HMAC-SHA256 ";
    const char *credential = strstr(text, "Credential="), *names = strstr(text, "SignedHeaders="),
               *sign = strstr(text, "Signature=");
    char last[32];

    memset(a, 0, sizeof(*a));
    if (strncmp(text, algorithm, sizeof(algorithm) - 1) != 0 || !credential || !names || !sign)
        return -1;
    credential += strlen("Credential=");
    names += strlen("SignedHeaders=");
    sign += strlen("Signature=");
    if (take(&credential, "/", a->access_key, sizeof(a->access_key)) < 0 ||
        take(&credential, "/", a->date, sizeof(a->date)) < 0 ||
        take(&credential, "/", a->region, sizeof(a->region)) < 0 ||
        take(&credential, "/", a->service, sizeof(a->service)) < 0 ||
        take(&credential, ", ", last, sizeof(last)) < 0 || strcmp(last, "aws4_request") != 0)
        return -1;
    return take(&names, ", ", a->signed_headers, sizeof(a->signed_headers)) < 0 ||
                   take(&sign, ", \r\n", a->signature, sizeof(a->signature)) < 0
               ? -1
               : 0;
}

static bool is_signed(const struct sigv4_authorization *a, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = a->signed_headers; p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL)
        if (strncmp(p, name, len) == 0 && (p[len] == ';' || !p[len]))
            return true;
    return false;
}

static int64_t time_of(const char *date)
{
    struct tm tm = {0};
    const char *end = date ? strptime(date, "%Y%m%dT%H%M%SZ", &tm) : NULL;

    return end && !*end ? (int64_t)timegm(&tm) : -1;
}

static enum sigv4_verdict refuse(enum sigv4_verdict v, burst_error_t *errp, const char *why)
{
    errprintf(errp, "%s", why);
    return v;
}

static enum sigv4_verdict look_at_form(const struct sigv4_request *r,
                                       const struct sigv4_authorization *a, int64_t now,
                                       burst_error_t *errp)
{
    const char *date = sigv4_header_of(r, "x-amz-date");
    int64_t at = time_of(date);

    if (at < 0 || strncmp(date, a->date, 8) != 0 || strlen(a->date) != 8)
        return refuse(SIGV4_MALFORMED, errp, "X-Amz-Date is no time, or not the credential's day");
    if (!is_signed(a, "host") || !sigv4_header_of(r, "host"))
        return refuse(SIGV4_MALFORMED, errp, "the header host is not signed");
    for (size_t k = 0; k < r->n_headers; k++) {
        char name[128];
        size_t n = 0;
        for (; r->headers[k].name[n] && n < sizeof(name) - 1; n++)
            name[n] = (char)tolower((unsigned char)r->headers[k].name[n]);
        name[n] = '\0';
        // Some services want the token added after the signature.
        if (strncmp(name, "x-amz-", 6) == 0 && strcmp(name, "x-amz-security-token") != 0 &&
            !is_signed(a, name))
            return refuse(SIGV4_MALFORMED, errp, "a header x-amz-... is not signed");
    }
    if (at < now - SKEW_S || at > now + SKEW_S)
        return refuse(SIGV4_SKEWED, errp, "the request is too old, or of the future");
    return SIGV4_GOOD;
}

enum sigv4_verdict sigv4_verify(const struct sigv4_request *r, const struct sigv4_key *key,
                                bool normalize, int64_t now, struct sigv4_authorization *said,
                                burst_error_t *errp)
{
    const char *text = sigv4_header_of(r, "authorization");
    const char *payload = sigv4_header_of(r, "x-amz-content-sha256");
    const char *token = sigv4_header_of(r, "x-amz-security-token");
    char right[2 * DIGEST + 1], digest[2 * DIGEST + 1];
    struct sigv4_authorization mine, *a = said ? said : &mine;

    if (!text)
        return refuse(SIGV4_NONE, errp, "it is not signed");
    if (parse(text, a) < 0)
        return refuse(SIGV4_MALFORMED, errp, "the header Authorization is not as it must be");
    enum sigv4_verdict v = look_at_form(r, a, now, errp);
    if (v != SIGV4_GOOD)
        return v;
    sha256_hex(r->body ? r->body : "", r->body_len, digest);
    if (payload && strcmp(payload, digest) != 0 && strcmp(payload, "UNSIGNED-PAYLOAD") != 0)
        return refuse(SIGV4_WRONG, errp, "x-amz-content-sha256 is not the body's");
    if (strcmp(a->access_key, key->access_key) != 0 ||
        strcmp(token ? token : "", key->token ? key->token : "") != 0)
        return refuse(SIGV4_WRONG, errp, "no such key, or not with this session token");
    char *canonical = sigv4_canonical(r, a, normalize);
    char *to_sign = sigv4_to_sign(r, a, canonical);
    signature(a, key->secret, to_sign, right);
    bool good = strlen(a->signature) == strlen(right) &&
                CRYPTO_memcmp(a->signature, right, strlen(right)) == 0;
    free(to_sign);
    free(canonical);
    return good ? SIGV4_GOOD : refuse(SIGV4_WRONG, errp, "the signature is not this request's");
}
