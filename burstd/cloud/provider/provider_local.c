// SPDX-License-Identifier: GPL-3.0-or-later
// Driver of the embedded cloud, burst-localcloud (docs/design/internals.md, section 9): JSON over
// HTTP with a bearer token. Whatever is not a complete, well-formed reply leaves the outcome open
// (PROVIDER_TRANSIENT): the caller asks what exists, and repeats with the same token.
#include "cloud/provider/provider.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/provider/http.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

#define MAX_TOKEN 512
#define MAX_INSTANCES 10000
#define MAX_REPLY (8u << 20)

enum call { LAUNCH, LIST, DESCRIBE, TERMINATE, PROBE };

struct provider {
    struct http *http; // borrowed
    char *base;        // ENDPOINT/v1/CLOUD
    char *authorization;
    char *credentials; // file
    char *cluster;
    int timeout_ms;
    struct op *first;
};

// A call on its way.
struct op {
    struct provider *p;
    struct op *prev, *next;
    enum call call;
    unsigned count;              // of a launch
    enum provider_class at_once; // class of an error that was known before asking
    struct http_request *request;
    provider_cb cb;
    void *arg;
};

// ---- results ----------------------------------------------------------------------------------

static int fail(struct provider_result *r, enum provider_class c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct provider_result *r, enum provider_class c, const char *fmt, ...)
{
    va_list ap;

    r->error = c;
    va_start(ap, fmt);
    vsnprintf(r->message, sizeof(r->message), fmt, ap);
    va_end(ap);
    for (char *p = r->message; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
    return -1;
}

// Text of a key into a buffer; missing or null gives "" if that is allowed. -1 when it is of
// another type, does not fit, or has control characters.
static int take_str(const cJSON *o, const char *key, bool needed, char *buf, size_t size)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    buf[0] = '\0';
    if (!v || cJSON_IsNull(v))
        return needed ? -1 : 0;
    if (!cJSON_IsString(v) || strlen(v->valuestring) >= size || (needed && !*v->valuestring))
        return -1;
    for (const char *p = v->valuestring; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            return -1;
    memcpy(buf, v->valuestring, strlen(v->valuestring) + 1);
    return 0;
}

// A point in time in epoch seconds, 0 for null or missing if that is allowed.
static int take_time(const cJSON *o, const char *key, bool needed, int64_t *out)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    *out = 0;
    if (!v || cJSON_IsNull(v))
        return needed ? -1 : 0;
    *out = json_i64(o, key, -1);
    return *out > 0 ? 0 : -1;
}

static int take_state(const cJSON *o, struct provider_instance *i)
{
    static const struct {
        const char *name;
        enum provider_state state;
    } states[] = {{"pending", PROVIDER_PENDING},
                  {"running", PROVIDER_RUNNING},
                  {"shutting-down", PROVIDER_STOPPING},
                  {"terminated", PROVIDER_TERMINATED}};
    const char *name = json_str(o, "state", "");

    for (size_t k = 0; k < sizeof(states) / sizeof(states[0]); k++) {
        if (strcmp(states[k].name, name) == 0) {
            i->state = states[k].state;
            return 0;
        }
    }
    return -1;
}

static int take_address(const cJSON *o, struct provider_instance *i)
{
    unsigned char raw[16];

    if (take_str(o, "address", false, i->address, sizeof(i->address)) < 0)
        return -1;
    return !*i->address || inet_pton(AF_INET, i->address, raw) == 1 ||
                   inet_pton(AF_INET6, i->address, raw) == 1
               ? 0
               : -1;
}

static int take_market(const cJSON *o, struct provider_instance *i)
{
    const char *market = json_str(o, "market", "");

    i->spot = strcmp(market, "spot") == 0;
    return i->spot || strcmp(market, "on-demand") == 0 ? 0 : -1;
}

static int take_price(const cJSON *o, struct provider_instance *i)
{
    char text[MONEY_TEXT_MAX];

    i->price = MONEY_UNKNOWN;
    if (take_str(o, "price_usd_per_hour", false, text, sizeof(text)) < 0)
        return -1;
    return !*text || money_parse(text, &i->price, NULL) == 0 ? 0 : -1;
}

static int take_tags(const cJSON *o, struct provider_instance *i)
{
    const cJSON *tags = cJSON_GetObjectItemCaseSensitive(o, "tags");

    if (!cJSON_IsObject(tags))
        return -1;
    // A tag that is not in our form is somebody else's: as if it were not there.
    if (take_str(tags, "burst-instance", false, i->tag_instance, sizeof(i->tag_instance)) < 0)
        i->tag_instance[0] = '\0';
    if (take_str(tags, "burst-cluster", false, i->tag_cluster, sizeof(i->tag_cluster)) < 0)
        i->tag_cluster[0] = '\0';
    return 0;
}

// Name of the first field that is not what the contract says, or NULL.
static const char *take_instance(const cJSON *o, struct provider_instance *i)
{
    memset(i, 0, sizeof(*i));
    if (!cJSON_IsObject(o))
        return "instance";
    if (take_str(o, "id", true, i->id, sizeof(i->id)) < 0)
        return "id";
    if (take_state(o, i) < 0)
        return "state";
    if (take_address(o, i) < 0)
        return "address";
    if (take_str(o, "host_key", false, i->host_key, sizeof(i->host_key)) < 0)
        return "host_key";
    if (take_str(o, "instance_type", true, i->instance_type, sizeof(i->instance_type)) < 0)
        return "instance_type";
    if (take_str(o, "region", true, i->region, sizeof(i->region)) < 0)
        return "region";
    if (take_str(o, "zone", false, i->zone, sizeof(i->zone)) < 0)
        return "zone";
    if (take_market(o, i) < 0)
        return "market";
    if (take_price(o, i) < 0)
        return "price_usd_per_hour";
    if (take_time(o, "launched_at", true, &i->launched_at) < 0)
        return "launched_at";
    if (take_time(o, "ended_at", i->state == PROVIDER_TERMINATED, &i->ended_at) < 0)
        return "ended_at";
    if (take_time(o, "notice_at", false, &i->notice_at) < 0)
        return "notice_at";
    if (take_tags(o, i) < 0)
        return "tags";
    if (take_str(o, "token", false, i->token, sizeof(i->token)) < 0)
        return "token";
    const char *reason = json_str(o, "reason", NULL); // tells who ended it, once somebody did
    i->preempted = reason ? strcmp(reason, "preempted") == 0 : i->notice_at > 0;
    return NULL;
}

// {"instances":[...]} or one instance by itself.
static int take_instances(const struct op *op, const cJSON *o, struct provider_result *r)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "instances"), *item;
    bool single = op->call == DESCRIBE || op->call == TERMINATE;
    int n = single ? 1 : cJSON_GetArraySize(list);

    if (!single && !cJSON_IsArray(list))
        return fail(r, PROVIDER_TRANSIENT, "the reply has no list of instances");
    if (n > MAX_INSTANCES)
        return fail(r, PROVIDER_TRANSIENT, "the reply has %d instances, more than is believed", n);
    r->instances = xcalloc(n ? (size_t)n : 1, sizeof(*r->instances));
    item = single ? o : list->child;
    for (int k = 0; k < n; k++, item = item->next) {
        const char *wrong = take_instance(item, &r->instances[k]);
        if (wrong)
            return fail(r, PROVIDER_TRANSIENT,
                        "the reply's instance %d is not understood: its %s is missing or not what "
                        "belongs there",
                        k + 1, wrong);
    }
    r->n = (size_t)n;
    if (op->call == LAUNCH && r->n != op->count)
        return fail(r, PROVIDER_TRANSIENT, "%u instances were asked for, the reply has %zu",
                    op->count, r->n);
    return 0;
}

// ---- errors of the cloud ----------------------------------------------------------------------

static enum provider_class class_of_status(int status)
{
    if (status == 401 || status == 403)
        return PROVIDER_AUTH;
    if (status == 404)
        return PROVIDER_NOT_FOUND;
    if (status == 429)
        return PROVIDER_THROTTLE;
    return status >= 400 && status < 500 && status != 408 ? PROVIDER_INVALID : PROVIDER_TRANSIENT;
}

static enum provider_class class_of_code(const char *code, int status)
{
    static const struct {
        const char *code;
        enum provider_class c;
    } table[] = {
        {"InsufficientCapacity", PROVIDER_CAPACITY},
        {"QuotaExceeded", PROVIDER_QUOTA},
        {"Throttled", PROVIDER_THROTTLE},
        {"Unauthorized", PROVIDER_AUTH},
        {"InvalidParameter", PROVIDER_INVALID},
        {"IdempotentParameterMismatch", PROVIDER_INVALID},
        {"NotFound", PROVIDER_NOT_FOUND},
        {"Internal", PROVIDER_TRANSIENT},
    };

    for (size_t k = 0; k < sizeof(table) / sizeof(table[0]); k++)
        if (strcmp(table[k].code, code) == 0)
            return table[k].c;
    return class_of_status(status);
}

static int cloud_error(const struct op *op, const cJSON *o, const struct http_reply *reply,
                       struct provider_result *r)
{
    const cJSON *e = cJSON_GetObjectItemCaseSensitive(o, "error");
    const char *code = json_str(e, "code", NULL), *message = json_str(e, "message", "");

    if (!code)
        return fail(r, PROVIDER_TRANSIENT, "HTTP status %d without an error code", reply->status);
    enum provider_class c = class_of_code(code, reply->status);
    // Not found, but no instance was named: the cloud's name or the endpoint is wrong.
    if (c == PROVIDER_NOT_FOUND && op->call != DESCRIBE && op->call != TERMINATE)
        c = PROVIDER_AUTH;
    if (c == PROVIDER_THROTTLE)
        r->retry_after_ms = reply->retry_after_ms;
    return fail(r, c, "%.60s: %.400s", code, message);
}

static void understand(const struct op *op, const struct http_reply *reply,
                       struct provider_result *r)
{
    burst_error_t err;

    if (op->at_once != PROVIDER_OK) {
        fail(r, op->at_once, "%s", reply->error);
        return;
    }
    if (reply->status == 0) {
        fail(r, PROVIDER_TRANSIENT, "no reply: %s", reply->error);
        return;
    }
    cJSON *o = json_parse(reply->body, reply->len, &err);
    if (!o)
        fail(r, PROVIDER_TRANSIENT, "HTTP status %d, and the reply is %s", reply->status, err.text);
    else if (!cJSON_IsObject(o))
        fail(r, PROVIDER_TRANSIENT, "HTTP status %d, and the reply is not a JSON object",
             reply->status);
    else if (reply->status != 200)
        cloud_error(op, o, reply, r);
    else
        take_instances(op, o, r);
    cJSON_Delete(o);
}

// ---- calls ------------------------------------------------------------------------------------

static void op_free(struct op *op)
{
    if (op->prev)
        op->prev->next = op->next;
    else
        op->p->first = op->next;
    if (op->next)
        op->next->prev = op->prev;
    free(op);
}

static void on_reply(void *arg, const struct http_reply *reply)
{
    struct op *op = arg;
    struct provider_result r = {.error = PROVIDER_OK};
    provider_cb cb = op->cb;
    void *cb_arg = op->arg;

    understand(op, reply, &r);
    struct provider_instance *list = r.instances;
    if (r.error != PROVIDER_OK || op->call == PROBE) { // never half an answer
        r.instances = NULL;
        r.n = 0;
    }
    op_free(op); // before the callback: it may destroy the provider
    cb(cb_arg, &r);
    free(list);
}

static struct op *op_create(struct provider *p, enum call call, provider_cb cb, void *arg)
{
    struct op *op = xmalloc(sizeof(*op));

    op->p = p;
    op->call = call;
    op->cb = cb;
    op->arg = arg;
    op->next = p->first;
    if (op->next)
        op->next->prev = op;
    p->first = op;
    return op;
}

static void op_send(struct op *op, const char *method, const char *path, const char *body)
{
    const char *const headers[] = {op->p->authorization, "Content-Type: application/json",
                                   "Accept: application/json", NULL};
    char *url = xasprintf("%s/%s", op->p->base, path);
    const struct http_spec spec = {
        .method = method,
        .url = url,
        .headers = headers,
        .body = body,
        .body_len = body ? strlen(body) : 0,
        .max_reply = MAX_REPLY,
        .timeout_ms = op->p->timeout_ms,
        .direct = true,
    };

    op->request = http_send(op->p->http, &spec, on_reply, op);
    free(url);
}

static void op_refuse(struct op *op, enum provider_class c, const char *text)
{
    op->at_once = c;
    op->request = http_fail(op->p->http, text, on_reply, op);
}

static cJSON *tag_object(const char *key, const char *value)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, key, value);
    return o;
}

static char *launch_body(const struct provider_launch *req)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "token", req->token);
    json_add_i64(o, "count", req->count);
    json_add_str(o, "instance_type", req->instance_type);
    json_add_str(o, "region", req->region);
    json_add_str(o, "zone", req->zone ? req->zone : "");
    json_add_str(o, "market", req->spot ? "spot" : "on-demand");
    json_add_str(o, "ssh_public_key", req->ssh_public_key);
    cJSON *tags = tag_object("burst-cluster", req->tag_cluster);
    if (req->tag_job && *req->tag_job)
        json_add_str(tags, "burst-job", req->tag_job);
    cJSON_AddItemToObject(o, "tags", tags);
    cJSON *own = cJSON_AddArrayToObject(o, "instance_tags");
    for (unsigned k = 0; k < req->count; k++)
        cJSON_AddItemToArray(own, tag_object("burst-instance", req->tag_instance[k]));
    char *line = json_line(o);
    cJSON_Delete(o);
    return line;
}

static void local_launch(struct provider *p, const struct provider_launch *req, provider_cb cb,
                         void *arg)
{
    struct op *op = op_create(p, LAUNCH, cb, arg);

    op->count = req->count;
    if (req->count == 0 || !req->token || !*req->token || strlen(req->token) > 64) {
        op_refuse(op, PROVIDER_INVALID, "a launch needs a count and a token of 1 to 64 characters");
        return;
    }
    char *body = launch_body(req);
    op_send(op, "POST", "instances", body);
    free(body);
}

static void get_owned(struct op *op)
{
    char *cluster = http_escape(op->p->cluster);
    char *path = xasprintf("instances?tag=burst-cluster:%s", cluster);

    op_send(op, "GET", path, NULL);
    free(path);
    free(cluster);
}

static void local_list_owned(struct provider *p, provider_cb cb, void *arg)
{
    get_owned(op_create(p, LIST, cb, arg));
}

static void local_probe(struct provider *p, provider_cb cb, void *arg)
{
    get_owned(op_create(p, PROBE, cb, arg));
}

static void on_instance(struct provider *p, enum call call, const char *method, const char *id,
                        provider_cb cb, void *arg)
{
    struct op *op = op_create(p, call, cb, arg);

    if (!*id) { // an empty id would name the whole list
        op_refuse(op, PROVIDER_INVALID, "an instance must be named");
        return;
    }
    char *escaped = http_escape(id);
    char *path = xasprintf("instances/%s", escaped);
    op_send(op, method, path, NULL);
    free(path);
    free(escaped);
}

static void local_describe(struct provider *p, const char *id, const char *region, provider_cb cb,
                           void *arg)
{
    on_instance(p, DESCRIBE, "GET", id, cb, arg);
}

static void local_terminate(struct provider *p, const char *id, const char *region, provider_cb cb,
                            void *arg)
{
    on_instance(p, TERMINATE, "DELETE", id, cb, arg);
}

// ---- life -------------------------------------------------------------------------------------

static void wipe_authorization(struct provider *p)
{
    if (p->authorization)
        fs_wipe(p->authorization, strlen(p->authorization));
    p->authorization = NULL;
}

// 1: another token than before, 0: the same, -1: none; the one from before stays.
static int local_refresh(struct provider *p, burst_error_t *errp)
{
    const char *path = p->credentials;
    char *token;
    size_t len;

    if (fs_read_secret(path, MAX_TOKEN, &token, &len, errp) < 0)
        return -1;
    size_t n = strcspn(token, " \t\r\n");
    bool clean = n > 0 && strspn(token + n, " \t\r\n") == len - n;
    for (size_t k = 0; k < n; k++) // it becomes part of a header
        clean = clean && token[k] > ' ' && token[k] < 127;
    char *header = clean ? xasprintf("Authorization: Bearer %.*s", (int)n, token) : NULL;
    fs_wipe(token, len);
    if (!clean)
        return errprintf(errp, "%s: a token is one word on one line", path);
    int differs = !p->authorization || strcmp(p->authorization, header) != 0;
    wipe_authorization(p);
    p->authorization = header;
    return differs;
}

static void local_destroy(struct provider *p)
{
    if (!p)
        return;
    while (p->first) {
        http_cancel(p->first->request);
        op_free(p->first);
    }
    wipe_authorization(p);
    free(p->credentials);
    free(p->base);
    free(p->cluster);
    free(p);
}

static struct provider *local_create(uv_loop_t *loop, struct http *http,
                                     const struct provider_config *config, burst_error_t *errp)
{
    const char *url = config->endpoint ? config->endpoint : "";
    struct provider *p;

    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        errprintf(errp,
                  "cloud %s: endpoint: \"%.100s\" is not an address such as "
                  "http://127.0.0.1:8700",
                  config->cloud, url);
        return NULL;
    }
    p = xmalloc(sizeof(*p));
    p->http = http;
    p->cluster = xstrdup(config->cluster);
    p->timeout_ms = config->timeout_ms;
    char *cloud = http_escape(config->cloud);
    p->base = xasprintf("%s/v1/%s", url, cloud);
    free(cloud);
    p->credentials = xstrdup(config->credentials_file ? config->credentials_file : "");
    if (local_refresh(p, errp) < 0) {
        errprefix(errp, "cloud %s: credentials", config->cloud);
        local_destroy(p);
        return NULL;
    }
    return p;
}

const struct provider_ops provider_local = {
    .name = "local",
    .create = local_create,
    .destroy = local_destroy,
    .refresh = local_refresh,
    .launch = local_launch,
    .list_owned = local_list_owned,
    .describe = local_describe,
    .terminate = local_terminate,
    .probe = local_probe,
};
