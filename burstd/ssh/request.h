// SPDX-License-Identifier: GPL-3.0-or-later
// The request line of burst-ssh (internals, section 7): checked field by field, and the parameter
// lines that the node's scripts get from it. Pure: no file, no network.
//
// Everything in a request that comes from users (names, paths) goes to the node as a line of data
// on standard input; what could not be such a line (control characters) is refused here.
#ifndef BURST_SSH_REQUEST_H
#define BURST_SSH_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "libburst/strbuf.h"

enum ssh_op_kind {
    SSH_OP_PREPARE,
    SSH_OP_JOIN,
    SSH_OP_STAGE_IN,
    SSH_OP_STAGE_OUT,
    SSH_OP_CHECK,
    SSH_OP_POWEROFF,
    SSH_OP_SIGNAL,
};

struct ssh_request {
    const cJSON *json; // borrowed, and so are the strings
    enum ssh_op_kind op;
    const char *address;
    int port;
    const char *user;
    const char *key_file;
    const char *host_key;     // NULL: accept and report
    int64_t timeout_s;        // until SSH answers; 1 to 3600, default 120
    int64_t auth_timeout_s;   // how long a refused key is tried again (cloud-init may be late)
    int64_t command_s;        // a script of prepare, join, ...: default 60
    int64_t idle_s;           // a transfer without a byte for so long has failed; default 600
    const char *conf_on_node; // slurm_conf_on_node; NULL: what prepare was told, else /etc/slurm
};

// Name of an op or -1.
int ssh_op_kind(const char *name);

// Checks all fields that the op needs. -1 names the field and what would be right.
int ssh_request_parse(const cJSON *json, struct ssh_request *out, burst_error_t *errp);

// SlurmUser as the node must know it.
struct ssh_slurm_user {
    const char *name;
    uint32_t uid, gid;
};

// Appends the parameter lines of the op's script, closed by "end". slurm_user is for prepare (NULL:
// SlurmUser is root). places is for stage_in: the directories that the node must have, as
// burst-stagerd reports them (stage_places.h); archive: a tar stream follows.
int ssh_request_params(const struct ssh_request *req, const struct ssh_slurm_user *slurm_user,
                       const cJSON *places, bool archive, struct strbuf *out, burst_error_t *errp);

#endif
