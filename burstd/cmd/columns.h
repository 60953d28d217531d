// SPDX-License-Identifier: GPL-3.0-or-later
// Tables in Slurm's manner: columns by letters (-o "%.18i %j", as squeue) or by long names with
// widths (-O "jobid:10,cloud"), or a default set of columns as wide as they need to be.
#ifndef BURST_CMD_COLUMNS_H
#define BURST_CMD_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"

#define CELL_MAX 1200

enum column_kind {
    COLUMN_TEXT,     // a string
    COLUMN_NUMBER,   // an integer
    COLUMN_MONEY,    // micro-dollars
    COLUMN_TIME,     // epoch seconds
    COLUMN_DURATION, // seconds
    COLUMN_LIST,     // array of strings, joined with commas
    COLUMN_LENGTH,   // number of elements of an array
    COLUMN_AMOUNT,   // a number, with a fraction where it has one; 0 = not known
    COLUMN_OWN,      // .text writes it
};

// A table of columns ends with {0}.
struct column {
    char letter;      // for -o; 0 = none
    const char *name; // for -O, without regard to case
    const char *title;
    enum column_kind kind;
    const char *key; // of the row
    void (*text)(const cJSON *row, char *buf, size_t size);
};

struct columns_how {
    const char *letters; // -o, NULL = not given
    const char *names;   // -O, NULL = not given
    const char *dflt;    // long names of the default table, commas between
    bool noheader;
};

// Prints rows (an array of objects) to out. -1 with errp when a format names a column that there is
// not (nothing is printed then).
int columns_print(const struct column *columns, const struct columns_how *how, const cJSON *rows,
                  FILE *out, burst_error_t *errp);

// Text of one cell as the tables print it.
const char *column_text(const struct column *c, const cJSON *row, char *buf, size_t size);

// The column of that long name, NULL when there is none.
const struct column *column_find(const struct column *columns, const char *name);

// A list of the columns for a help text, one a line.
void columns_help(const struct column *columns, FILE *out);

#endif
