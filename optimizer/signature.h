// SPDX-License-Identifier: GPL-3.0-or-later
// Which limits of a request count a candidate, as the number of a set of limits. Candidates with
// the same number are alike for all limits; number 0 is the empty set.
#ifndef BURST_SIGNATURE_H
#define BURST_SIGNATURE_H

#include "catalog/catalog.h"
#include "optimizer/problem.h"
#include "optimizer/request.h"

struct signatures;

// Both are borrowed.
struct signatures *signatures_create(const struct catalog *cat, const struct request *rq);
void signatures_destroy(struct signatures *s);

// The sets by number; borrowed, and moved when a new one is met.
const struct sig *signatures_list(const struct signatures *s, uint32_t *n);

// What is the same for all offers of an instance type.
struct sig_type {
    struct sig mask[MARKETS]; // limits that its name and a market do not rule out
    uint32_t *known;          // [region][market]; NULL = zones matter, each offer is looked at
};

void signatures_of_type(const struct signatures *s, uint32_t type, struct sig_type *out);
uint32_t signatures_look(struct signatures *s, const struct sig_type *t,
                         const struct catalog_offer *o, int market);
uint32_t signatures_of_alternative(struct signatures *s, const struct rq_alternative *a);

static inline uint32_t signatures_of_offer(struct signatures *s, const struct sig_type *t,
                                           const struct catalog_offer *o, int market)
{
    uint32_t *at;

    if (!t->known)
        return signatures_look(s, t, o, market);
    at = &t->known[o->region * MARKETS + (uint32_t)market];
    if (*at == UINT32_MAX)
        *at = signatures_look(s, t, o, market);
    return *at;
}

#endif
