// SPDX-License-Identifier: GPL-3.0-or-later
// Text of others on its way to a terminal or a log.
#ifndef BURST_PRINTABLE_H
#define BURST_PRINTABLE_H

// Replaces by '?', in place: control characters (C0, DEL, and C1 as UTF-8 or as single bytes: some
// terminals obey those too) and bytes that are no UTF-8. Returns s.
char *printable(char *s);

#endif
