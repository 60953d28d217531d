// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of the server, for rpc_*.c only: a connection, a request, the server.
#ifndef BURST_RPC_SERVER_INSIDE_H
#define BURST_RPC_SERVER_INSIDE_H

#include "rpc/rpc_server.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define CONNECTIONS_MAX 256
#define CONNECTIONS_OTHERS 192 // of all who are no operators, together
#define CONNECTIONS_USER 64    // of one of them
#define REQUEST_MAX (1u << 20)
#define UNREAD_MAX (8u << 20)
#define STALL_MS 30000
#define BACKLOG 128
#define BATCH 32 // requests of one connection in a row: others get their turn in between
#define GROUPS_MAX 1024
#define ERROR_MAX 16384

struct conn {
    struct rpc_server *s;
    uv_pipe_t pipe;
    uv_timer_t stall, again;
    int handles; // not yet closed
    struct ucred peer;
    char user[64];
    int operator_known; // generation of the configuration that `is_operator` is of, 0 = none
    bool is_operator;
    struct rpc_request *pending;
    struct strbuf in;
    size_t scanned; // bytes of `in` known to have no line end
    size_t queued;  // write queue at the last look of the stall timer
    bool processing, ending, eof, closing;
    struct conn *next;
};

struct rpc_request {
    struct rpc_server *s;
    struct conn *conn; // NULL: the client has gone
    cJSON *msg;
    cJSON *params; // inside msg, or `none`
    cJSON *none;
    const char *method;
    struct ucred peer;
    char user[64];
    void (*gone)(void *arg);
    void *gone_arg;
    struct rpc_request *prev, *next; // all that are not answered
};

struct rpc_server {
    uv_loop_t *loop;
    uv_pipe_t listener;
    char *path;
    dev_t dev;
    ino_t ino;
    const struct rpc_method *methods;
    const struct burst_conf *conf;
    int generation; // of conf
    void *arg;
    struct conn *conns;
    unsigned n_conns;
    struct rpc_request *requests;
    unsigned stall_ms;
    bool stopping;
    int handles; // listener and connections, not yet freed
    char buf[65536];
};

bool rpc_look_up_operator(const struct burst_conf *conf, const struct ucred *peer,
                          const char *user);
bool rpc_conn_is_operator(struct conn *c);
bool rpc_find_peer(struct conn *c);
void rpc_free_request(struct rpc_request *req);
char *rpc_answer_line(cJSON *answer, size_t *len);
cJSON *rpc_failure(const char *code, const char *error);
void rpc_send_answer(struct conn *c, cJSON *answer);
const struct rpc_method *rpc_find_method(const struct rpc_server *s, const char *name);
struct rpc_request *rpc_create_request(struct conn *c, cJSON *msg);
void rpc_release_server(struct rpc_server *s);
void rpc_close_conn(struct conn *c);
void rpc_close_if_done(struct conn *c);
// Takes line (a whole answer with its line end).
void rpc_send_line(struct conn *c, char *line, size_t len);
// Handles whole lines until one waits for its answer or others should have their turn.
void rpc_process(struct conn *c);
void rpc_on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf);
void rpc_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

#endif
