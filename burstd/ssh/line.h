// SPDX-License-Identifier: GPL-3.0-or-later
// A JSON object as one line on a socket, as burst-ssh and burst-stagerd speak to each other.
#ifndef BURST_SSH_LINE_H
#define BURST_SSH_LINE_H

#include <cjson/cJSON.h>

// Sends all of it; msg is taken over. A peer that has gone is an error, not a signal. -1 with
// errno.
int line_send(int fd, cJSON *msg);

#endif
