// SPDX-License-Identifier: GPL-3.0-or-later
// See reload.h. What other parts have taken at their start (sockets, directories, the list of
// clouds and how they are reached) needs a restart, which is cheap: instances and jobs survive it.
#include "reload.h"

#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/clouds.h"
#include "libburst/xalloc.h"
#include "plan/solver.h"
#include "rpc/rpc_server.h"
#include "slurm/publish.h"

static const char *needs_restart(const struct burst_conf *old, const struct burst_conf *new)
{
    if (strcmp(old->cluster, new->cluster) != 0)
        return "cluster";
    if (strcmp(old->run_dir, new->run_dir) != 0 || strcmp(old->state_dir, new->state_dir) != 0)
        return "run_dir and state_dir";
    if (strcmp(old->catalog_dir, new->catalog_dir) != 0)
        return "catalog_dir";
    if (strcmp(old->listen, new->listen) != 0)
        return "listen";
    if (strcmp(old->slurm_conf, new->slurm_conf) != 0)
        return "slurm.conf";
    if (strcmp(old->ssh_key, new->ssh_key) != 0)
        return "ssh.key";
    if (old->n_clouds != new->n_clouds)
        return "the list of clouds";
    for (unsigned k = 0; k < old->n_clouds; k++) {
        const struct cloud_conf *a = &old->clouds[k], *c = &new->clouds[k];
        if (strcmp(a->name, c->name) != 0 || strcmp(a->provider, c->provider) != 0 ||
            strcmp(a->endpoint, c->endpoint) != 0 || strcmp(a->credentials, c->credentials) != 0)
            return "name, provider, endpoint and credentials of a cloud";
    }
    return NULL;
}

// A key that was replaced is used from now on. What is read is right whatever becomes of the rest.
static int new_credentials(struct burstd *b, char **errors)
{
    burst_error_t err;
    struct cloud *c;

    for (unsigned k = 0; (c = clouds_at(b->clouds, k)); k++)
        if (cloud_refresh(c, &err) < 0) {
            *errors =
                xasprintf("%s; the old ones and the old configuration stay in force", err.text);
            log_error("reload: %s", *errors);
            return -1;
        }
    return 0;
}

int reload(struct burstd *b, char **errors)
{
    struct burst_conf *new = NULL, *old = b->conf;
    struct conf_errors errs;
    struct cloud *c;

    if (conf_load(b->conf_path, &new, &errs) < 0) {
        *errors = conf_errors_text(&errs);
        log_error("reload: the old configuration stays in force: %s", *errors);
        return -1;
    }
    const char *what = needs_restart(old, new);
    if (what) {
        *errors =
            xasprintf("a change of %s takes effect only with a restart of burstd (rented nodes "
                      "and jobs survive it); the old configuration stays in force",
                      what);
        log_error("reload: %s", *errors);
        conf_free(new);
        return -1;
    }
    if (new_credentials(b, errors) < 0) {
        conf_free(new);
        return -1;
    }
    b->conf = new;
    for (unsigned k = 0; (c = clouds_at(b->clouds, k)); k++)
        c->conf = &new->clouds[k];
    rpc_server_set_conf(b->rpc, new);
    conf_free(old);
    solver_reload(b->solver);
    publish(b);
    log_info("configuration read again from %s", b->conf_path);
    return 0;
}
