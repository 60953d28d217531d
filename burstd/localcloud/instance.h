// SPDX-License-Identifier: GPL-3.0-or-later
// One rented instance as the local cloud remembers it: a record with a file of its own,
// written before and after every action, so that a restart finds what runs.
#ifndef LOCALCLOUD_INSTANCE_H
#define LOCALCLOUD_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "libburst/money.h"

#define INSTANCE_ID_MAX 16

enum instance_state { INSTANCE_PENDING, INSTANCE_RUNNING, INSTANCE_STOPPING, INSTANCE_TERMINATED };
const char *instance_state_name(enum instance_state s);

// The process that is the instance: PID 1 of its namespaces, as seen from outside. A pid alone may
// have been given to another process since; with start time and boot it names exactly one.
struct machine_identity {
    int pid; // 0 = never started
    uint64_t start_ticks;
    char boot_id[40];
};

struct machine;

struct instance {
    char id[INSTANCE_ID_MAX + 1]; // also its host name
    char *cloud;
    enum instance_state state;
    uint32_t address; // IPv4, host byte order
    char address_text[16];
    char *host_key; // "ssh-ed25519 AAAA..."
    char *instance_type, *region, *zone;
    bool spot;
    money_t price;       // per hour, fixed at the launch
    int64_t launched_at; // epoch seconds
    int64_t ended_at;    // 0 while it lives
    int64_t notice_at;   // epoch seconds, taken back then; 0 = no
    int64_t die_at_ms;   // epoch, fault "die"; 0 = no
    cJSON *tags;         // object of strings
    char *reason;        // preempted, user, died; NULL while nobody ended it
    char *token;         // of its launch
    char *params;        // of its launch, in canonical form, to recognise another launch
    unsigned count;      // instances of its launch
    bool committed;      // on one of them: the launch was carried through
    unsigned accelerators;
    bool cut; // network off
    struct machine_identity machine;

    // Not in the file:
    struct machine *m;  // borrowed from nobody: owned, NULL when there is none
    int64_t kill_at_ms; // when shutting down: end it the hard way then
    char *ssh_key;      // the launch's ssh_public_key, until it has booted
    int64_t boot_delay; // ms before sshd starts, -1 = never
};

struct instance *instance_create(void);
void instance_destroy(struct instance *i); // NULL is allowed; i->m must be gone

void instance_set_address(struct instance *i, uint32_t address);

// As the API shows it. Owned by the caller.
cJSON *instance_json(const struct instance *i);

// Seconds and micro-dollars that are to be paid until now (epoch seconds) or until its end.
int64_t instance_seconds(const struct instance *i, int64_t now);
money_t instance_cost(const struct instance *i, int64_t now);

// State file DIR/ID.json, atomically and durably.
int instance_save(const struct instance *i, const char *dir, burst_error_t *errp);
// NULL on error: a state file that cannot be understood may stand for a running process.
struct instance *instance_load(const char *path, burst_error_t *errp);
int instance_unlink(const struct instance *i, const char *dir);

// For tests: text of the state file and back.
char *instance_print(const struct instance *i);
struct instance *instance_parse(const char *text, size_t len, burst_error_t *errp);

#endif
