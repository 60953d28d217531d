// SPDX-License-Identifier: GPL-3.0-or-later
// Every change of an instance's state: settles the ledger until now, writes the journal, then
// changes memory.
#ifndef BURST_INSTANCE_STATE_H
#define BURST_INSTANCE_STATE_H

#include "base/burstd.h"
#include "state/model.h"

// Journals and enters a state (fmt may be NULL: no reason). -1 when the journal could not be
// written: nothing has changed then and the caller must not act.
int instance_state(struct burstd *b, struct instance *i, enum inst_state state, const char *fmt,
                   ...) __attribute__((format(printf, 4, 5)));

struct state_change {
    struct instance *i;
    enum inst_state state;
    const char *reason; // NULL: the one that it has stays
};
// All of them in one transaction, in their order, or none: an instance may be there twice.
int instances_state(struct burstd *b, const struct state_change *list, unsigned n);

#endif
