// SPDX-License-Identifier: GPL-3.0-or-later
// burst-slurm's ends of the JSON lines: stdin with a deadline, stdout kept out of libslurm's reach.
#ifndef BURST_LINEIO_H
#define BURST_LINEIO_H

#include <stdint.h>

#include <cjson/cJSON.h>

// Moves stdout to a private descriptor and points descriptor 1 at stderr: whatever libslurm prints
// cannot break the protocol. Once, at the start.
void lineio_init(void);

// Writes one line; exits the process when the reader has gone.
void lineio_write(const char *line);
void lineio_write_json(const cJSON *msg);

enum lineio_result { LINEIO_LINE, LINEIO_TIMEOUT, LINEIO_EOF };

// Waits until deadline_ms (clock_mono_ms; -1 = for ever) for the next line. *msg is owned by the
// caller. A line that is not a JSON object ends the process: parent and child disagree.
enum lineio_result lineio_read(int64_t deadline_ms, cJSON **msg);

#endif
