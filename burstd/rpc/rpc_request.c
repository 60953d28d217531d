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

char *rpc_answer_line(cJSON *answer, size_t *len)
{
    char *text = json_line(answer);

    cJSON_Delete(answer);
    *len = strlen(text);
    text = xrealloc(text, *len + 2);
    memcpy(text + *len, "\n", 2);
    *len += 1;
    return text;
}

cJSON *rpc_failure(const char *code, const char *error)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddBoolToObject(answer, "ok", false);
    json_add_str(answer, "code", code);
    json_add_str(answer, "error", error);
    return answer;
}

void rpc_send_answer(struct conn *c, cJSON *answer)
{
    size_t len;
    char *line = rpc_answer_line(answer, &len);

    rpc_send_line(c, line, len);
}

static void answer_line(struct rpc_request *req, char *line, size_t len)
{
    struct conn *c = req->conn;

    rpc_free_request(req);
    if (!c) {
        free(line);
        return;
    }
    c->pending = NULL;
    rpc_send_line(c, line, len);
    rpc_go_on(c);
}

static void answer_request(struct rpc_request *req, cJSON *answer)
{
    size_t len;
    char *line = rpc_answer_line(answer, &len);

    answer_line(req, line, len);
}

void rpc_reply_text(struct rpc_request *req, char *json)
{
    static const char head[] = "{\"ok\":true,\"result\":";
    size_t n = strlen(json);
    char *line = xmalloc(sizeof(head) + n + 2);

    memcpy(line, head, sizeof(head) - 1);
    memcpy(line + sizeof(head) - 1, json, n);
    memcpy(line + sizeof(head) - 1 + n, "}\n", 3);
    free(json);
    answer_line(req, line, sizeof(head) - 1 + n + 2);
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
