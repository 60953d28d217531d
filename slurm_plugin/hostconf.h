// SPDX-License-Identifier: GPL-3.0-or-later
// burst.conf beside slurm.conf: the few settings of the plugin and the hooks, which cannot afford
// to read YAML. Lines of key=value, # begins a comment, every key is optional:
//   RunDir=/run/burst            directory of snapshot, poke.sock and burstd.sock
//   StateDir=/var/lib/burst      directory of the hooks' spool
//   PrologTimeout=900            seconds that burst-prolog waits for a job's nodes
//   EpilogTimeout=600            seconds that burst-epilog waits for a job's results
//   ElasticPartitions=aws,gcp    partitions of rented nodes, for as long as there is no snapshot
// No allocation. What cannot be read leaves the default: Slurm must go on.
#ifndef BURST_HOSTCONF_H
#define BURST_HOSTCONF_H

#include "libburst/error.h"

#define HOSTCONF_PATH 128 // buffer for a directory: leaves room in a socket's path of 108

#define HOSTCONF_ELASTIC 4096

struct hostconf {
    char run_dir[HOSTCONF_PATH];
    char state_dir[HOSTCONF_PATH];
    int prolog_timeout_s;
    int epilog_timeout_s;
    char elastic[HOSTCONF_ELASTIC]; // comma list
};

// Reads burst.conf in the directory of slurm_conf ($SLURM_CONF; NULL or "": /etc/slurm/slurm.conf).
// c is usable in every case. -1 with the first fault (file, line, what would be right) when there
// is a file with a fault; a missing file is none.
int hostconf_load(struct hostconf *c, const char *slurm_conf, burst_error_t *errp);

#endif
