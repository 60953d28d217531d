// SPDX-License-Identifier: GPL-3.0-or-later
// See ledger.h. An interval [from, to) of an instance costs the difference of the cumulative costs
// at its ends, each rounded down to a micro-dollar, so intervals add up without a rest.
#include "ledger.h"

#include <string.h>
#include <time.h>

#include "conf.h"
#include "instances.h"
#include "jobs.h"
#include "libburst/clock.h"
#include "log.h"
#include "store.h"

#define BOOT_ALLOWANCE_S 300 // boot, stage-in, stage-out: part of what a launch may cost

static money_t between(const struct instance *i, int64_t from, int64_t to)
{
    return money_for_seconds(i->price, to - i->launched) -
           money_for_seconds(i->price, from - i->launched);
}

static bool serves_job(const struct instance *i)
{
    return i->job[0] && (i->state == INST_BUSY || i->state == INST_DRAINING);
}

static int put(struct burstd *b, struct instance *i, const char *kind, int64_t from, int64_t to,
               money_t amount, burst_error_t *errp)
{
    struct bjob *j = serves_job(i) ? jobs_find(b->jobs, i->job) : NULL;
    struct charge c = {
        .instance = i->id,
        .job = j ? j->key : "",
        .cloud = i->cloud,
        .partition = i->partition,
        .user = j ? j->user : "",
        .account = j ? j->account : "",
        .spot = i->spot,
        .kind = kind,
        .from = from,
        .to = to,
        .amount = amount,
    };

    if (store_put_charge(b->store, &c, errp) < 0)
        return -1;
    if (j)
        j->settled += amount;
    return 0;
}

int ledger_cut(struct burstd *b, struct instance *i, int64_t now, burst_error_t *errp)
{
    const char *kind = serves_job(i) ? "busy" : i->state == INST_IDLE ? "idle" : "boot";

    if (!i->launched || i->price == MONEY_UNKNOWN || now <= i->charged_to)
        return 0;
    if (i->state >= INST_TERMINATING)
        kind = "idle";
    if (put(b, i, kind, i->charged_to, now, between(i, i->charged_to, now), errp) < 0)
        return -1;
    i->charged_to = now;
    return 0;
}

void ledger_settle(struct burstd *b)
{
    int64_t now = clock_now_s();
    burst_error_t err;

    if (store_begin(b->store, &err) < 0)
        return;
    INSTANCES_EACH(b->instances, i)
    {
        int64_t old = i->charged_to;
        if (!instance_live(i))
            continue;
        if (ledger_cut(b, i, now, &err) < 0 || store_put_instance(b->store, i, &err) < 0) {
            i->charged_to = old;
            log_error("%s", err.text);
            break;
        }
    }
    store_commit(b->store, &err);
}

int ledger_close(struct burstd *b, struct instance *i, burst_error_t *errp)
{
    if (!i->launched || !i->ended || i->price == MONEY_UNKNOWN)
        return 0;
    money_t right = money_for_seconds(i->price, i->ended - i->launched);
    money_t charged = store_instance_cost(b->store, i->id);
    if (right == charged)
        return 0;
    // The cloud's end differs from the moment at which we saw it.
    return put(b, i, "adjust", i->ended, i->ended, right - charged, errp);
}

int ledger_transfer(struct burstd *b, const struct bjob *j, money_t amount, burst_error_t *errp)
{
    int64_t now = clock_now_s();
    struct charge c = {
        .instance = "",
        .job = j->key,
        .cloud = j->cloud,
        .partition = j->partition,
        .user = j->user,
        .account = j->account,
        .spot = j->spot,
        .kind = "transfer",
        .from = now,
        .to = now,
        .amount = amount,
    };

    return store_put_charge(b->store, &c, errp);
}

static money_t running(const struct instance *i, int64_t now)
{
    if (!i->launched || i->price == MONEY_UNKNOWN || i->state == INST_GONE || now <= i->charged_to)
        return 0;
    return between(i, i->charged_to, now);
}

money_t ledger_job_cost(struct burstd *b, const struct bjob *j)
{
    money_t sum = store_job_cost(b->store, j->key);
    int64_t now = clock_now_s();

    INSTANCES_EACH(b->instances, i)
    if (serves_job(i) && strcmp(i->job, j->key) == 0)
        sum += running(i, now);
    return sum;
}

money_t ledger_instance_cost(struct burstd *b, const struct instance *i)
{
    return store_instance_cost(b->store, i->id) + running(i, clock_now_s());
}

static int64_t midnight(void)
{
    time_t now = (time_t)clock_now_s();
    struct tm tm;

    localtime_r(&now, &tm);
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    return (int64_t)mktime(&tm);
}

money_t ledger_today(struct burstd *b, const char *cloud)
{
    money_t sum = store_spend_since(b->store, midnight(), cloud);
    int64_t now = clock_now_s();

    INSTANCES_EACH(b->instances, i)
    if (!cloud || strcmp(i->cloud, cloud) == 0)
        sum += running(i, now);
    return sum;
}

int64_t ledger_overhead_s(struct burstd *b)
{
    return BOOT_ALLOWANCE_S + b->conf->node_idle_s;
}

money_t ledger_bound(struct burstd *b, money_t price_per_hour, unsigned nodes, int64_t limit_s)
{
    return money_for_seconds(price_per_hour, limit_s + ledger_overhead_s(b)) * nodes;
}

money_t ledger_committed(struct burstd *b, const char *cloud)
{
    money_t sum = 0;
    int64_t now = clock_now_s();

    INSTANCES_EACH(b->instances, i)
    {
        if ((cloud && strcmp(i->cloud, cloud) != 0) || i->state >= INST_TERMINATING ||
            i->price == MONEY_UNKNOWN)
            continue;
        struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;
        int64_t rest = ledger_overhead_s(b);
        if (j) {
            int64_t limit = j->limit_s ? j->limit_s : b->conf->max_time_s;
            int64_t end = (j->started ? j->started : now) + limit;
            rest += end > now ? end - now : 0;
        }
        sum += money_for_seconds(i->price, rest);
    }
    return sum;
}
