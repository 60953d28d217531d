// SPDX-License-Identifier: GPL-3.0-or-later
// Network links over rtnetlink: a pair of virtual Ethernet devices, one end on the bridge, the
// other inside an instance; and the addresses inside.
#ifndef LOCALCLOUD_LINK_H
#define LOCALCLOUD_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "libburst/error.h"

// Makes NAME (up, on the bridge) and its peer eth0 in the network namespace of process pid. The
// peer's MAC address is derived from its IPv4 address, so that a neighbour that remembers the
// address from an earlier instance is still right.
int link_create_pair(const char *name, const char *bridge, int pid, uint32_t address,
                     burst_error_t *errp);

// Administrative state.
int link_set_up(const char *name, bool up, burst_error_t *errp);

// With it goes its peer. A link that is not there is no error.
int link_delete(const char *name, burst_error_t *errp);

bool link_exists(const char *name);

// Inside the instance: the link's address and prefix length, and up. Address 0 = only up.
int link_configure(const char *name, uint32_t address, unsigned prefix, burst_error_t *errp);
// A default route; gateway in host byte order.
int link_default_route(uint32_t gateway, burst_error_t *errp);

#endif
