// SPDX-License-Identifier: GPL-3.0-or-later
// The end of instances, asked for, foretold or suffered (fleet.h).
#include "localcloud/fleet_inside.h"

void fleet_ended(struct fleet *f, struct instance *i)
{
    if (!i->reason)
        i->reason = xstrdup("died");
    i->state = INSTANCE_TERMINATED;
    i->ended_at = fleet_now_s(f);
    i->cut = false;
    f->ops->discard(f->ctx, i);
    fleet_save(f, i);
    log_info("%s %s: ended (%s) after %" PRId64 " s", i->cloud, i->id, i->reason,
             instance_seconds(i, i->ended_at));
}

void fleet_stop(struct fleet *f, struct instance *i, const char *reason)
{
    i->state = INSTANCE_STOPPING;
    xstrset(&i->reason, reason);
    i->kill_at_ms = fleet_now_ms(f) + FLEET_STOP_GRACE_MS;
    fleet_save(f, i);
    f->ops->signal(f->ctx, i, SIGTERM);
}

void fleet_terminate(struct fleet *f, struct instance *i)
{
    if (i->state == INSTANCE_PENDING || i->state == INSTANCE_RUNNING)
        fleet_stop(f, i, "user");
}

void fleet_terminate_all(struct fleet *f)
{
    for (size_t k = 0; k < f->n; k++)
        fleet_terminate(f, f->list[k]);
}

static int need_alive(const struct instance *i, struct fleet_error *err)
{
    if (i->state == INSTANCE_PENDING || i->state == INSTANCE_RUNNING)
        return 0;
    return fleet_fail(err, 400, "InvalidParameter", "%s is %s", i->id,
                      instance_state_name(i->state));
}

int fleet_preempt(struct fleet *f, struct instance *i, int64_t notice_s, struct fleet_error *err)
{
    if (need_alive(i, err) < 0)
        return -1;
    if (!i->spot)
        return fleet_fail(err, 400, "InvalidParameter", "%s is on-demand: only spot is taken back",
                          i->id);
    if (notice_s < 0 || notice_s > MAX_NOTICE_S)
        return fleet_fail(err, 400, "InvalidParameter", "notice_s: 0 to %d", MAX_NOTICE_S);
    i->notice_at = fleet_now_s(f) + notice_s;
    if (notice_s == 0)
        fleet_stop(f, i, "preempted");
    else
        fleet_save(f, i);
    log_info("%s %s: taken back in %" PRId64 " s", i->cloud, i->id, notice_s);
    return 0;
}

int fleet_kill(struct fleet *f, struct instance *i, struct fleet_error *err)
{
    if (need_alive(i, err) < 0)
        return -1;
    f->ops->signal(f->ctx, i, SIGKILL); // its end is seen as that of one that died
    return 0;
}

int fleet_cut(struct fleet *f, struct instance *i, bool cut, struct fleet_error *err)
{
    burst_error_t why;

    if (need_alive(i, err) < 0)
        return -1;
    if (f->ops->cut(f->ctx, i, cut, &why) < 0)
        return fleet_fail(err, 500, "Internal", "%s", why.text);
    i->cut = cut;
    fleet_save(f, i);
    return 0;
}

void fleet_event(void *arg, struct instance *i, enum machine_event event, const char *text)
{
    struct fleet *f = arg;

    if (event == MACHINE_UP) {
        if (i->state == INSTANCE_PENDING) {
            i->state = INSTANCE_RUNNING;
            fleet_save(f, i);
        }
        return;
    }
    if (*text)
        log_error("%s %s: did not come up: %s", i->cloud, i->id, text);
    fleet_ended(f, i);
}

// The next moment at which something must happen to an instance, 0 = none. Does it if it is due.
static int64_t run_one(struct fleet *f, struct instance *i, int64_t now)
{
    if (i->state == INSTANCE_STOPPING) {
        if (i->kill_at_ms && now >= i->kill_at_ms) {
            i->kill_at_ms = 0;
            f->ops->signal(f->ctx, i, SIGKILL);
        }
        return i->kill_at_ms;
    }
    if (i->notice_at && now >= i->notice_at * 1000) {
        fleet_stop(f, i, "preempted");
        return i->kill_at_ms;
    }
    if (i->die_at_ms && now >= i->die_at_ms) {
        i->die_at_ms = 0;
        f->ops->signal(f->ctx, i, SIGKILL);
    }
    int64_t notice = i->notice_at * 1000;
    return !notice || (i->die_at_ms && i->die_at_ms < notice) ? i->die_at_ms : notice;
}

int64_t fleet_run_due(struct fleet *f)
{
    int64_t now = fleet_now_ms(f), next = 0;

    for (size_t k = 0; k < f->n; k++) {
        int64_t due = fleet_lives(f->list[k]) ? run_one(f, f->list[k], now) : 0;
        if (due && (!next || due < next))
            next = due;
    }
    return next ? (next > now ? next - now : 0) : -1;
}
