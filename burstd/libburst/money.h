// SPDX-License-Identifier: GPL-3.0-or-later
// Money is an integer number of micro-dollars (1 USD = 1 000 000). Nothing here rounds silently:
// what does not fit or is not a number is an error. An unknown price is MONEY_UNKNOWN, never 0.
#ifndef BURST_MONEY_H
#define BURST_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libburst/error.h"

typedef int64_t money_t; // micro-dollars

#define MONEY_UNKNOWN INT64_MIN
#define MONEY_PER_USD INT64_C(1000000)
#define MONEY_TEXT_MAX 48

// Parses "12", "0.5", "1.2345678" (digits after the sixth are rounded half up) without a sign,
// exponent or blanks. 0, or -1 with a text that quotes the value.
int money_parse(const char *text, money_t *out, burst_error_t *errp);

// From a JSON number or another double: rounds to the nearest micro-dollar; refuses NaN,
// infinity, negative values and more than 1e12 USD.
int money_from_double(double usd, money_t *out, burst_error_t *errp);
double money_to_double(money_t m);

// "12.345678" with trailing zeros removed but at least two decimals: "0.50", "12.345678".
const char *money_format(money_t m, char buf[MONEY_TEXT_MAX]);
// With a dollar sign, rounded half up to cents, to four decimals below a dollar, to six below a
// tenth of a cent: "$12.35", "$0.0421", "$0.000019".
const char *money_human(money_t m, char buf[MONEY_TEXT_MAX]);

// What an instance of price_per_hour costs for its first `seconds` seconds, rounded down. The
// cost of a later interval is the difference of two of these, so intervals add up exactly.
money_t money_for_seconds(money_t price_per_hour, int64_t seconds);

#endif
