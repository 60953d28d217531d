// SPDX-License-Identifier: GPL-3.0-or-later
// What makes an instance real: namespaces, a process, a link, a metadata address. The books
// (fleet) reach it through a vtable, so that their rules are tested without root.
#ifndef LOCALCLOUD_MACHINE_H
#define LOCALCLOUD_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "libburst/error.h"
#include "localcloud/instance.h"

enum machine_event {
    MACHINE_UP,  // its root and network stand, init runs
    MACHINE_GONE // its first process has ended, and with it everything inside
};

// text: why it did not come up, or "".
typedef void (*machine_cb)(void *arg, struct instance *i, enum machine_event event,
                           const char *text);

struct machine_ops {
    // Makes the process; it waits for boot() and ends by itself if this program ends before it.
    // Fills i->machine and i->m.
    int (*create)(void *ctx, struct instance *i, burst_error_t *errp);
    // Connects it and lets it go on, with i->boot_delay and i->ssh_key. host_private_key is
    // borrowed.
    int (*boot)(void *ctx, struct instance *i, const char *host_private_key, burst_error_t *errp);
    // Finds a running one again by i->machine. false = it has ended.
    bool (*attach)(void *ctx, struct instance *i);
    // SIGTERM or SIGKILL to its first process; harmless when it has gone.
    void (*signal)(void *ctx, struct instance *i, int signum);
    int (*cut)(void *ctx, struct instance *i, bool cut, burst_error_t *errp);
    // Ends it the hard way if it is still there, removes its link, frees i->m. No event follows.
    void (*discard)(void *ctx, struct instance *i);
    // Time, epoch milliseconds.
    int64_t (*now_ms)(void *ctx);
};

extern const struct machine_ops machine_ops_real; // ctx is a struct machines *

struct machines;

struct machines_config {
    const char *state_dir; // consoles and the mount point are below it
    const char *bridge;
    unsigned prefix;
    uint32_t gateway;
    int64_t disk_mib;
};

// config's strings are borrowed for the life of the object.
struct machines *machines_create(uv_loop_t *loop, const struct machines_config *config,
                                 machine_cb cb, void *arg, burst_error_t *errp);
// Lets go of a machine's handles (i->m is NULL then); the machine itself lives on.
void machine_let_go(struct instance *i);
void machines_destroy(struct machines *ms); // after all machines were let go

// For --purge, without a loop: ends the process of this identity if it runs, waits for its end and
// removes its link. The number of ended processes (0 or 1), or -1.
int machine_purge(const struct instance *i, burst_error_t *errp);

#endif
