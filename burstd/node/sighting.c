// SPDX-License-Identifier: GPL-3.0-or-later
// See sighting.h.
#include "node/sighting.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "cloud/observed.h"
#include "libburst/clock.h"
#include "node/instance_state.h"
#include "node/preempt.h"
#include "node/purchase.h"
#include "state/instances.h"

static void exists(struct burstd *b, struct instance *i, const struct provider_instance *p)
{
    instance_set_cloud_id(b->instances, i, p->id);
    i->launched = i->charged_to = p->launched_at ? p->launched_at : clock_now_s();
    purchase_price(b, i, p);
}

bool sighting_facts(struct instance *i, const struct provider_instance *p)
{
    bool changed = false;

    if (p->address[0] && strcmp(i->address, p->address) != 0) {
        snprintf(i->address, sizeof(i->address), "%s", p->address);
        changed = true;
    }
    if (p->host_key[0] && !i->host_key[0]) {
        snprintf(i->host_key, sizeof(i->host_key), "%s", p->host_key);
        changed = true;
    }
    if (p->preempted && !(i->flags & INST_F_PREEMPTED)) {
        i->flags |= INST_F_PREEMPTED;
        changed = true;
    }
    return changed;
}

// An address is enough: burst-ssh waits for the rest of the boot, and sees its end first.
bool sighting_is_up(const struct instance *i, const struct provider_instance *p)
{
    return p->state <= PROVIDER_RUNNING && i->address[0];
}

void sighting(struct burstd *b, struct instance *i, const struct provider_instance *p)
{
    bool changed = false;

    if (i->state == INST_TERMINATING && !i->cloud_id[0]) { // given up, and came true all the same
        exists(b, i, p);
        changed = true;
    }
    if (i->state == INST_LAUNCHING) { // the reply was lost, the listing tells
        exists(b, i, p);
        if (instance_state(b, i, INST_LAUNCHED, NULL) < 0)
            return;
        purchase_told(b, i);
        observed_granted(b->observed, i->cloud, i->region, i->zone, i->itype, i->spot);
    }
    changed |= sighting_facts(i, p);
    if (changed)
        instance_save(b, i);
    if (i->state == INST_LAUNCHED && sighting_is_up(i, p))
        instance_state(b, i, INST_UP, NULL);
    if (p->notice_at && i->state < INST_TERMINATING)
        preempt_notice(b, i, p->notice_at);
}
