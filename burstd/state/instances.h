// SPDX-License-Identifier: GPL-3.0-or-later
// The table of rented instances. Every change of state goes through instance_state(): it settles
// the ledger until now, writes the journal, then changes memory.
#ifndef BURST_INSTANCES_H
#define BURST_INSTANCES_H

#include "base/burstd.h"
#include "state/model.h"

struct instances *instances_create(struct burstd *b);
void instances_destroy(struct instances *t);

// Takes i over (loaded from the journal or new).
void instances_add(struct instances *t, struct instance *i);
struct instance *instances_find(struct instances *t, const char *id);
struct instance *instances_by_node(struct instances *t, const char *node); // live ones only
struct instance *instances_by_cloud_id(struct instances *t, const char *cloud, const char *id);
// First of all; next in INSTANCES_EACH. Instances are removed by instances_sweep() only.
struct instance *instances_first(struct instances *t);
unsigned instances_count(struct instances *t);

#define INSTANCES_EACH(t, i)                                                                       \
    for (struct instance *i = instances_first(t), *i##_next = i ? i->hh.next : NULL; i;            \
         i = i##_next, i##_next = i ? i->hh.next : NULL)

// Journals and enters a state (fmt may be NULL: no reason). -1 when the journal could not be
// written: nothing has changed then and the caller must not act.
int instance_state(struct burstd *b, struct instance *i, enum inst_state state, const char *fmt,
                   ...) __attribute__((format(printf, 4, 5)));
// Journals changed fields without a change of state.
int instance_save(struct burstd *b, struct instance *i);
// Stops the SSH operation that is under way, if any.
void instance_ssh_cancel(struct burstd *b, struct instance *i);
// True while it may cost money.
bool instance_live(const struct instance *i);
// Forgets the gone ones (the journal keeps them). At the end of a tick only: nobody holds a
// pointer.
void instances_sweep(struct instances *t);

#endif
