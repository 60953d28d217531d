// SPDX-License-Identifier: GPL-3.0-or-later
// What happens when the journal cannot be written (a full disk): nothing is done that it does not
// know, and the daemon neither spins nor floods its log until there is room again.
#ifndef BURST_JOURNAL_H
#define BURST_JOURNAL_H

#include "base/burstd.h"

// A write failed: logs the sentence (the same at most once a minute), and for the next second
// journal_failing().
void journal_failed(struct burstd *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// A write failed within the last second. What could not be written is tried again with the tick of
// each second; a poke would only repeat it at once.
bool journal_failing(const struct burstd *b);

#endif
