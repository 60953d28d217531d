// SPDX-License-Identifier: GPL-3.0-or-later
// What burstd needs of a cloud. A driver is a const vtable; every call returns at once and
// answers by callback on the loop, also for errors that are known at once (never from inside the
// call). Drivers keep no state that matters: burstd's journal is the truth about what was asked,
// the cloud is the truth about what exists.
#ifndef BURST_PROVIDER_H
#define BURST_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "libburst/error.h"
#include "libburst/money.h"

// What a failed call means for the caller, whatever the cloud called it.
enum provider_class {
    PROVIDER_OK = 0,
    PROVIDER_CAPACITY,  // none of this to be had here now: go to the next place, ask again later
    PROVIDER_QUOTA,     // our account's limit: go to the next place, tell the admin
    PROVIDER_THROTTLE,  // asked too often: the same request again after a while
    PROVIDER_AUTH,      // credentials or configuration: the whole cloud is out until mended
    PROVIDER_INVALID,   // our request is wrong: do not repeat it
    PROVIDER_TRANSIENT, // unknown outcome (time-out, 5xx, lost reply): ask what exists, then repeat
                        // with the same token
    PROVIDER_NOT_FOUND, // no such instance
};
const char *provider_class_name(enum provider_class c);

enum provider_state {
    PROVIDER_PENDING,
    PROVIDER_RUNNING,
    PROVIDER_STOPPING,
    PROVIDER_TERMINATED, // for good; ended_at tells when billing stopped
};
const char *provider_state_name(enum provider_state s);

struct provider_instance {
    char id[128];
    enum provider_state state;
    char address[64];   // reachable from the controller; "" while unknown
    char host_key[256]; // SSH host key "ssh-ed25519 AAAA..." when the cloud tells it, else ""
    char instance_type[128];
    char region[64];
    char zone[64];
    bool spot;
    money_t price; // per hour, at which it was sold; MONEY_UNKNOWN or 0: the cloud does not say
    int64_t launched_at;   // epoch seconds, start of billing as the cloud says it
    int64_t ended_at;      // end of billing, 0 while it runs
    int64_t notice_at;     // the cloud has announced to take it back then; 0 = no
    bool preempted;        // it ended (or ends) because the cloud took it back
    char tag_instance[64]; // our tag burst-instance, "" when it is not ours
    char tag_cluster[64];
    char token[64]; // idempotency token of the launch, when the cloud tells it
};

// Everything a launch says; all pointers are borrowed for the call.
struct provider_launch {
    const char *token; // at most 64 characters [A-Za-z0-9-]; the same token never launches twice
    unsigned count;    // all or none, in one zone
    const char *instance_type;
    const char *region;
    const char *zone; // "" = the region decides
    bool spot;
    const char *image;          // provider's name, "" = default
    const char *ssh_public_key; // one line, for the login user
    const char *tag_cluster;
    const char *tag_job;
    const char *const *tag_instance; // count names, our ids
};

struct provider_result {
    enum provider_class error; // PROVIDER_OK or what went wrong
    char message[512];         // the cloud's words, safe to print (no secrets); "" when ok
    int64_t retry_after_ms;    // with PROVIDER_THROTTLE when the cloud says it, else 0
    struct provider_instance *instances; // borrowed for the callback
    size_t n;
    // Of a listing that is PROVIDER_OK: regions that did not answer, so that of what is there
    // nothing is known; borrowed.
    const char *const *unheard;
    size_t n_unheard;
};

typedef void (*provider_cb)(void *arg, const struct provider_result *result);

// What a driver gets at its creation; borrowed for the call, drivers copy what they keep.
struct provider_config {
    const char *cloud;            // name in burst.yaml
    const char *endpoint;         // URL without a slash at its end
    const char *credentials_file; // read by the driver through fs_read_secret()
    const char *cluster;          // our tag
    int timeout_ms;               // of one request
};

struct provider; // a driver's own

struct http; // provider/http.h: libcurl multi on the loop, shared by all drivers

struct provider_ops {
    const char *name; // as in `provider:` of burst.yaml
    struct provider *(*create)(uv_loop_t *loop, struct http *http,
                               const struct provider_config *config, burst_error_t *errp);
    void (*destroy)(struct provider *p); // pending callbacks are not called any more
    // Reads the credentials again. 1: they are others now, 0: they are the same, -1: they cannot be
    // read, and the old ones stay in use. NULL: the driver has none.
    int (*refresh)(struct provider *p, burst_error_t *errp);
    void (*launch)(struct provider *p, const struct provider_launch *req, provider_cb cb,
                   void *arg);
    // All instances with our cluster tag that the cloud still lists, ended ones included; of all
    // regions, and all pages of them. It has failed only when no region has answered.
    void (*list_owned)(struct provider *p, provider_cb cb, void *arg);
    // One instance by its id.
    void (*describe)(struct provider *p, const char *id, const char *region, provider_cb cb,
                     void *arg);
    // Idempotent; PROVIDER_OK says accepted, the end is seen by describe or list_owned.
    void (*terminate)(struct provider *p, const char *id, const char *region, provider_cb cb,
                      void *arg);
    // Cheap authenticated call: are the credentials good? (`burst check`)
    void (*probe)(struct provider *p, provider_cb cb, void *arg);
};

extern const struct provider_ops provider_local;

// NULL when there is no driver of that name; errp lists those that exist.
const struct provider_ops *provider_find(const char *name, burst_error_t *errp);

#endif
