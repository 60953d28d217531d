// SPDX-License-Identifier: GPL-3.0-or-later
// The daemon's context: pointers only, so it stands at the bottom of the house although the parts
// behind the pointers do not. main.c is the one place that knows the order of start and stop; every
// part gets this struct and uses what it needs.
#ifndef BURST_BURSTD_H
#define BURST_BURSTD_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

struct burstd {
    uv_loop_t *loop;
    struct burst_conf *conf;
    const char *conf_path;
    struct store *store;
    struct reader *reader; // of the journal, for people
    struct slurm_link *slurm;
    struct http *http;
    struct clouds *clouds;
    struct observed *observed;
    struct instances *instances;
    struct jobs *jobs;
    struct bounds *bounds; // against circles that cost money
    struct shape_prices *prices;
    struct solver *solver;
    struct price_survey *survey;
    struct data_checks *data_checks; // what burst-stagerd says of jobs' data
    struct planner *planner;
    struct spool *spool;
    struct ready *ready; // burst-prolog and burst-epilog that wait for an answer
    struct rpc_server *rpc;
    struct node_http *node_http;
    struct publisher *publisher; // snapshot for the plugin
    char *ssh_public_key;        // what a launch carries; one line
    int64_t started;             // epoch seconds
    uint32_t uid_min;            // smallest uid of people here
    bool stopping;
    int64_t journal_failed_ms; // monotonic: a write of the journal failed then (journal.h)
    bool polling_fast;         // Slurm is asked ten times a second
    // Reads the configuration again; -1 with *errors (owned by the caller) when the old one stays
    // in force.
    int (*reload)(struct burstd *b, char **errors);
    // Looks at everything again soon: cheap, may be called from anywhere, coalesced.
    void (*poke)(struct burstd *b);
};

#endif
