// SPDX-License-Identifier: GPL-3.0-or-later
// See instance_call.h.
#include "node/instance_call.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "libburst/xalloc.h"
#include "state/instances.h"

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

int instance_ssh_start(struct burstd *b, struct instance *i, cJSON *request,
                       const struct ssh_op_callbacks *callbacks, struct instance_call *call)
{
    burst_error_t err;

    i->ssh = ssh_op_start(b->loop, request, callbacks, call, &err);
    if (!i->ssh) {
        log_error("%s", err.text);
        free(call);
        return -1;
    }
    i->ssh_arg = call;
    b->ssh_running++;
    return 0;
}

struct instance *instance_ssh_done(const struct instance_call *call)
{
    struct instance *i = instance_called(call);

    call->b->ssh_running--;
    if (!i)
        return NULL;
    i->ssh = NULL;
    i->ssh_arg = NULL;
    call->b->poke(call->b);
    return i;
}
