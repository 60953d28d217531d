// SPDX-License-Identifier: GPL-3.0-or-later
#include "libburst/printable.h"

#include <stddef.h>
#include <string.h>

// Length of the UTF-8 character at p that is no control character, 0 = there is none. Forms that
// are longer than needed, surrogates and what is beyond U+10FFFF are none.
static size_t character(const unsigned char *p)
{
    unsigned long c;
    size_t n;

    if (p[0] < 0x80)
        return p[0] >= ' ' && p[0] != 0x7f;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;
        c = p[0] & 0x1f;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        n = 3;
        c = p[0] & 0x0f;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        c = p[0] & 0x07;
    } else {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < 0xa0 || (n == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
        (n == 4 && (c < 0x10000 || c > 0x10ffff)))
        return 0;
    return n;
}

char *printable(char *s)
{
    char *to = s;

    for (const char *p = s; *p;) {
        size_t n = character((const unsigned char *)p);
        // One mark for a control character of two bytes.
        size_t skip = n ? n : (unsigned char)p[0] == 0xc2 && (p[1] & 0xc0) == 0x80 ? 2 : 1;
        if (n)
            memmove(to, p, n);
        else
            *to = '?';
        to += n ? n : 1;
        p += skip;
    }
    *to = '\0';
    return s;
}
