// SPDX-License-Identifier: GPL-3.0-or-later
// Texts of a request against names: shell patterns where a request chooses, exact names where it
// says what is not to be used. A pattern that is not given matches everything.
#ifndef BURST_MATCH_H
#define BURST_MATCH_H

#include <string.h>
#include <strings.h>

#include "catalog/glob.h"
#include "optimizer/request.h"

static inline bool match_pattern(const char *pattern, const char *text)
{
    return !pattern || glob_match(pattern, text);
}

static inline bool match_exact(const char *wanted, const char *text)
{
    return !wanted || strcmp(wanted, text) == 0;
}

// Names of accelerators are the same in upper and lower case.
static inline bool match_accelerator(const char *pattern, const char *text)
{
    return !pattern || glob_match_nocase(pattern, text);
}

static inline bool match_accelerator_exact(const char *wanted, const char *text)
{
    return !wanted || strcasecmp(wanted, text) == 0;
}

static inline bool match_market(const struct rq_match *m, int market)
{
    return m->market < 0 || m->market == market;
}

static inline bool match_task_market(enum rq_market wanted, int market)
{
    return wanted == RQ_ANY || (wanted == RQ_SPOT) == (market == MARKET_SPOT);
}

static inline bool match_any(const struct rq_list *l, const char *text)
{
    for (size_t i = 0; i < l->n; i++)
        if (glob_match(l->item[i], text))
            return true;
    return l->n == 0;
}

// A region pattern may name a cloud, "aws/us-*": a request for several clouds then says for each
// which of its regions it means.
static inline bool match_any_region(const struct rq_list *l, const char *cloud, const char *region)
{
    for (size_t i = 0; i < l->n; i++) {
        const char *slash = strchr(l->item[i], '/');
        size_t len = strlen(cloud);
        if (slash ? (size_t)(slash - l->item[i]) == len && strncmp(l->item[i], cloud, len) == 0 &&
                        glob_match(slash + 1, region)
                  : glob_match(l->item[i], region))
            return true;
    }
    return l->n == 0;
}

#endif
