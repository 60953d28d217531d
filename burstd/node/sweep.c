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
#include "node/orphan.h"
#include "node/preempt.h"
#include "node/sighting.h"
#include "state/instances.h"

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

static void read_listing(struct cloud *c)
{
    struct listing l;

    listing_init(&l, c);
    INSTANCES_EACH(c->b->instances, i)
    if (instance_live(i) && strcmp(i->cloud, c->conf->name) == 0 && !i->calling &&
        (row_of(&l, i) || cloud_heard_of(c, i->region)) &&
        (i->state != INST_LAUNCHING || whole_group(c, &l, i)))
        judge(c, i, row_of(&l, i));
    listing_fini(&l);
    orphans_find(c);
    c->listed_once = c->listed_once || c->n_unheard == 0;
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
