// SPDX-License-Identifier: GPL-3.0-or-later
// See instances.h.
#include "state/instances.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "ssh/ssh_op.h"
#include "state/journal.h"
#include "state/store.h"

struct instances {
    struct burstd *b;
    struct instance *by_id;
};

struct instances *instances_create(struct burstd *b)
{
    struct instances *t = xmalloc(sizeof(*t));

    t->b = b;
    return t;
}

void instance_ssh_cancel(struct burstd *b, struct instance *i)
{
    if (!i->ssh)
        return;
    ssh_op_cancel(i->ssh);
    free(i->ssh_arg);
    i->ssh = NULL;
    i->ssh_arg = NULL;
    b->ssh_running--;
}

static void free_instance(struct burstd *b, struct instance *i)
{
    instance_ssh_cancel(b, i);
    free(i);
}

void instances_destroy(struct instances *t)
{
    if (!t)
        return;
    struct instance *i, *next;
    HASH_ITER(hh, t->by_id, i, next)
    {
        HASH_DEL(t->by_id, i);
        free_instance(t->b, i);
    }
    free(t);
}

void instances_add(struct instances *t, struct instance *i)
{
    i->since_ms = clock_mono_ms();
    HASH_ADD_STR(t->by_id, id, i);
}

struct instance *instances_find(struct instances *t, const char *id)
{
    struct instance *i;

    HASH_FIND_STR(t->by_id, id, i);
    return i;
}

bool instance_live(const struct instance *i)
{
    return i->state != INST_GONE;
}

struct instance *instances_by_node(struct instances *t, const char *node)
{
    for (struct instance *i = t->by_id; i; i = i->hh.next)
        if (instance_live(i) && i->state != INST_TERMINATING && strcmp(i->node, node) == 0)
            return i;
    return NULL;
}

struct instance *instances_by_cloud_id(struct instances *t, const char *cloud, const char *id)
{
    for (struct instance *i = t->by_id; i; i = i->hh.next)
        if (strcmp(i->cloud, cloud) == 0 && strcmp(i->cloud_id, id) == 0)
            return i;
    return NULL;
}

struct instance *instances_first(struct instances *t)
{
    return t->by_id;
}

unsigned instances_count(struct instances *t)
{
    return HASH_COUNT(t->by_id);
}

void instances_sweep(struct instances *t)
{
    struct instance *i, *next;

    HASH_ITER(hh, t->by_id, i, next)
    {
        if (i->state != INST_GONE || (i->failure.cls && !i->failure.read))
            continue;
        HASH_DEL(t->by_id, i);
        free_instance(t->b, i);
    }
}

int instance_save(struct burstd *b, struct instance *i)
{
    burst_error_t err;

    if (store_put_instance(b->store, i, &err) == 0)
        return 0;
    journal_failed(b, "%s", err.text);
    return -1;
}

void instance_failed(struct burstd *b, struct instance *i, enum failure_class cls,
                     enum failure_scope scope, const char *why)
{
    struct failure *f = &i->failure;

    if (!i->job[0] || f->cls)
        return;
    f->cls = cls;
    f->scope = scope;
    snprintf(f->job, sizeof(f->job), "%s", i->job);
    snprintf(f->why, sizeof(f->why), "%s", why);
    b->poke(b);
}
