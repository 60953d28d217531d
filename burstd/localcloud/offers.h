// SPDX-License-Identifier: GPL-3.0-or-later
// What a local cloud has on offer: the rows of its catalog file. The cloud reads the file by
// itself, apart from the catalog library, so that its bill is a second opinion.
//
// Columns are found by their names in the header line; lines may be quoted (RFC 4180). A line that
// cannot be an offer is left out and reported, the rest is used.
#ifndef LOCALCLOUD_OFFERS_H
#define LOCALCLOUD_OFFERS_H

#include <stdbool.h>
#include <stddef.h>

#include "libburst/error.h"
#include "libburst/money.h"

struct offer {
    const char *instance_type; // borrowed from the offers
    const char *region;
    const char *zone;        // "" = the price holds for the region
    unsigned accelerators;   // whole devices, 0 = none
    const char *accelerator; // its name, "" = none; this and the next three are only for show
    double count, vcpus, memory_gib; // as the file has them, 0 = not given
    money_t on_demand;               // per hour, MONEY_UNKNOWN = not on this market
    money_t spot;
};

struct offers;

// Called for each line that is left out.
typedef void (*offers_complaint)(void *arg, unsigned line, const char *text);

// Reads CSV text. NULL when the header lacks a column. name is for error texts.
struct offers *offers_parse(const char *name, const char *text, size_t len, offers_complaint cb,
                            void *arg, burst_error_t *errp);
// The same from a file of at most 64 MiB.
struct offers *offers_load(const char *path, offers_complaint cb, void *arg, burst_error_t *errp);
void offers_free(struct offers *o);

size_t offers_count(const struct offers *o);
const struct offer *offers_at(const struct offers *o, size_t i);

// The first row for type, region and market at or after row *i that fits zone ("" = any zone);
// *i is set to the row after it. NULL when there is none. A row without a zone fits every zone.
const struct offer *offers_next(const struct offers *o, size_t *i, const char *instance_type,
                                const char *region, const char *zone, bool spot);

// Price of an offer on a market.
money_t offer_price(const struct offer *o, bool spot);

#endif
