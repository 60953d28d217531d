// SPDX-License-Identifier: GPL-3.0-or-later
// See free_names.h.
#include "node/free_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "libburst/hostlist.h"
#include "slurm/slurm_link.h"
#include "state/instances.h"
#include "state/model.h"

// As long as these last no job gets the node.
#define CLOSED (SNODE_DOWN | SNODE_DRAIN | SNODE_FAIL | SNODE_INVALID_REG)
#define KEPT_FOR_OTHERS (SNODE_RESERVED | SNODE_MAINT | SNODE_FUTURE)
#define IN_USE (SNODE_ALLOCATED | SNODE_COMPLETING | SNODE_POWERING_UP)
#define GOING (SNODE_POWER_DOWN | SNODE_POWERING_DOWN) // then it is open again

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void names_not_init(struct names_not *x, const char *expr)
{
    x->name = NULL;
    x->n = 0;
    if (!expr[0] || hostlist_expand(expr, &x->name, &x->n, NULL) < 0) {
        x->name = NULL;
        x->n = 0;
    }
    if (x->n)
        qsort(x->name, x->n, sizeof(*x->name), by_text);
}

void names_not_fini(struct names_not *x)
{
    if (x->name)
        hostlist_free(x->name);
    x->name = NULL;
    x->n = 0;
}

static bool excluded(const struct names_not *without, const char *name)
{
    return without && without->n &&
           bsearch(&name, without->name, without->n, sizeof(*without->name), by_text) != NULL;
}

static bool usable(const struct snode *n)
{
    if (!n || (n->flags & (IN_USE | KEPT_FOR_OTHERS)))
        return false;
    return !(n->flags & CLOSED) || (n->flags & GOING);
}

static bool free_now(const struct snode *n)
{
    return n && (n->flags & SNODE_POWERED_DOWN) && (n->flags & SNODE_IDLE) &&
           !(n->flags & (CLOSED | KEPT_FOR_OTHERS | IN_USE | GOING));
}

// Instances of this kind that will want a name.
static unsigned nameless(struct burstd *b, const struct cloud_conf *c, const struct shape_conf *s)
{
    unsigned n = 0;

    INSTANCES_OF(b->instances, BY_NODE, "", i)
    n += i->state < INST_TERMINATING && strcmp(i->cloud, c->name) == 0 &&
         strcmp(i->shape, s->name) == 0;
    return n;
}

unsigned free_names_room(struct burstd *b, const struct cloud_conf *c, const struct shape_conf *s,
                         const struct names_not *without)
{
    unsigned open = 0, wanted = nameless(b, c, s);
    char name[CONF_NODE_NAME_MAX];

    for (unsigned k = 1; k <= s->nodes; k++)
        open += conf_node_name(c, s, k, name, NULL) == 0 && !excluded(without, name) &&
                usable(slurm_link_node(b->slurm, name)) && !instances_by_node(b->instances, name);
    return open > wanted ? open - wanted : 0;
}

bool free_names_find(struct burstd *b, const struct cloud_conf *c, const struct shape_conf *s,
                     const struct names_not *without, char *out, size_t size)
{
    char name[CONF_NODE_NAME_MAX];

    for (unsigned k = 1; k <= s->nodes; k++) {
        if (conf_node_name(c, s, k, name, NULL) == 0 && !excluded(without, name) &&
            free_now(slurm_link_node(b->slurm, name)) && !instances_by_node(b->instances, name)) {
            snprintf(out, size, "%s", name);
            return true;
        }
    }
    return false;
}
