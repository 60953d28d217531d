// SPDX-License-Identifier: GPL-3.0-or-later
// See orphan.h.
#include "node/orphan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/clouds.h"
#include "cloud/reap.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "node/end.h"
#include "node/purchase.h"
#include "state/instances.h"
#include "state/store.h"

#define ENDED_LATELY_S 600

// An instance that nobody here wants, as long as listings have it.
struct nobodys {
    char key[192]; // cloud and its id of it
    char cloud[33];
    struct provider_instance p;
    int64_t since_ms;     // monotonic: first listed so
    bool listed, unknown; // unknown: this journal has no row of it
    bool told;            // old enough to be called a stranger
    UT_hash_handle hh;
};

static struct nobodys *rows;

static struct nobodys *row_of(const struct cloud *c, const struct provider_instance *p)
{
    char key[sizeof(rows->key)];
    struct nobodys *r;

    snprintf(key, sizeof(key), "%s %s", c->conf->name, p->id);
    HASH_FIND_STR(rows, key, r);
    if (!r) {
        r = xmalloc(sizeof(*r));
        snprintf(r->key, sizeof(r->key), "%s", key);
        snprintf(r->cloud, sizeof(r->cloud), "%s", c->conf->name);
        r->since_ms = clock_mono_ms();
        HASH_ADD_STR(rows, key, r);
    }
    r->p = *p;
    r->listed = true;
    return r;
}

static void drop(struct nobodys *r)
{
    HASH_DEL(rows, r);
    free(r);
}

// What the cloud does not say stays as the journal has it.
static void take_over(char *to, size_t size, const char *told)
{
    if (*told)
        snprintf(to, size, "%s", told);
}

static struct instance *unknown(const struct nobodys *r)
{
    struct instance *i = xmalloc(sizeof(*i));

    if (r->p.price <= 0)
        log_error("cloud %s: instance %s is not in this journal: its price is unknown and its "
                  "cost is missing in the ledger",
                  r->cloud, r->p.id);
    snprintf(i->id, sizeof(i->id), "orphan-%.40s", r->p.id);
    i->price = MONEY_UNKNOWN;
    i->created = r->p.launched_at;
    return i;
}

// Taken back into the journal (its cost is real) and ended.
static void adopt(struct burstd *b, const struct nobodys *r, const char *why)
{
    const struct provider_instance *p = &r->p;
    const struct cloud_conf *conf = conf_find_cloud(b->conf, r->cloud);
    struct instance *i = store_find_instance(b->store, p->tag_instance);

    if (!i)
        i = unknown(r);
    snprintf(i->cloud, sizeof(i->cloud), "%s", r->cloud);
    instance_set_cloud_id(b->instances, i, p->id);
    take_over(i->region, sizeof(i->region), p->region);
    take_over(i->zone, sizeof(i->zone), p->zone);
    take_over(i->itype, sizeof(i->itype), p->instance_type);
    if (conf)
        snprintf(i->partition, sizeof(i->partition), "%s", conf->partition);
    i->spot = p->spot;
    purchase_price(b, i, p);
    instance_set_job(b->instances, i, "");
    instance_set_node(b->instances, i, "");
    i->flags = 0;
    if (!i->launched) // else it is charged until some second already
        i->launched = i->charged_to = p->launched_at;
    i->ended = 0;
    i->state = INST_LAUNCHED;
    if (instances_find(b->instances, i->id)) {
        free(i); // gone in this very look: the next listing comes back to it
        return;
    }
    instances_add(b->instances, i);
    instance_end(b, i, why);
}

static void meet_stranger(struct nobodys *r)
{
    if (r->told)
        return;
    r->told = true;
    log_error("cloud %s: instance %s bears our tag (%s), but this journal has never known it. Was "
              "the journal lost or restored, or does another burstd use this cluster's name? It is "
              "left alone; `burst terminate %s` ends it",
              r->cloud, r->p.id, r->p.tag_instance, r->p.id);
}

static void judge(struct cloud *c, const struct provider_instance *p, const struct instance *i)
{
    struct instance *was = i ? NULL : store_find_instance(c->b->store, p->tag_instance);
    const struct instance *known = i ? i : was;
    bool given_up = known && known->state == INST_GONE && !known->launched;
    struct nobodys *r = row_of(c, p);
    struct reap_facts f = {
        .state = i ? i->state : INST_GONE,
        .known = known != NULL,
        .confirmed = known && known->ended,
        .listed = true,
        .listed_s = (clock_mono_ms() - r->since_ms) / 1000,
        .cloud_state = p->state,
        .age_s = clock_now_s() - p->launched_at,
        .unpaid = !i && given_up,
        .minimum_age_s = c->b->conf->reap_minimum_age_s,
    };

    r->unknown = !known && p->state <= PROVIDER_RUNNING;
    free(was);
    switch (reap_decide(&f)) {
    case REAP_ORPHAN:
        log_warn("cloud %s: instance %s bears our tag (%s) but nobody here wants it; ending it",
                 r->cloud, p->id, p->tag_instance);
        adopt(c->b, r, "an orphan found by its tag");
        break;
    case REAP_STRANGER:
        meet_stranger(r);
        break;
    default:
        break;
    }
}

// A launch that was given up without a clear answer may have come true and ended. Asked of what
// ended lately only, and after a start: a listing has the ended ones of an hour.
static bool old_news(const struct cloud *c, const struct provider_instance *p)
{
    return p->state == PROVIDER_TERMINATED && c->listed_once &&
           p->ended_at < clock_now_s() - ENDED_LATELY_S;
}

void orphans_find(struct cloud *c)
{
    struct nobodys *r, *next;

    for (r = rows; r; r = r->hh.next)
        if (strcmp(r->cloud, c->conf->name) == 0)
            r->listed = false;
    for (size_t k = 0; k < c->n_listed; k++) {
        const struct provider_instance *p = &c->listed[k];
        struct instance *i = instances_by_cloud_id(c->b->instances, c->conf->name, p->id);
        if (!i)
            i = instances_find(c->b->instances, p->tag_instance);
        if ((!i || !instance_live(i)) && !old_news(c, p))
            judge(c, p, i);
    }
    HASH_ITER(hh, rows, r, next)
    {
        if (strcmp(r->cloud, c->conf->name) == 0 && !r->listed)
            drop(r);
    }
}

bool strangers_any(void)
{
    for (const struct nobodys *r = rows; r; r = r->hh.next)
        if (r->unknown)
            return true;
    return false;
}

cJSON *strangers_json(void)
{
    cJSON *list = cJSON_CreateArray();

    for (const struct nobodys *r = rows; r; r = r->hh.next) {
        if (!r->told)
            continue;
        cJSON *o = cJSON_CreateObject();
        json_add_str(o, "cloud", r->cloud);
        json_add_str(o, "id", r->p.id);
        json_add_str(o, "instance", r->p.tag_instance);
        json_add_str(o, "region", r->p.region);
        json_add_str(o, "zone", r->p.zone);
        json_add_str(o, "instance_type", r->p.instance_type);
        json_add_i64(o, "launched", r->p.launched_at);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

bool stranger_end(struct burstd *b, const char *cloud_id)
{
    for (struct nobodys *r = rows; r; r = r->hh.next) {
        if (!r->told || strcmp(r->p.id, cloud_id) != 0)
            continue;
        adopt(b, r, "ended by an operator");
        drop(r);
        return true;
    }
    return false;
}
