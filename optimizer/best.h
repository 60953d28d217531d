// SPDX-License-Identifier: GPL-3.0-or-later
// The best assignment seen so far, and the time that is left to look for a better one: what the
// steps of a solution hand from one to the next.
#ifndef BURST_BEST_H
#define BURST_BEST_H

#include <stdbool.h>
#include <stdint.h>

#include "optimizer/problem.h"

struct clockwork {
    int64_t deadline_ms;
    bool over; // once it is over it stays so
};

bool time_is_over(struct clockwork *c);
bool time_is_over_fn(void *c); // the same for callbacks

// The best of what was seen so far.
struct best {
    uint32_t *choice; // option per task, owned; valid when found
    bool found;
    int64_t cost, span;
    int64_t bound;  // no assignment is cheaper
    bool proven;    // cost == bound, or !found and there is none
    int64_t enough; // an assignment of at most this cost will do; -1 = only a cheapest one
};

static inline bool best_will_do(const struct best *b)
{
    return b->found && b->cost <= b->enough;
}

void best_init(struct best *b, uint32_t n);
void best_free(struct best *b);
// Takes the assignment when it keeps time and limits and is cheaper, or as cheap and faster.
bool best_offer(struct best *b, const struct problem *p, const uint32_t *choice, int64_t time);

#endif
