// SPDX-License-Identifier: GPL-3.0-or-later
// What the commands that print a table of burstd's rows share: such a command is its columns, a
// request and its own options; the rest is here.
#ifndef BURST_CMD_LISTING_H
#define BURST_CMD_LISTING_H

#include "cmd/columns.h"
#include "cmd/options.h"

#define LISTING_KEEPS 3

struct listing {
    const char *method; // what burstd is asked; the answer is an array of objects
    const struct column *columns;
    // Order of the rows; gets pointers to cJSON pointers.
    int (*compare)(const void *, const void *);
    // Filters: only rows whose text under key is one of a list with commas, without regard to case;
    // NULL keeps all. The options of the command set the lists.
    struct {
        const char *key, *list;
    } keep[LISTING_KEEPS];
    struct columns_how how; // how.dflt is the command's, the rest comes from LISTING_OPTIONS
    bool json;
};

// In the table of a command's options.
#define LISTING_OPTIONS(l)                                                                         \
    {'o', "format", .word = &(l).how.letters}, {'O', "Format", .word = &(l).how.names},            \
        {'h', "noheader", .flag = &(l).how.noheader},                                              \
    {                                                                                              \
        0, "json", .flag = &(l).json                                                               \
    }

// The end of their help texts; more goes behind "no line of titles".
void listing_help(const char *example_letters, const char *example_names, const char *more,
                  const struct column *columns);

// In the columns of what runs somewhere: place, cloud, region ... price and cost.
void listing_place(const cJSON *row, char *buf, size_t size);
#define LISTING_PLACE_COLUMNS                                                                      \
    {'w', "place", "PLACE", COLUMN_OWN, NULL, listing_place},                                      \
        {'c', "cloud", "CLOUD", COLUMN_TEXT, "cloud", NULL},                                       \
        {'R', "region", "REGION", COLUMN_TEXT, "region", NULL},                                    \
        {'z', "zone", "ZONE", COLUMN_TEXT, "zone", NULL},                                          \
        {'y', "type", "TYPE", COLUMN_TEXT, "instance_type", NULL},                                 \
        {'m', "market", "MARKET", COLUMN_TEXT, "market", NULL},                                    \
        {'s', "shape", "SHAPE", COLUMN_TEXT, "shape", NULL},                                       \
        {'p', "price", "$/HOUR", COLUMN_MONEY, "price_uusd_per_hour", NULL},                       \
    {                                                                                              \
        'C', "cost", "COST", COLUMN_MONEY, "cost_uusd", NULL                                       \
    }

// Sorts an array; compare gets pointers to cJSON pointers.
void listing_sort(cJSON *rows, int (*compare)(const void *, const void *));
// Keeps the rows that pass a test.
void listing_keep_if(cJSON *rows, bool (*keep)(const cJSON *row));

// Asks burstd (params is taken over), puts the rows in order, keeps those that are wanted and
// prints them. The exit status; *n_rows (may be NULL): how many were printed. name is that of the
// command, for the message about a wrong format.
int listing_show(const struct listing *l, const char *name, cJSON *params, int *n_rows);

// Only the last step: prints rows as a table of these columns, or value as JSON.
int listing_print(const struct listing *l, const char *name, const struct column *columns,
                  const cJSON *rows, const cJSON *value);

#endif
