// SPDX-License-Identifier: GPL-3.0-or-later
// See instance_state.h.
#include "node/instance_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "libburst/clock.h"
#include "money/ledger.h"
#include "state/instances.h"
#include "state/journal.h"
#include "state/store.h"

int instance_state(struct burstd *b, struct instance *i, enum inst_state state, const char *fmt,
                   ...)
{
    struct instance old = *i;
    int64_t now = clock_now_s();
    burst_error_t err;

    if (state == i->state && !fmt)
        return 0;
    if (fmt) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(i->reason, sizeof(i->reason), fmt, ap);
        va_end(ap);
    }
    // One transaction: the seconds spent in the old state and the new state belong together.
    if (store_begin(b->store, &err) < 0)
        goto error;
    if (ledger_cut(b, i, now, &err) < 0)
        goto rollback;
    i->state = state;
    i->since = now;
    i->idle_since = state == INST_IDLE || state == INST_READY ? now : 0;
    if (state == INST_GONE && ledger_close(b, i, &err) < 0)
        goto rollback;
    if (store_put_instance(b->store, i, &err) < 0)
        goto rollback;
    if (store_commit(b->store, &err) < 0)
        goto error;
    if (state != old.state) {
        log_info("instance %s (%s %s %s%s%s): %s -> %s%s%s", i->id, i->cloud,
                 i->zone[0] ? i->zone : i->region, i->itype, i->node[0] ? ", " : "", i->node,
                 inst_state_name(old.state), inst_state_name(state), fmt ? ": " : "",
                 fmt ? i->reason : "");
        i->tries = 0;
        i->next_ms = 0;
        i->misses = 0;
        i->since_ms = clock_mono_ms();
        i->missing_ms = 0;
        i->absent = false;
    }
    return 0;
rollback:
    store_rollback(b->store);
error:
    journal_failed(b, "instance %s cannot change from %s to %s now: %s", old.id,
                   inst_state_name(old.state), inst_state_name(state), err.text);
    old.hh = i->hh; // its places in the table's hashes are of now
    memcpy(old.in, i->in, sizeof(old.in));
    *i = old;
    return -1;
}
