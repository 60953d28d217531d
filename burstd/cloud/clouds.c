// SPDX-License-Identifier: GPL-3.0-or-later
// See clouds.h.
#include "cloud/clouds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "state/instances.h"

// A cloud is asked this often: while something boots or ends; while spot instances run (their
// notice also comes from the node's agent); otherwise the site's reap interval.
#define LIST_FAST_MS 1000
#define LIST_SPOT_MS 5000
#define OUT_MIN_MS 5000
#define OUT_MAX_MS 600000

struct clouds {
    struct burstd *b;
    struct cloud *rows;
    unsigned n;
};

struct clouds *clouds_create(struct burstd *b, burst_error_t *errp)
{
    struct clouds *c = xmalloc(sizeof(*c));

    c->b = b;
    c->rows = xcalloc(b->conf->n_clouds, sizeof(struct cloud));
    for (c->n = 0; c->n < b->conf->n_clouds; c->n++) {
        struct cloud *row = &c->rows[c->n];
        row->b = b;
        row->conf = &b->conf->clouds[c->n];
        row->ops = provider_find(row->conf->provider, errp);
        if (!row->ops)
            goto error;
        struct provider_config pc = {
            .cloud = row->conf->name,
            .endpoint = row->conf->endpoint,
            .credentials_file = row->conf->credentials,
            .cluster = b->conf->cluster,
            .timeout_ms = 30000,
        };
        row->provider = row->ops->create(b->loop, b->http, &pc, errp);
        if (!row->provider) {
            errprefix(errp, "cloud %s", row->conf->name);
            goto error;
        }
    }
    return c;
error:
    clouds_destroy(c);
    return NULL;
}

void clouds_destroy(struct clouds *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->n; i++) {
        if (c->rows[i].provider)
            c->rows[i].ops->destroy(c->rows[i].provider);
        free(c->rows[i].listed);
        free(c->rows[i].unheard);
    }
    free(c->rows);
    free(c);
}

struct cloud *clouds_at(struct clouds *c, unsigned i)
{
    return i < c->n ? &c->rows[i] : NULL;
}

struct cloud *clouds_find(struct clouds *c, const char *name)
{
    for (unsigned i = 0; i < c->n; i++)
        if (strcmp(c->rows[i].conf->name, name) == 0)
            return &c->rows[i];
    return NULL;
}

int cloud_refresh(struct cloud *c, burst_error_t *errp)
{
    int rc = c->ops->refresh ? c->ops->refresh(c->provider, errp) : 0;

    if (rc < 0)
        return errprefix(errp, "cloud %s: credentials", c->conf->name);
    if (rc > 0) {
        log_info("cloud %s: has new credentials", c->conf->name);
        cloud_works(c); // as far as is known; if they are refused, too, it is out again
    }
    return rc;
}

void cloud_trouble(struct cloud *c, enum provider_class error, const char *message)
{
    int64_t wait = OUT_MIN_MS;

    snprintf(c->message, sizeof(c->message), "%s: %s", provider_class_name(error), message);
    for (unsigned i = 0; i < c->failures && wait < OUT_MAX_MS; i++)
        wait *= 2;
    c->failures++;
    // Wrong credentials do not mend themselves in seconds, and asking on may lock the account.
    if (error == PROVIDER_AUTH && wait < 60000)
        wait = 60000;
    c->out_until_ms = clock_mono_ms() + (wait > OUT_MAX_MS ? OUT_MAX_MS : wait);
    log_warn("cloud %s: %s", c->conf->name, c->message);
    burst_error_t err;
    if (error == PROVIDER_AUTH && cloud_refresh(c, &err) < 0)
        log_warn("%s", err.text);
}

void cloud_works(struct cloud *c)
{
    c->failures = 0;
    c->out_until_ms = 0;
    c->message[0] = '\0';
}

bool cloud_usable(const struct cloud *c)
{
    return clock_mono_ms() >= c->out_until_ms;
}

void cloud_list_soon(struct cloud *c)
{
    c->next_list_ms = 0;
}

static void on_list(void *arg, const struct provider_result *r)
{
    struct cloud *c = arg;

    c->listing = false;
    if (r->error != PROVIDER_OK) {
        cloud_trouble(c, r->error, r->message);
        int64_t wait = c->out_until_ms - clock_mono_ms();
        c->next_list_ms = clock_mono_ms() + (wait > 30000 ? 30000 : wait);
        return;
    }
    cloud_works(c);
    cloud_listing_read(c); // one that nobody has read yet is older than this
    c->listed = xcalloc(r->n, sizeof(*c->listed));
    if (r->n)
        memcpy(c->listed, r->instances, r->n * sizeof(*c->listed));
    c->n_listed = r->n;
    c->unheard = xcalloc(r->n_unheard + 1, sizeof(*c->unheard));
    c->n_unheard = r->n_unheard;
    for (size_t k = 0; k < r->n_unheard; k++) {
        snprintf(c->unheard[k], sizeof(c->unheard[k]), "%s", r->unheard[k]);
        log_rarely(LOG_LEVEL_WARN, "cloud %s: region %s does not list its instances", c->conf->name,
                   r->unheard[k]);
    }
    c->heard = true;
    c->b->poke(c->b);
}

bool cloud_heard_of(const struct cloud *c, const char *region)
{
    for (size_t k = 0; k < c->n_unheard; k++)
        if (strcmp(c->unheard[k], region) == 0)
            return false;
    return true;
}

void cloud_listing_read(struct cloud *c)
{
    free(c->listed);
    free(c->unheard);
    c->listed = NULL;
    c->unheard = NULL;
    c->n_listed = c->n_unheard = 0;
    c->heard = false;
}

static int64_t interval(struct cloud *c)
{
    int64_t ms = c->b->conf->reap_interval_s * 1000;

    INSTANCES_EACH(c->b->instances, i)
    {
        if (strcmp(i->cloud, c->conf->name) != 0)
            continue;
        if (i->state == INST_LAUNCHED || i->state == INST_TERMINATING || i->notice_at)
            return LIST_FAST_MS;
        if (i->spot && ms > LIST_SPOT_MS)
            ms = LIST_SPOT_MS;
    }
    return ms;
}

void clouds_step(struct clouds *c)
{
    int64_t now = clock_mono_ms();

    for (unsigned k = 0; k < c->n; k++) {
        struct cloud *row = &c->rows[k];
        if (row->listing || now < row->next_list_ms)
            continue;
        row->listing = true;
        row->next_list_ms = now + interval(row);
        row->ops->list_owned(row->provider, on_list, row);
    }
}
