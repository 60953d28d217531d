// SPDX-License-Identifier: GPL-3.0-or-later
// A request and its answer (rpc_server.h).
#include "rpc/rpc_server_inside.h"

void rpc_free_request(struct rpc_request *req)
{
    if (req->prev)
        req->prev->next = req->next;
    else
        req->s->requests = req->next;
    if (req->next)
        req->next->prev = req->prev;
    cJSON_Delete(req->msg);
    cJSON_Delete(req->none);
    free(req);
}

char *rpc_answer_line(cJSON *answer)
{
    char *text = json_line(answer);
    size_t len = strlen(text);

    cJSON_Delete(answer);
    text = xrealloc(text, len + 2);
    memcpy(text + len, "\n", 2);
    return text;
}

void rpc_free_parts(struct rpc_part *part, size_t n)
{
    for (size_t k = 0; k < n; k++)
        free(part[k].text);
    free(part);
}

static struct rpc_part part_of(char *text)
{
    return (struct rpc_part){text, strlen(text)};
}

cJSON *rpc_failure(const char *code, const char *error)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddBoolToObject(answer, "ok", false);
    json_add_str(answer, "code", code);
    json_add_str(answer, "error", error);
    return answer;
}

static struct rpc_part *one_part(cJSON *answer)
{
    struct rpc_part *part = xcalloc(1, sizeof(*part));

    part[0] = part_of(rpc_answer_line(answer));
    return part;
}

void rpc_send_answer(struct conn *c, cJSON *answer)
{
    rpc_send(c, one_part(answer), 1);
}

static void answer(struct rpc_request *req, struct rpc_part *part, size_t n)
{
    struct conn *c = req->conn;

    rpc_free_request(req);
    if (!c) {
        rpc_free_parts(part, n);
        return;
    }
    c->pending = NULL;
    rpc_send(c, part, n);
    rpc_go_on(c);
}

static void answer_request(struct rpc_request *req, cJSON *json)
{
    answer(req, one_part(json), 1);
}

void rpc_reply_parts(struct rpc_request *req, const struct rpc_part *json, size_t n)
{
    struct rpc_part *part = xcalloc(n + 2, sizeof(*part));

    part[0] = part_of(xstrdup("{\"ok\":true,\"result\":"));
    memcpy(part + 1, json, n * sizeof(*part));
    part[n + 1] = part_of(xstrdup("}\n"));
    answer(req, part, n + 2);
}

void rpc_reply_text(struct rpc_request *req, char *json, size_t len)
{
    rpc_reply_parts(req, &(struct rpc_part){json, len}, 1);
}

void rpc_go_on_later(struct rpc_request *req, void (*go_on)(void *arg, struct rpc_request *req),
                     void *arg)
{
    req->later = go_on;
    req->later_arg = arg;
    if (req->conn)
        rpc_go_on(req->conn);
}

void rpc_reply(struct rpc_request *req, cJSON *result)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddBoolToObject(answer, "ok", true);
    cJSON_AddItemToObject(answer, "result", result ? result : cJSON_CreateNull());
    answer_request(req, answer);
}

void rpc_fail(struct rpc_request *req, const char *code, const char *fmt, ...)
{
    char *text = xmalloc(ERROR_MAX);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, ERROR_MAX, fmt, ap);
    va_end(ap);
    cJSON *answer = rpc_failure(code, text);
    free(text);
    answer_request(req, answer);
}

const struct rpc_method *rpc_find_method(const struct rpc_server *s, const char *name)
{
    for (const struct rpc_method *m = s->methods; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

struct rpc_request *rpc_create_request(struct conn *c, cJSON *msg)
{
    struct rpc_request *req = xmalloc(sizeof(*req));

    req->s = c->s;
    req->conn = c;
    req->msg = msg;
    req->method = json_str(msg, "method", NULL);
    req->params = cJSON_GetObjectItemCaseSensitive(msg, "params");
    if (!req->params || cJSON_IsNull(req->params))
        req->params = req->none = cJSON_CreateObject();
    req->peer = c->peer;
    snprintf(req->user, sizeof(req->user), "%s", rpc_conn_user(c));
    req->next = c->s->requests;
    if (req->next)
        req->next->prev = req;
    c->s->requests = req;
    c->pending = req;
    return req;
}

const char *rpc_method_name(const struct rpc_request *req)
{
    return req->method;
}

const cJSON *rpc_params(const struct rpc_request *req)
{
    return req->params;
}

uid_t rpc_uid(const struct rpc_request *req)
{
    return req->peer.uid;
}

gid_t rpc_gid(const struct rpc_request *req)
{
    return req->peer.gid;
}

pid_t rpc_pid(const struct rpc_request *req)
{
    return req->peer.pid;
}

const char *rpc_user(const struct rpc_request *req)
{
    return req->user;
}

bool rpc_is_operator(const struct rpc_request *req)
{
    if (req->conn)
        return rpc_conn_is_operator(req->conn);
    return rpc_look_up_operator(req->s->conf, &req->peer, req->user);
}

bool rpc_may_see(const struct rpc_request *req, uid_t owner)
{
    return req->peer.uid == owner || rpc_is_operator(req);
}

bool rpc_client_gone(const struct rpc_request *req)
{
    return req->conn == NULL;
}

void rpc_on_gone(struct rpc_request *req, void (*gone)(void *gone_arg), void *gone_arg)
{
    req->gone = gone;
    req->gone_arg = gone_arg;
}
