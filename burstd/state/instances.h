// SPDX-License-Identifier: GPL-3.0-or-later
// The table of rented instances. A change of state is more than a change here: see
// node/instance_state.h.
#ifndef BURST_INSTANCES_H
#define BURST_INSTANCES_H

#include "base/burstd.h"
#include "state/model.h"

struct instances *instances_create(struct burstd *b);
void instances_destroy(struct instances *t);

// Takes i over (loaded from the journal or new).
void instances_add(struct instances *t, struct instance *i);
struct instance *instances_find(struct instances *t, const char *id);
// The one behind this node name; not those that are ending.
struct instance *instances_by_node(struct instances *t, const char *node);
struct instance *instances_by_cloud_id(struct instances *t, const char *cloud, const char *id);

// Entered in the indexes at once; "" = none. Also of instances that are in no table yet. None of
// them journals.
void instance_set_node(struct instances *t, struct instance *i, const char *node);
void instance_set_job(struct instances *t, struct instance *i, const char *job);
void instance_set_cloud_id(struct instances *t, struct instance *i, const char *cloud_id);

// First of those with this text (also ""), in the order in which they got it; gone ones and ending
// ones are among them. Next in INSTANCES_OF, which bears that the present one gets another.
struct instance *instances_first_of(struct instances *t, enum instance_index index,
                                    const char *text);

#define INSTANCES_OF(t, index, text, i)                                                            \
    for (struct instance *i = instances_first_of(t, index, text),                                  \
                         *i##_next = i ? i->in[index].next : NULL;                                 \
         i; i = i##_next, i##_next = i ? i->in[index].next : NULL)

// First of all; next in INSTANCES_EACH. Instances are removed by instances_sweep() only.
struct instance *instances_first(struct instances *t);
unsigned instances_count(struct instances *t);

#define INSTANCES_EACH(t, i)                                                                       \
    for (struct instance *i = instances_first(t), *i##_next = i ? i->hh.next : NULL; i;            \
         i = i##_next, i##_next = i ? i->hh.next : NULL)

// Journals changed fields without a change of state. -1: the journal could not be written.
int instance_save(struct burstd *b, struct instance *i);
// Writes down why it serves its job no more, if it has one and nothing is written down yet, and has
// everything looked at soon. The caller journals it, with what becomes of the instance.
void instance_failed(struct burstd *b, struct instance *i, enum failure_class cls,
                     enum failure_scope scope, const char *why);
// Every instance is found by what it has now: nobody wrote a field past its setter. For tests.
bool instances_sound(struct instances *t);

// An SSH operation has begun (i->ssh and i->ssh_arg are its), or has ended: takes and gives back
// its slot.
void instance_ssh_begun(struct instances *t, struct instance *i, enum ssh_use use, uint32_t uid);
void instance_ssh_ended(struct instances *t, struct instance *i);
bool instances_ssh_free(const struct instances *t, enum ssh_use use, uint32_t uid);
// So many instances are waited for until their SSH answers.
unsigned instances_waited_for(const struct instances *t);
void instance_wait_begun(struct instances *t, struct instance *i, struct port_wait *w, void *arg);
void instance_wait_ended(struct instances *t, struct instance *i);
// Stops the SSH operation and the wait that are under way, if any.
void instance_ssh_cancel(struct burstd *b, struct instance *i);
// True while it may cost money.
bool instance_live(const struct instance *i);
// Forgets the gone ones (the journal keeps them) whose failure, if any, was read. At the end of a
// tick only: nobody holds a pointer.
void instances_sweep(struct instances *t);

#endif
