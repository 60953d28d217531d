// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/ssh_error.h"

#include <stdarg.h>
#include <stdio.h>

int ssh_fail(struct ssh_error *err, const char *errclass, const char *fmt, ...)
{
    va_list ap;

    err->errclass = errclass;
    va_start(ap, fmt);
    vsnprintf(err->e.text, sizeof(err->e.text), fmt, ap);
    va_end(ap);
    return -1;
}
