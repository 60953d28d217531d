// SPDX-License-Identifier: GPL-3.0-or-later
// The configured clouds: a provider each, what it was last heard to own, and whether it works.
// What a listing means for instances is not known here: node/sweep.c reads it.
#ifndef BURST_CLOUDS_H
#define BURST_CLOUDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/burstd.h"
#include "cloud/provider/provider.h"
#include "libburst/error.h"
#include "state/model.h"

struct cloud_conf;

struct cloud {
    const struct cloud_conf *conf;
    const struct provider_ops *ops;
    struct provider *provider;
    bool listing; // a listing is under way
    // The last listing, until the rooms above have read it (cloud_listing_read()).
    bool heard;
    struct provider_instance *listed;
    size_t n_listed;
    char (*unheard)[64]; // regions that it says nothing of
    size_t n_unheard;
    bool listed_once;     // one of all regions was read since the start
    int64_t next_list_ms; // monotonic
    int64_t out_until_ms; // credentials refused or no answer: left out of plans until then
    unsigned failures;    // in a row
    char message[256];    // last trouble, "" = fine
    struct burstd *b;
};

struct clouds *clouds_create(struct burstd *b, burst_error_t *errp);
void clouds_destroy(struct clouds *c);
struct cloud *clouds_find(struct clouds *c, const char *name);
struct cloud *clouds_at(struct clouds *c, unsigned i); // NULL past the end

// Starts listings that are due.
void clouds_step(struct clouds *c);
// What was heard has been read: lets it go.
void cloud_listing_read(struct cloud *c);
// Does the listing that was heard speak of this region? What it leaves out of others may exist.
bool cloud_heard_of(const struct cloud *c, const char *region);
// The next listing of this cloud comes at once.
void cloud_list_soon(struct cloud *c);

// Reads its credentials again (also done by cloud_trouble() when they are refused). 1: there are
// new ones, and what was in the way of the cloud is forgotten; 0: the same; -1: unreadable, the old
// ones stay in use.
int cloud_refresh(struct cloud *c, burst_error_t *errp);
// A call failed or worked: keeps `out_until_ms` and the message.
void cloud_trouble(struct cloud *c, enum provider_class error, const char *message);
void cloud_works(struct cloud *c);
bool cloud_usable(const struct cloud *c);

#endif
