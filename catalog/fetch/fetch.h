// SPDX-License-Identifier: GPL-3.0-or-later
// What the price fetchers share. A fetcher is a program `fetch-NAME` in libexec/burst that
// `burst catalog update` starts, one run for one cloud:
//
//     fetch-NAME --cloud CLOUD [--endpoint URL] [--credentials FILE]
//
// It writes the cloud's whole CLOUD.csv (burst-catalog(5)) to stdout and ends with status 0, or
// says in one line on stderr why it cannot and ends with another one. It judges nothing: what it
// writes is checked and compared by its caller. Secrets come in files, never in arguments.
#ifndef BURST_FETCH_H
#define BURST_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "libburst/error.h"

#define FETCH_MAX (256u << 20) // bytes of one answer, of one CLOUD.csv

struct fetch_args {
    const char *cloud, *endpoint, *credentials; // borrowed from argv; "" = not given
    const char *rest;                           // the argument behind the options, NULL = none
};

// Reads the command line. -1 = go on, else the exit status (--help, or wrong: said on stderr).
// usage is the text of --help.
int fetch_args(int argc, char **argv, const char *usage, struct fetch_args *a);

// GETs url. 429 and 5xx are asked again, three times in all. *body is owned by the caller and
// terminated. headers as in struct http_spec; direct: not through a proxy.
int fetch_get(const char *url, const char *const *headers, bool direct, char **body, size_t *len,
              burst_error_t *errp);

// "Authorization: Bearer TOKEN" from the file of a secret; the caller wipes it with fs_wipe().
// NULL on error.
char *fetch_bearer(const char *file, burst_error_t *errp);

// One offer; prices are decimal dollars an hour, "" = not on that market.
struct fetch_row {
    const char *instance_type, *accelerator, *region, *zone;
    double count, vcpus, memory_gib; // 0 = none, not known
    const char *price, *spot_price;
};
void fetch_write_header(FILE *out);
void fetch_write_row(FILE *out, const struct fetch_row *row);

// The end of a fetcher: flushes out; the exit status. A full disk must not look like success.
int fetch_finish(FILE *out, const char *name);

#endif
