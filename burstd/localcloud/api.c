// SPDX-License-Identifier: GPL-3.0-or-later
#include "localcloud/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/log.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

// One request on its way: what the path named, and the answer as it grows.
struct call {
    struct api *api;
    const struct httpd_request *r;
    struct httpd_reply *reply;
    struct cloud *cloud;
    struct instance *instance;
};

static void answer_json(struct call *c, cJSON *o)
{
    c->reply->status = 200;
    c->reply->body = json_line(o);
    cJSON_Delete(o);
}

static void answer_error(struct call *c, int status, const char *code, const char *message)
{
    cJSON *o = cJSON_CreateObject(), *e = cJSON_AddObjectToObject(o, "error");

    json_add_str(e, "code", code);
    json_add_str(e, "message", message);
    answer_json(c, o);
    c->reply->status = status;
    c->reply->retry_after_s = status == 429 ? 1 : 0;
}

static void answer_fleet_error(struct call *c, const struct fleet_error *err)
{
    answer_error(c, err->status, err->code, err->message);
}

static bool is(const struct call *c, const char *method)
{
    return strcmp(httpd_method(c->r), method) == 0;
}

// ---- who is asking ----------------------------------------------------------------------------

// Takes the same time wherever the two differ.
static bool same_secret(const char *given, const char *token, size_t len)
{
    return strlen(given) == len && CRYPTO_memcmp(given, token, len) == 0;
}

static const char *bearer(const struct httpd_request *r)
{
    const char *header = httpd_header(r, "Authorization");

    return header && strncmp(header, "Bearer ", 7) == 0 ? header + 7 : "";
}

static bool is_admin(const struct call *c)
{
    const struct conf *conf = c->api->conf;

    return same_secret(bearer(c->r), conf->admin_token, conf->admin_token_len);
}

static bool is_customer(const struct call *c)
{
    const struct conf_cloud *conf = cloud_conf(c->cloud);

    return same_secret(bearer(c->r), conf->token, conf->token_len);
}

static void unauthorized(struct call *c)
{
    answer_error(c, 401, "Unauthorized", "this needs the right token: Authorization: Bearer ...");
}

// ---- faults that meet whole calls -------------------------------------------------------------

static bool hit(struct call *c, enum fault_kind kind, enum fault_call call, const char *zone,
                const char *type, bool spot)
{
    return faults_hit(cloud_faults(c->cloud), kind, call, zone, type, spot,
                      fleet_now_ms(c->api->fleet), NULL);
}

// true = the call was refused and answered.
static bool refused(struct call *c, enum fault_call call, const char *zone, const char *type,
                    bool spot)
{
    if (hit(c, FAULT_UNAUTHORIZED, call, zone, type, spot)) {
        answer_error(c, 401, "Unauthorized", "the credentials were refused");
        return true;
    }
    if (hit(c, FAULT_THROTTLE, call, zone, type, spot)) {
        answer_error(c, 429, "Throttled", "too many requests; ask again later");
        return true;
    }
    return false;
}

// ---- instances --------------------------------------------------------------------------------

static cJSON *instance_list(struct instance *const *list, size_t n)
{
    cJSON *o = cJSON_CreateObject(), *a = cJSON_AddArrayToObject(o, "instances");

    for (size_t k = 0; k < n; k++)
        cJSON_AddItemToArray(a, instance_json(list[k]));
    return o;
}

static cJSON *body_json(struct call *c)
{
    burst_error_t err;
    size_t len;
    const char *body = httpd_body(c->r, &len);
    cJSON *o = json_parse(body, len, &err);

    if (!o)
        answer_error(c, 400, "InvalidParameter", err.text);
    return o;
}

static void launch(struct call *c, const cJSON *body)
{
    const char *market = json_str(body, "market", "");
    const struct fleet_launch req = {
        .token = json_str(body, "token", ""),
        .count = json_i64(body, "count", 0),
        .instance_type = json_str(body, "instance_type", ""),
        .region = json_str(body, "region", ""),
        .zone = json_str(body, "zone", ""),
        .spot = strcmp(market, "spot") == 0,
        .tags = cJSON_GetObjectItemCaseSensitive(body, "tags"),
        .instance_tags = cJSON_GetObjectItemCaseSensitive(body, "instance_tags"),
        .ssh_public_key = json_str(body, "ssh_public_key", ""),
    };
    struct instance *out[FLEET_COUNT_MAX];
    struct fleet_error err;
    size_t n;

    if (refused(c, FAULT_CALL_LAUNCH, req.zone, req.instance_type, req.spot))
        return;
    if (!req.spot && strcmp(market, "on-demand") != 0)
        answer_error(c, 400, "InvalidParameter", "market: spot or on-demand");
    else if (fleet_launch(c->api->fleet, c->cloud, &req, out, &n, &err) < 0)
        answer_fleet_error(c, &err);
    else
        answer_json(c, instance_list(out, n));
    if (c->reply->status == 200 && hit(c, FAULT_LOSE_REPLY, FAULT_CALL_LAUNCH,
                                       n ? out[0]->zone : req.zone, req.instance_type, req.spot))
        c->reply->drop = true;
}

static void post_instances(struct call *c)
{
    cJSON *body = body_json(c);

    if (body)
        launch(c, body);
    cJSON_Delete(body);
}

static bool has_tag(const struct instance *i, const char *tag)
{
    const char *colon = strchr(tag, ':');
    char *key = xasprintf("%.*s", (int)(colon - tag), tag);
    const char *value = json_str(i->tags, key, NULL);

    free(key);
    return value && strcmp(value, colon + 1) == 0;
}

static void get_instances(struct call *c)
{
    const char *tag = httpd_query(c->r, "tag");
    cJSON *o, *a;
    struct instance *i;
    size_t k = 0;

    if (tag && !strchr(tag, ':')) {
        answer_error(c, 400, "InvalidParameter", "tag: NAME:VALUE");
        return;
    }
    o = cJSON_CreateObject();
    a = cJSON_AddArrayToObject(o, "instances");
    while ((i = fleet_next(c->api->fleet, c->cloud, &k, false)))
        if (!tag || has_tag(i, tag))
            cJSON_AddItemToArray(a, instance_json(i));
    answer_json(c, o);
}

static void get_offers(struct call *c)
{
    answer_json(c, fleet_offers(c->cloud));
}

static void customer_call(struct call *c, enum fault_call call, void (*act)(struct call *))
{
    if (!is_customer(c) && !(call != FAULT_CALL_LAUNCH && is_admin(c))) {
        unauthorized(c);
        return;
    }
    if (call == FAULT_CALL_LAUNCH) { // its faults depend on the place, which is in the body
        act(c);
        return;
    }
    if (refused(c, call, "", "", false))
        return;
    act(c);
    if (hit(c, FAULT_LOSE_REPLY, call, "", "", false))
        c->reply->drop = true;
}

static void get_instance(struct call *c)
{
    answer_json(c, instance_json(c->instance));
}

static void delete_instance(struct call *c)
{
    fleet_terminate(c->api->fleet, c->instance);
    get_instance(c);
}

static void route_offers(struct call *c)
{
    if (is(c, "GET"))
        customer_call(c, FAULT_CALL_LIST, get_offers);
    else
        answer_error(c, 405, "InvalidParameter", "GET");
}

static void route_instances(struct call *c)
{
    if (is(c, "POST"))
        customer_call(c, FAULT_CALL_LAUNCH, post_instances);
    else if (is(c, "GET"))
        customer_call(c, FAULT_CALL_LIST, get_instances);
    else
        answer_error(c, 405, "InvalidParameter", "GET or POST");
}

// ---- the operator's side ----------------------------------------------------------------------

static void operator_action(struct call *c, const char *action)
{
    struct fleet *f = c->api->fleet;
    struct fleet_error err;
    int rc;

    if (strcmp(action, "preempt") == 0) {
        cJSON *body = body_json(c);
        if (!body)
            return;
        rc = fleet_preempt(f, c->instance, json_i64(body, "notice_s", -1), &err);
        cJSON_Delete(body);
    } else if (strcmp(action, "kill") == 0) {
        rc = fleet_kill(f, c->instance, &err);
    } else if (strcmp(action, "cut") == 0 || strcmp(action, "uncut") == 0) {
        rc = fleet_cut(f, c->instance, action[0] == 'c', &err);
    } else {
        answer_error(c, 404, "NotFound", "an action is one of preempt, kill, cut, uncut");
        return;
    }
    if (rc < 0)
        answer_fleet_error(c, &err);
    else
        get_instance(c);
}

static void route_instance(struct call *c, char *rest)
{
    char *action = strchr(rest, '/');

    if (action)
        *action++ = '\0';
    if (action ? !is_admin(c) : !is_customer(c) && !is_admin(c)) {
        unauthorized(c);
        return;
    }
    c->instance = fleet_find(c->api->fleet, c->cloud, rest);
    if (!c->instance)
        answer_error(c, 404, "NotFound", "there is no such instance");
    else if (action && is(c, "POST"))
        operator_action(c, action);
    else if (!action && is(c, "GET"))
        customer_call(c, FAULT_CALL_DESCRIBE, get_instance);
    else if (!action && is(c, "DELETE"))
        customer_call(c, FAULT_CALL_TERMINATE, delete_instance);
    else
        answer_error(c, 405, "InvalidParameter", action ? "an action is a POST" : "GET or DELETE");
}

static void route_faults(struct call *c)
{
    struct faults *faults = cloud_faults(c->cloud);
    int64_t now = fleet_now_ms(c->api->fleet);
    burst_error_t err;

    if (is(c, "PUT")) {
        cJSON *body = body_json(c);
        if (!body)
            return;
        if (faults_set(faults, body, now, &err) < 0)
            answer_error(c, 400, "InvalidParameter", err.text);
        else
            answer_json(c, faults_json(faults, now));
        cJSON_Delete(body);
    } else if (is(c, "GET")) {
        answer_json(c, faults_json(faults, now));
    } else {
        answer_error(c, 405, "InvalidParameter", "GET or PUT");
    }
}

static void route_operator(struct call *c, const char *what)
{
    if (!is_admin(c))
        unauthorized(c);
    else if (strcmp(what, "faults") == 0)
        route_faults(c);
    else if (is(c, "GET"))
        answer_json(c, fleet_bill(c->api->fleet, c->cloud));
    else
        answer_error(c, 405, "InvalidParameter", "GET");
}

// /v1/CLOUD/WHAT[/ID[/ACTION]]
static void route(struct call *c, char *path)
{
    char *what = strchr(path, '/');

    if (what)
        *what++ = '\0';
    c->cloud = fleet_cloud(c->api->fleet, path);
    if (!c->cloud || !what)
        answer_error(c, 404, "NotFound", "there is no such cloud or path");
    else if (strcmp(what, "instances") == 0)
        route_instances(c);
    else if (strncmp(what, "instances/", 10) == 0)
        route_instance(c, what + 10);
    else if (strcmp(what, "offers") == 0)
        route_offers(c);
    else if (strcmp(what, "bill") == 0 || strcmp(what, "faults") == 0)
        route_operator(c, what);
    else
        answer_error(c, 404, "NotFound", "there is no such path");
}

void api_handle(void *arg, const struct httpd_request *r, struct httpd_reply *reply)
{
    struct call c = {.api = arg, .r = r, .reply = reply};
    const char *path = httpd_path(r);

    if (strncmp(path, "/v1/", 4) == 0) {
        char *copy = xstrdup(path + 4);
        route(&c, copy);
        free(copy);
    } else {
        answer_error(&c, 404, "NotFound", "paths begin with /v1/CLOUD/");
    }
    log_debug("%s %s: %d%s", httpd_method(r), path, reply->status,
              reply->drop ? " (reply lost)" : "");
    fleet_save_faults(c.api->fleet);
    c.api->changed(c.api->arg);
}
