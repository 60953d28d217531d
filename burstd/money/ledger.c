// SPDX-License-Identifier: GPL-3.0-or-later
// See ledger.h. An interval [from, to) of an instance costs the difference of the cumulative costs
// at its ends, each rounded down to a micro-dollar, so intervals add up without a rest.
#include "money/ledger.h"

#include <string.h>
#include <time.h>

#include "base/conf.h"
#include "libburst/clock.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

// Part of what a launch may cost beside the job's time limit and the idle time:
#define BOOT_S 240 // boot and stage-in, at least
#define STAGE_IN_S 60
#define END_S 60 // stage-out and the end

static money_t between(const struct instance *i, int64_t from, int64_t to)
{
    return money_for_seconds(i->price, to - i->launched) -
           money_for_seconds(i->price, from - i->launched);
}

// ---- days, as the site's clock shows them

static int64_t date_of(int64_t t)
{
    time_t at = (time_t)t;
    struct tm tm;

    localtime_r(&at, &tm);
    return (int64_t)tm.tm_year * 366 + tm.tm_yday;
}

// The first second in (lo, hi] that does not have lo's date; the two have different ones.
static int64_t first_of_date(int64_t lo, int64_t hi)
{
    int64_t old = date_of(lo);

    while (hi - lo > 1) {
        int64_t mid = lo + (hi - lo) / 2;
        if (date_of(mid) == old)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

#define LONGEST_DAY_S (26 * 3600)

static struct day {
    int64_t begin, end; // [begin, end)
} today;

// Searched for, not computed: where clocks change at midnight, a day begins at 01:00, or the hour
// before its midnight comes twice.
static const struct day *day_of(int64_t t)
{
    if (t >= today.begin && t < today.end)
        return &today;
    today.end = first_of_date(t, t + LONGEST_DAY_S);
    today.begin = t - LONGEST_DAY_S;
    do
        today.begin = first_of_date(today.begin, t);
    while (date_of(today.begin) != date_of(t)); // a whole day lay in between
    return &today;
}

// ---- charges

// Sums of what is in the journal are kept: they are asked for at each look, for each job.
static bool known(struct burstd *b, const struct charged *c)
{
    return c->known && c->rollbacks == store_rollbacks(b->store);
}

static void add_known(struct charged *c, money_t amount)
{
    if (c->known)
        c->sum += amount;
}

static money_t keep(struct burstd *b, struct charged *c, money_t sum)
{
    *c = (struct charged){sum, store_rollbacks(b->store), sum < STORE_SPEND_UNKNOWN};
    return sum;
}

// To ask changes nothing that anybody else can see of a job or an instance.
static money_t charged_of_job(struct burstd *b, const struct bjob *j)
{
    if (!known(b, &j->charged))
        return keep(b, (struct charged *)&j->charged, store_job_cost(b->store, j->key, j->met));
    return j->charged.sum;
}

static money_t charged_of_instance(struct burstd *b, const struct instance *i)
{
    if (!known(b, &i->charged))
        return keep(b, (struct charged *)&i->charged, store_instance_cost(b->store, i->id));
    return i->charged.sum;
}

// The job that the instance's seconds are charged to. Under notice before the job has begun there
// they are still a part of the boot.
static struct bjob *served(struct burstd *b, const struct instance *i)
{
    if (!i->job[0] || (i->state != INST_BUSY && i->state != INST_DRAINING))
        return NULL;
    struct bjob *j = jobs_find(b->jobs, i->job);
    return j && (i->state == INST_BUSY || j->started) ? j : NULL;
}

static struct charge charge_of(const struct instance *i, const struct bjob *j, const char *kind,
                               int64_t from, int64_t to, money_t amount)
{
    return (struct charge){
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
}

static int put(struct burstd *b, struct instance *i, const char *kind, int64_t from, int64_t to,
               money_t amount, burst_error_t *errp)
{
    struct bjob *j = served(b, i);
    struct charge c = charge_of(i, j, kind, from, to, amount);

    if (store_put_charge(b->store, &c, errp) < 0)
        return -1;
    if (j) {
        j->settled += amount;
        add_known(&j->charged, amount);
    }
    add_known(&i->charged, amount);
    return 0;
}

// What the instance's seconds are now.
static const char *kind_now(const struct instance *i, const struct bjob *served)
{
    if (i->state >= INST_TERMINATING)
        return "idle";
    return served ? "busy" : i->state == INST_IDLE ? "idle" : "boot";
}

static bool uncut(const struct instance *i, int64_t now)
{
    return i->launched && i->price != MONEY_UNKNOWN && now > i->charged_to;
}

// The end of the part that begins at `from`: no part lies in two days.
static int64_t part_end(int64_t from, int64_t now)
{
    int64_t end = day_of(from)->end;

    return end < now ? end : now;
}

int ledger_cut(struct burstd *b, struct instance *i, int64_t now, burst_error_t *errp)
{
    const char *kind = kind_now(i, served(b, i));

    if (!uncut(i, now))
        return 0;
    for (int64_t from = i->charged_to, to; from < now; from = to) {
        to = part_end(from, now);
        if (put(b, i, kind, from, to, between(i, from, to), errp) < 0)
            return -1;
    }
    i->charged_to = now;
    return 0;
}

void ledger_running(struct burstd *b, void (*cb)(void *arg, const struct charge *c), void *arg)
{
    int64_t now = clock_now_s();

    INSTANCES_EACH(b->instances, i)
    {
        const struct bjob *j = served(b, i);
        if (!instance_live(i) || !uncut(i, now))
            continue;
        for (int64_t from = i->charged_to, to; from < now; from = to) {
            to = part_end(from, now);
            struct charge c = charge_of(i, j, kind_now(i, j), from, to, between(i, from, to));
            cb(arg, &c);
        }
    }
}

int ledger_close(struct burstd *b, struct instance *i, burst_error_t *errp)
{
    if (!i->launched || !i->ended || i->price == MONEY_UNKNOWN)
        return 0;
    money_t right = money_for_seconds(i->price, i->ended - i->launched);
    money_t charged = store_instance_cost(b->store, i->id);
    if (charged >= STORE_SPEND_UNKNOWN)
        return errprintf(errp, "the charges of instance %s cannot be read", i->id);
    money_t rest = right - charged;
    // The cloud's end differs from the moment at which we saw it. What was charged for the days
    // after it is given back to them.
    for (int64_t t = day_of(i->ended)->end; t < i->charged_to; t = day_of(t)->end) {
        int64_t to = day_of(t)->end < i->charged_to ? day_of(t)->end : i->charged_to;
        money_t back = -between(i, t, to);
        if (put(b, i, "adjust", t, t, back, errp) < 0)
            return -1;
        rest -= back;
    }
    return rest ? put(b, i, "adjust", i->ended, i->ended, rest, errp) : 0;
}

int ledger_transfer(struct burstd *b, struct bjob *j, burst_error_t *errp)
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
        .amount = j->transfer,
    };

    if (j->transfer > 0 && store_put_charge(b->store, &c, errp) < 0)
        return -1;
    add_known(&j->charged, j->transfer);
    j->egress = j->transfer;
    j->transfer = 0;
    return 0;
}

// Not charged yet, of the time since `since`.
static money_t running(const struct instance *i, int64_t since, int64_t now)
{
    int64_t from = i->charged_to > since ? i->charged_to : since;

    if (!i->launched || i->price == MONEY_UNKNOWN || i->state == INST_GONE || now <= from)
        return 0;
    return between(i, from, now);
}

money_t ledger_job_cost(struct burstd *b, const struct bjob *j)
{
    money_t sum = charged_of_job(b, j);
    int64_t now = clock_now_s();

    INSTANCES_OF(b->instances, BY_JOB, j->key, i)
    if (served(b, i) == j)
        sum += running(i, 0, now);
    return sum;
}

money_t ledger_instance_cost(struct burstd *b, const struct instance *i)
{
    return charged_of_instance(b, i) + running(i, 0, clock_now_s());
}

money_t ledger_today(struct burstd *b, const char *cloud)
{
    int64_t now = clock_now_s(), midnight = day_of(now)->begin;
    money_t sum = store_spend_since(b->store, midnight, cloud);

    INSTANCES_EACH(b->instances, i)
    if (!cloud || strcmp(i->cloud, cloud) == 0)
        sum += running(i, midnight, now);
    return sum;
}

int64_t ledger_day_end(void)
{
    return day_of(clock_now_s())->end;
}

// Boot, join and stage-in: as long as they may take before the node is given up.
static int64_t boot_s(const struct burstd *b)
{
    int64_t s = b->conf->ssh_timeout_s + b->conf->join_timeout_s + STAGE_IN_S;

    return s > BOOT_S ? s : BOOT_S;
}

int64_t ledger_overhead_s(struct burstd *b)
{
    return boot_s(b) + END_S + b->conf->node_idle_s + LEDGER_OVERDUE_S;
}

money_t ledger_bound(struct burstd *b, money_t price_per_hour, unsigned nodes, int64_t limit_s)
{
    return money_for_seconds(price_per_hour, limit_s + ledger_overhead_s(b)) * nodes;
}

static int64_t not_below_0(int64_t s)
{
    return s > 0 ? s : 0;
}

// So many seconds more, as the difference of cumulative costs: with what is spent they add up
// without a rest.
static money_t more(const struct instance *i, int64_t now, int64_t seconds)
{
    int64_t ran = i->launched && now > i->launched ? now - i->launched : 0;

    return money_for_seconds(i->price, ran + seconds) - money_for_seconds(i->price, ran);
}

// What has passed of an allowance is spent, and no longer to come: the two together stay within
// the bound that the launch was checked with, as long as boot and stage-out keep to it.
static int64_t rest_s(struct burstd *b, const struct instance *i, int64_t now)
{
    const struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;
    int64_t idle = b->conf->node_idle_s + LEDGER_OVERDUE_S + END_S,
            since = i->launched ? i->launched : now;

    if (i->state == INST_TERMINATING) // it costs until the cloud has ended it
        return not_below_0(i->since + END_S - now) +
               (i->launched ? 0 : now - i->created); // of a launch that may have come true
    if (!j)
        return not_below_0((i->idle_since ? i->idle_since : since) + idle - now);
    int64_t limit = j->limit_s ? j->limit_s : b->conf->max_time_s;
    int64_t boot = not_below_0(boot_s(b) - ((j->started ? j->started : now) - since));
    if (j->ended) // the stage-out takes what the boot has left
        return not_below_0(boot - (now - j->ended)) + idle;
    return (j->started ? not_below_0(j->started + limit - now) : limit) + boot + idle;
}

// The egress of a job that is on its way to its nodes counts once, with the first of them.
static money_t transfer_to_come(struct burstd *b, const struct instance *i)
{
    const struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;

    if (!j || j->transfer <= 0 || (j->state != JOB_SECURING && j->state != JOB_PLACED))
        return 0;
    INSTANCES_OF(b->instances, BY_JOB, i->job, other)
    if (other->state < INST_TERMINATING)
        return other == i ? j->transfer : 0;
    return 0;
}

money_t ledger_committed(struct burstd *b, const char *cloud)
{
    money_t sum = 0;
    int64_t now = clock_now_s();

    INSTANCES_EACH(b->instances, i)
    {
        if ((cloud && strcmp(i->cloud, cloud) != 0) || i->state == INST_GONE)
            continue;
        if (i->state != INST_TERMINATING)
            sum += transfer_to_come(b, i);
        if (i->price != MONEY_UNKNOWN)
            sum += more(i, now, rest_s(b, i, now));
    }
    return sum;
}
