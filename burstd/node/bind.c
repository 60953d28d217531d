// SPDX-License-Identifier: GPL-3.0-or-later
// See bind.h.
#include "node/bind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/conf.h"
#include "base/log.h"
#include "job/jobflow.h"
#include "libburst/clock.h"
#include "libburst/hostlist.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "node/instance_call.h"
#include "node/preempt.h"
#include "node/provision.h"
#include "node/stage.h"
#include "slurm/slurm_link.h"
#include "ssh/ssh_op.h"
#include "state/instances.h"
#include "state/jobs.h"

#define JOIN_TRIES 3
#define STRAY_GRACE_MS 3000 // Slurm's table may be older than what we just did
#define STRAY_AGAIN_MS 10000

// ---- names

static bool name_is_free(struct burstd *b, const char *name)
{
    const struct snode *n = slurm_link_node(b->slurm, name);

    return n && (n->flags & SNODE_POWERED_DOWN) && (n->flags & SNODE_IDLE) &&
           !(n->flags & (SNODE_DOWN | SNODE_DRAIN | SNODE_POWERING_UP | SNODE_POWERING_DOWN |
                         SNODE_ALLOCATED | SNODE_COMPLETING | SNODE_POWER_DOWN)) &&
           !instances_by_node(b->instances, name);
}

static bool find_name(struct burstd *b, const struct instance *i, char *out, size_t size)
{
    const struct cloud_conf *c = conf_find_cloud(b->conf, i->cloud);
    const struct shape_conf *s = conf_find_shape(b->conf, i->shape);
    char name[CONF_NODE_NAME_MAX];

    for (unsigned k = 1; c && s && k <= s->nodes; k++) {
        if (conf_node_name(c, s, k, name, NULL) == 0 && name_is_free(b, name)) {
            snprintf(out, size, "%s", name);
            return true;
        }
    }
    return false;
}

static int by_node(const void *a, const void *b)
{
    return strcmp((*(struct instance *const *)a)->node, (*(struct instance *const *)b)->node);
}

int bind_names(struct burstd *b, struct bjob *j, struct instance **g, unsigned n,
               burst_error_t *errp)
{
    char names[BJOB_NODE_NAMES_MAX] = "";
    unsigned done = 0;
    size_t len = 0;

    for (; done < n; done++) {
        struct instance *i = g[done];
        if (i->state == INST_IDLE) {
            if (instance_state(b, i, INST_JOINED, NULL) < 0)
                goto undo;
            continue;
        }
        if (!find_name(b, i, i->node, sizeof(i->node))) {
            errprintf(errp, "all node names %s-%s-* are taken in Slurm", i->cloud, i->shape);
            goto undo;
        }
        i->addr_set = i->join_done = false;
        i->flags &= ~(unsigned)(INST_F_RESUMED | INST_F_SUSPENDED | INST_F_NODE_DOWN);
        if (instance_state(b, i, INST_BOUND, NULL) < 0) {
            i->node[0] = '\0';
            errprintf(errp, "the journal cannot be written");
            goto undo;
        }
    }
    qsort(g, n, sizeof(*g), by_node);
    for (unsigned k = 0; k < n && len < sizeof(names); k++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", k ? "," : "", g[k]->node);
    if (len < sizeof(names)) {
        bjob_set(&j->node_names, names);
        return 0;
    }
    errprintf(errp, "its list of nodes is too long");
undo:
    while (done-- > 0) {
        if (g[done]->state == INST_BOUND) {
            g[done]->node[0] = '\0';
            instance_state(b, g[done], INST_READY, NULL);
        } else {
            instance_state(b, g[done], INST_IDLE, NULL);
        }
    }
    return -1;
}

// ---- Slurm wants a node up

static int save_flag(struct burstd *b, struct instance *i, unsigned flag)
{
    i->flags |= flag;
    if (instance_save(b, i) == 0) {
        b->poke(b);
        return 0;
    }
    i->flags &= ~flag; // else nobody would write it any more
    return -1;
}

int bind_resumed(struct burstd *b, const char *node)
{
    struct instance *i = instances_by_node(b->instances, node);

    if (!i || (i->flags & INST_F_RESUMED) || i->state != INST_BOUND)
        return 0; // without an instance: bind_step() sees the node and gives it back
    i->since = clock_now_s();
    return save_flag(b, i, INST_F_RESUMED);
}

static int each_host(struct burstd *b, const cJSON *msg,
                     int (*f)(struct burstd *b, const char *node, int64_t time))
{
    char **names;
    size_t n;
    int rc = 0;
    burst_error_t err;

    if (hostlist_expand(json_str(msg, "hosts", ""), &names, &n, &err) < 0) {
        log_error("spool: %s", err.text);
        return 0; // trying again does not mend it
    }
    for (size_t k = 0; k < n; k++)
        if (f(b, names[k], json_i64(msg, "time", 0)) < 0)
            rc = -1;
    hostlist_free(names);
    return rc;
}

static int resume(struct burstd *b, const char *node, int64_t time)
{
    return bind_resumed(b, node);
}

static int resume_failed(struct burstd *b, const char *node, int64_t time)
{
    struct instance *i = instances_by_node(b->instances, node);

    if (!i || i->state != INST_BOUND)
        return 0;
    preempt_lost(b, i, "its slurmd did not register in time");
    return i->state == INST_BOUND ? -1 : 0;
}

static int suspend(struct burstd *b, const char *node, int64_t time)
{
    struct instance *i = instances_by_node(b->instances, node);

    if (!i || (i->flags & INST_F_SUSPENDED) || (time && i->created > time))
        return 0; // a file that is older than this instance meant the one before
    return save_flag(b, i, INST_F_SUSPENDED);
}

int bind_spooled(struct burstd *b, const cJSON *msg)
{
    const char *kind = json_str(msg, "kind", "");

    if (strcmp(kind, "resume") == 0)
        return each_host(b, msg, resume);
    if (strcmp(kind, "resume_fail") == 0)
        return each_host(b, msg, resume_failed);
    if (strcmp(kind, "suspend") == 0)
        return each_host(b, msg, suspend);
    log_error("spool: unknown kind \"%s\"", kind);
    return 0;
}

// ---- join

static void address_known(void *arg, int rc, const char *error)
{
    struct instance_call *call = arg;
    struct instance *i = instance_called(call);

    if (i) {
        i->node_cmd = false;
        if (rc == 0)
            i->addr_set = true;
        else
            i->next_ms = clock_mono_ms() + 1000;
        if (rc > 0)
            log_warn("node %s: Slurm did not take its address: %s", i->node, error);
    }
    call->b->poke(call->b);
    free(call);
}

static void tell_address(struct burstd *b, struct instance *i)
{
    cJSON *cmd = cJSON_CreateObject();

    json_add_str(cmd, "op", "update_node");
    json_add_str(cmd, "nodes", i->node);
    json_add_str(cmd, "addr", i->address);
    json_add_str(cmd, "hostname", i->node);
    i->node_cmd = true;
    slurm_link_command(b->slurm, cmd, address_known, instance_call_create(b, i));
}

static void joined(void *arg, bool ok, const char *errclass, const char *error, const cJSON *last)
{
    struct instance_call *call = arg;
    struct burstd *b = call->b;
    struct instance *i = instance_ssh_done(call);

    free(call);
    if (!i)
        return;
    if (ok) {
        i->join_done = true;
        slurm_link_poke(b->slurm);
    } else if (++i->tries < JOIN_TRIES) {
        log_warn("node %s: slurmd could not be started (%s: %s); trying again", i->node, errclass,
                 error);
        i->next_ms = clock_mono_ms() + 1000;
    } else {
        preempt_lost(b, i, error);
    }
}

static const struct ssh_op_callbacks join_callbacks = {.done = joined};

// Every node of the job knows every other by name: a new srun after a restart of slurmctld needs
// it.
static void add_hosts(struct burstd *b, cJSON *request, const struct instance *me)
{
    cJSON *hosts = cJSON_AddArrayToObject(request, "hosts");

    INSTANCES_EACH(b->instances, i)
    {
        if (!i->node[0] || !i->address[0] || i->state >= INST_TERMINATING ||
            (i != me && (!i->job[0] || strcmp(i->job, me->job) != 0)))
            continue;
        cJSON *h = cJSON_CreateObject();
        json_add_str(h, "address", i->address);
        json_add_str(h, "names", i->node);
        cJSON_AddItemToArray(hosts, h);
    }
}

static void join(struct burstd *b, struct instance *i)
{
    cJSON *r = ssh_request(b, i, "join");

    json_add_str(r, "node_name", i->node);
    add_hosts(b, r, i);
    if (instance_ssh_start(b, i, r, &join_callbacks, instance_call_create(b, i)) < 0)
        i->next_ms = clock_mono_ms() + 1000;
}

static bool registered(const struct snode *n)
{
    return n && !(n->flags & (SNODE_POWERED_DOWN | SNODE_POWERING_UP | SNODE_POWERING_DOWN |
                              SNODE_NOT_RESPONDING | SNODE_DOWN | SNODE_FUTURE));
}

static bool placed(struct burstd *b, const struct instance *i)
{
    const struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;

    return j && j->state >= JOB_PLACED && j->state <= JOB_STAGEOUT;
}

static void step_bound(struct burstd *b, struct instance *i, const struct snode *n)
{
    if (!(i->flags & INST_F_RESUMED)) {
        // It got a name, but that its job was placed there did not get into the journal (killed in
        // between, disk full): Slurm was not told, the name goes back.
        if (!i->node[0] || !placed(b, i)) {
            i->node[0] = '\0';
            instance_state(b, i, INST_READY, "its job was not placed");
            return;
        }
        // The hook may be late or lost; Slurm's own table says it too.
        if (n && ((n->flags & SNODE_POWERING_UP) || registered(n)))
            bind_resumed(b, i->node);
        return;
    }
    if (i->join_done && registered(n)) {
        instance_state(b, i, INST_JOINED, NULL);
        b->poke(b);
    } else if (!i->addr_set) {
        if (!i->node_cmd)
            tell_address(b, i);
    } else if (!i->join_done) {
        if (!i->ssh && ssh_slot(b))
            join(b, i);
    } else if (clock_now_s() - i->since > b->conf->join_timeout_s) {
        preempt_lost(b, i, "its slurmd did not register in time");
    }
}

static void step_joined(struct burstd *b, struct instance *i, const struct snode *n)
{
    struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;

    // It was idle, given to a job, and Slurm suspended it in the same moment. The job is pulled
    // back while it waits (jobflow); here Slurm was quicker and boots the node anew for it.
    if ((i->flags & INST_F_SUSPENDED) && n && (n->flags & SNODE_POWERING_UP)) {
        preempt_lost(b, i, "Slurm had given the node back");
        return;
    }
    // Its job was seen to run before it was seen to be registered (burstd was down then).
    if (j && j->state == JOB_RUNNING) {
        instance_state(b, i, INST_BUSY, NULL);
        return;
    }
    // Booted for a job that was cancelled meanwhile: Slurm has an idle node, and suspends it.
    if (!j || (j->state != JOB_PLACED && j->state != JOB_RUNNING && j->state != JOB_STAGEOUT)) {
        i->job[0] = '\0';
        i->flags &= ~(unsigned)INST_F_STAGED_IN;
        instance_state(b, i, INST_IDLE, NULL);
    }
}

// Its job has left it, but that could not be journaled then.
static void step_busy(struct burstd *b, struct instance *i)
{
    if (placed(b, i))
        return;
    i->job[0] = '\0';
    i->flags &= ~(unsigned)(INST_F_STAGED_IN | INST_F_STAGE_OUT | INST_F_SIGNALLED);
    instance_state(b, i, INST_IDLE, NULL);
}

static void step_idle(struct burstd *b, struct instance *i, const struct snode *n)
{
    bool given_back = n && (n->flags & (SNODE_POWERED_DOWN | SNODE_POWERING_DOWN)) &&
                      clock_now_s() - i->since >= 3;
    struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;

    if (!(i->flags & INST_F_SUSPENDED) && !given_back)
        return;
    if (j && j->state == JOB_SECURING)
        jobflow_capacity_failed(b, j, NULL, "Slurm had just given the idle node back");
    provision_terminate(b, i, "idle");
}

static void step_node(struct burstd *b, struct instance *i)
{
    const struct snode *n = slurm_link_node(b->slurm, i->node);

    if (clock_mono_ms() < i->next_ms)
        return;
    switch (i->state) {
    case INST_BOUND:
        step_bound(b, i, n);
        break;
    case INST_JOINED:
        step_joined(b, i, n);
        break;
    case INST_BUSY:
        step_busy(b, i);
        break;
    case INST_IDLE:
        step_idle(b, i, n);
        break;
    default:
        break;
    }
}

// ---- nodes that Slurm believes to be up, without an instance

struct stray {
    char node[64];
    int64_t act_ms;
    UT_hash_handle hh;
};

static struct stray *strays; // by name; only nodes that are out of order now

static void stray_command(struct burstd *b, const char *node, const char *state, const char *why)
{
    cJSON *cmd = cJSON_CreateObject();

    log_info("node %s has no instance behind it: setting it %s", node, state);
    json_add_str(cmd, "op", "update_node");
    json_add_str(cmd, "nodes", node);
    json_add_str(cmd, "state", state);
    json_add_str(cmd, "reason", why);
    slurm_link_command(b->slurm, cmd, NULL, NULL);
}

static bool out_of_order(struct burstd *b, const struct snode *n)
{
    if (!(n->flags & SNODE_CLOUD) || conf_parse_node(b->conf, n->name, NULL, NULL, NULL) < 0)
        return false;
    struct instance *i = instances_by_node(b->instances, n->name);
    if (i && !(i->flags & INST_F_LOST))
        return false;
    if (n->flags & (SNODE_POWERING_DOWN | SNODE_POWER_DOWN))
        return false;
    if ((n->flags & SNODE_POWERED_DOWN) && !(n->flags & (SNODE_DOWN | SNODE_POWERING_UP)))
        return false; // at rest (or just allocated: Slurm powers it up next)
    return true;
}

static void put_right(struct burstd *b, const struct snode *n)
{
    if (n->flags & SNODE_POWERING_UP) {
        stray_command(b, n->name, "power_down_force",
                      "burst: no capacity was secured for this node");
        return;
    }
    if (n->flags & (SNODE_ALLOCATED | SNODE_COMPLETING))
        stray_command(b, n->name, "down", "burst: the instance behind this node is gone");
    stray_command(b, n->name, "power_down", "burst: the instance behind this node is gone");
}

static void check_strays(struct burstd *b)
{
    const struct snode *const *nodes;
    size_t n = slurm_link_nodes(b->slurm, &nodes);
    int64_t now = clock_mono_ms();

    for (size_t k = 0; k < n; k++) {
        struct stray *s;
        HASH_FIND_STR(strays, nodes[k]->name, s);
        if (!out_of_order(b, nodes[k])) {
            if (s) {
                HASH_DEL(strays, s);
                free(s);
            }
            continue;
        }
        if (!s) {
            // A node whose instance was just seen to die is acted on at once.
            s = xmalloc(sizeof(*s));
            snprintf(s->node, sizeof(s->node), "%s", nodes[k]->name);
            s->act_ms = now + STRAY_GRACE_MS;
            HASH_ADD_STR(strays, node, s);
        }
        if (now >= s->act_ms) {
            s->act_ms = now + STRAY_AGAIN_MS;
            put_right(b, nodes[k]);
        }
    }
}

void bind_step(struct burstd *b)
{
    if (!slurm_link_ready(b->slurm))
        return;
    INSTANCES_EACH(b->instances, i)
    if (i->state == INST_BOUND ||
        (i->node[0] && i->state > INST_BOUND && i->state < INST_TERMINATING))
        step_node(b, i);
    check_strays(b);
}
