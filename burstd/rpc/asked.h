// SPDX-License-Identifier: GPL-3.0-or-later
// A request whose answer takes more than a moment: in parts (rpc_go_on_later()), or of what is read
// of the journal on another thread (state/reader.h). For api_*.c.
#ifndef BURST_ASKED_H
#define BURST_ASKED_H

#include "base/burstd.h"
#include "rpc/rpc_server.h"
#include "state/reader.h"

// First in the caller's own struct, which is on the heap.
struct asked {
    struct burstd *b;
    struct rpc_request *req;
    struct question *question; // at the reader
    uv_timer_t *timer;         // of asked_wait()
    void (*go_on)(struct asked *a);
    void (*forget)(struct asked *a);
};

// forget frees the caller's struct; it is called when the client goes before its answer, and by the
// caller when he has answered. The request is answered then.
void asked_begin(struct asked *a, struct burstd *b, struct rpc_request *req,
                 void (*forget)(struct asked *a));
// Has ops->read(view, a) called, then ops->done(a, error); ops->drop is asked_drop().
void asked_read(struct asked *a, const struct reader_ops *ops);
void asked_drop(void *a);
// Calls go_on(a) in ms milliseconds, unless the client goes before.
void asked_wait(struct asked *a, int ms, void (*go_on)(struct asked *a));
// For the beginning of done(): true when it failed; then all is answered and freed.
bool asked_failed(struct asked *a, const char *error);

#endif
