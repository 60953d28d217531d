// SPDX-License-Identifier: GPL-3.0-or-later
// See end.h.
#include "node/end.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cloud/clouds.h"
#include "cloud/observed.h"
#include "libburst/clock.h"
#include "node/instance_call.h"
#include "node/instance_state.h"
#include "state/instances.h"

#define TERMINATE_AGAIN_MS 10000

void instance_end(struct burstd *b, struct instance *i, const char *reason)
{
    if (i->state >= INST_TERMINATING)
        return;
    if ((i->flags & INST_F_STAGE_OUT) && !(i->flags & INST_F_LOST))
        return; // results first; asked again when they are home
    if (i->state == INST_LAUNCHING)
        return; // its launch tells first what exists
    instance_ssh_cancel(b, i);
    instance_state(b, i, INST_TERMINATING, "%s", reason);
    b->poke(b);
}

void gang_release(struct burstd *b, const struct bjob *j, const char *reason)
{
    INSTANCES_OF(b->instances, BY_JOB, j->key, i)
    {
        if (i->state > INST_BOUND && i->state != INST_IDLE)
            continue;
        if (i->state == INST_BOUND && (i->flags & INST_F_RESUMED))
            continue; // Slurm boots its node: it becomes idle there and goes with it
        if (i->state == INST_BOUND) {
            instance_set_node(b->instances, i,
                              ""); // if it cannot be journaled, join_step() tries again
            instance_state(b, i, INST_READY, "%s", reason);
        }
        instance_ssh_cancel(b, i);
        if (i->flags & (INST_F_BOOT_FAILED | INST_F_OPDRAIN))
            instance_end(b, i, reason);
        if (i->state < INST_TERMINATING) {
            instance_set_job(b->instances, i, "");
            i->flags &= ~(unsigned)INST_F_STAGED_IN;
            i->idle_since = clock_now_s();
            instance_save(b, i);
        }
    }
}

void instance_gone(struct burstd *b, struct instance *i, int64_t ended)
{
    i->ended = ended;
    observed_until(b->observed, i, ended);
    if (instance_state(b, i, INST_GONE, NULL) < 0)
        return;
    b->poke(b);
}

static void on_terminate(void *arg, const struct provider_result *r)
{
    struct instance_call *call = arg;
    struct burstd *b = call->b;
    struct instance *i = instance_called(call);
    struct cloud *c;

    free(call);
    if (!i)
        return;
    i->calling = false;
    c = clouds_find(b->clouds, i->cloud);
    i->next_ms = clock_mono_ms() + TERMINATE_AGAIN_MS;
    if (r->error == PROVIDER_OK || r->error == PROVIDER_NOT_FOUND) {
        if (r->n == 1 && r->instances[0].state == PROVIDER_TERMINATED && r->instances[0].ended_at) {
            instance_gone(b, i, r->instances[0].ended_at);
            return;
        }
        cloud_list_soon(c);
    } else {
        log_warn("instance %s: the end was not accepted (%s: %s); asking again", i->id,
                 provider_class_name(r->error), r->message);
    }
    b->poke(b);
}

void end_step(struct burstd *b, struct instance *i)
{
    struct cloud *c = clouds_find(b->clouds, i->cloud);

    if (i->calling)
        return;
    if (!i->cloud_id[0]) { // its launch was given up without a clear answer
        if (!c)
            instance_gone(b, i, 0);
        return;
    }
    if (!c) {
        if (i->tries++ == 0)
            log_error("instance %s belongs to cloud %s, which is not configured any more: end it "
                      "there by hand (id %s) or put the cloud back into the configuration",
                      i->id, i->cloud, i->cloud_id);
        i->next_ms = clock_mono_ms() + 60000;
        return;
    }
    i->calling = true;
    c->ops->terminate(c->provider, i->cloud_id, i->region, on_terminate,
                      instance_call_create(b, i));
}
