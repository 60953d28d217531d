// SPDX-License-Identifier: GPL-3.0-or-later
// See instances.h.
#include "state/instances.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "ssh/port_wait.h"
#include "ssh/ssh_op.h"
#include "state/journal.h"
#include "state/store.h"

// Instances that have the same text in one of their indexed fields.
struct instances_alike {
    struct instance *first; // list over in[index]
    UT_hash_handle hh;
    char text[];
};

struct instances {
    struct burstd *b;
    struct instance *by_id;
    struct instances_alike *alike[INSTANCE_INDEXES]; // by text
    struct ssh_slots ssh;
    unsigned waited_for;
};

struct instances *instances_create(struct burstd *b)
{
    struct instances *t = xmalloc(sizeof(*t));

    t->b = b;
    return t;
}

// ---- SSH

bool instances_ssh_free(const struct instances *t, enum ssh_use use, uint32_t uid)
{
    return ssh_slots_free(&t->ssh, use, uid);
}

void instance_ssh_begun(struct instances *t, struct instance *i, enum ssh_use use, uint32_t uid)
{
    i->ssh_use = use;
    i->ssh_uid = uid;
    ssh_slots_take(&t->ssh, use, uid);
}

void instance_ssh_ended(struct instances *t, struct instance *i)
{
    ssh_slots_give(&t->ssh, i->ssh_use, i->ssh_uid);
    i->ssh = NULL;
    i->ssh_arg = NULL;
}

unsigned instances_waited_for(const struct instances *t)
{
    return t->waited_for;
}

void instance_wait_begun(struct instances *t, struct instance *i, struct port_wait *w, void *arg)
{
    i->port = w;
    i->port_arg = arg;
    t->waited_for++;
}

void instance_wait_ended(struct instances *t, struct instance *i)
{
    i->port = NULL;
    i->port_arg = NULL;
    t->waited_for--;
}

void instance_ssh_cancel(struct burstd *b, struct instance *i)
{
    if (i->ssh) {
        ssh_op_cancel(i->ssh);
        free(i->ssh_arg);
        instance_ssh_ended(b->instances, i);
    }
    if (i->port) {
        port_wait_cancel(i->port);
        free(i->port_arg);
        instance_wait_ended(b->instances, i);
    }
}

// ---- indexes

static const char *text_of(const struct instance *i, enum instance_index index)
{
    return index == BY_NODE ? i->node : index == BY_JOB ? i->job : i->cloud_id;
}

static void enter(struct instances *t, struct instance *i, enum instance_index index)
{
    const char *text = text_of(i, index);
    size_t len = strlen(text);
    struct instances_alike *a;

    HASH_FIND(hh, t->alike[index], text, len, a);
    if (!a) {
        a = xmalloc(sizeof(*a) + len + 1);
        memcpy(a->text, text, len + 1);
        HASH_ADD_KEYPTR(hh, t->alike[index], a->text, len, a);
    }
    i->in[index].alike = a;
    DL_APPEND2(a->first, i, in[index].prev, in[index].next);
}

static void leave(struct instances *t, struct instance *i, enum instance_index index)
{
    struct instances_alike *a = i->in[index].alike;

    DL_DELETE2(a->first, i, in[index].prev, in[index].next);
    i->in[index].alike = NULL;
    i->in[index].next = NULL; // who walks over it has seen the last one
    if (a->first)
        return;
    HASH_DEL(t->alike[index], a);
    free(a);
}

static void set_text(struct instances *t, struct instance *i, enum instance_index index,
                     char *field, size_t size, const char *text)
{
    bool entered = i->in[index].alike != NULL;

    if (strcmp(field, text) == 0)
        return;
    if (entered)
        leave(t, i, index);
    snprintf(field, size, "%s", text);
    if (entered)
        enter(t, i, index);
}

void instance_set_node(struct instances *t, struct instance *i, const char *node)
{
    set_text(t, i, BY_NODE, i->node, sizeof(i->node), node);
}

void instance_set_job(struct instances *t, struct instance *i, const char *job)
{
    set_text(t, i, BY_JOB, i->job, sizeof(i->job), job);
}

void instance_set_cloud_id(struct instances *t, struct instance *i, const char *cloud_id)
{
    set_text(t, i, BY_CLOUD_ID, i->cloud_id, sizeof(i->cloud_id), cloud_id);
}

struct instance *instances_first_of(struct instances *t, enum instance_index index,
                                    const char *text)
{
    struct instances_alike *a;

    HASH_FIND(hh, t->alike[index], text, strlen(text), a);
    return a ? a->first : NULL;
}

bool instances_sound(struct instances *t)
{
    INSTANCES_EACH(t, i)
    for (int k = 0; k < INSTANCE_INDEXES; k++)
        if (strcmp(i->in[k].alike->text, text_of(i, (enum instance_index)k)) != 0)
            return false;
    return true;
}

// ---- the table

static void forget(struct instances *t, struct instance *i)
{
    for (int k = 0; k < INSTANCE_INDEXES; k++)
        leave(t, i, (enum instance_index)k);
    HASH_DEL(t->by_id, i);
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
        forget(t, i);
        free_instance(t->b, i);
    }
    free(t);
}

void instances_add(struct instances *t, struct instance *i)
{
    i->since_ms = clock_mono_ms();
    HASH_ADD_STR(t->by_id, id, i);
    for (int k = 0; k < INSTANCE_INDEXES; k++)
        enter(t, i, (enum instance_index)k);
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
    INSTANCES_OF(t, BY_NODE, node, i)
    if (i->state < INST_TERMINATING)
        return i;
    return NULL;
}

struct instance *instances_by_cloud_id(struct instances *t, const char *cloud, const char *id)
{
    INSTANCES_OF(t, BY_CLOUD_ID, id, i)
    if (strcmp(i->cloud, cloud) == 0)
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
        forget(t, i);
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
