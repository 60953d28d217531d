// SPDX-License-Identifier: GPL-3.0-or-later
// See error.h. A text that is too long is cut, never refused.
#include "libburst/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int errprintf(burst_error_t *errp, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;

    if (errp) {
        va_start(ap, fmt);
        vsnprintf(errp->text, sizeof(errp->text), fmt, ap);
        va_end(ap);
    }
    errno = saved;
    return -1;
}

int errprefix(burst_error_t *errp, const char *fmt, ...)
{
    int saved = errno;
    char prefix[256], old[sizeof(errp->text)];
    va_list ap;

    if (errp) {
        va_start(ap, fmt);
        vsnprintf(prefix, sizeof(prefix), fmt, ap);
        va_end(ap);
        memcpy(old, errp->text, sizeof(old));
        int n = snprintf(errp->text, sizeof(errp->text), "%s: ", prefix);
        if (n > 0 && (size_t)n < sizeof(errp->text))
            snprintf(errp->text + n, sizeof(errp->text) - (size_t)n, "%.*s",
                     (int)(sizeof(errp->text) - (size_t)n - 1), old);
    }
    errno = saved;
    return -1;
}
