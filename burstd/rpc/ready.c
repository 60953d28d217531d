// SPDX-License-Identifier: GPL-3.0-or-later
// See ready.h. The prolog may be called before ResumeProgram, and again after a restart of
// slurmctld: asking is also the sign that Slurm wants the nodes up, and answering twice is fine.
#include "rpc/ready.h"

#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "job/jobflow.h"
#include "libburst/clock.h"
#include "libburst/hostlist.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "node/bind.h"
#include "node/stage.h"
#include "slurm/slurm_link.h"
#include "state/instances.h"
#include "state/jobs.h"

#define UNKNOWN_MS 10000 // the watcher may not have seen the job yet

struct waiter {
    struct rpc_request *req;
    uint32_t job_id;
    bool done; // burst-epilog
    char **nodes;
    size_t n;
    int64_t since_ms, since_s;
    struct waiter *next;
};

struct ready {
    struct waiter *first;
};

struct ready *ready_create(struct burstd *b)
{
    return xmalloc(sizeof(struct ready));
}

static void free_waiter(struct waiter *w)
{
    hostlist_free(w->nodes);
    free(w);
}

void ready_destroy(struct ready *r)
{
    if (!r)
        return;
    while (r->first) {
        struct waiter *w = r->first;
        r->first = w->next;
        free_waiter(w);
    }
    free(r);
}

static struct waiter *add(struct burstd *b, struct rpc_request *req, bool done)
{
    struct waiter *w = xmalloc(sizeof(*w));
    const cJSON *params = rpc_params(req);
    burst_error_t err;

    w->req = req;
    w->done = done;
    w->job_id = (uint32_t)json_i64(params, "job_id", 0);
    w->since_ms = clock_mono_ms();
    w->since_s = clock_now_s();
    if (!w->job_id || hostlist_expand(json_str(params, "nodes", ""), &w->nodes, &w->n, &err) < 0) {
        rpc_fail(req, "invalid", "job_id and nodes are needed");
        free(w);
        return NULL;
    }
    w->next = b->ready->first;
    b->ready->first = w;
    slurm_link_poke(b->slurm);
    b->poke(b);
    return w;
}

void ready_job_ready(struct burstd *b, struct rpc_request *req)
{
    struct waiter *w = add(b, req, false);

    for (size_t k = 0; w && k < w->n; k++)
        bind_resumed(b, w->nodes[k]);
}

void ready_job_done(struct burstd *b, struct rpc_request *req)
{
    add(b, req, true);
}

static bool node_up(struct burstd *b, const char *name)
{
    const struct snode *n = slurm_link_node(b->slurm, name);
    struct instance *i = instances_by_node(b->instances, name);

    if (!n)
        return false;
    if (conf_parse_node(b->conf, name, NULL, NULL, NULL) == 0 && (!i || i->state < INST_JOINED))
        return false;
    return !(n->flags &
             (SNODE_POWERED_DOWN | SNODE_POWERING_UP | SNODE_NOT_RESPONDING | SNODE_DOWN));
}

static bool reply(struct waiter *w, const char *key, bool value, const char *reason)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddBoolToObject(o, key, value);
    if (reason)
        json_add_str(o, "reason", reason);
    rpc_reply(w->req, o);
    return true;
}

// Its data are there since before it was placed; a job that Slurm put on a rented node by itself
// (an operator's) has none to wait for.
static bool step_ready(struct burstd *b, struct waiter *w)
{
    const struct sjob *s = slurm_link_job_by_id(b->slurm, w->job_id);

    if (s && s->state == SJOB_ENDED)
        return reply(w, "ready", false, "the job is over");
    // By a table that is younger than the prolog: on a busy controller one may take long.
    if (s && s->state == SJOB_PENDING && clock_mono_ms() - w->since_ms > UNKNOWN_MS &&
        slurm_link_last_update(b->slurm) > w->since_s + 1)
        return reply(w, "ready", false, "the job was requeued");
    for (size_t k = 0; k < w->n; k++)
        if (!node_up(b, w->nodes[k]))
            return false;
    return reply(w, "ready", true, NULL);
}

static bool step_done(struct burstd *b, struct waiter *w)
{
    struct bjob *j = jobs_by_id(b->jobs, w->job_id);

    if (!j || (j->state != JOB_RUNNING && j->state != JOB_STAGEOUT && j->state != JOB_PLACED))
        return reply(w, "done", true, NULL);
    // What was placed and never started (cancelled while it booted) has nothing to bring home.
    if (j->state == JOB_PLACED)
        return clock_mono_ms() - w->since_ms > UNKNOWN_MS ? reply(w, "done", true, NULL) : false;
    if (j->state == JOB_RUNNING) {
        jobflow_ended(b, j);
        return false;
    }
    return stage_home(b, j) ? reply(w, "done", true, NULL) : false;
}

void ready_step(struct burstd *b)
{
    struct waiter **at = &b->ready->first;

    while (*at) {
        struct waiter *w = *at;
        bool over = rpc_client_gone(w->req);
        if (over)
            rpc_fail(w->req, "internal", "client gone");
        else
            over = w->done ? step_done(b, w) : step_ready(b, w);
        if (over) {
            *at = w->next;
            free_waiter(w);
        } else {
            at = &w->next;
        }
    }
}

bool ready_waiting(const struct ready *r)
{
    for (const struct waiter *w = r->first; w; w = w->next)
        if (!w->done)
            return true;
    return false;
}
