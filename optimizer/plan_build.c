// SPDX-License-Identifier: GPL-3.0-or-later
// See plan_build.h.
#include "optimizer/plan_build.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

void build_place(const struct build *b, uint32_t t, const struct opt *o, const struct bill *bill,
                 struct plan_place *p)
{
    const struct rq_task *task = &b->rq->tasks[t];
    uint32_t n;

    p->cloud = places_cloud(b->problem.places, o->place);
    p->region = places_region(b->problem.places, o->place);
    p->market = market_name((enum market)o->market);
    p->alternative = NULL;
    p->count = p->vcpus = p->memory_gib = 0;
    p->price_per_hour = (bill->price + 500) / 1000;
    if (o->need < 0) {
        const struct rq_alternative *a = &task->alternatives[-1 - o->need];
        p->zone = a->zone ? a->zone : "";
        p->instance_type = a->instance_type ? a->instance_type : "";
        p->accelerator = a->accelerator ? a->accelerator : "";
        p->alternative = a->name;
        return;
    }
    const struct catalog_offer *offer = &catalog_offers(b->cat, &n)[o->offer];
    const struct catalog_type *type = &catalog_types(b->cat, &n)[offer->type];
    p->zone = catalog_str(b->cat, offer->zone);
    p->instance_type = catalog_str(b->cat, type->name);
    p->count = type->count;
    p->vcpus = type->vcpus;
    p->memory_gib = type->memory_gib;
    p->accelerator = catalog_str(b->cat, type->accelerator);
}

// Outputs of a task to their places, and its own inputs (data sets that others use as well are
// dealt out by share_datasets()).
void build_transfers(struct build *b, uint32_t t, const struct opt *o, const struct bill *bill,
                     int64_t *in, int64_t *out)
{
    const struct rq_task *task = &b->rq->tasks[t];
    struct places *pl = b->problem.places;

    *out = 0;
    for (size_t i = 0; i < task->n_outputs; i++) {
        const struct rq_transfer *x = &task->outputs[i];
        *out += places_cost(pl, o->place, places_of(pl, x->location.cloud, x->location.region),
                            x->size_gb);
    }
    *in = o->cost - bill->compute - bill->restart - bill->fixed - *out;
}
