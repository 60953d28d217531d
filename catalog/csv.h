// SPDX-License-Identifier: GPL-3.0-or-later
// Comma separated values as RFC 4180 has them: fields may be quoted, a quote inside is doubled,
// a quoted field may hold commas and line ends. Lines end with LF or CRLF.
#ifndef BURST_CSV_H
#define BURST_CSV_H

#include <stddef.h>

#define CSV_FIELDS_MAX 64

// Reads text in place: fields are terminated and their quotes taken off where they stand.
struct csv {
    char *next, *end; // end points at a terminating NUL
    unsigned line;    // of the record read last, from 1
    unsigned next_line;
    int n;
    char *field[CSV_FIELDS_MAX];
};

// text[len] must be NUL and stays so; the text must live as long as the fields are used.
void csv_init(struct csv *c, char *text, size_t len);

// The next record: its number of fields (an empty line is one empty field), 0 at the end, or -1
// when the record is malformed: *why says how, the line is left out and reading may go on.
int csv_next(struct csv *c, const char **why);

#endif
