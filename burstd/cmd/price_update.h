// SPDX-License-Identifier: GPL-3.0-or-later
// One CLOUD.csv brought up to date: fetched, checked, compared with the one in use, put in its
// place by a rename. What is empty, much smaller than before, or moves a price by more than a
// factor of 5 stays out until a person has looked at it. The file before stays as CLOUD.csv.old.
#ifndef BURST_CMD_PRICE_UPDATE_H
#define BURST_CMD_PRICE_UPDATE_H

#include <stdbool.h>

#include "catalog/catalog.h"
#include "catalog/compare.h"
#include "libburst/strbuf.h"

#define PRICE_SCRATCH ".update" // a directory in the catalog's: the same file system
#define PRICE_COMPLAINTS_KEPT 5

struct burst_conf;

struct price_target {
    const char *dir; // of the catalog; has PRICE_SCRATCH
    int dir_fd;
    const struct burst_conf *conf; // NULL = none
    bool accept;                   // also what is suspicious, but never what is empty
    bool dry_run;                  // replaces nothing
};

enum price_outcome {
    PRICES_UNCHANGED,
    PRICES_REPLACED, // or would be
    PRICES_REFUSED,  // the file in use stays
    PRICES_FAILED,   // not fetched, or not written
};

struct price_update {
    enum price_outcome outcome;
    char *source; // "fetch-local, http://127.0.0.1:8700"; NULL = none was found
    char *reason; // of REFUSED and FAILED, and what `accept` let pass; no full stop
    struct catalog *before, *after; // NULL = there is none
    struct comparison cmp;
    struct strbuf complaints; // the first rows that were left out, a line each
    unsigned n_complaints;
};

// where as for price_source_read().
void price_update(const struct price_target *t, const char *cloud, const char *where,
                  struct price_update *r);
void price_update_free(struct price_update *r); // what it holds

#endif
