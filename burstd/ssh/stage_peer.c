// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_peer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "ssh/line.h"

#define HEADER_MAX (4u << 20)
#define WAIT_S 600 // for burst-stagerd to look through the user's files

int stage_peer_connect(const char *path, struct ssh_error *err)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct timeval tv = {.tv_sec = WAIT_S};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return ssh_fail(err, "internal", "socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
    if (strlen(path) >= sizeof(addr.sun_path)) {
        close(fd);
        return ssh_fail(err, "internal", "stage_socket: %s is too long for a socket", path);
    }
    memcpy(addr.sun_path, path, strlen(path) + 1);
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        ssh_fail(err, "internal",
                 "burst-stagerd does not answer at %s: %s (is the service "
                 "burst-stagerd running?)",
                 path, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

int stage_peer_send(int fd, const struct ssh_request *req, const char *op, struct ssh_error *err)
{
    static const char *const keys[] = {"uid",      "gid",     "user",     "paths",
                                       "work_dir", "exclude", "max_bytes"};
    const cJSON *keep = cJSON_GetObjectItemCaseSensitive(req->json, "keep"), *k;
    cJSON *msg = cJSON_CreateObject();

    json_add_str(msg, "op", op);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(req->json, keys[i]);
        if (v)
            cJSON_AddItemToObject(msg, keys[i], cJSON_Duplicate(v, 1));
    }
    if (strcmp(op, "keep") == 0)
        cJSON_ArrayForEach(k, keep) cJSON_AddItemToObject(msg, k->string, cJSON_Duplicate(k, 1));
    if (line_send(fd, msg) < 0)
        return ssh_fail(err, "internal", "burst-stagerd: %s", strerror(errno));
    return 0;
}

cJSON *stage_peer_answer(const char *line, struct ssh_error *err)
{
    cJSON *msg = json_parse(line, strlen(line), &err->e);
    const char *errclass = json_str(msg, "class", "io");

    if (msg && json_bool(msg, "ok", false))
        return msg;
    // What burst-stagerd forbids, another node would not change either.
    if (msg)
        ssh_fail(err,
                 strcmp(errclass, "limit") == 0   ? "limit"
                 : strcmp(errclass, "space") == 0 ? "space"
                                                  : "io",
                 "%s", json_str(msg, "error", "burst-stagerd gave no reason"));
    else
        err->errclass = "internal";
    cJSON_Delete(msg);
    return NULL;
}

// Byte by byte: the archive follows the line.
cJSON *stage_peer_header(int fd, struct ssh_error *err)
{
    char *line = xmalloc(HEADER_MAX);
    size_t len = 0;
    cJSON *msg = NULL;

    for (;;) {
        ssize_t n = read(fd, line + len, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || len == HEADER_MAX - 1) {
            ssh_fail(err, "internal", "burst-stagerd ended without an answer");
            break;
        }
        if (line[len] == '\n') {
            line[len] = '\0';
            msg = stage_peer_answer(line, err);
            break;
        }
        len++;
    }
    free(line);
    return msg;
}
