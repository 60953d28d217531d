// SPDX-License-Identifier: GPL-3.0-or-later
// The records of a CSV file whose columns are found by their names. What is wrong is reported to
// the builder; a malformed record is left out and reading goes on.
#ifndef BURST_CATALOG_READER_H
#define BURST_CATALOG_READER_H

#include <stdbool.h>

#include "catalog/builder.h"
#include "catalog/csv.h"

// Reads the header line: at[c] = position of column want[c], or -1 where it is missing; the first
// n_needed must be there. False (and a complaint) when it is no such file.
bool reader_header(struct builder *b, const char *const *want, int n_want, int n_needed,
                   struct csv *csv, int *at);
// The next record with as many fields as the header; false at the end.
bool reader_next(struct builder *b, struct csv *csv, int n_header, int *n);
// Too long for a name or with control characters.
bool reader_bad_name(const char *s);

#endif
