// SPDX-License-Identifier: GPL-3.0-or-later
// See blocked.h. All names are exact: one place was refused, not those that sound like it.
#include "optimizer/blocked.h"

#include "optimizer/match.h"

bool blocked_is_wide(const struct rq_match *m)
{
    return !m->alternative && !m->zone && !m->instance_type && !m->accelerator;
}

bool blocked_in_cloud(const struct rq_match *m, const char *cloud)
{
    return !m->alternative && match_exact(m->cloud, cloud);
}

bool blocked_in_region(const struct rq_match *m, const char *cloud, const char *region)
{
    return match_exact(m->region, region) && blocked_in_cloud(m, cloud);
}

bool blocked_type(const struct rq_match *m, const struct catalog *cat, const struct catalog_type *t)
{
    return match_exact(m->instance_type, catalog_str(cat, t->name)) &&
           match_accelerator_exact(m->accelerator, catalog_str(cat, t->accelerator));
}

bool blocked_there(const struct rq_match *m, const struct catalog *cat,
                   const struct catalog_offer *o, int market)
{
    uint32_t n;

    return match_market(m, market) &&
           match_exact(m->region, catalog_str(cat, catalog_regions(cat, &n)[o->region].name)) &&
           match_exact(m->zone, catalog_str(cat, o->zone));
}

bool blocked_offer(const struct request *rq, const struct catalog *cat,
                   const struct catalog_offer *o, int market)
{
    uint32_t n;
    const struct catalog_type *t = &catalog_types(cat, &n)[o->type];
    const char *cloud = catalog_str(cat, catalog_clouds(cat, &n)[t->cloud].name);

    for (size_t i = 0; i < rq->n_blocked; i++)
        if (blocked_in_cloud(&rq->blocked[i], cloud) && blocked_type(&rq->blocked[i], cat, t) &&
            blocked_there(&rq->blocked[i], cat, o, market))
            return true;
    return false;
}

bool blocked_alternative(const struct request *rq, const struct rq_alternative *a)
{
    for (size_t i = 0; i < rq->n_blocked; i++) {
        const struct rq_match *m = &rq->blocked[i];
        if (m->alternative && match_exact(m->alternative, a->name) &&
            match_exact(m->cloud, a->location.cloud) &&
            match_exact(m->region, a->location.region) &&
            match_exact(m->zone, a->zone ? a->zone : "") &&
            match_exact(m->instance_type, a->instance_type ? a->instance_type : "") &&
            match_accelerator_exact(m->accelerator, a->accelerator ? a->accelerator : "") &&
            match_market(m, (int)a->market))
            return true;
    }
    return false;
}
