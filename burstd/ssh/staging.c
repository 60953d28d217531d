// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/staging.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "ssh/event.h"
#include "ssh/node_command.h"
#include "ssh/stage_peer.h"
#include "ssh/transfer.h"

#define PARAMS_MAX (2u << 20)

static void add_totals(cJSON *done, const cJSON *answer, struct ssh_transfer *t)
{
    const char *mine = node_command_said(t), *its = json_str(answer, "warning", "");

    json_add_i64(done, "bytes", json_i64(answer, "bytes", 0));
    json_add_i64(done, "files", json_i64(answer, "files", 0));
    json_add_i64(done, "skipped", json_i64(answer, "skipped", 0));
    json_add_i64(done, "stream_bytes", t->bytes);
    if (*mine || *its) {
        char *text = xasprintf("%s%s%s", mine, *mine && *its ? "; " : "", its);
        json_add_str(done, "warning", text);
        free(text);
    }
}

static bool has_paths(const struct ssh_request *req)
{
    return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(req->json, "paths")) > 0;
}

int staging_open(const struct ssh_request *req, cJSON **header, int *fd, struct ssh_error *err)
{
    if (!has_paths(req) && !json_str(req->json, "work_dir", NULL))
        return 0;
    *fd = stage_peer_connect(json_str(req->json, "stage_socket", ""), err);
    if (*fd < 0 || stage_peer_send(*fd, req, "pack", err) < 0)
        return -1;
    *header = stage_peer_header(*fd, err);
    if (!*header)
        return -1;
    fcntl(*fd, F_SETFL, O_NONBLOCK);
    return 0;
}

int staging_in(struct ssh_session *s, const struct ssh_request *req, int fd, const cJSON *header,
               cJSON *done, struct ssh_error *err)
{
    struct ssh_transfer t;
    struct strbuf params;
    int rc = -1;

    ssh_transfer_init(&t);
    strbuf_init(&params, PARAMS_MAX);
    err->errclass = "internal";
    if (ssh_request_params(req, NULL, cJSON_GetObjectItemCaseSensitive(header, "places"), fd >= 0,
                           &params, &err->e) < 0)
        goto out;
    t.head = params.data;
    t.head_len = params.len;
    t.in_fd = fd;
    t.idle_s = req->idle_s;
    t.progress = ssh_event_progress;
    rc = node_command_run(s, req, &t, err);
    if (rc == 0)
        add_totals(done, header, &t);
out:
    strbuf_free(&params);
    ssh_transfer_free(&t);
    return rc;
}

struct stage_out {
    cJSON *answer;
};

static int on_unpacked(void *arg, const char *line, struct ssh_error *err)
{
    struct stage_out *o = arg;

    o->answer = stage_peer_answer(line, err);
    return o->answer ? 0 : -1;
}

int staging_out(struct ssh_session *s, const struct ssh_request *req, cJSON *done,
                struct ssh_error *err)
{
    struct ssh_transfer t;
    struct strbuf params;
    struct stage_out o = {NULL};
    const char *op = cJSON_HasObjectItem(req->json, "keep") ? "keep" : "unpack";
    int rc = -1, fd = -1;

    ssh_transfer_init(&t);
    strbuf_init(&params, PARAMS_MAX);
    err->errclass = "internal";
    if (!has_paths(req)) {
        add_totals(done, NULL, &t);
        rc = 0;
        goto out;
    }
    if (ssh_request_params(req, NULL, NULL, false, &params, &err->e) < 0)
        goto out;
    fd = stage_peer_connect(json_str(req->json, "stage_socket", ""), err);
    if (fd < 0 || stage_peer_send(fd, req, op, err) < 0)
        goto out;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    t.head = params.data;
    t.head_len = params.len;
    t.out_fd = fd;
    t.answer = on_unpacked;
    t.progress = ssh_event_progress;
    t.arg = &o;
    t.idle_s = req->idle_s + json_i64(req->json, "wait_job_s", 0);
    rc = node_command_run(s, req, &t, err);
    if (rc == 0)
        add_totals(done, o.answer, &t);
    if (rc == 0 && strcmp(op, "keep") == 0)
        json_add_str(done, "kept", json_str(o.answer, "kept", ""));
out:
    if (fd >= 0)
        close(fd);
    cJSON_Delete(o.answer);
    strbuf_free(&params);
    ssh_transfer_free(&t);
    return rc;
}
