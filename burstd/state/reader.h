// SPDX-License-Identifier: GPL-3.0-or-later
// What is read of the journal for people: sums over years of charges, stories, what ended lately.
// It may take seconds, so it is read on another thread, over a connection of its own that sees
// what was committed and holds up no write. One question after the other; those of several users
// take turns.
#ifndef BURST_READER_H
#define BURST_READER_H

#include <stdint.h>

#include <uv.h>

#include "libburst/error.h"
#include "state/store.h"

struct reader;
struct question;

struct reader_ops {
    // On the other thread: reads, and touches nothing but arg.
    void (*read)(struct store *view, void *arg);
    // On the loop, after that. error: NULL, or a sentence: it took too long, and what was read is
    // not all. arg is the callee's.
    void (*done)(void *arg, const char *error);
    // On the loop, instead of done: it was cancelled, or the reader goes. arg is the callee's.
    void (*drop)(void *arg);
};

// path: the journal, which this process has open (store.h). NULL on error.
struct reader *reader_create(uv_loop_t *loop, const char *path, burst_error_t *errp);
// Questions without an answer are dropped; the one that is being read when the loop runs next.
// NULL is allowed. Before store_close().
void reader_destroy(struct reader *r);

// uid: of who asks. ops is borrowed for good, arg until done or drop. The question is the reader's,
// valid until then.
struct question *reader_ask(struct reader *r, uint32_t uid, const struct reader_ops *ops,
                            void *arg);
// Nobody wants the answer any more. Drops from inside of this call what was not begun.
void reader_cancel(struct question *q);

// The longest that one question may be read, in milliseconds (a minute at first); for tests.
void reader_set_limit_ms(struct reader *r, int64_t ms);

#endif
