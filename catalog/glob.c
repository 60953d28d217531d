// SPDX-License-Identifier: GPL-3.0-or-later
#include "catalog/glob.h"

#include <stddef.h>

static unsigned char fold(unsigned char c, bool nocase)
{
    return nocase && c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

// Matches one character against the bracket expression at p (behind the '['). *end is set behind
// the ']', or to NULL when there is none: then the '[' is an ordinary character.
static bool bracket(const char *p, unsigned char c, bool nocase, const char **end)
{
    bool negated = *p == '!' || *p == '^', hit = false;
    const char *start = p += negated;

    for (; *p && (*p != ']' || p == start); p++) {
        unsigned char lo = fold((unsigned char)*p, nocase), hi = lo;
        if (p[1] == '-' && p[2] && p[2] != ']') {
            hi = fold((unsigned char)p[2], nocase);
            p += 2;
        }
        hit = hit || (c >= lo && c <= hi);
    }
    *end = *p ? p + 1 : NULL;
    return hit != negated;
}

// Whether the single pattern element at *p matches c; *p moves behind it.
static bool element(const char **p, unsigned char c, bool nocase)
{
    const char *end;
    bool hit;

    c = fold(c, nocase);
    if (**p == '?') {
        ++*p;
        return true;
    }
    if (**p == '[') {
        hit = bracket(*p + 1, c, nocase, &end);
        if (end) {
            *p = end;
            return hit;
        }
    }
    if (**p == '\\' && (*p)[1])
        ++*p;
    hit = fold((unsigned char)**p, nocase) == c;
    ++*p;
    return hit;
}

// Only the last star can need another try: what an earlier one could take, it can take as well.
static bool match(const char *p, const char *t, bool nocase)
{
    const char *star = NULL, *retry = NULL;

    while (*t) {
        if (*p == '*') {
            star = ++p;
            retry = t;
            continue;
        }
        if (*p && element(&p, (unsigned char)*t, nocase)) {
            t++;
            continue;
        }
        if (!star)
            return false;
        p = star;
        t = ++retry;
    }
    while (*p == '*')
        p++;
    return *p == '\0';
}

bool glob_match(const char *pattern, const char *text)
{
    return match(pattern, text, false);
}

bool glob_match_nocase(const char *pattern, const char *text)
{
    return match(pattern, text, true);
}
