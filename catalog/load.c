// SPDX-License-Identifier: GPL-3.0-or-later
// Reads CLOUD.csv and egress.csv into one block. A row that cannot be true is reported with file,
// line and reason, and left out; a file whose header is not a catalog's is skipped.
//
// An on-demand price per accelerator under 0.6 of the median of the same cloud and accelerator is
// quarantined: public catalogs have carried prices that no cloud ever asked (an accelerator priced
// like its host), and a planner would send every job there. The rule also hits the small sizes of
// some families, whose larger sizes carry more than the accelerator: what a site has looked at and
// found to be right it lists in accepted.txt (cloud/INSTANCE patterns, one a line).
#include "catalog/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "catalog/csv.h"
#include "catalog/glob.h"
#include "catalog/image.h"
#include "libburst/fsutil.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define FILE_MAX (256u << 20)
#define ACCEPTED_NAME "accepted.txt"
#define ACCEPTED_MAX (1u << 20)
#define NAME_LEN_MAX 200
#define PRICE_MAX_USD 1000000.0 // an hour of one instance
#define AMOUNT_MAX 1e9          // vCPUs, GiB, accelerators
#define QUARANTINE_SHARE 0.6L

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

// Open addressing over ids; what an id stands for and how it compares is its user's business.
struct table {
    uint32_t *slot; // id + 1, 0 = free
    size_t cap, n;
};

struct row {
    struct catalog_offer offer;
    int64_t per_accelerator; // nano-dollars on demand, NO_PRICE = not to be judged
    bool rentable;           // has an instance type
    bool quarantined;
};

struct builder {
    catalog_complain_fn complain;
    void *arg;
    const char *file; // that is being read
    char *accepted;   // text of accepted.txt, lines terminated; NULL = none
    size_t accepted_len;
    uint32_t refused, quarantined;
    struct strbuf pool;
    struct table strings, type_table, region_table;
    struct catalog_cloud *clouds;
    struct catalog_region *regions;
    struct catalog_type *types;
    struct row *rows;
    struct catalog_route *routes;
    struct catalog_tier *tiers;
    size_t n_clouds, n_regions, n_types, n_rows, n_routes, n_tiers;
    size_t cap_clouds, cap_regions, cap_types, cap_rows, cap_routes, cap_tiers;
};

#define GROW(b, what)                                                                              \
    do {                                                                                           \
        if ((b)->n_##what == (b)->cap_##what) {                                                    \
            (b)->cap_##what = (b)->cap_##what ? (b)->cap_##what * 2 : 64;                          \
            (b)->what = xrealloc((b)->what, (b)->cap_##what * sizeof(*(b)->what));                 \
        }                                                                                          \
    } while (0)

static uint64_t hash_bytes(const void *data, size_t len, uint64_t h)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h ^ (h >> 29);
}

#define HASH_START UINT64_C(0xcbf29ce484222325)

static void table_grow(struct table *t, uint64_t (*hash)(const struct builder *, uint32_t),
                       const struct builder *b)
{
    size_t cap = t->cap ? t->cap * 2 : 1024;
    uint32_t *slot = xcalloc(cap, sizeof(*slot));

    for (size_t i = 0; i < t->cap; i++) {
        if (!t->slot[i])
            continue;
        size_t at = hash(b, t->slot[i] - 1) & (cap - 1);
        while (slot[at])
            at = (at + 1) & (cap - 1);
        slot[at] = t->slot[i];
    }
    free(t->slot);
    t->slot = slot;
    t->cap = cap;
}

static uint64_t hash_string(const struct builder *b, uint32_t id)
{
    const char *s = b->pool.data + id;
    return hash_bytes(s, strlen(s), HASH_START);
}

static str_id intern(struct builder *b, const char *s)
{
    size_t len = strlen(s);
    struct table *t = &b->strings;

    if (!len)
        return 0;
    if (t->n * 2 >= t->cap)
        table_grow(t, hash_string, b);
    size_t at = hash_bytes(s, len, HASH_START) & (t->cap - 1);
    for (; t->slot[at]; at = (at + 1) & (t->cap - 1))
        if (strcmp(b->pool.data + t->slot[at] - 1, s) == 0)
            return t->slot[at] - 1;
    str_id id = (str_id)b->pool.len;
    strbuf_add(&b->pool, s, len + 1);
    t->slot[at] = id + 1;
    t->n++;
    return id;
}

static uint64_t hash_region(const struct builder *b, uint32_t i)
{
    const struct catalog_region *r = &b->regions[i];
    return hash_bytes(&r->name, sizeof(r->name), HASH_START + r->cloud);
}

static uint32_t region_of(struct builder *b, uint32_t cloud, const char *name)
{
    struct table *t = &b->region_table;

    GROW(b, regions);
    b->regions[b->n_regions] = (struct catalog_region){.cloud = cloud, .name = intern(b, name)};
    if (t->n * 2 >= t->cap)
        table_grow(t, hash_region, b);
    size_t at = hash_region(b, (uint32_t)b->n_regions) & (t->cap - 1);
    for (; t->slot[at]; at = (at + 1) & (t->cap - 1)) {
        const struct catalog_region *r = &b->regions[t->slot[at] - 1];
        if (r->cloud == cloud && r->name == b->regions[b->n_regions].name)
            return t->slot[at] - 1;
    }
    t->slot[at] = (uint32_t)b->n_regions + 1;
    t->n++;
    return (uint32_t)b->n_regions++;
}

static uint64_t hash_type(const struct builder *b, uint32_t i)
{
    const struct catalog_type *y = &b->types[i];
    uint64_t h = hash_bytes(&y->name, sizeof(y->name), HASH_START + y->cloud);

    h = hash_bytes(&y->accelerator, sizeof(y->accelerator), h);
    h = hash_bytes(&y->count, sizeof(y->count), h);
    h = hash_bytes(&y->vcpus, sizeof(y->vcpus), h);
    return hash_bytes(&y->memory_gib, sizeof(y->memory_gib), h);
}

static bool same_type(const struct catalog_type *a, const struct catalog_type *b)
{
    return a->cloud == b->cloud && a->name == b->name && a->accelerator == b->accelerator &&
           a->count == b->count && a->vcpus == b->vcpus && a->memory_gib == b->memory_gib;
}

static uint32_t type_of(struct builder *b, const struct catalog_type *type)
{
    struct table *t = &b->type_table;

    // Rows of one type mostly stand together.
    if (b->n_types && same_type(&b->types[b->n_types - 1], type))
        return (uint32_t)b->n_types - 1;
    GROW(b, types);
    b->types[b->n_types] = *type;
    if (t->n * 2 >= t->cap)
        table_grow(t, hash_type, b);
    size_t at = hash_type(b, (uint32_t)b->n_types) & (t->cap - 1);
    for (; t->slot[at]; at = (at + 1) & (t->cap - 1))
        if (same_type(&b->types[t->slot[at] - 1], type))
            return t->slot[at] - 1;
    t->slot[at] = (uint32_t)b->n_types + 1;
    t->n++;
    return (uint32_t)b->n_types++;
}

static void report(struct builder *b, enum complaint_kind kind, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void report(struct builder *b, enum complaint_kind kind, unsigned line, const char *fmt, ...)
{
    char text[512];
    struct catalog_complaint c = {.kind = kind, .file = b->file, .line = line, .text = text};
    va_list ap;

    b->refused += kind == COMPLAINT_REFUSED;
    b->quarantined += kind == COMPLAINT_QUARANTINED;
    if (!b->complain)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    b->complain(b->arg, &c);
}

// A decimal number without sign, blanks or names like "inf". Also 1e-05, as programs print it.
static int parse_number(const char *s, double *out, const char **why)
{
    static const double power[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *p = s + (*s == '-');
    uint64_t mantissa = 0;
    int digits = 0, decimals = 0;

    for (; *p >= '0' && *p <= '9'; p++, digits++)
        mantissa = digits < 19 ? mantissa * 10 + (uint64_t)(*p - '0') : mantissa;
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++, digits++, decimals++)
            mantissa = digits < 19 ? mantissa * 10 + (uint64_t)(*p - '0') : mantissa;
    *why = "is not a number";
    if (!digits)
        return -1;
    // Up to 2^53 over an exact power of ten one division rounds correctly; strtod does the rest.
    if (*p == '\0' && digits < 19 && mantissa < (UINT64_C(1) << 53) && decimals <= 22) {
        *out = (double)mantissa / power[decimals];
    } else {
        char *end;
        if (*p && *p != 'e' && *p != 'E')
            return -1;
        *out = strtod(s + (*s == '-'), &end);
        if (*end || !isfinite(*out))
            return -1;
    }
    *why = "is negative";
    return *s == '-' && *out != 0 ? -1 : 0;
}

static int parse_price(const char *s, int64_t *out, const char **why)
{
    double usd;

    *out = NO_PRICE;
    if (!*s)
        return 0;
    if (parse_number(s, &usd, why) < 0)
        return -1;
    *why = "is more than any instance costs";
    if (usd > PRICE_MAX_USD)
        return -1;
    *out = llround(usd * (double)NANO_PER_USD);
    return 0;
}

static int parse_amount(const char *s, double *out, const char **why)
{
    *out = 0;
    if (!*s)
        return 0;
    if (parse_number(s, out, why) < 0)
        return -1;
    *why = "is more than any instance has";
    return *out > AMOUNT_MAX ? -1 : 0;
}

static bool bad_name(const char *s)
{
    size_t i;

    for (i = 0; s[i]; i++)
        if ((unsigned char)s[i] < 32 || s[i] == 127)
            return true;
    return i > NAME_LEN_MAX;
}

// Refuses the row: "Price \"-1\" is negative".
static int refuse_field(struct builder *b, unsigned line, enum column c, const char *value,
                        const char *why)
{
    report(b, COMPLAINT_REFUSED, line, "%s \"%.60s\" %s", column_name[c], value, why);
    return -1;
}

static int check_row(struct builder *b, unsigned line, const char *const f[COLUMNS],
                     struct catalog_type *type, struct row *row)
{
    const char *why;
    int64_t *price = row->offer.price;

    static const enum column names[] = {COL_TYPE, COL_ACC, COL_REGION, COL_ZONE};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (bad_name(f[names[i]]))
            return refuse_field(b, line, names[i], f[names[i]],
                                "is too long or has control characters");
    if (parse_price(f[COL_PRICE], &price[MARKET_ON_DEMAND], &why) < 0)
        return refuse_field(b, line, COL_PRICE, f[COL_PRICE], why);
    if (parse_price(f[COL_SPOT], &price[MARKET_SPOT], &why) < 0)
        return refuse_field(b, line, COL_SPOT, f[COL_SPOT], why);
    if (parse_amount(f[COL_COUNT], &type->count, &why) < 0)
        return refuse_field(b, line, COL_COUNT, f[COL_COUNT], why);
    if (parse_amount(f[COL_VCPUS], &type->vcpus, &why) < 0)
        return refuse_field(b, line, COL_VCPUS, f[COL_VCPUS], why);
    if (parse_amount(f[COL_MEMORY], &type->memory_gib, &why) < 0)
        return refuse_field(b, line, COL_MEMORY, f[COL_MEMORY], why);
    if (price[MARKET_SPOT] == 0)
        price[MARKET_SPOT] = NO_PRICE;
    if (!*f[COL_REGION])
        return refuse_field(b, line, COL_REGION, "", "is empty");
    if (*f[COL_ACC] && type->count <= 0)
        return refuse_field(b, line, COL_COUNT, f[COL_COUNT], "does not fit an accelerator's name");
    if (price[MARKET_ON_DEMAND] != NO_PRICE && price[MARKET_SPOT] != NO_PRICE &&
        price[MARKET_ON_DEMAND] < price[MARKET_SPOT]) {
        report(b, COMPLAINT_REFUSED, line, "on-demand price %.20s is below the spot price %.20s",
               f[COL_PRICE], f[COL_SPOT]);
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
    type.name = intern(b, f[COL_TYPE]);
    type.accelerator = intern(b, f[COL_ACC]);
    row.offer.type = type_of(b, &type);
    row.offer.region = region_of(b, cloud, f[COL_REGION]);
    row.offer.zone = intern(b, f[COL_ZONE]);
    if (type.accelerator && row.offer.price[MARKET_ON_DEMAND] != NO_PRICE)
        row.per_accelerator = llround((double)row.offer.price[MARKET_ON_DEMAND] / type.count);
    GROW(b, rows);
    b->rows[b->n_rows++] = row;
}

struct judged {
    str_id accelerator;
    int64_t price;
    size_t row;
};

static int by_accelerator(const void *pa, const void *pb)
{
    const struct judged *a = pa, *b = pb;

    if (a->accelerator != b->accelerator)
        return a->accelerator < b->accelerator ? -1 : 1;
    if (a->price != b->price)
        return a->price < b->price ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static bool is_accepted(const struct builder *b, const struct row *r)
{
    const struct catalog_type *t = &b->types[r->offer.type];
    const char *cloud = b->pool.data + b->clouds[t->cloud].name, *name = b->pool.data + t->name;
    size_t len = strlen(cloud);

    for (const char *p = b->accepted; p && p < b->accepted + b->accepted_len; p += strlen(p) + 1)
        if (strncmp(p, cloud, len) == 0 && p[len] == '/' && glob_match(p + len + 1, name))
            return true;
    return false;
}

// Rows of one accelerator, cheapest first.
static void quarantine_group(struct builder *b, const struct judged *j, size_t n)
{
    long double median = n % 2
                             ? (long double)j[n / 2].price
                             : ((long double)j[n / 2 - 1].price + (long double)j[n / 2].price) / 2;

    for (size_t i = 0; i < n && (long double)j[i].price < QUARANTINE_SHARE * median; i++) {
        if (is_accepted(b, &b->rows[j[i].row]))
            continue;
        b->rows[j[i].row].quarantined = true;
        report(b, COMPLAINT_QUARANTINED, b->rows[j[i].row].offer.line,
               "on-demand price of $%.4f per %s is under 0.6 of this cloud's median of $%.4Lf; "
               "not used",
               (double)j[i].price / 1e9, b->pool.data + j[i].accelerator, median / 1e9L);
    }
}

static void quarantine(struct builder *b, size_t first_row)
{
    struct judged *j = xcalloc(b->n_rows - first_row + 1, sizeof(*j));
    size_t n = 0;

    for (size_t i = first_row; i < b->n_rows; i++)
        if (b->rows[i].per_accelerator != NO_PRICE)
            j[n++] = (struct judged){b->types[b->rows[i].offer.type].accelerator,
                                     b->rows[i].per_accelerator, i};
    if (n)
        qsort(j, n, sizeof(*j), by_accelerator);
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i; k < n && j[k].accelerator == j[i].accelerator; k++)
            ;
        quarantine_group(b, j + i, k - i);
    }
    free(j);
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
            report(b, COMPLAINT_REFUSED, b->rows[i].offer.line,
                   "InstanceType is empty: an accelerator without a host cannot be rented");
            continue;
        }
        b->rows[n++] = b->rows[i];
    }
    b->n_rows = n;
}

// Reads the header line: at[c] = position of a column or -1. False when it is no catalog.
static bool read_header(struct builder *b, const char *const *want, int n_want, int n_needed,
                        struct csv *csv, int *at)
{
    const char *why = NULL;
    int n = csv_next(csv, &why);

    if (n <= 0) {
        report(b, COMPLAINT_SKIPPED, 0, "not read: %s", n < 0 ? why : "the file is empty");
        return false;
    }
    for (int c = 0; c < n_want; c++) {
        at[c] = -1;
        for (int i = 0; i < n; i++)
            if (strcmp(csv->field[i], want[c]) == 0)
                at[c] = i;
        if (at[c] < 0 && c < n_needed) {
            report(b, COMPLAINT_SKIPPED, 0, "not read: the header has no column %s", want[c]);
            return false;
        }
    }
    return true;
}

static bool next_row(struct builder *b, struct csv *csv, int n_header, int *n)
{
    const char *why = NULL;

    for (;;) {
        *n = csv_next(csv, &why);
        if (*n == 0)
            return false;
        if (*n < 0)
            report(b, COMPLAINT_REFUSED, csv->line, "%s", why);
        else if (*n == 1 && !*csv->field[0])
            continue; // empty line
        else if (*n != n_header)
            report(b, COMPLAINT_REFUSED, csv->line, "%d fields where the header has %d", *n,
                   n_header);
        else
            return true;
    }
}

static bool add_cloud(struct builder *b, const char *name, char *text, size_t len)
{
    const char *f[COLUMNS];
    int at[COLUMNS], n, n_header;
    size_t first_row = b->n_rows, first_type = b->n_types;
    struct csv csv;

    if (strlen(text) != len) {
        report(b, COMPLAINT_SKIPPED, 0, "not read: it has NUL bytes");
        return false;
    }
    csv_init(&csv, text, len);
    if (!read_header(b, column_name, COLUMNS, COLUMNS_NEEDED, &csv, at))
        return false;
    n_header = csv.n;
    GROW(b, clouds);
    uint32_t cloud = (uint32_t)b->n_clouds++;
    b->clouds[cloud] =
        (struct catalog_cloud){.name = intern(b, name), .first_type = (uint32_t)first_type};
    while (next_row(b, &csv, n_header, &n)) {
        for (int c = 0; c < COLUMNS; c++)
            f[c] = at[c] < 0 ? "" : csv.field[at[c]];
        add_row(b, cloud, csv.line, f);
    }
    quarantine(b, first_row);
    drop_rows(b, first_row);
    b->clouds[cloud].n_types = (uint32_t)(b->n_types - first_type);
    return true;
}

static const char *const egress_column[] = {"SrcCloud",  "SrcRegion", "DstCloud",
                                            "DstRegion", "UpToGB",    "USDPerGB"};

static void add_tier(struct builder *b, unsigned line, const char *const f[6])
{
    struct catalog_route r = {.n_tiers = 1};
    struct catalog_tier t = {.up_to_gb = HUGE_VAL};
    const char *why;
    double usd;

    for (int i = 0; i < 4; i++) {
        if (!*f[i] || bad_name(f[i])) {
            report(b, COMPLAINT_REFUSED, line, "%s \"%.60s\" is not a pattern (any is *)",
                   egress_column[i], f[i]);
            return;
        }
        r.pattern[i] = intern(b, f[i]);
    }
    if (*f[4] && parse_number(f[4], &t.up_to_gb, &why) < 0) {
        report(b, COMPLAINT_REFUSED, line, "UpToGB \"%.60s\" %s", f[4], why);
        return;
    }
    if (parse_number(f[5], &usd, &why) < 0 || usd > PRICE_MAX_USD) {
        report(b, COMPLAINT_REFUSED, line, "USDPerGB \"%.60s\" %s", f[5],
               usd > PRICE_MAX_USD ? "is more than any transfer costs" : why);
        return;
    }
    t.per_gb = llround(usd * (double)NANO_PER_USD);
    struct catalog_route *last = b->n_routes ? &b->routes[b->n_routes - 1] : NULL;
    if (last && memcmp(last->pattern, r.pattern, sizeof(r.pattern)) == 0) {
        if (t.up_to_gb <= b->tiers[b->n_tiers - 1].up_to_gb) {
            report(b, COMPLAINT_REFUSED, line, "UpToGB \"%.60s\" is not above the tier before it",
                   f[4]);
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

static void add_egress(struct builder *b, char *text, size_t len)
{
    const char *f[6];
    int at[6], n, n_header;
    struct csv csv;

    if (strlen(text) != len) {
        report(b, COMPLAINT_SKIPPED, 0, "not read: it has NUL bytes");
        return;
    }
    csv_init(&csv, text, len);
    if (!read_header(b, egress_column, 6, 6, &csv, at))
        return;
    n_header = csv.n;
    while (next_row(b, &csv, n_header, &n)) {
        for (int c = 0; c < 6; c++)
            f[c] = csv.field[at[c]];
        add_tier(b, csv.line, f);
    }
}

static void builder_init(struct builder *b, catalog_complain_fn complain, void *arg)
{
    memset(b, 0, sizeof(*b));
    b->complain = complain;
    b->arg = arg;
    strbuf_init(&b->pool, UINT32_MAX / 2);
    strbuf_add(&b->pool, "", 1);
}

static void builder_free(struct builder *b)
{
    strbuf_free(&b->pool);
    free(b->accepted);
    free(b->strings.slot);
    free(b->type_table.slot);
    free(b->region_table.slot);
    free(b->clouds);
    free(b->regions);
    free(b->types);
    free(b->rows);
    free(b->routes);
    free(b->tiers);
}

struct name_key {
    const char *text;
    str_id id;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct name_key *)a)->text, ((const struct name_key *)b)->text);
}

// rank[id / 1] would be as large as the pool; a rank per string in order of the text, found by id.
static uint32_t *string_ranks(const struct builder *b)
{
    uint32_t *rank = xcalloc(b->pool.len + 1, sizeof(*rank));
    struct name_key *k = xcalloc(b->strings.n + 1, sizeof(*k));
    size_t n = 0;

    k[n++] = (struct name_key){b->pool.data, 0};
    for (size_t i = 0; i < b->strings.cap; i++)
        if (b->strings.slot[i])
            k[n++] =
                (struct name_key){b->pool.data + b->strings.slot[i] - 1, b->strings.slot[i] - 1};
    qsort(k, n, sizeof(*k), by_text);
    for (size_t i = 0; i < n; i++)
        rank[k[i].id] = (uint32_t)i;
    free(k);
    return rank;
}

struct offer_key {
    uint32_t part[4]; // cloud, region, zone, instance type
    uint32_t offer;
};

static int by_names(const void *pa, const void *pb)
{
    const struct offer_key *a = pa, *b = pb;

    for (int i = 0; i < 4; i++)
        if (a->part[i] != b->part[i])
            return a->part[i] < b->part[i] ? -1 : 1;
    return a->offer < b->offer ? -1 : a->offer > b->offer;
}

static void rank_offers(const struct builder *b, struct catalog_offer *offers, size_t n)
{
    uint32_t *rank = string_ranks(b);
    struct offer_key *k = xcalloc(n + 1, sizeof(*k));

    for (size_t i = 0; i < n; i++) {
        const struct catalog_region *r = &b->regions[offers[i].region];
        k[i] = (struct offer_key){{rank[b->clouds[r->cloud].name], rank[r->name],
                                   rank[offers[i].zone], rank[b->types[offers[i].type].name]},
                                  (uint32_t)i};
    }
    if (n)
        qsort(k, n, sizeof(*k), by_names);
    for (size_t i = 0; i < n; i++)
        offers[k[i].offer].rank = (uint32_t)i;
    free(k);
    free(rank);
}

static size_t aligned(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

// Copies the rows into place, grouped by type (in file order within a type).
static void place_offers(struct builder *b, struct catalog_offer *out)
{
    uint32_t at = 0;

    for (size_t i = 0; i < b->n_rows; i++)
        b->types[b->rows[i].offer.type].n_offers++;
    for (size_t i = 0; i < b->n_types; i++) {
        b->types[i].first_offer = at;
        at += b->types[i].n_offers;
        b->types[i].n_offers = 0;
    }
    for (size_t i = 0; i < b->n_rows; i++) {
        struct catalog_type *t = &b->types[b->rows[i].offer.type];
        out[t->first_offer + t->n_offers++] = b->rows[i].offer;
    }
    rank_offers(b, out, b->n_rows);
}

static struct catalog *build(struct builder *b, uint64_t fingerprint)
{
    const size_t n[SECTIONS] = {b->n_clouds, b->n_regions, b->n_types, b->n_rows,
                                b->n_routes, b->n_tiers,   b->pool.len};
    struct catalog *c = xmalloc(sizeof(*c));
    size_t size = aligned(sizeof(*c->h)), offset[SECTIONS];

    for (int s = 0; s < SECTIONS; s++) {
        offset[s] = size;
        size += aligned(n[s] * image_element_size[s]);
    }
    c->h = xmalloc(size);
    memcpy(c->h->magic, IMAGE_MAGIC, sizeof(c->h->magic));
    c->h->version = IMAGE_VERSION;
    c->h->layout = image_layout();
    c->h->size = size;
    c->h->fingerprint = fingerprint;
    c->h->refused = b->refused;
    c->h->quarantined = b->quarantined;
    for (int s = 0; s < SECTIONS; s++)
        c->h->section[s] = (struct image_section){offset[s], n[s]};
    char *base = (char *)c->h;
    place_offers(b, (struct catalog_offer *)(base + offset[SEC_OFFERS]));
    const void *from[SECTIONS] = {b->clouds, b->regions, b->types,    NULL,
                                  b->routes, b->tiers,   b->pool.data};
    for (int s = 0; s < SECTIONS; s++)
        if (from[s] && n[s])
            memcpy(base + offset[s], from[s], n[s] * image_element_size[s]);
    image_attach(c);
    return c;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Names of the CSV files of a directory, sorted. The caller frees each and the array.
static char **csv_files(const char *dir, size_t *n, burst_error_t *errp)
{
    DIR *d = opendir(dir);
    char **names = NULL;
    struct dirent *e;
    size_t cap = 0;

    *n = 0;
    if (!d) {
        errprintf(errp, "catalog directory %s: %s", dir, strerror(errno));
        return NULL;
    }
    while ((e = readdir(d))) {
        size_t len = strlen(e->d_name);
        if (len < 5 || e->d_name[0] == '.' || strcmp(e->d_name + len - 4, ".csv") != 0)
            continue;
        if (*n == cap) {
            cap = cap ? cap * 2 : 16;
            names = xrealloc(names, cap * sizeof(*names));
        }
        names[(*n)++] = xstrdup(e->d_name);
    }
    closedir(d);
    if (!*n) {
        errprintf(errp, "catalog directory %s has no CLOUD.csv", dir);
        return NULL;
    }
    qsort(names, *n, sizeof(*names), by_name);
    return names;
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

static uint64_t hash_file(const char *dir, const char *name, uint64_t h)
{
    char *path = xasprintf("%s/%s", dir, name);
    struct stat st = {0};

    if (stat(path, &st) == 0) {
        int64_t key[5] = {st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (int64_t)st.st_ino,
                          (int64_t)st.st_dev};
        h = hash_bytes(name, strlen(name) + 1, h);
        h = hash_bytes(key, sizeof(key), h);
    }
    free(path);
    return h;
}

uint64_t catalog_fingerprint(const char *dir, burst_error_t *errp)
{
    size_t n;
    char **names = csv_files(dir, &n, errp);
    uint64_t h = HASH_START;

    if (!names)
        return 0;
    for (size_t i = 0; i < n; i++)
        h = hash_file(dir, names[i], h);
    h = hash_file(dir, ACCEPTED_NAME, h);
    free_names(names, n);
    return h ? h : 1;
}

static int load_file(struct builder *b, const char *dir, const char *name, burst_error_t *errp)
{
    char *path = xasprintf("%s/%s", dir, name), *text = NULL;
    size_t len;
    int rc = fs_read(path, FILE_MAX, &text, &len, errp);

    b->file = name;
    if (rc == 0 && strcmp(name, "egress.csv") == 0) {
        add_egress(b, text, len);
    } else if (rc == 0) {
        char *cloud = xstrdup(name);
        cloud[strlen(cloud) - 4] = '\0';
        add_cloud(b, cloud, text, len);
        free(cloud);
    }
    free(text);
    free(path);
    return rc;
}

static void load_accepted(struct builder *b, const char *dir)
{
    char *path = xasprintf("%s/" ACCEPTED_NAME, dir);

    if (fs_read(path, ACCEPTED_MAX, &b->accepted, &b->accepted_len, NULL) < 0)
        b->accepted = NULL;
    for (size_t i = 0; b->accepted && i < b->accepted_len; i++)
        if (strchr("\r\n \t", b->accepted[i])) // also cuts off a remark behind the pattern
            b->accepted[i] = '\0';
    free(path);
}

struct catalog *catalog_load(const char *dir, catalog_complain_fn complain, void *arg,
                             burst_error_t *errp)
{
    uint64_t fingerprint = catalog_fingerprint(dir, errp);
    struct catalog *c = NULL;
    struct builder b;
    size_t n;
    char **names = fingerprint ? csv_files(dir, &n, errp) : NULL;

    if (!names)
        return NULL;
    builder_init(&b, complain, arg);
    load_accepted(&b, dir);
    for (size_t i = 0; i < n; i++)
        if (load_file(&b, dir, names[i], errp) < 0)
            goto out;
    if (!b.n_clouds) {
        errprintf(errp,
                  "catalog directory %s: none of its CSV files is a catalog (their header lacks "
                  "columns like %s, %s, %s)",
                  dir, column_name[COL_TYPE], column_name[COL_PRICE], column_name[COL_REGION]);
        goto out;
    }
    c = build(&b, fingerprint);
out:
    builder_free(&b);
    free_names(names, n);
    return c;
}

static char *copy_text(const char *text, size_t len)
{
    char *t = xmalloc(len + 1);

    memcpy(t, text, len);
    return t;
}

struct catalog *catalog_from_text(const char *cloud, const char *csv, size_t len,
                                  const char *egress, size_t egress_len,
                                  catalog_complain_fn complain, void *arg, burst_error_t *errp)
{
    struct builder b;
    struct catalog *c = NULL;
    char *text = copy_text(csv, len);

    builder_init(&b, complain, arg);
    b.file = cloud;
    if (add_cloud(&b, cloud, text, len)) {
        if (egress) {
            char *e = copy_text(egress, egress_len);
            b.file = "egress.csv";
            add_egress(&b, e, egress_len);
            free(e);
        }
        c = build(&b, 0);
    } else {
        errprintf(errp, "%s: not a catalog", cloud);
    }
    builder_free(&b);
    free(text);
    return c;
}

struct catalog *catalog_from_texts(size_t n, const char *const *clouds, const char *const *csv,
                                   const char *egress, catalog_complain_fn complain, void *arg,
                                   burst_error_t *errp)
{
    struct builder b;
    struct catalog *c = NULL;

    builder_init(&b, complain, arg);
    for (size_t i = 0; i < n; i++) {
        char *text = xstrdup(csv[i]);
        bool ok;
        b.file = clouds[i];
        ok = add_cloud(&b, clouds[i], text, strlen(text));
        free(text);
        if (!ok) {
            errprintf(errp, "%s: not a catalog", clouds[i]);
            goto out;
        }
    }
    if (egress) {
        char *e = xstrdup(egress);
        b.file = "egress.csv";
        add_egress(&b, e, strlen(e));
        free(e);
    }
    c = build(&b, 0);
out:
    builder_free(&b);
    return c;
}
