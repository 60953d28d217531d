// SPDX-License-Identifier: GPL-3.0-or-later
// See cloud_csv.h.
#include "catalog/cloud_csv.h"

#include <math.h>
#include <string.h>

#include "catalog/number.h"
#include "catalog/quarantine.h"
#include "catalog/reader.h"

enum column {
    COL_TYPE,
    COL_ACC,
    COL_COUNT,
    COL_VCPUS,
    COL_MEMORY,
    COL_PRICE,
    COL_REGION,
    COL_SPOT, // from here on a file may lack the column
    COL_ZONE,
    COLUMNS
};
#define COLUMNS_NEEDED COL_SPOT

static const char *const column_name[COLUMNS] = {
    "InstanceType", "AcceleratorName", "AcceleratorCount", "vCPUs",           "MemoryGiB",
    "Price",        "Region",          "SpotPrice",        "AvailabilityZone"};

// Refuses the row: "Price \"-1\" is negative".
static int refuse_field(struct builder *b, unsigned line, enum column c, const char *value,
                        const char *why)
{
    builder_report(b, COMPLAINT_REFUSED, line, "%s \"%.60s\" %s", column_name[c], value, why);
    return -1;
}

static int check_row(struct builder *b, unsigned line, const char *const f[COLUMNS],
                     struct catalog_type *type, struct row *row)
{
    const char *why;
    int64_t *price = row->offer.price;

    static const enum column names[] = {COL_TYPE, COL_ACC, COL_REGION, COL_ZONE};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (reader_bad_name(f[names[i]]))
            return refuse_field(b, line, names[i], f[names[i]],
                                "is too long or has control characters");
    if (number_price(f[COL_PRICE], &price[MARKET_ON_DEMAND], &why) < 0)
        return refuse_field(b, line, COL_PRICE, f[COL_PRICE], why);
    if (number_price(f[COL_SPOT], &price[MARKET_SPOT], &why) < 0)
        return refuse_field(b, line, COL_SPOT, f[COL_SPOT], why);
    if (number_amount(f[COL_COUNT], &type->count, &why) < 0)
        return refuse_field(b, line, COL_COUNT, f[COL_COUNT], why);
    if (number_amount(f[COL_VCPUS], &type->vcpus, &why) < 0)
        return refuse_field(b, line, COL_VCPUS, f[COL_VCPUS], why);
    if (number_amount(f[COL_MEMORY], &type->memory_gib, &why) < 0)
        return refuse_field(b, line, COL_MEMORY, f[COL_MEMORY], why);
    if (price[MARKET_SPOT] == 0)
        price[MARKET_SPOT] = NO_PRICE;
    if (!*f[COL_REGION])
        return refuse_field(b, line, COL_REGION, "", "is empty");
    if (*f[COL_ACC] && type->count <= 0)
        return refuse_field(b, line, COL_COUNT, f[COL_COUNT], "does not fit an accelerator's name");
    if (price[MARKET_ON_DEMAND] != NO_PRICE && price[MARKET_SPOT] != NO_PRICE &&
        price[MARKET_ON_DEMAND] < price[MARKET_SPOT]) {
        builder_report(b, COMPLAINT_REFUSED, line,
                       "on-demand price %.20s is below the spot price %.20s", f[COL_PRICE],
                       f[COL_SPOT]);
        return -1;
    }
    return 0;
}

static void add_row(struct builder *b, uint32_t cloud, unsigned line, const char *const f[COLUMNS])
{
    struct catalog_type type = {.cloud = cloud};
    struct row row = {.offer.line = line, .per_accelerator = NO_PRICE};

    if (check_row(b, line, f, &type, &row) < 0)
        return;
    if (row.offer.price[MARKET_ON_DEMAND] == NO_PRICE && row.offer.price[MARKET_SPOT] == NO_PRICE)
        return; // on no market: says nothing
    row.rentable = *f[COL_TYPE] != '\0';
    type.name = builder_intern(b, f[COL_TYPE]);
    type.accelerator = builder_intern(b, f[COL_ACC]);
    row.offer.type = builder_type(b, &type);
    row.offer.region = builder_region(b, cloud, f[COL_REGION]);
    row.offer.zone = builder_intern(b, f[COL_ZONE]);
    if (type.accelerator && row.offer.price[MARKET_ON_DEMAND] != NO_PRICE)
        row.per_accelerator = llround((double)row.offer.price[MARKET_ON_DEMAND] / type.count);
    GROW(b, rows);
    b->rows[b->n_rows++] = row;
}

// Takes out what is quarantined and what cannot be rented. The latter were kept until now because
// their prices count for the median.
static void drop_rows(struct builder *b, size_t first_row)
{
    size_t n = first_row;

    for (size_t i = first_row; i < b->n_rows; i++) {
        if (b->rows[i].quarantined)
            continue;
        if (!b->rows[i].rentable) {
            builder_report(b, COMPLAINT_REFUSED, b->rows[i].offer.line,
                           "InstanceType is empty: an accelerator without a host cannot be rented");
            continue;
        }
        b->rows[n++] = b->rows[i];
    }
    b->n_rows = n;
}

bool cloud_csv_add(struct builder *b, const char *name, char *text, size_t len)
{
    const char *f[COLUMNS];
    int at[COLUMNS], n, n_header;
    size_t first_row = b->n_rows, first_type = b->n_types;
    struct csv csv;

    if (strlen(text) != len) {
        builder_report(b, COMPLAINT_SKIPPED, 0, "not read: it has NUL bytes");
        return false;
    }
    csv_init(&csv, text, len);
    if (!reader_header(b, column_name, COLUMNS, COLUMNS_NEEDED, &csv, at))
        return false;
    n_header = csv.n;
    GROW(b, clouds);
    uint32_t cloud = (uint32_t)b->n_clouds++;
    b->clouds[cloud] =
        (struct catalog_cloud){.name = builder_intern(b, name), .first_type = (uint32_t)first_type};
    while (reader_next(b, &csv, n_header, &n)) {
        for (int c = 0; c < COLUMNS; c++)
            f[c] = at[c] < 0 ? "" : csv.field[at[c]];
        add_row(b, cloud, csv.line, f);
    }
    quarantine_rows(b, first_row);
    drop_rows(b, first_row);
    b->clouds[cloud].n_types = (uint32_t)(b->n_types - first_type);
    return true;
}
