// SPDX-License-Identifier: GPL-3.0-or-later
// The caller's error text: what went wrong, where, and what would be right.
#ifndef BURST_ERROR_H
#define BURST_ERROR_H

#include <stdarg.h>

typedef struct {
    char text[512]; // always terminated; empty = no error reported
} burst_error_t;

// Writes the formatted text into errp (NULL is allowed), keeps errno, returns -1, so that
// `return errprintf(errp, ...)` is the usual way out of a failed function.
int errprintf(burst_error_t *errp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Puts `prefix: ` in front of the text that is there; keeps errno; returns -1.
int errprefix(burst_error_t *errp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
