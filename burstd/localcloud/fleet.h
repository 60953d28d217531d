// SPDX-License-Identifier: GPL-3.0-or-later
// The books of the local clouds: who rented what, at which price, since when; and the rules by
// which instances are launched, ended, taken back and billed. Knows no HTTP and no namespaces.
//
// Order of a launch: the records of all its instances are on disk before any of them is made;
// their processes are on disk before any of them runs; the launch counts only when one record says
// that all of it was done. After a crash in between, the restart ends what runs of such a launch
// and forgets it as a whole: the same token launches anew.
#ifndef LOCALCLOUD_FLEET_H
#define LOCALCLOUD_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "localcloud/conf.h"
#include "localcloud/faults.h"
#include "localcloud/instance.h"
#include "localcloud/machine.h"

#define FLEET_COUNT_MAX 64       // instances of one launch
#define FLEET_LISTED_S 3600      // an ended instance is shown for this long
#define FLEET_STOP_GRACE_MS 1500 // between the polite and the hard end

struct fleet;
struct cloud;

// An answer that is an error; the codes are those of the API.
struct fleet_error {
    int status; // HTTP
    const char *code;
    char message[512];
};

struct fleet_launch {
    const char *token;
    int64_t count;
    const char *instance_type, *region, *zone; // zone "" = any
    bool spot;
    const cJSON *tags;          // object of strings, or NULL
    const cJSON *instance_tags; // array of count such objects, added to tags; or NULL
    const char *ssh_public_key;
};

// Reads catalogs and state files. conf and ops are borrowed for the life. Then fleet_attach().
struct fleet *fleet_create(const struct conf *conf, const struct machine_ops *ops, void *ctx,
                           burst_error_t *errp);
// Finds the running instances again. ctx may be given here for the first time.
void fleet_attach(struct fleet *f, void *ctx);
void fleet_destroy(struct fleet *f); // the machines must have been let go or be gone

int64_t fleet_now_ms(struct fleet *f); // the fleet's clock, epoch milliseconds
struct cloud *fleet_cloud(struct fleet *f, const char *name); // NULL = no such cloud
const struct conf_cloud *cloud_conf(const struct cloud *c);
struct faults *cloud_faults(struct cloud *c);
// Writes the faults to the state directory if they have changed.
void fleet_save_faults(struct fleet *f);

// 0 and the launch's instances (borrowed), or -1 and *err.
int fleet_launch(struct fleet *f, struct cloud *c, const struct fleet_launch *req,
                 struct instance *out[FLEET_COUNT_MAX], size_t *n, struct fleet_error *err);

// Borrowed; NULL when there is none or it ended more than an hour ago.
struct instance *fleet_find(struct fleet *f, const struct cloud *c, const char *id);
// The i-th instance of all, for listings; NULL at the end. cloud NULL = of every cloud.
struct instance *fleet_next(struct fleet *f, const struct cloud *c, size_t *i, bool ended_too);

// Idempotent.
void fleet_terminate(struct fleet *f, struct instance *i);
int fleet_preempt(struct fleet *f, struct instance *i, int64_t notice_s, struct fleet_error *err);
int fleet_kill(struct fleet *f, struct instance *i, struct fleet_error *err);
int fleet_cut(struct fleet *f, struct instance *i, bool cut, struct fleet_error *err);

// {"offers":[...]}: what may be launched at which price. Owned by the caller.
cJSON *fleet_offers(const struct cloud *c);
// {"rows":[...],"total_usd_micro":n}, of everything ever rented. Owned by the caller.
cJSON *fleet_bill(struct fleet *f, const struct cloud *c);

// What the machines report (a machine_cb; arg is the fleet).
void fleet_event(void *arg, struct instance *i, enum machine_event event, const char *text);

// Does what is due; milliseconds until something else is, or -1.
int64_t fleet_run_due(struct fleet *f);

// Ends every instance of every cloud (reason user). fleet_alive() tells how many are left.
void fleet_terminate_all(struct fleet *f);
size_t fleet_alive(struct fleet *f);

// Removes one trace after the other of what a state directory names: processes, links. Works
// without a fleet. Returns the number of processes that were ended, or -1.
int fleet_purge(const char *state_dir, burst_error_t *errp);

#endif
