// SPDX-License-Identifier: GPL-3.0-or-later
// See gang.h.
#include "node/gang.h"

#include <stdio.h>
#include <string.h>

#include "node/instance_state.h"
#include "state/instances.h"

void gang_names(struct bjob *j, struct instance **g, unsigned n)
{
    char names[BJOB_NODE_NAMES_MAX] = "";
    size_t len = 0;

    for (unsigned k = 0; k < n && len < sizeof(names); k++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", k ? "," : "", g[k]->node);
    bjob_set(&j->node_names, names);
}

unsigned gang_collect(struct burstd *b, const struct bjob *j, struct instance **out, unsigned max)
{
    unsigned n = 0;

    INSTANCES_OF(b->instances, BY_JOB, j->key, i)
    if (i->state < INST_TERMINATING && n < max)
        out[n++] = i;
    return n;
}

unsigned gang_size(struct burstd *b, const struct bjob *j)
{
    struct instance *g[GANG_MAX];

    return gang_collect(b, j, g, GANG_MAX);
}

bool gang_fresh(const struct instance *i)
{
    return (i->state == INST_READY || i->state == INST_IDLE) && (i->flags & INST_F_STAGED_IN) &&
           !(i->flags & (INST_F_LOST | INST_F_OPDRAIN | INST_F_SUSPENDED)) && !i->notice_at;
}

// Left over from a place that did not work out, when its release could not be journaled.
void gang_drop_others(struct burstd *b, const struct bjob *j, struct instance **g, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        if (strcmp(g[k]->group, j->group) == 0)
            continue;
        instance_set_job(b->instances, g[k], "");
        g[k]->flags &= ~(unsigned)INST_F_STAGED_IN;
        instance_save(b, g[k]);
    }
    b->poke(b);
}

void gang_state(struct burstd *b, const struct bjob *j, enum inst_state from, enum inst_state to,
                unsigned set)
{
    struct instance *g[GANG_MAX];
    unsigned n = gang_collect(b, j, g, GANG_MAX);

    for (unsigned k = 0; k < n; k++) {
        g[k]->flags |= set;
        if (g[k]->state == from)
            instance_state(b, g[k], to, NULL);
        else
            instance_save(b, g[k]);
    }
}

// The job has left its nodes and its results are home.
void gang_free(struct burstd *b, const struct bjob *j)
{
    struct instance *g[GANG_MAX];
    unsigned n = gang_collect(b, j, g, GANG_MAX);

    for (unsigned k = 0; k < n; k++) {
        if ((g[k]->state == INST_BUSY || g[k]->state == INST_JOINED) &&
            instance_state(b, g[k], INST_IDLE, NULL) < 0)
            continue; // join_step() tries again
        g[k]->flags &= ~(unsigned)(INST_F_STAGED_IN | INST_F_STAGE_OUT | INST_F_SIGNALLED);
        instance_set_job(b->instances, g[k], "");
        instance_save(b, g[k]);
    }
}

// Slurm suspended an idle node in the moment in which we pointed the job at it.
bool gang_given_back(struct burstd *b, const struct bjob *j)
{
    struct instance *g[GANG_MAX];
    unsigned n = gang_collect(b, j, g, GANG_MAX);

    for (unsigned k = 0; k < n; k++)
        if (g[k]->flags & INST_F_SUSPENDED)
            return true;
    return false;
}
