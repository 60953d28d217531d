// SPDX-License-Identifier: GPL-3.0-or-later
// Where rented nodes report: POST /v1/node with a munge credential whose payload is
// {"instance":"...","event":"alive|notice|idle","deadline":epoch}. Only root of a node that has our
// munge key can make one; it is believed about its own instance and only from its own address.
#ifndef BURST_NODE_HTTP_H
#define BURST_NODE_HTTP_H

#include "base/burstd.h"
#include "libburst/error.h"

// Listens on conf->listen; NULL with an empty text when that is off.
struct node_http *node_http_create(struct burstd *b, burst_error_t *errp);
void node_http_destroy(struct node_http *h);

#endif
