// SPDX-License-Identifier: GPL-3.0-or-later
// See sweep.h. Decisions about one instance are reap_decide()'s; here they are carried out, each
// by itself: trouble with one instance does not stop the pass over the others.
#include "node/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/clouds.h"
#include "cloud/observed.h"
#include "cloud/reap.h"
#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "node/end.h"
#include "node/instance_call.h"
#include "node/preempt.h"
#include "node/purchase.h"
#include "node/sighting.h"
#include "state/instances.h"
#include "state/store.h"

#define ENDED_LATELY_S 600

// Rows of a listing by the cloud's id and by our tag; of several with the same the first.
struct row {
    const struct provider_instance *p;
    UT_hash_handle by_id, by_tag;
};

struct listing {
    struct row *row, *ids, *tags;
};

static void listing_init(struct listing *l, const struct cloud *c)
{
    *l = (struct listing){.row = xcalloc(c->n_listed + 1, sizeof(*l->row))};
    for (size_t k = 0; k < c->n_listed; k++) {
        const struct provider_instance *p = &c->listed[k];
        struct row *r = &l->row[k], *other;
        r->p = p;
        HASH_FIND(by_id, l->ids, p->id, strlen(p->id), other);
        if (!other)
            HASH_ADD_KEYPTR(by_id, l->ids, p->id, strlen(p->id), r);
        HASH_FIND(by_tag, l->tags, p->tag_instance, strlen(p->tag_instance), other);
        if (!other)
            HASH_ADD_KEYPTR(by_tag, l->tags, p->tag_instance, strlen(p->tag_instance), r);
    }
}

static void listing_fini(struct listing *l)
{
    HASH_CLEAR(by_id, l->ids);
    HASH_CLEAR(by_tag, l->tags);
    free(l->row);
}

static const struct provider_instance *row_of(const struct listing *l, const struct instance *i)
{
    struct row *r;

    if (i->cloud_id[0])
        HASH_FIND(by_id, l->ids, i->cloud_id, strlen(i->cloud_id), r);
    else
        HASH_FIND(by_tag, l->tags, i->id, strlen(i->id), r);
    return r ? r->p : NULL;
}

// The reply of its launch was lost, and this listing shows all of the group. Of a part the launch
// is repeated as it was: with another count the cloud would refuse its token.
static bool whole_group(struct cloud *c, const struct listing *l, const struct instance *of)
{
    INSTANCES_OF(c->b->instances, BY_NODE, "", i)
    if (i->state == INST_LAUNCHING && strcmp(i->group, of->group) == 0 && !row_of(l, i))
        return false;
    return true;
}

static void described(void *arg, const struct provider_result *r)
{
    struct instance_call *call = arg;
    struct burstd *b = call->b;
    struct instance *i = instance_called(call);

    free(call);
    if (!i)
        return;
    i->calling = false;
    if (r->error == PROVIDER_NOT_FOUND) {
        i->absent = true; // the next listing without it is believed
    } else if (r->error == PROVIDER_OK && r->n == 1) {
        log_warn("instance %s: listings of %s leave it out, but it exists", i->id, i->cloud);
        i->misses = 0;
        i->missing_ms = 0;
        sighting(b, i, &r->instances[0]);
    }
    b->poke(b);
}

static void ask(struct cloud *c, struct instance *i)
{
    i->calling = true;
    c->ops->describe(c->provider, i->cloud_id, i->region, described, instance_call_create(c->b, i));
}

static void missed(struct instance *i)
{
    if (i->misses++ == 0)
        i->missing_ms = clock_mono_ms();
}

static void judge(struct cloud *c, struct instance *i, const struct provider_instance *p)
{
    if (!p)
        missed(i);
    struct reap_facts f = {
        .journalled = true,
        .state = i->state,
        .listed = p != NULL,
        .cloud_state = p ? p->state : PROVIDER_TERMINATED,
        .age_s = clock_now_s() - (i->launched ? i->launched : i->created),
        .misses = p ? 0 : i->misses,
        .missing_s = p ? 0 : (clock_mono_ms() - i->missing_ms) / 1000,
        .absent = i->absent || !i->cloud_id[0],
        .minimum_age_s = c->b->conf->reap_minimum_age_s,
    };

    if (p) {
        i->misses = 0;
        i->missing_ms = 0;
        i->absent = false;
    }
    switch (reap_decide(&f)) {
    case REAP_UPDATE:
        sighting(c->b, i, p);
        break;
    case REAP_ASK:
        ask(c, i);
        break;
    case REAP_LOST:
        if (p)
            sighting(c->b, i, p);
        preempt_lost(c->b, i, p && p->preempted ? FAILURE_RECLAIMED : FAILURE_LOST,
                     p && p->preempted ? "the cloud took it back"
                     : p               ? "it ended by itself"
                                       : "the cloud does not know it any more");
        break;
    case REAP_GONE:
        if (p) // of a launch that was given up nothing else is known
            sighting(c->b, i, p);
        instance_gone(c->b, i, p && p->ended_at ? p->ended_at : clock_now_s());
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
    instance_set_cloud_id(c->b->instances, i, p->id);
    take_over(i->region, sizeof(i->region), p->region);
    take_over(i->zone, sizeof(i->zone), p->zone);
    take_over(i->itype, sizeof(i->itype), p->instance_type);
    snprintf(i->partition, sizeof(i->partition), "%s", c->conf->partition);
    i->spot = p->spot;
    purchase_price(c->b, i, p);
    instance_set_job(c->b->instances, i, "");
    instance_set_node(c->b->instances, i, "");
    i->flags = 0;
    i->launched = i->charged_to = p->launched_at;
    i->state = INST_LAUNCHED;
    if (instances_find(c->b->instances, i->id)) {
        free(i); // gone in this very tick: the next listing comes back to it
        return;
    }
    instances_add(c->b->instances, i);
    instance_end(c->b, i, "an orphan found by its tag");
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

static void find_orphans(struct cloud *c)
{
    for (size_t k = 0; k < c->n_listed; k++) {
        const struct provider_instance *p = &c->listed[k];
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

static void read_listing(struct cloud *c)
{
    struct listing l;

    listing_init(&l, c);
    INSTANCES_EACH(c->b->instances, i)
    if (instance_live(i) && strcmp(i->cloud, c->conf->name) == 0 && !i->calling &&
        (i->state != INST_LAUNCHING || whole_group(c, &l, i)))
        judge(c, i, row_of(&l, i));
    listing_fini(&l);
    find_orphans(c);
    c->listed_once = true;
    observed_listed(c->b->observed, c->conf->name);
    cloud_listing_read(c);
}

void sweep_step(struct burstd *b)
{
    struct cloud *c;

    for (unsigned k = 0; (c = clouds_at(b->clouds, k)); k++)
        if (c->heard)
            read_listing(c);
}
