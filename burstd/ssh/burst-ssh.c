// SPDX-License-Identifier: GPL-3.0-or-later
// burst-ssh: one operation on one node over SSH. A request line on stdin, event lines on stdout,
// exit status 0 (done) or 1 (an error event was written); see internals, section 7.
//
// Failure policy: every operation may be repeated; nothing is tried again here but the connection.
// Secrets (private key, munge key) are read, used and wiped; no core dump is made of us.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/start.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "ssh/account.h"
#include "ssh/event.h"
#include "ssh/node_command.h"
#include "ssh/prepare.h"
#include "ssh/request.h"
#include "ssh/session.h"
#include "ssh/ssh_error.h"
#include "ssh/staging.h"
#include "ssh/transfer.h"

#define REQUEST_MAX (4u << 20)
#define PARAMS_MAX (2u << 20)

static cJSON *read_request(struct ssh_error *err)
{
    struct strbuf b;
    cJSON *json = NULL;
    char buf[4096], *end = NULL;
    ssize_t n;

    strbuf_init(&b, REQUEST_MAX);
    while (!end && (n = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
        if (strbuf_add(&b, buf, (size_t)n) < 0)
            break;
        end = memchr(b.data, '\n', b.len);
    }
    if (end)
        json = json_parse(b.data, (size_t)(end - b.data), &err->e);
    else
        errprintf(&err->e, "no request line on standard input");
    strbuf_free(&b);
    if (json && !cJSON_IsObject(json)) {
        cJSON_Delete(json);
        json = NULL;
        errprintf(&err->e, "the request is no object");
    }
    err->errclass = "internal";
    return json;
}

// ---- join, check, poweroff, signal

static void add_answers(const struct ssh_request *req, const struct ssh_transfer *t, cJSON *done)
{
    char *pid = node_command_answer(t, "slurmd_pid"), *node = node_command_answer(t, "slurmd");
    char *agent = node_command_answer(t, "agent"), *munged = node_command_answer(t, "munged");
    char *told = node_command_answer(t, "told"), *said = node_command_answer(t, "slurmd_said");

    if (req->op == SSH_OP_JOIN) {
        json_add_i64(done, "slurmd_pid", pid ? strtoll(pid, NULL, 10) : 0);
        json_add_str(done, "slurmd_said", said);
    }
    if (req->op == SSH_OP_CHECK) {
        cJSON_AddBoolToObject(done, "munged", munged != NULL);
        json_add_str(done, "slurmd", node);
        cJSON_AddBoolToObject(done, "agent", agent != NULL);
    }
    if (req->op == SSH_OP_SIGNAL)
        json_add_i64(done, "told", told ? strtoll(told, NULL, 10) : 0);
    free(told);
    free(said);
    free(pid);
    free(node);
    free(agent);
    free(munged);
}

static int do_simple(struct ssh_session *s, const struct ssh_request *req, cJSON *done,
                     struct ssh_error *err)
{
    struct ssh_transfer t;
    struct strbuf params;
    int rc = -1;

    ssh_transfer_init(&t);
    strbuf_init(&params, PARAMS_MAX);
    err->errclass = "internal";
    if (ssh_request_params(req, NULL, NULL, false, &params, &err->e) == 0)
        rc = node_command_script(s, req, params.data, params.len, &t, err);
    if (rc == 0)
        add_answers(req, &t, done);
    strbuf_free(&params);
    ssh_transfer_free(&t);
    return rc;
}

// ---- all together

static struct ssh_session *log_in(const struct ssh_request *req, struct ssh_error *err)
{
    char *host_key = NULL;
    struct ssh_session *s = ssh_session_open(req, &host_key, err);

    if (s && !req->host_key) {
        cJSON *msg = ssh_event("host_key");
        json_add_str(msg, "host_key", host_key);
        ssh_event_emit(msg);
    }
    if (s)
        ssh_event_emit(ssh_event("ssh_up"));
    free(host_key);
    return s;
}

static int perform(const struct ssh_request *req, cJSON *done, struct ssh_error *err)
{
    struct ssh_session *s = NULL;
    struct strbuf bundle = {0};
    cJSON *header = NULL;
    int fd = -1, rc = -1;

    if (req->op == SSH_OP_PREPARE && prepare_bundle(req, &bundle, err) < 0)
        goto out;
    if (req->op == SSH_OP_STAGE_IN && staging_open(req, &header, &fd, err) < 0)
        goto out;
    s = log_in(req, err);
    if (!s)
        goto out;
    if (req->op == SSH_OP_PREPARE)
        rc = prepare_run(s, req, &bundle, done, err);
    else if (req->op == SSH_OP_STAGE_IN)
        rc = staging_in(s, req, fd, header, done, err);
    else if (req->op == SSH_OP_STAGE_OUT)
        rc = staging_out(s, req, done, err);
    else
        rc = do_simple(s, req, done, err);
out:
    prepare_bundle_free(&bundle);
    ssh_session_close(s);
    if (fd >= 0)
        close(fd);
    cJSON_Delete(header);
    return rc;
}

int main(void)
{
    struct ssh_error err = {.errclass = "internal"};
    struct ssh_request req;
    int rc = -1;

    start_with_secrets();
    cJSON *json = read_request(&err);
    if (!json)
        return ssh_event_error(&err);
    cJSON *done = ssh_event("done");
    if (account_complete(json, &err.e) == 0 && ssh_request_parse(json, &req, &err.e) == 0)
        rc = perform(&req, done, &err);
    if (rc == 0)
        ssh_event_emit(done);
    else {
        ssh_event_error(&err);
        cJSON_Delete(done);
    }
    cJSON_Delete(json);
    return rc == 0 ? 0 : 1;
}
