// SPDX-License-Identifier: GPL-3.0-or-later
// The answering side of burstd's RPC (docs/design/internals.md, section 5): one JSON request a
// line, one JSON answer a line, on RUNDIR/burstd.sock. Anybody may connect (mode 0666); who asks is
// what the kernel says about the peer, never what the request says.
//
// The requests of one connection are answered in their order, one after the other: the next line is
// looked at once the one before it has its answer. In one turn of the loop each user has one
// request looked at, whatever his number of connections: what else the loop has to do comes in
// between.
//
// Limits: connections are counted in three pools (struct rpc_limits); who finds his full gets
// `busy` and is closed. 1 MiB a request. A peer that lets more than 8 MiB of answers pile up, or
// reads nothing of its answer for 30 s, is dropped. A line that is no request gets `invalid` and
// ends the connection.
#ifndef BURST_RPC_SERVER_H
#define BURST_RPC_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include <cjson/cJSON.h>
#include <uv.h>

#include "libburst/error.h"

struct burst_conf;
struct rpc_server;
struct rpc_request;

// Answers now or later, exactly once, with rpc_reply() or rpc_fail(). arg is the server's.
typedef void (*rpc_handler)(void *arg, struct rpc_request *req);

struct rpc_method {
    const char *name; // NULL ends the table
    rpc_handler handler;
    bool needs_operator; // others get `denied` without the handler being called
    bool waits;          // the answer may take minutes: its connection counts among the hooks'
};

// How many connections there may be. A pool that is full takes nothing from the others: prologs and
// epilogs that wait keep no operator out, and users keep out neither.
struct rpc_limits {
    unsigned hooks;     // on which an operator (hooks are SlurmUser's) asked what waits
    unsigned operators; // all others of operators
    unsigned users;     // of everybody else together
    unsigned user;      // of one of them
};
// For a process that may have `files` open descriptors: half of them, in all pools together.
struct rpc_limits rpc_limits_for(unsigned long files);

// Listens at path. A socket file that nobody listens at is removed first; one with a living daemon
// behind it, and anything that is no socket, is an error. methods and conf are borrowed; conf says
// who is an operator (rpc_server_set_conf() after a reload). The limits are those for the
// descriptors that this process may have now (RLIMIT_NOFILE). NULL on error.
struct rpc_server *rpc_server_create(uv_loop_t *loop, const char *path,
                                     const struct rpc_method *methods,
                                     const struct burst_conf *conf, void *arg, burst_error_t *errp);
void rpc_server_set_conf(struct rpc_server *s, const struct burst_conf *conf);

// Stops listening and removes the socket file. Requests that still wait are failed with `busy`
// ("burstd is stopping") and freed; their gone callbacks are not called, and the holders must not
// answer them any more. NULL is allowed. Memory is freed once the loop has run its close callbacks.
void rpc_server_destroy(struct rpc_server *s);

// How long a peer may read nothing of its answer; for tests.
void rpc_server_set_stall_ms(struct rpc_server *s, unsigned ms);

// Of connections that come from now on; for tests.
void rpc_server_set_limits(struct rpc_server *s, const struct rpc_limits *limits);

unsigned rpc_server_connections(const struct rpc_server *s);

// --- a request; all pointers are borrowed until it is answered
//
// A user's name and whether he is an operator are asked for (name service, getgrouplist) at most
// each ten seconds.

const char *rpc_method_name(const struct rpc_request *req);
const cJSON *rpc_params(const struct rpc_request *req); // always an object, {} when none were sent
uid_t rpc_uid(const struct rpc_request *req);
gid_t rpc_gid(const struct rpc_request *req);
pid_t rpc_pid(const struct rpc_request *req);
const char *rpc_user(const struct rpc_request *req); // account name, "" when the uid has none
bool rpc_is_operator(const struct rpc_request *req);
// Operator, or the job's owner.
bool rpc_may_see(const struct rpc_request *req, uid_t owner);

// The client has gone: nobody will read the answer. It must be given all the same (that frees it).
bool rpc_client_gone(const struct rpc_request *req);
// Calls gone(gone_arg) when the client goes before it was answered, so that who keeps the request
// can drop it: by rpc_fail() or rpc_reply(), also from inside the callback.
void rpc_on_gone(struct rpc_request *req, void (*gone)(void *gone_arg), void *gone_arg);

// What is long is answered in parts of a millisecond or two: calls go_on(arg, req) in a later turn
// of its user, instead of a request that he sends next. Not again when the client has gone.
void rpc_go_on_later(struct rpc_request *req, void (*go_on)(void *arg, struct rpc_request *req),
                     void *arg);

// All four free the request. result is taken over; NULL gives null.
void rpc_reply(struct rpc_request *req, cJSON *result);
// json: one value in JSON, without a line end, len bytes long; taken over.
void rpc_reply_text(struct rpc_request *req, char *json, size_t len);
// The same in n parts, none of them empty: what is long is never copied together, nor measured.
// Takes their texts over, not the array.
struct rpc_part {
    char *text;
    size_t len;
};
void rpc_reply_parts(struct rpc_request *req, const struct rpc_part *json, size_t n);
// code: denied not_found invalid busy internal.
void rpc_fail(struct rpc_request *req, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
