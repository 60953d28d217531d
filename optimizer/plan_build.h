// SPDX-License-Identifier: GPL-3.0-or-later
// A plan while it is put together.
#ifndef BURST_PLAN_BUILD_H
#define BURST_PLAN_BUILD_H

#include "optimizer/candidates.h"
#include "optimizer/plan_parts.h"
#include "optimizer/problem.h"
#include "optimizer/solve.h"

struct build {
    struct plan *plan;
    const struct request *rq;
    const struct catalog *cat;
    struct candidates *cand;
    struct problem problem;
    struct solution sol;
    int64_t *finish;
};

static inline double build_hours(int64_t us)
{
    return (double)us / 3.6e9;
}

// How people name the place of an option.
void build_place(const struct build *b, uint32_t t, const struct opt *o, const struct bill *bill,
                 struct plan_place *p);
// What an option pays for moving the data that concern its task alone, without shared data sets.
void build_transfers(struct build *b, uint32_t t, const struct opt *o, const struct bill *bill,
                     int64_t *in, int64_t *out);
#endif
