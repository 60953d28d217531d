// SPDX-License-Identifier: GPL-3.0-or-later
// See journal.h.
#include "state/journal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "libburst/clock.h"

#define PAUSE_MS 1000

void journal_failed(struct burstd *b, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_rarely(LOG_LEVEL_ERROR, "%s", text);
    b->journal_failed_ms = clock_mono_ms();
}

bool journal_failing(const struct burstd *b)
{
    return b->journal_failed_ms && clock_mono_ms() - b->journal_failed_ms < PAUSE_MS;
}
