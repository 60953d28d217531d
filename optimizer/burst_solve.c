// SPDX-License-Identifier: GPL-3.0-or-later
// burst-solve: the optimizer as a process of its own, because GLPK may abort and a plan may take
// seconds.
//
//   burst-solve --catalog DIR [--text] REQUEST.json     one plan ("-" = standard input)
//   burst-solve --catalog DIR --serve                   one JSON request a line, one answer a line
//
// Serving, a bad line is answered with {"id":...,"error":...,"code":"invalid"} and never ends the
// process. Requests beside plans: {"cmd":"reload"} and {"cmd":"offers","shape":{...}}.
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "catalog/catalog.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "optimizer/candidates.h"
#include "optimizer/plan.h"

#define REQUEST_MAX (64u << 20)
#define TABLE_RUNNERS_UP 3

enum { EXIT_PLAN = 0, EXIT_NONE = 1, EXIT_BAD_REQUEST = 2, EXIT_ELSE = 3 };

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int read_fd(int fd, struct strbuf *b, burst_error_t *errp)
{
    char buf[65536];
    ssize_t n;

    while ((n = read(fd, buf, sizeof(buf))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errprintf(errp, "standard input: %s", strerror(errno));
        if (strbuf_add(b, buf, (size_t)n) < 0)
            return errprintf(errp, "the request is larger than %u MiB", REQUEST_MAX >> 20);
    }
    return 0;
}

static int read_request(const char *path, char **text, size_t *len, burst_error_t *errp)
{
    struct strbuf b;

    if (strcmp(path, "-") != 0)
        return fs_read(path, REQUEST_MAX, text, len, errp);
    strbuf_init(&b, REQUEST_MAX);
    if (read_fd(STDIN_FILENO, &b, errp) < 0) {
        strbuf_free(&b);
        return -1;
    }
    *len = b.len;
    *text = strbuf_take(&b);
    strbuf_free(&b);
    if (!*text)
        *text = xstrdup("");
    return 0;
}

static int complain(int status, const burst_error_t *err)
{
    fprintf(stderr, "burst plan: %s\n", err->text);
    return status;
}

static int print_plan(const struct plan *p, bool table)
{
    cJSON *j = table ? NULL : plan_json(p);
    char *text = table ? plan_text(p) : json_line(j);

    fputs(text, stdout);
    if (!table)
        fputc('\n', stdout);
    cJSON_Delete(j);
    free(text);
    if (fflush(stdout) != 0)
        return EXIT_ELSE;
    return p->status == PLAN_INFEASIBLE ? EXIT_NONE : EXIT_PLAN;
}

static int one_plan(const char *dir, const char *path, bool table)
{
    burst_error_t err = {""};
    char *text = NULL;
    size_t len;
    int status;

    if (read_request(path, &text, &len, &err) < 0)
        return complain(EXIT_ELSE, &err);
    cJSON *j = json_parse(text, len, &err);
    free(text);
    struct request *rq = j ? request_parse(j, &err) : NULL;
    bool chosen = j && cJSON_GetObjectItemCaseSensitive(j, "runners_up");
    cJSON_Delete(j);
    if (!rq)
        return complain(EXIT_BAD_REQUEST, &err);
    if (table && !chosen)
        rq->runners_up = TABLE_RUNNERS_UP;
    double start = now_ms();
    struct catalog *cat = catalog_open(dir, &err);
    double load_ms = now_ms() - start;
    struct plan *p = cat ? plan_create(cat, rq, &err) : NULL;
    if (p) {
        p->load_ms = load_ms;
        status = print_plan(p, table);
    } else {
        status = complain(EXIT_ELSE, &err);
    }
    plan_destroy(p);
    catalog_destroy(cat);
    request_destroy(rq);
    return status;
}

// --- serve ---

struct server {
    const char *dir;
    struct catalog *cat;
    double load_ms;
};

static cJSON *error_answer(const cJSON *request, const char *code, const burst_error_t *err)
{
    cJSON *o = cJSON_CreateObject();
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");

    if (id)
        cJSON_AddItemToObject(o, "id", cJSON_Duplicate(id, true));
    json_add_str(o, "error", err->text);
    json_add_str(o, "code", code);
    return o;
}

static cJSON *reload(struct server *s, const cJSON *request)
{
    burst_error_t err = {""};
    double start = now_ms();
    struct catalog *cat = catalog_open(s->dir, &err);
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
    uint32_t n;

    if (!cat)
        return error_answer(request, "internal", &err); // the old one stays in use
    catalog_destroy(s->cat);
    s->cat = cat;
    s->load_ms = now_ms() - start;
    catalog_offers(cat, &n);
    cJSON *o = cJSON_CreateObject();
    if (id)
        cJSON_AddItemToObject(o, "id", cJSON_Duplicate(id, true));
    cJSON_AddTrueToObject(o, "reloaded");
    json_add_i64(o, "offers", n);
    json_add_i64(o, "refused", catalog_refused(cat));
    json_add_i64(o, "quarantined", catalog_quarantined(cat));
    return o;
}

struct listing {
    const struct catalog *cat;
    cJSON *list;
};

static void list_offer(void *arg, uint32_t index, enum market market)
{
    struct listing *l = arg;
    uint32_t n, nt, nr, nc;
    const struct catalog_offer *f = &catalog_offers(l->cat, &n)[index];
    const struct catalog_type *t = &catalog_types(l->cat, &nt)[f->type];
    const struct catalog_region *r = &catalog_regions(l->cat, &nr)[f->region];
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "cloud", catalog_str(l->cat, catalog_clouds(l->cat, &nc)[r->cloud].name));
    json_add_str(o, "region", catalog_str(l->cat, r->name));
    json_add_str(o, "zone", catalog_str(l->cat, f->zone));
    json_add_str(o, "instance_type", catalog_str(l->cat, t->name));
    json_add_str(o, "accelerator", catalog_str(l->cat, t->accelerator));
    cJSON_AddNumberToObject(o, "accelerator_count", t->count);
    cJSON_AddNumberToObject(o, "vcpus", t->vcpus);
    cJSON_AddNumberToObject(o, "memory_gib", t->memory_gib);
    json_add_str(o, "market", market_name(market));
    json_add_money(o, "price_uusd_per_hour", catalog_price(f, market));
    cJSON_AddItemToArray(l->list, o);
}

// A shape has the fields of a task: any_of, clouds, regions, zones, market.
static cJSON *offers(struct server *s, const cJSON *request)
{
    burst_error_t err = {""};
    cJSON *wrapped = cJSON_CreateObject(), *o = NULL;
    cJSON *tasks = cJSON_AddArrayToObject(wrapped, "tasks");
    cJSON *shape = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(request, "shape"), true);
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
    struct request *rq;

    if (cJSON_IsObject(shape)) {
        cJSON_DeleteItemFromObjectCaseSensitive(shape, "name");
        json_add_str(shape, "name", "shape");
    }
    if (shape)
        cJSON_AddItemToArray(tasks, shape);
    rq = request_parse(wrapped, &err);
    cJSON_Delete(wrapped);
    if (!rq)
        return error_answer(request, "invalid", &err);
    o = cJSON_CreateObject();
    if (id)
        cJSON_AddItemToObject(o, "id", cJSON_Duplicate(id, true));
    struct listing l = {s->cat, cJSON_AddArrayToObject(o, "offers")};
    candidates_offers(s->cat, &rq->tasks[0], list_offer, &l);
    request_destroy(rq);
    return o;
}

static cJSON *serve_plan(struct server *s, const cJSON *request)
{
    burst_error_t err = {""};
    struct request *rq = request_parse(request, &err);

    if (!rq)
        return error_answer(request, "invalid", &err);
    struct plan *p = plan_create(s->cat, rq, &err);
    cJSON *o;
    if (p) {
        p->load_ms = s->load_ms;
        o = plan_json(p);
    } else {
        o = error_answer(request, "internal", &err);
    }
    plan_destroy(p);
    request_destroy(rq);
    return o;
}

static cJSON *serve_line(struct server *s, const char *line, size_t len)
{
    burst_error_t err = {""};
    cJSON *request = json_parse(line, len, &err), *answer;
    const char *cmd = json_str(request, "cmd", NULL);

    if (!request)
        return error_answer(NULL, "invalid", &err);
    if (!cmd)
        answer = serve_plan(s, request);
    else if (strcmp(cmd, "reload") == 0)
        answer = reload(s, request);
    else if (strcmp(cmd, "offers") == 0)
        answer = offers(s, request);
    else {
        errprintf(&err, "cmd: unknown command \"%.60s\"; known are reload and offers", cmd);
        answer = error_answer(request, "invalid", &err);
    }
    cJSON_Delete(request);
    return answer;
}

static int serve(const char *dir)
{
    struct server s = {.dir = dir};
    burst_error_t err = {""};
    double start = now_ms();
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    s.cat = catalog_open(dir, &err);
    if (!s.cat)
        return complain(EXIT_ELSE, &err);
    s.load_ms = now_ms() - start;
    while ((len = getline(&line, &cap, stdin)) >= 0) {
        if (len > 0 && line[len - 1] == '\n')
            len--;
        if (len == 0)
            continue;
        cJSON *answer = serve_line(&s, line, (size_t)len);
        char *text = json_line(answer);
        if (puts(text) == EOF || fflush(stdout) != 0)
            break; // nobody listens any more
        free(text);
        cJSON_Delete(answer);
    }
    free(line);
    catalog_destroy(s.cat);
    return 0;
}

static int usage(void)
{
    fputs("usage: burst-solve --catalog DIR [--json|--text] REQUEST.json\n"
          "       burst-solve --catalog DIR --serve\n",
          stderr);
    return EXIT_BAD_REQUEST;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"catalog", required_argument, NULL, 'c'},
                                            {"serve", no_argument, NULL, 's'},
                                            {"text", no_argument, NULL, 't'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    const char *dir = NULL;
    bool serving = false, table = false;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'c')
            dir = optarg;
        else if (c == 's')
            serving = true;
        else if (c == 't')
            table = true;
        else if (c == 'j')
            table = false;
        else
            return usage();
    }
    if (!dir || argc - optind != (serving ? 0 : 1))
        return usage();
    return serving ? serve(dir) : one_plan(dir, argv[optind], table);
}
