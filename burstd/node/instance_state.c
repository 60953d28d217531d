// SPDX-License-Identifier: GPL-3.0-or-later
// See instance_state.h.
#include "node/instance_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "money/ledger.h"
#include "state/instances.h"
#include "state/journal.h"
#include "state/store.h"

// One transaction: the seconds spent in the old state and the new state belong together.
static int journal_change(struct burstd *b, const struct state_change *c, int64_t now,
                          burst_error_t *errp)
{
    struct instance *i = c->i;

    if (ledger_cut(b, i, now, errp) < 0)
        return -1;
    if (c->reason)
        snprintf(i->reason, sizeof(i->reason), "%s", c->reason);
    i->state = c->state;
    i->since = now;
    i->idle_since = c->state == INST_IDLE || c->state == INST_READY ? now : 0;
    if (c->state == INST_GONE && ledger_close(b, i, errp) < 0)
        return -1;
    return store_put_instance(b->store, i, errp);
}

static void changed(const struct state_change *c, enum inst_state old)
{
    struct instance *i = c->i;

    if (c->state == old)
        return;
    log_info("instance %s (%s %s %s%s%s): %s -> %s%s%s", i->id, i->cloud,
             i->zone[0] ? i->zone : i->region, i->itype, i->node[0] ? ", " : "", i->node,
             inst_state_name(old), inst_state_name(c->state), c->reason ? ": " : "",
             c->reason ? i->reason : "");
    i->tries = 0;
    i->next_ms = 0;
    i->misses = 0;
    i->since_ms = clock_mono_ms();
    i->missing_ms = 0;
    i->absent = false;
}

static void take_back(struct instance *i, struct instance *old)
{
    old->hh = i->hh; // its places in the table's hashes are of now
    memcpy(old->in, i->in, sizeof(old->in));
    *i = *old;
}

int instances_state(struct burstd *b, const struct state_change *list, unsigned n)
{
    struct instance *old = xcalloc(n, sizeof(*old));
    int64_t now = clock_now_s();
    burst_error_t err;
    unsigned done = 0;
    int rc = store_begin(b->store, &err);
    bool begun = rc == 0;

    while (rc == 0 && done < n) {
        old[done] = *list[done].i;
        rc = journal_change(b, &list[done++], now, &err);
    }
    if (begun && rc < 0)
        store_rollback(b->store);
    else if (begun)
        rc = store_commit(b->store, &err);
    for (unsigned k = 0; rc == 0 && k < n; k++)
        changed(&list[k], old[k].state);
    if (rc < 0)
        journal_failed(b, "instance %s cannot change from %s to %s now: %s", list[0].i->id,
                       inst_state_name(done ? old[0].state : list[0].i->state),
                       inst_state_name(list[0].state), err.text);
    while (rc < 0 && done-- > 0)
        take_back(list[done].i, &old[done]);
    free(old);
    return rc;
}

int instance_state(struct burstd *b, struct instance *i, enum inst_state state, const char *fmt,
                   ...)
{
    char reason[sizeof(i->reason)];
    struct state_change c = {i, state, fmt ? reason : NULL};

    if (state == i->state && !fmt)
        return 0;
    if (fmt) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(reason, sizeof(reason), fmt, ap);
        va_end(ap);
    }
    return instances_state(b, &c, 1);
}
