// SPDX-License-Identifier: GPL-3.0-or-later
#include "libburst/money.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_USD INT64_C(1000000000000)

int money_parse(const char *text, money_t *out, burst_error_t *errp)
{
    int64_t usd = 0, micro = 0;
    int64_t scale = MONEY_PER_USD;
    const char *p = text;
    bool round_up = false;

    if (!text || *text < '0' || *text > '9')
        goto bad;
    for (; *p >= '0' && *p <= '9'; p++) {
        usd = usd * 10 + (*p - '0');
        if (usd > MAX_USD)
            return errprintf(errp, "\"%.40s\" is more money than this program counts", text);
    }
    if (*p == '.') {
        if (p[1] < '0' || p[1] > '9')
            goto bad;
        for (p++; *p >= '0' && *p <= '9'; p++) {
            if (scale == 1) { // the seventh decimal decides, the rest is below it
                round_up = round_up || *p >= '5';
                scale = 0;
            } else if (scale > 1) {
                scale /= 10;
                micro += (*p - '0') * scale;
            }
        }
    }
    if (*p)
        goto bad;
    *out = usd * MONEY_PER_USD + micro + (round_up ? 1 : 0);
    return 0;
bad:
    return errprintf(errp, "\"%.40s\" is not an amount of dollars (write it like 12 or 0.25)",
                     text ? text : "");
}

int money_from_double(double usd, money_t *out, burst_error_t *errp)
{
    if (isnan(usd) || isinf(usd) || usd < 0)
        return errprintf(errp, "%g is not an amount of dollars", usd);
    if (usd > (double)MAX_USD)
        return errprintf(errp, "%g is more money than this program counts", usd);
    *out = (money_t)llround(usd * (double)MONEY_PER_USD);
    return 0;
}

double money_to_double(money_t m)
{
    return (double)m / (double)MONEY_PER_USD;
}

static int print(money_t m, int decimals, const char *dollar, char buf[MONEY_TEXT_MAX])
{
    uint64_t a = m < 0 ? (uint64_t)0 - (uint64_t)m : (uint64_t)m;
    uint64_t unit = 1;

    for (int i = decimals; i < 6; i++)
        unit *= 10;
    a = (a + unit / 2) / unit;
    uint64_t per = 1;
    for (int i = 0; i < decimals; i++)
        per *= 10;
    return snprintf(buf, MONEY_TEXT_MAX, "%s%s%" PRIu64 ".%0*" PRIu64, m < 0 ? "-" : "", dollar,
                    a / per, decimals, a % per);
}

const char *money_format(money_t m, char buf[MONEY_TEXT_MAX])
{
    if (m == MONEY_UNKNOWN) {
        snprintf(buf, MONEY_TEXT_MAX, "unknown");
        return buf;
    }
    int n = print(m, 6, "", buf);
    char *dot = strchr(buf, '.');
    while (buf + n - 1 > dot + 2 && buf[n - 1] == '0')
        buf[--n] = '\0';
    return buf;
}

static int human_decimals(money_t m)
{
    money_t a = m < 0 ? -m : m;

    return a == 0 || a >= MONEY_PER_USD ? 2 : a >= 1000 ? 4 : 6;
}

const char *money_human(money_t m, char buf[MONEY_TEXT_MAX])
{
    if (m == MONEY_UNKNOWN)
        snprintf(buf, MONEY_TEXT_MAX, "unknown");
    else
        print(m, human_decimals(m), "$", buf);
    return buf;
}

money_t money_for_seconds(money_t price_per_hour, int64_t seconds)
{
    if (seconds <= 0 || price_per_hour <= 0)
        return 0;
    return (money_t)((__int128)price_per_hour * seconds / 3600);
}
