// SPDX-License-Identifier: GPL-3.0-or-later
// See bind.h.
#include "node/bind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/hostlist.h"
#include "libburst/json.h"
#include "node/instance_state.h"
#include "node/free_names.h"
#include "node/preempt.h"
#include "slurm/slurm_link.h"
#include "state/instances.h"

// ---- names

static bool give_name(struct burstd *b, struct instance *i, const struct names_not *without)
{
    const struct cloud_conf *c = conf_find_cloud(b->conf, i->cloud);
    const struct shape_conf *s = conf_find_shape(b->conf, i->shape);
    char name[CONF_NODE_NAME_MAX];

    if (!c || !s || !free_names_find(b, c, s, without, name, sizeof(name)))
        return false;
    instance_set_node(b->instances, i, name);
    return true;
}

static int by_node(const void *a, const void *b)
{
    return strcmp((*(struct instance *const *)a)->node, (*(struct instance *const *)b)->node);
}

int bind_names(struct burstd *b, struct bjob *j, struct instance **g, unsigned n,
               burst_error_t *errp)
{
    char names[BJOB_NODE_NAMES_MAX] = "";
    const struct sjob *record = slurm_link_job(b->slurm, j->key);
    struct names_not not ;
    unsigned done = 0;
    size_t len = 0;

    names_not_init(&not, record ? record->exc_nodes : "");
    for (; done < n; done++) {
        struct instance *i = g[done];
        if (i->state == INST_IDLE) {
            if (instance_state(b, i, INST_JOINED, NULL) < 0)
                goto undo;
            continue;
        }
        if (!give_name(b, i, &not )) {
            errprintf(errp, "no node name %s-%s-* is free in Slurm for it", i->cloud, i->shape);
            goto undo;
        }
        i->addr_set = i->join_done = false;
        i->rejoins = 0;
        i->flags &= ~(unsigned)(INST_F_RESUMED | INST_F_SUSPENDED | INST_F_NODE_DOWN);
        if (instance_state(b, i, INST_BOUND, NULL) < 0) {
            instance_set_node(b->instances, i, "");
            errprintf(errp, "the journal cannot be written");
            goto undo;
        }
    }
    names_not_fini(&not );
    qsort(g, n, sizeof(*g), by_node);
    for (unsigned k = 0; k < n && len < sizeof(names); k++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", k ? "," : "", g[k]->node);
    if (len < sizeof(names)) {
        bjob_set(&j->node_names, names);
        return 0;
    }
    errprintf(errp, "its list of nodes is too long");
undo:
    names_not_fini(&not );
    while (done-- > 0) {
        if (g[done]->state == INST_BOUND) {
            instance_set_node(b->instances, g[done], "");
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
        return 0; // without an instance: stray_step() sees the node and gives it back
    i->since = clock_now_s();
    i->since_ms = clock_mono_ms();
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
    preempt_lost(b, i, FAILURE_JOIN, "its slurmd did not register in time");
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
