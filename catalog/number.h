// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers as CSV files of prices have them. What is refused gets *why, the end of the sentence
// "Price \"x\" ...".
#ifndef BURST_CATALOG_NUMBER_H
#define BURST_CATALOG_NUMBER_H

#include <stdint.h>

#define PRICE_MAX_USD 1000000.0 // an hour of one instance, a GB

// A decimal number without sign, blanks or names like "inf". Also 1e-05, as programs print it.
int number_parse(const char *s, double *out, const char **why);
// Nano-dollars; NO_PRICE for "".
int number_price(const char *s, int64_t *out, const char **why);
// Accelerators, vCPUs, GiB; 0 for "".
int number_amount(const char *s, double *out, const char **why);

#endif
