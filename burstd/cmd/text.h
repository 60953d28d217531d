// SPDX-License-Identifier: GPL-3.0-or-later
// Values as people read them. All functions write into the caller's buffer and return it.
#ifndef BURST_CMD_TEXT_H
#define BURST_CMD_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "libburst/money.h"

#define TEXT_MAX 160

// Copies text with everything that could steer a terminal replaced by '?': names come from users.
// NULL gives "".
const char *text_safe(const char *text, char *buf, size_t size);

// "42 s", "5 min", "2 h 3 min", "3 d 4 h".
const char *text_duration(int64_t seconds, char buf[TEXT_MAX]);
// The clock time when it was today, else date and time; "-" for 0.
const char *text_time(int64_t epoch_s, char buf[TEXT_MAX]);
// As money_human(); "-" when unknown.
const char *text_money(money_t m, char buf[TEXT_MAX]);
// "aws us-east-1a": the zone where one is known (most clouds' zones begin with their region), from
// the keys cloud, region, zone of an object; "" when it has no cloud.
const char *text_place(const cJSON *o, char buf[TEXT_MAX]);
// "aws us-east-1a p4d.24xlarge on the spot market"; "" when it has no cloud.
const char *text_purchase(const cJSON *o, char buf[TEXT_MAX]);
// "1 node", "3 nodes".
const char *text_count(int64_t n, const char *noun, char buf[TEXT_MAX]);

// A moment as people write it: 2026-12-01, 2026-12-01T10:00[:00], today, now, now-2hours,
// now-7days (minutes, hours, days, weeks). Local time. -1 when it is none of these.
int text_parse_time(const char *text, int64_t now, int64_t *epoch_s);

#endif
