// SPDX-License-Identifier: GPL-3.0-or-later
// See api.h: who may ask what. People, operators and hooks have files of their own.
#include "rpc/api.h"

#include <stdlib.h>

#include "base/conf.h"
#include "libburst/xalloc.h"
#include "rpc/api_bounds.h"
#include "rpc/api_history.h"
#include "rpc/api_listing.h"
#include "rpc/api_operators.h"
#include "rpc/api_people.h"
#include "rpc/api_why.h"
#include "rpc/ready.h"
#include "rpc/rpc_server.h"

static void m_job_ready(void *arg, struct rpc_request *req)
{
    ready_job_ready(arg, req);
}

static void m_job_done(void *arg, struct rpc_request *req)
{
    ready_job_done(arg, req);
}

static const struct rpc_method methods[] = {
    {"ping", people_ping, false, false},
    {"status", people_status, false, false},
    {"jobs", listing_jobs, false, false},
    {"nodes", listing_nodes, false, false},
    {"why", why_answer, false, false},
    {"cost", history_cost, false, false},
    {"bounds", bounds_list, false, false},
    {"results", people_results, false, false},
    {"bounds_reopen", bounds_open, true, false},
    {"drain", operators_drain, true, false},
    {"terminate", operators_terminate, true, false},
    {"giveup", operators_giveup, true, false},
    {"reload", operators_reload, true, false},
    {"job_ready", m_job_ready, true, true},
    {"job_done", m_job_done, true, true},
    {NULL, NULL, false, false},
};

int api_start(struct burstd *b, burst_error_t *errp)
{
    char *path = xasprintf("%s/burstd.sock", b->conf->run_dir);

    b->rpc = rpc_server_create(b->loop, path, methods, b->conf, b, errp);
    free(path);
    return b->rpc ? 0 : -1;
}
