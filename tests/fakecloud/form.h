// SPDX-License-Identifier: GPL-3.0-or-later
// The body of a form: NAME=VALUE, decoded.
#ifndef FAKECLOUD_FORM_H
#define FAKECLOUD_FORM_H

#include <stddef.h>

struct form;

// As it came. NULL: it is none (a % without two digits, a NUL).
struct form *form_parse(const char *body, size_t len);
void form_free(struct form *f);

size_t form_count(const struct form *f);
const char *form_name(const struct form *f, size_t k);
const char *form_value(const struct form *f, size_t k);

// "" = there is none. Borrowed. fmt: of the name, "Filter.%u.Name".
const char *form_get(const struct form *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
