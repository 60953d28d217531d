// SPDX-License-Identifier: GPL-3.0-or-later
// See purchase.h.
#include "node/purchase.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/observed.h"
#include "money/ledger.h"
#include "slurm_plugin/directive.h"
#include "state/instances.h"
#include "state/jobs.h"

void purchase_price(struct burstd *b, struct instance *i, const struct provider_instance *p)
{
    char was[MONEY_TEXT_MAX] = "none", is[MONEY_TEXT_MAX];

    if (p->price <= 0) // also MONEY_UNKNOWN: it does not say
        return;
    observed_priced(b->observed, i->cloud, i->region, i->zone, i->itype, i->spot, p->price);
    if (p->price == i->price)
        return;
    if (i->price != MONEY_UNKNOWN)
        money_human(i->price, was);
    log_info("instance %s: %s sold it at %s an hour, the plan's price was %s", i->id, i->cloud,
             money_human(p->price, is), was);
    i->price = p->price;
}

// The first cap that might be passed now, as an end of a sentence; "" = none.
static void cap_text(struct burstd *b, const struct bjob *j, char *out, size_t size)
{
    const struct cloud_conf *c = conf_find_cloud(b->conf, j->cloud);
    money_t cap = b->conf->max_per_job;
    int64_t limit_s = j->limit_s ? j->limit_s : b->conf->max_time_s;
    money_t most = ledger_job_cost(b, j) + ledger_bound(b, j->price, 1, limit_s) + j->transfer;
    struct directive d;
    char x[MONEY_TEXT_MAX], y[MONEY_TEXT_MAX];

    if (directive_from_mark(j->mark, &d) == 0 && d.max_cost > 0 && d.max_cost < cap)
        cap = d.max_cost;
    *out = '\0';
    if (most > cap)
        snprintf(out, size, "; until its time limit it might cost %s, and its cap is %s",
                 money_human(most, x), money_human(cap, y));
    else if (c && ledger_today(b, c->name) + ledger_committed(b, c->name) > c->max_per_day)
        snprintf(out, size, "; today's cap of %s, %s, might be passed", c->name,
                 money_human(c->max_per_day, x));
    else if (ledger_today(b, NULL) + ledger_committed(b, NULL) > b->conf->max_per_day)
        snprintf(out, size, "; today's cap of the site, %s, might be passed",
                 money_human(b->conf->max_per_day, x));
}

// All its instances an hour; MONEY_UNKNOWN while they are not all there.
static money_t price_of(struct burstd *b, const struct bjob *j)
{
    money_t sum = 0;
    unsigned n = 0;

    INSTANCES_OF(b->instances, BY_JOB, j->key, i)
    {
        if (strcmp(i->group, j->group) != 0)
            continue;
        if (i->price == MONEY_UNKNOWN || i->state >= INST_TERMINATING)
            return MONEY_UNKNOWN;
        sum += i->price;
        n++;
    }
    return n == j->nodes ? sum : MONEY_UNKNOWN;
}

void purchase_told(struct burstd *b, const struct instance *i)
{
    struct bjob *j = jobs_find(b->jobs, i->job);
    char was[MONEY_TEXT_MAX], is[MONEY_TEXT_MAX], cap[256] = "";

    if (!j || strcmp(j->group, i->group) != 0)
        return;
    money_t price = price_of(b, j), old = j->price;
    if (price == MONEY_UNKNOWN || price == old)
        return;
    j->price = price;
    job_save(b, j);
    if (price > old)
        cap_text(b, j, cap, sizeof(cap));
    money_human(old, was);
    money_human(price, is);
    if (cap[0])
        log_warn("job %s: %s asks %s an hour where the plan had %s%s", j->key, i->cloud, is, was,
                 cap);
    job_event(b, j, "%s asks %s an hour where the plan had %s%s", i->cloud, is, was, cap);
}
