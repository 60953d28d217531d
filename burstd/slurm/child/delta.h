// SPDX-License-Identifier: GPL-3.0-or-later
// Turns a table that is read anew each time into messages that carry only what changed: each item
// is compared by a hash of its text with what was sent last.
#ifndef BURST_DELTA_H
#define BURST_DELTA_H

#include <stdbool.h>
#include <stdint.h>

#define DELTA_CHUNK (1u << 20) // bytes of items in one message; the receiver's ceiling is 4 MiB

struct delta;

// type: "jobs" or "nodes", also the key of the array. out receives each message (one line, without
// its end).
struct delta *delta_create(const char *type, void (*out)(void *arg, const char *line), void *arg);
void delta_destroy(struct delta *d);

// A reading of the table: begin, each item once, end. full sends all items whatever was sent.
// Nothing is written when nothing changed (unless full). A reading too large for one message comes
// in several; all but the last have "more":true, and only the first of a full one "full":true.
void delta_begin(struct delta *d, bool full, int64_t time_s);
void delta_item(struct delta *d, const char *key, const char *json);
// Returns whether anything was written.
bool delta_end(struct delta *d);

#endif
