// SPDX-License-Identifier: GPL-3.0-or-later
// See instance_call.h.
#include "node/instance_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "state/instances.h"

#define OUR_TRIES 5 // pauses of 1, 2, 4 and 8 s

void instance_call_init(struct instance_call *call, struct burstd *b, const struct instance *i)
{
    call->b = b;
    snprintf(call->instance, sizeof(call->instance), "%s", i->id);
}

struct instance_call *instance_call_create(struct burstd *b, const struct instance *i)
{
    struct instance_call *call = xmalloc(sizeof(*call));

    instance_call_init(call, b, i);
    return call;
}

struct instance *instance_called(const struct instance_call *call)
{
    return instances_find(call->b->instances, call->instance);
}

cJSON *ssh_request(struct burstd *b, const struct instance *i, const char *op)
{
    const struct cloud_conf *c = conf_find_cloud(b->conf, i->cloud);
    cJSON *r = cJSON_CreateObject();

    json_add_str(r, "op", op);
    json_add_str(r, "address", i->address);
    json_add_i64(r, "port", 22);
    json_add_str(r, "ssh_user", c ? c->ssh_user : b->conf->ssh_user);
    json_add_str(r, "key_file", b->conf->ssh_key);
    json_add_str(r, "host_key", i->host_key[0] ? i->host_key : NULL);
    json_add_i64(r, "timeout_s", 30);
    return r;
}

bool ssh_slot(const struct burstd *b, enum ssh_use use, uint32_t uid)
{
    return instances_ssh_free(b->instances, use, uid);
}

int instance_ssh_start(struct burstd *b, struct instance *i, enum ssh_use use, uint32_t uid,
                       cJSON *request, const struct ssh_op_callbacks *callbacks,
                       struct instance_call *call)
{
    burst_error_t err;

    i->ssh = ssh_op_start(b->loop, request, callbacks, call, &err);
    if (!i->ssh) {
        log_error("%s", err.text);
        free(call);
        return -1;
    }
    i->ssh_arg = call;
    instance_ssh_begun(b->instances, i, use, uid);
    return 0;
}

bool instance_call_ours(const char *errclass)
{
    return strcmp(errclass, SSH_OP_HELPER_DIED) == 0 || strcmp(errclass, "internal") == 0;
}

bool instance_ssh_again(struct instance *i, const char *errclass, const char *error)
{
    if (!instance_call_ours(errclass) || i->tries + 1 >= OUR_TRIES)
        return false;
    log_warn("instance %s: %s; the same again soon", i->id, error);
    i->next_ms = clock_mono_ms() + (INT64_C(1000) << i->tries);
    i->tries++;
    return true;
}

struct instance *instance_ssh_done(const struct instance_call *call)
{
    struct instance *i = instance_called(call);

    if (!i)
        return NULL; // its operation was cancelled with it
    instance_ssh_ended(call->b->instances, i);
    call->b->poke(call->b);
    return i;
}
