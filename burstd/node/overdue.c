// SPDX-License-Identifier: GPL-3.0-or-later
// See overdue.h.
#include "node/overdue.h"

#include "base/conf.h"
#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "money/ledger.h"
#include "node/end.h"
#include "slurm/slurm_link.h"
#include "state/instances.h"

// Slurm is asked to power the node down, then it is ended whatever Slurm says.
#define ASK_MS (1000 * LEDGER_OVERDUE_S / 2)
#define END_MS (1000 * LEDGER_OVERDUE_S)

// Somebody else's job is on it (an operator may send one there by hand), as far as was heard last.
static bool in_use(struct burstd *b, const struct instance *i)
{
    const struct snode *n = slurm_link_node(b->slurm, i->node);

    return n && (n->flags & (SNODE_ALLOCATED | SNODE_COMPLETING));
}

static void ask(struct burstd *b, struct instance *i)
{
    cJSON *cmd = cJSON_CreateObject();

    log_warn("node %s is idle and Slurm does not power it down (SuspendTime, SuspendExcNodes?): "
             "asking it to",
             i->node);
    json_add_str(cmd, "op", "update_node");
    json_add_str(cmd, "nodes", i->node);
    json_add_str(cmd, "state", "power_down");
    json_add_str(cmd, "reason", "burst: idle for too long");
    slurm_link_command(b->slurm, cmd, NULL, NULL);
}

void overdue_step(struct burstd *b, struct instance *i)
{
    int64_t over = clock_mono_ms() - i->since_ms - 1000 * b->conf->node_idle_s;

    if (i->job[0] || over < ASK_MS || in_use(b, i))
        return;
    if (over >= END_MS) {
        instance_end(b, i, "idle, and Slurm does not give it back");
        return;
    }
    if (slurm_link_ready(b->slurm))
        ask(b, i);
    i->next_ms = clock_mono_ms() + END_MS - ASK_MS;
}
