// SPDX-License-Identifier: GPL-3.0-or-later
// See stray.h.
#include "node/stray.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/clouds.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "node/orphan.h"
#include "slurm/drain.h"
#include "slurm/slurm_link.h"
#include "state/instances.h"

#define STRAY_GRACE_MS 3000 // Slurm's table may be older than what we just did
#define STRAY_AGAIN_MS 10000

struct stray {
    char node[64];
    char why[200]; // Slurm's Reason for it
    int64_t act_ms;
    UT_hash_handle hh;
};

static struct stray *strays; // by name; only nodes that are out of order now

static void stray_command(struct burstd *b, const char *node, const char *state, const char *why)
{
    cJSON *cmd = cJSON_CreateObject();

    if (why)
        log_info("node %s has no instance behind it: setting it %s", node, state);
    json_add_str(cmd, "op", "update_node");
    json_add_str(cmd, "nodes", node);
    json_add_str(cmd, "state", state);
    json_add_str(cmd, "reason", why);
    slurm_link_command(b->slurm, cmd, NULL, NULL);
}

// Its last instance was drained by Slurm, and it has gone: the name serves the next one.
static bool drained_at_rest(struct burstd *b, const struct snode *n)
{
    return (n->flags & SNODE_POWERED_DOWN) && (n->flags & SNODE_DRAIN) &&
           !(n->flags & (SNODE_POWERING_UP | SNODE_POWERING_DOWN | SNODE_ALLOCATED)) &&
           !instances_by_node(b->instances, n->name) && drain_reason_is_slurms(n->reason);
}

static bool out_of_order(struct burstd *b, const struct snode *n)
{
    if (!(n->flags & SNODE_CLOUD) || conf_parse_node(b->conf, n->name, NULL, NULL, NULL) < 0)
        return false;
    struct instance *i = instances_by_node(b->instances, n->name);
    if (i && !(i->flags & INST_F_LOST))
        return false;
    if (n->flags & (SNODE_POWERING_DOWN | SNODE_POWER_DOWN))
        return false;
    if (drained_at_rest(b, n))
        return true;
    if ((n->flags & SNODE_POWERED_DOWN) && !(n->flags & (SNODE_DOWN | SNODE_POWERING_UP)))
        return false; // at rest (or just allocated: Slurm powers it up next)
    return true;
}

// The journal does not know what runs there (orphan.h), or no cloud has been asked yet: a node that
// works may be a stranger's.
static bool may_be_a_strangers(struct burstd *b, const struct snode *n)
{
    struct cloud *c;
    bool asked = true;

    if (n->flags & (SNODE_POWERING_UP | SNODE_DOWN | SNODE_NOT_RESPONDING | SNODE_POWERED_DOWN))
        return false;
    for (unsigned k = 0; (c = clouds_at(b->clouds, k)); k++)
        asked = asked && c->listed_once;
    return !asked || strangers_any();
}

// What its instance died of, for who looks at the node in Slurm. The instance is ended by then, but
// its row is still there: this is the look in which it was given up, or one soon after it.
static void remember_why(struct burstd *b, struct stray *s, const struct snode *n)
{
    const struct instance *last = NULL;

    INSTANCES_EACH(b->instances, i)
    if (strcmp(i->node, n->name) == 0 && (!last || i->launched > last->launched))
        last = i;
    if (last && last->failure.cls)
        snprintf(s->why, sizeof(s->why), "burst: %s: %.120s (%.48s)",
                 failure_class_name(last->failure.cls), last->failure.why, last->id);
    else
        snprintf(s->why, sizeof(s->why), "burst: %s",
                 n->flags & SNODE_POWERING_UP ? "no capacity was secured for this node"
                                              : "the instance behind this node is gone");
}

// DOWN before it is powered down keeps the reason in Slurm until the node's next start.
static void put_right(struct burstd *b, const struct snode *n, const char *why)
{
    if (drained_at_rest(b, n)) {
        log_info("node %s was drained by Slurm (%s); its instance has gone", n->name, n->reason);
        stray_command(b, n->name, "resume", NULL);
        return;
    }
    if (n->flags & SNODE_POWERING_UP) {
        stray_command(b, n->name, "power_down_force", why);
        return;
    }
    if (n->flags & (SNODE_ALLOCATED | SNODE_COMPLETING))
        stray_command(b, n->name, "down", why);
    stray_command(b, n->name, "power_down", why);
}

void stray_step(struct burstd *b)
{
    const struct snode *const *nodes;
    size_t n = slurm_link_nodes(b->slurm, &nodes);
    int64_t now = clock_mono_ms();

    if (!slurm_link_ready(b->slurm))
        return;
    for (size_t k = 0; k < n; k++) {
        struct stray *s;
        HASH_FIND_STR(strays, nodes[k]->name, s);
        if (!out_of_order(b, nodes[k]) || may_be_a_strangers(b, nodes[k])) {
            if (s) {
                HASH_DEL(strays, s);
                free(s);
            }
            continue;
        }
        if (!s) {
            // A node whose instance was just seen to die is acted on at once.
            s = xmalloc(sizeof(*s));
            snprintf(s->node, sizeof(s->node), "%s", nodes[k]->name);
            s->act_ms = now + STRAY_GRACE_MS;
            remember_why(b, s, nodes[k]);
            HASH_ADD_STR(strays, node, s);
        }
        if (now >= s->act_ms) {
            s->act_ms = now + STRAY_AGAIN_MS;
            put_right(b, nodes[k], s->why);
        }
    }
}
