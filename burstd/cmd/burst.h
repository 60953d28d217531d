// SPDX-License-Identifier: GPL-3.0-or-later
// What the subcommands of `burst` share: exit codes, talking to burstd, their entry points.
//
// Every subcommand is int cmd_NAME(int argc, char **argv) with argv[0] = "burst NAME" (getopt's
// messages begin with it) and returns the exit code. Results go to stdout, what went wrong to
// stderr as one sentence.
#ifndef BURST_CMD_BURST_H
#define BURST_CMD_BURST_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"

struct burst_conf;

enum {
    CMD_OK = 0,
    CMD_REFUSED = 1,     // burstd (or the site's state) says no, or there is no such thing
    CMD_USAGE = 2,       // the command line is wrong
    CMD_UNREACHABLE = 3, // burstd does not answer
};

#define CMD_ANSWER_MS 30000

// The socket: $BURST_SOCKET, else run_dir of burst.yaml (where that can be read), else the
// installed place. Borrowed, the same for the life of the process.
const char *cmd_socket(void);

// Asks burstd. params is taken over. NULL after printing why; *status is the exit code then.
cJSON *cmd_ask(const char *method, cJSON *params, int *status);

// The same without printing: errp has the sentence. *status as above.
cJSON *cmd_try(const char *method, cJSON *params, int *status, burst_error_t *errp);
// burstd's code for the last refusal: denied not_found invalid busy internal.
const char *cmd_code(void);

// Asks burstd (params is taken over) and shows the answer: as JSON, or as show() prints it, which
// returns the exit status. Returns that; an answer that did not come is told as cmd_ask() does.
int cmd_show(const char *method, cJSON *params, bool json, int (*show)(const cJSON *answer));

// Loads burst.yaml ($BURST_CONF, the installed place, or path when it is not NULL). NULL after
// printing all errors.
struct burst_conf *cmd_conf(const char *path);

// "burst jobs: TEXT" (nothing with fmt NULL: getopt has said it) and where to read on; returns
// CMD_USAGE.
int cmd_usage(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Prints a value as JSON over several lines.
void cmd_print_json(const cJSON *value);

int cmd_status(int argc, char **argv);
int cmd_jobs(int argc, char **argv);
int cmd_nodes(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_cost(int argc, char **argv);
int cmd_bounds(int argc, char **argv);
int cmd_results(int argc, char **argv);
int cmd_drain(int argc, char **argv);
int cmd_undrain(int argc, char **argv);
int cmd_terminate(int argc, char **argv);
int cmd_giveup(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_slurm_conf(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_catalog(int argc, char **argv);
int cmd_catalog_update(int argc, char **argv); // argv[0] = "burst catalog update"

#endif
