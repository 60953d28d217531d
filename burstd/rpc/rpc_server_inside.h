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

#include <uthash.h>
#include <utlist.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define REQUEST_MAX (1u << 20)
#define UNREAD_MAX (8u << 20)
#define STALL_MS 30000
#define BACKLOG 128
#define CONSUME_MIN 65536 // bytes of lines that were taken lie so long before the others move
#define PERSON_MS 10000   // a name and its rights are believed so long
#define GROUPS_MAX 1024
#define ERROR_MAX 16384

// Who is behind connections: one for each uid and gid, kept while it has connections and a little
// longer.
struct person {
    struct {
        uid_t uid;
        gid_t gid;
    } id;
    char name[64];
    bool is_operator;
    int generation; // of the configuration that this is of
    int64_t known_ms;
    unsigned conns;
    UT_hash_handle hh;
};

// What all connections of one uid have together.
struct user {
    uid_t uid;
    unsigned conns;
    uint64_t turn; // the last one in which a request of his was looked at
    UT_hash_handle hh;
};

enum pool {
    POOL_NONE, // sent away
    POOL_NEW,  // an operator's that has asked nothing yet
    POOL_HOOKS,
    POOL_OPERATORS,
    POOL_USERS,
    POOLS
};

struct conn {
    struct rpc_server *s;
    uv_pipe_t pipe;
    uv_timer_t stall;
    int handles; // not yet closed
    struct ucred peer;
    struct person *person;
    struct user *user;
    enum pool pool;
    struct rpc_request *pending;
    struct strbuf in;
    size_t start;   // bytes of `in` that were taken
    size_t scanned; // bytes of `in` known to have no line end
    size_t queued;  // write queue at the last look of the stall timer
    bool waiting;   // for its turn: has a whole line
    bool ending, eof, closing;
    struct conn *next;
    struct conn *turn_prev, *turn_next;
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
    void (*later)(void *arg, struct rpc_request *req); // in its user's turn
    void *later_arg;
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
    unsigned n_conns, in_pool[POOLS];
    struct rpc_limits limits;
    struct person *persons;
    struct user *users;
    uv_idle_t turns;      // runs while somebody waits for his turn
    struct conn *waiting; // in the order in which they came
    struct conn *cursor;  // the next one that is looked at in this turn
    uint64_t turn;
    struct rpc_request *requests;
    unsigned stall_ms;
    bool stopping;
    int handles; // listener and connections, not yet freed
    char buf[65536];
};

bool rpc_look_up_operator(const struct burst_conf *conf, const struct ucred *peer,
                          const char *user);
bool rpc_conn_is_operator(struct conn *c);
const char *rpc_conn_user(const struct conn *c);
// Learns who is there and counts him; rpc_forget_peer() takes it back.
bool rpc_find_peer(struct conn *c);
void rpc_forget_peer(struct conn *c);
void rpc_forget_all(struct rpc_server *s);
// Moves it into that pool.
void rpc_enter(struct conn *c, enum pool pool);
// Into the pool where new ones belong, or into none: false, there is no room.
bool rpc_admit(struct conn *c);
// It asks for this method: an operator's enters its pool. False: there is no room.
bool rpc_admit_method(struct conn *c, const struct rpc_method *m);
void rpc_free_request(struct rpc_request *req);
// With its line end; deletes answer.
char *rpc_answer_line(cJSON *answer);
cJSON *rpc_failure(const char *code, const char *error);
void rpc_send_answer(struct conn *c, cJSON *answer);
const struct rpc_method *rpc_find_method(const struct rpc_server *s, const char *name);
struct rpc_request *rpc_create_request(struct conn *c, cJSON *msg);
void rpc_release_server(struct rpc_server *s);
void rpc_close_conn(struct conn *c);
void rpc_close_if_done(struct conn *c);
// An answer in parts, none of them empty, with its line end; takes them and their array over.
void rpc_send(struct conn *c, struct rpc_part *part, size_t n);
void rpc_free_parts(struct rpc_part *part, size_t n);
// After its state has changed: waits for its turn if there is a whole line, or ends.
void rpc_go_on(struct conn *c);
void rpc_on_turn(uv_idle_t *turns);
void rpc_on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf);
void rpc_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

#endif
