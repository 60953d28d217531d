// SPDX-License-Identifier: GPL-3.0-or-later
// See supply.h.
#include "optimizer/supply.h"

#include <stdlib.h>

#include "libburst/xalloc.h"

// Data sets that more than one task uses.
static void find_shared(struct supply *s)
{
    const struct request *rq = s->rq;
    uint32_t *user = xcalloc(rq->n_datasets + 1, sizeof(*user));

    s->shared = xcalloc(rq->n_datasets + 1, sizeof(bool));
    s->dataset_place = xcalloc(rq->n_datasets + 1, sizeof(*s->dataset_place));
    for (size_t d = 0; d < rq->n_datasets; d++)
        s->dataset_place[d] =
            places_of(s->places, rq->datasets[d].location.cloud, rq->datasets[d].location.region);
    for (uint32_t t = 0; t < rq->n_tasks; t++)
        for (size_t i = 0; i < rq->tasks[t].n_inputs; i++) {
            int d = rq->tasks[t].inputs[i].dataset;
            if (d < 0)
                continue;
            if (user[d] && user[d] != t + 1)
                s->shared[d] = true;
            user[d] = t + 1;
        }
    free(user);
}

void supply_init(struct supply *s, const struct catalog *cat, const struct request *rq)
{
    *s = (struct supply){.cat = cat, .rq = rq};
    s->places = places_create(cat, rq->gbit_per_s);
    s->rates = rates_create(cat, rq);
    s->sigs = signatures_create(cat, rq);
    for (size_t l = 0; l < rq->n_limits; l++)
        s->money_limits = s->money_limits || rq->limits[l].max_nano >= 0;
    find_shared(s);
}

void supply_free(struct supply *s)
{
    places_destroy(s->places);
    rates_destroy(s->rates);
    signatures_destroy(s->sigs);
    free(s->shared);
    free(s->dataset_place);
}
