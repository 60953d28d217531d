// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzz target: what a client writes to burstd's socket, through the real server and its loop. Each
// whole line gets one answer, a line of JSON, unless the connection ends.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/conf.h"
#include "libburst/json.h"
#include "rpc/rpc_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void echo(void *arg, struct rpc_request *req)
{
    rpc_reply(req, cJSON_Duplicate(rpc_params(req), true));
}

static void refuse(void *arg, struct rpc_request *req)
{
    rpc_fail(req, "not_found", "no %s", rpc_method_name(req));
}

static const struct rpc_method methods[] = {{"echo", echo, false, false},
                                            {"refuse", refuse, false, false},
                                            {"operate", echo, true, false},
                                            {NULL, NULL, false, false}};
static char path[64];

static void gone(void)
{
    unlink(path);
}

static void check_answers(const char *text, size_t n)
{
    for (const char *nl; n > 0 && (nl = memchr(text, '\n', n));
         n -= (size_t)(nl + 1 - text), text = nl + 1) {
        cJSON *j = json_parse(text, (size_t)(nl - text), NULL);
        if (!cJSON_IsObject(j))
            abort();
        cJSON_Delete(j);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rpc_server *s;
    static struct burst_conf conf;
    static char nobody[] = "", answers[1 << 20];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    burst_error_t err;
    size_t off = 0, n = 0;
    ssize_t r;

    if (!s) {
        snprintf(path, sizeof(path), "/tmp/burst-fuzz-rpc.%d", (int)getpid());
        conf.slurm_user = nobody;
        atexit(gone);
        s = rpc_server_create(uv_default_loop(), path, methods, &conf, NULL, &err);
        if (!s)
            abort();
    }
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        abort();
    for (int turns = 0; turns < 10000; turns++) {
        if (off < size && (r = send(fd, data + off, size - off, MSG_NOSIGNAL)) > 0)
            off += (size_t)r;
        else if (off < size && r < 0 && turns > 100)
            off = size; // it has ended the connection
        if (off == size)
            shutdown(fd, SHUT_WR);
        uv_run(uv_default_loop(), UV_RUN_NOWAIT);
        r = read(fd, answers + n, sizeof(answers) - n);
        if (r > 0)
            n += (size_t)r;
        else if (r == 0 || n == sizeof(answers))
            break;
    }
    check_answers(answers, n);
    close(fd);
    while (rpc_server_connections(s) > 0)
        uv_run(uv_default_loop(), UV_RUN_NOWAIT);
    return 0;
}
