// SPDX-License-Identifier: GPL-3.0-or-later
// The best candidates of one need. Tasks with equal requirements share a group, so that a thousand
// of them take one pass over the catalog.
#ifndef BURST_GROUP_H
#define BURST_GROUP_H

#include "optimizer/scan.h"

// The cheapest by price that are kept for runners-up.
#define GROUP_FEW 64

// Where money is limited, those with a higher effective but a lower real price are kept as well.
struct group {
    uint64_t n;            // candidates in all
    struct cand *by_place; // cheapest per place and signature
    size_t n_by_place;
    struct cand *by_sig; // cheapest per signature, for tasks that do not care where they run
    size_t n_by_sig;
    struct cand *few; // cheapest of all, when the request asks for runners-up
    size_t n_few;
};

struct groups;

struct groups *groups_create(struct supply *s); // borrowed
void groups_destroy(struct groups *g);
const struct group *groups_of(struct groups *g, const struct rq_task *t, const struct rq_need *n);

#endif
