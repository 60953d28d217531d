// SPDX-License-Identifier: GPL-3.0-or-later
// See caps.h.
#include "money/caps.h"

#include <stdio.h>

#include "base/conf.h"
#include "libburst/clock.h"
#include "money/ledger.h"
#include "slurm_plugin/directive.h"

#define ALMOST 20 // a cap of which less than this part is left

static money_t rest(money_t cap, money_t used)
{
    if (cap == CONF_NO_CAP)
        return CONF_NO_CAP;
    return used >= cap ? 0 : cap - used;
}

money_t caps_left_today(struct burstd *b, const struct cloud_conf *c)
{
    money_t cap = c ? c->max_per_day : b->conf->max_per_day;
    const char *name = c ? c->name : NULL;

    if (cap == CONF_NO_CAP)
        return CONF_NO_CAP;
    return rest(cap, ledger_today(b, name) + ledger_committed(b, name));
}

bool caps_used_up(struct burstd *b, const struct cloud_conf *c, char *why, size_t size)
{
    money_t cap = c ? c->max_per_day : b->conf->max_per_day, left = caps_left_today(b, c);
    char x[MONEY_TEXT_MAX], y[MONEY_TEXT_MAX], z[MONEY_TEXT_MAX], at[CLOCK_TEXT_MAX];

    if (cap == CONF_NO_CAP || left > cap / ALMOST)
        return false;
    clock_local(ledger_day_end(), at);
    money_t spent = ledger_today(b, c ? c->name : NULL);
    snprintf(why, size,
             "%s%s's cap of %s a day is %s: %s is spent, %s set aside for what is rented; "
             "more at %s",
             c ? "cloud " : "", c ? c->name : "the site", money_human(cap, x),
             left == 0 ? "used up" : "almost used up", money_human(spent, y),
             money_human(ledger_committed(b, c ? c->name : NULL), z), at);
    return true;
}

static money_t cap_of_job(struct burstd *b, const struct directive *d)
{
    money_t cap = b->conf->max_per_job;

    return d->max_cost > 0 && d->max_cost < cap ? d->max_cost : cap;
}

money_t caps_left_of_job(struct burstd *b, const struct bjob *j, const struct directive *d)
{
    money_t cap = cap_of_job(b, d);

    return cap == CONF_NO_CAP ? CONF_NO_CAP : rest(cap, ledger_job_cost(b, j));
}

bool caps_admit(struct burstd *b, const struct bjob *j, const struct directive *d,
                const struct cloud_conf *c, money_t bound, char *why, size_t size)
{
    char x[MONEY_TEXT_MAX], y[MONEY_TEXT_MAX];

    if (bound > caps_left_of_job(b, j, d)) {
        snprintf(why, size, "until its time limit it might cost %s more, and its cap is %s",
                 money_human(bound, x), money_human(cap_of_job(b, d), y));
        return false;
    }
    if (bound <= caps_left_today(b, c) && bound <= caps_left_today(b, NULL))
        return true;
    snprintf(why, size, "it might cost %s until its time limit, more than today's cap of %s leaves",
             money_human(bound, x), c && caps_left_today(b, c) < bound ? c->name : "the site");
    return false;
}

int64_t caps_limit_s(const struct burstd *b, const struct bjob *j)
{
    return j->limit_s ? j->limit_s : b->conf->max_time_s;
}
