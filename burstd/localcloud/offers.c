// SPDX-License-Identifier: GPL-3.0-or-later
#include "localcloud/offers.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/fsutil.h"
#include "libburst/xalloc.h"

#define MAX_FILE (64u << 20)
#define MAX_FIELDS 32
#define MAX_ACCELERATORS 64

// From NEEDED on a file may lack the column.
enum column {
    TYPE,
    COUNT,
    PRICE,
    SPOT,
    REGION,
    ZONE,
    NEEDED,
    ACCELERATOR = NEEDED,
    VCPUS,
    MEMORY,
    COLUMNS
};
static const char *const column_names[COLUMNS] = {
    "InstanceType",     "AcceleratorCount", "Price", "SpotPrice", "Region",
    "AvailabilityZone", "AcceleratorName",  "vCPUs", "MemoryGiB"};

struct offers {
    struct offer *rows;
    size_t n, cap;
    char *text; // the fields point into this copy
};

// Splits one record at *p in place: quotes are taken off, *p moves behind the line end. Returns the
// number of fields, or -1 when the record is malformed (*p is then behind the physical line).
static int split_record(char **p, unsigned *line, char *fields[MAX_FIELDS])
{
    char *in = *p;
    int n = 0;
    bool bad = false;

    for (;;) {
        char *out = in, *start = in;
        if (*in == '"') {
            in++;
            start = out = in;
            while (*in && !(in[0] == '"' && in[1] != '"')) {
                if (*in == '"')
                    in++; // a doubled quote is one
                if (*in == '\n')
                    ++*line;
                *out++ = *in++;
            }
            bad = bad || *in != '"';
            if (*in)
                in++;
            bad = bad || (*in && *in != ',' && *in != '\n' && *in != '\r');
            while (*in && *in != ',' && *in != '\n')
                in++;
        } else {
            while (*in && *in != ',' && *in != '\n')
                in++;
            out = in;
            if (out > start && out[-1] == '\r' && *in != ',')
                out--;
        }
        char end = *in;
        *out = '\0';
        if (n < MAX_FIELDS)
            fields[n++] = start;
        else
            bad = true;
        if (end)
            in++;
        if (end != ',')
            break;
    }
    *p = in;
    return bad ? -1 : n;
}

static int parse_header(const char *name, char *fields[], int n, int where[COLUMNS],
                        burst_error_t *errp)
{
    for (int c = 0; c < COLUMNS; c++) {
        where[c] = -1;
        for (int i = 0; i < n; i++)
            if (strcmp(fields[i], column_names[c]) == 0)
                where[c] = i;
        if (where[c] < 0 && c < NEEDED)
            return errprintf(errp,
                             "%s: line 1: no column %s; a catalog's first line is InstanceType,"
                             "AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,"
                             "SpotPrice,Region,AvailabilityZone",
                             name, column_names[c]);
    }
    return 0;
}

// An empty price and a price of 0 both say: not on this market.
static int parse_price(const char *column, const char *text, money_t *out, burst_error_t *errp)
{
    *out = MONEY_UNKNOWN;
    if (!*text)
        return 0;
    if (money_parse(text, out, errp) < 0)
        return errprefix(errp, "%s", column);
    if (*out == 0)
        *out = MONEY_UNKNOWN;
    return 0;
}

// What cannot be read is not shown.
static double parse_amount(char *fields[], int where)
{
    char *end;
    double d = where >= 0 ? strtod(fields[where], &end) : 0;

    return where >= 0 && !*end && isfinite(d) && d > 0 ? d : 0;
}

static int parse_row(char *fields[], int n, const int where[COLUMNS], struct offer *row,
                     burst_error_t *errp)
{
    for (int c = 0; c < COLUMNS; c++)
        if (where[c] >= n)
            return errprintf(errp, "%d fields, %s is missing", n, column_names[c]);
    row->instance_type = fields[where[TYPE]];
    row->region = fields[where[REGION]];
    row->zone = fields[where[ZONE]];
    row->accelerator = where[ACCELERATOR] < 0 ? "" : fields[where[ACCELERATOR]];
    row->count = parse_amount(fields, where[COUNT]);
    row->vcpus = parse_amount(fields, where[VCPUS]);
    row->memory_gib = parse_amount(fields, where[MEMORY]);
    if (!*row->instance_type || !*row->region)
        return errprintf(errp, "an offer needs InstanceType and Region");
    const char *count = fields[where[COUNT]];
    row->accelerators = 0;
    if (*count) {
        char *end;
        errno = 0;
        double d = strtod(count, &end);
        if (errno || *end || isnan(d) || d < 0 || d > MAX_ACCELERATORS)
            return errprintf(errp, "AcceleratorCount \"%.20s\" is not a number from 0 to %d", count,
                             MAX_ACCELERATORS);
        row->accelerators = (unsigned)d;
    }
    if (parse_price("Price", fields[where[PRICE]], &row->on_demand, errp) < 0 ||
        parse_price("SpotPrice", fields[where[SPOT]], &row->spot, errp) < 0)
        return -1;
    if (row->on_demand == MONEY_UNKNOWN && row->spot == MONEY_UNKNOWN)
        return errprintf(errp, "no price on any market");
    return 0;
}

struct offers *offers_parse(const char *name, const char *text, size_t len, offers_complaint cb,
                            void *arg, burst_error_t *errp)
{
    struct offers *o = xmalloc(sizeof(*o));
    int where[COLUMNS];
    unsigned line = 1;
    char *fields[MAX_FIELDS];

    o->text = xmalloc(len + 1);
    memcpy(o->text, text, len);
    char *p = o->text;
    if (strncmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3; // a byte order mark, as spreadsheets write it
    int n = split_record(&p, &line, fields);
    if (parse_header(name, fields, n, where, errp) < 0) {
        offers_free(o);
        return NULL;
    }
    while (*p) {
        unsigned at = ++line;
        burst_error_t why;
        struct offer row;
        n = split_record(&p, &line, fields);
        if (n == 1 && !*fields[0])
            continue;
        if (n < 0) {
            errprintf(&why, "quotes do not match, or more than %d fields", MAX_FIELDS);
        } else if (parse_row(fields, n, where, &row, &why) == 0) {
            if (o->n == o->cap) {
                o->cap = o->cap ? o->cap * 2 : 64;
                o->rows = xrealloc(o->rows, o->cap * sizeof(*o->rows));
            }
            o->rows[o->n++] = row;
            continue;
        }
        if (cb)
            cb(arg, at, why.text);
    }
    return o;
}

struct offers *offers_load(const char *path, offers_complaint cb, void *arg, burst_error_t *errp)
{
    char *text;
    size_t len;

    if (fs_read(path, MAX_FILE, &text, &len, errp) < 0)
        return NULL;
    struct offers *o = offers_parse(path, text, len, cb, arg, errp);
    free(text);
    return o;
}

void offers_free(struct offers *o)
{
    if (!o)
        return;
    free(o->rows);
    free(o->text);
    free(o);
}

size_t offers_count(const struct offers *o)
{
    return o->n;
}

const struct offer *offers_at(const struct offers *o, size_t i)
{
    return i < o->n ? &o->rows[i] : NULL;
}

money_t offer_price(const struct offer *o, bool spot)
{
    return spot ? o->spot : o->on_demand;
}

const struct offer *offers_next(const struct offers *o, size_t *i, const char *instance_type,
                                const char *region, const char *zone, bool spot)
{
    while (*i < o->n) {
        const struct offer *row = &o->rows[(*i)++];
        if (strcmp(row->instance_type, instance_type) != 0 || strcmp(row->region, region) != 0)
            continue;
        if (*zone && *row->zone && strcmp(row->zone, zone) != 0)
            continue;
        if (offer_price(row, spot) != MONEY_UNKNOWN)
            return row;
    }
    return NULL;
}
