// SPDX-License-Identifier: GPL-3.0-or-later
// What is run on a node for each operation, and what its failure means. All that ever runs there is
// in the table of the .c; parameters go to the script's standard input, never into the command.
#ifndef BURST_SSH_NODE_COMMAND_H
#define BURST_SSH_NODE_COMMAND_H

#include <stddef.h>

#include "ssh/request.h"
#include "ssh/session.h"
#include "ssh/ssh_error.h"
#include "ssh/transfer.h"

// Runs the op's command with the data of t. 0: it ended with status 0. -1: as ssh_transfer_run(),
// or class space or command with what the script said.
int node_command_run(struct ssh_session *s, const struct ssh_request *req, struct ssh_transfer *t,
                     struct ssh_error *err);

// The same for a script that gets nothing but its parameters (head, borrowed until it returns) and
// has command_s to end; its output stays in t->out.
int node_command_script(struct ssh_session *s, const struct ssh_request *req, const char *head,
                        size_t len, struct ssh_transfer *t, struct ssh_error *err);

// The value of a line "KEY VALUE" of the script's output, NULL when there is no such line. Caller
// frees.
char *node_command_answer(const struct ssh_transfer *t, const char *key);

// What the script said on standard error, as one line; "" when nothing. Borrowed from t.
const char *node_command_said(struct ssh_transfer *t);

#endif
