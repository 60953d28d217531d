// SPDX-License-Identifier: GPL-3.0-or-later
// See clouds.h. Decisions about one instance are reap_decide()'s; here they are carried out, each
// by itself: trouble with one instance does not stop the pass over the others.
#include "cloud/clouds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/observed.h"
#include "cloud/reap.h"
#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "node/preempt.h"
#include "node/provision.h"
#include "node/purchase.h"
#include "state/instances.h"
#include "state/store.h"

// A cloud is asked this often: while something boots or ends; while spot instances run (their
// notice also comes from the node's agent); otherwise the site's reap interval.
#define LIST_FAST_MS 1000
#define LIST_SPOT_MS 5000
#define ENDED_LATELY_S 600
#define OUT_MIN_MS 5000
#define OUT_MAX_MS 600000

struct clouds {
    struct burstd *b;
    struct cloud *rows;
    unsigned n;
};

struct clouds *clouds_create(struct burstd *b, burst_error_t *errp)
{
    struct clouds *c = xmalloc(sizeof(*c));

    c->b = b;
    c->rows = xcalloc(b->conf->n_clouds, sizeof(struct cloud));
    for (c->n = 0; c->n < b->conf->n_clouds; c->n++) {
        struct cloud *row = &c->rows[c->n];
        row->b = b;
        row->conf = &b->conf->clouds[c->n];
        row->ops = provider_find(row->conf->provider, errp);
        if (!row->ops)
            goto error;
        struct provider_config pc = {
            .cloud = row->conf->name,
            .endpoint = row->conf->endpoint,
            .credentials_file = row->conf->credentials,
            .cluster = b->conf->cluster,
            .timeout_ms = 30000,
        };
        row->provider = row->ops->create(b->loop, b->http, &pc, errp);
        if (!row->provider) {
            errprefix(errp, "cloud %s", row->conf->name);
            goto error;
        }
    }
    return c;
error:
    clouds_destroy(c);
    return NULL;
}

void clouds_destroy(struct clouds *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->n; i++)
        if (c->rows[i].provider)
            c->rows[i].ops->destroy(c->rows[i].provider);
    free(c->rows);
    free(c);
}

struct cloud *clouds_at(struct clouds *c, unsigned i)
{
    return i < c->n ? &c->rows[i] : NULL;
}

struct cloud *clouds_find(struct clouds *c, const char *name)
{
    for (unsigned i = 0; i < c->n; i++)
        if (strcmp(c->rows[i].conf->name, name) == 0)
            return &c->rows[i];
    return NULL;
}

void cloud_trouble(struct cloud *c, enum provider_class error, const char *message)
{
    int64_t wait = OUT_MIN_MS;

    snprintf(c->message, sizeof(c->message), "%s: %s", provider_class_name(error), message);
    for (unsigned i = 0; i < c->failures && wait < OUT_MAX_MS; i++)
        wait *= 2;
    c->failures++;
    // Wrong credentials do not mend themselves in seconds, and asking on may lock the account.
    if (error == PROVIDER_AUTH && wait < 60000)
        wait = 60000;
    c->out_until_ms = clock_mono_ms() + (wait > OUT_MAX_MS ? OUT_MAX_MS : wait);
    log_warn("cloud %s: %s", c->conf->name, c->message);
}

void cloud_works(struct cloud *c)
{
    c->failures = 0;
    c->out_until_ms = 0;
    c->message[0] = '\0';
}

bool cloud_usable(const struct cloud *c)
{
    return clock_mono_ms() >= c->out_until_ms;
}

void cloud_list_soon(struct cloud *c)
{
    c->next_list_ms = 0;
}

static const struct provider_instance *row_of(const struct provider_result *r,
                                              const struct instance *i)
{
    for (size_t k = 0; k < r->n; k++) {
        const struct provider_instance *p = &r->instances[k];
        if (i->cloud_id[0] ? strcmp(p->id, i->cloud_id) == 0 : strcmp(p->tag_instance, i->id) == 0)
            return p;
    }
    return NULL;
}

// The reply of its launch was lost, and this listing shows all of the group. Of a part the launch
// is repeated as it was: with another count the cloud would refuse its token.
static bool whole_group(struct cloud *c, const struct instance *of, const struct provider_result *r)
{
    INSTANCES_EACH(c->b->instances, i)
    if (i->state == INST_LAUNCHING && strcmp(i->group, of->group) == 0 && !row_of(r, i))
        return false;
    return true;
}

static void judge(struct cloud *c, struct instance *i, const struct provider_instance *p)
{
    struct reap_facts f = {
        .journalled = true,
        .state = i->state,
        .listed = p != NULL,
        .cloud_state = p ? p->state : PROVIDER_TERMINATED,
        .age_s = clock_now_s() - (i->launched ? i->launched : i->created),
        .misses = p ? 0 : ++i->misses,
        .minimum_age_s = c->b->conf->reap_minimum_age_s,
    };

    if (p)
        i->misses = 0;
    switch (reap_decide(&f)) {
    case REAP_UPDATE:
        provision_seen(c->b, i, p);
        break;
    case REAP_LOST:
        if (p)
            provision_seen(c->b, i, p);
        preempt_lost(c->b, i,
                     p && p->preempted ? "the cloud took it back"
                     : p               ? "it ended by itself"
                                       : "the cloud does not know it any more");
        break;
    case REAP_GONE:
        if (p) // of a launch that was given up nothing else is known
            provision_seen(c->b, i, p);
        provision_gone(c->b, i, p && p->ended_at ? p->ended_at : clock_now_s());
        break;
    default:
        break;
    }
}

// What the cloud does not say stays as the journal has it.
static void take_over(char *to, size_t size, const char *told)
{
    if (*told)
        snprintf(to, size, "%s", told);
}

// Ours by tag and nobody's: taken back into the journal (its cost is real) and ended. Every launch
// was journalled with its price before it was made; its row says "gone" when the launch was given
// up without a clear answer.
static void adopt_orphan(struct cloud *c, const struct provider_instance *p)
{
    struct instance *i = store_find_instance(c->b->store, p->tag_instance);

    log_warn("cloud %s: instance %s bears our tag (%s) but nobody here wants it; ending it",
             c->conf->name, p->id, p->tag_instance);
    if (!i) {
        if (p->price <= 0)
            log_error("cloud %s: instance %s is not in this journal: its price is unknown and its "
                      "cost is missing in the ledger",
                      c->conf->name, p->id);
        i = xmalloc(sizeof(*i));
        snprintf(i->id, sizeof(i->id), "orphan-%.40s", p->id);
        i->price = MONEY_UNKNOWN;
        i->created = p->launched_at;
    }
    snprintf(i->cloud, sizeof(i->cloud), "%s", c->conf->name);
    snprintf(i->cloud_id, sizeof(i->cloud_id), "%s", p->id);
    take_over(i->region, sizeof(i->region), p->region);
    take_over(i->zone, sizeof(i->zone), p->zone);
    take_over(i->itype, sizeof(i->itype), p->instance_type);
    snprintf(i->partition, sizeof(i->partition), "%s", c->conf->partition);
    i->spot = p->spot;
    purchase_price(c->b, i, p);
    i->job[0] = i->node[0] = '\0';
    i->flags = 0;
    i->launched = i->charged_to = p->launched_at;
    i->state = INST_LAUNCHED;
    if (instances_find(c->b->instances, i->id)) {
        free(i); // gone in this very tick: the next listing comes back to it
        return;
    }
    instances_add(c->b->instances, i);
    provision_terminate(c->b, i, "an orphan found by its tag");
}

// A launch that was given up without a clear answer, and came true all the same. Asked of what
// ended lately only, and after a start: a listing has the ended ones of an hour.
static bool unpaid(struct cloud *c, const struct provider_instance *p)
{
    if (p->state != PROVIDER_TERMINATED ||
        (c->listed_once && p->ended_at < clock_now_s() - ENDED_LATELY_S))
        return false;
    struct instance *i = store_find_instance(c->b->store, p->tag_instance);
    bool is = i && i->state == INST_GONE && !i->launched;
    free(i);
    return is;
}

static void find_orphans(struct cloud *c, const struct provider_result *r)
{
    for (size_t k = 0; k < r->n; k++) {
        const struct provider_instance *p = &r->instances[k];
        struct instance *i = instances_by_cloud_id(c->b->instances, c->conf->name, p->id);
        if (!i)
            i = instances_find(c->b->instances, p->tag_instance);
        struct reap_facts f = {
            .journalled = i && instance_live(i),
            .state = i ? i->state : INST_GONE,
            .listed = true,
            .cloud_state = p->state,
            .age_s = clock_now_s() - p->launched_at,
            .unpaid = !i && unpaid(c, p),
            .minimum_age_s = c->b->conf->reap_minimum_age_s,
        };
        if (!f.journalled && reap_decide(&f) == REAP_ORPHAN)
            adopt_orphan(c, p);
    }
}

static void on_list(void *arg, const struct provider_result *r)
{
    struct cloud *c = arg;

    c->listing = false;
    if (r->error != PROVIDER_OK) {
        cloud_trouble(c, r->error, r->message);
        int64_t wait = c->out_until_ms - clock_mono_ms();
        c->next_list_ms = clock_mono_ms() + (wait > 30000 ? 30000 : wait);
        return;
    }
    cloud_works(c);
    INSTANCES_EACH(c->b->instances, i)
    if (instance_live(i) && strcmp(i->cloud, c->conf->name) == 0 && !i->calling &&
        (i->state != INST_LAUNCHING || whole_group(c, i, r)))
        judge(c, i, row_of(r, i));
    find_orphans(c, r);
    c->listed_once = true;
    observed_listed(c->b->observed, c->conf->name);
    c->b->poke(c->b);
}

static int64_t interval(struct cloud *c)
{
    int64_t ms = c->b->conf->reap_interval_s * 1000;

    INSTANCES_EACH(c->b->instances, i)
    {
        if (strcmp(i->cloud, c->conf->name) != 0)
            continue;
        if (i->state == INST_LAUNCHED || i->state == INST_TERMINATING || i->notice_at)
            return LIST_FAST_MS;
        if (i->spot && ms > LIST_SPOT_MS)
            ms = LIST_SPOT_MS;
    }
    return ms;
}

void clouds_step(struct clouds *c)
{
    int64_t now = clock_mono_ms();

    for (unsigned k = 0; k < c->n; k++) {
        struct cloud *row = &c->rows[k];
        if (row->listing || now < row->next_list_ms)
            continue;
        row->listing = true;
        row->next_list_ms = now + interval(row);
        row->ops->list_owned(row->provider, on_list, row);
    }
}
