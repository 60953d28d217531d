// SPDX-License-Identifier: GPL-3.0-or-later
// See fetch.h. One request at a time, on a loop of its own: the HTTP client is that of the drivers.
#include "catalog/fetch/fetch.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uv.h>

#include "libburst/fsutil.h"
#include "libburst/xalloc.h"
#include "cloud/provider/http.h"

#define TRIES 3
#define TIMEOUT_MS 300000
#define WAIT_MAX_MS 30000
#define TOKEN_MAX 512

int fetch_args(int argc, char **argv, const char *usage, struct fetch_args *a)
{
    static const struct option options[] = {{"cloud", required_argument, NULL, 'c'},
                                            {"endpoint", required_argument, NULL, 'e'},
                                            {"credentials", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;

    *a = (struct fetch_args){.cloud = "", .endpoint = "", .credentials = ""};
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'c')
            a->cloud = optarg;
        else if (c == 'e')
            a->endpoint = optarg;
        else if (c == 's')
            a->credentials = optarg;
        else if (c == 'h')
            return fputs(usage, stdout), 0;
        else
            return 2;
    }
    if (optind < argc)
        a->rest = argv[optind++];
    if (optind == argc)
        return -1;
    fprintf(stderr, "%s: \"%s\" is one word too many\n", argv[0], argv[optind]);
    return 2;
}

struct answer {
    int status;
    char *error, *body;
    size_t len;
    int64_t wait_ms;
};

static void on_reply(void *arg, const struct http_reply *r)
{
    struct answer *a = arg;
    char location[512];

    a->status = r->status;
    a->wait_ms = r->retry_after_ms;
    if (r->status == 200) {
        a->body = xmalloc(r->len + 1);
        memcpy(a->body, r->body, r->len);
        a->len = r->len;
    } else if (r->status == 0) {
        a->error = xstrdup(r->error);
    } else if (http_reply_header(r, "Location", location, sizeof(location))) {
        a->error = xasprintf("status %d, the answer is at %s", r->status, location);
    } else {
        a->error = xasprintf("status %d", r->status);
    }
}

static int ask(const struct http_spec *spec, struct answer *a, burst_error_t *errp)
{
    uv_loop_t loop;
    struct http *http;

    memset(a, 0, sizeof(*a));
    uv_loop_init(&loop);
    http = http_create(&loop, errp);
    if (http) {
        http_send(http, spec, on_reply, a);
        while (!a->body && !a->error)
            uv_run(&loop, UV_RUN_ONCE);
        http_destroy(http);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&loop);
    return http ? 0 : -1;
}

static void wait_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

int fetch_get(const char *url, const char *const *headers, bool direct, char **body, size_t *len,
              burst_error_t *errp)
{
    const struct http_spec spec = {.method = "GET",
                                   .url = url,
                                   .headers = headers,
                                   .max_reply = FETCH_MAX,
                                   .timeout_ms = TIMEOUT_MS,
                                   .direct = direct};
    struct answer a;

    for (int i = 1;; i++) {
        if (ask(&spec, &a, errp) < 0)
            return -1;
        if (a.body)
            break;
        if (i == TRIES || (a.status != 429 && a.status < 500)) {
            errprintf(errp, "%s: %s", url, a.error);
            free(a.error);
            return -1;
        }
        free(a.error);
        wait_ms(a.wait_ms <= 0 ? 1000 : a.wait_ms < WAIT_MAX_MS ? a.wait_ms : WAIT_MAX_MS);
    }
    *body = a.body;
    *len = a.len;
    return 0;
}

char *fetch_bearer(const char *file, burst_error_t *errp)
{
    char *token, *header = NULL;
    size_t len, n;

    if (fs_read_secret(file, TOKEN_MAX, &token, &len, errp) < 0)
        return NULL;
    n = strcspn(token, "\r\n");
    if (n == 0)
        errprintf(errp, "%s is empty; the token goes on its first line", file);
    else
        header = xasprintf("Authorization: Bearer %.*s", (int)n, token);
    fs_wipe(token, len);
    return header;
}

static void write_text(FILE *out, const char *s)
{
    if (!strpbrk(s, ",\"\r\n")) {
        fputs(s, out);
        return;
    }
    putc('"', out);
    for (; *s; s++) {
        if (*s == '"')
            putc('"', out);
        putc(*s, out);
    }
    putc('"', out);
}

static void write_amount(FILE *out, double v)
{
    if (v > 0)
        fprintf(out, "%.10g", v);
}

void fetch_write_header(FILE *out)
{
    fputs("InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"
          "Region,AvailabilityZone\n",
          out);
}

void fetch_write_row(FILE *out, const struct fetch_row *row)
{
    write_text(out, row->instance_type);
    putc(',', out);
    write_text(out, row->accelerator);
    putc(',', out);
    write_amount(out, row->count);
    putc(',', out);
    write_amount(out, row->vcpus);
    putc(',', out);
    write_amount(out, row->memory_gib);
    fputs(",,", out); // GpuInfo
    write_text(out, row->price);
    putc(',', out);
    write_text(out, row->spot_price);
    putc(',', out);
    write_text(out, row->region);
    putc(',', out);
    write_text(out, row->zone);
    putc('\n', out);
}

int fetch_finish(FILE *out, const char *name)
{
    if (fflush(out) == 0 && !ferror(out))
        return 0;
    fprintf(stderr, "%s: cannot write the output: %s\n", name, strerror(errno));
    return 1;
}
