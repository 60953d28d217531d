// SPDX-License-Identifier: GPL-3.0-or-later
// See provision.h.
#include "node/provision.h"

#include "libburst/clock.h"
#include "node/boot.h"
#include "node/end.h"
#include "node/launch.h"
#include "node/overdue.h"
#include "state/instances.h"

static const struct {
    enum inst_state state;
    void (*action)(struct burstd *b, struct instance *i);
} actions[] = {
    {INST_LAUNCHING, launch_step}, {INST_LAUNCHED, boot_launched}, {INST_UP, boot_up},
    {INST_READY, boot_ready},      {INST_IDLE, overdue_step},      {INST_TERMINATING, end_step},
};

void provision_step(struct burstd *b)
{
    int64_t now = clock_mono_ms();

    INSTANCES_EACH(b->instances, i)
    {
        if (now < i->next_ms)
            continue;
        for (size_t k = 0; k < sizeof(actions) / sizeof(actions[0]); k++)
            if (actions[k].state == i->state) {
                actions[k].action(b, i);
                break;
            }
    }
}
