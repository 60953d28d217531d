// SPDX-License-Identifier: GPL-3.0-or-later
// burst.yaml: what the site allows, where its clouds are, what its rented nodes look like.
//
// Strict: an unknown key, a value of the wrong kind or out of range, a name that Slurm would not
// take is an error; it names file, line, the place in the document, and what would be right (the
// nearest known key). Errors are collected, so that one run shows them all. A configuration with
// an error is never used, not even in part: who reloads keeps the one that he has.
//
// Read with libyaml's document API and tables of keys: a binding library such as libcyaml stops at
// the first error, cannot name the nearest key, and loses the line of a value, which the checks
// that compare values with each other need too.
//
// A loaded configuration is read-only. Strings are never NULL ("" = not given), times are seconds,
// money is micro-dollars, sizes are bytes.
#ifndef BURST_CONF_H
#define BURST_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libburst/error.h"
#include "libburst/money.h"

#define CONF_NAME_MAX 32      // characters of a cluster, cloud or shape name
#define CONF_NODE_NAME_MAX 64 // buffer for a node name, a host name label with its end
#define CONF_NODES_MAX 999    // per cloud and shape: node names have three digits
#define CONF_CLOUDS_MAX 64    // a plan has a bit for each
#define CONF_ERRORS_MAX 20    // reported by one load
#define CONF_NO_CAP INT64_MAX // money: no limit; compares greater than every amount

// Slurm's GRES type -> names of the same accelerator in the catalog, in order of preference. A
// type without a line here means the catalog name that equals it without regard to case.
struct accel_conf {
    char *gres;
    char **names;
    unsigned n_names;
};

// What a rented node offers at least: every instance type that a shape admits registers cleanly.
struct shape_conf {
    char *name;      // [a-z0-9-], at most CONF_NAME_MAX
    char *gpu;       // Slurm's GRES type, "" = no GPU
    unsigned gpus;   // 0 exactly when gpu is ""
    unsigned cpus;   // at least 1
    int64_t memory;  // bytes an instance type must offer
    unsigned nodes;  // node names per cloud, 1 .. CONF_NODES_MAX
    char **features; // for --constraint, beside burst, the cloud's name and the shape's
    unsigned n_features;
    int64_t tmp_disk;     // bytes below Slurm's TmpFS, for --tmp; 0 = none promised
    char **catalog_names; // names of the accelerator in the catalog, NULL-terminated; none: no GPU
    unsigned n_catalog_names;
};

// What an hour of waiting costs, for jobs whose partition and QOS match one pattern each.
struct waiting_conf {
    char **partitions;
    unsigned n_partitions;
    char **qos;
    unsigned n_qos;
    money_t usd; // per hour; CONF_NO_CAP: waiting has no price, the threshold alone decides
};

struct cloud_conf {
    char *name;        // [a-z0-9-]; also the catalog file (NAME.csv)
    char *partition;   // default: name. Several clouds may share one
    char *provider;    // driver, see provider.h
    char *endpoint;    // URL without a slash at its end, "" = the provider's own
    char *credentials; // file with the secret, "" = none
    char **regions;    // shell patterns; empty = all
    unsigned n_regions;
    char **markets; // as written; the flags say the same
    unsigned n_markets;
    bool spot, on_demand; // markets that may be bought; at least one
    unsigned max_nodes;   // instances at a time
    money_t max_per_day;  // CONF_NO_CAP when not given
    char *metadata;       // form of the interruption notice: aws gcp azure local none
    char *ssh_user;       // default: ssh.user
    char **shapes;        // patterns of shape names; see cloud_has_shape()
    unsigned n_shapes;
    char *image; // provider's image name, "" = its default
};

struct burst_conf {
    char *path;    // the file it was read from
    char *cluster; // tag of every instance, [a-z0-9-], at most CONF_NAME_MAX
    char *run_dir; // absolute, no slash at the end (as all directories)
    char *state_dir;
    char *catalog_dir;
    char *slurm_user; // operator beside root
    char **operator_users;
    unsigned n_operator_users;
    char **operator_groups;
    unsigned n_operator_groups;
    char *listen;             // as written, "" = off
    char *listen_host;        // its address, "" = off
    unsigned listen_port;     // 0 = off
    char *controller_address; // for SlurmctldHost in /etc/hosts of nodes; "" = they ask DNS

    // slurm
    char *slurm_conf;
    int64_t slurm_poll_s;
    char *node_sharing; // of elastic partitions: "user", "exclusive" (to a job) or "none" of both
    char **allow_qos;   // that may use them; none: every QOS
    unsigned n_allow_qos;

    char **licenses; // of Slurm's, usable from rented nodes
    unsigned n_licenses;

    // eligibility: shell patterns. An empty list of partitions, accounts or users allows nobody.
    bool default_auto;  // false: only jobs with --burst leave
    char *default_word; // "auto" or "never"
    char **partitions;
    unsigned n_partitions;
    char **accounts;
    unsigned n_accounts;
    char **deny_accounts;
    unsigned n_deny_accounts;
    char **users;
    unsigned n_users;
    char **deny_users;
    unsigned n_deny_users;
    unsigned max_nodes;     // of one job
    int64_t max_time_s;     // of one job
    bool interactive;       // salloc and srun may burst
    char **local_gpu_types; // empty: what Slurm's local nodes report
    unsigned n_local_gpu_types;

    // spill
    int64_t wait_threshold_s;
    int64_t min_pending_s;
    money_t waiting_usd; // what an hour of waiting costs where no line of waiting says otherwise
    struct waiting_conf *waiting;
    unsigned n_waiting;
    unsigned max_instances;      // all clouds together
    int64_t accept_while_down_s; // 0: what needs rented nodes is refused while burstd is down
    int64_t default_runtime_s;

    // budget: CONF_NO_CAP when the file says `none`
    money_t max_per_job;
    money_t max_per_day;

    // data
    bool shared_filesystem;
    int64_t max_stage_bytes;
    int64_t sync_interval_s; // 0 = only at the notice and at the end
    // How long, and for how much money (CONF_NO_CAP: any), a node waits with results that home does
    // not take; then they are put below results_dir.
    int64_t keep_results_s;
    money_t keep_results_cost;
    char *results_dir;
    char *data_location; // where this cluster stands, "cloud/region" of egress.csv
    char **exclude;      // patterns of files that stay where they are
    unsigned n_exclude;

    // ssh
    char *ssh_key; // private key file; the public key is beside it as FILE.pub
    char *ssh_user;
    int64_t ssh_connect_timeout_s;

    char *munge_key;

    // spot
    int spot_signal;        // signal number
    char *spot_signal_name; // "USR1"
    int64_t spot_grace_s;
    int64_t spot_changeover_s; // paid again when a job is restarted elsewhere; 0 = nothing

    // boot
    int64_t launch_timeout_s;
    int64_t ssh_timeout_s;
    int64_t join_timeout_s;
    int64_t block_s;     // first time that a place is left alone after a refusal; it doubles ...
    int64_t block_max_s; // ... up to this

    // bounds
    int64_t bound_pause_s;     // what failed twice in a row is closed for so long; it doubles ...
    int64_t bound_pause_max_s; // ... up to this

    // reap
    int64_t reap_minimum_age_s;
    int64_t reap_interval_s;

    int64_t node_idle_s; // SuspendTime of elastic partitions

    struct accel_conf *accels;
    unsigned n_accels;
    struct shape_conf *shapes;
    unsigned n_shapes;
    struct cloud_conf *clouds;
    unsigned n_clouds;
};

struct conf_errors {
    unsigned n;                          // stored in text[]
    unsigned more;                       // not stored: there were more than CONF_ERRORS_MAX
    burst_error_t text[CONF_ERRORS_MAX]; // "burst.yaml:12: clouds[0].provider: ..."
};

// $BURST_CONF, else the installed place. Borrowed.
const char *conf_default_path(void);

// 0 and *conf (owned, conf_free), or -1 and at least one error. Reads no secret, asks no network
// and no name service; whether directories and keys exist is for `burst check`.
int conf_load(const char *path, struct burst_conf **conf, struct conf_errors *errs);
// The same from memory; path is for the messages.
int conf_parse(const char *path, const char *text, size_t len, struct burst_conf **conf,
               struct conf_errors *errs);
void conf_free(struct burst_conf *conf); // NULL is allowed

// All errors as lines; caller frees. For a log, a reply or a terminal.
char *conf_errors_text(const struct conf_errors *errs);

// Borrowed, NULL when there is none of that name.
const struct cloud_conf *conf_find_cloud(const struct burst_conf *conf, const char *name);
const struct shape_conf *conf_find_shape(const struct burst_conf *conf, const char *name);
// First cloud whose partition it is; NULL: not an elastic partition.
const struct cloud_conf *conf_find_partition(const struct burst_conf *conf, const char *partition);

// Does this cloud rent nodes of that shape?
bool cloud_has_shape(const struct cloud_conf *cloud, const struct shape_conf *shape);
bool cloud_has_region(const struct cloud_conf *cloud, const char *region);

// What an hour of a job's waiting costs the site; CONF_NO_CAP: it has no price. partition may be a
// comma list, as a job names several.
money_t conf_cost_of_waiting(const struct burst_conf *conf, const char *partition, const char *qos);

// Does text match one of the shell patterns (case matters)? An empty list matches nothing.
bool conf_match(char *const *patterns, unsigned n, const char *text);

// RealMemory in MiB that Slurm is told: 95 % of what the instance type offers, because firmware
// and kernel take their part of it before slurmd can see it.
uint64_t shape_real_memory_mib(const struct shape_conf *shape);

// TmpDisk that Slurm is told.
uint64_t shape_tmp_disk_mib(const struct shape_conf *shape);
// Features of its nodes: "burst,aws,a100x2" and those that the site names.
#define CONF_FEATURES_MAX 256 // buffer for them
void conf_features(const struct cloud_conf *cloud, const struct shape_conf *shape,
                   char buf[CONF_FEATURES_MAX]);

// The account may act on all jobs: root, the Slurm user, a listed user, a member of a listed
// group. user is the account's name ("" = unknown), groups are names.
bool conf_is_operator(const struct burst_conf *conf, uid_t uid, const char *user,
                      char *const *groups, unsigned n_groups);

// "aws-a100x2-001"; index counts from 1. -1 with errp when it does not fit.
int conf_node_name(const struct cloud_conf *cloud, const struct shape_conf *shape, unsigned index,
                   char buf[CONF_NODE_NAME_MAX], burst_error_t *errp);
// The reverse: which cloud and shape a node name means. Names of clouds and shapes may contain '-';
// conf_load has made sure that only one pair fits. -1: not one of ours. out pointers may be NULL.
int conf_parse_node(const struct burst_conf *conf, const char *node,
                    const struct cloud_conf **cloud, const struct shape_conf **shape,
                    unsigned *index);

#endif
