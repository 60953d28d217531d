// SPDX-License-Identifier: GPL-3.0-or-later
// One pass over the catalog: which offers satisfy a need of a task. A candidate is an offer on a
// market.
#ifndef BURST_SCAN_H
#define BURST_SCAN_H

#include "optimizer/supply.h"

// A candidate as far as it does not depend on hours, nodes and data.
struct cand {
    uint32_t offer, market, sig, place;
    struct quote quote;
};

typedef void (*scan_fn)(void *arg, const struct catalog_offer *o, const struct cand *x);

// Most candidates are of no use: something that was seen in the same region on the same market is
// cheaper and counts for the same limits. For who looks for the best only, they are skipped.
struct bar {
    struct quote quote;
    uint32_t sig; // UINT32_MAX = nothing was seen yet
};

struct sieve {
    struct bar *bar;    // per region and market
    int64_t few_below;  // effective prices up to this one are not skipped
    uint64_t n_skipped; // counted here
};

// Calls fn for each candidate of a need; sieve may be NULL.
void scan_need(struct supply *s, const struct rq_task *task, const struct rq_need *need,
               struct sieve *sieve, scan_fn fn, void *arg);

// Whether an instance type has what a need asks for.
bool scan_type_fits(const struct catalog *cat, const struct catalog_type *t,
                    const struct rq_need *n);

#endif
