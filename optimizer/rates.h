// SPDX-License-Identifier: GPL-3.0-or-later
// What an offer costs on a market, with what was observed of it lately: a price seen at the cloud
// stands in for the catalog's, and a spot price counts as price * (1 + rate * changeover), since
// each preemption loses the hours of a changeover. Prices are nano-dollars per hour of one node.
#ifndef BURST_RATES_H
#define BURST_RATES_H

#include "catalog/catalog.h"
#include "optimizer/request.h"

struct rates;

struct quote {
    int64_t price;     // what is paid
    int64_t effective; // what is compared: the price and what restarts are expected to add
};

// The rows of one cloud, or of one instance type of it, most often none.
struct rates_rows {
    const struct rates_row *row;
    uint32_t n;
};

// Catalog and request are borrowed.
struct rates *rates_create(const struct catalog *cat, const struct request *rq);
void rates_destroy(struct rates *r);

// Of a spot price that nothing was observed of: effective = price * factor.
double rates_spot_factor(const struct rates *r);

#define RATES_CEILING 4e18 // far beyond what a plan counts
static inline int64_t rates_effective(int64_t price, double factor)
{
    double e = (double)price * factor;

    if (factor <= 1)
        return price;
    return e < RATES_CEILING ? (int64_t)(e + 0.5) : (int64_t)RATES_CEILING;
}

// Whether effective prices may differ from real ones.
bool rates_restarts(const struct rates *r);

struct rates_rows rates_of_cloud(const struct rates *r, const char *cloud);
struct rates_rows rates_of_type(const struct rates_rows *of_cloud, const char *type);
// The offer must have a price on that market: an observation makes no offer.
struct quote rates_quote(const struct rates *r, const struct rates_rows *rows,
                         const struct catalog_offer *o, enum market m);
struct quote rates_quote_offer(const struct rates *r, uint32_t offer, enum market m);
// An alternative's price is what its writer says; the preemptions are those of its place.
struct quote rates_quote_alternative(const struct rates *r, const struct rq_alternative *a);

#endif
