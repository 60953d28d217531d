// SPDX-License-Identifier: GPL-3.0-or-later
// See idle.h.
#include "node/idle.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "libburst/clock.h"
#include "slurm/slurm_link.h"
#include "state/instances.h"
#include "state/journal.h"
#include "state/store.h"

// An idle one has run a job: whose, an older burstd did not write down.
static bool free_to_serve(const struct instance *i)
{
    return (i->state == INST_READY || (i->state == INST_IDLE && i->served)) && !i->job[0] &&
           !i->notice_at && !i->ssh && i->price != MONEY_UNKNOWN &&
           !(i->flags & (INST_F_OPDRAIN | INST_F_SUSPENDED | INST_F_LOST | INST_F_STAGE_OUT));
}

// Slurm may be about to take the node away, or have given it to somebody else.
static bool node_healthy(struct burstd *b, const struct instance *i)
{
    const struct snode *n = slurm_link_node(b->slurm, i->node);

    return i->state != INST_IDLE ||
           (n && (n->flags & SNODE_IDLE) &&
            !(n->flags & (SNODE_DOWN | SNODE_DRAIN | SNODE_NOT_RESPONDING | SNODE_POWERED_DOWN |
                          SNODE_POWERING_DOWN | SNODE_POWER_DOWN | SNODE_COMPLETING)));
}

static bool belongs(const struct instance *i, const struct idle_group *g)
{
    return strcmp(i->cloud, g->cloud) == 0 && strcmp(i->region, g->region) == 0 &&
           strcmp(i->zone, g->zone) == 0 && strcmp(i->itype, g->itype) == 0 &&
           strcmp(i->shape, g->shape) == 0 && strcmp(i->partition, g->partition) == 0 &&
           i->spot == g->spot && i->price == g->price && i->served == g->served;
}

bool idle_admits(const struct idle_group *g, const struct bjob *j)
{
    return !g->served || g->served == j->uid;
}

static int64_t paid_s(struct burstd *b, const struct instance *i)
{
    int64_t left = i->idle_since ? i->idle_since + b->conf->node_idle_s - clock_now_s() : 0;

    return left > 0 ? left : 0;
}

static void begin_group(struct idle_group *g, const struct instance *i, unsigned index)
{
    memset(g, 0, sizeof(*g));
    snprintf(g->name, sizeof(g->name), "idle-%u", index + 1);
    memcpy(g->cloud, i->cloud, sizeof(g->cloud));
    memcpy(g->region, i->region, sizeof(g->region));
    memcpy(g->zone, i->zone, sizeof(g->zone));
    memcpy(g->itype, i->itype, sizeof(g->itype));
    memcpy(g->shape, i->shape, sizeof(g->shape));
    memcpy(g->partition, i->partition, sizeof(g->partition));
    g->spot = i->spot;
    g->price = i->price;
    g->served = i->served;
    g->paid_s = INT64_MAX;
}

unsigned idle_find(struct burstd *b, struct idle_group groups[IDLE_GROUPS_MAX])
{
    unsigned n = 0, k;

    INSTANCES_EACH(b->instances, i)
    {
        if (!free_to_serve(i) || !conf_find_shape(b->conf, i->shape) ||
            !conf_find_cloud(b->conf, i->cloud) || !node_healthy(b, i))
            continue;
        for (k = 0; k < n && !belongs(i, &groups[k]); k++)
            ;
        if (k == IDLE_GROUPS_MAX)
            continue;
        if (k == n)
            begin_group(&groups[n++], i, k);
        groups[k].n++;
        int64_t paid = paid_s(b, i);
        if (paid < groups[k].paid_s)
            groups[k].paid_s = paid;
    }
    return n;
}

unsigned idle_members(struct burstd *b, const struct idle_group *g, struct instance **out,
                      unsigned want)
{
    unsigned n = 0;

    INSTANCES_EACH(b->instances, i)
    if (n < want && n < GANG_MAX && free_to_serve(i) && belongs(i, g) && node_healthy(b, i))
        out[n++] = i;
    return n;
}

static void point_at(struct bjob *j, const struct idle_group *g, unsigned n, money_t transfer)
{
    snprintf(j->cloud, sizeof(j->cloud), "%s", g->cloud);
    snprintf(j->region, sizeof(j->region), "%s", g->region);
    snprintf(j->zone, sizeof(j->zone), "%s", g->zone);
    snprintf(j->itype, sizeof(j->itype), "%s", g->itype);
    snprintf(j->shape, sizeof(j->shape), "%s", g->shape);
    snprintf(j->partition, sizeof(j->partition), "%s", g->partition);
    j->spot = g->spot;
    j->nodes = n;
    j->group[0] = '\0';
    j->node_names = ""; // the caller keeps what was there until this is journaled
    j->placed_at = j->started = j->ended = 0;
    j->price = g->price * n;
    j->transfer = transfer;
    j->state = JOB_SECURING;
    j->since = clock_now_s();
    j->since_ms = clock_mono_ms();
    snprintf(j->reason, sizeof(j->reason), "%u idle rented node%s of %s fit%s", n,
             n == 1 ? "" : "s", g->cloud, n == 1 ? "s" : "");
}

static void give(struct burstd *b, struct instance *i, const char *job)
{
    instance_set_job(b->instances, i, job);
    i->flags &= ~(unsigned)INST_F_STAGED_IN;
}

static int write_taking(struct burstd *b, const struct bjob *j, struct instance **node, unsigned n,
                        burst_error_t *errp)
{
    if (store_begin(b->store, errp) < 0)
        return -1;
    bool good = store_put_job(b->store, j, errp) == 0;
    for (unsigned k = 0; k < n && good; k++)
        good = store_put_instance(b->store, node[k], errp) == 0;
    if (!good)
        store_rollback(b->store);
    return good ? store_commit(b->store, errp) : -1;
}

bool idle_take(struct burstd *b, struct bjob *j, const struct idle_group *g, struct instance **node,
               unsigned n, money_t transfer)
{
    struct bjob old = *j;
    unsigned flags[GANG_MAX];
    burst_error_t err;

    point_at(j, g, n, transfer);
    j->stored = true;
    for (unsigned k = 0; k < n; k++) {
        flags[k] = node[k]->flags;
        give(b, node[k], j->key);
    }
    if (write_taking(b, j, node, n, &err) == 0) {
        bjob_set(&old.node_names, "");
        return true;
    }
    journal_failed(b, "%s", err.text);
    *j = old;
    for (unsigned k = 0; k < n; k++) {
        instance_set_job(b->instances, node[k], "");
        node[k]->flags = flags[k];
    }
    return false;
}
