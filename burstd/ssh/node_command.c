// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/node_command.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"

#define NO_SPACE 28 // exit status of the node's scripts

// All that ever runs on a node, with and without sudo. No parameter is put in.
#define RUN_UNPACK                                                                                 \
    "umask 077; mkdir -p /run/burst-node && cd /run/burst-node && tar -xf - && "                   \
    "exec sh ./prepare.sh <params"
#define AS_ROOT(script) "sudo -n env SSH_CONNECTION=\"$SSH_CONNECTION\" sh -c '" script "'"
// 127 without a word: there is no such script.
#define FIND(file) "test -r /run/burst-node/" file " || exit 127; exec sh /run/burst-node/" file
#define SCRIPT(file)                                                                               \
    {                                                                                              \
        FIND(file), AS_ROOT(FIND(file))                                                            \
    }
static const char *const commands[][2] = {
    [SSH_OP_PREPARE] = {RUN_UNPACK, AS_ROOT(RUN_UNPACK)},
    [SSH_OP_JOIN] = SCRIPT("join.sh"),
    [SSH_OP_STAGE_IN] = SCRIPT("stage-in.sh"),
    [SSH_OP_STAGE_OUT] = SCRIPT("stage-out.sh"),
    [SSH_OP_CHECK] = SCRIPT("check.sh"),
    [SSH_OP_POWEROFF] = SCRIPT("poweroff.sh"),
    [SSH_OP_SIGNAL] = SCRIPT("signal.sh"),
};

static const char *command_of(const struct ssh_request *req)
{
    return commands[req->op][strcmp(req->user, "root") != 0];
}

static void tidy(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
        text[--len] = '\0';
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = *p == '\n' ? ';' : ' ';
}

const char *node_command_said(struct ssh_transfer *t)
{
    if (t->errors.len == 0)
        return "";
    tidy(t->errors.data);
    return t->errors.data;
}

static int command_failed(const struct ssh_request *req, struct ssh_transfer *t,
                          struct ssh_error *err)
{
    const char *text = node_command_said(t);

    if (t->status == 0)
        return 0;
    if (t->status == NO_SPACE)
        return ssh_fail(err, "space", "no space left on the node: %.300s", text);
    if (*text)
        return ssh_fail(err, "command", "%.400s", text);
    if (t->status == 127)
        return ssh_fail(err, "command",
                        "the node lacks the scripts of slurm-burst: was it not "
                        "prepared, or restarted since?");
    return ssh_fail(err, "command", "%s on the node ended with status %d and said nothing",
                    json_str(req->json, "op", ""), t->status);
}

int node_command_run(struct ssh_session *s, const struct ssh_request *req, struct ssh_transfer *t,
                     struct ssh_error *err)
{
    if (ssh_transfer_run(s, command_of(req), t, err) < 0)
        return -1;
    return command_failed(req, t, err);
}

int node_command_script(struct ssh_session *s, const struct ssh_request *req, const char *head,
                        size_t len, struct ssh_transfer *t, struct ssh_error *err)
{
    t->head = head;
    t->head_len = len;
    t->limit_s = req->command_s;
    return node_command_run(s, req, t, err);
}

char *node_command_answer(const struct ssh_transfer *t, const char *key)
{
    size_t klen = strlen(key);

    for (const char *p = t->out.len ? t->out.data : ""; *p;) {
        size_t len = strcspn(p, "\n");
        if (len > klen && strncmp(p, key, klen) == 0 && p[klen] == ' ' && len - klen < 256)
            return xasprintf("%.*s", (int)(len - klen - 1), p + klen + 1);
        p += len + (p[len] == '\n');
    }
    return NULL;
}
