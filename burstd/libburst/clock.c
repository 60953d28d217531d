// SPDX-License-Identifier: GPL-3.0-or-later
#include "libburst/clock.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_now_s(void)
{
    return read_ms(CLOCK_REALTIME) / 1000;
}

int64_t clock_now_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

const char *clock_local(int64_t epoch_s, char buf[CLOCK_TEXT_MAX])
{
    time_t t = (time_t)epoch_s;
    struct tm tm;

    if (epoch_s <= 0 || !localtime_r(&t, &tm) ||
        !strftime(buf, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm))
        snprintf(buf, CLOCK_TEXT_MAX, "Unknown");
    return buf;
}

const char *clock_utc(int64_t epoch_s, char buf[CLOCK_TEXT_MAX])
{
    time_t t = (time_t)epoch_s;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || !strftime(buf, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(buf, CLOCK_TEXT_MAX, "Unknown");
    return buf;
}

int clock_parse_utc(const char *text, int64_t *epoch_s, burst_error_t *errp)
{
    struct tm tm;

    memset(&tm, 0, sizeof(tm));
    const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (end && *end == '.') {
        end++;
        end += strspn(end, "0123456789");
    }
    if (!end || strcmp(end, "Z") != 0)
        return errprintf(errp, "\"%.40s\" is not a UTC time like 2026-12-01T10:00:00Z",
                         text ? text : "");
    *epoch_s = timegm(&tm);
    return 0;
}

// Reads up to 9 digits; false when there is none or too many.
static bool number(const char **p, int64_t *out)
{
    int digits = 0;

    for (*out = 0; **p >= '0' && **p <= '9'; (*p)++, digits++) {
        if (digits == 9)
            return false;
        *out = *out * 10 + (**p - '0');
    }
    return digits > 0;
}

int clock_parse_duration(const char *text, int64_t *seconds, burst_error_t *errp)
{
    const char *p = text ? text : "";
    int64_t part[4], days = 0, total;
    int n = 0;
    bool with_days = false;

    for (;;) {
        if (!number(&p, &part[n++]))
            goto bad;
        if (*p == '-' && n == 1 && !with_days) {
            with_days = true;
            days = part[0];
            n = 0;
        } else if (*p != ':' || n == 3)
            break;
        p++;
    }
    if (*p)
        goto bad;
    if (with_days) // days-hours[:minutes[:seconds]]
        total = part[0] * 3600 + (n > 1 ? part[1] * 60 : 0) + (n > 2 ? part[2] : 0);
    else if (n == 3)
        total = part[0] * 3600 + part[1] * 60 + part[2];
    else
        total = part[0] * 60 + (n > 1 ? part[1] : 0);
    total += days * 86400;
    if (total < 1 || total > INT64_C(3660) * 86400)
        return errprintf(errp, "\"%.40s\": a duration lies between one second and ten years", text);
    *seconds = total;
    return 0;
bad:
    return errprintf(errp,
                     "\"%.40s\" is not a duration (minutes, hours:minutes:seconds or "
                     "days-hours:minutes:seconds, as for --time)",
                     text ? text : "");
}

const char *clock_duration(int64_t seconds, char buf[CLOCK_TEXT_MAX])
{
    int64_t s = seconds < 0 ? 0 : seconds;
    int h = (int)(s / 3600 % 24), m = (int)(s / 60 % 60), r = (int)(s % 60);

    if (s >= 86400)
        snprintf(buf, CLOCK_TEXT_MAX, "%" PRId64 "-%02d:%02d:%02d", s / 86400, h, m, r);
    else
        snprintf(buf, CLOCK_TEXT_MAX, "%02d:%02d:%02d", h, m, r);
    return buf;
}
