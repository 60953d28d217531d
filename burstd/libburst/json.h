// SPDX-License-Identifier: GPL-3.0-or-later
// Small helpers over cJSON: typed access that tells apart "missing" and "wrong type", exact
// integers, one-line printing.
#ifndef BURST_JSON_H
#define BURST_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "libburst/money.h"

// Parses exactly one JSON value of len bytes (trailing garbage, depth over 64 and a NUL byte are
// errors). Owned by the caller, cJSON_Delete().
cJSON *json_parse(const char *text, size_t len, burst_error_t *errp);

// One line without a line end; caller frees.
char *json_line(const cJSON *j);

// Value of a key or the default when it is missing, null or of another type. Strings are borrowed.
const char *json_str(const cJSON *o, const char *key, const char *dflt);
int64_t json_i64(const cJSON *o, const char *key, int64_t dflt);
double json_dbl(const cJSON *o, const char *key, double dflt);
bool json_bool(const cJSON *o, const char *key, bool dflt);
// Money travels as an integer of micro-dollars under a key that ends in _uusd.
money_t json_money(const cJSON *o, const char *key);

// 64-bit integers are exact up to 2^53; larger ones become that: none of ours are larger, and what
// others wrote must not end a daemon.
void json_add_i64(cJSON *o, const char *key, int64_t v);
void json_add_str(cJSON *o, const char *key, const char *v); // NULL adds null
void json_add_money(cJSON *o, const char *key, money_t v);   // MONEY_UNKNOWN adds null

#endif
