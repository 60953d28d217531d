// SPDX-License-Identifier: GPL-3.0-or-later
// See best.h.
#include "optimizer/best.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/clock.h"
#include "libburst/xalloc.h"

bool time_is_over(struct clockwork *c)
{
    if (!c->over && c->deadline_ms != INT64_MAX && clock_mono_ms() >= c->deadline_ms)
        c->over = true;
    return c->over;
}

bool time_is_over_fn(void *c)
{
    return time_is_over(c);
}

void best_init(struct best *b, uint32_t n)
{
    memset(b, 0, sizeof(*b));
    b->choice = xcalloc(n + 1, sizeof(*b->choice));
    b->enough = -1;
}

void best_free(struct best *b)
{
    free(b->choice);
    b->choice = NULL;
}

bool best_offer(struct best *b, const struct problem *p, const uint32_t *choice, int64_t time)
{
    int64_t cost, span, over;

    problem_value(p, choice, &cost, &span, NULL);
    if (cost >= COST_INF || span > time || problem_broken_limit(p, choice, &over) >= 0)
        return false;
    if (b->found && (cost > b->cost || (cost == b->cost && span >= b->span)))
        return false;
    memmove(b->choice, choice, p->n * sizeof(*choice));
    b->found = true;
    b->cost = cost;
    b->span = span;
    return true;
}
