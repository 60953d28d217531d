// SPDX-License-Identifier: GPL-3.0-or-later
// The rows of a catalog (catalog.h), and what is said of those that are left out.
#ifndef BURST_OFFER_H
#define BURST_OFFER_H

#include <stdint.h>

#define NANO_PER_USD INT64_C(1000000000)
#define NO_PRICE INT64_C(-1)
#define NO_ROUTE UINT32_MAX

enum market { MARKET_ON_DEMAND, MARKET_SPOT, MARKETS };
const char *market_name(enum market m); // "on-demand", "spot": in this order also by name

typedef uint32_t str_id; // byte offset into the pool; 0 = ""

struct catalog_cloud {
    str_id name;
    uint32_t first_type, n_types;
};

struct catalog_region {
    uint32_t cloud;
    str_id name;
};

struct catalog_type {
    uint32_t cloud;
    str_id name;        // InstanceType
    str_id accelerator; // 0 = none named
    uint32_t first_offer, n_offers;
    double count; // accelerators; may be a fraction of one; > 0 with name "" = unnamed ones
    double vcpus; // 0 = not given
    double memory_gib;
};

struct catalog_offer {
    uint32_t type, region;
    str_id zone;   // 0 = the price holds for the region
    uint32_t line; // in its CSV file
    uint32_t rank; // order by names: cloud, region, zone, instance type
    uint32_t pad;
    int64_t price[MARKETS]; // nano-dollars per hour or NO_PRICE
};

// One pattern row of egress.csv with its tiers.
struct catalog_route {
    str_id pattern[4]; // SrcCloud, SrcRegion, DstCloud, DstRegion
    uint32_t first_tier, n_tiers;
};

struct catalog_tier {
    double up_to_gb; // HUGE_VAL = no upper edge
    int64_t per_gb;  // nano-dollars
};

enum complaint_kind {
    COMPLAINT_REFUSED,     // the row cannot be true
    COMPLAINT_QUARANTINED, // the row is improbable; not used
    COMPLAINT_SKIPPED,     // the file is not a catalog
};

struct catalog_complaint {
    enum complaint_kind kind;
    const char *file; // name inside the directory; borrowed for the call
    unsigned line;    // 0 = the whole file
    const char *text; // the reason; borrowed for the call
};

typedef void (*catalog_complain_fn)(void *arg, const struct catalog_complaint *c);

struct catalog;

#endif
