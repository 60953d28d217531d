// SPDX-License-Identifier: GPL-3.0-or-later
// See text.h.
#include "cmd/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libburst/clock.h"
#include "libburst/printable.h"
#include "libburst/json.h"

const char *text_safe(const char *text, char *buf, size_t size)
{
    snprintf(buf, size, "%s", text ? text : "");
    return printable(buf);
}

const char *text_duration(int64_t s, char buf[TEXT_MAX])
{
    if (s < 0)
        s = 0;
    if (s < 60)
        snprintf(buf, TEXT_MAX, "%" PRId64 " s", s);
    else if (s < 3600)
        snprintf(buf, TEXT_MAX, "%" PRId64 " min", s / 60);
    else if (s < 86400 && s / 60 % 60 == 0)
        snprintf(buf, TEXT_MAX, "%" PRId64 " h", s / 3600);
    else if (s < 86400)
        snprintf(buf, TEXT_MAX, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
    else if (s / 3600 % 24 == 0)
        snprintf(buf, TEXT_MAX, "%" PRId64 " d", s / 86400);
    else
        snprintf(buf, TEXT_MAX, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
    return buf;
}

const char *text_time(int64_t epoch_s, char buf[TEXT_MAX])
{
    time_t t = (time_t)epoch_s, now = (time_t)clock_now_s();
    struct tm tm, today;

    if (epoch_s <= 0 || !localtime_r(&t, &tm) || !localtime_r(&now, &today)) {
        snprintf(buf, TEXT_MAX, "-");
        return buf;
    }
    bool same = tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday;
    strftime(buf, TEXT_MAX, same ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm);
    return buf;
}

const char *text_money(money_t m, char buf[TEXT_MAX])
{
    char money[MONEY_TEXT_MAX];

    snprintf(buf, TEXT_MAX, "%s", m == MONEY_UNKNOWN ? "-" : money_human(m, money));
    return buf;
}

const char *text_place(const cJSON *o, char buf[TEXT_MAX])
{
    char text[TEXT_MAX];
    const char *cloud = json_str(o, "cloud", ""), *region = json_str(o, "region", "");
    const char *zone = json_str(o, "zone", "");

    if (!*cloud)
        text[0] = '\0';
    else if (*zone && strncmp(zone, region, strlen(region)) != 0)
        snprintf(text, sizeof(text), "%s %s/%s", cloud, region, zone);
    else
        snprintf(text, sizeof(text), "%s%s%s", cloud, *zone || *region ? " " : "",
                 *zone ? zone : region);
    return text_safe(text, buf, TEXT_MAX);
}

const char *text_purchase(const cJSON *o, char buf[TEXT_MAX])
{
    char place[TEXT_MAX], text[TEXT_MAX];
    const char *market = json_str(o, "market", "");

    text_place(o, place);
    if (!*place) {
        buf[0] = '\0';
        return buf;
    }
    snprintf(text, sizeof(text), "%.90s %.40s%s", place, json_str(o, "instance_type", ""),
             strcmp(market, "spot") == 0        ? " on the spot market"
             : strcmp(market, "on-demand") == 0 ? " on demand"
                                                : "");
    return text_safe(text, buf, TEXT_MAX);
}

const char *text_count(int64_t n, const char *noun, char buf[TEXT_MAX])
{
    snprintf(buf, TEXT_MAX, "%" PRId64 " %s%s", n, noun, n == 1 ? "" : "s");
    return buf;
}

static int parse_relative(const char *text, int64_t now, int64_t *epoch_s)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"minute", 60}, {"hour", 3600}, {"day", 86400}, {"week", 7 * 86400}};
    char *end;

    if (*text < '0' || *text > '9')
        return -1;
    long n = strtol(text, &end, 10);
    if (n < 0 || n > 1000000)
        return -1;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t len = strlen(units[i].unit);
        if (strncmp(end, units[i].unit, len) != 0)
            continue;
        if (end[len] && strcmp(end + len, "s") != 0)
            return -1;
        *epoch_s = now - n * units[i].seconds;
        return 0;
    }
    return -1;
}

int text_parse_time(const char *text, int64_t now, int64_t *epoch_s)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"};
    time_t t = (time_t)now;
    struct tm tm;

    if (strcmp(text, "now") == 0) {
        *epoch_s = now;
        return 0;
    }
    if (strncmp(text, "now-", 4) == 0)
        return parse_relative(text + 4, now, epoch_s);
    if (strcmp(text, "today") == 0 && localtime_r(&t, &tm)) {
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_isdst = -1;
        *epoch_s = (int64_t)mktime(&tm);
        return 0;
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        memset(&tm, 0, sizeof(tm));
        const char *end = strptime(text, forms[i], &tm);
        if (!end || *end)
            continue;
        tm.tm_isdst = -1;
        *epoch_s = (int64_t)mktime(&tm);
        return 0;
    }
    return -1;
}
