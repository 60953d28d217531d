// SPDX-License-Identifier: GPL-3.0-or-later
// Waits on the loop until somebody listens at a port: a node that boots, or whose network never
// comes up, costs a socket now and then and no helper process.
#ifndef BURST_PORT_WAIT_H
#define BURST_PORT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

struct port_wait;

// Called exactly once, never from inside port_wait_start(), never after port_wait_cancel(). why:
// what the last try met ("connection refused"), "" when it is open; borrowed for the call. The wait
// is over and freed after it.
typedef void (*port_wait_cb)(void *arg, bool open, const char *why);

// Tries again a few times a second until it is open or limit_ms have passed. What is no address in
// numbers counts as open: who connects finds out.
struct port_wait *port_wait_start(uv_loop_t *loop, const char *address, int port, int64_t limit_ms,
                                  port_wait_cb done, void *arg);
// NULL is allowed.
void port_wait_cancel(struct port_wait *w);

#endif
