// SPDX-License-Identifier: GPL-3.0-or-later
// See constraint.h.
#include "slurm_plugin/constraint.h"

#include <stddef.h>
#include <string.h>

#define DEPTH 8 // of parentheses

struct reader {
    const char *p;
    const char *features; // NULL: only looks whether it is plain
    unsigned depth;
    bool bad;
};

static bool has(const char *list, const char *name, size_t len)
{
    for (const char *p = list; p && *p;) {
        size_t n = strcspn(p, ",");
        if (n == len && strncmp(p, name, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

static bool read_all(struct reader *r);

static bool read_one(struct reader *r)
{
    bool met = false;

    if (*r->p == '(' && r->depth < DEPTH) {
        r->p++;
        r->depth++;
        met = read_all(r);
        r->depth--;
        if (*r->p == ')')
            r->p++;
        else
            r->bad = true;
        return met;
    }
    size_t len = strcspn(r->p, "&|,()[]*!: ");
    if (len == 0)
        r->bad = true;
    met = has(r->features, r->p, len);
    r->p += len;
    return met;
}

// Terms with one sign between them all.
static bool read_all(struct reader *r)
{
    bool met = read_one(r), next;
    char sign = '\0';

    while (!r->bad && (*r->p == '&' || *r->p == ',' || *r->p == '|')) {
        char s = *r->p == '|' ? '|' : '&';
        r->bad = sign && s != sign;
        sign = s;
        r->p++;
        next = read_one(r);
        met = s == '|' ? met || next : met && next;
    }
    return met;
}

static bool judge(const char *constraint, const char *features, bool *plain)
{
    struct reader r = {.p = constraint, .features = features};
    bool met = read_all(&r);

    *plain = !r.bad && *r.p == '\0';
    return met && *plain;
}

bool constraint_plain(const char *constraint)
{
    bool plain;

    judge(constraint, NULL, &plain);
    return plain;
}

bool constraint_met(const char *constraint, const char *features)
{
    bool plain;

    return judge(constraint, features, &plain);
}

const char *license_missing(const char *licenses, bool (*usable)(void *arg, const char *name),
                            void *arg, char buf[64])
{
    for (const char *p = licenses; p && *p;) {
        size_t len = strcspn(p, ",;|"), name = strcspn(p, ":,;|");
        if (len > 0) {
            size_t n = name < 63 ? name : 63;
            memcpy(buf, p, n);
            buf[n] = '\0';
            for (char *c = buf; *c; c++) // it goes to a terminal
                if (*c < ' ' || *c > '~')
                    *c = '?';
            if (name > 63 || !usable(arg, buf))
                return buf;
        }
        p += len + (p[len] != '\0');
    }
    return NULL;
}
