// SPDX-License-Identifier: GPL-3.0-or-later
// See egress_csv.h.
#include "catalog/egress_csv.h"

#include <math.h>
#include <string.h>

#include "catalog/number.h"
#include "catalog/reader.h"

static const char *const egress_column[] = {"SrcCloud",  "SrcRegion", "DstCloud",
                                            "DstRegion", "UpToGB",    "USDPerGB"};

static void add_tier(struct builder *b, unsigned line, const char *const f[6])
{
    struct catalog_route r = {.n_tiers = 1};
    struct catalog_tier t = {.up_to_gb = HUGE_VAL};
    const char *why;
    double usd;

    for (int i = 0; i < 4; i++) {
        if (!*f[i] || reader_bad_name(f[i])) {
            builder_report(b, COMPLAINT_REFUSED, line, "%s \"%.60s\" is not a pattern (any is *)",
                           egress_column[i], f[i]);
            return;
        }
        r.pattern[i] = builder_intern(b, f[i]);
    }
    if (*f[4] && number_parse(f[4], &t.up_to_gb, &why) < 0) {
        builder_report(b, COMPLAINT_REFUSED, line, "UpToGB \"%.60s\" %s", f[4], why);
        return;
    }
    if (number_parse(f[5], &usd, &why) < 0 || usd > PRICE_MAX_USD) {
        builder_report(b, COMPLAINT_REFUSED, line, "USDPerGB \"%.60s\" %s", f[5],
                       usd > PRICE_MAX_USD ? "is more than any transfer costs" : why);
        return;
    }
    t.per_gb = llround(usd * (double)NANO_PER_USD);
    struct catalog_route *last = b->n_routes ? &b->routes[b->n_routes - 1] : NULL;
    if (last && memcmp(last->pattern, r.pattern, sizeof(r.pattern)) == 0) {
        if (t.up_to_gb <= b->tiers[b->n_tiers - 1].up_to_gb) {
            builder_report(b, COMPLAINT_REFUSED, line,
                           "UpToGB \"%.60s\" is not above the tier before it", f[4]);
            return;
        }
        last->n_tiers++;
    } else {
        r.first_tier = (uint32_t)b->n_tiers;
        GROW(b, routes);
        b->routes[b->n_routes++] = r;
    }
    GROW(b, tiers);
    b->tiers[b->n_tiers++] = t;
}

void egress_csv_add(struct builder *b, char *text, size_t len)
{
    const char *f[6];
    int at[6], n, n_header;
    struct csv csv;

    if (strlen(text) != len) {
        builder_report(b, COMPLAINT_SKIPPED, 0, "not read: it has NUL bytes");
        return;
    }
    csv_init(&csv, text, len);
    if (!reader_header(b, egress_column, 6, 6, &csv, at))
        return;
    n_header = csv.n;
    while (reader_next(b, &csv, n_header, &n)) {
        for (int c = 0; c < 6; c++)
            f[c] = csv.field[at[c]];
        add_tier(b, csv.line, f);
    }
}
