// SPDX-License-Identifier: GPL-3.0-or-later
// A growing byte buffer with a ceiling: what would pass the ceiling is an error, not a crash.
#ifndef BURST_STRBUF_H
#define BURST_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *data; // terminated; NULL only after strbuf_take() or strbuf_free(); owned
    size_t len;
    size_t cap;
    size_t ceiling;
    bool overflow; // set once an append was refused; the buffer keeps what it had
};

void strbuf_init(struct strbuf *b, size_t ceiling);
void strbuf_free(struct strbuf *b);
void strbuf_reset(struct strbuf *b);

// 0, or -1 with errno ENOSPC when the ceiling would be passed (nothing appended, overflow set).
int strbuf_add(struct strbuf *b, const void *data, size_t len);
int strbuf_adds(struct strbuf *b, const char *s);
int strbuf_addf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Removes the first n bytes.
void strbuf_consume(struct strbuf *b, size_t n);

// Takes the string away from the buffer (caller frees). The buffer is empty afterwards, holds no
// memory (data is NULL) and can be filled again.
char *strbuf_take(struct strbuf *b);

#endif
