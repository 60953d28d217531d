// SPDX-License-Identifier: GPL-3.0-or-later
// See number.h.
#include "catalog/number.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "catalog/catalog.h"

#define AMOUNT_MAX 1e9 // vCPUs, GiB, accelerators

int number_parse(const char *s, double *out, const char **why)
{
    static const double power[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *p = s + (*s == '-');
    uint64_t mantissa = 0;
    int digits = 0, decimals = 0;

    for (; *p >= '0' && *p <= '9'; p++, digits++)
        mantissa = digits < 19 ? mantissa * 10 + (uint64_t)(*p - '0') : mantissa;
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++, digits++, decimals++)
            mantissa = digits < 19 ? mantissa * 10 + (uint64_t)(*p - '0') : mantissa;
    *why = "is not a number";
    if (!digits)
        return -1;
    // Up to 2^53 over an exact power of ten one division rounds correctly; strtod does the rest.
    if (*p == '\0' && digits < 19 && mantissa < (UINT64_C(1) << 53) && decimals <= 22) {
        *out = (double)mantissa / power[decimals];
    } else {
        char *end;
        if (*p && *p != 'e' && *p != 'E')
            return -1;
        *out = strtod(s + (*s == '-'), &end);
        if (*end || !isfinite(*out))
            return -1;
    }
    *why = "is negative";
    return *s == '-' && *out != 0 ? -1 : 0;
}

int number_price(const char *s, int64_t *out, const char **why)
{
    double usd;

    *out = NO_PRICE;
    if (!*s)
        return 0;
    if (number_parse(s, &usd, why) < 0)
        return -1;
    *why = "is more than any instance costs";
    if (usd > PRICE_MAX_USD)
        return -1;
    *out = llround(usd * (double)NANO_PER_USD);
    return 0;
}

int number_amount(const char *s, double *out, const char **why)
{
    *out = 0;
    if (!*s)
        return 0;
    if (number_parse(s, out, why) < 0)
        return -1;
    *why = "is more than any instance has";
    return *out > AMOUNT_MAX ? -1 : 0;
}
